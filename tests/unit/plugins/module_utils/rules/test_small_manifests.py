# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The consistency rules on small manifests: what charts do not render, what is live, and input that makes no sense."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.reader import load_yaml, to_plain

from rules.world import World

DECODE, POD = "spec.template", "spec.template.spec.containers.0"
ALPHA = {
    "targetPortNumber": 8000,
    "selector": {"app": "chat"},
    "extensionRef": {"name": "pool-epp", "portNumber": 9002},
}
GRANT = {
    "kind": "ReferenceGrant",
    "apiVersion": "gateway.networking.k8s.io/v1beta1",
    "metadata": {"name": "g", "namespace": "demo"},
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "web"}],
        "to": [{"group": "inference.networking.k8s.io", "kind": "InferencePool"}],
    },
}


def shown(found: list[Finding]) -> str:
    return "\n".join(f"{item.rule} {item.message} -> {item.hint}" for item in found)


def test_the_correct_stack_has_no_findings() -> None:
    found = check(World().model())
    assert found == [], shown(found)


# (component, manifest, path, value), rule, words that name it
MISTAKES = [
    (("gaie", 0, "spec.endpointPickerRef.name", "pool-eep"), "LLMD110", "Did you mean pool-epp"),
    (("gaie", 1, "metadata.name", "epp"), "LLMD110", "Service demo/epp"),
    (("gaie", 0, "spec.endpointPickerRef.port.number", 9003), "LLMD111", "9003"),
    (("gaie", 1, "spec.selector.app", "x"), "LLMD112", "selects no endpoint picker"),
    (("gaie", 1, "spec.ports.0.targetPort", "metrics"), "LLMD112", "metrics"),
    (("gaie", 2, f"{POD}.args.0", "--pool-name=other"), "LLMD113", "demo/other"),
    (("gaie", 0, "spec.selector.matchLabels", {"app": "chat", "tier": "gpu"}), "LLMD101", "tier"),
    (("gaie", 0, "spec.selector.matchLabels", {}), "LLMD101", "empty"),
    (("gaie", 0, "spec.targetPorts", [{"number": 8000}, {"number": 8001}]), "LLMD104", "8001"),
    (("modelservice", 0, f"{POD}.args", ["--model", "org/chat", "--port=$(PORT)"]), "LLMD807", "$(PORT)"),
    (("modelservice", 0, f"{POD}.args.2", "--port=8001"), "LLMD104", "8001"),
    (("modelservice", 0, f"{POD}.args.1", "org/Chat"), "LLMD209", "org/Chat"),
    (("routes", 0, "spec.hostnames", ["chat.example.org"]), "LLMD204", "*.example.com"),
    (("routes", 0, "spec.hostnames", ["example.com"]), "LLMD204", "example.com"),
    (("routes", 0, "spec.rules.0.backendRefs.0.port", None), "", ""),
    (("routes", 0, "spec.rules.0.backendRefs.0.group", ""), "LLMD206", "(core)"),
    (
        ("routes", 0, "spec.rules.0.matches.0.headers", [{"name": "X-Gateway-Model-Name", "value": "org/x"}]),
        "LLMD209",
        "'org/x'",
    ),
    (("routes", 0, "spec.rules.0.matches.0.path", {"type": "Exact", "value": "/v1/chat"}), "LLMD215", "/v1/chat"),
    (("routes", 0, "spec.rules.0.matches.0.path", {"type": "PathPrefix", "value": "/v1"}), "", ""),
    (("gateway", 0, "spec.listeners.0.allowedRoutes", {"kinds": [{"kind": "GRPCRoute"}]}), "LLMD203", "GRPCRoute"),
    (("gateway", 0, "spec.gatewayClassName", "istio"), "LLMD402", "needs istio"),
    (("gaie", 0, "metadata.name", "Pool"), "LLMD306", "'Pool'"),
    (("gaie", 0, "apiVersion", "inference.networking.x-k8s.io/v1"), "LLMD206", "x-k8s.io"),
]


