# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of each object: live objects, Helm's record and the manifest in, actions out."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import ReleaseObjects, refusals
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.discover import Discovery
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.live import Trial
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.refusals import INVALID, Objection, Rejection
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.decisions import added_pods, consents

OURS = {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"}
THEIRS = {**OURS, "meta.helm.sh/release-name": "other"}
MANAGED = {"orchestrator.llm-d.ai/managed": "true"}


def config(data="1", *, annotations=None, labels=None, kind="ConfigMap", name="a"):
    meta = {"name": name, "namespace": "n"}
    meta |= {"annotations": annotations} if annotations else {}
    meta |= {"labels": labels} if labels else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "data": {"k": data}}


class Live:
    """A cluster of given objects, which merges patches, or refuses them."""

    def __init__(self, *objects, refused="", invalid="", hidden=False):
        self.objects = {(item["kind"], item["metadata"]["name"]): item for item in objects}
        self.refuses, self.invalid, self.hidden, self.trials = refused, invalid, hidden, 0

    def preload(self, items):
        pass

    def find(self, item):
        if self.hidden:
            raise OrchestratorError("may not be read")
        return item if item["kind"] == "Namespace" else self.objects.get((item["kind"], item["metadata"]["name"]))

    def patched(self, live, patch, *, strategic, strict):
        self.trials += 1
        if self.refuses:
            return Trial(None, refusal(self.refuses))
        after = copy.deepcopy(live)
        for key, value in patch.items():
            after[key] = {**after[key], **value} if key == "data" else after.get(key, value)
        return Trial(after)

    def applied(self, item, manager, *, strict):
        live = self.find(item)
        after = copy.deepcopy(live)
        after["metadata"]["labels"] = {**(live["metadata"].get("labels") or {}), **item["metadata"].get("labels", {})}
        return Trial(None, refusal(self.refuses)) if self.refuses else Trial({**after, "data": item["data"]})

    def refused(self, item, namespace):
        return refusal(self.invalid) if self.invalid else None


def refusal(text):
    return Rejection((Objection(("data",), INVALID, text),))


def one(live, before, after, managed=True):
    part = ReleaseObjects("gaie", "r", "n", [before] if before else [], [after] if after else [], managed)
    found = Discovery(live).releases([part])
    return found[0] if found else None


@pytest.mark.parametrize(
    ("live", "before", "after", "action", "why"),
    [
        (Live(), None, config(), "create", "does not exist"),
        (Live(), config(), config(), "create", "no longer exists"),
        (Live(config(annotations=OURS)), config(), config(), "reuse", ""),
        (Live(config(annotations=OURS)), config(), config("2"), "update", "differs"),
        (Live(config("3", annotations=OURS)), config(), config(), "update", "changed since"),
        (Live(config("2", annotations=OURS)), config(), config("2"), "reuse", ""),
        (Live(config(annotations=OURS), refused="field is immutable"), config(), config("2"), "replace", "immutable"),
        (Live(config(annotations=OURS), refused="duplicate"), config(), config("2"), "replace", "duplicate"),
        (Live(config(annotations=OURS)), config(), None, "delete", "no longer part of the release"),
        (Live(hidden=True), config(), config("2"), "update", "may not be read"),
    ],
    ids=["new", "gone", "same", "update", "drift", "done", "immutable", "unmendable", "dropped", "hidden"],
)
def test_of_a_release(live, before, after, action, why):
    found = one(live, before, after)
    assert (found.action, found.mistake) == (action, "")
    assert why in found.why


def test_what_helm_keeps_or_is_gone_is_not_deleted():
    kept = config(annotations={**OURS, "helm.sh/resource-policy": "keep"})
    assert one(Live(kept), config(), None) is None
    assert one(Live(), config(), None) is None


@pytest.mark.parametrize(("release", "owner"), [(OURS, "ours"), (THEIRS, "other")])
def test_what_helm_kept_of_a_release_is_taken_up_again_by_one_of_that_name(release, owner):
    kept = config(annotations={**release, "helm.sh/resource-policy": "keep"})
    found = one(Live(kept), None, config(), managed=False)
    assert found.owner == owner and bool(refusals([found], adopt=False)) == (owner == "other")


