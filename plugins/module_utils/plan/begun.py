# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""When a run began, which names its folder among a cluster's records: no other run gets the same."""

from __future__ import annotations

import contextlib
import datetime
import os
import typing as t

from ..base.files import DIRECTORY_MODE

FORMAT = "%Y%m%dT%H%M%SZ"
# Runs that begin in the same second, and then in those that the first of them have taken.
MOST = 60


def begin(records: str | None) -> tuple[str, list[str]]:
    """Return when a run began, as 20261121T083000Z, and the folders made for its record, the innermost last.

    records: the folder of the cluster's records, None where none is written. The time is a second or more later where
    another run has that second's folder.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    moments = [(now + datetime.timedelta(seconds=later)).strftime(FORMAT) for later in range(MOST)]
    if not records:
        return moments[0], []
    made: list[str] = []
    # Where nothing can be written is said elsewhere, with what to do.
    with contextlib.suppress(OSError):
        for folder in _missing(records):
            os.makedirs(folder, DIRECTORY_MODE, exist_ok=True)
            made.append(folder)
        for moment in moments:
            folder = os.path.join(records, moment)
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, DIRECTORY_MODE)
                return moment, [*made, folder]
    return moments[0], made


def undo(made: t.Sequence[str]) -> None:
    """Remove folders of a run that writes no record, but for those that somebody uses."""
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _missing(path: str) -> list[str]:
    """Return the folders that have to be made for a path, the outermost first."""
    found: list[str] = []
    while path and not os.path.isdir(path):
        found.insert(0, path)
        path = os.path.dirname(path)
    return found
