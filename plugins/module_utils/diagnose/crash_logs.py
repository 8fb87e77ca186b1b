# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What crashed containers said last, read once for each crash beside the wait for readiness."""

from __future__ import annotations

import concurrent.futures
import threading
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.mask import discreet, is_secret_key
from ..cluster.client import Cluster
from ..objects.pods import LastWords
from .log_rules import diagnosed, last_line
from .logs import known_secrets, log_of
from .registry import LOG_RULES

THREADS, MOST = 4, 50


class CrashLogs:
    """Reads logs in threads; asks nothing twice."""

    def __init__(self, cluster: Cluster, tell: t.Callable[[], t.Any]) -> None:
        """tell: called when a log has been read, from a thread."""
        self.cluster, self.tell = cluster, tell
        self._words: dict[tuple, LastWords | None] = {}
        self._lock = threading.Lock()
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None

    def said(self, pod: Object, state: Object) -> LastWords | None:
        """Return what a crashed container said last, None as long as that is not known."""
        key = (pod["metadata"].get("uid"), state.get("name"), state.get("restartCount"))
        with self._lock:
            if key in self._words or len(self._words) >= MOST:
                return self._words.get(key)
            self._words[key] = None
            if self._pool is None:
                self._pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        self._pool.submit(self._read, key, pod, str(state.get("name")))
        return None

    def _read(self, key: tuple, pod: Object, container: str) -> None:
        try:
            lines, _previous = log_of(self.cluster, pod, container)
            secrets = known_secrets(self.cluster, [pod], is_secret_key) if lines else set()
        except OrchestratorError:  # the container's state alone has to do
            return
        self._words[key] = last_words(lines, secrets)
        self.tell()


def last_words(lines: t.Sequence[str], secrets: t.Iterable[str] = ()) -> LastWords | None:
    """Return what a log ends with, secrets masked; None for an empty one."""
    hidden = sorted((text for text in secrets if len(text) >= 4), key=len, reverse=True)
    found = diagnosed(lines, LOG_RULES)
    if found:
        rule, line = found
        return LastWords(discreet(line, hidden), f"DIAG{rule.number} {rule.title}", rule.fatal)
    line = last_line(lines)
    return LastWords(discreet(line, hidden)) if line else None
