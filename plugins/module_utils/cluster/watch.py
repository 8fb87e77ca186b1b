# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Live copies of a cluster's objects, kept up to date by watches: one for each kind and namespace.

Nothing is polled. A watch that ends is resumed where it stopped; one that is too old (410) or broken starts
from a new list.
"""

from __future__ import annotations

import json
import threading
import time
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from .client import Cluster

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    pass


Key = tuple[str, str, str]
T = t.TypeVar("T")
# Seconds after which the server ends a watch, and the longest pause before a broken one is tried again.
WATCH_SECONDS = 240
LONGEST_PAUSE = 10.0


class Expired(Exception):
    """The resource version is too old: list again."""


class _Watch:
    """The objects of one kind in one namespace ('' for all), by name or namespace/name."""

    def __init__(self, resource: t.Any, key: Key, changed: threading.Condition) -> None:
        self.resource, self.key, self.changed = resource, key, changed
        self.objects: dict[tuple[str, str], Object] = {}
        self.synced = False
        self.error: str | None = None
        # The status of the API's reply that was an error, 0 for any other.
        self.status = 0
        self.stopped = False

    def run(self) -> None:
        pause, version = 0.2, ""
        while not self.stopped:
            try:
                version = version or self._list()
                version = self._stream(version)
                pause = 0.2
            except Expired:
                version = ""
            except ApiException as exc:
                version = ""
                self._report(f"{exc.status} {exc.reason}", exc.status)
                if exc.status in (401, 403, 404, 405) and not self.synced:
                    return
                pause = self._rest(pause)
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
                version = ""
                self._report(str(exc))
                pause = self._rest(pause)

    def _rest(self, pause: float) -> float:
        time.sleep(pause)
        return min(pause * 2, LONGEST_PAUSE)

    def _report(self, error: str, status: int = 0) -> None:
        with self.changed:
            self.error, self.status = error, status
            self.changed.notify_all()

    def _list(self) -> str:
        reply = self.resource.get(namespace=self.key[2] or None).to_dict()
        found = {}
        for item in reply.get("items") or []:
            item.setdefault("apiVersion", self.key[0])
            item.setdefault("kind", self.key[1])
            found[name_of(item)] = item
        with self.changed:
            self.objects, self.synced, self.error = found, True, None
            self.changed.notify_all()
        return reply["metadata"]["resourceVersion"]

    def _stream(self, version: str) -> str:
        """Follow the watch until it ends; return the version to resume from."""
        response = self.resource.get(
            namespace=self.key[2] or None,
            watch=True,
            serialize=False,
            resource_version=version,
            allow_watch_bookmarks=True,
            timeout_seconds=WATCH_SECONDS,
            _request_timeout=(10, WATCH_SECONDS + 30),
        )
        buffered = b""
        try:
            for chunk in response.stream(amt=None, decode_content=True):
                *lines, buffered = (buffered + chunk).split(b"\n")
                for line in filter(None, lines):
                    version = self._apply(json.loads(line)) or version
                if self.stopped:
                    break
        finally:
            response.close()
        return version

    def _apply(self, event: Object) -> str:
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            if item.get("code") == 410:
                raise Expired
            raise ValueError(str(item.get("message")))
        if kind != "BOOKMARK":
            with self.changed:
                if kind == "DELETED":
                    self.objects.pop(name_of(item), None)
                else:
                    self.objects[name_of(item)] = item
                self.error = None
                self.changed.notify_all()
        return item["metadata"]["resourceVersion"]


def name_of(item: Object) -> tuple[str, str]:
    """Return (namespace, name)."""
    return item["metadata"].get("namespace") or "", item["metadata"]["name"]


class Watches:
    """All the watches of one module call. Threads are daemons: they end with the process, or by close()."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.changed = threading.Condition(threading.RLock())
        self._starting = threading.Lock()
        self._watches: dict[Key, _Watch] = {}

    def start(self, api_version: str, kind: str, namespace: str = "") -> bool:
        """Begin to watch a kind, once; return False where the cluster does not serve it."""
        key = (api_version, kind, namespace)
        with self._starting:
            if key in self._watches:
                return True
            resource = self.cluster.resource(api_version, kind)
            if resource is None:
                return False
            watch = _Watch(resource, key if resource.namespaced else (api_version, kind, ""), self.changed)
            self._watches[key] = watch
            threading.Thread(target=watch.run, daemon=True, name=f"watch {kind}").start()
            return True

    def objects(self, api_version: str, kind: str, namespace: str = "") -> list[Object]:
        """Return the objects as of now, [] for a kind that is not watched."""
        watch = self._watches.get((api_version, kind, namespace))
        with self.changed:
            return list(watch.objects.values()) if watch else []

    def find(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        """Return one watched object, or None."""
        watch = self._watches.get((api_version, kind, namespace))
        if watch is None:
            return None
        with self.changed:
            return watch.objects.get((namespace if watch.key[2] or watch.resource.namespaced else "", name))

    def synced(self, deadline: float) -> None:
        """Wait until every watch has its first list (deadline: time.monotonic() seconds); raise for one that cannot."""

        def missing() -> bool | None:
            waiting = [watch for watch in self._watches.values() if not watch.synced]
            refused = [watch for watch in waiting if watch.error]
            if refused and (time.monotonic() >= deadline or 400 <= refused[0].status < 410):
                raise OrchestratorError(
                    f"The cluster refused the request to watch {refused[0].key[1]}: {refused[0].error}"
                )
            return None if waiting else True

        if self.wait(missing, deadline) is None:
            raise OrchestratorError("Timed out listing the cluster's objects.")

    def wait(
        self, check: t.Callable[[], T | None], deadline: float, wake: t.Callable[[], float] | None = None
    ) -> T | None:
        """Return what check returns as soon as it is not None, or None at the deadline.

        check runs whenever a watched object has changed, and at wake() (time.monotonic() seconds), where given.
        """
        with self.changed:
            while True:
                result = check()
                now = time.monotonic()
                if result is not None or now >= deadline:
                    return result
                until = min(deadline, wake()) if wake else deadline
                self.changed.wait(timeout=max(0.01, min(until - now, 3600)))

    def tell(self) -> None:
        """Let all waits look again: something that is not watched has changed."""
        with self.changed:
            self.changed.notify_all()

    def errors(self) -> list[str]:
        """Return what is wrong with watches at the moment, for a message at a time-out."""
        return [f"watch of {watch.key[1]}: {watch.error}" for watch in self._watches.values() if watch.error]

    def close(self) -> None:
        """Let the threads end at their next event."""
        for watch in self._watches.values():
            watch.stopped = True
