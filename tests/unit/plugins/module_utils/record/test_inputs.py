# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import plain_yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import is_secret_key
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.registry import COMPONENTS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.inputs import (
    HIDDEN,
    variables_of,
    without_secrets,
)

ROLES = pathlib.Path(__file__).resolve().parents[5] / "roles"

MASKED = "(masked)"
PLANTED = "correct horse"


class Hostvars(dict):
    """Variables of which one cannot be rendered."""

    def __getitem__(self, name):
        assert name != "their_own"
        return super().__getitem__(name)


def test_only_this_collections_variables_are_looked_at():
    found = variables_of(Hostvars(llm_d_x=1, their_own=2, gateway_values={}, verify_result={}, ansible_host="a"))
    assert found == {"llm_d_x": 1, "gateway_values": {}}


def test_inputs_are_the_clusters_variables_without_values_and_secrets():
    variables = {"llm_d_token": PLANTED, "gateway_values": {"a": 1}, "prepare_downloads": [f"x {PLANTED}"]}
    assert without_secrets({}, variables)["inputs"] == {"llm_d_token": MASKED, "prepare_downloads": [f"x {MASKED}"]}
    assert without_secrets({"inputs": {"rollback_to": "1"}}, variables)["inputs"] == {"rollback_to": "1"}


def test_what_is_secret_in_one_place_is_masked_everywhere():
    values = {"env": [{"name": "API_KEY", "value": "battery staple"}]}
    planned = {
        "stack": {"releases": {"modelservice": [{"name": "ms-a", "values": values}]}},
        "settled": {"gaie": [{"name": "gaie-a", "reason": PLANTED}]},
        "plan": {"digest": "sha256:a1", "inputs": {"a": "b"}, "leftovers": [], "actions": ["..."]},
    }
    given = {"path": "/r", "planned": planned, "diagnosis": {"log": f"{PLANTED} and battery staple"}, "history": 3}
    found = without_secrets(given, {"llm_d_token": PLANTED})
    text = json.dumps(found)
    assert PLANTED not in text and "battery" not in text
    assert found["planned"]["plan"] == {"digest": "sha256:a1", "inputs": {"a": "b"}, "leftovers": []}
    assert (found["path"], found["history"]) == ("/r", 3)


def test_secrets_whose_names_do_not_say_so() -> None:
    url = "postgresql://u:p@ss/w0rd@db/x"
    variables = {"llm_orchestrator_database_url": url, "llm_orchestrator_secrets": {"NAME": "in-a-secret"}}
    found = without_secrets({"failure": f"cannot reach {url} (in-a-secret)"}, variables)
    assert found["inputs"] == dict.fromkeys(variables, MASKED)
    assert found["failure"] == f"cannot reach {MASKED} ({MASKED})"


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_every_hidden_setting_is_known_as_a_secret(name: str) -> None:
    specs = plain_yaml.load((ROLES / name / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    hidden = [option for option, spec in options.items() if spec.get("no_log")]
    assert [option for option in hidden if option not in HIDDEN and not is_secret_key(option)] == []
