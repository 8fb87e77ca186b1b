# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what is written to a Lease, and of when it has expired."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock import lease as lease_of

PROCESS = {"boot": "b", "space": "s", "pid": "7", "start": "99"}


def a_lease(**spec: Any) -> dict[str, Any]:
    """Ann's lock."""
    taken = lease_of.taken(None, "llm-d", "ann@laptop/lab", PROCESS, "site.yml")
    taken["spec"].update(spec)
    return taken


def test_a_first_taker_writes_who_and_which_process() -> None:
    lease = a_lease()
    assert lease["spec"]["holderIdentity"] == lease_of.holder(lease) == "ann@laptop/lab"
    assert lease["spec"]["acquireTime"] == lease["spec"]["renewTime"]
    assert lease["spec"]["leaseTransitions"] == 1
    assert lease_of.process_of(lease) == PROCESS
    assert "resourceVersion" not in lease["metadata"]


def test_a_taker_over_writes_only_over_what_it_has_seen() -> None:
    seen = a_lease()
    seen["metadata"].update(resourceVersion="41", uid="u")
    lease = lease_of.taken(seen, "llm-d", "bob@tower/lab", {}, "teardown.yml")
    assert (lease["metadata"]["resourceVersion"], lease["metadata"]["uid"]) == ("41", "u")
    assert lease["spec"]["leaseTransitions"] == 2
    assert lease_of.process_of(lease) == {}


def test_a_released_lock_has_no_holder_and_another_version() -> None:
    lease = a_lease()
    free = lease_of.released(lease)
    assert lease_of.holder(free) == ""
    assert lease_of.process_of(free) == {}
    assert lease_of.holder(lease) == "ann@laptop/lab", "the original stays"
    assert len({lease_of.version(None), lease_of.version(lease), lease_of.version(free)}) == 3


def test_renewing_does_not_change_the_version() -> None:
    assert lease_of.version(a_lease(renewTime="1")) == lease_of.version(a_lease(renewTime="2"))


@pytest.mark.parametrize("text", ["", "no JSON", "[1]"])
def test_a_process_that_others_wrote_is_no_error(text: str) -> None:
    lease = a_lease()
    lease["metadata"]["annotations"][lease_of.PROCESS] = text
    assert lease_of.process_of(lease) == {}


def test_the_holder_is_named_with_time_and_purpose() -> None:
    text = lease_of.held_text(a_lease(acquireTime="2026-11-21T08:30:00.123456Z"), "llm-d")
    assert text == "The namespace llm-d is locked by ann@laptop/lab, who runs site.yml, since 2026-11-21 08:30:00 UTC."


def test_a_holder_that_does_not_say_since_when_is_named_all_the_same() -> None:
    text = lease_of.held_text(a_lease(acquireTime=None), "llm-d")
    assert text == "The namespace llm-d is locked by ann@laptop/lab, who runs site.yml."


@pytest.mark.parametrize("shown", ["2026-11-21T08:30:00Z", "1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z", None])
def test_expiry_goes_by_ones_own_clock_whatever_the_lease_says(shown: str | None) -> None:
    seen = lease_of.Observation()
    for now in (100.0, 110.0, 129.0):
        seen.look(a_lease(renewTime=shown), now)
    assert (seen.ends, seen.signs) == (130.0, 0)


def test_a_renewal_puts_expiry_off_and_is_a_sign_of_life() -> None:
    seen = lease_of.Observation()
    seen.look(a_lease(renewTime="2"), 100.0)
    seen.look(a_lease(renewTime="1", leaseDurationSeconds=5), 108.0)
    assert (seen.ends, seen.signs) == (113.0, 1)


def test_a_lease_is_json() -> None:
    assert json.loads(json.dumps(a_lease()))["kind"] == "Lease"
