# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes to the API server: only what differs, races tolerated, each decision one line of log."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import logging
from collections.abc import Awaitable
from typing import Any

import aiohttp

from .cluster.api import Api, ApiError
from .cluster.conditions import find, now, timed
from .cluster.snapshot import Object, Snapshot, is_deleted, key_of
from .gateways.statuses import Wanted

LOG = logging.getLogger("serving_plane")


def name_of(obj: Object) -> str:
    """`Kind namespace/name` for messages."""
    namespace, name = key_of(obj)
    return f"{obj['kind']} {namespace}/{name}" if namespace else f"{obj['kind']} {name}"


def with_times(wanted: Any, present: Any, moment: str) -> Any:
    """Give all conditions inside a status their times, from the present status where they have not changed."""
    if isinstance(wanted, list):
        return [with_times(item, _twin(item, present or []), moment) for item in wanted]
    if not isinstance(wanted, dict):
        return wanted
    present = present if isinstance(present, dict) else {}
    return {
        key: timed(value, present.get(key), moment)
        if key == "conditions"
        else with_times(value, present.get(key), moment)
        for key, value in wanted.items()
    }


def _twin(item: Any, present: list[Any]) -> Any:
    """The entry of a status list that is about the same listener or parent."""
    if not isinstance(item, dict):
        return None
    about = ("name", "parentRef", "controllerName")
    return next((old for old in present if all(old.get(key) == item.get(key) for key in about)), None)


class Writer:
    """Applies wishes to the cluster and keeps the snapshot in step with what was written."""

    def __init__(self, api: Api, snapshot: Snapshot) -> None:
        self._api = api
        self._snapshot = snapshot
        self._applied: dict[tuple[str, str, str], tuple[str, str]] = {}
        self.changed = False
        self._complaints: set[str] = set()

    async def run(self, work: list[Awaitable[None]]) -> bool:
        """Do all of a pass's work at once; True if some of it failed and should be tried again soon."""
        results = await asyncio.gather(*work, return_exceptions=True)
        failed = [item for item in results if isinstance(item, BaseException)]
        fresh = {str(problem): problem for problem in failed if str(problem) not in self._complaints}
        self._complaints = {str(problem) for problem in failed} | (self._complaints if failed else set())
        for problem in fresh.values():
            if not isinstance(problem, (ApiError, aiohttp.ClientError, asyncio.TimeoutError, OSError)):
                LOG.error("a write failed unexpectedly", exc_info=problem)
            elif not isinstance(problem, ApiError) or problem.status not in (404, 409):
                LOG.warning("a write failed and will be tried again: %s", problem)
        return bool(failed)

    def _remember(self, obj: Object, kind: str) -> None:
        obj["kind"] = kind
        self.changed = self._snapshot.put(obj) or self.changed

    def _is_closed(self, namespace: str) -> bool:
        """True for a namespace that is being deleted and takes nothing new."""
        found = self._snapshot.get("Namespace", "", namespace)
        return found is not None and is_deleted(found)

    async def apply(self, obj: Object) -> None:
        """Make an object be as wished, once per wish, and again where it has disappeared."""
        key = (obj["kind"], *key_of(obj))
        digest = hashlib.sha256(json.dumps(obj, sort_keys=True).encode()).hexdigest()
        present = self._snapshot.get(*key)
        if present and self._applied.get(key) == (digest, present["metadata"]["uid"]):
            return
        if (present and is_deleted(present)) or self._is_closed(key[1]):
            return
        written = await self._api.apply(obj)
        self._applied[key] = (digest, written["metadata"]["uid"])
        LOG.info("%s %s", "changed" if present else "made", name_of(obj))
        self._remember(written, obj["kind"])

    async def put(self, obj: Object) -> None:
        """Apply an object of a kind that the snapshot does not hold."""
        await self._api.apply(obj)
        LOG.info("applied %s", name_of(obj))

    async def create(self, obj: Object) -> None:
        """Create an object that the snapshot has not got; one that exists all the same is no error."""
        if self._is_closed(key_of(obj)[0]):
            return
        try:
            written = await self._api.create(obj)
        except ApiError as exc:
            if exc.status == 409:
                return
            raise
        LOG.info("made %s", name_of(obj))
        self._remember(written, obj["kind"])

    async def finalizers(self, obj: Object, wanted: list[str]) -> None:
        """Make a list be an object's finalizers; nothing happens where the object has changed meanwhile."""
        written = await self._api.patch_finalizers(obj, wanted)
        LOG.info("%s: finalizers %s", name_of(obj), ", ".join(wanted) or "none")
        if wanted or not is_deleted(obj):
            self._remember(written, obj["kind"])

    async def tell(self, event: Object) -> None:
        """Create an Event, which the plane does not watch; one that exists stays."""
        try:
            await self._api.create(event)
        except ApiError as exc:
            if exc.status not in (403, 404, 409):
                raise

    async def annotate(self, obj: Object, annotations: dict[str, str | None]) -> None:
        """Set annotations of an object, None takes one away; nothing happens where they are so."""
        present = obj["metadata"].get("annotations") or {}
        different = {name: text for name, text in annotations.items() if present.get(name) != text}
        if not different:
            return
        written = await self._api.annotate(obj, different)
        LOG.info("%s: %s", name_of(obj), ", ".join(f"{name}={text}" for name, text in different.items()))
        self._remember(written, obj["kind"])

    async def delete(self, obj: Object, why: str) -> None:
        """Delete an object."""
        namespace, name = key_of(obj)
        LOG.info("delete %s: %s", name_of(obj), why)
        await self._api.delete(obj["kind"], namespace, name, obj["metadata"]["uid"])
        self._applied.pop((obj["kind"], namespace, name), None)

    async def status(self, wanted: Wanted) -> None:
        """Write the fields of a status that differ from what is there."""
        present = wanted.obj.get("status") or {}
        status = with_times(wanted.status, copy.deepcopy(present), now())
        different = {key: value for key, value in status.items() if not _same(value, present.get(key))}
        if not different:
            return
        written = await self._api.patch_status(wanted.obj["kind"], *key_of(wanted.obj), different)
        LOG.info("%s: %s", name_of(wanted.obj), describe(status))
        self._remember(written, wanted.obj["kind"])


def _same(wanted: Any, present: Any) -> bool:
    """Equal, apart from conditions of other writers and fields that the API server filled in."""
    if wanted and isinstance(wanted, list) and {"type", "status"} <= wanted[0].keys():
        return all(find(present, item["type"]) == item for item in wanted)
    return wanted == present


def describe(status: Object) -> str:
    """A status in one line: its conditions as Type=Status/Reason, per parent where it has parents."""
    parts = [_conditions(status.get("conditions") or [])]
    for parent in status.get("parents") or []:
        parts.append(f"parent {parent['parentRef']['name']}: {_conditions(parent.get('conditions') or [])}")
    if "parents" in status and not status["parents"]:
        parts.append("no parents")
    return "; ".join(part for part in parts if part)


def _conditions(conditions: list[Object]) -> str:
    return ", ".join(
        f"{item['type']}={item['status']}/{item['reason']}"
        + (f" ({item['message']})" if item["status"] != "True" else "")
        for item in conditions
    )
