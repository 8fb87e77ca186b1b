# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Claims for devices: that they, their classes and enough devices are there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.agree.claims import asks_for_devices
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check

from rules.world import World

POD = "spec.template.spec"
CLASS = {
    "metadata": {"name": "gpu.example.com"},
    "spec": {"selectors": [{"cel": {"expression": 'device.driver == "gpu.example.com"'}}]},
}
CEL = CLASS | {"spec": {"selectors": [{"cel": {"expression": 'device.attributes["x"].y > 1'}}]}}


def template(request: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    spec = {"spec": {"devices": {"requests": [{"name": "gpu", **request}]}}}
    metadata = {"name": "gpu-claim", "namespace": "demo"}
    return {
        "apiVersion": f"resource.k8s.io/{version}",
        "kind": "ResourceClaimTemplate",
        "metadata": metadata,
        "spec": spec,
    }


def exactly(**more: Any) -> dict[str, Any]:
    return {"exactly": {"deviceClassName": "gpu.example.com", **more}}


def slices(devices: int, generation: int = 1, name: str = "one") -> dict[str, Any]:
    pool = {"name": "node", "generation": generation}
    spec = {"driver": "gpu.example.com", "pool": pool, "devices": [{"name": f"d{n}"} for n in range(devices)]}
    return {"metadata": {"name": name}, "spec": spec}


def world(*planned: dict[str, Any], **objects: list[dict[str, Any]]) -> World:
    made = World().set("modelservice", 0, "spec.replicas", 2)
    made.set("modelservice", 0, f"{POD}.resourceClaims", [{"name": "gpu", "resourceClaimTemplateName": "gpu-claim"}])
    made.manifests["modelservice"] += planned
    made.facts = RuleFacts(objects=objects)
    return made


def allocated(name: str, pod: str, namespace: str = "demo", devices: int = 1) -> dict[str, Any]:
    """Return the claim of a pod that has its devices."""
    results = [{"driver": "gpu.example.com", "pool": "node", "device": f"d{n}"} for n in range(devices)]
    metadata = {"name": name, "namespace": namespace, "ownerReferences": [{"kind": "Pod", "name": pod}]}
    return {"metadata": metadata, "spec": {}, "status": {"allocation": {"devices": {"results": results}}}}


KNOWN: dict[str, list[dict[str, Any]]] = {"DeviceClass": [CLASS], "ResourceSlice": [slices(2)]}
CASES: list[tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]], str, str]] = [
    ([template(exactly())], {}, "", ""),
    ([template(exactly())], KNOWN, "", ""),
    ([], {"ResourceClaimTemplate": []}, "LLMD608", "ResourceClaimTemplate gpu-claim not found"),
    ([template(exactly())], {"DeviceClass": []}, "LLMD609", "it has none"),
    ([template(exactly(deviceClassName="gpu.exmple.com"))], KNOWN, "LLMD609", "it has gpu.example.com"),
    ([template({"deviceClassName": "other.example.com"}, "v1beta1")], KNOWN, "LLMD609", "other.example.com"),
    (
        [template({"firstAvailable": [{"deviceClassName": "a"}, {"deviceClassName": "gpu.example.com"}]})],
        KNOWN,
        "",
        "",
    ),
    ([template(exactly(count=2))], KNOWN, "LLMD710", "claim 4 devices of driver gpu.example.com"),
    ([template(exactly(allocationMode="All"))], KNOWN, "", ""),
    ([template(exactly())], KNOWN | {"ResourceSlice": [slices(1)]}, "LLMD710", "have 1"),
    ([template(exactly())], KNOWN | {"ResourceSlice": []}, "LLMD710", "run the driver"),
    ([template(exactly())], KNOWN | {"ResourceSlice": [slices(2), slices(1, 2, "new")]}, "LLMD710", "have 1"),
    (
        [template(exactly())],
        KNOWN | {"ResourceClaim": [allocated("c", "batch-0", "other")]},
        "LLMD710",
        "have 2, of which 1 are in use by others",
    ),
    ([template(exactly())], KNOWN | {"ResourceClaim": [allocated("c", "chat-decode-5d7f-x2x9z", devices=2)]}, "", ""),
    ([template(exactly())], KNOWN | {"ResourceClaim": [allocated("c", "batch-0", devices=0)]}, "", ""),
    ([template(exactly(count=9))], KNOWN | {"DeviceClass": [CEL]}, "", ""),
]


@pytest.mark.parametrize(("planned", "objects", "rule", "named"), CASES)
def test_what_is_claimed_is_there(planned: list, objects: dict[str, list], rule: str, named: str) -> None:
    found = {one.rule: f"{one.message} {one.hint}" for one in check(world(*planned, **objects).model())}
    assert set(found) == ({rule} if rule else set()), found
    assert not rule or named in found[rule]


def test_the_cluster_is_asked_about_devices_only_where_pods_claim_some() -> None:
    plain, claiming = World(), world()
    assert not any(asks_for_devices(body) for items in plain.manifests.values() for body in items)
    assert any(asks_for_devices(body) for items in claiming.manifests.values() for body in items)
    pod = {"resourceClaims": [{"name": "gpu"}]}
    assert asks_for_devices({"spec": {"leaderWorkerTemplate": {"workerTemplate": {"spec": pod}}}})
