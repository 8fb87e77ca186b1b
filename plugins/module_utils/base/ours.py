# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is ours in a cluster: the labels and annotations of this collection, and how an object is known."""

from __future__ import annotations

import copy
import typing as t

from .data import Object

# The two spellings of the label by which model servers are known: llm-d-modelservice's, and older documents'.
SERVING_LABEL = "llm-d.ai/inference-serving"
OLD_SERVING_LABEL = "llm-d.ai/inferenceServing"
# Which model a model server's pods are of.
MODEL_LABEL = "llm-d.ai/model"
RECORD_TYPE = "orchestrator.llm-d.ai/record"
SECRET_TYPE = "helm.sh/release.v1"
MANAGED_LABEL = "orchestrator.llm-d.ai/managed"
COMPONENT_LABEL = "orchestrator.llm-d.ai/component"
FINGERPRINT_LABEL = "orchestrator.llm-d.ai/fingerprint"
# By this name the API server keeps what we own of an object that is applied without Helm.
FIELD_MANAGER = "llm_d.orchestrator"
# When an object was touched, so that its controller looks at it again.
TRIED_ANNOTATION = "orchestrator.llm-d.ai/tried-again"
# What was uploaded to a claim: where in it, and the content's digest.
UPLOADED_ANNOTATION = "orchestrator.llm-d.ai/uploaded"
KEEP_ANNOTATION = "helm.sh/resource-policy"


def object_key(item: Object) -> tuple[str, str, str, str]:
    """Return (apiVersion, kind, namespace, name)."""
    metadata = item["metadata"]
    return item["apiVersion"], item["kind"], metadata.get("namespace") or "", metadata["name"]


def is_kept(item: Object) -> bool:
    """Return whether Helm leaves an object behind when its release is removed."""
    policy = (item["metadata"].get("annotations") or {}).get(KEEP_ANNOTATION)
    return str(policy).strip().lower() == "keep"


def labelled(item: Object, labels: t.Mapping[str, str]) -> Object:
    """Return a copy of an object with labels added."""
    item = copy.deepcopy(item)
    metadata = item.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    return item
