# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The snapshot and the writing of statuses: what counts as news, and what is written."""

from __future__ import annotations

import asyncio
from typing import Any

from plane_objects import obj, pod
from serving_plane.cluster.conditions import condition
from serving_plane.cluster.snapshot import Snapshot, is_ready
from serving_plane.gateways.statuses import Wanted
from serving_plane.writer import Writer, with_times


def _at(version: int, uid: str = "u", **fields: Any) -> dict[str, Any]:
    item = obj("Pod", "p", **fields)
    item["metadata"] |= {"resourceVersion": str(version), "uid": uid}
    return item


def test_older_copies_are_not_news() -> None:
    snapshot = Snapshot()
    assert [snapshot.put(_at(version)) for version in (5, 4, 5, 6)] == [True, False, False, True]


def test_deleted_objects_do_not_come_back() -> None:
    snapshot = Snapshot([_at(5)])
    assert snapshot.drop(_at(6))
    assert not snapshot.put(_at(5))
    assert snapshot.put(_at(9, "another"))
    assert not snapshot.drop(_at(7))


def test_full_list_drops_what_was_missed_but_not_what_is_newer() -> None:
    snapshot = Snapshot([_at(5)])
    assert not snapshot.replace("Pod", [], 4)
    assert snapshot.replace("Pod", [], 5)
    assert snapshot.all("Pod") == []


def test_pod_that_is_being_deleted_is_not_ready() -> None:
    item = pod("p", {})
    assert is_ready(item)
    item["metadata"]["deletionTimestamp"] = "now"
    assert not is_ready(item)


class FakeApi:
    """Takes status patches and gives back the patched object."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.item, self.patches = item, []

    async def patch_status(self, kind: str, namespace: str, name: str, status: dict[str, Any]) -> dict[str, Any]:
        self.patches.append(status)
        return {**self.item, "status": {**self.item.get("status", {}), **status}}


def _write(item: dict[str, Any], status: dict[str, Any]) -> list[dict[str, Any]]:
    api = FakeApi(item)
    asyncio.run(Writer(api, Snapshot([item])).status(Wanted(item, status)))
    return api.patches


def test_only_differences_are_written() -> None:
    item = obj("Gateway", "g", status={"addresses": [], "listeners": [{"name": "a"}]})
    wanted = {"addresses": [], "listeners": [{"name": "b"}], "conditions": []}
    assert _write(item, wanted) == [{"listeners": [{"name": "b"}], "conditions": []}]


def test_same_conditions_are_not_written_again() -> None:
    wanted = {"conditions": [condition("Accepted", True, "Accepted", "m", 1)]}
    first = with_times(wanted, {}, "2026-01-01T00:00:00Z")
    item = obj("Gateway", "g", status={"conditions": first["conditions"] + [{"type": "Other", "status": "True"}]})
    assert _write(item, wanted) == []


def test_time_changes_with_the_status_only() -> None:
    old = with_times(
        {"parents": [{"parentRef": {"name": "g"}, "conditions": [condition("A", True, "R", "m", 1)]}]}, {}, "old"
    )
    for ok, moment in ((True, "old"), (False, "new")):
        wanted = {"parents": [{"parentRef": {"name": "g"}, "conditions": [condition("A", ok, "Other", "m", 2)]}]}
        found = with_times(wanted, old, "new")["parents"][0]["conditions"][0]
        assert (found["lastTransitionTime"], found["observedGeneration"]) == (moment, 2)
