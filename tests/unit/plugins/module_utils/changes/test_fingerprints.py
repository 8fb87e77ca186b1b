# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.fingerprints import (
    fingerprint,
    fingerprinted,
    listed,
)

ITEM = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}, "data": {"k": "v"}}
SECRET = {**ITEM, "kind": "Secret", "data": {"k": "c2VjcmV0"}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ITEM, dict(reversed(ITEM.items())), True),
        (ITEM, {**ITEM, "status": {"x": 1}}, True),
        (ITEM, {**ITEM, "data": {"k": "w"}}, False),
        (ITEM, {**ITEM, "metadata": {**ITEM["metadata"], "labels": {"a": "b"}}}, False),
        # A hash of a weak password would give it away.
        (SECRET, {**SECRET, "data": {"k": "b3RoZXI="}}, True),
        (SECRET, {**SECRET, "data": {"other": "c2VjcmV0"}}, False),
        (SECRET, {**SECRET, "data": None}, False),
    ],
)
def test_fingerprint(one, other, same):
    before = copy.deepcopy(one)
    assert (fingerprint(one) == fingerprint(other)) == same and one == before


def test_objects_of_a_release_are_found_by_their_keys():
    row = {"api_version": "v1", "kind": "ConfigMap", "namespace": "n", "name": "a", "ready": True}
    found = fingerprinted([row, {**row, "name": "b"}], [ITEM])
    assert [(one["name"], one["fingerprint"]) for one in found] == [("a", fingerprint(ITEM)), ("b", "")]
    assert listed([ITEM]) == [
        {**{key: row[key] for key in ("api_version", "kind", "namespace", "name")}, "fingerprint": fingerprint(ITEM)}
    ]
