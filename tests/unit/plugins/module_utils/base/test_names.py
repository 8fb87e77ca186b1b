# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Names and what the charts make of them."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import names


@pytest.mark.parametrize("name", ["a", "qwen3-32b", "0", "a" * 63])
def test_good_names(name):
    assert names.name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "part"),
    [("", "empty"), ("Qwen", "lower-case"), ("a_b", "lower-case"), ("-a", "lower-case"), ("a-", "lower-case"),
     ("a.b", "lower-case"), ("a\n", "lower-case"), ("a" * 64, "64 characters"), (7, "not a string"),
     (None, "not a string")],
)  # fmt: skip
def test_bad_names(name, part):
    assert part in names.name_problem(name)


@pytest.mark.parametrize(("value", "good"), [("", True), ("Qwen3-32B", True), ("a.b_c", True), ("a/b", False),
                                             ("a" * 64, False), (True, False), (".a", False)])  # fmt: skip
def test_label_values(value, good):
    assert (names.label_problem(value) is None) is good


@pytest.mark.parametrize(("host", "good"), [("a.example.com", True), ("*.example.com", True), ("a", True), ("*", False),
                                            ("a.*.b", False), ("A.b", False), ("a b", False), (3, False)])  # fmt: skip
def test_hostnames(host, good):
    assert (names.hostname_problem(host) is None) is good


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("Qwen/Qwen3-32B", 63, "qwen-qwen3-32b"), ("a" * 70, 63, "a" * 63), ("a.-b", 63, "a-b"), ("ab-cd", 3, "ab")],
)
def test_dns_label(text, limit, expected):
    assert names.dns_label(text, limit) == expected


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [("istoi", ["istio", "gke"], " Did you mean istio?"),
     ("valuesFiles", ["values_files"], " Did you mean values_files?"),
     ("zzz", ["istio"], ""), ("x", [], "")],
)  # fmt: skip
def test_did_you_mean(word, known, expected):
    assert names.did_you_mean(word, known) == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [("gaie-demo", "gaie-demo-epp"), ("g" * 50, "g" * 40 + "-epp"), ("g" * 39 + "-x", "g" * 39 + "--epp")],
)
def test_epp_name(release, expected):
    assert names.epp_name(release) == expected


@pytest.mark.parametrize(
    ("release", "values", "expected"),
    [("infra-x", {}, "infra-x-inference-gateway"), ("infra-x", {"gateway": {"nameOverride": "gw"}}, "infra-x-gw"),
     ("infra-x", {"gateway": {"fullnameOverride": "mine"}}, "mine"), ("i" * 53, {}, "i" * 53 + "-inference"),
     ("infra-x", {"gateway": None}, "infra-x-inference-gateway")],
)  # fmt: skip
def test_gateway_name(release, values, expected):
    assert names.gateway_name(release, values) == expected


@pytest.mark.parametrize(
    ("release", "values", "expected"),
    [("ms-a", {}, "ms-a-llm-d-modelservice"), ("llm-d-modelservice-a", {}, "llm-d-modelservice-a"),
     ("ms-a", {"fullnameOverride": "f" * 60}, "f" * 55), ("m" * 40, {}, "m" * 40 + "-llm-d-modelser")],
)  # fmt: skip
def test_modelservice_fullname(release, values, expected):
    assert names.modelservice_fullname(release, values) == expected


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("app", True),
        ("llm-d.ai/model", True),
        ("a.b-c_D", True),
        ("bad key", False),
        ("", False),
        ("/x", False),
        ("x/", False),
        ("-x", False),
        ("a" * 64, False),
        ("Upper.example/x", False),
        ("*.example.com/x", False),
        ("a/b/c", False),
    ],
)
def test_label_keys(key, good):
    assert (names.label_key_problem(key) is None) is good
