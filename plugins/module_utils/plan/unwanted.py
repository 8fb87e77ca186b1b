# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What this collection put on a cluster and the stack no longer has: found by its labels, never by names alone.

In the stack's own namespace all that carries the labels counts. A namespace that stacks share, as that of a Gateway or
of an operator, may hold another stack's things, so that there only what this stack's record names counts.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL, is_kept, object_key
from ..capacity.held import Holding, held_by, held_text
from ..changes.actions import DELETE, OURS, Action, identity
from ..changes.drift import BESIDES
from ..cluster.sweep import Sweep
from ..deploy.base import Work
from ..deploy.objects import ROUTE
from ..deploy.removal import LEFT_ALONE
from ..helm.deployed import owner_release
from ..helm.records import Release, current_releases
from ..objects.routes import conflicts, route_title
from ..record.history import Records
from ..record.parts import RELEASE, recorded_parts

HELM_RELEASE = "Helm release"
WHY = "nothing in the inventory asks for it any more"
HELM_RECORDS = "owner=helm,status notin (superseded,uninstalled)"
# They hold data, come to an end by themselves, or hold others' objects: a teardown is asked for those.
SPARED = ("Namespace", "Lease", "Secret", "PersistentVolumeClaim", "Job", *LEFT_ALONE)
# Kind, namespace, name.
Key = tuple[str, str, str]


@dataclasses.dataclass
class Unwanted:
    """A release, or an object without one. objects: the live ones, of a release all that go with it; makes: what a
    controller made of them, which goes too.

    why_now: why the rest of the stack cannot be deployed while it is there, "" where it can.
    """

    component: str
    kind: str
    namespace: str
    name: str
    api_version: str = ""
    objects: list[Object] = dataclasses.field(default_factory=list)
    makes: frozenset[Key] = frozenset()
    held: Holding = dataclasses.field(default_factory=Holding)
    why_now: str = ""

    @property
    def key(self) -> Key:
        """Kind, namespace and name."""
        return self.kind, self.namespace, self.name

    @property
    def keys(self) -> set[Key]:
        """Kind, namespace and name of its objects."""
        return {key_of(item) for item in self.objects} | self.makes

    def row(self) -> Object:
        """Return it as a plan and a record have it."""
        place = ("component", "api_version", "kind", "namespace", "name")
        return {**{name: getattr(self, name) for name in place}, "why": WHY, **self.held.plain()}

    def consent(self, granted: bool) -> Object:
        """Return the consent that its removal needs."""
        found = held_text(self.held.plain())
        what = f"delete {self.kind} {self.namespace}/{self.name}" + (f" ({found})" if found else "")
        row = {"id": f"prune:{'/'.join(self.key)}", "kind": "prune", "granted": granted}
        return {**row, "what": f"{what}: {self.why_now}" if self.why_now else what, "optional": not self.why_now}

    def actions(self) -> list[Action]:
        """Return what becomes of its objects."""
        release = self.name if self.kind == HELM_RELEASE else ""
        return [
            Action(self.component, release, item, DELETE, WHY, OURS, live=item, before=item, unwanted=True)
            for item in self.objects
        ]


def outgrown(component: str, items: t.Iterable[Object]) -> list[Unwanted]:
    """Return what the objects of a component do not ask for any more and their controller keeps, with the Deployment
    of its name."""
    return [
        Unwanted(component, *key, item["apiVersion"], [item], frozenset({("Deployment", *key[1:])}))
        for item in items
        for key in [key_of(item)]
    ]


def key_of(item: Object) -> Key:
    """Return kind, namespace and name of an object."""
    _api, kind, namespace, name = object_key(item)
    return kind, namespace, name