@pytest.mark.parametrize(("change", "rule", "named"), MISTAKES, ids=[f"{r} {c[2]}" for c, r, _n in MISTAKES])
def test_a_mistake_in_a_manifest_is_named(change: tuple[str, int, str, Any], rule: str, named: str) -> None:
    found = check(World().set(*change).model())
    assert rule in [item.rule for item in found] if rule else found == [], shown(found)
    assert not rule or named in shown([item for item in found if item.rule == rule])


def live(kind: str, name: str, namespace: str = "demo", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, **more}


def stranger() -> dict[str, Any]:
    body: dict[str, Any] = copy.deepcopy(World().manifests["modelservice"][0])
    body["metadata"]["name"] = "older"
    body["spec"]["template"]["spec"]["containers"][0]["args"][1] = "org/older"
    return body


LIVE: list[tuple[str, dict[str, list], str]] = [
    ("a live pod of another model is selected", {"Deployment": [stranger()]}, "LLMD103"),
    (
        "a live route takes the same requests",
        {"HTTPRoute": [copy.deepcopy(World().routes[0]) | live("HTTPRoute", "older")]},
        "LLMD212",
    ),
    ("a class that is not there", {"GatewayClass": []}, "LLMD401"),
    (
        "a class of a controller that needs a DestinationRule",
        {
            "GatewayClass": [
                {"metadata": {"name": "agentgateway"}, "spec": {"controllerName": "istio.io/gateway-controller"}}
            ]
        },
        "LLMD402",
    ),
]


@pytest.mark.parametrize(("_what", "objects", "rule"), LIVE, ids=[what for what, _o, _r in LIVE])
def test_what_is_live_counts(_what: str, objects: dict[str, list], rule: str) -> None:
    world = World()
    world.facts = RuleFacts(objects=objects)
    found = check(world.model())
    assert [item.rule for item in found] == [rule], shown(found)


def test_a_live_object_that_the_release_made_before_is_not_counted() -> None:
    world, old = World(), stranger()
    old["metadata"]["annotations"] = {"meta.helm.sh/release-name": "rel-modelservice"}
    world.facts = RuleFacts(objects={"Deployment": [old]})
    assert check(world.model()) == []


def test_a_gateway_and_a_pool_may_be_live() -> None:
    world = World()
    gateway, pool = world.manifests.pop("gateway"), world.manifests.pop("gaie")
    world.facts = RuleFacts(objects={"Gateway": gateway, "InferencePool": pool[:1]})
    assert check(world.model()) == []
    world.facts = RuleFacts(objects={"Gateway": gateway, "InferencePool": []})
    assert [item.rule for item in check(world.model())] == ["LLMD205"]


def test_the_alpha_pool_is_read_as_well() -> None:
    group = "inference.networking.x-k8s.io"
    world = World().set("gaie", 0, "spec", ALPHA).set("gaie", 0, "apiVersion", f"{group}/v1alpha2")
    world.set("gaie", 2, f"{POD}.args.2", f"--pool-group={group}").set(
        "routes", 0, "spec.rules.0.backendRefs.0.group", group
    )
    assert check(world.model()) == []
    world.set("gaie", 0, "spec.targetPortNumber", 8080).set("routes", 0, "spec.rules.0.backendRefs.0.port", 8080)
    assert [item.rule for item in check(world.model())] == ["LLMD104"]


def test_a_reference_grant_lets_a_route_into_another_namespace() -> None:
    world = (
        World().set("routes", 0, "metadata.namespace", "web").set("routes", 0, "spec.parentRefs.0.namespace", "demo")
    )
    world.set("routes", 0, "spec.rules.0.backendRefs.0.namespace", "demo")
    world.set("gateway", 0, "spec.listeners.0.allowedRoutes.namespaces.from", "All")
    for grants, rules in (([], ["LLMD208"]), ([GRANT], []), ([live("ReferenceGrant", "x")], ["LLMD208"])):
        world.facts = RuleFacts(objects={"ReferenceGrant": grants})
        assert [item.rule for item in check(world.model())] == rules


