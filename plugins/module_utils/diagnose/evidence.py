# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What was gathered of a namespace, as the rules of diagnosis read it. Everything in it is data of others."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
import typing as t

from ..base.data import Object
from ..base.ours import COMPONENT_LABEL
from ..components.dynamo_operators import LiveOperator
from ..objects.conditions import object_state
from ..objects.pods import owner

# (kind, namespace, name); the namespace is '' for what has none.
Ref = tuple[str, str, str]
HELM_OWNER = "meta.helm.sh/release-name"
LINE_LIMIT = 2000
# Terminal sequences, and control characters but the tab and the newline.
CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
)


@dataclasses.dataclass(frozen=True)
class Log:
    """The last lines of a container. failing: it has ended in failure, or is not ready; previous: of its last run."""

    pod: Object
    container: str
    lines: tuple[str, ...]
    failing: bool = True
    previous: bool = False


@dataclasses.dataclass(frozen=True)
class Said:
    """A text that says why an object could not be made: an event, a condition, a Helm release's description."""

    ref: Ref
    text: str
    since: float | None = None


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request to a pool's model. served: whether it was answered, None where it could not be sent; text: what was
    asked and what came, or why it was not asked; status: of the HTTP answer, 0 for none."""

    pool: Ref
    served: bool | None
    text: str
    status: int = 0


@dataclasses.dataclass
class Evidence:
    """lists: objects by kind, absent where they may not be read; now: seconds since the epoch.

    unserved: kinds that the cluster does not serve; failure: what the caller knows of the failed run; ended: nothing
    works on the namespace any more; everywhere: pods of all namespaces, where they had to be read; missing: objects
    that a Helm release holds of a kind that is not served, as (release, apiVersion, kind); elsewhere: what was looked
    up, as routes refer to it in other namespaces or somebody says that it does not exist, and whether it is there;
    all_routes: the routes of all namespaces to its pools were read; asked: the requests that were sent; operators:
    those of Dynamo in the cluster, None where nothing is of Dynamo or they may not be listed.
    """

    namespace: str
    lists: dict[str, list[Object]] = dataclasses.field(default_factory=dict)
    logs: list[Log] = dataclasses.field(default_factory=list)
    unserved: set[str] = dataclasses.field(default_factory=set)
    unseen: list[str] = dataclasses.field(default_factory=list)
    everywhere: list[Object] | None = None
    missing: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    elsewhere: dict[Ref, bool] = dataclasses.field(default_factory=dict)
    all_routes: bool = False
    asked: list[Asked] = dataclasses.field(default_factory=list)
    operators: list[LiveOperator] | None = None
    releases: list[Object] = dataclasses.field(default_factory=list)
    phase: Object = dataclasses.field(default_factory=dict)
    failure: str = ""
    ended: bool = False
    now: float = 0.0

    def of(self, kind: str) -> list[Object]:
        """Return the objects of a kind, [] where there are none or they may not be read."""
        return self.lists.get(kind, [])

    def seen(self, kind: str) -> bool:
        """Return whether a kind was read: its absence then says something."""
        return kind in self.lists

    def find(self, kind: str, name: t.Any, namespace: str | None = None) -> Object | None:
        """Return an object by name, of the namespace unless another is named."""
        wanted = self.namespace if namespace is None else namespace
        for item in self.of(kind):
            metadata = item["metadata"]
            if metadata["name"] == name and (metadata.get("namespace") or wanted) == wanted:
                return item
        return None

    @functools.cached_property
    def pods(self) -> list[Object]:
        """Return the pods that count: not being deleted, not completed, not failed and replaced by now."""
        return [pod for pod in self.of("Pod") if not pod["metadata"].get("deletionTimestamp") and not self._over(pod)]

    def _over(self, pod: Object) -> bool:
        phase = (pod.get("status") or {}).get("phase")
        if phase == "Failed":
            kind, namespace, name = self.workload(pod)
            made_by = self.find(kind, name, namespace) if kind != "Pod" else None
            return made_by is not None and object_state(made_by).ready
        return phase == "Succeeded"

    @functools.cached_property
    def _events(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for event in sorted(self.of("Event"), key=last_time, reverse=True):
            about = event.get("involvedObject") or {}
            found.setdefault((str(about.get("kind")), str(about.get("name"))), []).append(event)
        return found

    def events(self, item: Object) -> list[Object]:
        """Return an object's events, newest first; only those of this very object where they tell its uid."""
        uid = item["metadata"].get("uid")
        found = self._events.get((str(item.get("kind")), item["metadata"]["name"]), [])
        return [event for event in found if (event["involvedObject"].get("uid") or uid) == uid or uid is None]

    def since(self, item: Object) -> float | None:
        """Return when an object began to fail: its first warning, else its creation."""
        warnings = [first_time(event) for event in self.events(item) if event.get("type") == "Warning"]
        times = [moment for moment in warnings if moment]
        return min(times) if times else seconds(item["metadata"].get("creationTimestamp"))

    def workload(self, pod: Object) -> Ref:
        """Return the workload that a pod is of, the pod itself where it has none."""
        kind, name = owner(pod["metadata"])
        return (kind, ref(pod)[1], name) if name else ref(pod)

    def component(self, where: Ref) -> str:
        """Return the component (or the Helm release) that an object belongs to, '' for none."""
        item = self.find(where[0], where[2], where[1])
        if item is not None and item.get("kind") == "Pod":
            kind, _namespace, name = self.workload(item)
            item = self.find(kind, name) or item
        metadata = (item or {}).get("metadata") or {}
        own = (metadata.get("labels") or {}).get(COMPONENT_LABEL)
        release = (metadata.get("annotations") or {}).get(HELM_OWNER) or (
            where[2] if where[0] == "Helm release" else ""
        )
        known = {entry["name"]: entry.get("component") for entry in self.releases}
        return str(own or known.get(release) or release or "")


def ref(item: Object) -> Ref:
    """Return an object's reference."""
    metadata = item["metadata"]
    return str(item.get("kind")), metadata.get("namespace") or "", metadata["name"]


def clean(text: t.Any, limit: int = LINE_LIMIT) -> str:
    """Return a text as one bounded line without control characters."""
    line = " ".join(CONTROL.sub(" ", str(text or "")).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def seconds(text: t.Any) -> float | None:
    """Return an API time (2026-11-21T08:30:00Z, with or without microseconds) as seconds since the epoch."""
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def first_time(event: Object) -> float | None:
    """Return when an event was first seen."""
    return seconds(event.get("firstTimestamp") or event.get("eventTime")) or seconds(
        event["metadata"].get("creationTimestamp")
    )


def last_time(event: Object) -> float:
    """Return when an event was last seen."""
    series = (event.get("series") or {}).get("lastObservedTime")
    return seconds(series or event.get("lastTimestamp") or event.get("eventTime")) or first_time(event) or 0.0


def conditions(item: Object) -> list[Object]:
    """Return an object's conditions."""
    return [entry for entry in (item.get("status") or {}).get("conditions") or [] if isinstance(entry, dict)]
