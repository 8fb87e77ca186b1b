# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Dynamo operators that run in the cluster: those with a Ready pod, each with what its arguments say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from ..cluster.snapshot import Object, Snapshot, is_ready, labels_of, matches
from ..servers.commandline import flag, words
from .names import KUBERNETES, Version, version_in

IMAGE = "kubernetes-operator"
CONFIG_VOLUME, CONFIG_KEY = "operator-config", "config.yaml"


@dataclass(frozen=True)
class Operator:
    """One operator. `scope` is the namespace that it is restricted to, "" for all; addresses are HOST:PORT or ""."""

    pod: Object
    version: Version
    scope: str
    backend: str
    etcd: str
    nats: str

    def covers(self, obj: Object) -> bool:
        """Whether it reconciles an object's namespace."""
        return self.scope in ("", obj["metadata"]["namespace"])


def operators(snapshot: Snapshot) -> list[Operator]:
    """All operators that run; of the pods of one Deployment the first leads."""
    found: dict[tuple[str, str], Operator] = {}
    for pod in snapshot.all("Pod"):
        manager = next((item for item in pod["spec"]["containers"] if _is_manager(item)), None)
        if manager and is_ready(pod):
            instance = labels_of(pod).get("app.kubernetes.io/instance", pod["metadata"]["name"])
            found.setdefault((pod["metadata"]["namespace"], instance), _operator(pod, manager, snapshot))
    return list(found.values())


def _is_manager(container: Object) -> bool:
    name = container.get("image", "").rpartition("/")[2].partition(":")[0].partition("@")[0]
    return name in (IMAGE, "dynamo-operator")


def _operator(pod: Object, manager: Object, snapshot: Snapshot) -> Operator:
    line = words(manager)
    version = version_in(manager["image"]) or version_in(f":{flag(line, 'operator-version') or '0.5.0'}") or (0, 5, 0)
    if flag(line, "config"):
        return _configured(pod, version, _config(pod, snapshot))
    backend = (flag(line, "discovery-backend") or "kubernetes") if version >= KUBERNETES else "etcd"
    return Operator(
        pod, version, flag(line, "restrictedNamespace") or "", backend, flag(line, "etcdAddr") or "",
        flag(line, "natsAddr") or "",
    )  # fmt: skip


def _configured(pod: Object, version: Version, config: Object) -> Operator:
    infrastructure = config.get("infrastructure") or {}
    return Operator(
        pod,
        version,
        (config.get("namespace") or {}).get("restricted") or "",
        (config.get("discovery") or {}).get("backend") or "kubernetes",
        infrastructure.get("etcdAddress") or "",
        infrastructure.get("natsAddress") or "",
    )


def _config(pod: Object, snapshot: Snapshot) -> Object:
    """The configuration file of an operator since 1.0, from the ConfigMap that is mounted for it."""
    for volume in pod["spec"].get("volumes") or []:
        if volume["name"] == CONFIG_VOLUME:
            found = snapshot.get("ConfigMap", pod["metadata"]["namespace"], volume["configMap"]["name"])
            content: Any = yaml.safe_load(((found or {}).get("data") or {}).get(CONFIG_KEY, ""))
            return content if isinstance(content, dict) else {}
    return {}


def answers(address: str, home: str, snapshot: Snapshot) -> bool:
    """Whether a Ready pod is behind a Service's address: [scheme://]name[.namespace[.svc...]]:port.

    What lies outside the cluster is taken to be there. `home`: the namespace of whoever asks.
    """
    host = address.rpartition("://")[2].partition(":")[0]
    parts = host.split(".")
    if len(parts) > 2 and parts[2] != "svc":
        return True
    namespace = parts[1] if len(parts) > 1 else home
    service = snapshot.get("Service", namespace, parts[0])
    selector = service["spec"].get("selector") if service else None
    pods = snapshot.within("Pod", namespace)
    return any(matches(labels_of(pod), selector) and is_ready(pod) for pod in pods)
