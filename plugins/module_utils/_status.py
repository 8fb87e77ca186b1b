# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is deployed in a namespace, whether it is healthy, and how it differs from the record of its deployment."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils._conditions import State
from ansible_collections.llm_d.orchestrator.plugins.module_utils._discovery_compare import (
    differs,
    is_built_in,
    patch_of,
    same_after,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._drift import (
    SCALERS,
    Key,
    changes,
    key_of,
    owned_extra,
    rival_routes,
    scaled_by,
    stray_pods,
    unscaled,
    without_masked,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inventory import HELM_OBJECTS, Inventory
from ansible_collections.llm_d.orchestrator.plugins.module_utils._readiness import Readiness
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import (
    COMPONENT_LABEL,
    MANAGED_LABEL,
    Release,
    manifest_objects,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rollback_records import (
    Records,
    recorded_routes,
    time_of,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._status_releases import (
    Expected,
    from_cluster,
    from_record,
    recorded_manifest,
    release_row,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._teardown_run import Sweep
from ansible_collections.llm_d.orchestrator.plugins.module_utils._watch import Watches

Object = dict[str, t.Any]

GATEWAY_API = "gateway.networking.k8s.io/v1"
OURS = f"{MANAGED_LABEL}=true"
POOL = "InferencePool"


class Status:
    """One look at the namespaces of a stack. It changes nothing."""

    def __init__(self, cluster: Cluster, namespaces: list[str], folder: str) -> None:
        """namespaces: the stack's, then its Gateway's; folder: RECORDS/CLUSTER of this machine."""
        self.cluster, self.namespaces = cluster, list(dict.fromkeys(namespaces))
        self.records = Records(cluster, namespaces[0], folder)
        self.unseen = self.records.unseen
        self.inventory = Inventory(cluster)
        self.watches = Watches(cluster)
        self.record: Object = self.records.newest_good() or {}
        stack = self.record.get("stack") or {}
        gateway = (stack.get("gateway") or {}).get("namespace")
        if gateway and gateway not in self.namespaces:
            self.namespaces.append(gateway)

    def run(self) -> Object:
        """Return the module's result; raise OrchestratorError where the releases cannot be read."""
        try:
            return self._run()
        finally:
            self.watches.close()

    def _run(self) -> Object:
        releases = {(name, place): one for place in self.namespaces for name, one in self._releases(place).items()}
        expected = from_record(self.record) if self.record else from_cluster(releases)
        rows = [release_row(one, releases.get(one.key), bool(self.record)) for one in expected]
        rows += self._added_releases(expected, releases)
        wanted = self._objects(expected, releases)
        routes = [(item, "httproute", "") for item in self._routes()]
        rows += self._judged([*wanted, *routes])
        rows += self._added([item for item, _c, _r in wanted], [item for item, _c, _r in routes], releases)
        return self._result(rows)

    def _releases(self, namespace: str) -> dict[str, Release]:
        try:
            return self.inventory.releases(namespace)
        except OrchestratorError as exc:
            if namespace == self.namespaces[0]:
                raise
            self.unseen.append(f"Helm releases in {namespace}: {exc.message}")
            return {}

    def _added_releases(self, expected: list[Expected], releases: dict[tuple[str, str], Release]) -> list[Object]:
        known = {one.key for one in expected}
        found = [one for key, one in sorted(releases.items()) if one.managed and key not in known]
        return [
            row("Helm release", one.namespace, one.name, one.labels.get(COMPONENT_LABEL) or "", one.name,
                State(one.status == "deployed", one.status), "added", "the record does not have it")
            for one in found
        ]  # fmt: skip

    def _objects(
        self, expected: list[Expected], releases: dict[tuple[str, str], Release]
    ) -> list[tuple[Object, str, str]]:
        """Return the objects as they were deployed, each with component and release."""
        found = []
        for one in expected:
            current = releases.get(one.key)
            manifest = recorded_manifest(self.cluster, one, current)
            if manifest is None:
                self.unseen.append(f"objects of {one.name}: Helm has no manifest of revision {one.revision} any more")
                continue
            found += [(item, one.component, one.name) for item in self.inventory.scoped(manifest, one.namespace)]
        return found

    def _routes(self) -> list[Object]:
        """Return the routes as deployed: the record's, else those with our label."""
        if self.record:
            return recorded_routes(self.record)
        return self._list(GATEWAY_API, "HTTPRoute", self.namespaces[0], OURS)

    def _list(self, api_version: str, kind: str, namespace: str, selector: str | None = None) -> list[Object]:
        try:
            if self.cluster.resource(api_version, kind) is None:
                return []
            return self.cluster.list(api_version, kind, namespace, selector)
        except OrchestratorError as exc:
            self.unseen.append(f"{kind}s in {namespace}: {exc.message}")
            return []

    def _judged(self, wanted: list[tuple[Object, str, str]]) -> list[Object]:
        """Return a row for each object that was deployed."""
        items = [item for item, _component, _release in wanted]
        gateway = (self.record.get("stack") or {}).get("gateway") or {}
        named = {key_of(item) for item in items}
        if gateway.get("name") and ("Gateway", gateway.get("namespace") or "", gateway["name"]) not in named:
            # One of others: its state counts, not its content.
            metadata = {"name": gateway["name"], "namespace": gateway.get("namespace") or self.namespaces[0]}
            item = {"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": metadata}
            wanted, items = [*wanted, (item, "gateway", "")], [*items, item]
        scalers = [one for kind, api in SCALERS.items() for place in self.namespaces[:1]
                   for one in self._list(api, kind, place)]  # fmt: skip
        scaled = scaled_by(scalers)
        readiness = Readiness(self.cluster, self.watches, fail_fast=False, grace=0)
        readiness.follow(items)
        self.inventory.live.preload(items)
        self.watches.synced(time.monotonic() + 20)
        return [self._row(item, component, release, readiness, scaled) for item, component, release in wanted]

    def _row(self, item: Object, component: str, release: str, readiness: Readiness, scaled: set[Key]) -> Object:
        kind, namespace, name = key_of(item)
        try:
            live = self.inventory.live.find(item)
        except OrchestratorError as exc:
            self.unseen.append(f"{kind} {name}: {exc.message}")
            return row(kind, namespace, name, component, release, None)
        if live is None:
            return row(kind, namespace, name, component, release, State(False, "it is not there"), "deleted")
        state = pool_state(live) if kind == POOL else readiness.judge(item)
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

    def _added(self, items: list[Object], routes: list[Object], releases: dict) -> list[Object]:
        """Return rows of what nobody deployed: with our labels or releases' names, in our pools, on our routes."""
        known = {key_of(item) for item in (*items, *routes)}
        for one in releases.values():
            # What a later revision brought is told by the release's own row.
            known |= {key_of(item) for item in manifest_objects(one.manifest, one.namespace)}
        ours = {key for key, one in releases.items() if one.managed}
        sweep = Sweep(self.cluster, self.inventory)
        found = sweep.objects(self.namespaces, HELM_OBJECTS) + sweep.objects(self.namespaces, OURS)
        rows = [self._extra(item, "nothing deployed has it") for item in owned_extra(found, known, ours)]
        pools = [live for item in items if item["kind"] == POOL and (live := self._live(item))]
        pods = self._list("v1", "Pod", self.namespaces[0]) if pools else []
        rows += [self._extra(pod, "a pool picks it, and no controller made it") for pod in stray_pods(pods, pools)]
        others = self._list(GATEWAY_API, "HTTPRoute", self.namespaces[0]) if routes else []
        seen = {(one["kind"], one["namespace"], one["name"]) for one in rows}
        rivals = [item for item in rival_routes(others, routes) if key_of(item) not in seen]
        return rows + [self._extra(item, "it takes requests of the deployed routes or pools") for item in rivals]

    def _live(self, item: Object) -> Object | None:
        try:
            return self.inventory.live.find(item)
        except OrchestratorError as exc:
            self.unseen.append(f"{item['kind']} {item['metadata']['name']}: {exc.message}")
            return None

    @staticmethod
    def _extra(item: Object, why: str) -> Object:
        kind, namespace, name = key_of(item)
        component = (item["metadata"].get("labels") or {}).get(COMPONENT_LABEL) or ""
        return row(kind, namespace, name, component, "", State(True), "added", why)

    def _result(self, rows: list[Object]) -> Object:
        newest: Object = self.records.rows[0] if self.records.rows else {}
        chosen = time_of(self.record) if self.record else ""
        facts = ("started", "outcome", "by", "cluster")
        deployed = {key: self.record.get(key) for key in facts} | {"time": chosen} if self.record else {}
        if self.record:
            models = (self.record.get("stack") or {}).get("models") or []
            deployed["models"] = [model.get("name") for model in models]
        judged = [one for one in rows if one["drift"] != "added"]
        return {
            "namespace": self.namespaces[0],
            "deployed": bool(judged),
            "record": deployed,
            "last": newest,
            "healthy": bool(judged) and all(one["ready"] is not False for one in judged),
            "drifted": any(one["drift"] for one in rows),
            "rows": rows,
            "unseen": list(dict.fromkeys(self.unseen)),
        }


def row(
    kind: str,
    namespace: str,
    name: str,
    component: str,
    release: str,
    state: State | None,
    drift: str = "",
    detail: str = "",
) -> Object:
    """Return one row of the result; state None: it may not be read."""
    return {
        "component": component,
        "release": release,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "ready": state.ready if state else None,
        "state": (state.text or "ready") if state else "not readable",
        "drift": drift,
        "detail": detail,
    }


def pool_state(live: Object) -> State:
    """Return an InferencePool's state: a parent that does not accept it is bad, one that says nothing is not."""
    status = live.get("status") or {}
    for parent in [*(status.get("parents") or []), *(status.get("parent") or [])]:
        for found in parent.get("conditions") or []:
            if found.get("type") in ("Accepted", "ResolvedRefs") and found.get("status") == "False":
                return State(False, f"{found['type']}=False {found.get('reason') or ''}: {found.get('message') or ''}")
    return State(True)
