# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The serving plane in a running lab: what would not serve in production does not serve here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import plane_stack as make
import pytest
from plane_client import Answer, Lab, eventually, parent_verdicts, verdicts
from plane_stack import GATEWAY_API, POOL_API

GOOD = {"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs"}

REFUSED = {**GOOD, "Accepted": "False/HTTPRouteNotAccepted"}


class Case(NamedTuple):
    """What is wrong with one stack, what a completion then gets, and the conditions of its route and pool."""

    name: str
    status: int
    route: list[dict[str, str]] = [GOOD]
    pool: list[dict[str, str]] | None = [GOOD]


CASES = (
    Case("good", 200),
    Case("wrong-label", 503),
    Case("wrong-port", 503),
    Case("server-port", 503),
    Case("wrong-pool", 500, [{**GOOD, "ResolvedRefs": "False/BackendNotFound"}], []),
    Case("wrong-kind", 500, [{**GOOD, "ResolvedRefs": "False/InvalidKind"}], []),
    Case("wrong-parent", 404, [], []),
    Case("wrong-section", 404, [{**GOOD, "Accepted": "False/NoMatchingParent"}], [REFUSED]),
    Case("no-grant", 500, [{**GOOD, "ResolvedRefs": "False/RefNotPermitted"}], None),
    Case("grant", 200, [GOOD], None),
    Case("epp-missing", 500, [GOOD], [{**GOOD, "ResolvedRefs": "False/InvalidExtensionRef"}]),
    Case("epp-no-pod", 500),
    Case("epp-other-pool", 500),
    Case("epp-no-tls-rule", 500),
    Case("pd", 200),
    Case("pd-vllm-port", 502),
    Case("pd-prefill-port", 200),
    Case("pd-prefill-port-old", 502),
)  # fmt: skip


class Stacks(NamedTuple):
    """Where the cases run."""

    lab: Lab
    namespace: str
    gateway_pod: str

    def ask(self, name: str, path: str = "/v1/completions", model: str | None = None, **body: Any) -> Answer:
        """A completion through the Gateway under a case's prefix."""
        wanted = {"model": model or f"{name}-model", "prompt": "hello", "max_tokens": 3, **body}
        return self.lab.http(self.namespace, self.gateway_pod, 80, "POST", f"/{name}{path}", wanted)

    def served(self, pod: str, port: int = 8000) -> float:
        """How many requests a pod's own counters show."""
        text = self.lab.http(self.namespace, pod, port, "GET", "/metrics").body.decode()
        return sum(float(value) for value in re.findall(r"^vllm:request_success_total\{.*\} (\S+)$", text, re.M))


def _objects(ns: str, other: str, case: str) -> list[dict[str, Any]]:
    """The objects of one case: a good stack, but for what its name says."""
    labels = {"app": case}
    home = other if case in ("grant", "no-grant") else ns
    found = [make.model(home, case, labels, port=8001 if case == "server-port" else 8000)]
    found += make.picker(home, case, "good" if case == "epp-other-pool" else None)
    dropped = {"epp-missing": "Service", "epp-no-pod": "Pod", "epp-no-tls-rule": "DestinationRule"}.get(case)
    found = [item for item in found if item["kind"] != dropped or not item["metadata"]["name"].endswith("-epp")]
    selector = {"app": "nobody"} if case == "wrong-label" else labels
    found.append(make.pool(home, case, selector, port=8002 if case == "wrong-port" else 8000))
    parent = {"wrong-parent": {"name": "nobody"}, "wrong-section": {"sectionName": "nobody"}}.get(case)
    extra = {"namespace": other} if home == other else {}
    if case == "wrong-kind":
        extra = {"group": "inference.networking.x-k8s.io"}
    return [*found, make.route(ns, case, "nobody" if case == "wrong-pool" else case, parent, extra)]


def _prefill_decode(ns: str, case: str) -> list[dict[str, Any]]:
    """A stack with a decode pod behind its routing sidecar, and a prefill pod."""
    version = "v0.5.1" if case.endswith("-old") else "v0.6.0"
    side = make.sidecar(8000, 8300 if case == "pd-vllm-port" else 8200, version)
    decode = {"app": case, "llm-d.ai/role": "decode"}
    prefill = make.model(
        ns, f"{case}-prefill", {"app": case, "llm-d.ai/role": "prefill"}, 8200 if "prefill-port" in case else 8000
    )
    args = prefill["spec"]["containers"][0]["args"]
    args[1] = args[5] = f"{case}-model"
    found = [make.model(ns, case, decode, 8200, initContainers=[side]), prefill, *make.picker(ns, case)]
    return [*found, make.pool(ns, case, {"app": case}), make.route(ns, case, case)]


def _grant(ns: str, other: str) -> dict[str, Any]:
    source = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": ns}
    to = {"group": make.POOL_GROUP, "kind": "InferencePool", "name": "grant"}
    return make.obj(
        "gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "grant", other, spec={"from": [source], "to": [to]}
    )


