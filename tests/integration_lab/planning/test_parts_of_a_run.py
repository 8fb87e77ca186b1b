# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tags alone, a start in the middle, and the strategy free: site.yml in check mode on the lab."""

from __future__ import annotations

import pathlib

import pytest

from playbooks import play

CHECK = ("--check",)


@pytest.mark.parametrize("tag", ["deploying", "routing"])
def test_a_tag_alone_plans_what_it_needs(tag: str, tmp_path: pathlib.Path) -> None:
    run = play(tmp_path, "site", *CHECK, "--tags", tag, llm_d_namespace="llm-d-parts")
    assert run.code == 0, run.text
    assert "[PLANNING]" in run.text and f"[{tag.upper()}]" in run.text
    assert ("[ROUTING]" in run.text) == (tag == "routing")


def test_a_start_in_the_middle_says_where_to_begin(tmp_path: pathlib.Path) -> None:
    run = play(tmp_path, "site", "--start-at-task", "Start the components", llm_d_namespace="llm-d-parts")
    assert run.code == 2 and "The stack was not planned in this run." in run.text
    assert "'stack_plan' is undefined" not in run.text and "Traceback" not in run.text


def test_the_strategy_free_does_the_same(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_STRATEGY", "free")
    run = play(tmp_path, "site", *CHECK, llm_d_namespace="llm-d-parts")
    assert run.code == 0 and "[COMPLETE]" in run.text, run.text
