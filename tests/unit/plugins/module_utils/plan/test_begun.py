# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs that begin in the same second have different names, and those that write no record leave no folder."""

from __future__ import annotations

import concurrent.futures
import pathlib

from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.begun import begin, undo


def test_runs_of_the_same_second_differ(tmp_path: pathlib.Path) -> None:
    home = str(tmp_path / "records" / "east")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        moments = [moment for moment, _made in pool.map(lambda _n: begin(home), range(8))]
    assert len(set(moments)) == 8
    assert {path.name for path in (tmp_path / "records" / "east").iterdir()} == set(moments)


def test_what_was_made_is_taken_back_and_nothing_else(tmp_path: pathlib.Path) -> None:
    (tmp_path / "records").mkdir()
    _moment, made = begin(str(tmp_path / "records" / "east"))
    undo(made)
    assert list(tmp_path.rglob("*")) == [tmp_path / "records"]
    _moment, made = begin(str(tmp_path / "records" / "east"))
    used = pathlib.Path(made[-1]) / "events.jsonl"
    used.write_text("{}")
    undo(made)
    assert used.exists()


def test_without_records_nothing_is_made(tmp_path: pathlib.Path) -> None:
    assert begin(None)[1] == []
    (tmp_path / "file").write_text("")
    moment, made = begin(str(tmp_path / "file" / "east"))
    assert moment and made == []
