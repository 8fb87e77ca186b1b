# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of what was deployed: a hash of each object as its manifest has it, to find changes by later."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..base.data import Object

# Hex digits: enough to tell two states of one object apart.
LENGTH = 32
# What the API server or a Secret's readers add, and what is no part of what was asked for.
IGNORED = ("status",)


def fingerprint(item: Object) -> str:
    """Return the hash of all fields that a manifest gives an object, whatever the order of its keys.

    Of a Secret's values only the keys count: a hash of a weak password would give it away.
    """
    body = {key: value for key, value in item.items() if key not in IGNORED}
    if item.get("kind") == "Secret":
        body |= {key: sorted(item[key] or {}) for key in ("data", "stringData") if key in item}
    text = json.dumps(body, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def key_of(item: Object) -> tuple[str, str, str, str]:
    """Return (apiVersion, kind, namespace, name) of a manifest's object."""
    metadata = item.get("metadata") or {}
    return item.get("apiVersion", ""), item.get("kind", ""), metadata.get("namespace") or "", metadata.get("name", "")


def fingerprinted(rows: list[Object], objects: t.Iterable[Object]) -> list[Object]:
    """Return the rows of a part's objects, each with the fingerprint of its manifest."""
    found: dict[tuple[str, ...], str] = {key_of(item): fingerprint(item) for item in objects}
    keys = ("api_version", "kind", "namespace", "name")
    return [{**row, "fingerprint": found.get(tuple(row.get(key) or "" for key in keys), "")} for row in rows]


def listed(objects: t.Iterable[Object], **more: t.Any) -> list[Object]:
    """Return objects as rows list them: api_version, kind, namespace, name, fingerprint, and what is more of each."""
    keys = ("api_version", "kind", "namespace", "name")
    return [
        {**dict(zip(keys, key_of(item), strict=True)), **more, "fingerprint": fingerprint(item)} for item in objects
    ]
