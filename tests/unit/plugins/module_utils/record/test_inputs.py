# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.inputs import variables_of, without_secrets

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
        "plan": {"digest": "sha256:a1", "inputs": {"a": "b"}, "actions": ["..."]},
    }
    given = {"path": "/r", "planned": planned, "diagnosis": {"log": f"{PLANTED} and battery staple"}, "history": 3}
    found = without_secrets(given, {"llm_d_token": PLANTED})
    text = json.dumps(found)
    assert PLANTED not in text and "battery" not in text
    assert found["planned"]["plan"] == {"digest": "sha256:a1", "inputs": {"a": "b"}}
    assert (found["path"], found["history"]) == ("/r", 3)
