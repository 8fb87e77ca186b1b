# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""From a request at the gateway to a pod's answer: what serves, and what does not, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from plane_objects import (
    Lab,
    gateway,
    gateway_class,
    listener,
    model_pod,
    obj,
    picker_pod,
    pool,
    pool_ref,
    route,
    rule,
    service,
)


def test_a_good_stack_serves() -> None:
    lab = Lab()
    reply = lab.complete()
    answer = json.loads(reply.body)
    assert reply.status == 200
    assert (answer["object"], answer["model"], answer["usage"]["completion_tokens"]) == ("text_completion", "m", 4)
    assert lab.served("model-0") == 1


def _tls_rule(mode: str) -> dict[str, Any]:
    spec = {"host": "pool-epp.demo.svc.cluster.local", "trafficPolicy": {"tls": {"mode": mode}}}
    return obj("DestinationRule", "dr", api="networking.istio.io/v1", spec=spec)


BAD_STACKS: list[tuple[str, dict[str, Any], int, str]] = [
    ("wrong label", {"pool": pool(selector={"app": "other"})}, 503, "no ready endpoint"),
    ("no ready pod", {"model_pod": model_pod(ready=False)}, 503, "no ready endpoint"),
    ("no pod", {"model_pod": None}, 503, "no ready endpoint"),
    ("wrong target port", {"pool": pool(port=8001)}, 503, "does not listen"),
    ("server on another port", {"model_pod": model_pod(port=8200)}, 503, "does not listen"),
    ("wrong pool in the route", {"route": route(rules=[rule(pool_ref("pol"))])}, 500, "BackendNotFound"),
    ("wrong parent", {"route": route(parent={"name": "gateway"})}, 404, "no route"),
    ("wrong section", {"route": route(parent={"name": "gw", "sectionName": "x"})}, 404, "no route"),
    ("no route", {"route": None}, 404, "no route"),
    ("wrong path", {"route": route(rules=[rule(pool_ref(), path="/other")])}, 404, "no route"),
    ("wrong host name", {"route": route(spec={"hostnames": ["a.example"]})}, 404, "no route"),
    ("old group", {"route": route(rules=[rule(pool_ref(group="inference.networking.x-k8s.io"))])}, 500, "InvalidKind"),
    ("picker pod missing", {"picker_pod": None}, 500, "no ready pod"),
    ("picker pod not ready", {"picker_pod": picker_pod(ready=False)}, 500, "no ready pod"),
    ("picker Service missing", {"picker_service": None}, 500, "does not exist"),
    (
        "picker Service port",
        {"pool": pool(port=8000) | {}, "picker_service": service("pool-epp", {"epp": "pool"}, 9003)},
        500,
        "has no port",
    ),
    (
        "picker Service target",
        {"picker_service": service("pool-epp", {"epp": "pool"}, 9002, targetPort=9999)},
        500,
        "does not listen",
    ),
    (
        "picker Service selector",
        {"picker_service": service("pool-epp", {"app": "model"}, 9002, targetPort=8000)},
        500,
        "not an endpoint picker",
    ),
    ("picker of another pool", {"picker_pod": picker_pod("other", labelled="pool")}, 500, "works for pool"),
    ("picker of another namespace", {"picker_pod": picker_pod(namespace="else")}, 500, "works for pool"),
    (
        "picker TLS unknown to Istio",
        {"unrelated": obj("DestinationRule", "x", api="networking.istio.io/v1", spec={})},
        500,
        "DestinationRule",
    ),
    ("picker TLS off", {"dr": _tls_rule("DISABLE")}, 500, "DestinationRule"),
    ("weight 0", {"route": route(rules=[rule(pool_ref(weight=0))])}, 500, "no backend"),
]


@pytest.mark.parametrize(("parts", "status", "note"), [case[1:] for case in BAD_STACKS], ids=[c[0] for c in BAD_STACKS])
def test_what_would_not_serve_does_not(parts: dict[str, Any], status: int, note: str) -> None:
    lab = Lab(**parts)
    lab.snapshot.served.add("DestinationRule") if any(
        p and p["kind"] == "DestinationRule" for p in parts.values()
    ) else None
    reply = lab.complete()
    assert (reply.status, note in reply.note) == (status, True), reply.note


def test_istio_serves_with_the_destination_rule() -> None:
    lab = Lab(dr=_tls_rule("SIMPLE"))
    lab.snapshot.served.add("DestinationRule")
    assert lab.complete().status == 200


def test_kgateway_needs_no_destination_rule() -> None:
    lab = Lab(gateway_class=gateway_class("istio", "kgateway.dev/kgateway"))
    lab.snapshot.served.add("DestinationRule")
    assert lab.complete().status == 200


def test_fail_open_serves_without_a_picker() -> None:
    assert Lab(picker_pod=None, pool=pool(failureMode="FailOpen")).complete().status == 200


