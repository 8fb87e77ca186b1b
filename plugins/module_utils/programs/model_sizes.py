# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How large a model's weights are, estimated from its name: parameters, experts and quantization stand in most names.

An estimate, good for warnings only. Models of experts (8x22B) share what is no expert: their sum is less than the
product (Mixtral 8x7B has 46.7 of 56, 8x22B has 141 of 176 billion parameters; Mistral AI's model cards).
"""

from __future__ import annotations

import re
import typing as t

GIGA = 10**9
_SHARED = 0.81
# 8x22B, 70B, 1.5b, 500M; not the active parameters (A22B) of a model of experts.
_SIZE = re.compile(r"(?<![A-Za-z0-9.])(?:(\d{1,3})x)?(\d+(?:\.\d+)?)([bm])(?![A-Za-z0-9])", re.IGNORECASE)
# Names that say no size.
_KNOWN: dict[str, tuple[float, float]] = {
    "deepseek-v3": (671, 1),
    "deepseek-r1": (671, 1),
    "gpt-oss-120b": (117, 0.55),
    "gpt-oss-20b": (21, 0.6),
}
# Bytes for a parameter by words of names and of --quantization, with the scales that go with the weights.
_WORDS: tuple[tuple[str, float], ...] = (
    (r"awq|gptq|int4|w4a16|4bit|nf4|nvfp4|mxfp4|fp4|bnb|bitsandbytes|modelopt_fp4", 0.56),
    (r"fp8|int8|w8a8|w8a16|8bit|modelopt", 1.03),
    (r"fp32|float32", 4),
)
_PLAIN = 2.0


def weight_bytes(name: str, words: t.Iterable[str] = ()) -> int | None:
    """Return about how many bytes a model's weights have on a GPU, None where its name does not say.

    words: what else tells of their type: the values of --quantization and --dtype.
    """
    known = next((row for key, row in _KNOWN.items() if name.lower().rpartition("/")[2].startswith(key)), None)
    found = parameters(name)
    if found is None or (known and "distill" not in name.lower()):
        return int(known[0] * known[1] * GIGA) if known else None
    return int(found * _each(" ".join([name, *words])))


def parameters(name: str) -> float | None:
    """Return how many parameters a model's name says that it has, None where it says nothing."""
    sizes = []
    for experts, count, unit in _SIZE.findall(name.rpartition("/")[2]):
        value = float(count) * (GIGA if unit.lower() == "b" else 10**6)
        sizes.append(value * int(experts) * _SHARED if experts else value)
    return max(sizes, default=None)


def _each(text: str) -> float:
    for pattern, size in _WORDS:
        if re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", text.lower()):
            return size
    return _PLAIN