def test_a_manifest_that_the_api_server_would_refuse_anyway_is_left_to_the_rules():
    found = one(Live(config(annotations=OURS), refused="bad", invalid="bad"), config(), config("2"))
    assert (found.action, found.mistake, found.refused) == ("reuse", "", (Objection(("data",), INVALID, "bad"),))
    assert one(Live(invalid="bad"), None, config()).refused == (Objection(("data",), INVALID, "bad"),)


@pytest.mark.parametrize(
    ("live", "owner", "asks", "adopts"),
    [
        (config(annotations=THEIRS), "other", False, True),
        (config(labels={"app.kubernetes.io/managed-by": "argocd"}), "other", False, True),
        (config(labels=MANAGED), "other", False, True),
        (config(), "unknown", True, False),
        (config("2"), "unknown", False, True),
    ],
    ids=["another release", "another manager", "ours without Helm", "nobody's and as wanted", "nobody's"],
)
def test_of_others(live, owner, asks, adopts):
    found = one(Live(live), None, config(), managed=False)
    assert (found.owner, found.asks, found.adopts) == (owner, asks, adopts)
    assert bool(refusals([found], adopt=False)) == adopts
    assert refusals([found], adopt=True) == []
    rows = consents([found], [], adopt=True, threshold=1)
    assert [row["id"] for row in rows] == (["adopt:ConfigMap/n/a"] if adopts else [])


@pytest.mark.parametrize(
    ("live", "action", "asks", "mistake"),
    [
        (Live(), "create", False, False),
        (Live(config(labels=MANAGED)), "reuse", False, False),
        (Live(config("2", labels=MANAGED)), "update", False, False),
        (Live(config()), "reuse", True, False),
        (Live(config("2", labels=MANAGED), refused="spec is immutable"), "reuse", False, True),
    ],
    ids=["new", "same", "update", "nobody's", "cannot be changed"],
)
def test_of_what_is_applied_without_helm(live, action, asks, mistake):
    found = Discovery(live).applied("prepare", [config(labels=MANAGED)])[0]
    assert (found.action, found.asks, bool(found.mistake)) == (action, asks, mistake)


def test_a_diff_shows_what_changes_and_no_secret():
    live = config("b2xk", annotations=OURS, kind="Secret")
    found = one(Live(live), config("b2xk", kind="Secret"), config("bmV3", kind="Secret"))
    assert "(hidden, changed)" in found.diff()
    assert "bmV3" not in found.diff() + str(found.as_dict())
    assert "b2xk" not in found.diff() + str(found.as_dict())


def workload(replicas, gpus=0, size=0):
    limits = {"resources": {"limits": {"nvidia.com/gpu": gpus}}} if gpus else {}
    pod = {"spec": {"containers": [{"name": "c", "image": "i:1", **limits}]}}
    spec = {"replicas": replicas, "template": pod}
    if size:
        spec = {"replicas": replicas, "leaderWorkerTemplate": {"size": size, "workerTemplate": pod}}
    kind = "LeaderWorkerSet" if size else "Deployment"
    api = "leaderworkerset.x-k8s.io/v1" if size else "apps/v1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "w", "namespace": "n"}, "spec": spec}


@pytest.mark.parametrize(
    ("live", "wanted", "added"),
    [
        (None, workload(3, gpus=1), 3),
        (None, workload(3), 0),
        (None, workload(2, gpus=8, size=4), 8),
        (workload(2, gpus=1), workload(5, gpus=1), 3),
        (workload(5, gpus=1), workload(2, gpus=1), 0),
    ],
    ids=["new", "no accelerator", "groups", "more", "fewer"],
)
def test_added_pods(live, wanted, added):
    if live:
        live["metadata"]["annotations"] = OURS
    found = one(Live(*([live] if live else [])), live, wanted)
    found.action = "update" if live else "create"
    assert added_pods(found) == added
    assert [row["id"] for row in consents([found], [], adopt=False, threshold=added)] == []
    if added:
        rows = consents([found], ["scale"], adopt=False, threshold=added - 1)
        assert [(row["id"], row["granted"]) for row in rows] == [("scale:pods", True)]
