# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tests of locks against a cluster that keeps one Lease and refuses what is out of date, as the API server does."""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.process import describe
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock import locks as lock_locks
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.lease import holder, taken
from kubernetes.client.exceptions import ApiException

HERE = describe(os.getpid())
GONE = {**HERE, "start": "1"}


class Cluster:
    """One Lease; before(): called once ahead of a write, as somebody else who is quicker."""

    def __init__(self, lease: dict[str, Any] | None = None, before: Any = None) -> None:
        self.lease, self.number, self.before = None, 0, before
        if lease:
            self.put(lease)

    def put(self, lease: dict[str, Any]) -> None:
        self.number += 1
        self.lease = copy.deepcopy(lease)
        self.lease["metadata"].update(resourceVersion=str(self.number), uid="u")

    def get(self, *_key: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.lease)

    def resource(self, *_key: str) -> Cluster:
        return self

    def _quicker(self) -> None:
        before, self.before = self.before, None
        if before:
            before(self)

    def create(self, namespace: str, body: dict[str, Any]) -> None:
        self._quicker()
        if self.lease:
            raise ApiException(status=409)
        self.put(body)

    def replace(self, name: str, namespace: str, body: dict[str, Any]) -> None:
        self._quicker()
        if not self.lease:
            raise ApiException(status=404)
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise ApiException(status=409)
        self.put(body)

    def delete(self, name: str, namespace: str, body: dict[str, Any]) -> None:
        self.lease = None


def locks(cluster: Cluster, said: list[str] | None = None) -> lock_locks.Locks:
    """Bob's locks."""
    return lock_locks.Locks(cluster, "bob", HERE, "site.yml", (said if said is not None else []).append)  # type: ignore[arg-type]


def ann(process: dict[str, str]) -> dict[str, Any]:
    """Ann's lock."""
    return taken(None, "llm-d", "ann", process, "site.yml")


def free() -> dict[str, Any]:
    """A lock that nobody holds."""
    lease = ann({})
    del lease["spec"]["holderIdentity"]
    return lease


@pytest.mark.parametrize("lease", [None, free(), ann(GONE)])
def test_a_free_lock_and_that_of_a_dead_process_are_taken_at_once(lease: dict[str, Any] | None) -> None:
    cluster = Cluster(lease)
    locks(cluster).take("llm-d", "refuse", 0)
    assert holder(cluster.lease) == "bob"


def test_taking_over_from_the_dead_is_said() -> None:
    said: list[str] = []
    locks(Cluster(ann(GONE)), said).take("llm-d", "refuse", 0)
    assert said == ["taking over the lock of llm-d: ann is gone"]


def test_a_live_holder_on_this_machine_is_named_at_once() -> None:
    with pytest.raises(lock_locks.LockHeld, match="(?s)locked by ann, who runs site.yml, since .* llm_d_lock to wait"):
        locks(Cluster(ann(HERE))).take("llm-d", "refuse", 0)


@pytest.mark.parametrize("lease", [None, free()])
def test_whoever_is_quicker_has_it(lease: dict[str, Any] | None) -> None:
    cluster = Cluster(lease, before=lambda one: one.put(ann(HERE)))
    with pytest.raises(lock_locks.LockHeld):
        locks(cluster).take("llm-d", "refuse", 0)
    assert holder(cluster.lease) == "ann"


def test_only_ones_own_lock_is_renewed_released_and_verified() -> None:
    cluster = Cluster(ann(HERE))
    mine = locks(cluster)
    assert not mine.renew("llm-d", "x")
    assert not mine.release("llm-d", delete=True)
    assert holder(cluster.lease) == "ann"
    with pytest.raises(OrchestratorError, match="The lock was lost: .* locked by ann"):
        mine.verify("llm-d")


def test_a_lock_is_renewed_verified_and_given_back() -> None:
    cluster = Cluster()
    mine = locks(cluster)
    mine.take("llm-d", "refuse", 0)
    assert mine.renew("llm-d", "2026-11-21T08:30:00.000000Z")
    mine.verify("llm-d")
    assert mine.release("llm-d")
    assert cluster.lease and not holder(cluster.lease)
    with pytest.raises(OrchestratorError, match="another run has held it since"):
        mine.verify("llm-d")


def test_a_renewal_that_meets_a_taker_gives_way() -> None:
    cluster = Cluster()
    mine = locks(cluster)
    mine.take("llm-d", "refuse", 0)
    cluster.before = lambda one: one.put(ann(HERE))
    assert not mine.renew("llm-d", "x")
    assert holder(cluster.lease) == "ann"


def test_a_teardown_deletes_the_lock() -> None:
    cluster = Cluster()
    mine = locks(cluster)
    mine.take("llm-d", "refuse", 0)
    assert mine.release("llm-d", delete=True)
    assert cluster.lease is None
