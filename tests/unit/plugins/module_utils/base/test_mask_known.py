# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.filter.masked import masked
from ansible_collections.llm_d.orchestrator.plugins.filter.secrets import secrets


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"hf_token": "correct horse", "name": "x"}, ["correct horse"]),
        (
            [{"name": "HF_TOKEN", "value": "correct horse"}, {"name": "PLAIN", "value": "a plain text"}],
            ["correct horse"],
        ),
        ({"a": [{"registry_tokens": ["one secret", "another one", 3]}]}, ["another one", "one secret"]),
        (
            {"args": ["--api-key", "correct horse", "--hf-token=another-one", "--api-key", "short"]},
            ["another-one", "correct horse"],
        ),
        # A Secret's name is none, and a short text is a word of many others.
        ({"prepare_hf_token_secret": "llm-d-hf-token", "password": "true"}, []),
        ("text", []),
    ],
)
def test_secrets(value, found):
    assert secrets(value) == found


def test_only_the_keys_that_are_asked_for_are_looked_at():
    assert secrets({"llm_d_token": "correct horse", "other_token": "battery staple"}, "llm_d_") == ["correct horse"]


def test_a_known_secret_goes_wherever_it_stands():
    log = {"causes": [{"evidence": ["login as correct horse failed", 3]}], "state": ("correct horse",)}
    assert masked(log, known=["correct", "correct horse"]) == {
        "causes": [{"evidence": ["login as (masked) failed", 3]}],
        "state": ["(masked)"],
    }
    assert masked(log)["state"] == ["correct horse"]
