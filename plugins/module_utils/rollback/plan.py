# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a return to a recorded deployment comes to: its objects, what is removed, and its digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import MANAGED_LABEL, object_key
from ..changes.actions import DELETE, OTHER, REPLACE, REUSE, Action, ReleaseObjects, identity
from ..changes.discover import Discovery
from ..changes.drift import is_masked
from ..cluster.compare import differs, projected
from ..deploy.base import difference
from ..helm.deployed import HelmRecords
from ..helm.records import Release, diff_texts, dump_objects, manifest_objects
from .steps import UNCHANGED, Step

LINES = 20


@dataclasses.dataclass
class Return:
    """A return to one deployment.

    actions: of the objects of releases that change; applied: what becomes of objects without a release; extra: our
    releases that it had not.
    """

    time: str
    namespace: str
    steps: list[Step]
    actions: list[Action]
    applied: list[Object]
    extra: list[Release]

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        applied = any(row["action"] != UNCHANGED for row in self.applied)
        return bool(self.extra) or applied or any(one.action != UNCHANGED for one in self.steps)

    def digest(self) -> str:
        """Return what tells two returns apart: approved is just what was read."""
        known: Object = {
            "namespace": self.namespace,
            "to": self.time,
            "releases": [step.as_dict() for step in self.steps],
            "objects": sorted((one.component, one.release, one.id, one.action) for one in self.actions),
            "applied": [(row["kind"], row["namespace"], row["name"], row["action"]) for row in self.applied],
            "removed": [(one.namespace, one.name, one.revision) for one in self.extra],
        }
        return "sha256:" + hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()

    def changing(self) -> list[str]:
        """Return the names of what changes: all that a consent is for."""
        return [
            *(f"release {one.namespace}/{one.name}" for one in self.steps if one.action != UNCHANGED),
            *(f"{one.action} {one.id}" for one in self.actions if _is_lost(one)),
            *(f"{row['action']} {place_of(row)}" for row in self.applied if row["action"] != UNCHANGED),
            *(f"remove {one.namespace}/{one.name}" for one in self.extra),
        ]

    def lines(self) -> list[str]:
        """Return the plan as lines to read."""
        if not self.changes:
            return [f"The namespace already matches the deployment of {self.time}."]
        lines = [f"Roll back to the deployment of {self.time}:"]
        for step in self.steps:
            lines.append(f"  {step.line()}")
            lines += [f"      {line}" for line in step.diff().splitlines()[2 : 2 + LINES]]
            lines += [f"      {lost(one)}" for one in self.actions if _is_lost(one) and one.release == step.name]
        changed = [row for row in self.applied if row["action"] != UNCHANGED]
        lines += [f"  {row['kind']} {row['name']}: {row['action']}" for row in changed]
        for release in self.extra:
            count = len(manifest_objects(release.manifest))
            lines.append(
                f"  Helm release {release.name} is REMOVED with its {count} objects: it was not part of that deployment"
            )
        return lines

    def diffs(self) -> list[Object]:
        """Return Ansible's diff: changed objects of releases, other objects, removed releases; Secret data hidden."""
        found = []
        for step in (one for one in self.steps if one.action != UNCHANGED):
            changed = [one.texts() for one in self.actions if one.release == step.name and one.action != REUSE]
            before, after = ("".join(side) for side in zip(*changed, strict=True)) if changed else ("", "")
            found.append(difference(f"Helm release {step.name}", before, after))
        found += [
            difference(f"{row['kind']} {row['name']}", *diff_texts(row["before"], row["after"]))
            for row in self.applied if row["action"] != UNCHANGED
        ]  # fmt: skip
        return found + [difference(f"Helm release {one.name}", *diff_texts(one.manifest, "", one.namespace))
                        for one in self.extra]  # fmt: skip


def place_of(row: Object) -> str:
    """Return Kind/namespace/name."""
    return f"{row['kind']}/{row['namespace']}/{row['name']}"


def _is_lost(action: Action) -> bool:
    return action.action in (DELETE, REPLACE)


def lost(action: Action) -> str:
    """Return what becomes of an object that is deleted, for good or to be made anew."""
    verb = {DELETE: "DELETED", REPLACE: "DELETED and recreated"}[action.action]
    data = ", with its data" if action.item["kind"] == "PersistentVolumeClaim" else ""
    return f"{action.title} is {verb}{data}: {action.why}"


