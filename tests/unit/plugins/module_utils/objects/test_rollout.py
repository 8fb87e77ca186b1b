# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Workloads judged together with their pods."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.pods import LastWords
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.rollout import newest_pods, pods_of, verdict


def deployment(seen=2, conditions=(), **counts):
    annotations = {"deployment.kubernetes.io/revision": "2"}
    return {
        "kind": "Deployment",
        "metadata": {"name": "d", "uid": "d", "generation": 2, "annotations": annotations},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}},
        "status": {"observedGeneration": seen, "conditions": list(conditions), **counts},
    }


def replica_set(revision, pod_hash):
    annotations = {"deployment.kubernetes.io/revision": revision}
    return {"metadata": {"uid": pod_hash, "annotations": annotations, "ownerReferences": [{"uid": "d"}]}}


def pod(name, pod_hash, waiting=None, running=False, **metadata):
    state = {"waiting": waiting} if waiting else {"running": {}}
    statuses = [{"name": "c", "state": state, "ready": False, "restartCount": 9}] if waiting or running else []
    status = {"phase": "Running" if running else "Pending", "containerStatuses": statuses}
    # All pods carry the same labels, as those of two models may.
    owners = [{"uid": pod_hash}]
    return {
        "metadata": {"name": name, "labels": {"app": "d"}, "ownerReferences": owners, **metadata},
        "spec": {},
        "status": status,
    }


SETS = [replica_set("1", "old"), replica_set("2", "new")]
PULL = {"reason": "ImagePullBackOff", "message": "manifest unknown"}
LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


def names(pods):
    return [entry["metadata"]["name"] for entry in pods]


def test_only_the_new_templates_pods_count():
    pods = [pod("a", "old"), pod("b", "new"), pod("c", "another"), pod("d", "new", deletionTimestamp="now")]
    assert names(newest_pods(deployment(), pods, SETS)) == ["b"]


def test_nothing_counts_before_the_controller_has_seen_the_change():
    assert newest_pods(deployment(seen=1), [pod("a", "old")], []) == []


@pytest.mark.parametrize(
    "item, pods, failed, text",
    [
        (
            deployment(),
            [pod("a", "new", PULL)],
            True,
            "0 of 1 pods ready, 0 of the new template; pod a: ImagePullBackOff: manifest",
        ),
        (deployment(), [pod("a", "old", PULL)], False, "0 of 1 pods ready"),
        (deployment(conditions=[LATE]), [pod("a", "new", running=True)], False, "ProgressDeadlineExceeded"),
        (deployment(conditions=[LATE]), [], True, "ProgressDeadlineExceeded"),
        (deployment(), [pod(str(n), "new") for n in range(5)], False, "and 2 more pods"),
    ],
)
def test_verdict(item, pods, failed, text):
    state = verdict(item, pods, SETS)
    assert not state.ready
    assert state.failed is failed
    assert text in state.text


def test_a_finished_rollout_is_ready_whatever_old_pods_say():
    item = deployment(replicas=1, updatedReplicas=1, availableReplicas=1)
    assert verdict(item, [pod("a", "old", PULL)], SETS).ready


def test_unschedulable_is_stuck_only_where_no_node_could_hold_it():
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "busy"}
    waits = pod("a", "new")
    waits["status"]["conditions"] = [condition]
    waits["spec"] = {"containers": [{"resources": {"requests": {"gpu": "8"}}}]}
    big, small = ({"metadata": {}, "status": {"allocatable": {"gpu": amount}}} for amount in ("8", "4"))
    assert not verdict(deployment(), [waits], SETS, lambda: [big]).failed
    assert verdict(deployment(), [waits], SETS, lambda: [small]).failed


def test_a_device_class_that_is_not_there_is_not_waited_for():
    text = "0/3 nodes are available: 3 request gpu: device class gpu.example.com does not exist."
    waits = pod("a", "new")
    waits["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}
    ]
    state = verdict(deployment(), [waits], SETS, lambda: [])
    # Not as unplaced: no node that a cluster's autoscaler adds would help.
    assert (state.failed, state.certain, state.unplaced) == (True, True, False)


@pytest.mark.parametrize(
    "item, found",
    [
        ({"kind": "StatefulSet", "metadata": {"name": "x", "uid": "s"}}, ["owned"]),
        ({"kind": "LeaderWorkerSet", "metadata": {"name": "x"}}, ["group"]),
        ({"kind": "Gateway", "metadata": {"name": "x"}}, ["proxy"]),
        ({"kind": "ConfigMap", "metadata": {"name": "x", "uid": "s"}}, []),
        (deployment(), ["old", "new"]),
    ],
)
def test_pods_are_found_by_owner_or_by_the_label_of_their_kind(item, found):
    pods = [
        pod("owned", "s"),
        pod("group", "z", labels={"leaderworkerset.sigs.k8s.io/name": "x"}),
        pod("proxy", "z", labels={"gateway.networking.k8s.io/gateway-name": "x"}),
        pod("old", "old"),
        pod("new", "new"),
    ]
    assert names(pods_of(item, pods, SETS)) == found


class Words:
    """What crashed containers said."""

    def __init__(self, line, *, fatal):
        self.said = LastWords(line, "DIAG526 The program rejects an argument" if fatal else "", fatal)

    def __call__(self, pod, container):
        return self.said


CRASHED = {
    "name": "vllm",
    "ready": False,
    "restartCount": 1,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}},
}


@pytest.mark.parametrize(
    ("container", "fatal", "failed", "text"),
    [
        (CRASHED, True, True, "log: bad flag (DIAG526"),
        (CRASHED, False, False, "log: bad flag"),
        ({**CRASHED, "restartCount": 3}, False, True, "log: bad flag"),
        ({**CRASHED, "restartCount": 0, "state": {"terminated": {"exitCode": 1}}}, True, False, "exited with 1"),
        ({**CRASHED, "state": {"running": {}}}, True, False, "not ready yet"),
        (
            {
                **CRASHED,
                "state": {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}},
                "restartCount": 0,
                "lastState": {},
            },
            True,
            True,
            "ErrImagePull",
        ),
    ],
)
def test_a_crash_is_told_with_its_last_words(container, fatal, failed, text):
    crashed_pod = {
        "metadata": {"name": "p", "ownerReferences": [{"uid": "s"}], "labels": {"controller-revision-hash": "r"}},
        "status": {"phase": "Running", "containerStatuses": [container]},
    }
    owner = {
        "kind": "StatefulSet",
        "metadata": {"name": "s", "uid": "s", "generation": 1},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, "updateRevision": "r"},
    }
    state = verdict(owner, [crashed_pod], [], None, Words("bad flag", fatal=fatal))
    assert (state.failed, text in state.text) == (failed, True), state
    assert state.certain == (failed and container["restartCount"] < 3)
