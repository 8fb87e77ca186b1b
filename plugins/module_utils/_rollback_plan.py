# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a return to a recorded deployment comes to, release by release and route by route. It changes nothing."""

from __future__ import annotations

import dataclasses
import difflib
import json
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._discovery_compare import differs
from ansible_collections.llm_d.orchestrator.plugins.module_utils._drift import is_masked
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inventory import Inventory
from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import mask
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import (
    MANAGED_LABEL,
    Release,
    manifest_objects,
    same_manifest,
    same_values,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._status_releases import revision

Object = dict[str, t.Any]

UNCHANGED, HISTORY, CHART = "unchanged", "history", "chart"
GATEWAY_API = "gateway.networking.k8s.io/v1"
LINES = 20


@dataclasses.dataclass
class Step:
    """One release. row: the record's; wanted: as helm_releases takes it; target: the revision in Helm's history."""

    row: Object
    wanted: Object
    current: Release | None
    target: Release | None
    action: str = UNCHANGED
    why: str = ""
    values: Object = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """The release's name."""
        return self.row["name"]

    @property
    def namespace(self) -> str:
        """The release's namespace."""
        return self.row["namespace"]

    def line(self) -> str:
        """Return what becomes of the release, in one line."""
        old = f"{self.current.chart_version} revision {self.current.revision}" if self.current else "not there"
        new = f"{self.row.get('chart_version')} revision {self.row.get('revision')}"
        how = {UNCHANGED: "stays", HISTORY: "from Helm's history", CHART: "from its chart"}[self.action]
        why = f" ({self.why})" if self.why else ""
        return f"Helm release {self.name}: {old} -> {new}, {how}{why}"

    def as_dict(self) -> Object:
        """Return the step as the module returns it."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "component": self.row.get("component") or "",
            "action": self.action,
            "why": self.why,
            "revision": self.current.revision if self.current else 0,
            "to_revision": self.row.get("revision") or 0,
            "chart_version": self.current.chart_version if self.current else "",
            "to_chart_version": self.row.get("chart_version") or "",
            "diff": self.diff(),
        }

    def diff(self) -> str:
        """Return a unified diff of the values, without secrets; "" where nothing of them changes."""
        if self.action == UNCHANGED:
            return ""
        now, then = _text(self.current.values if self.current else {}), _text(self.values)
        return "\n".join(difflib.unified_diff(now, then, "now", "then", n=2, lineterm=""))


def _text(values: Object) -> list[str]:
    return json.dumps(mask(values), indent=2, sort_keys=True, default=str).splitlines()


def plan_steps(record: Object, inventory: Inventory, current: t.Mapping[tuple[str, str], Release]) -> list[Step]:
    """Return a step for each recorded release; raise OrchestratorError for all that cannot be restored.

    current: the newest revisions by (name, namespace).
    """
    wanted = {one["name"]: one for rows in ((record.get("stack") or {}).get("releases") or {}).values() for one in rows}
    steps, errors = [], []
    for row in record.get("releases") or []:
        found = current.get((row["name"], row["namespace"]))
        number = int(row.get("revision") or 0)
        target = revision(inventory.cluster, row["namespace"], row["name"], number) if number else None
        if target is not None and target.manifest and target.chart_version != row.get("chart_version"):
            target = None  # the release was removed and made anew: its revisions are others
        step = Step(row, wanted.get(row["name"]) or {}, found, target)
        problem = _judge(step, inventory)
        steps.append(step)
        errors += [f"{step.name}: {problem}"] if problem else []
    if errors:
        raise OrchestratorError(
            "These releases cannot be restored:", details=errors,
            hint="Run site.yml with the inputs of that deployment; record.md shows them, without secrets.",
        )  # fmt: skip
    return steps


def _judge(step: Step, inventory: Inventory) -> str:
    """Say what becomes of a release; return why it cannot be restored, "" where it can."""
    found, target = step.current, step.target
    if found is not None and not found.managed and found.status != "uninstalled":
        return "it was not made by this collection"
    if target is not None:
        step.values = target.values
        step.action, step.why = HISTORY, _difference(found, target, inventory)
        if not step.why:
            step.action = UNCHANGED
        return ""
    step.action, step.why = CHART, "Helm has that revision no more"
    step.values = step.wanted.get("values") or {}
    if not step.wanted.get("chart_ref"):
        return "Helm has that revision no more, and the record does not say where its chart came from"
    if is_masked(step.values):
        return "Helm has that revision no more, and secrets in its values were not recorded"
    if step.wanted.get("values_files"):
        return "Helm has that revision no more, and its values files are not in the record"
    return ""


def _difference(found: Release | None, target: Release, inventory: Inventory) -> str:
    """Return why a release is not as the target has it, "" where it is."""
    if found is None:
        return "it is not there"
    if found.status != "deployed":
        return f"its status is {found.status}"
    if found.chart_version != target.chart_version:
        return "its chart differs"
    if not same_values(found.values, target.values):
        return "its values differ"
    if not same_manifest(found.manifest, target.manifest, found.namespace):
        return "its objects differ"
    objects = inventory.scoped(found.manifest, found.namespace)
    if inventory.missing(objects):
        return "objects of it are missing"
    return "it was changed by hand" if inventory.drifted(objects) else ""


def removed(record: Object, current: t.Mapping[tuple[str, str], Release]) -> list[Release]:
    """Return our releases that the record does not know."""
    known = {(row["name"], row["namespace"]) for row in record.get("releases") or []}
    return [one for key, one in sorted(current.items()) if one.managed and key not in known]


def route_actions(wanted: t.Sequence[Object], live: t.Sequence[Object]) -> list[Object]:
    """Return {name, action: create, update, remove or unchanged} of routes; raise OrchestratorError where masked.

    live: the HTTPRoutes of the namespace.
    """
    hidden = [route["metadata"]["name"] for route in wanted if is_masked(route)]
    if hidden:
        raise OrchestratorError(
            f"Routes cannot be restored, since secrets in them were not recorded: {', '.join(hidden)}.",
            hint="Run site.yml with the inputs of that deployment.",
        )
    found = {route["metadata"]["name"]: route for route in live}
    rows = []
    for route in wanted:
        name = route["metadata"]["name"]
        action = "create" if name not in found else "update" if differs(route, found[name]) else UNCHANGED
        rows.append({"name": name, "action": action})
    names = {row["name"] for row in rows}
    ours = [name for name, route in sorted(found.items())
            if (route["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true"]  # fmt: skip
    return rows + [{"name": name, "action": "remove"} for name in ours if name not in names]


def plan_lines(time: str, steps: t.Sequence[Step], routes: t.Sequence[Object], extra: t.Sequence[Release]) -> list[str]:
    """Return the plan as lines to read."""
    lines = [f"Return to the deployment of {time}:"]
    for step in steps:
        lines.append(f"  {step.line()}")
        lines += [f"      {line}" for line in step.diff().splitlines()[2 : 2 + LINES]]
    lines += [f"  HTTPRoute {row['name']}: {row['action']}" for row in routes if row["action"] != UNCHANGED]
    for release in extra:
        count = len(manifest_objects(release.manifest))
        lines.append(f"  Helm release {release.name} is REMOVED with its {count} objects: that deployment had it not")
    return lines