def object_actions(steps: t.Sequence[Step], inventory: HelmRecords) -> list[Action]:
    """Return what becomes of the objects of releases that change; raise OrchestratorError for what cannot be done."""
    parts = [
        ReleaseObjects(
            step.row.get("component") or "", step.name, step.namespace,
            inventory.scoped(step.before, step.namespace), inventory.scoped(step.after, step.namespace),
            step.current is not None and step.current.managed,
        )
        for step in steps if step.action != UNCHANGED
    ]  # fmt: skip
    actions = Discovery(inventory.live).releases(parts)
    errors = [f"{one.release}: {one.title}: {problem}" for one in actions if (problem := _refused(one))]
    if errors:
        raise OrchestratorError("These releases cannot be restored:", details=errors)
    return actions


def _refused(action: Action) -> str:
    if action.mistake:
        return action.mistake
    another = action.owner == OTHER and action.live is not None and action.action != DELETE
    return "it now belongs to another owner; remove or rename it, and run again" if another else ""


def removed(record: Object, current: t.Mapping[tuple[str, str], Release]) -> list[Release]:
    """Return our releases that the record does not know."""
    known = {(row["name"], row["namespace"]) for row in record.get("releases") or []}
    return [one for key, one in sorted(current.items()) if one.managed and key not in known]


def applied_actions(wanted: t.Sequence[Object], live: t.Sequence[Object]) -> list[Object]:
    """Return {kind, namespace, name, action, before, after} of objects without a release, the last two as YAML.

    action: create, update, remove or unchanged; live: what is there of them, and what else is ours. Raises
    OrchestratorError where something of an object is masked.
    """
    hidden = [f"{item['kind']} {item['metadata']['name']}" for item in wanted if is_masked(item)]
    if hidden:
        raise OrchestratorError(
            f"Cannot restore objects, because their secrets were not recorded: {', '.join(hidden)}.",
            hint="Run site.yml with the inputs of that deployment.",
        )
    found = {identity(item): item for item in live}
    rows = []
    for item in wanted:
        old = found.pop(identity(item), None)
        action = "create" if old is None else "update" if differs(item, old) else UNCHANGED
        before = dump_objects([projected(old, item)]) if old is not None else ""
        rows.append({**_place(item), "action": action, "before": before, "after": dump_objects([item])})
    ours = [item for item in found.values() if (item["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true"]
    return rows + [
        {**_place(item), "action": "remove", "before": _content(item), "after": ""}
        for item in sorted(ours, key=lambda item: item["metadata"]["name"])
    ]


def _place(item: Object) -> Object:
    _version, kind, namespace, name = object_key(item)
    return {"kind": kind, "namespace": namespace, "name": name}


def _content(item: Object) -> str:
    metadata = {key: item["metadata"].get(key) for key in ("name", "namespace")}
    body = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return dump_objects([{**body, "metadata": metadata}])


PRODUCTION = "production"
VARIABLE = "llm_d_approved_digest"
READ = "run it with --check and have the result approved; the last line is the command"


def approval(found: Return, params: Object) -> Object:
    """Return {digest, approved, confirmed, refused, lacking, unconfirmed}, the last three as texts.

    confirmed: nobody has to be asked; refused: why it may not be done; lacking: what lacks consent; unconfirmed: what
    to say where nobody gives it.
    params: environment, approved_digest, confirm and consent of the module.
    """
    digest, given = found.digest(), params["approved_digest"]
    refused = []
    if given and given != digest:
        refused.append(f"{VARIABLE}: it is {given}, but the current rollback plan has {digest} -> {READ}")
    elif not given and params["environment"] == PRODUCTION:
        refused.append(f"{VARIABLE}: is not set, but llm_d_environment is production -> {READ}")
    approved = bool(given) and given == digest
    lacking = [] if approved else lacking_consents(found.actions, params["consent"])
    confirmed = approved or (params["confirm"] and not lacking)
    return {
        "digest": digest, "approved": approved, "confirmed": confirmed, "refused": refused, "lacking": lacking,
        "unconfirmed": _unconfirmed(lacking, confirm=params["confirm"]),
    }  # fmt: skip


def _unconfirmed(lacking: list[str], *, confirm: bool) -> str:
    other = "set the variables that these lines end with." if confirm else "set rollback_confirm to true."
    return "\n".join(
        [(f"Nothing was changed: the rollback was not confirmed. Answer yes on a terminal, or {other}"), *lacking]
    )


def lacking_consents(actions: t.Iterable[Action], given: t.Container[str]) -> list[str]:
    """Return what needs more than the consent to a return, each with the variable that gives it.

    given: kinds of llm_d_consent.
    """
    rows = []
    for one in actions:
        claim = one.item["kind"] == "PersistentVolumeClaim"
        if (one.action == REPLACE or (one.action == DELETE and claim)) and one.action not in given:
            rows.append(f"{lost(one)} -> llm_d_consent: [{one.action}]")
    return rows
