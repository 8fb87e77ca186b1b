# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the objects of a stack say, as tables of one change each to a stack that is right."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import pools as objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify import conditions, pods, routes
from verify import world as pw


def checks(stack, spec):
    gateway = stack["gateways"][0]
    found = [
        pods.check_pods(spec, stack),
        pods.check_selector(spec, stack),
        pods.check_ports(spec, stack),
        conditions.check_picker(spec, stack),
        conditions.check_gateway(spec, gateway),
        conditions.check_route(spec, stack, gateway),
        conditions.check_pool(spec, stack, gateway),
    ]
    return {check.name: check for check in found if check is not None}


def unready(stack):
    stack["pods"][0] = pw.pod("ms-a-0", pw.model_labels("a"), ready=False, containerStatuses=[
        {"name": "vllm", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
         "lastState": {"terminated": {"reason": "OOMKilled"}}}])  # fmt: skip


def unscheduled(stack):
    stack["pods"][0] = pw.pod("ms-a-0", pw.model_labels("a"), ready=False)
    stack["pods"][0]["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient nvidia.com/gpu"}
    )


def fewer(stack):
    labels = {"llm-d.ai/model": "a"}
    stack["workloads"] = [{"spec": {"replicas": 3, "template": {"metadata": {"labels": labels}}}}]


def group(stack):
    template = {"metadata": {"labels": {"llm-d.ai/model": "a"}}}
    stack["workloads"] = [{"spec": {"replicas": 1, "leaderWorkerTemplate": {"size": 2, "workerTemplate": template}}}]


def shared(stack):
    stack["pools"][0]["spec"]["selector"]["matchLabels"] = {"llm-d.ai/inference-serving": "true"}


def spelling(stack):
    stack["pools"][0]["spec"]["selector"]["matchLabels"] = {"llm-d.ai/inferenceServing": "true"}


def no_pool(stack):
    stack["pools"] = stack["pools"][1:]


def port(stack):
    stack["pools"][0]["spec"]["targetPorts"] = [{"number": 8200}]


def argument(stack):
    stack["pods"][0] = pw.pod("ms-a-0", pw.model_labels("a"), args=["--port", "9000"])


def no_picker(stack):
    stack["services"] = [item for item in stack["services"] if item["metadata"]["name"] != "gaie-a-epp"]


def picker_port(stack):
    stack["pools"][0]["spec"]["endpointPickerRef"]["port"] = {"number": 9003}


def picker_down(stack):
    stack["pods"] = [item for item in stack["pods"] if item["metadata"]["name"] != "gaie-a-epp-0"]


def unprogrammed(stack):
    stack["gateways"][0]["status"]["conditions"] = pw.conditions(Accepted="True", Programmed="False")


def no_route(stack):
    stack["routes"] = stack["routes"][1:]


def route_elsewhere(stack):
    stack["routes"][0]["spec"]["parentRefs"] = [{"name": "other"}]
    stack["routes"][0]["status"]["parents"] = []


def unresolved(stack):
    stack["routes"][0]["status"]["parents"] = [pw.parent(Accepted="True", ResolvedRefs="False")]


def pool_refused(stack):
    stack["pools"][0]["status"]["parents"] = [pw.parent(Accepted="False")]


TABLE = [
    (unready, "pods", "CrashLoopBackOff back-off, last exited with OOMKilled"),
    (unscheduled, "pods", "Unschedulable: Insufficient nvidia.com/gpu"),
    (fewer, "pods", "1 of 3 pods are ready"),
    (group, "pods", "1 of 2 pods are ready"),
    (shared, "selector", "also selects pods of something else: ms-b-0"),
    (spelling, "selector", "selects 0 pods"),
    (no_pool, "selector", "InferencePool gaie-a does not exist; available: gaie-b"),
    (port, "ports", "sends to port 8200, but pod ms-a-0 listens on 8000"),
    (argument, "ports", "sends to port 8000, but pod ms-a-0 listens on 9000"),
    (no_picker, "endpoint_picker", "Service gaie-a-epp, does not exist"),
    (picker_port, "endpoint_picker", "used on port 9003"),
    (picker_down, "endpoint_picker", "has no ready pod: it has no pod"),
    (unprogrammed, "gateway", "Programmed=False"),
    (no_route, "route", "no HTTPRoute refers to gaie-a; available: llm-d-b to gaie-b"),
    (route_elsewhere, "route", "has no status for Gateway gw; its parents are other"),
    (unresolved, "route", "ResolvedRefs=False"),
    (pool_refused, "pool", "Accepted=False"),
]


@pytest.mark.parametrize(("change", "name", "text"), TABLE, ids=[row[0].__name__ for row in TABLE])
def test_one_change_one_finding(change, name, text):
    stack = pw.snapshot("a", "b")
    change(stack)
    found = checks(stack, pw.spec("a"))
    assert not found[name].ok and text in found[name].detail and found[name].hint
    others = {"unready": {"selector"}, "unscheduled": {"selector"}, "no_pool": set()}.get(change.__name__, set())
    assert {check.name for check in found.values() if not check.ok} == {name} | others


def test_a_stack_that_is_right():
    stack = pw.snapshot("a", "b", prefill=1)
    assert all(check.ok for check in checks(stack, pw.spec("a")).values())
    assert len(checks(stack, pw.spec("a"))) == 7


def test_a_pool_without_parents_claims_nothing():
    stack = pw.snapshot("a")
    del stack["pools"][0]["status"]
    assert checks(stack, pw.spec("a"))["pool"].ok


