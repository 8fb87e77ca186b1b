# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is right about roles, devices and labels, and was taken for a mistake; and roles of KV connectors."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.servers import servers
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check

from rules.world import World

POD = "spec.template.spec.containers.0"
FILTERS = """
plugins: [{{type: {0}-filter}}, {{type: decode-filter}}, {{type: disagg-profile-handler}}]
schedulingProfiles:
  - {{name: {0}, plugins: [{{pluginRef: {0}-filter}}]}}
  - {{name: decode, plugins: [{{pluginRef: decode-filter}}]}}
"""


def parted(plugins: str, prefill: dict[str, Any] | None = None, decode: dict[str, Any] | None = None) -> World:
    """Return a stack with such a picker configuration, and with prefill pods where their connector is given."""
    world = World()
    picker = world.manifests["gaie"][2]["spec"]["template"]["spec"]
    picker["containers"][0]["image"] = "ghcr.io/llm-d/llm-d-inference-scheduler:v0.8.0"
    picker["containers"][0]["args"].append("--config-file=/config/mine.yaml")
    picker["containers"][0]["volumeMounts"] = [{"name": "config", "mountPath": "/config"}]
    picker["volumes"] = [{"name": "config", "configMap": {"name": "plugins"}}]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plugins", "namespace": "demo"}}
    world.manifests["gaie"].append({**config, "data": {"mine.yaml": plugins}})
    if prefill:
        servers_of = {"decode": world.manifests["modelservice"][0]}
        servers_of["prefill"] = copy.deepcopy(servers_of["decode"])
        for role, settings in (("prefill", prefill), ("decode", decode or prefill)):
            body = servers_of[role]
            body["metadata"]["name"] = f"chat-{role}"
            body["spec"]["template"]["metadata"]["labels"]["llm-d.ai/role"] = role
            body["spec"]["template"]["spec"]["containers"][0]["args"] += ["--kv-transfer-config", json.dumps(settings)]
        sidecar = {"name": "routing-proxy", "args": ["--port=8000", "--vllm-port=8200"], "restartPolicy": "Always"}
        decoder = servers_of["decode"]["spec"]["template"]["spec"]
        decoder["containers"][0]["args"][2] = "--port=8200"
        decoder["initContainers"] = [sidecar]
        world.manifests["modelservice"].append(servers_of["prefill"])
    return world


@pytest.mark.parametrize(("first", "rules"), [("encode", []), ("prefill", ["LLMD501"])])
def test_a_picker_parts_prefill_where_a_profile_takes_it(first: str, rules: list[str]) -> None:
    assert [one.rule for one in check(parted(FILTERS.format(first)).model())] == rules


ALIKE = "plugins: [{type: queue-scorer}]\nschedulingProfiles: [{name: default, plugins: [{pluginRef: queue-scorer}]}]"


@pytest.mark.parametrize(("name", "rules"), [("llm-d-cuda:v0.5.1", ["LLMD531"]), ("llm-d-inference-sim:v0.5.1", [])])
def test_pods_of_a_simulator_may_be_taken_alike(name: str, rules: list[str]) -> None:
    world = parted(ALIKE, BOTH)
    for index in (0, 1):
        world.set("modelservice", index, f"{POD}.image", f"ghcr.io/llm-d/{name}")
        world.manifests["modelservice"][index]["spec"]["template"]["spec"]["containers"][0].pop("command", None)
    assert [one.rule for one in check(world.model()) if one.rule == "LLMD531"] == rules


PRODUCER, CONSUMER = "kv_producer", "kv_consumer"
BOTH = {"kv_connector": "P2pNcclConnector", "kv_role": "kv_both"}


@pytest.mark.parametrize(
    ("connector", "prefill", "decode", "rules"),
    [
        ("P2pNcclConnector", PRODUCER, CONSUMER, []),
        ("P2pNcclConnector", "kv_both", "kv_both", []),
        ("P2pNcclConnector", CONSUMER, PRODUCER, ["LLMD533", "LLMD533"]),
        ("P2pNcclConnector", PRODUCER, PRODUCER, ["LLMD533"]),
    ],
)
def test_producers_prefill_and_consumers_decode(connector: str, prefill: str, decode: str, rules: list[str]) -> None:
    pair = [{"kv_connector": connector, "kv_role": role} for role in (prefill, decode)]
    found = check(parted(FILTERS.format("prefill"), *pair).model())
    assert [one.rule for one in found] == rules, found


@pytest.mark.parametrize(
    ("prefill", "decode", "rules"),
    [
        (["prefill", "nixl"], ["decode", "nixl"], []),
        (["prefill", ""], ["decode", "mooncake"], []),
        (["prefill", "nixl"], ["decode", ""], ["LLMD532"]),
        (["decode", "nixl"], ["decode", "nixl"], ["LLMD533"]),
        (["", "nixl"], ["decode", "nixl"], ["LLMD533"]),
    ],
)
def test_servers_of_sglang_agree(prefill: list[str], decode: list[str], rules: list[str]) -> None:
    world = parted(FILTERS.format("prefill"), BOTH)
    for index, (mode, backend) in enumerate((decode, prefill)):
        port = world.manifests["modelservice"][index]["spec"]["template"]["spec"]["containers"][0]["args"][2]
        given = [f"--disaggregation-mode={mode}"] if mode else []
        given += [f"--disaggregation-transfer-backend={backend}"] if backend else []
        world.set("modelservice", index, f"{POD}.image", "lmsysorg/sglang:v0.5.9")
        world.set("modelservice", index, f"{POD}.command", ["python3", "-m", "sglang.launch_server"])
        world.set("modelservice", index, f"{POD}.args", ["--model-path", "org/chat", port, *given])
    assert [one.rule for one in check(world.model()) if one.rule in ("LLMD532", "LLMD533")] == rules


