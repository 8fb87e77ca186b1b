# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""An end to work whose cost others decide: patterns and references of a chart's schema, a chart's templates."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import types
import typing as t

# Once more after this many seconds, for code that swallowed the first one.
_AGAIN = 0.2


class TookTooLong(Exception):
    """The block did not end in its time."""


@contextlib.contextmanager
def deadline(seconds: float) -> t.Iterator[None]:
    """Raise TookTooLong inside a block that takes longer; regular expressions are interrupted too.

    Only the main thread can be interrupted; in others the block has no end of its own. An alarm that was set before
    still comes, late by what remains of the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: types.FrameType | None) -> None:
        raise TookTooLong

    begun = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    before, again = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if before:
            signal.setitimer(signal.ITIMER_REAL, max(before - (time.monotonic() - begun), 0.001), again)
