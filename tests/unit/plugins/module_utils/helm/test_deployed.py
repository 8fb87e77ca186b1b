# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a cluster lacks of a release's manifest."""

from __future__ import annotations

import types

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.deployed import HelmRecords


def deployment(name, replicas):
    spec = {} if replicas is None else {"replicas": replicas}
    meta = {"name": name, "namespace": "llm-d"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


@pytest.mark.parametrize(
    ("wanted", "live", "missing"),
    [
        (2, [deployment("a", 2)], []),
        (2, [deployment("a", 5)], []),
        (2, [deployment("a", 0)], ["pods of Deployment a, which was scaled to 0"]),
        (None, [deployment("a", 0)], []),
        (0, [deployment("a", 0)], []),
        (2, [], ["Deployment a"]),
    ],
    ids=["as wanted", "scaled up", "stopped", "left to an autoscaler", "stopped by wish", "gone"],
)
def test_missing(monkeypatch, wanted, live, missing):
    cluster = types.SimpleNamespace(list=lambda *_args, **_more: live, get=lambda *_args: None)
    cluster.version = lambda: "v1.34.4"
    monkeypatch.setattr(HelmRecords, "_discovery", lambda self: [])
    inventory = HelmRecords(cluster)
    monkeypatch.setattr(inventory.live, "namespaced", lambda item: True)
    assert inventory.missing([deployment("a", wanted)]) == missing
