# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What verification finds at routers whose controllers are Ready and healthy, and send requests astray."""

from __future__ import annotations

import copy
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import graphs_there as make
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.policies import CLASSES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.policies import probe_routers
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import Options
from plane_client import Lab, eventually

READY = 240.0
MODELS = ("org/a", "org/b")
# KWOK does not pass on that a server closed a connection (pkg/utils/net/tunnel.go), where a kubelet does.
NO_ANSWER = re.compile("closed the connection without an answer|timed out after")


def policies(namespace: str, base: str = "") -> list[dict[str, Any]]:
    """Both policies with all of their classes."""
    base = base or f"http://{make.FRONTEND}-frontend.{namespace}.svc.cluster.local:8000"
    return [
        {
            "name": policy,
            "url": f"http://llm-router-router-server.{namespace}:8000/v2/models/{policy}_ensemble/infer",
            "llms": [
                {"name": name, "api_base": base, "model": MODELS[number % 2]} for number, name in enumerate(names)
            ],
        }
        for policy, names in CLASSES.items()
    ]


def without(rows: list[dict[str, Any]], *dropped: str) -> list[dict[str, Any]]:
    """Policies without some classes."""
    return [{**row, "llms": [llm for llm in row["llms"] if llm["name"] not in dropped]} for row in rows]


class Routers:
    """Routers of one namespace, which differ in what their controllers were given."""

    def __init__(self, space: str) -> None:
        self.space, self.cluster = space, Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})

    def verify(self, case: str, wanted: list[dict[str, Any]]) -> dict[str, Any]:
        """Verify a router against policies."""
        place = {"release": case, "namespace": self.space, "service": f"{case}-llm-router-router-controller"}
        told = {**place, "port": 8084, "policies": wanted}
        options = Options(self.space, timeout=8.0)
        return probe_routers(self.cluster, options, [told], lambda *_args, **_facts: None)[0]

    def failed(self, case: str, wanted: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The checks that failed, by name."""
        return {row["name"]: row for row in self.verify(case, wanted)["checks"] if not row["ok"]}


def cases(space: str) -> dict[str, list[dict[str, Any]]]:
    """What each controller is given."""
    good = policies(space)
    silent = copy.deepcopy(good)
    for row in silent:
        row["url"] = row["url"].replace("llm-router-router-server", "other-router-server")
    return {
        "right": good,
        "short": without(good, "Other"),
        "absent": policies(space, f"http://{make.FRONTEND}-frontend.dynamo-kubernetes.svc:8000"),
        "doubled": policies(space, f"{good[0]['llms'][0]['api_base']}/v1"),
        "silent": silent,
    }


@pytest.fixture(scope="module")
def routers(lab: Lab, new_namespace: Callable[[], str]) -> Iterator[Routers]:
    """A frontend with two models, a classifier, and a controller for each case."""
    space = new_namespace()
    make.platform(lab, space)
    lab.apply(make.frontend(space), *(make.model(space, name, f"{space}-{name}") for name in ("a", "b")))
    make.triton(lab, space)
    for case, rows in cases(space).items():
        make.controller(lab, space, case, rows)
    found = Routers(space)
    eventually(lambda: len(lab.pods(space, "app.kubernetes.io/component=router-server")) == 1, READY)
    eventually(lambda: len(lab.pods(space, "app.kubernetes.io/component=router-controller")) == 5, READY)
    eventually(lambda: not found.failed("right", policies(space)), READY)
    yield found
    make.remove(lab, space)


def test_all_classes_of_both_policies_within_five_seconds(routers: Routers) -> None:
    begin = time.monotonic()
    result = routers.verify("right", policies(routers.space))
    assert time.monotonic() - begin < 5
    assert result["failures"] == [] and result["notes"] == []
    assert [row["class"] for row in result["classes"]] == [name for names in CLASSES.values() for name in [*names, ""]]
    assert all(row["ok"] and row["answered_by"] == row["model"] for row in result["classes"])


def test_a_class_that_is_missing_shifts_the_others(routers: Routers) -> None:
    found = routers.failed("short", cases(routers.space)["short"])
    assert set(found) == {"classifier"}
    assert NO_ANSWER.search(found["classifier"]["detail"])
    assert "a class that the policy does not have" in found["classifier"]["hint"]


def test_another_configuration_than_the_wanted_one(routers: Routers) -> None:
    found = routers.failed("short", policies(routers.space))
    assert set(found) == {"config", "classes", "classifier"}
    assert "task_router: Other missing, which shifts the later classes" in found["config"]["detail"]
    assert "1 of 12 classes (Other)" in found["classes"]["detail"] and "404" in found["classes"]["detail"]


def test_models_that_cannot_be_reached(routers: Routers) -> None:
    found = routers.failed("absent", cases(routers.space)["absent"])
    assert set(found) == {"classes", "classifier"}
    assert "7 of 7 classes" in found["classes"]["detail"]
    assert NO_ANSWER.search(found["classes"]["detail"])
    assert (
        f"Service {make.FRONTEND}-frontend of namespace dynamo-kubernetes, which does not" in found["classes"]["hint"]
    )


def test_v1_at_the_end_of_api_base(routers: Routers) -> None:
    found = routers.failed("doubled", cases(routers.space)["doubled"])
    assert "Remove /v1 from api_base" in found["classes"]["hint"], found


def test_a_classifier_that_is_elsewhere(routers: Routers) -> None:
    found = routers.failed("silent", cases(routers.space)["silent"])
    assert set(found) == {"classifier"}
    assert "503" in found["classifier"]["detail"]
    assert f"Service other-router-server of namespace {routers.space}, which does not" in found["classifier"]["hint"]
