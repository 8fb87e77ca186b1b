# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The router's containers at their start: what they read then, and never again, and why some of them end at once."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from ..cluster.snapshot import Object, Snapshot, is_deleted
from ..kubelet.claims import Claims
from ..kubelet.logs import PodLogs
from ..network import Network
from ..servers.commandline import flag, words
from ..servers.environment import Missing, resolved
from ..servers.messages import Call, Reply
from ..servers.servers import ROUTER, TRITON, Server, servers
from .config import ConfigError, builtin, expand, parse, unresolved
from .controller import Controller, log_line
from .metrics import ControllerMetrics
from .repository import CannotStart, loaded
from .triton import Triton

CONFIG = "/app/config.yaml"
NOT_THERE = "No such file or directory (os error 2)"
ACTIVE = "Gateway API is active and running."


class Routers:
    """The router's pods by their uid: those that run, with what they have read, and those that cannot.

    What was read is kept in a file, so that a restart of the plane is none of the controllers.
    """

    def __init__(self, kept: Path, logs: PodLogs, claims: Claims) -> None:
        self._kept = kept
        self._logs = logs
        self._claims = claims
        self._read: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        self._crashed: dict[str, tuple[object, str]] = {}
        self._controllers: dict[str, Controller] = {}
        self._tritons: dict[str, Triton] = {}

    def look(self, snapshot: Snapshot) -> dict[str, str]:
        """Start what was scheduled and can start; the log of each pod, by uid, whose container ends at once."""
        crashes: dict[str, str] = {}
        pods = [pod for pod in snapshot.all("Pod") if pod["spec"].get("nodeName") and not is_deleted(pod)]
        for pod in pods:
            uid = pod["metadata"]["uid"]
            kinds = {item.kind: item for item in servers(pod) if item.kind in (ROUTER, TRITON)}
            for kind, server in kinds.items():
                if uid not in self._read:
                    text = self._start(pod, kind, _container(pod, server), snapshot)
                    crashes |= {uid: text} if text else {}
        self._forget({pod["metadata"]["uid"] for pod in snapshot.all("Pod")})
        return crashes

    def _start(self, pod: Object, kind: str, container: Object, snapshot: Snapshot) -> str:
        """Start a container; what it leaves in its log where it ends at once, "" where it runs or is not begun."""
        uid = pod["metadata"]["uid"]
        try:
            env = resolved(pod, container, snapshot)
            if kind == TRITON:
                self._keep(uid, {"models": sorted(loaded(pod, container, snapshot, self._claims))})
                return ""
            source = _config_text(pod, container, snapshot)
        except Missing:
            return ""
        except CannotStart as exc:
            return str(exc)
        known = self._crashed.get(uid)
        if known and known[0] == (source, env):
            return known[1]
        text = self._start_controller(uid, source, env)
        if text:
            self._crashed[uid] = (source, env), text
        return text

    def _start_controller(self, uid: str, source: str | None, env: dict[str, str]) -> str:
        lines = [log_line("INFO", ACTIVE)]
        try:
            if source is None:
                raise ConfigError(NOT_THERE)
            expanded, said = expand(source, env)
            lines += said
            config = parse(expanded)
        except ConfigError as exc:
            return "\n".join([*lines, log_line("ERROR", f"Failed to load configuration: {exc}"), f"Error: {exc}"])
        lines += [*unresolved(config), log_line("INFO", "Listening on http://0.0.0.0:8084")]
        self._logs.write(uid, lines)
        self._keep(uid, {"config": expanded})
        return ""

    def _keep(self, uid: str, read: dict[str, Any]) -> None:
        self._read[uid] = read
        self._crashed.pop(uid, None)
        self._write()

    def _forget(self, alive: set[str]) -> None:
        gone = set(self._read) - alive
        for known in (self._read, self._crashed, self._controllers, self._tritons):
            for uid in set(known) - alive:
                del known[uid]
        if gone:
            self._write()

    def _write(self) -> None:
        self._kept.touch(0o600)
        self._kept.write_text(json.dumps(self._read), encoding="utf-8")

    async def controller(self, pod: Object, _server: Server, call: Call, network: Network) -> Reply:
        """The reply of a controller's pod."""
        uid = pod["metadata"]["uid"]
        read = self._read.get(uid)
        if read is None:
            return Reply(0, note="the controller has not started")
        if uid not in self._controllers:
            say = partial(self._logs.append, uid)
            self._controllers[uid] = Controller(pod, parse(read["config"]), ControllerMetrics(), say)
        return await self._controllers[uid].answer(call, network)

    async def triton(self, pod: Object, server: Server, call: Call, _network: Network) -> Reply:
        """The reply of a Triton server's pod."""
        uid = pod["metadata"]["uid"]
        read = self._read.get(uid)
        if read is None:
            return Reply(0, note="Triton has not started")
        return self._tritons.setdefault(uid, Triton(frozenset(read["models"]))).answer(server.port, call)


def _container(pod: Object, server: Server) -> Object:
    return next(item for item in pod["spec"]["containers"] if item["name"] == server.container)


def _config_text(pod: Object, container: Object, snapshot: Snapshot) -> str | None:
    """The file that the controller reads; None where something is mounted over its folder that has no such file."""
    path = PurePosixPath(flag(words(container), "config-path") or CONFIG)
    mounts = [item for item in container.get("volumeMounts") or [] if path.is_relative_to(item["mountPath"])]
    if not mounts:
        return builtin() if str(path) == CONFIG else None
    mount = max(mounts, key=lambda item: len(item["mountPath"]))
    volume = next(item for item in pod["spec"].get("volumes") or [] if item["name"] == mount["name"])
    source = volume.get("configMap")
    found = snapshot.get("ConfigMap", pod["metadata"]["namespace"], source["name"]) if source else None
    if found is None:
        if source and not source.get("optional"):
            raise Missing(f'configmap "{source["name"]}" not found')
        return None
    data = found.get("data") or {}
    files = {item["path"]: data.get(item["key"]) for item in source.get("items") or []} or data
    inside = PurePosixPath(mount.get("subPath") or ".") / path.relative_to(mount["mountPath"])
    return files.get(str(inside))
