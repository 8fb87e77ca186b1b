# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""On an 80-column terminal the cause is among the last rows, and a change prints less than two screens."""

from __future__ import annotations

import pathlib
import tempfile

import pytest
from plane_client import Lab
from screen_runs import CHANGES, FAILURES, FAULTS, faults, run, wrong


@pytest.fixture
def folder():
    """A folder with a short name: it is in the command, whose rows count."""
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)


def test_the_cause_is_last_and_changes_are_short(lab: Lab, folder: pathlib.Path) -> None:
    faults(folder, FAULTS)
    try:
        found = []
        for case in (*CHANGES[:1], *FAILURES, *CHANGES[1:]):
            printed = run(case, folder)
            if text := wrong(case, printed):
                found.append(f"{case.title}: {text}\n{printed.text}")
    finally:
        faults(folder, [])
        for name in ("screen-image", "screen-crash"):
            lab.core.delete_namespace(name)
    assert not found, "\n\n".join(found)
