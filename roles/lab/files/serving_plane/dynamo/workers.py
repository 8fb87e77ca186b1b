# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The runtime in pods: what a frontend or worker is by its command line and environment, and where it registers."""

from __future__ import annotations

from dataclasses import dataclass

from ..cluster.snapshot import Object, Snapshot, is_ready
from ..servers.commandline import environment, flag, has_flag, words
from ..servers.servers import dynamo_model, dynamo_module
from .names import GLOBAL, KUBERNETES, METADATA_KIND, ONE, Version, version_in
from .operators import answers

FIRST_WITH_TCP: Version = (0, 8, 0)
NEWEST: Version = (99, 0, 0)


@dataclass(frozen=True)
class Place:
    """Where a pod of the runtime registers and looks: `backend`, and there the `root` that pods have in common."""

    backend: str
    root: str


@dataclass(frozen=True)
class Runtime:
    """The runtime of one pod: `kind` is the module's name without "dynamo.", `problem` why it cannot start."""

    pod: Object
    kind: str
    version: Version
    place: Place
    namespace: str
    line: tuple[str, ...]
    problem: str = ""

    @property
    def model(self) -> str:
        """The name under which a worker registers its model."""
        return dynamo_model(list(self.line))

    @property
    def prefill(self) -> bool:
        """Whether it is a worker that prefills for others."""
        old = self.kind == "vllm" and has_flag(list(self.line), "is-prefill-worker")
        return old or flag(list(self.line), "disaggregation-mode") == "prefill"

    @property
    def decode(self) -> bool:
        """Whether it is a worker that was told to leave prefill to others."""
        return flag(list(self.line), "disaggregation-mode") == "decode"

    @property
    def endpoint(self) -> tuple[str, str, str]:
        """(namespace, component, endpoint) that requests are sent to."""
        given = (flag(list(self.line), "endpoint") or "").removeprefix("dyn://").split(".")
        if len(given) == 3:
            return given[0], given[1], given[2]
        return self.namespace, self._component(), "generate"

    def _component(self) -> str:
        if self.kind != "trtllm":
            return "prefill" if self.prefill else "backend"
        late = "prefill" if self.version >= ONE else "tensorrt_llm_next"
        return late if self.prefill else "tensorrt_llm"


def runtime(pod: Object, snapshot: Snapshot) -> Runtime | None:
    """The runtime of a pod, or None."""
    for container in pod["spec"].get("containers") or []:
        line = words(container)
        kind = dynamo_module(line)
        if kind:
            return _runtime(pod, container, kind, line, snapshot)
    return None


def _runtime(pod: Object, container: Object, kind: str, line: list[str], snapshot: Snapshot) -> Runtime:
    env, home = environment(container), pod["metadata"]["namespace"]
    version = version_in(container.get("image", "")) or NEWEST
    backend = (flag(line, "discovery-backend") or env.get("DYN_DISCOVERY_BACKEND") or "etcd").replace(
        "kv_store", "etcd"
    )
    backend = backend if version >= KUBERNETES else "etcd"
    etcd, nats = env.get("ETCD_ENDPOINTS", "localhost:2379"), env.get("NATS_SERVER", "nats://localhost:4222")
    problem = _refusal(kind, line, version)
    if not problem and backend == "etcd" and not answers(etcd, home, snapshot):
        problem = f"Unable to connect to etcd server at {etcd}. Check etcd server status"
    if not problem and version < FIRST_WITH_TCP and not answers(nats, home, snapshot):
        problem = f"Failed to connect to NATS: IO error: Connection refused ({nats})"
    namespace = env.get("DYN_NAMESPACE", GLOBAL)
    suffix = env.get("DYN_NAMESPACE_WORKER_SUFFIX")
    namespace = f"{namespace}-{suffix}" if suffix else namespace
    root = home if backend == "kubernetes" else _full(etcd, home)
    return Runtime(pod, kind, version, Place(backend, root), namespace, tuple(line), problem)


def _full(address: str, home: str) -> str:
    """An address with its namespace, so that two ways to write it are one."""
    host, _colon, port = address.rpartition("://")[2].partition(":")
    parts = host.split(".")
    return f"{parts[0]}.{parts[1] if len(parts) > 1 else home}:{port}"


def _refusal(kind: str, line: list[str], version: Version) -> str:
    """What the argument parser says, where it does not know an argument that tells what a worker is for."""
    if kind == "vllm" and version < ONE and has_flag(line, "disaggregation-mode"):
        return "main.py: error: unrecognized arguments: --disaggregation-mode"
    return ""


def registered(snapshot: Snapshot) -> list[Runtime]:
    """The workers that are registered: Ready, and connected to what they register in. Oldest first."""
    found = (runtime(pod, snapshot) for pod in snapshot.all("Pod") if is_ready(pod))
    workers = [item for item in found if item and item.kind != "frontend" and not item.problem and _can(item, snapshot)]
    return sorted(workers, key=lambda item: (item.pod["metadata"].get("creationTimestamp", ""), _name(item)))


def _can(item: Runtime, snapshot: Snapshot) -> bool:
    """Whether what a worker registers in is there: in Kubernetes that is a kind of its own."""
    return item.place.backend != "kubernetes" or METADATA_KIND in snapshot.served


def _name(item: Runtime) -> tuple[str, str]:
    return item.pod["metadata"]["namespace"], item.pod["metadata"]["name"]
