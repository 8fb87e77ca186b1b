# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The configuration of the LLM Router's controller: what it comes to, and what is wrong with it."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import policies

ENVIRONMENT = {"BASE": "http://front.dyn:8000", "KEY": None, "EMPTY": "", "OLD_BASE": "http://front.dyn:8000/v1"}
URL = policies.ensemble_url("http://server:8000", "complexity_router")


def config(**changed: t.Any) -> dict[str, t.Any]:
    """Return a right configuration; a change with a number in its name is one of that class."""
    names = policies.CLASSES["complexity_router"]
    llms = [{"name": name, "api_base": "${BASE}", "api_key": "${KEY}", "model": "m"} for name in names]
    policy = {"name": "complexity_router", "url": URL, "llms": llms}
    for key, value in changed.items():
        field, _at, number = key.partition("__")
        (llms[int(number)] if number else policy)[field] = value
    return {"policies": [policy]}


def test_the_recipe_has_a_model_for_each_class_in_the_classifiers_order() -> None:
    assert {name: tuple(table) for name, table in policies.RECIPE.items()} == policies.CLASSES
    assert [len(table) for table in policies.RECIPE.values()] == [12, 7]


def test_variables_are_replaced_as_the_controller_does() -> None:
    text = "a: ${BASE}\nb: $BASE\nc: ${KEY}\nd: ${OTHER}\n"
    assert policies.expanded(text, ENVIRONMENT) == "a: http://front.dyn:8000\nb: $BASE\nc: ${KEY}\nd: ${OTHER}\n"


def test_what_is_written_is_what_is_read() -> None:
    made = policies.policies_of(config())
    (read,) = policies.parsed(policies.config_text(made), ENVIRONMENT)
    assert read.url == URL and read.llms[0] == ("Creativity", "http://front.dyn:8000", "${KEY}", "m")
    assert "api_key" not in str(policies.told([read]))


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({}, None, ""),
        ({"name": "ours", "url": "http://x:8000/v2/models/ours_ensemble/infer"}, None, ""),
        ({"name": ""}, ("name",), "is empty"),
        ({"url": "server:8000/infer"}, ("url",), "is not a valid address"),
        ({"llms": []}, ("llms",), "is empty"),
        ({"name__1": "Creativity"}, ("llms", 1, "name"), "is a duplicate of class number 1"),
        ({"name__1": "Few-Shot", "name__3": "Reasoning"}, ("llms", 1, "name"), "the position of Reasoning"),
        ({"name__0": "Creativ"}, ("llms", 0, "name"), "Did you mean Creativity?"),
        ({"api_key__2": "${EMPTY}"}, ("llms", 2, "api_key"), "the controller does not start"),
        ({"api_key__2": "${NOT_THERE}"}, ("llms", 2, "api_key"), "is not set in the controller's environment"),
        ({"api_key__2": None}, ("llms", 2, "api_key"), "is missing"),
        ({"model__2": 4}, ("llms", 2, "model"), "is a number"),
        ({"api_base__2": "${OLD_BASE}"}, ("llms", 2, "api_base"), "ends in /v1"),
        ({"api_base__2": "front:8000"}, ("llms", 2, "api_base"), "is not a valid address"),
    ],
)
def test_a_configuration(changed, path, said) -> None:
    found = policies.misfits(config(**changed), ENVIRONMENT)
    wanted = [] if path is None else [(("policies", 0, *path), True)]
    assert [
        (one.path, said in one.what) for one in found if "missing" not in one.what or said == "is missing"
    ] == wanted


def test_a_class_left_out_is_named() -> None:
    data = config()
    del data["policies"][0]["llms"][2]
    (found,) = policies.misfits(data, ENVIRONMENT)
    assert found.path == ("policies", 0, "llms") and found.what == "Contextual-Knowledge is missing"


@pytest.mark.parametrize("text", ["[]", "policies: {}", "policies: [a]", "text"])
def test_what_is_no_configuration(text) -> None:
    assert len(policies.misfits(yaml.safe_load(text), {})) == 1
    assert policies.policies_of(yaml.safe_load(text)) == []


def test_a_policy_that_is_there_twice() -> None:
    data = {"policies": config()["policies"] * 2}
    (found,) = policies.misfits(data, ENVIRONMENT)
    assert found.path == ("policies", 1, "name") and "only the first is used" in found.what
