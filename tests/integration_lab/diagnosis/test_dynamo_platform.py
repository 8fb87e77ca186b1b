# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Causes for which nothing becomes of Dynamo's graphs, or models are not found, made on the lab; each is named."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.gather import Gatherer
from dynamo_cases import Case, cases, operators, webhook
from graphs_there import GRAPH, GRAPH_API, defined, graph, remove, rendered
from kubernetes.client.exceptions import ApiException
from plane_client import Lab, eventually

Object = dict[str, Any]
PREFIX, PATIENCE = f"dynamo-{secrets.token_hex(2)}-", 60.0
CASES = cases(PREFIX)
LATE, HANGING = f"{PREFIX}late", "hanging"
# Of what has only just been made, and consequences of what is named.
NOT_YET = ("DIAG414", "DIAG998", "DIAG999")
WEBHOOKS = [webhook(LATE, LATE), webhook(LATE, f"{PREFIX}gone")]


def plant(lab: Lab, namespace: str, case: Case) -> None:
    for item in operators(namespace, case):
        item["metadata"].setdefault("namespace", namespace)
        lab.apply(item)
    if case.at_once:
        lab.apply(*case.objects)


def run(lab: Lab, namespace: str, case: Case) -> None:
    """Wait for a case's operators, then apply its objects."""
    for release in case.platform if not case.at_once else ():
        labels = f"control-plane=controller-manager,app.kubernetes.io/instance={release}"
        eventually(lambda labels=labels: lab.pods(namespace, labels), PATIENCE)
    if not case.at_once:
        lab.apply(*case.objects)


@pytest.fixture(scope="module")
def planted(lab: Lab) -> Iterator[Cluster]:
    """All cases, side by side, with the definitions of 0.5."""
    with defined(lab, rendered("dynamo-crds", "default")):
        yield from put_up(lab)


def put_up(lab: Lab) -> Iterator[Cluster]:
    graphs = lab.resource
    try:
        for namespace in CASES:
            lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for namespace, case in CASES.items():
            eventually(lambda home=namespace: lab.get("v1", "ServiceAccount", home, "default"), PATIENCE)
            plant(lab, namespace, case)
        for namespace, case in CASES.items():
            run(lab, namespace, case)
        graphs(GRAPH_API, GRAPH).delete(name=HANGING, namespace=f"{PREFIX}nobody", body={})
        eventually(lambda: (lab.get(GRAPH_API, GRAPH, LATE, "lost") or {}).get("status"), PATIENCE)
        lab.apply(*WEBHOOKS)
        yield Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})
    finally:
        for hook in WEBHOOKS:
            lab.delete(hook)
        graphs(GRAPH_API, GRAPH).patch(
            name=HANGING,
            namespace=f"{PREFIX}nobody",
            body={"metadata": {"finalizers": None}},
            content_type="application/merge-patch+json",
        )
        for namespace in CASES:
            remove(lab, namespace)
            lab.core.delete_namespace(namespace)


@pytest.mark.parametrize("namespace", list(CASES), ids=[name.removeprefix(PREFIX) for name in CASES])
def test_the_causes_are_named(planted: Cluster, namespace: str) -> None:
    wanted = CASES[namespace].causes

    def named() -> dict[str, str] | None:
        gatherer = Gatherer(planted, namespace)
        causes = diagnose(gatherer.run(), gatherer.secrets)["causes"]
        found.clear()
        found.update({one["id"]: str(one["evidence"]) for one in causes if one["id"] not in NOT_YET})
        return found if set(found) == set(wanted) else None

    found: dict[str, str] = {}
    try:
        eventually(named, PATIENCE)
    except AssertionError:
        assert set(found) == set(wanted), found
    assert [rule for rule, text in wanted.items() if text not in found[rule]] == [], found


def test_the_api_server_refuses_what_goes_through_such_a_webhook(planted: Cluster, lab: Lab) -> None:
    with pytest.raises(ApiException, match=r"failed calling webhook .*vdynamographdeployment\.kb\.io"):
        lab.resource(GRAPH_API, GRAPH).create(body=graph(LATE, "refused"), namespace=LATE)
