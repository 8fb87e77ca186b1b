# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which version of a program an image holds, by its name and tag."""

from __future__ import annotations

import dataclasses
import re

from ..base.images import parse_image
from .versions import Version, version

# llm-d/llm-d, release notes of the images' versions: the vLLM in them, where two are named one of both.
_LLM_D = (
    ((0, 9), (0, 26), (0, 26)),
    ((0, 8), (0, 23), (0, 23)),
    ((0, 7), (0, 19), (0, 19)),
    ((0, 6), (0, 17), (0, 17)),
    ((0, 5), (0, 14), (0, 15)),
    ((0, 4), (0, 11), (0, 12)),
    ((0, 3), (0, 10), (0, 11)),
)
_LLM_D_NAME = re.compile(r"llm-d-(cuda|aws|gke|cpu|xpu|rocm)\Z")
_OWN = {
    "vllm": re.compile(r"vllm-openai(-\w+)?\Z"),
    "sglang": re.compile(r"sglang\Z"),
    "epp": re.compile(r"epp\Z"),
    "router": re.compile(r"llm-d-(inference-scheduler|router-endpoint-picker)\Z"),
    "sidecar": re.compile(r"llm-d-(routing-sidecar|router-disagg-sidecar)\Z"),
}


@dataclasses.dataclass(frozen=True)
class Contents:
    """The program in an image ('' where its name does not say) and its version, None where the tag is none.

    Of two versions that come into question both are given.
    """

    program: str = ""
    low: Version | None = None
    high: Version | None = None


def contents(reference: str) -> Contents:
    """Return what an image holds."""
    try:
        image = parse_image(reference)
    except ValueError:
        return Contents()
    name, number = image.path.rpartition("/")[2], _tagged(image.tag)
    if _LLM_D_NAME.match(name):
        rows = [row for row in _LLM_D if number and row[0] == number[:2]]
        # A release newer than all of these has a vLLM newer than theirs.
        newer = (_LLM_D[0][1][0], 1000) if number and number[:2] > _LLM_D[0][0] else None
        return Contents("vllm", *rows[0][1:]) if rows else Contents("vllm", newer, newer)
    for program, pattern in _OWN.items():
        if pattern.match(name):
            return Contents(program, number, number)
    return Contents()


def _tagged(tag: str) -> Version | None:
    """Return the version that a tag is, with or without what follows it; a number of another kind is none."""
    return version(tag) if re.match(r"v?\d+\.\d+", tag) else None
