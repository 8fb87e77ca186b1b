# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the last lines of containers: bounded in lines, bytes, time and number; those of crashes once for each."""

from __future__ import annotations

import base64
import concurrent.futures
import threading
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.mask import discreet, is_secret_key, secret_arguments
from ..cluster.client import Cluster, api_error
from ..objects.pods import LastWords, container_states, ended, waiting
from .evidence import CONTROL, Evidence, clean, ref
from .log_rules import last_line, matches, of_pod
from .rules_logs import LOG_RULES

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


# A traceback of each of a model's processes goes before the one that says "see root cause above".
LINES, BYTES = 400, 64 * 1024
# The server counts limitBytes from the first line: long lines must not cost the last ones, which matter.
READ_BYTES = 512 * 1024
# Containers of one workload that fail the same way say the same.
PER_WORKLOAD, CONTAINERS = 2, 20
TIMEOUT = (3.0, 10.0)
THREADS, MOST = 4, 50
_NO_LOG = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError", "ContainerCreating",
           "PodInitializing", "CreateContainerError", "ErrImageNeverPull")  # fmt: skip


def read_log(cluster: Cluster, namespace: str, pod: str, container: str, *, previous: bool) -> list[str]:
    """Return a container's last lines, of its previous run where asked; raise OrchestratorError."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    query = [("container", container), ("tailLines", LINES), ("limitBytes", READ_BYTES)]
    query += [("previous", "true")] if previous else []
    try:
        reply = cluster.client.request("get", path, query_params=query, serialize=False, _request_timeout=TIMEOUT)
        text = bytes(reply.data or b"")
    except ApiException as exc:
        raise api_error(exc, f"read the log of pod {pod}, container {container}") from exc
    except urllib3.exceptions.HTTPError as exc:
        raise OrchestratorError(f"The log of pod {pod} cannot be read: {exc}") from exc
    return split(text)


def split(text: bytes) -> list[str]:
    """Return the last LINES lines within the last BYTES bytes, without control characters."""
    lines = text[-BYTES:].decode("utf-8", errors="replace").splitlines()
    return [CONTROL.sub("", line) for line in lines[-LINES:]]


def wanted(evidence: Evidence) -> list[tuple[Object, str, bool]]:
    """Return (pod, container, failing) of the logs to read: those that ended in failure first, then those that run and
    are not ready."""
    rows: list[tuple[int, Object, str]] = []
    for pod in evidence.pods:
        for state in container_states(pod):
            rank = _rank(state)
            if rank is not None:
                rows.append((rank, pod, str(state.get("name"))))
    taken: dict[tuple, int] = {}
    found = []
    for rank, pod, container in sorted(rows, key=lambda row: row[0]):
        key = (evidence.workload(pod), container, rank)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= PER_WORKLOAD:
            found.append((pod, container, True))
    return found[:CONTAINERS]


def _rank(state: Object) -> int | None:
    """Return how urgent a container's log is: 0 ended in failure, 1 running and not ready, None not at all."""
    if waiting(state).get("reason") in _NO_LOG and not state.get("restartCount"):
        return None
    end = ended(state)
    if not state.get("ready") and (end.get("exitCode") or waiting(state).get("reason") == "CrashLoopBackOff"):
        return 0
    if not state.get("ready") and "running" in (state.get("state") or {}):
        return 1
    return None


def log_of(cluster: Cluster, pod: Object, container: str) -> tuple[list[str], bool]:
    """Return (lines, whether of the previous run): where a container has been started again, of the run that failed."""
    state: Object = next((s for s in container_states(pod) if s.get("name") == container), {})
    _kind, namespace, name = ref(pod)
    runs = "running" in (state.get("state") or {})
    restarted = bool(state.get("restartCount")) and bool(ended(state))
    order = [True, False] if restarted and runs else [False, True] if restarted else [False]
    errors: list[OrchestratorError] = []
    for previous in order:
        try:
            lines = read_log(cluster, namespace, name, container, previous=previous)
        except OrchestratorError as exc:
            errors.append(exc)
            continue
        if lines:
            return lines, previous
    if len(errors) == len(order):
        raise errors[0]
    return [], False


def known_secrets(cluster: Cluster, pods: t.Iterable[Object], plain: t.Callable[[str], bool]) -> set[str]:
    """Return secret values that pods get, so that they can be taken out of their logs.

    plain: says of a variable's name whether its value is a secret. Values of Secrets are read where that is permitted.
    """
    found: set[str] = set()
    names: set[tuple[str, str]] = set()
    for pod in pods:
        spec = pod.get("spec") or {}
        for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
            found |= secret_arguments([*(container.get("command") or []), *(container.get("args") or [])])
            for entry in container.get("env") or []:
                if plain(str(entry.get("name"))) and entry.get("value"):
                    found.add(str(entry["value"]))
                source = ((entry.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
                names |= {(ref(pod)[1], str(source))} if source else set()
            for entry in container.get("envFrom") or []:
                source = (entry.get("secretRef") or {}).get("name")
                names |= {(ref(pod)[1], str(source))} if source else set()
    for namespace, name in sorted(names)[:CONTAINERS]:
        found |= _values(cluster, namespace, name)
    return found


def _values(cluster: Cluster, namespace: str, name: str) -> set[str]:
    try:
        secret = cluster.get("v1", "Secret", name, namespace)
    except OrchestratorError:  # not permitted: what looks like a token is masked all the same
        return set()
    texts = set()
    for value in ((secret or {}).get("data") or {}).values():
        texts.add(base64.b64decode(value).decode("utf-8", errors="replace").strip())
    return {line for text in texts for line in (text, *text.splitlines()) if len(line) >= 4}


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
    for match in matches(tuple(lines), of_pod(LOG_RULES, pod), ended=True):
        if match.fits(pod, container):
            line = discreet(clean(match.statement.shown), hidden)
            return LastWords(line, f"{match.rule.id} {match.rule.title}", match.rule.fatal)
    line = last_line(lines)
    return LastWords(discreet(line, hidden)) if line else None