class Search:
    """Looks in the namespaces of a stack for what is ours; look() reads, found() compares with what is wanted."""

    def __init__(self, work: Work, namespace: str, places: t.Iterable[str], records: str) -> None:
        """namespace: the stack's; places: those of its parts; records: RECORDS/CLUSTER of this machine."""
        self.work, self.namespace, self.records = work, namespace, records
        self.places = list(dict.fromkeys([namespace, *places]))
        self.known: set[Key] = set()
        self.releases: dict[tuple[str, str], Release] = {}
        self.labelled: list[Object] = []

    def look(self) -> Search:
        """Read what is there; what may not be read is not found."""
        cluster, inventory = self.work.cluster, self.work.inventory
        good, newest = self._records()
        self.known = recorded(good)
        self.places = list(dict.fromkeys([*self.places, *sorted(place for _kind, place, _name in self.known if place)]))
        for place in self.places:
            try:
                secrets = cluster.list("v1", "Secret", place, f"{MANAGED_LABEL}=true,{HELM_RECORDS}")
                self.releases |= {(name, place): one for name, one in current_releases(secrets).items()}
            except OrchestratorError:
                continue
        sweep = Sweep(cluster, inventory.discovery)
        if (good or newest) and not (good.get("left_out") or newest.get("left_out")):
            # To ask for the kinds alone that were ever deployed takes a tenth of the requests.
            kinds = {kind for kind, _place, _name in recorded(good) | recorded(newest)}
            sweep.kinds = [one for one in sweep.kinds if one.kind in kinds]
        self.labelled = sweep.objects(self.places, f"{MANAGED_LABEL}=true")
        return self

    def _records(self) -> tuple[Object, Object]:
        """Return the newest record of a success, and the newest of all; {} where there is none."""
        try:
            records = Records(self.work.cluster, self.namespace, self.records)
            good = records.newest_good() or {}
            return good, records.load(records.rows[0]["time"]) if records.rows else {}
        except OrchestratorError:
            return {}, {}

    def found(
        self, releases: t.Container[tuple[str, str]], objects: t.Container[tuple], more: t.Iterable[Unwanted] = ()
    ) -> list[Unwanted]:
        """Return what is no longer wanted. releases: wanted ones, (name, namespace); objects: identities of wanted;
        more: what is known not to be."""
        rows = [
            self._release(one, objects)
            for key, one in sorted(self.releases.items())
            if key not in releases and self._counts((HELM_RELEASE, one.namespace, one.name))
        ]
        rows += [
            Unwanted(_component(item), *key_of(item), item["apiVersion"], [item])
            for item in self.labelled
            if identity(item) not in objects and is_unwanted(item) and self._counts(key_of(item))
        ]
        rows += more
        pods = self._pods({one.namespace for one in rows})
        for one in rows:
            one.held = held_by(one.keys, pods)
        return rows

    def _counts(self, key: Key) -> bool:
        return key[1] == self.namespace or key in self.known

    def _release(self, release: Release, wanted: t.Container[tuple]) -> Unwanted:
        inventory = self.work.inventory
        items = [
            item
            for item in inventory.scoped(release.manifest, release.namespace)
            if not is_kept(item) and item["kind"] not in LEFT_ALONE and identity(item) not in wanted
        ]
        inventory.live.preload(items)
        live = [(item, self._live(item)) for item in items]
        owner = (release.name, release.namespace)
        there = [
            {**found, "apiVersion": item["apiVersion"], "kind": item["kind"]}
            for item, found in live
            if found is not None and owner_release(found) in (owner, None)
        ]
        component = release.labels.get(COMPONENT_LABEL) or ""
        return Unwanted(component, HELM_RELEASE, release.namespace, release.name, objects=there)

    def _live(self, item: Object) -> Object | None:
        try:
            return self.work.inventory.live.find(item)
        except OrchestratorError:
            return None

    def _pods(self, namespaces: t.Iterable[str]) -> list[Object]:
        found: list[Object] = []
        for place in sorted(namespaces):
            try:
                found += self.work.cluster.list("v1", "Pod", place)
            except OrchestratorError:
                continue
        return found


def recorded(record: Object) -> set[Key]:
    """Return what a record has of releases and objects, and what was left over then."""
    rows = [(HELM_RELEASE, row) for row in record.get("releases") or []]
    rows += [(row.get("kind"), row) for row in record.get("leftovers") or []]
    found = {(str(kind), str(row.get("namespace") or ""), str(row.get("name"))) for kind, row in rows}
    for part in recorded_parts(record) if record else []:
        if part["kind"] != RELEASE:
            for item in part["manifests"]:
                kind, place, name = key_of(item)
                found.add((kind, place or part["namespace"], name))
    return found


def is_unwanted(item: Object) -> bool:
    """Return whether an object of ours is one that is deleted by itself: no release's, no other object's, no data."""
    component = _component(item)
    derived = item["metadata"].get("ownerReferences") or owner_release(item)
    return not derived and item["kind"] not in SPARED and component not in BESIDES


def _component(item: Object) -> str:
    return str((item["metadata"].get("labels") or {}).get(COMPONENT_LABEL) or "")


def in_the_way(found: t.Iterable[Unwanted], routes: list[Object]) -> list[Object]:
    """Mark the routes that take requests of the wanted ones, and return them. routes: the wanted ones."""
    gateways = {
        (ref.get("name"), ref.get("namespace") or route["metadata"].get("namespace"))
        for route in routes
        for ref in (route.get("spec") or {}).get("parentRefs") or []
    }
    going = []
    for one in found:
        if one.kind != ROUTE:
            continue
        alike = [row for place in sorted(gateways, key=str) for row in conflicts(routes, one.objects, place)]
        taken = [row for row in alike if route_title(one.namespace, one.name) in row.routes]
        if taken:
            one.why_now = f"it takes the requests of a new route ({taken[0].text(owners=False)})"
            going += one.objects
    return going
