# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What verification finds on the lab where every condition is true and every answer right, and something is wrong."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from typing import Any

import plane_stack as make
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import Options
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.rounds import probe
from plane_client import Lab, eventually

DECODE, PREFILL = "decode", "prefill"


def stack(namespace: str, name: str, rule: str, *, guarded: bool = False) -> list[dict[str, Any]]:
    """A model behind a pool of another name than ours, with the name of its route's rule."""
    labels = {"app": name}
    picker, *others = make.picker(namespace, name)
    picker["spec"]["containers"][0]["args"] += [] if guarded else ["--metrics-endpoint-auth=false"]
    route = make.route(namespace, name, name)
    route["spec"]["rules"][0]["name"] = rule
    return [make.model(namespace, f"{name}", labels), picker, *others, make.pool(namespace, name, labels), route]


def disaggregated(namespace: str) -> list[dict[str, Any]]:
    """A model whose prefill pod listens on another port than the pool's."""
    labels = {"app": "pd"}
    decode = make.model(
        namespace, "pd", {**labels, "llm-d.ai/role": DECODE}, 8200, initContainers=[make.sidecar(8000, 8200)]
    )
    prefill = make.model(namespace, "pd-prefill", {**labels, "llm-d.ai/role": PREFILL}, 8200)
    args = prefill["spec"]["containers"][0]["args"]
    args[1] = args[5] = "pd-model"
    picker = make.picker(namespace, "pd")
    return [decode, prefill, *picker, make.pool(namespace, "pd", labels), make.route(namespace, "pd", "pd")]


def after(created: str) -> datetime.datetime:
    """Return the second after the one in which an object was made."""
    return datetime.datetime.fromisoformat(created.replace("Z", "+00:00")) + datetime.timedelta(seconds=1)


@pytest.fixture(scope="module")
def verified(lab: Lab, new_namespace: Callable[[], str]) -> dict[str, dict[str, Any]]:
    """The checks of the models, by model and name."""
    namespace = new_namespace()
    lab.apply(
        make.gateway(namespace),
        *stack(namespace, "older", "chat"),
        *stack(namespace, "other", "other", guarded=True),
        *disaggregated(namespace),
    )
    # An object's age is told in whole seconds.
    first = lab.get(make.GATEWAY_API, "HTTPRoute", namespace, "older")["metadata"]["creationTimestamp"]
    eventually(lambda: datetime.datetime.now(datetime.timezone.utc) >= after(first))
    lab.apply(*stack(namespace, "newer", "chat"))
    cluster = Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})
    names = ("older", "newer", "other", "pd")
    specs = [{"name": f"model-{name}", "model": f"{name}-model"} for name in names]

    def served() -> dict[str, Any] | None:
        result = probe(cluster, Options(namespace, timeout=5.0), specs, lambda *_args, **_facts: None)
        ready = all(row["ok"] for row in result["checks"] if (row["model"], row["name"]) == ("model-newer", "pods"))
        return result if ready and all(row["status"] == 200 for row in result["models"]) else None

    result = eventually(served, 60)
    found: dict[str, dict[str, Any]] = {}
    for row in result["checks"]:
        found.setdefault(row["model"].removeprefix("model-"), {})[row["name"]] = row
    return found


def test_pools_are_found_by_what_their_pods_serve(verified: dict[str, dict[str, Any]]) -> None:
    for name, checks in verified.items():
        assert checks["route"]["ok"] and checks["served_by"]["ok"], (name, checks)
        assert f"InferencePool {name} selects" in checks["selector"]["detail"]


def test_of_rules_of_one_name_only_the_newer_ones_picker_is_asked(verified: dict[str, dict[str, Any]]) -> None:
    assert verified["newer"]["own_picker"]["detail"] == "its endpoint picker was used: newer-epp"
    older = verified["older"]["own_picker"]
    assert (older["level"], "newer-epp did" in older["detail"]) == ("failed", True), older


def test_metrics_that_ask_for_a_token_are_no_failure(verified: dict[str, dict[str, Any]]) -> None:
    check = verified["other"]["own_picker"]
    assert check["ok"] and "cannot tell" in check["detail"] and "401" in check["detail"]


def test_decode_that_serves_alone_is_found(verified: dict[str, dict[str, Any]]) -> None:
    check = verified["pd"]["prefill"]
    assert check["level"] == "failed" and "no answer on the port of pod pd-prefill" in check["detail"], check
