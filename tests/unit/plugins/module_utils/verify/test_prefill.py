# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How the endpoint picker treats prefill pods, and what the probe demands for that."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prefill import Wiring, wiring, wiring_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.verdict import Round, judge_prefill, prompt_for

from verify import world as pw

PLAIN = "plugins: [{type: queue-scorer}]"
SPLIT = "plugins: [{type: pd-profile-handler, parameters: {threshold: 900}}, {type: prefill-filter}]"
PROFILES = """
plugins: [{{type: {0}, name: first}}, {{type: decode-filter}}, {{type: disagg-profile-handler}}]
schedulingProfiles: [{{name: first, plugins: [{{pluginRef: first}}]}}]
"""


@pytest.mark.parametrize(
    ("text", "splits", "threshold"),
    [
        (PLAIN, False, 0),
        (SPLIT, True, 900),
        ("plugins: [{type: disagg-profile-handler}, {type: d, parameters: {nonCachedTokens: 16}}]", False, 16),
        (PROFILES.format("prefill-filter"), True, 0),
        (PROFILES.format("encode-filter"), False, 0),
        (PROFILES.format("by-label, parameters: {label: llm-d.ai/role, validValues: [prefill]}"), True, 0),
        ("plugins: [{type: decode-filter}]", False, 0),
        ("plugins: [queue-scorer]", False, 0),
        ("plugins: {", None, 0),
        ("text", False, 0),
    ],
)
def test_wiring(text, splits, threshold):
    found = wiring(text, "x")
    assert (found.splits, found.threshold) == (splits, threshold)


def stack(text=PLAIN, args=("--config-file", "/config/pd.yaml"), **mount):
    found = pw.snapshot("a", prefill=1)
    picker = next(pod for pod in found["pods"] if pod["metadata"]["name"] == "gaie-a-epp-0")
    picker["spec"]["containers"][0].update(
        args=list(args), volumeMounts=[{"name": "plugins", "mountPath": "/config", **mount}]
    )
    picker["spec"]["volumes"] = [{"name": "plugins", "configMap": {"name": "gaie-a-epp"}}]
    found["configmaps"] = [{"metadata": {"name": "gaie-a-epp"}, "data": {"pd.yaml": text}}]
    return found


@pytest.mark.parametrize(
    ("snapshot", "splits"),
    [
        (stack(), False),
        (stack(SPLIT), True),
        (stack(SPLIT, ["--config-file=/config/pd.yaml"]), True),
        (stack(SPLIT, ["--config-file", "/config/else.yaml"]), None),
        (stack(SPLIT, ["--v", "1"]), None),
        (stack(SPLIT, mountPath="/etc"), None),
        ({**stack(SPLIT), "configmaps": []}, None),
        ({**stack(SPLIT), "services": []}, None),
    ],
    ids=["plain", "split", "with =", "other file", "no file", "other mount", "no ConfigMap", "no Service"],
)
def test_wiring_is_read_from_the_pickers_config_map(snapshot, splits):
    assert wiring_of(pw.spec("a"), snapshot).splits is splits


@pytest.mark.parametrize(
    ("splits", "mode", "moved", "ok", "claim"),
    [
        (True, "auto", True, True, False),
        (True, "auto", False, False, False),
        (True, "warn", False, False, True),
        (None, "auto", False, False, False),
        # A count proves nothing where prefill pods are picked as ordinary servers.
        (False, "auto", True, False, True),
        (False, "auto", False, False, True),
        (False, "required", True, False, False),
        (False, "warn", True, False, True),
    ],
)
def test_what_is_demanded(splits, mode, moved, ok, claim):
    rounds = [Round({"a"}, {"p0": moved}, set())]
    check = judge_prefill("a", rounds, {"p0"}, 3, Wiring(splits, "pd.yaml"), mode)
    assert (check.ok, check.claim) == (ok, claim)
    assert splits is not False or "pd.yaml" in check.detail


@pytest.mark.parametrize(("threshold", "words"), [(0, 202), (100, 202), (900, 1802), (10**6, 4002)])
def test_prompts_pass_the_threshold(threshold, words):
    assert len(prompt_for("x", "1", True, threshold).split()) == words