def test_listeners_that_select_namespaces_by_label() -> None:
    wanted = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "ml"}}}}
    world = World().set("gateway", 0, "spec.listeners.0.allowedRoutes", wanted)
    for labels, rules in (({"team": "ml"}, []), ({"team": "web"}, ["LLMD203"])):
        world.facts = RuleFacts(objects={"Namespace": [{"metadata": {"name": "demo", "labels": labels}}]})
        assert [item.rule for item in check(world.model())] == rules


def test_timeouts_on_gke_and_missing_parameters() -> None:
    world = World().set("gateway", 0, "spec.gatewayClassName", "gke-l7-rilb")
    world.manifests["gaie"].append(
        {"kind": "HealthCheckPolicy", "apiVersion": "networking.gke.io/v1"} | live("", "pool")
    )
    world.manifests["gaie"][-1]["kind"] = "HealthCheckPolicy"
    assert check(world.model()) == []
    world.set("routes", 0, "spec.rules.0.timeouts", {"request": "0s"})
    world.set("gateway", 0, "spec.infrastructure.parametersRef", {"kind": "ConfigMap", "name": "gw", "group": ""})
    world.facts = RuleFacts(objects={"ConfigMap": []})
    assert [item.rule for item in check(world.model())] == ["LLMD211", "LLMD408"]


def test_a_destination_rule_may_come_from_elsewhere() -> None:
    world = World().set("gateway", 0, "spec.gatewayClassName", "istio")
    rule = live("DestinationRule", "mine", spec={"host": "pool-epp.demo.svc.cluster.local"})
    world.manifests["gateway"].append(rule)
    assert check(world.model()) == []
    rule["spec"]["host"] = "other.demo.svc.cluster.local"
    assert [item.rule for item in check(world.model())] == ["LLMD402"]


def test_release_names_are_checked() -> None:
    world = World()
    parts = [RenderedRelease(name, f"{'r' * 50}-{name}", "demo", items) for name, items in world.manifests.items()]
    found = check(build_model(parts, world.routes))
    assert {item.rule for item in found} == {"LLMD305"}
    assert len(found) == 3


def test_a_model_without_a_pool_is_a_warning() -> None:
    world = World()
    idle = copy.deepcopy(world.manifests["modelservice"][0]) | {"metadata": {"name": "idle", "namespace": "demo"}}
    world.manifests["modelservice"].append(idle)
    world.set("modelservice", 1, "spec.template.metadata.labels", {"app": "idle"})
    found = check(world.model())
    assert [(item.rule, item.severity) for item in found] == [("LLMD106", "warning")]


def test_a_finding_names_the_file_and_line_of_a_values_key() -> None:
    text = b"inferencePool:\n  targetPorts: [{number: 8000}]\n  modelServers:\n    matchLabels:\n      app: chatt\n"
    root, _problems = load_yaml(text, "pool.yaml")
    assert root
    world = World().set("gaie", 0, "spec.selector.matchLabels.app", "chatt")
    parts = [RenderedRelease(n, f"rel-{n}", "demo", items) for n, items in world.manifests.items() if n != "gaie"]
    layers = [Layer(to_plain(root), "pool.yaml", root)]
    parts.append(RenderedRelease("gaie", "rel-gaie", "demo", world.manifests["gaie"], layers=layers))
    found = check(build_model(parts, world.routes, world.expected))
    assert [(item.rule, item.mark.file, item.mark.line) for item in found] == [("LLMD101", "pool.yaml", 5)]
    assert found[0].path == "inferencePool.modelServers.matchLabels.app"
    assert found[0].as_dict()["keys"] == [
        "rel-gaie: inferencePool.modelServers.matchLabels.app",
        "rel-modelservice: modelArtifacts.labels.app",
    ]


def test_plain_maps_are_taken_as_components_and_models() -> None:
    world = World()
    parts = [
        {"component": n, "release": f"rel-{n}", "namespace": "demo", "manifests": m, "extra": 1}
        for n, m in world.manifests.items()
    ]
    route = world.routes[0]
    del route["spec"]["parentRefs"]
    models = [{"name": "chat", "model": "org/chat", "release": "rel-modelservice", "pool": "pool", "labels": {}}]
    assert check(build_model(parts, [route], models, route_gateway=("gw", "demo"))) == []
