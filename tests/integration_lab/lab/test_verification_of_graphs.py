# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What verification finds behind a frontend that is Ready and healthy, and names each model that is asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import graphs_there as make
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.frontends import probe_frontends
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import Options
from plane_client import Lab, eventually

GRAPH = "nvidia.com/dynamo-graph-deployment-name"
READY = 240.0
CRD = "dynamographdeployments.nvidia.com"


def ready(lab: Lab, namespace: str, **graphs: int) -> None:
    """Wait until each graph has that many Ready pods."""
    for name, count in graphs.items():
        eventually(lambda name=name, count=count: len(lab.pods(namespace, f"{GRAPH}={name}")) == count, READY)


def verify(namespace: str, **options: Any) -> Callable[..., dict[str, Any]]:
    """Return a function that verifies models behind the frontend of a namespace."""
    cluster = Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})

    def go(**models: bool) -> dict[str, Any]:
        given = Options(namespace, timeout=options.get("timeout", 20.0))
        told = make.told(namespace, **models)
        return probe_frontends(cluster, given, [told], lambda *_args, **_facts: None)[0]

    return go


def checks(result: dict[str, Any], model: str) -> dict[str, Any]:
    """The checks of a model by name."""
    return {row["name"]: row for row in result["checks"] if row["model"] == model}


@pytest.fixture(scope="module")
def space(lab: Lab, new_namespace: Callable[[], str]) -> Iterator[str]:
    """A namespace with an operator, and a frontend that sees all; a and b share a Dynamo namespace."""
    namespace = new_namespace()
    make.platform(lab, namespace)
    shared = f"{namespace}-shared"
    eventually(lambda: lab.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", CRD), READY)
    lab.apply(
        make.frontend(namespace),
        make.model(namespace, "a", shared),
        make.model(namespace, "b", shared),
        make.model(namespace, "c", f"{namespace}-c", prefill=True),
    )
    ready(lab, namespace, **{make.FRONTEND: 1}, a=1, b=1, c=2)
    yield namespace
    make.remove(lab, namespace)


def test_a_model_with_an_endpoint_of_its_own(space: str) -> None:
    begin = time.monotonic()
    result = verify(space)(c=True)
    assert result["failures"] == [] and result["notes"] == []
    assert checks(result, "c")["prefill"]["detail"].startswith("prefill took part: c-vllmprefillworker-")
    assert checks(result, "c")["chat"]["ok"]
    assert time.monotonic() - begin < 5


def test_models_that_share_an_endpoint_answer_for_each_other(space: str) -> None:
    result = verify(space)(a=False, b=False, c=True)
    for name, other in (("a", "b"), ("b", "a")):
        row = checks(result, name)
        assert row["completion"]["ok"] and row["model_list"]["ok"]
        assert row["served_by"]["level"] == "failed"
        assert f"(model {other}) served" in row["served_by"]["detail"]
        assert f"register in Dynamo namespace {space}-shared" in row["served_by"]["detail"]
    assert checks(result, "c")["served_by"]["ok"]


def test_a_stranger_at_the_endpoint_is_named(space: str) -> None:
    row = checks(verify(space)(a=False), "a")["served_by"]
    assert row["level"] == "failed" and "(graph b) served" in row["detail"]


def test_a_frontend_that_looks_elsewhere(lab: Lab, space: str) -> None:
    own = make.frontend(space, f"{space}-own")
    own["metadata"]["name"] = "lone"
    lab.apply(own)
    ready(lab, space, lone=1)
    told = {**make.told(space, c=True), "name": "lone", "service": "lone-frontend"}
    cluster = Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})
    (result,) = probe_frontends(cluster, Options(space, timeout=20.0), [told], lambda *_args, **_facts: None)
    row = checks(result, "c")
    assert not row["completion"]["ok"] and row["pods"]["ok"]
    assert f"looks for workers only in Dynamo namespace {space}-own" in row["model_list"]["detail"]
    assert "dynamoNamespace: dynamo" in row["model_list"]["hint"]
