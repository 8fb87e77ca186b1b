# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import (
    MASK,
    is_secret_key,
    mask,
    mask_text,
    secret_arguments,
    secrets_in,
    without,
)


@pytest.mark.parametrize(
    "key",
    ["token", "HF_TOKEN", "hfToken", "apiKey", "api_key", "OPENAI_API_KEY", "password", "db-password", "clientSecret"]
    + ["private_key", "client-key-data", "AWS_SECRET_ACCESS_KEY", "authorization", "credentials"],
)
def test_secret_keys(key):
    assert is_secret_key(key)
    assert mask({key: "plain text"}) == {key: MASK}


@pytest.mark.parametrize(
    "key",
    ["authSecretName", "secretName", "hf_token_key", "gaie_hf_token_secret", "tokenizer", "max_tokens", "name", "key"]
    + ["maxTokens", "secretKeyRef", "model", "", "token_path"],
)
def test_keys_that_are_none(key):
    assert mask({key: "plain text"}) == {key: "plain text"}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("login with hf_abcdefghijklmnop failed", "hf_abcdefghijklmnop"),
        ("sk-abcdefghijklmnopqrstuv", "abcdefghijklmnopqrstuv"),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl"),
        ("https://user:pass1234@example.com/x", "pass1234"),
        ("redis://:pass1234@example.com/0", "pass1234"),
        ("vllm serve m --api-key=abc123", "abc123"),
        ("vllm serve m --api-key abc123", "abc123"),
        ("export HF_TOKEN=abcdef123; run", "abcdef123"),
        ("clusters: []\ncontexts: []\nusers:\n- user:\n    token: abc123\n", "abc123"),
        ('{"clusters": [], "contexts": [], "users": [{"user": {"client-key-data": "TFMwd"}}]}', "TFMwd"),
        ("x -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- y", "MIIE"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "eyJzdWIiOiIxMjM0NTY3ODkwIn0"),
    ],
)
def test_secrets_known_by_their_looks(text, secret):
    assert secret not in mask_text(text) and MASK in mask_text(text)


@pytest.mark.parametrize("text", ["hf_token", "Qwen/Qwen3-32B", "hf://Qwen/Qwen3-0.6B", "HF_TOKEN=$(TOKEN)", "x" * 64])
def test_what_is_no_secret_stays(text):
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"kind": "Secret", "data": {"a": "YQ=="}}, {"kind": "Secret", "data": {"a": MASK}}),
        ([{"name": "HF_TOKEN", "value": "abc"}], [{"name": "HF_TOKEN", "value": MASK}]),
        ([{"name": "PORT", "value": "80"}], [{"name": "PORT", "value": "80"}]),
        (["--api-key", "abc", "--port", "80"], ["--api-key", MASK, "--port", "80"]),
        (["--hf-token", "--port", "80"], ["--hf-token", "--port", "80"]),
        (["--max-tokens", "80", "--tokenizer", "m"], ["--max-tokens", "80", "--tokenizer", "m"]),
        (["vllm serve m --hf-token abc"], [f"vllm serve m --hf-token {MASK}"]),
        ({"token": {"name": "x", "number": 1}, "password": 5}, {"token": {"name": "x", "number": 1}, "password": 5}),
        ({"tokens": ["abc"]}, {"tokens": MASK}),
        ([{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]),
    ],
)
def test_structures(value, expected):
    assert mask(value) == expected


@pytest.mark.parametrize(
    ("arguments", "secrets"),
    [
        (["--api-key", "abc", "--port", "80"], {"abc"}),
        (["--api-key=abc", "--max-tokens=80"], {"abc"}),
        (["-c", "exec vllm serve m --api-key 'abc' --hf-token def\n"], {"abc", "def"}),
        (["--api-key", "$(KEY)", "--hf-token=$TOKEN"], set()),
        (["--hf-token", "--port", "80"], set()),
        ([], set()),
        (["--api-key", 5], set()),
    ],
)
def test_secrets_among_arguments(arguments, secrets):
    assert secret_arguments(arguments) == secrets


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
        ({"llm_router_api_key_secret": "dynamo-api-secret", "llm_router_pull_secret": "nvcr-secret"}, []),
        ({"config": {"apiKeySecret": "llm-api-keys", "apiKeySecretKey": "nvidia_api_key"}}, []),
        ("text", []),
    ],
)
def test_secrets(value, found):
    assert sorted(secrets_in(value)) == found


def test_a_known_secret_goes_wherever_it_stands():
    log = {"causes": [{"evidence": ["login as correct horse failed", 3]}], "state": ("correct horse",)}
    assert without(log, ["correct", "correct horse"]) == {
        "causes": [{"evidence": ["login as (masked) failed", 3]}],
        "state": ["(masked)"],
    }
    assert without(log, [])["state"] == ("correct horse",)