def test_without_labels_and_pool_names():
    stack = pw.snapshot("a", "b")
    assert all(check.ok for check in checks(stack, {"name": "a", "model": "org/a"}).values())
    assert checks(stack, {"name": "zzz", "model": "org/a", "labels": {"llm-d.ai/model": "a"}})["route"].ok


def test_pods_that_do_not_count():
    stack = pw.snapshot("a")
    stack["pods"].append(pw.pod("evicted", pw.model_labels("a"), ready=False, phase="Failed"))
    gone = pw.pod("gone", pw.model_labels("a"), ready=False)
    gone["metadata"]["deletionTimestamp"] = "2026-11-21T08:30:00Z"
    stack["pods"].append(gone)
    worker = pw.pod("worker", {**pw.model_labels("a"), objects.WORKER_LABEL: "1"}, port=1)
    stack["pods"].append(worker)
    assert all(check.ok for check in checks(stack, pw.spec("a")).values())


@pytest.mark.parametrize(
    ("container", "ports"),
    [
        ({"args": ["--port=8200"], "ports": [{"containerPort": 8000}]}, {8200}),
        ({"command": ["sh", "-c", "vllm serve x --port 8200 --vllm-port 1"]}, {8200}),
        ({"args": ["--metrics-port", "9090"], "ports": [{"containerPort": 8000}]}, {8000}),
        ({}, set()),
    ],
)
def test_listening_ports(container, ports):
    assert objects.listening_ports({"spec": {"containers": [container]}}) == ports


def test_a_sidecar_listens_too():
    sidecar = {"restartPolicy": "Always", "args": ["--port=8000"]}
    pod = {"spec": {"containers": [{"args": ["--port", "8200"]}], "initContainers": [sidecar, {"args": ["--port=1"]}]}}
    assert objects.listening_ports(pod) == {8000, 8200}


def test_alpha_pools():
    spec = {"selector": {"app": "x"}, "targetPortNumber": 8000, "extensionRef": {"name": "epp", "portNumber": 9002}}
    assert objects.pool_selector({"spec": spec}) == {"app": "x"}
    assert objects.pool_ports({"spec": spec}) == [8000]
    assert objects.pool_picker({"spec": spec}) == ("epp", 9002)


def test_which_gateway():
    stack = pw.snapshot("a")
    stack["gateways"].append(pw.gateway("other"))
    assert routes.find_gateway(stack, None, "llm-d")["metadata"]["name"] == "gw"
    assert routes.find_gateway(stack, "other", "llm-d")["metadata"]["name"] == "other"
    for name, routed in (("nix", stack["routes"]), (None, [])):
        with pytest.raises(OrchestratorError, match="verify_gateway"):
            routes.find_gateway({**stack, "routes": routed}, name, "llm-d")


def test_the_way_through_the_service():
    stack = pw.snapshot("a")
    gateway = stack["gateways"][0]
    service = routes.find_service(gateway, stack["services"])
    assert service["metadata"]["name"] == "gw-istio"
    assert routes.forward_target(service, 80, stack["pods"]) == ("gw-istio-0", 8080)
    assert routes.forward_target(service, 81, stack["pods"]) is None
    assert routes.forward_target(service, 80, []) is None


def test_a_service_by_label_or_owner_goes_before_one_by_name():
    gateway = pw.gateway()
    named, labelled, owned = (pw.service(name, [], {"a": "b"}) for name in ("gw", "x", "y"))
    labelled["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "gw"}
    owned["metadata"]["ownerReferences"] = [{"kind": "Gateway", "name": "gw"}]
    assert routes.find_service(gateway, [named, labelled]) is labelled
    assert routes.find_service(gateway, [named, labelled, owned]) is owned
    assert routes.find_service(gateway, []) is None


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [(None, None), (["gw.llm-d.svc.cluster.local"], None), (["gw.llm-d.svc.cluster.local", "10.0.0.1"], "10.0.0.1")],
)
def test_addresses_from_outside(addresses, expected):
    status = {"addresses": [{"value": value} for value in addresses or []]}
    assert routes.gateway_address({"status": status if addresses else {}}) == expected


@pytest.mark.parametrize(
    ("spec", "match", "hostnames", "expected"),
    [
        ({"path_prefix": "/a/"}, {}, [], ("/a", {})),
        ({}, {"path": {"type": "PathPrefix", "value": "/a"}}, [], ("/a", {})),
        ({}, {"path": {"value": "/"}}, ["*.example.com"], ("", {"Host": "probe.example.com"})),
        ({}, {"path": {"type": "PathPrefix", "value": "/v1/completions"}}, [], ("", {})),
        (
            {"hostname": "h"},
            {"headers": [{"name": "X-Model", "value": "a"}]},
            ["i"],
            ("", {"Host": "h", "X-Model": "a"}),
        ),
    ],
)
def test_the_request_that_a_route_takes(spec, match, hostnames, expected):
    assert routes.request_of(spec, {"matches": [match]}, {"spec": {"hostnames": hostnames}}) == expected


def test_the_listener_that_a_route_names():
    gateway = pw.gateway()
    gateway["spec"]["listeners"] = [
        {"name": "tls", "port": 443, "protocol": "HTTPS"},
        {"name": "web", "port": 80, "protocol": "HTTP"},
        {"name": "alt", "port": 8080, "protocol": "HTTP"},
    ]
    route = pw.route("r", "p", "/")
    assert routes.listener_for(gateway, route)["name"] == "web"
    route["spec"]["parentRefs"] = [{"name": "gw", "sectionName": "tls"}]
    assert routes.listener_for(gateway, route)["name"] == "tls"
    route["spec"]["parentRefs"] = [{"name": "gw", "port": 8080}]
    assert routes.listener_for(gateway, route)["name"] == "alt"
