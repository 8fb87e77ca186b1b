# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Quotas and limits of a namespace: what the API server would refuse of a plan."""

from __future__ import annotations

import pytest
from capacity.world import GPU, container, deployment, findings, group, limit_range, model, pod, quota, shown, spec

SAID = {"cpu": "1", "memory": "1Gi"}
LIMITED = {"containers": [container(SAID, {"cpu": "2", "memory": "2Gi"})]}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "demo"}, "spec": {"ports": []}}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "c", "namespace": "demo"},
    "spec": {"resources": {"requests": {"storage": "100Gi"}}, "storageClassName": "fast"},
}
HIGH = {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}}
NONE: dict = {}
# name, plan, quota, names of live objects by kind, rule, words
QUOTAS: list[tuple[str, list, dict, dict, str, tuple[str, ...]]] = [
    ("fits", [deployment("a", spec({GPU: "8"}))], quota({f"requests.{GPU}": "8"}), NONE, "", ()),
    (
        "devices",
        [deployment("a", spec({GPU: "8"}), 2)],
        quota({f"requests.{GPU}": "16"}, {f"requests.{GPU}": "4"}),
        NONE,
        "LLMD721",
        ("ResourceQuota demo/team would be exceeded: requests.nvidia.com/gpu 16, of which 4 are used and the plan "
         "adds 16 (a 16)",),
    ),
    ("several at once are one finding", [deployment("a", LIMITED, 3)],
     quota({"cpu": "2", "requests.memory": "2Gi", "limits.cpu": "5", "pods": "2", "count/pods": "2"}), NONE,
     "LLMD721", ("cpu 2, of", "requests.memory 2Gi, of", "limits.cpu 5, of", "; pods 2, of")),
    ("more is used than allowed, nothing is added", [deployment("a", spec(), 0)], quota({"pods": "1"}, {"pods": "3"}),
     NONE, "", ()),
    ("limits count as requests", [deployment("a", {"containers": [container(None, SAID)]}, 2)],
     quota({"requests.cpu": "1"}), NONE, "LLMD721", ("adds 2",)),
    ("best effort only", [deployment("a", spec(SAID), 9)], quota({"pods": "1"}, scopes=["BestEffort"]), NONE, "", ()),
    ("not best effort", [deployment("a", spec(SAID), 9)], quota({"pods": "1"}, scopes=["NotBestEffort"]), NONE,
     "LLMD721", ()),
    ("terminating", [deployment("a", spec(), 9)], quota({"pods": "1"}, scopes=["Terminating"]), NONE, "", ()),
    ("not terminating", [deployment("a", spec(), 9)], quota({"pods": "1"}, scopes=["NotTerminating"]), NONE,
     "LLMD721", ()),
    ("another class", [deployment("a", spec(), 9)], quota({"pods": "1"}, **HIGH), NONE, "", ()),
    ("this class", [deployment("a", spec(priorityClassName="high"), 9)], quota({"pods": "1"}, **HIGH), NONE,
     "LLMD721", ()),
    ("groups", [group("a", spec({GPU: "8"}), 2, 2)], quota({f"requests.{GPU}": "31"}), NONE, "LLMD721", ("adds 32",)),
    ("services", [SERVICE], quota({"services": "0", "count/services": "0"}), {"Service": ()}, "LLMD721",
     ("services 0, of which 0 are used and the plan adds 1 (s 1)",)),
    ("a service that is there", [SERVICE], quota({"services": "0"}), {"Service": ("s",)}, "", ()),
    ("workloads", [deployment("a", spec())], quota({"count/deployments.apps": "0"}), {"Deployment": ()}, "LLMD721", ()),
    ("storage", [CLAIM], quota({"requests.storage": "50Gi"}), {"PersistentVolumeClaim": ()}, "LLMD721", ("100Gi",)),
    ("storage of a class", [CLAIM], quota({"fast.storageclass.storage.k8s.io/requests.storage": "50Gi"}),
     {"PersistentVolumeClaim": ()}, "LLMD721", ("fast.storageclass",)),
    ("Helm's record", [deployment("a", spec())], quota({"secrets": "2"}, {"secrets": "2"}), {"Secret": ("x",)},
     "LLMD721", ("secrets 2",)),
    ("Helm's record is there", [deployment("a", spec())], quota({"secrets": "2"}, {"secrets": "2"}),
     {"Secret": ("sh.helm.release.v1.ms-a.v1",)}, "", ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "body", "present", "rule", "words"), QUOTAS, ids=[case[0] for case in QUOTAS])
def test_quotas(name: str, plan: list, body: dict, present: dict, rule: str, words: tuple[str, ...]) -> None:
    groups = {"Deployment": "apps"}
    names = {(kind, groups.get(kind, ""), "demo"): frozenset(found) for kind, found in present.items()}
    found = findings(model(plan, None, quotas=[body], present=names))
    assert [item.rule for item in found] == ([rule] if rule else []), shown(found)
    for word in words:
        assert word in shown(found)


def test_what_runs_already_is_not_added_again() -> None:
    live = [pod(f"a-{i}", "n", {GPU: "8"}, owner="a") for i in range(2)]
    body = quota({f"requests.{GPU}": "16"}, {f"requests.{GPU}": "16"})
    assert findings(model([deployment("a", spec({GPU: "8"}), 2)], None, live, quotas=[body])) == []
    (found,) = findings(model([deployment("a", spec({GPU: "12"}), 2)], None, live, quotas=[body]))
    assert (found.rule, "the plan adds 8" in found.message) == ("LLMD721", True), found.message


def test_an_update_without_room_for_one_more_pod_is_a_warning() -> None:
    live = [pod("a-0", "n", {GPU: "8"}, owner="a")]
    body = quota({f"requests.{GPU}": "8"}, {f"requests.{GPU}": "8"})
    new = {"containers": [container({GPU: "8"}, image="vllm:2")]}
    (found,) = findings(model([deployment("a", new)], None, live, quotas=[body]))
    assert (found.rule, found.severity) == ("LLMD724", "warning")
    assert findings(model([deployment("a", new, strategy={"type": "Recreate"})], None, live, quotas=[body])) == []


def test_defaults_are_counted_and_specify() -> None:
    defaults = limit_range(default={"cpu": "2"}, defaultRequest={"cpu": "1"})
    plan = [deployment("a", spec(), 3)]
    assert findings(model(plan, None, limits=[defaults], quotas=[quota({"limits.cpu": "6"})])) == []
    (found,) = findings(model(plan, None, limits=[defaults], quotas=[quota({"limits.cpu": "5"})]))
    assert found.rule == "LLMD721"
