# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects that two releases make by one name."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

KEY = "inferenceExtension.monitoring.prometheus.auth.secretName"


@pytest.mark.parametrize(
    ("default", "own", "remedy", "key"),
    [
        ("reader", {}, f"use a unique {KEY} for each release", KEY),
        ("", {"inferenceExtension": {"monitoring": {"prometheus": {"auth": {"secretName": "reader"}}}}}, KEY, KEY),
        ("other", {}, "use names that differ", ""),
    ],
)
def test_the_key_that_names_an_object_of_two_releases_is_named(default, own, remedy, key):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reader", "namespace": "demo"}}
    layers = [Layer(own, "gaie_values")] if own else []
    parts = [RenderedRelease("gaie", name, "demo", [secret], "inferencepool", "v1.4.0", layers) for name in "ab"]
    auth = {"secretName": default}
    facts = RuleFacts(chart_values={"gaie": {"inferenceExtension": {"monitoring": {"prometheus": {"auth": auth}}}}})
    (found,) = [one for one in check(build_model(parts, facts=facts)) if one.rule == "LLMD303"]
    assert remedy in found.hint
    assert [one.partition(": ")[2] for one in found.keys] == ([key, key] if key else [])
