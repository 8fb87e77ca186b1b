# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Causes for which a router does not start or route, made on the lab, and each is named by its rule."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.gather import Gatherer
from plane_client import Lab, eventually
from router_cases import CASES, PATIENCE, PREFIX, Case, Object, plant

# Of what has only just been made.
NOT_YET = ("DIAG414", "DIAG998", "DIAG999")


@pytest.fixture(scope="module")
def planted(lab: Lab) -> Iterator[Cluster]:
    """All cases, side by side."""
    try:
        for case in CASES:
            plant(lab, case)
        for case in CASES:
            if case.then:
                eventually(
                    lambda home=PREFIX + case.name: lab.pods(home, "app.kubernetes.io/name=llm-router"), PATIENCE
                )
                case.then(lab, PREFIX + case.name)
        yield Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})
    finally:
        for case in CASES:
            if lab.get("v1", "Namespace", "", PREFIX + case.name):
                lab.core.delete_namespace(PREFIX + case.name)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_cause_is_named(planted: Cluster, case: Case) -> None:
    def named() -> list[Object] | None:
        gatherer = Gatherer(planted, PREFIX + case.name)
        causes = diagnose(gatherer.run(), gatherer.secrets)["causes"]
        found = [cause for cause in causes if cause["id"] not in NOT_YET]
        return [found] if [cause["id"] for cause in found] == ([case.rule] if case.rule else []) else None

    (found,) = eventually(named, PATIENCE)
    assert all(any(case.text in line for line in cause["evidence"]) for cause in found), found
