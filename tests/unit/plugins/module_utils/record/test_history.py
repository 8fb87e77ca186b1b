# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which deployment is returned to."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record import history as records

# The records of a namespace, oldest first: outcome and state; a rollback names its aim.
GOOD, BAD = "succeeded", "failed"
HISTORIES: list[tuple[list[tuple[str, str, str]], str, int | None]] = [
    ([(GOOD, "1", "")], "last_good", None),
    ([(GOOD, "1", ""), (GOOD, "2", "")], "last_good", 0),
    ([(GOOD, "1", ""), (GOOD, "2", ""), (GOOD, "2", "")], "last_good", 0),
    ([(GOOD, "1", ""), (GOOD, "2", ""), (BAD, "3", "")], "last_good", 1),
    ([(BAD, "1", "")], "last_good", None),
    ([(GOOD, "1", ""), (GOOD, "2", ""), (BAD, "2", "0")], "last_good", 0),
    ([(GOOD, "1", ""), (GOOD, "2", ""), (GOOD, "2", "")], "previous", 1),
    ([(GOOD, "1", ""), (BAD, "2", ""), (GOOD, "1", "")], "previous", None),
    ([(GOOD, "1", ""), (GOOD, "2", "")], "20260101T000000Z", 0),
    ([(BAD, "1", ""), (GOOD, "2", "")], "20260101T000000Z", None),
    ([], "last_good", None),
]


class NoStore:
    """A cluster without records."""

    def list(self) -> list[Any]:
        return []


def time(number: int | str) -> str:
    return f"202601{int(number) + 1:02}T000000Z"


@pytest.fixture
def files(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(records, "records_in_cluster", lambda cluster, namespace: NoStore())
    return tmp_path


def write(folder: pathlib.Path, number: int, outcome: str, state: str, aim: str) -> None:
    path = folder / time(number)
    path.mkdir()
    rows = [{"name": "r", "namespace": "n", "inputs_digest": state}]
    record = {
        "namespace": "n", "outcome": outcome, "started": f"2026-01-{number + 1:02}T00:00:00Z", "releases": rows,
        "inputs": {"rollback_to": time(aim)} if aim else {}, "stack": {"models": [{"name": "m"}]},
    }  # fmt: skip
    (path / "record.json").write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(("history", "wanted", "found"), HISTORIES)
def test_choose(files: pathlib.Path, history: list, wanted: str, found: int | None) -> None:
    for number, entry in enumerate(history):
        write(files, number, *entry)
    known: Any = records.Records(None, "n", str(files))  # type: ignore[arg-type]
    if found is None:
        with pytest.raises(OrchestratorError, match="Recorded deployments that succeeded"):
            records.choose(known, wanted)
    else:
        assert records.time_of(records.choose(known, wanted)) == time(found)


def test_records_of_other_namespaces_and_broken_files_are_left_out(files: pathlib.Path) -> None:
    write(files, 0, GOOD, "1", "")
    (files / "broken").mkdir()
    (files / "broken" / "record.json").write_text("{", encoding="utf-8")
    known = records.Records(None, "n", str(files))  # type: ignore[arg-type]
    assert [row["models"] for row in known.rows] == [["m"]] and "cannot be read" in known.unseen[0]
    assert records.Records(None, "other", str(files)).rows == []  # type: ignore[arg-type]
