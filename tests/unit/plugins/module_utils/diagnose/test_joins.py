# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where all conditions are green, a request decides, and the plan's rules on live objects say what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Asked
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.rules_joins import _PLAN, JOINS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import screen

from diagnose.failures import accepted, gateway, gateway_class, pool
from diagnose.world import NS, Object, evidence, item, pod, state

READY = [{"type": "Ready", "status": "True"}]
POOL = ("InferencePool", NS, "pool")
GROUP = "inference.networking.k8s.io"


def answered(served: bool | None, status: int = 200) -> Any:
    """What sends a request, and the answer."""
    return lambda: [Asked(POOL, served, f"POST /v1/completions gave: {status}", status)]


def stack(picker_args: tuple[str, ...] = (), mode: str | None = "SIMPLE") -> list[Object]:
    """A model behind a Gateway of Istio; mode: of the DestinationRule for its picker, None for no such rule."""
    args = ["--pool-name", "pool", *picker_args]
    container = {"name": "epp", "image": "epp:v1", "args": args, "ports": [{"name": "grpc", "containerPort": 9002}]}
    spec = {"containers": [container]}
    choosing = pod(
        "epp-1", state("epp", running=True, ready=True), phase="Running", conditions=READY, spec=spec, owner="epp"
    )
    server = {"name": "vllm", "image": "vllm:v1", "args": ["--model", "acme", "--port", "8000"]}
    serving = pod(
        "web-1", state(running=True, ready=True), phase="Running", conditions=READY, spec={"containers": [server]}
    )
    for body in (choosing, serving):
        del body["metadata"]["ownerReferences"]
    behind = pool({"app": "web"}, parents=[{"parentRef": {"kind": "Gateway", "name": "gw"}}])
    behind["apiVersion"] = f"{GROUP}/v1"
    route = accepted()
    route["spec"]["parentRefs"] = route["status"]["parents"][0]["parentRef"] = [{"name": "gw"}]
    route["status"]["parents"][0]["parentRef"] = {"name": "gw"}
    route["spec"]["rules"][0]["backendRefs"][0]["group"] = GROUP
    front = gateway({"type": "Accepted", "status": "True"}, {"type": "Programmed", "status": "True"})
    front["spec"]["listeners"] = [{"name": "default", "port": 80, "protocol": "HTTP"}]
    classed = gateway_class()
    classed["spec"]["controllerName"] = "istio.io/gateway-controller"
    service = item("Service", "epp", spec={"selector": {"app": "epp"}, "ports": [{"port": 9002}]})
    found = [behind, route, front, classed, service, choosing, serving]
    if mode is not None:
        policy = {"host": f"epp.{NS}.svc.cluster.local", "trafficPolicy": {"tls": {"mode": mode}}}
        found.append(item("DestinationRule", "epp", spec=policy))
    return found


def causes(objects: list[Object], ask: Any = None) -> list[Object]:
    """The causes; DestinationRules were read."""
    found = evidence(*objects)
    found.lists.setdefault("DestinationRule", [])
    return diagnose(found, ask=ask)["causes"]


def ids(objects: list[Object], ask: Any = None) -> list[tuple[str, str]]:
    return [(cause["id"], cause["severity"]) for cause in causes(objects, ask)]


def test_a_stack_that_answers_is_well() -> None:
    assert causes(stack(), answered(True)) == []
    result = diagnose(evidence(*stack()), ask=answered(True))
    assert "nothing is wrong" in screen(result)[0] and "1 pool answered a request" in screen(result)[0]


def test_nothing_is_never_wrong_while_requests_fail() -> None:
    (cause,) = causes(stack(), answered(False, 500))
    assert (cause["id"], cause["severity"]) == ("DIAG951", "error")
    assert cause["evidence"] == ["POST /v1/completions gave: 500"]
    assert "could not reach the picker" in cause["remedy"]


@pytest.mark.parametrize("ask", [None, answered(None, 401)])
def test_where_no_request_was_answered_that_is_said(ask: Any) -> None:
    result = diagnose(evidence(*stack()), ask=ask)
    lines = "\n".join(screen(result))
    assert result["causes"] == [] and "nothing is wrong" not in lines
    assert ("none was sent to 1 pool" if ask is None else "gave: 401") in lines


@pytest.mark.parametrize(
    ("args", "mode", "says"),
    [
        ((), None, "it has no DestinationRule"),
        ((), "DISABLE", "tls.mode none"),
        (("--secure-serving=false",), "SIMPLE", "speaks plain gRPC"),
    ],
)
def test_tls_that_picker_and_gateway_do_not_agree_on(args: tuple[str, ...], mode: str | None, says: str) -> None:
    (cause,) = causes(stack(args, mode), answered(False, 500))
    assert (cause["id"], cause["severity"]) == ("DIAG741", "error")
    assert says in cause["evidence"][0] and "gave: 500" in cause["evidence"][0]
    # Where the request is answered, the rule is of another namespace, or the Gateway does it by itself.
    assert ids(stack(args, mode), answered(True)) == []
    assert ids(stack(args, mode)) == [("DIAG741", "warning")]


def test_tls_that_agrees_is_no_cause() -> None:
    assert ids(stack(("--secure-serving=false",), None), answered(False, 500)) == [("DIAG951", "error")]


def broken(rule: str) -> list[Object]:
    """A stack that breaks a rule of the plan, which no condition shows."""
    objects = stack()
    _pool, route, _front, _class, service, choosing, _serving, _destination = objects
    first = route["spec"]["rules"][0]
    if rule == "LLMD207":
        first["backendRefs"][0]["port"] = 9000
    if rule == "LLMD209":
        first["matches"] = [{"headers": [{"name": "x-gateway-model-name", "value": "other"}]}]
    if rule == "LLMD212":
        other = copy.deepcopy(route)
        other["metadata"] |= {"name": "r2", "uid": "r2"}
        objects.append(other)
    if rule == "LLMD216":
        first["matches"] = [{"path": {"type": "PathPrefix", "value": "/acme"}}]
    if rule == "LLMD112":
        service["spec"]["ports"][0]["targetPort"] = 9003
        choosing["spec"]["containers"][0]["ports"] = []
    if rule == "LLMD503":
        sidecar = {"name": "routing-proxy", "image": "p:v1", "args": ["--port=8000", "--vllm-port=8300"]}
        objects[6]["spec"]["initContainers"] = [{**sidecar, "restartPolicy": "Always"}]
    return objects


@pytest.mark.parametrize("rule", _PLAN)
def test_rules_of_the_plan_say_what_is_wrong_with_live_objects(rule: str) -> None:
    assert rule in {one.id for one in JOINS}
    found = causes(broken(rule), answered(False, 500))
    assert [(cause["id"], cause["severity"]) for cause in found] == [(rule, "error")], json.dumps(found, indent=1)
    assert "gave: 500" in found[0]["evidence"][0]
    assert ids(broken(rule), answered(True)) == []
