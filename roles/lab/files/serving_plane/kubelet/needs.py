# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a pod needs before its containers start, in the kubelet's order: volumes, images, environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Set

from ..cluster.snapshot import Object, Snapshot, labels_of
from ..servers.environment import Missing, resolved
from .images import image_problem
from .problem import Problem

CREATING = "ContainerCreating"
FILES = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))
# Pods that KWOK starts only once they were looked at: module_utils/lab/stages.py has the same conditions.
UNUSUAL_IMAGE = re.compile(r"[A-Z_]|:$|:@|/kube-rbac-proxy|bitnami/")
SOURCES = ("configMap", "secret", "persistentVolumeClaim")
PLAYED = {"router-controller", "router-server"}


def containers_of(pod: Object) -> list[Object]:
    """All containers of a pod, those that run first before the others."""
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def waits(pod: Object) -> bool:
    """True for a pod that is started only once it was looked at: it needs something, or the plane plays its start."""
    volumes = pod["spec"].get("volumes") or []
    return (
        labels_of(pod).get("app.kubernetes.io/component") in PLAYED
        or any(item.get(source) is not None for item in volumes for source in SOURCES)
        or any(_asks(item) or UNUSUAL_IMAGE.search(item.get("image", "")) for item in containers_of(pod))
    )


def _asks(container: Object) -> bool:
    return bool(container.get("envFrom")) or any(item.get("valueFrom") for item in container.get("env") or [])


def problem(pod: Object, snapshot: Snapshot, started: Set[str]) -> Problem | None:
    """What keeps a scheduled pod's containers from starting; None where nothing does.

    `started`: the uids of the pods whose containers were started.
    """
    return (
        _files(pod, snapshot)
        or _claims(pod, snapshot, started)
        or _first(pod, lambda item: image_problem(item.get("image", "")))
        or _first(pod, lambda item: _environment(pod, item, snapshot))
    )


def _first(pod: Object, look: Callable[[Object], Problem | None]) -> Problem | None:
    """The problem of the first container that has one."""
    first = [item["name"] for item in pod["spec"].get("initContainers") or []]
    for item in containers_of(pod):
        found = look(item)
        if found:
            return found._replace(init=item["name"] if item["name"] in first else "")
    return None


def _files(pod: Object, snapshot: Snapshot) -> Problem | None:
    for volume in pod["spec"].get("volumes") or []:
        for field, kind, name in FILES:
            source = volume.get(field)
            if not source or source.get("optional"):
                continue
            found = snapshot.get(kind, pod["metadata"]["namespace"], source[name])
            why = f'{kind.lower()} "{source[name]}" not found' if found is None else _no_key(source, found)
            if why:
                text = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
                return Problem(CREATING, "", (("FailedMount", text),))
    return None


def _no_key(source: Object, found: Object) -> str:
    held = {*(found.get("data") or {}), *(found.get("binaryData") or {})}
    missing = next((item["key"] for item in source.get("items") or [] if item["key"] not in held), "")
    return f"references non-existent {found['kind'].lower()} key: {missing}" if missing else ""


def _claims(pod: Object, snapshot: Snapshot, started: Set[str]) -> Problem | None:
    """A claim of one node that a pod on another node has."""
    namespace, node = pod["metadata"]["namespace"], pod["spec"]["nodeName"]
    for name in claims_of(pod):
        claim = snapshot.get("PersistentVolumeClaim", namespace, name)
        if claim is None or claim["spec"].get("accessModes") != ["ReadWriteOnce"]:
            continue
        others = [
            other["metadata"]["name"]
            for other in snapshot.within("Pod", namespace)
            if name in claims_of(other) and other["metadata"]["uid"] in started and other["spec"]["nodeName"] != node
        ]
        if others:
            volume = claim["spec"].get("volumeName", f"pvc-{claim['metadata']['uid']}")
            text = f'Multi-Attach error for volume "{volume}" Volume is already used by pod(s) {", ".join(others)}'
            return Problem(CREATING, "", (("FailedAttachVolume", text),))
    return None


def claims_of(pod: Object) -> list[str]:
    """The claims that a pod mounts."""
    volumes = pod["spec"].get("volumes") or []
    return [item["persistentVolumeClaim"]["claimName"] for item in volumes if item.get("persistentVolumeClaim")]


def _environment(pod: Object, container: Object, snapshot: Snapshot) -> Problem | None:
    try:
        resolved(pod, container, snapshot)
    except Missing as exc:
        return Problem("CreateContainerConfigError", str(exc), (("Failed", f"Error: {exc}"),))
    return None
