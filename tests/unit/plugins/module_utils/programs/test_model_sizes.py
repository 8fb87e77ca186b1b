# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How large models are by their names."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.model_sizes import GIGA, weight_bytes


@pytest.mark.parametrize(
    ("name", "words", "least", "most"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", (), 15, 17),
        ("meta-llama/Llama-3.1-70B-Instruct", (), 135, 145),
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", (), 68, 76),
        ("meta-llama/Llama-3.1-70B-Instruct", ("fp8",), 68, 76),
        ("hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", (), 34, 42),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", (), 270, 290),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", (), 88, 96),
        ("Qwen/Qwen3-235B-A22B", (), 460, 480),
        ("Qwen/Qwen3-0.6B", (), 1, 1.5),
        ("facebook/opt-125m", (), 0.2, 0.3),
        ("Qwen/Qwen2.5-VL-7B-Instruct", (), 13, 15),
        ("openai/gpt-oss-120b", (), 60, 70),
        ("deepseek-ai/DeepSeek-R1", (), 640, 700),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", (), 135, 145),
    ],
)
def test_sizes(name: str, words: tuple[str, ...], least: float, most: float) -> None:
    assert least * GIGA <= (weight_bytes(name, words) or 0) <= most * GIGA


@pytest.mark.parametrize("name", ["", "org/chat", "microsoft/phi-4", "/models/v2", "${MODEL_NAME}", "org/gpt2b8"])
def test_names_that_say_nothing(name: str) -> None:
    assert weight_bytes(name) is None
