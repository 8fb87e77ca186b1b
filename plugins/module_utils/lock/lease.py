# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lock of a namespace as a Lease: who holds it, what a holder writes, and when it has expired.

Clocks of machines differ, so expiry is never told by comparing times: a Lease has expired when its renewTime has not
changed for leaseDurationSeconds on the watcher's own monotonic clock, as client-go's leader election has it.
"""

from __future__ import annotations

import copy
import datetime
import json

from ..base.data import Object

API, KIND, NAME = "coordination.k8s.io/v1", "Lease", "llm-d-orchestrator"
# Seconds that a lock outlives its holder, and after which a holder renews it.
DURATION, RENEW = 30, 8
PROCESS = "orchestrator.llm-d.ai/process"
PURPOSE = "orchestrator.llm-d.ai/purpose"
LABELS = {"orchestrator.llm-d.ai/managed": "true", "orchestrator.llm-d.ai/component": "lock"}


def micro_time(moment: datetime.datetime | None = None) -> str:
    """Return a time as Leases have it."""
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def holder(lease: Object | None) -> str:
    """Return who holds a Lease, "" where nobody does."""
    return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")


def version(lease: Object | None) -> str:
    """Return what changes with every taking and releasing of a Lease, and not when it is renewed."""
    spec = (lease or {}).get("spec") or {}
    return f"{spec.get('leaseTransitions') or 0} {holder(lease)}" if lease else ""


def process_of(lease: Object) -> dict[str, str]:
    """Return the holder's process as _lock_process.describe() tells it, {} where the Lease does not."""
    text = (lease["metadata"].get("annotations") or {}).get(PROCESS) or "{}"
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def taken(lease: Object | None, namespace: str, identity: str, process: dict[str, str], purpose: str) -> Object:
    """Return the Lease to write in order to take it. lease: as it is, None where there is none."""
    now = micro_time()
    old = copy.deepcopy(lease or {})
    metadata = old.get("metadata") or {}
    kept = {key: metadata[key] for key in ("resourceVersion", "uid") if key in metadata}
    annotations = {**(metadata.get("annotations") or {}), PROCESS: json.dumps(process, sort_keys=True)}
    annotations[PURPOSE] = purpose
    transitions = ((old.get("spec") or {}).get("leaseTransitions") or 0) + 1
    return {
        "apiVersion": API,
        "kind": KIND,
        "metadata": {
            "name": NAME,
            "namespace": namespace,
            "labels": {**(metadata.get("labels") or {}), **LABELS},
            "annotations": annotations,
            **kept,
        },
        "spec": {
            "holderIdentity": identity,
            "leaseDurationSeconds": DURATION,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        },
    }


def released(lease: Object) -> Object:
    """Return the Lease to write in order to give it back; it stays, so that others see that something happened."""
    new = copy.deepcopy(lease)
    new["spec"] = {
        "leaseTransitions": (lease["spec"].get("leaseTransitions") or 0) + 1,
        "renewTime": micro_time(),
        "leaseDurationSeconds": 1,
    }
    (new["metadata"].get("annotations") or {}).pop(PROCESS, None)
    return new


def held_text(lease: Object, namespace: str) -> str:
    """Return who holds a namespace's lock since when and for what."""
    purpose = (lease["metadata"].get("annotations") or {}).get(PURPOSE)
    what = f", who runs {purpose}" if purpose else ""
    since = str(lease["spec"].get("acquireTime") or "")[:19].replace("T", " ")
    when = f", since {since} UTC" if since else ""
    return f"The namespace {namespace} is locked by {holder(lease)}{what}{when}."


class Observation:
    """What was seen of a held Lease on one's own clock."""

    def __init__(self) -> None:
        self.seen: tuple | None = None
        self.since = 0.0
        self.seconds = float(DURATION)
        # How often its holder has shown that it lives, while it was looked at.
        self.signs = 0

    def look(self, lease: Object, now: float) -> None:
        """Take a Lease in. now: time.monotonic() seconds."""
        spec = lease["spec"]
        seen = (holder(lease), spec.get("renewTime"), spec.get("leaseTransitions"))
        if seen == self.seen:
            return
        self.signs += self.seen is not None
        self.seen, self.since = seen, now
        self.seconds = float(spec.get("leaseDurationSeconds") or DURATION)

    @property
    def ends(self) -> float:
        """When it will have expired unless it is renewed (time.monotonic() seconds)."""
        return self.since + self.seconds
