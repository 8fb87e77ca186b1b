# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The environment that the kubelet gives a container, values of Secrets, ConfigMaps and fields included."""

from __future__ import annotations

import base64
import re

from ..cluster.snapshot import Object, Snapshot
from .commandline import expand


class Missing(Exception):
    """The kubelet cannot make the environment; the text is its message."""


def resolved(pod: Object, container: Object, snapshot: Snapshot) -> dict[str, str]:
    """The whole environment of a container. Raises Missing where a Secret, a ConfigMap or a key is not there."""
    known: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for kind, ref in (("ConfigMap", source.get("configMapRef")), ("Secret", source.get("secretRef"))):
            if ref:
                known |= {source.get("prefix", "") + key: text for key, text in _data(pod, kind, ref, snapshot).items()}
    for item in container.get("env") or []:
        text = _value(pod, item, known, snapshot)
        if text is not None:
            known[item["name"]] = text
    return known


def _value(pod: Object, item: Object, known: dict[str, str], snapshot: Snapshot) -> str | None:
    source = item.get("valueFrom") or {}
    for kind, ref in (("ConfigMap", source.get("configMapKeyRef")), ("Secret", source.get("secretKeyRef"))):
        if ref:
            return _key(pod, kind, ref, snapshot)
    if source.get("fieldRef"):
        return _field(pod, source["fieldRef"]["fieldPath"])
    return None if source else expand(str(item.get("value") or ""), known)


def _key(pod: Object, kind: str, ref: Object, snapshot: Snapshot) -> str | None:
    found = _data(pod, kind, ref, snapshot)
    if ref["key"] not in found and not ref.get("optional"):
        raise Missing(f"couldn't find key {ref['key']} in {kind} {pod['metadata']['namespace']}/{ref['name']}")
    return found.get(ref["key"])


def _data(pod: Object, kind: str, ref: Object, snapshot: Snapshot) -> dict[str, str]:
    found = snapshot.get(kind, pod["metadata"]["namespace"], ref["name"])
    if found is None:
        if ref.get("optional"):
            return {}
        raise Missing(f'{kind.lower()} "{ref["name"]}" not found')
    data = found.get("data") or {}
    if kind == "ConfigMap":
        return data
    return {key: base64.b64decode(text).decode(errors="replace") for key, text in data.items()}


def _field(pod: Object, path: str) -> str:
    """The value of a fieldRef, such as metadata.name, status.podIP or metadata.labels['x']."""
    found = re.fullmatch(r"metadata\.(labels|annotations)\['([^']*)'\]", path)
    if found:
        return (pod["metadata"].get(found[1]) or {}).get(found[2], "")
    node: object = pod
    for name in path.split("."):
        node = node.get(name, "") if isinstance(node, dict) else ""
    return str(node)
