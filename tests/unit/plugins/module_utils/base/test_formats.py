# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What variables have to hold besides their types."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import formats

DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (formats.dns_label, ["llm-d", "a1"]),
        (formats.dns_name, ["models", "fast.example.com", "a" * 200]),
        (formats.quantity, ["100Gi", "1e12", "500G", "107374182400"]),
        (formats.image, ["nginx", "ghcr.io/llm-d/llm-d-cuda:v0.5.1", "localhost:5000/a/b_c:1", f"a.io/b{DIGEST}"]),
        (formats.repository, ["Qwen/Qwen3-32B", "gpt2", "meta-llama/Llama-3.1-8B"]),
        (formats.labels, [{}, {"team": "serving", "a.io/b": ""}]),
        (formats.toleration, [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]),
        (formats.map_of_texts, [{"a.yaml": "kind: X"}]),
        (formats.share, [0, 0.5, 1]),
        (formats.positive, [0, 10]),
    ],
)
def test_what_is_right_is_not_named(check: formats.Format, right: list[Any]) -> None:
    assert [value for value in right if check(value) is not None] == []


@pytest.mark.parametrize(
    ("check", "value", "what", "fix"),
    [
        (formats.dns_label, "Llm_d", "must be lower-case", "llm-d"),
        (formats.dns_name, "Models_PVC", "must be lower-case", "llm-d-models"),
        (formats.dns_name, "a" * 254, "has 254 characters", ""),
        (formats.quantity, "200GB", "is not a valid Kubernetes quantity", "200Gi"),
        (formats.quantity, "80 Gi", "is not a valid Kubernetes quantity", "80Gi"),
        (formats.quantity, "20gb", "is not a valid Kubernetes quantity", "20Gi"),
        (formats.quantity, "0", "is not a size above 0", "100Gi"),
        (formats.quantity, "big", "is not a valid Kubernetes quantity", "100Gi"),
        (
            formats.image,
            "https://ghcr.io/llm-d/llm-d-cuda:v0.5.1",
            "remove the scheme",
            "ghcr.io/llm-d/llm-d-cuda:v0.5.1",
        ),
        (formats.image, "GHCR.io/Llm-d/x", "is not a valid image", "HOST/PATH:TAG"),
        (formats.image, "a b", "is not a valid image", "HOST/PATH:TAG"),
        (formats.repository, "hf://Qwen/Qwen3-32B", "is not a valid Hugging Face repository", "OWNER/NAME"),
        (formats.labels, {"gpu": True}, "label gpu: True is not a string", "labels"),
        (formats.toleration, {"key": "a", "efect": "NoSchedule"}, "unknown key efect. Did you mean effect?", "one of:"),
        (formats.toleration, {"effect": "NoShedule"}, "Did you mean NoSchedule?", "one of:"),
        (formats.map_of_texts, {"a.yaml": {"kind": "X"}}, "a.yaml is a map", "string"),
        (formats.share, 90, "is not a valid share", "0 to 1"),
    ],
)
def test_what_is_wrong_and_what_to_write(check: formats.Format, value: Any, what: str, fix: str) -> None:
    found = check(value)
    assert what in found.what and fix in found.fix


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("a/b", "has no tag, which means latest"),
        ("a/b:latest", "has the tag latest"),
        ("a/b:main", "has the tag main"),
        ("a/b:v1", None),
        (f"a/b:latest{DIGEST}", None),
    ],
)
def test_images_that_may_become_others(image: str, why: str | None) -> None:
    assert formats.floating(image) == why
