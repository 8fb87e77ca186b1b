# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A teardown carried out: routes first, then releases side by side, then the rest; what is left is counted."""

from __future__ import annotations

import time
import typing as t

from ..base.apis import CRD_API
from ..base.data import Object
from ..base.errors import Forbidden, OrchestratorError
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL, SECRET_TYPE, object_key
from ..changes.drift import key_of
from ..cluster.sweep import Sweep
from ..components.registry import COMPONENTS
from ..deploy.base import Work
from ..deploy.removal import Removal, dependants, find_targets, gone, left_line, needed_by, why_left
from ..helm.deployed import HELM_OBJECTS
from ..helm.records import Release
from .decide import (
    CLAIM,
    DEFINITION,
    HELM_RELEASE,
    TeardownPlan,
    apart,
    foreign,
    is_derived,
    is_ours,
    line,
    make_plan,
    namespace_refusal,
    orphans,
    owned,
    owner,
)

# Seconds for what nobody lets go.
HELD = 10.0
OURS = f"{MANAGED_LABEL}=true"


class Teardown:
    """One teardown of the namespaces of a stack."""

    def __init__(self, work: Work, params: Object) -> None:
        """params: namespaces, only, release_names, delete_pvcs, delete_namespace, force_namespace."""
        self.work, self.cluster, self.inventory, self.params = work, work.cluster, work.inventory, params
        self.namespaces = list(dict.fromkeys(params["namespaces"]))
        self.sweep = Sweep(work.cluster, work.inventory.discovery)
        self.errors: list[str] = []
        self.unseen: list[tuple[str, str]] = []
        # What alone goes, by kind, namespace and name; all that is ours where there is nothing.
        self.only = {(row["kind"], row.get("namespace") or "", row["name"]) for row in params.get("only") or []}
        # By release that stays, what needs it.
        self.stays: dict[str, list[Object]] = {}

    def releases(self) -> list[Release]:
        """Return all releases of the namespaces, ours and others'."""
        found = [self._releases(namespace) for namespace in list(self.namespaces)]
        known = [release for releases in found for _name, release in sorted(releases.items())]
        return [one for one in known if not self.only or (HELM_RELEASE, one.namespace, one.name) in self.only]

    def labelled(self) -> list[Object]:
        """Return the objects of the namespaces with our label."""
        found = self.sweep.objects(self.namespaces, OURS)
        return [item for item in found if key_of(item) in self.only] + self._named() if self.only else found

    def _named(self) -> list[Object]:
        """Return what was named and has no label of ours: a controller has made it of what has. It goes by itself."""
        rows = [row for row in self.params["only"] if row["kind"] != HELM_RELEASE and row.get("api_version")]
        live = [self.cluster.get(*(row[key] for key in ("api_version", "kind", "name", "namespace"))) for row in rows]
        return [
            {
                **item,
                "apiVersion": row["api_version"],
                "kind": row["kind"],
                "metadata": {key: value for key, value in item["metadata"].items() if key != "ownerReferences"},
            }
            for row, item in zip(rows, live, strict=True)
            if item is not None and not is_ours(item)
        ]

    def _releases(self, namespace: str) -> dict[str, Release]:
        try:
            return self.inventory.releases(namespace)
        except Forbidden:
            # Where a Gateway of others stands, nothing was made, and nothing needs to be permitted.
            if namespace == self.namespaces[0]:
                raise
            self.namespaces.remove(namespace)
            self.unseen.append((f"Namespace {namespace}", "its Helm releases cannot be listed: not permitted"))
            return {}

    def plan(self) -> TeardownPlan:
        """Return what goes and what stays."""
        releases = self.releases()
        labelled = self.labelled()
        managed = [release for release in releases if release.managed]
        needed = {release.name: dependants(self.cluster, release) for release in managed}
        going = {item["metadata"]["uid"] for item in labelled if not is_derived(item)}
        self.stays = {name: rest for name, items in needed.items() if (rest := apart(items, going))}
        claims = self._claims([release for release in managed if release.name not in self.stays])
        plan = make_plan(releases, labelled, claims, delete_claims=self.params["delete_pvcs"])
        plan.put_first({item["metadata"]["uid"] for items in needed.values() for item in items})
        for release in [release for release in plan.releases if release.name in self.stays]:
            plan.keep(release, needed_by(self.stays[release.name]))
        plan.kept += self.unseen
        self._definitions(plan, managed)
        return plan

    def _definitions(self, plan: TeardownPlan, releases: t.Sequence[Release]) -> None:
        """Find the definitions that came with releases which go: whether they go too, or why they stay."""
        groups = {
            group
            for release in releases
            if release.name not in self.stays and (cls := COMPONENTS.get(release.labels.get(COMPONENT_LABEL) or ""))
            for group in cls.groups
        }
        found = [item for item in self.cluster.list(CRD_API, DEFINITION) if groups] if groups else []
        found = [item for item in found if item["spec"]["group"] in groups]
        if found and not self.params["delete_crds"]:
            names = f"{len(found)} CustomResourceDefinitions of {', '.join(sorted(groups))}"
            plan.kept.append((names, "they belong to the cluster; set teardown_delete_crds to true to delete them"))
        elif found:
            going = {item["metadata"]["uid"] for item in plan.dependent}
            used = [item for one in found for item in apart(self._instances(one), going)]
            plan.definitions = [] if used else found
            why = f"{line(used[0])} is of this kind" if used else ""
            plan.kept += [(f"{len(found)} CustomResourceDefinitions", why)] if used else []

    def _instances(self, definition: Object) -> list[Object]:
        """Return all objects of a definition's kind."""
        spec = definition["spec"]
        version = next(one["name"] for one in spec["versions"] if one.get("served"))
        return self.cluster.list(f"{spec['group']}/{version}", spec["names"]["kind"])

    def _claims(self, releases: list[Release]) -> list[Object]:
        """Return the live claims of releases: those in manifests, and those that StatefulSets made."""
        names: set[tuple[str, str]] = set()
        for release in releases:
            for item in self.inventory.scoped(release.manifest, release.namespace):
                _api_version, kind, namespace, name = object_key(item)
                if kind == CLAIM:
                    names.add((namespace, name))
                for template in (item.get("spec") or {}).get("volumeClaimTemplates") or []:
                    replicas = int((item.get("spec") or {}).get("replicas") or 1)
                    names |= {(namespace, f"{template['metadata']['name']}-{name}-{n}") for n in range(replicas)}
        live = [self.cluster.get("v1", CLAIM, name, namespace) for namespace, name in sorted(names)]
        return [item for item in live if item is not None]

    def run(self, plan: TeardownPlan) -> None:
        """Remove what the plan says; raise for what is left."""
        self._step(lambda: self._delete(plan.routes))
        self._step(lambda: self._delete_dependent(plan))
        self._step(lambda: self._uninstall(plan))
        self._step(lambda: self._delete(plan.objects))
        self._step(lambda: self._delete(plan.claims))
        self._step(lambda: self._delete(plan.definitions))

    def _delete_dependent(self, plan: TeardownPlan) -> None:
        """Delete what needs releases to go, with all that is made of it; releases that are needed on stay."""
        if not plan.dependent:
            return
        everything = self.sweep.objects(self.namespaces, None)
        self._delete(plan.dependent, [item for item in owned(plan.dependent, everything) if item["kind"] != "Pod"])
        for release in list(plan.releases):
            if left := dependants(self.cluster, release):
                plan.keep(release, needed_by(left))
                self.errors += [why_left(self.cluster, item) for item in left]
                self.stays[release.name] = left

    def _step(self, action: t.Callable[[], t.Any]) -> None:
        try:
            action()
        except OrchestratorError as exc:
            self.errors += exc.details or [str(exc)]

    def _uninstall(self, plan: TeardownPlan) -> None:
        keep = not self.params["delete_pvcs"]
        Removal(self.work).run(plan.releases, int(self.work.left()), check=False, keep_claims=keep)

    def _delete(self, objects: list[Object], made: t.Sequence[Object] = ()) -> None:
        """Delete objects and wait until they are gone. made: what goes with them, and is waited for too."""
        if not objects:
            return
        targets = find_targets(self.work.watches, [*objects, *made])
        # Where it is known that nobody takes their finalizers there is nothing to wait for.
        held = any(cls.why_held(self.cluster, item) for cls in COMPONENTS.values() for item in objects)
        deadline = min(self.work.deadline, time.monotonic() + HELD) if held else self.work.deadline
        for item in objects:
            api_version, kind, namespace, name = object_key(item)
            self.inventory.change(f"delete {kind} {name}", "delete", api_version, kind, name, namespace)
        gone(self.work.watches, targets, deadline)  # whatever is left is counted at the end

    def left(self, plan: TeardownPlan) -> list[str]:
        """Return one line for each thing that should be gone and is not, and what could not be done."""
        releases = self.releases()
        rest = make_plan(releases, self.labelled(), [], delete_claims=self.params["delete_pvcs"])
        staying = [release.name for release in rest.releases if release.name in self.stays]
        lines = [f"Helm release {one.name}: {one.status}" for one in rest.releases if one.name not in staying]
        lines += [why_left(self.cluster, item) for item in (*rest.routes, *rest.objects, *rest.claims)]
        ours = {(release.name, release.namespace) for release in plan.releases}
        lines += [orphan_line(item) for item in self.orphans(releases, ours)]
        return list(dict.fromkeys([*lines, *self.errors]))

    def orphans(self, releases: list[Release], ours: set[tuple[str, str]]) -> list[Object]:
        """Return objects of our releases that Helm no longer knows."""
        named = {(name, namespace) for name in self.params["release_names"] for namespace in self.namespaces}
        if not named | ours:
            return []
        existing = {(release.name, release.namespace) for release in releases}
        found = self.sweep.objects(self.namespaces, HELM_OBJECTS, cluster_wide=True)
        return orphans(found, existing, named | ours)

    def namespace_fate(self, namespace: str, plan: TeardownPlan) -> tuple[bool, str | None]:
        """Return (whether the namespace goes, why not), as it will be once the plan is carried out."""
        if self.only:
            return False, None
        live = self.cluster.get("v1", "Namespace", namespace)
        if live is None:
            return False, None
        if not self.params["delete_namespace"]:
            return False, "set teardown_delete_namespace to true to delete it" if is_ours(live) else None
        going = {object_key(item) for item in (*plan.routes, *plan.dependent, *plan.objects, *plan.claims)}
        mine = {(release.name, release.namespace) for release in plan.releases}
        others = [
            item
            for item in foreign(self.sweep.objects([namespace], None))
            if object_key(item) not in going
            and (item["kind"] == CLAIM or owner(item) not in mine)
            and not (item.get("type") == SECRET_TYPE and _release_of(item) in mine)
        ]
        why = namespace_refusal(live, others, force=self.params["force_namespace"])
        return why is None, why

    def delete_namespace(self, namespace: str) -> None:
        """Delete a namespace and wait until it is gone."""
        live = self.cluster.get("v1", "Namespace", namespace)
        if live is None:
            return
        targets = find_targets(self.work.watches, [live])
        self.inventory.change(f"delete Namespace {namespace}", "delete", "v1", "Namespace", namespace, None)
        for item in gone(self.work.watches, targets, self.work.deadline):
            self.errors.append(left_line(item))
            # What its deletion waits for.
            held = [one for one in self.sweep.objects([namespace], None) if one["metadata"].get("finalizers")]
            self.errors += [why_left(self.cluster, one) for one in held if one["metadata"].get("deletionTimestamp")]


def orphan_line(item: Object) -> str:
    """Return what is left of a release without a record, and why it was not deleted."""
    name, namespace = owner(item) or ("", "")
    why = f"not deleted: Helm has no record of its release {name} in {namespace}, so its owner is unknown"
    return left_line(item) if item["metadata"].get("deletionTimestamp") else f"{line(item)}: {why}"


def _release_of(secret: Object) -> tuple[str, str]:
    metadata = secret["metadata"]
    return (metadata.get("labels") or {}).get("name", ""), metadata.get("namespace") or ""


def describe(plan: TeardownPlan) -> list[Object]:
    """Return what stays as the module returns it."""
    return [{"object": name, "why": why} for name, why in plan.kept]
