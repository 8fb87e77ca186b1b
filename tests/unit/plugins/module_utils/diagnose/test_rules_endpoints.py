# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What EndpointSlices, LimitRanges and pools' parents add to a diagnosis."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose

from diagnose.failures import accepted, endpoints, picker, pool, programmed, refused
from diagnose.world import Object, evidence, item


@pytest.mark.parametrize(
    "objects",
    [
        programmed(1, endpoints("gw-istio", ready=True)),
        programmed(1, endpoints("gw-istio", ready=None)),
        # Nobody may read them.
        programmed(1),
        # Somebody else's.
        programmed(1, endpoints("other", ready=False)),
        [pool({"app": "epp"}), *picker(), endpoints("epp", ready=True)],
        [pool({"app": "epp"}), *picker(), endpoints("epp", ready=False, port=None)],
    ],
)
def test_services_that_lead_somewhere_are_no_cause(objects: list[Object]) -> None:
    assert [
        cause["id"] for cause in diagnose(evidence(*objects))["causes"] if cause["id"] in ("DIAG707", "DIAG738")
    ] == []


def test_a_limit_range_is_told_with_what_it_refuses() -> None:
    limits = [{"type": "Container", "max": {"cpu": "100m"}, "default": {"cpu": "50m"}}, {"type": "Pod"}]
    objects = [
        *refused("maximum cpu usage per Container is 100m"),
        item("LimitRange", "narrow", spec={"limits": limits}),
    ]
    (cause,) = diagnose(evidence(*objects))["causes"]
    assert cause["id"] == "DIAG303" and "LimitRange narrow: Container max cpu 100m" in cause["evidence"][0]


@pytest.mark.parametrize(
    "objects",
    [
        [pool({"app": "epp"}, parents=[{"parentRef": {"kind": "Gateway", "name": "gw"}}]), accepted()],
        # A route leads to it that was accepted just now.
        [pool({"app": "epp"}), accepted("2026-11-21T09:59:50Z")],
    ],
)
def test_a_pool_that_may_still_get_a_parent_is_no_cause(objects: list[Object]) -> None:
    assert diagnose(evidence(*objects, *picker()))["causes"] == []
