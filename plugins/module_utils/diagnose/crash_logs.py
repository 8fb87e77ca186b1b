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
from .evidence import clean
from .log_rules import last_line, matches
from .logs import known_secrets, log_of
from .rules_logs import LOG_RULES

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
        self._words[key] = last_words(lines, secrets, pod, container)
        self.tell()


def last_words(lines: t.Sequence[str], secrets: t.Iterable[str], pod: Object, container: str) -> LastWords | None:
    """Return what the log of a pod's container ends with, secrets masked; None for an empty one."""
    hidden = sorted((text for text in secrets if len(text) >= 4), key=len, reverse=True)
    for match in matches(tuple(lines), LOG_RULES, ended=True):
        if match.fits(pod, container):
            line = discreet(clean(match.statement.shown), hidden)
            return LastWords(line, f"{match.rule.id} {match.rule.title}", match.rule.fatal)
    line = last_line(lines)
    return LastWords(discreet(line, hidden)) if line else None