@pytest.fixture(scope="module")
def stacks(lab: Lab, new_namespace: Callable[[], str]) -> Stacks:
    """All cases, side by side behind one Gateway, once their pods are ready."""
    ns, other = new_namespace(), new_namespace()
    lab.apply(make.gateway(ns), _grant(ns, other))
    for case in CASES:
        built = _prefill_decode(ns, case.name) if case.name.startswith("pd") else _objects(ns, other, case.name)
        lab.apply(*built)
    for namespace in (ns, other):
        count = len(lab.core.list_namespaced_pod(namespace).items)
        eventually(lambda ns=namespace, n=count: len(lab.pods(ns, "")) >= n)
    (pod,) = eventually(lambda: lab.pods(ns, f"gateway.networking.k8s.io/gateway-name={make.GATEWAY}"))
    found = Stacks(lab, ns, pod)
    eventually(lambda: found.ask("good").status == 200)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_completion(stacks: Stacks, case: Case) -> None:
    assert eventually(lambda: stacks.ask(case.name).status == case.status, 3)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_conditions(stacks: Stacks, case: Case) -> None:
    route = stacks.lab.get(GATEWAY_API, "HTTPRoute", stacks.namespace, case.name)
    assert parent_verdicts(route) == case.route
    if case.pool is not None:
        pool = stacks.lab.get(POOL_API, "InferencePool", stacks.namespace, case.name)
        assert parent_verdicts(pool) == case.pool


def test_answer_is_of_the_model_and_counted_by_its_pod(stacks: Stacks) -> None:
    before = stacks.served("good")
    answer = stacks.ask("good").json()
    assert (answer["model"], answer["object"]) == ("good-model", "text_completion")
    assert stacks.served("good") == before + 1


def test_wrong_model_name(stacks: Stacks) -> None:
    answer = stacks.ask("good", model="other")
    assert (answer.status, answer.json()["error"]["message"]) == (404, "The model `other` does not exist.")


def test_no_route(stacks: Stacks) -> None:
    assert stacks.lab.http(stacks.namespace, stacks.gateway_pod, 80, "GET", "/v1/models").status == 404


def test_streaming(stacks: Stacks) -> None:
    chat = [{"role": "user", "content": "hi"}]
    answer = stacks.ask("good", "/v1/chat/completions", stream=True, messages=chat)
    assert answer.status == 200
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_prefill_pods_take_part(stacks: Stacks) -> None:
    before = stacks.served("pd", 8200), stacks.served("pd-prefill")
    assert stacks.ask("pd").status == 200
    assert (stacks.served("pd", 8200), stacks.served("pd-prefill")) == (before[0] + 1, before[1] + 1)


def test_closed_port_of_a_pod_fails(stacks: Stacks) -> None:
    with pytest.raises(Exception, match="8001|not found|closed|reset|status|Broken pipe"):
        stacks.lab.http(stacks.namespace, "good", 8001, "GET", "/v1/models")


def test_endpoint_picker_goes_down_and_comes_back(stacks: Stacks) -> None:
    picker = make.picker(stacks.namespace, "good")[0]
    stacks.lab.delete(picker)
    eventually(lambda: stacks.ask("good").status == 500, 3)
    stacks.lab.apply(picker)
    eventually(lambda: stacks.ask("good").status == 200)


def test_gateway_follows_its_service(stacks: Stacks) -> None:
    lab, ns = stacks.lab, stacks.namespace

    def programmed(name: str) -> tuple[str, list[Any]]:
        status = lab.get(GATEWAY_API, "Gateway", ns, name)["status"]
        return verdicts(status["conditions"])["Programmed"], status.get("addresses") or []

    host = {"type": "Hostname", "value": f"gw-istio.{ns}.svc.cluster.local"}
    assert programmed("gw") == ("True/Programmed", [host])
    lab.apply(make.gateway(ns, "lb", service_type=None))
    eventually(lambda: programmed("lb")[0] in ("False/AddressNotAssigned", "True/Programmed"), 2)
    lab.apply(make.gateway(ns, "alien", class_name="nobody"))
    lab.delete(make.gateway(ns, "lb"))
    assert "True" not in programmed("alien")[0]
    eventually(lambda: lab.get("apps/v1", "Deployment", ns, "lb-istio") is None)


def test_users_objects_stay_free_of_marks(stacks: Stacks) -> None:
    for kind, api in (("Gateway", GATEWAY_API), ("HTTPRoute", GATEWAY_API), ("InferencePool", POOL_API)):
        meta = stacks.lab.get(api, kind, stacks.namespace, "gw" if kind == "Gateway" else "good")["metadata"]
        assert not meta.get("finalizers")
        assert not any("kopf" in name for name in meta.get("annotations") or {})
