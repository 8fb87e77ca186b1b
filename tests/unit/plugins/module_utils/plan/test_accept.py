# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes that are accepted for one cluster, and what the others' messages say of accepting them."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings, Mark, finding_at
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.accept import (
    REFUSED,
    Refusals,
    check_accepted,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.findings import PlanningFailed, located
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.texts import known_ids

IMAGE = finding_at("ms.yaml:3", "has the tag latest", rule="LLMD513")
PORT = dataclasses.replace(finding_at("llm_d_models[0]", "no port", rule="input-port"), covers=("LLMD104",))
BROKEN = finding_at("ms.yaml:1", "not valid YAML", rule="yaml-syntax")


def test_what_is_accepted_is_a_warning_that_says_so() -> None:
    errors = Refusals(["LLMD513"])
    errors.take([IMAGE, PORT])
    assert [one.rule for one in errors] == ["input-port"]
    (warning,) = errors.warnings
    assert (warning.severity, warning.message) == ("warning", "has the tag latest (accepted by llm_d_accept)")
    assert errors.used == {"LLMD513"}


@pytest.mark.parametrize("accepted", ["input-port", "LLMD104"])
def test_of_two_rules_that_say_the_same_either_is_enough(accepted: str) -> None:
    errors = Refusals([accepted])
    errors.take([PORT])
    assert not errors
    assert errors.join([finding_at("gaie.yaml:9", "sends to 8001", rule="LLMD104")]) == []


def test_what_planning_cannot_go_on_past_is_not_accepted() -> None:
    errors = Refusals(["yaml-syntax"])
    errors.take([BROKEN])
    assert [one.rule for one in errors] == ["yaml-syntax"]


def test_every_id_that_is_not_acceptable_exists() -> None:
    assert set(known_ids()) >= REFUSED
    assert {"LLMD513", "unread-key", "input-unknown-variable", "image-tag", "cluster-class"} <= set(
        known_ids()
    ) - REFUSED


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("LLMD513", ""),
        ("LLMD99", "'LLMD99' is not a rule's id."),
        ("image-tags", "'image-tags' is not a rule's id. Did you mean image-tag?"),
        ("planning", "planning cannot be accepted"),
        ("owner", "owner cannot be accepted"),
    ],
)
def test_ids_that_are_none_or_cannot_be_accepted(rule: str, said: str) -> None:
    findings = Findings()
    check_accepted([rule], findings)
    assert len(findings.texts) == bool(said) and said in "".join(findings.texts)


def test_a_refusal_says_by_which_ids_it_can_be_accepted() -> None:
    text = str(PlanningFailed([IMAGE, PORT, BROKEN], []))
    assert "  - ms.yaml:3: has the tag latest [LLMD513]\n  - llm_d_models[0]: no port [input-port]\n" in text
    assert "  - ms.yaml:1: not valid YAML\n" in text
    assert text.endswith(
        "To accept one that is intended for this cluster, add its id: llm_d_accept: [LLMD513, input-port]."
    )
    assert "llm_d_accept" not in str(PlanningFailed([BROKEN], []))


@pytest.mark.parametrize(
    ("variable", "text", "mark"),
    [
        ("llm_d_models[0].name", "llm_d_models[0].name: bad (/i/hosts.yml:7)", Mark("/i/hosts.yml", 7)),
        ("gaie_image", "gaie_image: bad (extra variable)", Mark("gaie_image")),
        ("gaie_values", "gaie_values: bad", Mark("gaie_values")),
        ("cluster", "cluster: bad", Mark("cluster")),
    ],
)
def test_a_mistake_in_a_variable_is_named_with_its_file(variable: str, text: str, mark: Mark) -> None:
    places = {"llm_d_models": "/i/hosts.yml:7", "gaie_image": "extra variable"}
    found = located(finding_at(variable, "bad"), places)
    assert (found.text(), found.mark) == (text, mark)
    assert found.path == (variable if mark.line else "")
