# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Watching the cluster with kopf: events go to the snapshot. Only raw events: no finalizers, no annotations."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import kopf

from .api import Api, ApiError
from .resources import COMING, RESOURCES, Resource
from .snapshot import Object, Snapshot

LOG = logging.getLogger("serving_plane")
RESYNC_INTERVAL = 300.0
RESYNC_SOON = 1.0
LONGEST_OUTAGE = 24 * 3600


class Watcher:
    """Keeps a snapshot up to date and calls `touch` at each change.

    A watch that was cut off is taken up again by kopf with a new list, but what was deleted meanwhile is in no
    event: after such a list, and every few minutes, the snapshot is compared with full lists.
    """

    def __init__(self, api: Api, snapshot: Snapshot, touch: Callable[[], None]) -> None:
        self._api = api
        self._snapshot = snapshot
        self._touch = touch
        self._relisted = asyncio.Event()
        self._defined = asyncio.Event()

    def _seen(self, resource: Resource, event: dict[str, Any]) -> None:
        obj = dict(event["object"])
        obj["kind"] = resource.kind
        obj["metadata"] = dict(obj["metadata"])
        self._snapshot.served.add(resource.kind)
        changed = self._snapshot.drop(obj) if event["type"] == "DELETED" else self._snapshot.put(obj)
        if event["type"] is None:
            self._relisted.set()
        if changed:
            self._touch()

    def registry(self) -> kopf.OperatorRegistry:
        """kopf's handlers: one per kind."""
        registry = kopf.OperatorRegistry()
        for resource in RESOURCES:

            async def seen(event: Any, _resource: Resource = resource, **_: Any) -> None:
                self._seen(_resource, event)

            place = (resource.group, resource.version, resource.plural) if resource.version else None
            place = place or (resource.group, resource.plural)
            kopf.on.event(*place, registry=registry, id=resource.plural)(seen)
        definitions = ("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        kopf.on.event(*definitions, registry=registry, id="definitions")(self._definition)
        kopf.on.login(registry=registry)(kopf.login_with_kubeconfig)
        return registry

    async def _definition(self, **_: Any) -> None:
        self._defined.set()

    async def follow(self, resource: Resource) -> None:
        """Watch a kind whose definition may come later, or go.

        kopf looks for a kind when its definition changes, and has missed it where the API server was slower.
        """
        while True:
            self._defined.clear()
            try:
                await self._follow_once(resource)
                continue
            except (ApiError, aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
                LOG.debug("%s cannot be watched now: %s", resource.kind, exc)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._defined.wait(), RESYNC_SOON)

    async def _follow_once(self, resource: Resource) -> None:
        objects, version = await self._api.list(resource.kind)
        if self._take(resource, objects, version):
            self._touch()
        if not version:
            raise ApiError(404, f"{resource.kind} is not served")
        async for event in self._api.watch(resource.kind, version):
            self._seen(resource, event)

    def _take(self, resource: Resource, objects: list[Object], version: int) -> bool:
        if version:
            self._snapshot.served.add(resource.kind)
        else:
            self._snapshot.served.discard(resource.kind)
        return self._snapshot.replace(resource.kind, objects, version or 2**63)

    async def run(self, kubeconfig: Path, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Watch until `stop` is set."""
        os.environ["KUBECONFIG"] = str(kubeconfig)
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.peering.standalone = True
        settings.networking.error_backoffs = [1.0] * LONGEST_OUTAGE
        aside = [asyncio.create_task(self._resync_forever())]
        aside += [asyncio.create_task(self.follow(resource)) for resource in COMING]
        try:
            await kopf.operator(
                registry=self.registry(), settings=settings, clusterwide=True, stop_flag=stop, ready_flag=ready
            )
        finally:
            for task in aside:
                task.cancel()

    async def resync(self) -> None:
        """Compare the snapshot with full lists of every kind."""
        every = (*RESOURCES, *COMING)
        lists = await asyncio.gather(*(self._api.list(resource.kind) for resource in every))
        changed = [self._take(resource, *found) for resource, found in zip(every, lists, strict=True)]
        if any(changed):
            self._touch()

    async def _resync_forever(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._relisted.wait(), RESYNC_INTERVAL)
                await asyncio.sleep(RESYNC_SOON)
            except asyncio.TimeoutError:
                pass
            self._relisted.clear()
            try:
                await self.resync()
            except (ApiError, aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
                LOG.warning("the API server cannot be read now: %s", exc)
                await asyncio.sleep(RESYNC_SOON)
