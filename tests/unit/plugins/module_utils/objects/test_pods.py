# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a pod's status says."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.pods import (
    pod_requests,
    pod_state,
    unplaceable,
)


def pod(phase="Pending", containers=(), conditions=(), spec=None, **metadata):
    status = {"phase": phase, "containerStatuses": list(containers), "conditions": list(conditions)}
    return {"metadata": {"name": "p", **metadata}, "spec": spec or {}, "status": status}


def waiting(reason, message="", restarts=0, last=None):
    state = {"waiting": {"reason": reason, "message": message}}
    last_state = {"terminated": last} if last else {}
    return {
        "name": "c",
        "image": "i",
        "restartCount": restarts,
        "state": state,
        "lastState": last_state,
        "ready": False,
    }


READY = {"type": "Ready", "status": "True"}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
OOM = {"reason": "OOMKilled", "exitCode": 137}
DIED = {"reason": "Error", "exitCode": 1, "message": "no such flag"}


@pytest.mark.parametrize(
    "item, ready, stuck, text",
    [
        (pod("Running", conditions=[READY]), True, False, "ready"),
        (pod("Running", conditions=[READY], deletionTimestamp="now"), False, False, "being deleted"),
        (pod("Succeeded"), True, False, "completed"),
        (
            pod("Running", [{"name": "c", "ready": False, "state": {"running": {}}}]),
            False,
            False,
            "not ready yet (container c)",
        ),
        (pod(containers=[waiting("ContainerCreating")]), False, False, "Pending"),
        (
            pod(containers=[waiting("ImagePullBackOff", "manifest unknown")]),
            False,
            True,
            "ImagePullBackOff: manifest unknown",
        ),
        (pod(containers=[waiting("ErrImagePull", "dial tcp: i/o timeout")]), False, False, "i/o timeout"),
        (pod(containers=[waiting("InvalidImageName")]), False, True, "InvalidImageName: image i"),
        (pod(containers=[waiting("CreateContainerConfigError", 'secret "hf" not found')]), False, True, 'secret "hf"'),
        (pod(containers=[waiting("CrashLoopBackOff", restarts=1, last=DIED)]), False, False, "exited with 1"),
        (pod(containers=[waiting("CrashLoopBackOff", restarts=3, last=DIED)]), False, True, "no such flag"),
        (pod(containers=[waiting("CrashLoopBackOff", restarts=1, last=OOM)]), False, False, "OOMKilled"),
        (pod(containers=[waiting("CrashLoopBackOff", restarts=2, last=OOM)]), False, True, "OOMKilled"),
        (pod(conditions=[UNSCHEDULABLE]), False, False, "Unschedulable: 0/1 nodes"),
        (pod("Failed"), False, False, "Failed"),
        ({"metadata": {"name": "p"}}, False, False, "no status yet"),
    ],
)
def test_pod_state(item, ready, stuck, text):
    state = pod_state(item)
    assert (state.ready, state.stuck) == (ready, stuck)
    assert text in state.text


def gpus(amount, **spec):
    return {"containers": [{"resources": {"limits": {"nvidia.com/gpu": amount}}}], **spec}


def node(gpu, **labels):
    return {"metadata": {"labels": labels}, "status": {"allocatable": {"nvidia.com/gpu": gpu, "cpu": "8"}}}


@pytest.mark.parametrize(
    "spec, nodes, why",
    [
        (gpus("8"), [node("8")], None),
        (gpus("16"), [node("8"), node("4")], "no node has 16 nvidia.com/gpu (the most that one has: 8)"),
        (gpus("8", nodeSelector={"zone": "a"}), [node("8", zone="b")], "no node has the labels zone=a"),
        (gpus("8", nodeSelector={"zone": "a"}), [node("8", zone="b"), node("4", zone="a")], "the most that one has: 4"),
        (gpus("1"), [], None),
        ({"containers": []}, [node("0")], None),
    ],
)
def test_unplaceable(spec, nodes, why):
    found = unplaceable({"spec": spec}, nodes)
    assert found is None if why is None else why in found


def test_requests_are_summed_and_an_init_container_may_be_larger():
    def container(cpu, **more):
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec = {"containers": [container("1"), container("500m")], "initContainers": [container("4")]}
    assert pod_requests(spec) == {"cpu": 4000}
    spec["initContainers"] = [container("1", restartPolicy="Always")]
    assert pod_requests(spec) == {"cpu": 2500}
