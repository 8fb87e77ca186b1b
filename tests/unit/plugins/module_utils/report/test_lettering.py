# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Texts of drawings, broken into lines that fit."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.lettering import lines, width
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.pages import moment, soft

NAME = "infra-llm-d-inference-gateway"


@pytest.mark.parametrize(
    ("text", "room", "found"),
    [
        ("short", 200, ["short"]),
        ("", 200, [""]),
        (NAME, 400, [NAME]),
        (NAME, 200, ["infra-llm-d-inference-", "gateway"]),
        ("a\nb  c", 200, ["a b c"]),
        ("models.example/path/of/it", 120, ["models.", "example/", "path/of/it"]),
        ("x" * 12, 60, ["xxxxx", "xxxxx", "xx"]),
        (f"{NAME}-{NAME}", 130, ["infra-llm-d-", "inference\u2026", "gateway"]),
    ],
)
def test_lines(text, room, found):
    assert lines(text, room, 14, bold=True) == found
    assert all(width(line, 14, bold=True) <= room + 14 for line in found)


def test_a_wide_letter_needs_more_room_than_a_narrow_one():
    assert width("W", 10) > width("a", 10) > width("i", 10) and width("a", 10, bold=True) > width("a", 10)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("short.text", "short.text"),
        ("ghcr.io/llm-d/server:v0.5.1", "ghcr.<wbr/>io/<wbr/>llm-d/<wbr/>server:<wbr/>v0.5.1"),
        ("https://10.20.30.40:6443/x", "https://<wbr/>10.20.30.40:6443/<wbr/>x"),
        ("DestinationRuleOfThePicker", "Destination<wbr/>Rule<wbr/>Of<wbr/>The<wbr/>Picker"),
        ("<b>&'a-long-name'</b>", "&lt;b&gt;&amp;&#39;a-long-name&#39;&lt;/<wbr/>b&gt;"),
    ],
)
def test_names_are_broken_behind_their_parts_only(text, found):
    assert str(soft(text)) == found


@pytest.mark.parametrize("time", ["20261121T083000Z", "2026-11-21T08:30:00Z"])
def test_times_are_read_alike(time):
    assert moment(time) == "2026-11-21 08:30:00 UTC"
