# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is in the namespaces of a stack and was not deployed with it: added by others, or left over of the stack."""

from __future__ import annotations

import typing as t

from ..base.apis import GATEWAY_API
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL
from ..changes.drift import key_of, owned_extra, rival_routes, stray_pods
from ..cluster.client import Cluster
from ..cluster.sweep import Sweep
from ..helm.deployed import HELM_OBJECTS, HelmRecords
from ..helm.records import Release, manifest_objects
from ..objects.conditions import State
from ..plan.unwanted import HELM_RELEASE, Key, is_unwanted
from .rows import DeployedRelease, row

Releases = dict[tuple[str, str], Release]
OURS = f"{MANAGED_LABEL}=true"
POOL = "InferencePool"
ADDED, LEFTOVER = "added", "leftover"
NOT_IN_IT = "the last deployment does not have it any more"


class ObjectReader:
    """Reads what may be read; unseen has a line for each thing that may not."""

    def __init__(self, cluster: Cluster, inventory: HelmRecords, unseen: list[str]) -> None:
        self.cluster, self.inventory, self.unseen = cluster, inventory, unseen

    def objects(self, api_version: str, kind: str, namespace: str, selector: str | None = None) -> list[Object]:
        """Return objects of a kind, none where they may not be read."""
        try:
            if self.cluster.resource(api_version, kind) is None:
                return []
            return self.cluster.list(api_version, kind, namespace, selector)
        except OrchestratorError as exc:
            self.unseen.append(f"{kind}s in {namespace}: {exc.message}")
            return []

    def live(self, item: Object) -> Object | None:
        """Return the live object of a manifest, None where it is not there or may not be read."""
        try:
            return self.inventory.live.find(item)
        except OrchestratorError as exc:
            self.unseen.append(f"{item['kind']} {item['metadata']['name']}: {exc.message}")
            return None


class Added:
    """Looks for what nobody deployed."""

    def __init__(
        self,
        reader: ObjectReader,
        inventory: HelmRecords,
        namespaces: list[str],
        besides: t.Container[str],
        recorded: t.Container[Key],
    ) -> None:
        """namespaces: the stack's first; besides: components whose objects are not known; recorded: as a record has it.

        What is in a namespace that stacks share and is not in the record may be another stack's.
        """
        self.reader, self.inventory, self.namespaces, self.besides = reader, inventory, namespaces, besides
        self.recorded = recorded

    def releases(self, expected: list[DeployedRelease], releases: Releases) -> list[Object]:
        """Return rows of releases of ours that were not deployed. expected: those that were."""
        known = {one.key for one in expected}
        found = [one for key, one in sorted(releases.items()) if one.managed and key not in known]
        return [
            row(HELM_RELEASE, one.namespace, one.name, one.labels.get(COMPONENT_LABEL) or "", one.name,
                State(one.status == "deployed", one.status), LEFTOVER, NOT_IN_IT)
            for one in found
            if self._counts((HELM_RELEASE, one.namespace, one.name))
        ]  # fmt: skip

    def _counts(self, key: Key) -> bool:
        return key[1] in ("", self.namespaces[0]) or key in self.recorded

    def rows(self, items: list[Object], routes: list[Object], releases: Releases) -> list[Object]:
        """Return rows of what nobody deployed: with our labels or releases' names, in our pools, on our routes."""
        known = {key_of(item) for item in (*items, *routes)}
        for one in releases.values():
            # What a later revision brought is told by the release's own row.
            known |= {key_of(item) for item in manifest_objects(one.manifest, one.namespace)}
        ours = {key for key, one in releases.items() if one.managed}
        sweep = Sweep(self.reader.cluster, self.inventory.discovery)
        found = sweep.objects(self.namespaces, HELM_OBJECTS) + sweep.objects(self.namespaces, OURS)
        rows = [
            extra(item, NOT_IN_IT, LEFTOVER) if is_unwanted(item) else extra(item, "it is not part of the deployment")
            for item in owned_extra(found, known, ours, self.besides)
            if self._counts(key_of(item)) or not is_unwanted(item)
        ]
        pools = [live for item in items if item["kind"] == POOL and (live := self.reader.live(item))]
        pods = self.reader.objects("v1", "Pod", self.namespaces[0]) if pools else []
        rows += [extra(pod, "a pool selects it, but no controller created it") for pod in stray_pods(pods, pools)]
        others = self.reader.objects(GATEWAY_API, "HTTPRoute", self.namespaces[0]) if routes else []
        seen = {(one["kind"], one["namespace"], one["name"]) for one in rows}
        rivals = [item for item in rival_routes(others, routes) if key_of(item) not in seen]
        return rows + [extra(item, "it receives requests of the deployed routes or pools") for item in rivals]


def extra(item: Object, why: str, drift: str = ADDED) -> Object:
    """Return the row of an object that was not deployed."""
    kind, namespace, name = key_of(item)
    component = (item["metadata"].get("labels") or {}).get(COMPONENT_LABEL) or ""
    return row(kind, namespace, name, component, "", State(True), drift, why)
