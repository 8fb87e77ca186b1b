# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""An end to work whose cost others decide: patterns and references of a chart's schema, a chart's templates."""

from __future__ import annotations

import contextlib
import signal
import threading
import types
import typing as t

# Once more after this many seconds, for code that swallowed the first one.
_AGAIN = 0.2


class TookTooLong(Exception):
    """The block did not end in its time."""


@contextlib.contextmanager
def deadline(seconds: float) -> t.Iterator[None]:
    """Raise TookTooLong inside a block that takes more time of the processor, regular expressions included.

    A busy machine makes no difference, and alarms of the real time, as Ansible sets them, stay as they are. Only the
    main thread can be interrupted; in others the block has no end of its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: types.FrameType | None) -> None:
        raise TookTooLong

    handler = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)