def test_wrong_model_name_is_vllms_404() -> None:
    reply = Lab().complete("other")
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["message"]) == (404, "The model `other` does not exist.")
    assert (error["type"], error["code"]) == ("NotFoundError", 404)


def test_a_pod_that_does_not_listen_fails_some_requests() -> None:
    lab = Lab(second=model_pod("model-1", port=8200))
    assert sorted(lab.complete().status for _unused in range(4)) == [200, 200, 503, 503]


def test_endpoints_take_turns() -> None:
    lab = Lab(second=model_pod("model-1"))
    assert [lab.complete().status for _unused in range(4)] == [200] * 4
    assert (lab.served("model-0"), lab.served("model-1")) == (2, 2)


def test_pods_of_other_namespaces_do_not_count() -> None:
    alien = model_pod("model-1")
    alien["metadata"]["namespace"] = "else"
    assert Lab(model_pod=None, alien=alien).complete().status == 503


def test_rewrite_and_two_models() -> None:
    def prefixed(name: str) -> dict[str, Any]:
        change = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
        one = rule(pool_ref(name), path=f"/{name}", filters=[{"type": "URLRewrite", "urlRewrite": change}])
        return route(f"route-{name}", [one])

    lab = Lab(
        route=prefixed("pool"),
        route_b=prefixed("b"),
        pool_b=pool("b", {"app": "b"}),
        picker_service_b=service("b-epp", {"epp": "b"}, 9002),
        picker_pod_b=picker_pod("b"),
        model_b=model_pod("b-0", "b-model", labels={"app": "b"}),
    )
    assert lab.complete("m", "/pool/v1/completions").status == 200
    assert lab.complete("b-model", "/b/v1/completions").status == 200
    assert lab.complete("m", "/b/v1/completions").status == 404
    assert lab.complete("m", "/v1/completions").status == 404
    assert (lab.served("model-0"), lab.served("b-0")) == (1, 1)


def _same_rule_names(controller: str) -> Lab:
    """Two models behind one Gateway, both served as `m`, their routes' rules with one name."""
    return Lab(
        gateway_class=gateway_class("istio", controller),
        route=route("a", [rule(pool_ref(), path="/v1", name="llm")], spec={"hostnames": ["a.example"]}),
        route_b=route(
            "b",
            [rule(pool_ref("b"), path="/v1", name="llm")],
            spec={"hostnames": ["b.example"]},
            created="2026-01-02T00:00:00Z",
        ),
        pool_b=pool("b", {"app": "b"}),
        picker_service_b=service("b-epp", {"epp": "b"}, 9002),
        picker_pod_b=picker_pod("b"),
        model_b=model_pod("b-0", "m", labels={"app": "b"}),
    )


@pytest.mark.parametrize(("controller", "asked"), [("istio.io/gateway-controller", 0), ("kgateway.dev/kgateway", 1)])
def test_istio_finds_pickers_by_the_names_of_rules(controller: str, asked: int) -> None:
    lab = _same_rule_names(controller)
    body = {"model": "m", "prompt": "x"}
    notes = {host: lab.call("POST", "/v1/completions", body, host=f"{host}.example").note for host in ("a", "b")}
    # Each model answers for itself; the older rule's picker is not asked.
    assert (lab.served("model-0"), lab.served("b-0")) == (1, 1)
    assert (lab.asked("pool"), lab.asked("b")) == (asked, 2 - asked)
    assert ("without its picker" in notes["a"]) is not bool(asked) and "without" not in notes["b"]


def test_narrowest_listener_takes_the_host() -> None:
    lab = Lab(
        gateway=gateway(listeners=[listener("any"), listener("a", hostname="a.example")]),
        route=route(parent={"name": "gw", "sectionName": "any"}),
    )
    assert lab.call("GET", "/v1/models", host="b.example").status == 200
    assert lab.call("GET", "/v1/models", host="a.example:8080").status == 404


def test_service_backend() -> None:
    backend = rule({"name": "svc", "port": 80})
    lab = Lab(route=route(rules=[backend]), svc=service("svc", {"app": "model"}, 80, targetPort=8000))
    assert lab.complete().status == 200
    wrong = Lab(route=route(rules=[rule({"name": "svc", "port": 81})]), svc=service("svc", {"app": "model"}, 80))
    assert wrong.complete().status == 500


def test_timeout() -> None:
    slow = model_pod(image="x/llm-d-inference-sim:1")
    slow["spec"]["containers"][0]["args"] += ["--time-to-first-token", "200"]
    lab = Lab(model_pod=slow, route=route(rules=[rule(pool_ref(), timeouts={"request": "20ms"})]))
    assert lab.complete().status == 504
    assert (
        Lab(model_pod=slow, route=route(rules=[rule(pool_ref(), timeouts={"request": "0s"})])).complete().status == 200
    )