def test_the_roles_of_nixl_mean_nothing() -> None:
    pair = [{"kv_connector": "NixlConnector", "kv_role": role} for role in (CONSUMER, PRODUCER)]
    world = parted(FILTERS.format("prefill"), *pair)
    host = [{"name": "VLLM_NIXL_SIDE_CHANNEL_HOST", "value": "pod"}]
    for index in (0, 1):
        world.set("modelservice", index, f"{POD}.env", host)
    assert check(world.model()) == []


def test_several_connectors_may_have_one_in_common() -> None:
    connectors = [BOTH, {**BOTH, "kv_connector": "LMCacheConnectorV1"}]
    several = {**BOTH, "kv_connector": "MultiConnector", "kv_connector_extra_config": {"connectors": connectors}}
    assert check(parted(FILTERS.format("prefill"), several, BOTH).model()) == []


def tpu(devices: int, label: str) -> World:
    world = World().set("modelservice", 0, f"{POD}.resources", {"limits": {"google.com/tpu": devices}})
    world.set("modelservice", 0, f"{POD}.args", ["--model", "org/chat", "--port=8000", "--tensor-parallel-size=8"])
    labels = {"cloud.google.com/gke-tpu-accelerator": label} if label else {}
    return world.set("modelservice", 0, "spec.template.spec.nodeSelector", labels)


@pytest.mark.parametrize(
    ("devices", "label", "rules"),
    [
        (4, "tpu7x", []),
        (8, "tpu7x", ["LLMD507"]),
        (4, "tpu-v6e-slice", ["LLMD506"]),
        (8, "tpu-v6e-slice", []),
        (4, "", []),
        (2, "", ["LLMD506"]),
    ],
)
def test_a_chip_may_be_two_devices(devices: int, label: str, rules: list[str]) -> None:
    assert [one.rule for one in check(tpu(devices, label).model())] == rules


def test_a_probe_may_ask_the_sidecar_before_the_server() -> None:
    world = parted(FILTERS.format("prefill"), BOTH)
    for port, rules in ((8000, []), (8200, []), (9000, ["LLMD510"])):
        world.set("modelservice", 0, f"{POD}.startupProbe", {"httpGet": {"path": "/v1/models", "port": port}})
        assert [one.rule for one in check(world.model())] == rules


GROUP = """
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: chat-decode, namespace: demo}
spec: {replicas: 1, leaderWorkerTemplate: {size: 2}}
"""
INDEX = "leaderworkerset.sigs.k8s.io/worker-index"


@pytest.mark.parametrize(
    ("label", "value", "rules"),
    [
        (INDEX, "0", []),
        (INDEX, "2", ["LLMD101"]),
        (INDEX, "leader", ["LLMD101"]),
        ("leaderworkerset.sigs.k8s.io/name", "chat-decode", []),
        ("leaderworkerset.sigs.k8s.io/name", "other", ["LLMD101"]),
        ("leaderworkerset.sigs.k8s.io/group-index", "0", []),
        ("pod-template-hash", "abc", ["LLMD101"]),
        ("llm-d.ai/role", "decode", []),
    ],
)
def test_a_selector_may_ask_for_labels_that_controllers_set(label: str, value: str, rules: list[str]) -> None:
    world, group = World(), yaml.safe_load(GROUP)
    template = world.manifests["modelservice"][0]["spec"]["template"]
    group["spec"]["leaderWorkerTemplate"]["workerTemplate"] = template
    world.manifests["modelservice"] = [group]
    world.manifests["gaie"][0]["spec"]["selector"]["matchLabels"][label] = value
    assert [one.rule for one in check(world.model())] == rules


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("vllm serve org/chat --data-parallel-size $((LWS_GROUP_SIZE * DP_SIZE_LOCAL))", "16"),
        ("vllm serve org/chat --data-parallel-size $(( $LWS_GROUP_SIZE*8/4 ))", "4"),
        ("vllm serve org/chat --data-parallel-size $((UNKNOWN * 2))", None),
        ("vllm serve org/chat --data-parallel-size $((LWS_GROUP_SIZE + 1))", None),
    ],
)
def test_products_in_scripts_are_worked_out(script: str, expected: str | None) -> None:
    container = {"name": "vllm", "image": "vllm:1", "command": ["sh", "-c"], "args": [script]}
    container["env"] = [{"name": "DP_SIZE_LOCAL", "value": "8"}]  # type: ignore[assignment]
    models, _sidecars = servers({"containers": [container]}, "demo", 2)
    given = models[0].line[models[0].line.index("--data-parallel-size") + 1]
    assert (given if given.isdigit() else None) == expected


def test_a_chart_may_name_an_image_that_moves() -> None:
    world, image = parted(FILTERS.format("prefill"), BOTH), "sidecar:latest"
    world.set("modelservice", 0, "spec.template.spec.initContainers.0.image", image)
    assert check(world.model()) == []
    world.facts = RuleFacts(chart_values={"modelservice": {"routing": {"proxy": {"image": image}}}})
    found = check(world.model())
    assert [(one.rule, one.severity) for one in found] == [("LLMD513", "warning")]
    assert "routing.proxy.image" in found[0].keys[0]
