# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A record as a Secret of its namespace: packed within a Secret's size, told apart by labels, pruned by age."""

from __future__ import annotations

import base64
import gzip
import json
import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import COMPONENT_LABEL, MANAGED_LABEL

RECORD_TYPE = "orchestrator.llm-d.ai/record"
COMPONENT = "record"
# What is ours of this type, for a list of them.
SELECTOR = f"{MANAGED_LABEL}=true,{COMPONENT_LABEL}={COMPONENT}"
FIELDS = f"type={RECORD_TYPE}"
SUMMARY = "orchestrator.llm-d.ai/record"
PREFIX = "llm-d-orchestrator-record-"
KEY = "record"
TIME = re.compile(r"\d{8}t\d{6}z")
# A Secret holds 1 MiB at most (core/v1 MaxSecretSize).
LIMIT = 900 * 1024
# An annotation is no place for hundreds of names (together 256 KiB at most).
NAMES = 200
# What is left out of a record that is too large, until it fits: the largest that others repeat goes first.
SPARED = (
    ("stack", "inputs"),
    ("inputs", ""),
    ("verification", "checks"),
    ("steps", ""),
    ("stack", "releases"),
    ("stack", "routes"),
    ("diagnosis", "evidence"),
    ("stack", ""),
    ("diagnosis", ""),
    ("releases", ""),
)

Object = dict[str, t.Any]


def secret_name(time: str) -> str:
    """Return the Secret's name for the start of a deployment, as 20261121T083000Z; raise OrchestratorError else."""
    if not TIME.fullmatch(time.lower()):
        raise OrchestratorError(f"{time!r} is not the time of a record, such as 20261121T083000Z.")
    return PREFIX + time.lower()


def time_of(name: str) -> str:
    """Return the time in a Secret's name, "" for the name of another."""
    time = name.removeprefix(PREFIX)
    return time.upper() if name.startswith(PREFIX) and TIME.fullmatch(time) else ""


def pack(record: Object, limit: int = LIMIT) -> tuple[bytes, list[str]]:
    """Return a record as gzipped JSON of at most limit bytes, and what was left out for it, which it says itself.

    Raises OrchestratorError where even the rest is larger.
    """
    left_out: list[str] = []
    packed = _gzipped(record)
    for key, part in SPARED:
        if len(packed) <= limit:
            return packed, left_out
        whole = record.get(key)
        if not whole or (part and not whole.get(part)):
            continue
        record = {**record, key: {**whole, part: type(whole[part])()} if part else type(whole)()}
        left_out.append(f"{key}.{part}" if part else key)
        record["left_out"] = left_out
        packed = _gzipped(record)
    if len(packed) > limit:
        raise OrchestratorError(f"the record has {len(packed)} bytes, a Secret takes {limit}")
    return packed, left_out


def _gzipped(record: Object) -> bytes:
    # The time of packing would make equal records differ.
    return gzip.compress(json.dumps(record, separators=(",", ":"), default=str).encode(), mtime=0)


def unpack(secret: Object) -> Object:
    """Return the record in a Secret; raise OrchestratorError where it holds none that can be read."""
    try:
        record = json.loads(gzip.decompress(base64.b64decode(secret["data"][KEY])))
    except (KeyError, TypeError, ValueError, OSError, EOFError) as exc:
        name = (secret.get("metadata") or {}).get("name")
        raise OrchestratorError(f"Secret {name} holds no record that can be read: {exc}") from exc
    if not isinstance(record, dict):
        raise OrchestratorError(f"Secret {secret['metadata']['name']} holds no record.")
    return record


def summary(record: Object) -> Object:
    """Return what a list of records shows of one."""
    return {
        "outcome": record["outcome"],
        "plan_digest": record["plan_digest"],
        "models": [str(model.get("name")) for model in (record["stack"].get("models") or [])][:NAMES],
        "by": record["by"],
        "started": record["started"],
        "seconds": record["seconds"],
    }


def manifest(record: Object, time: str, namespace: str, limit: int = LIMIT) -> Object:
    """Return the Secret that keeps a record; raise OrchestratorError where it cannot."""
    packed, _left_out = pack(record, limit)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": RECORD_TYPE,
        "metadata": {
            "name": secret_name(time),
            "namespace": namespace,
            "labels": {MANAGED_LABEL: "true", COMPONENT_LABEL: COMPONENT},
            "annotations": {SUMMARY: json.dumps(summary(record), separators=(",", ":"))},
        },
        "data": {KEY: base64.b64encode(packed).decode()},
    }


def listed(metadata: Object) -> Object | None:
    """Return {time, outcome, plan_digest, models, by, ...} of a record Secret's metadata, None for another Secret."""
    time = time_of(str(metadata.get("name") or ""))
    if not time:
        return None
    try:
        told = json.loads((metadata.get("annotations") or {})[SUMMARY])
    except (KeyError, ValueError):
        told = {}
    empty: Object = {"outcome": "unknown", "plan_digest": "", "models": [], "by": {}, "started": "", "seconds": None}
    return {"time": time, **empty, **(told if isinstance(told, dict) else {}), "secret": metadata["name"]}


def surplus(records: list[Object], history: int) -> list[str]:
    """Return the names of the Secrets to prune, oldest first.

    records: as listed(), newest first. The newest history of them stay; where all those failed, the newest success
    stays in place of the oldest, so that there is something to go back to.
    """
    kept = records[: max(history, 0)]
    if history > 1 and all(row["outcome"] != "succeeded" for row in kept):
        good = [row for row in records if row["outcome"] == "succeeded"][:1]
        kept = kept[: history - len(good)] + good if len(records) > history else kept
    names = {row["secret"] for row in kept}
    return [row["secret"] for row in reversed(records) if row["secret"] not in names]
