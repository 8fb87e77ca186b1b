# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Dual pods: a requester's pod template holds, in an annotation, the patch that makes the pod which really serves.

The source is llm-d-modelservice v0.4, values requester.enable: the decode workload is a ReplicaSet of such requesters,
and a controller makes the serving pods of them.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, mapping
from ..values.reader import load_yaml, to_plain

ANNOTATION = "dual-pod.llm-d.ai/server-patch"


def serving_template(template: Object) -> Object:
    """Return the pod template that serves: the template itself, unless it is a requester's.

    Labels and containers are the template's with the patch laid over; a patch that cannot be read changes nothing.
    """
    metadata = mapping(template.get("metadata"))
    text = mapping(metadata.get("annotations")).get(ANNOTATION)
    if not isinstance(text, str):
        return template
    root, problems = load_yaml(text.encode(), ANNOTATION)
    if root is None or problems:
        return template
    patch = mapping(to_plain(root))
    labels = {**mapping(metadata.get("labels")), **mapping(mapping(patch.get("metadata")).get("labels"))}
    spec, over = mapping(template.get("spec")), mapping(patch.get("spec"))
    lists = {kind: _by_name(spec.get(kind), over.get(kind)) for kind in ("initContainers", "containers")}
    return {
        **template,
        "metadata": {**metadata, "labels": {key: value for key, value in labels.items() if value is not None}},
        "spec": {**spec, **lists},
    }


def _by_name(base: t.Any, patch: t.Any) -> list[Object]:
    """Return a list of containers with a patch's laid over, as a strategic merge joins them by name."""
    merged = {str(one.get("name")): one for one in dicts(base)}
    for one in dicts(patch):
        merged[str(one.get("name"))] = {**merged.get(str(one.get("name")), {}), **one}
    return list(merged.values())
