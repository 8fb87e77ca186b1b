# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is deployed in a namespace, whether it is healthy, and how it differs from the record of its deployment."""

from __future__ import annotations

import time

from ..base.apis import GATEWAY_API
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL
from ..capacity.held import held_by
from ..changes.drift import SCALERS, Key, changes, key_of, scaled_by, unscaled, without_masked
from ..cluster.client import Cluster
from ..cluster.compare import differs, is_built_in, patch_of, same_after
from ..components.registry import COMPONENTS
from ..deploy.base import Work
from ..deploy.objects import ROUTE, Objects
from ..deploy.readiness import Readiness
from ..helm.records import Release
from ..objects.conditions import State
from ..plan.unwanted import HELM_RELEASE, recorded
from ..record.history import Records, time_of
from ..record.parts import RELEASE, model_names, recorded_parts
from .added import ADDED, LEFTOVER, OURS, POOL, Added, ObjectReader
from .rows import DeployedRelease, from_cluster, from_record, pool_state, recorded_manifest, release_row, row

# Of a record's stack, the Gateway; its component has the same name.
GATEWAY = "gateway"
# They come to an end, or are others' too: that they are gone, or otherwise, is no drift.
PASSING = ("Job", "Namespace")


class Status:
    """One look at the namespaces of a stack. It changes nothing."""

    def __init__(self, cluster: Cluster, namespaces: list[str], folder: str) -> None:
        """namespaces: the stack's, then those of its parts; folder: RECORDS/CLUSTER of this machine."""
        self.cluster, self.namespaces = cluster, list(dict.fromkeys(namespaces))
        self.records = Records(cluster, namespaces[0], folder)
        self.work = Work(cluster, {}, check=True)
        self.inventory = self.work.inventory
        self.reader = ObjectReader(cluster, self.inventory, self.records.unseen)
        self.unseen = self.reader.unseen
        self.watches = self.work.watches
        self.record: Object = self.records.newest_good() or {}
        stack = self.record.get("stack") or {}
        parts = recorded_parts(self.record) if self.record else []
        places = [(stack.get(GATEWAY) or {}).get("namespace"), *(part["namespace"] for part in parts)]
        self.namespaces = list(dict.fromkeys([*self.namespaces, *filter(None, places)]))

    def run(self) -> Object:
        """Return the module's result; raise OrchestratorError where the releases cannot be read."""
        try:
            return self._run()
        finally:
            self.work.close()

    def _run(self) -> Object:
        releases = {(name, place): one for place in self.namespaces for name, one in self._releases(place).items()}
        expected = from_record(self.record) if self.record else from_cluster(releases)
        rows = [release_row(one, releases.get(one.key), bool(self.record)) for one in expected]
        wanted = self._objects(expected, releases)
        applied = [(item, component, "") for item, component in self._applied()]
        rows += self._judged([*wanted, *applied])
        besides = self._besides(expected, applied)
        added = Added(self.reader, self.inventory, self.namespaces, besides, recorded(self.record))
        rows += added.releases(expected, releases)
        routes = [item for item, _component, _release in applied if item["kind"] == ROUTE]
        items = [item for item, _component, _release in (*wanted, *applied) if item["kind"] != ROUTE]
        rows += added.rows(items, routes, releases)
        return self._result(rows, self._leftovers(rows, releases))

    def _leftovers(self, rows: list[Object], releases: dict[tuple[str, str], Release]) -> list[Object]:
        """Return what is left over, with what its pods hold."""
        found = []
        for one in [one for one in rows if one["drift"] == LEFTOVER]:
            place = {name: one[name] for name in ("component", "kind", "namespace", "name")}
            release = releases[(one["name"], one["namespace"])] if one["kind"] == HELM_RELEASE else None
            items = self.inventory.scoped(release.manifest, release.namespace) if release else []
            owners = {key_of(item) for item in items} | {(one["kind"], one["namespace"], one["name"])}
            pods = self.reader.objects("v1", "Pod", one["namespace"])
            found.append({**place, **held_by(owners, pods).plain()})
        return found

    def _releases(self, namespace: str) -> dict[str, Release]:
        try:
            return self.inventory.releases(namespace)
        except OrchestratorError as exc:
            if namespace == self.namespaces[0]:
                raise
            self.unseen.append(f"Helm releases in {namespace}: {exc.message}")
            return {}

    def _objects(
        self, expected: list[DeployedRelease], releases: dict[tuple[str, str], Release]
    ) -> list[tuple[Object, str, str]]:
        """Return the objects as they were deployed, each with component and release."""
        found = []
        for one in expected:
            current = releases.get(one.key)
            manifest = recorded_manifest(self.cluster, one, current)
            if manifest is None:
                self.unseen.append(f"objects of {one.name}: Helm no longer has the manifest of revision {one.revision}")
                continue
            found += [(item, one.component, one.name) for item in self.inventory.scoped(manifest, one.namespace)]
        return found

    def _applied(self) -> list[tuple[Object, str]]:
        """Return the objects without a release, with their components: those of the record, else our routes."""
        if not self.record:
            routes = self.reader.objects(GATEWAY_API, ROUTE, self.namespaces[0], OURS)
            return [(route, (route["metadata"].get("labels") or {}).get(COMPONENT_LABEL) or "") for route in routes]
        found = []
        for part in (one for one in recorded_parts(self.record) if one["kind"] != RELEASE):
            try:
                wanted = Objects(self.work, {**part, "objects": part["manifests"], "fill": {}}).wanted
            except OrchestratorError as exc:
                self.unseen.append(f"objects of {part['component']}: {exc.message}")
                continue
            found += [(item, part["component"]) for item in wanted if item["kind"] not in PASSING]
        return found

    def _besides(self, expected: list[DeployedRelease], applied: list[tuple[Object, str, str]]) -> set[str]:
        """Return the components whose objects the record tells nothing of: older records leave some out."""
        if "parts" in (self.record.get("stack") or {}):
            return set()
        told = {one.component for one in expected} | {component for _item, component, _release in applied}
        return set(COMPONENTS) - told

    def _judged(self, wanted: list[tuple[Object, str, str]]) -> list[Object]:
        """Return a row for each object that was deployed."""
        items = [item for item, _component, _release in wanted]
        gateway = (self.record.get("stack") or {}).get(GATEWAY) or {}
        named = {key_of(item) for item in items}
        if gateway.get("name") and ("Gateway", gateway.get("namespace") or "", gateway["name"]) not in named:
            # One of others: its state counts, not its content.
            metadata = {"name": gateway["name"], "namespace": gateway.get("namespace") or self.namespaces[0]}
            item = {"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": metadata}
            wanted, items = [*wanted, (item, GATEWAY, "")], [*items, item]
        readiness = Readiness(self.cluster, self.watches, fail_fast=False, grace=0)
        readiness.follow(items)
        self.inventory.live.preload(items)
        self.watches.synced(time.monotonic() + 20)
        gateways = self._gateways(items)
        scaled = self._scaled() if any(self._has_other_replicas(item) for item in items) else set()
        return [self._row(*one, readiness, scaled, gateways) for one in wanted]

    def _gateways(self, items: list[Object]) -> set[tuple[str, str]]:
        """Return namespace and name of the stack's Gateways: those that its routes name and that are there."""
        named = {
            (ref.get("namespace") or item["metadata"].get("namespace") or "", ref.get("name") or "")
            for item in items
            if item["kind"] == ROUTE
            for ref in (item.get("spec") or {}).get("parentRefs") or []
        }
        named = named or {(space, name) for kind, space, name in map(key_of, items) if kind == "Gateway"}
        spaces = {space for space, _name in named}
        live = {
            (space, item["metadata"]["name"])
            for space in spaces
            for item in self.reader.objects(GATEWAY_API, "Gateway", space)
        }
        return named & live

    def _has_other_replicas(self, item: Object) -> bool:
        wanted = (item.get("spec") or {}).get("replicas")
        live = self.reader.live(item) if wanted is not None else None
        return live is not None and (live.get("spec") or {}).get("replicas") != wanted

    def _scaled(self) -> set[Key]:
        """Return what autoscalers scale; they are only read where that matters, since few may read them."""
        place = self.namespaces[0]
        return scaled_by(one for kind, api in SCALERS.items() for one in self.reader.objects(api, kind, place))

    def _row(
        self,
        item: Object,
        component: str,
        release: str,
        readiness: Readiness,
        scaled: set[Key],
        gateways: set[tuple[str, str]],
    ) -> Object:
        kind, namespace, name = key_of(item)
        try:
            live = self.inventory.live.find(item)
        except OrchestratorError as exc:
            self.unseen.append(f"{kind} {name}: {exc.message}")
            return row(kind, namespace, name, component, release, None)
        if live is None:
            return row(kind, namespace, name, component, release, State(False, "it does not exist"), "deleted")
        state = pool_state(live, gateways) if kind == POOL else readiness.judge(item)
        lines = self._changed(unscaled(without_masked(item, live), scaled), live)
        return row(kind, namespace, name, component, release, state, "changed" if lines else "", "; ".join(lines))

    def _changed(self, item: Object, live: Object) -> list[str]:
        """Return how a live object differs. The API server, where it may be asked, has the last word."""
        if not differs(item, live):
            return []
        try:
            patch = patch_of(None, item, live)
            trial = self.inventory.live.patched(live, patch, strategic=is_built_in(item))
            if trial.after is not None and same_after(live, trial.after):
                return []
        except OrchestratorError:
            # Who only may read sees what the manifest says.
            return changes(item, live)
        return changes(item, live)

    def _result(self, rows: list[Object], leftovers: list[Object]) -> Object:
        newest: Object = dict(self.records.rows[0]) if self.records.rows else {}
        # A key of this name would keep the whole result from the screen and from other tasks.
        newest.pop("secret", None)
        chosen = time_of(self.record) if self.record else ""
        facts = ("started", "outcome", "by", "cluster", "versions")
        deployed = {key: self.record.get(key) for key in facts} | {"time": chosen} if self.record else {}
        if self.record:
            deployed["models"] = model_names(self.record)
            releases = self.record.get("releases") or []
            deployed["charts"] = {row["chart"]: row.get("chart_version") for row in releases if row.get("chart")}
        judged = [one for one in rows if one["drift"] not in (ADDED, LEFTOVER)]
        return {
            "namespace": self.namespaces[0],
            "deployed": bool(judged),
            "record": deployed,
            "last": newest,
            "healthy": bool(judged) and all(one["ready"] is not False for one in judged),
            "drifted": any(one["drift"] not in ("", LEFTOVER) for one in rows),
            "leftovers": leftovers,
            "rows": rows,
            "unseen": list(dict.fromkeys(self.unseen)),
        }
