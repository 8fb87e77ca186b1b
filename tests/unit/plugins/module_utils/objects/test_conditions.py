# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Readiness of single objects."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.conditions import object_state


def item(kind, spec=None, status=None, generation=2, **metadata):
    return {
        "kind": kind,
        "metadata": {"name": "x", "generation": generation, **metadata},
        "spec": spec,
        "status": status,
    }


def condition(name, status="True", reason="R", generation=2):
    return {"type": name, "status": status, "reason": reason, "message": "M", "observedGeneration": generation}


def deployment(generation=2, conditions=(), **counts):
    counts = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, **counts}
    return item("Deployment", {"replicas": 2}, {"observedGeneration": generation, "conditions": conditions, **counts})


def route(parents, refs=({"name": "gw"},)):
    return item("HTTPRoute", {"parentRefs": list(refs)}, {"parents": parents}, namespace="n")


def parent(*conditions, **ref):
    return {"parentRef": {"name": "gw", **ref}, "conditions": list(conditions)}


STS = {"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 2, "updateRevision": "b", "currentRevision": "b"}
DS = {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
LWS = {"readyReplicas": 1, "updatedReplicas": 1, "conditions": [condition("Available")]}
GOOD = (condition("Accepted"), condition("ResolvedRefs"))

CASES = [
    # Deployments: the present generation, all updated, all available, no old pods.
    (deployment(), True, ""),
    (deployment(generation=1), False, "generation"),
    (deployment(availableReplicas=1), False, "1 of 2 pods ready"),
    (deployment(replicas=3), False, "1 of 3 pods are old"),
    (deployment(updatedReplicas=1), False, "1 of the new template"),
    (deployment(updatedReplicas=0, availableReplicas=2), False, "0 of 2 pods ready"),
    (item("Deployment", {"replicas": 0}, {"observedGeneration": 2}), True, ""),
    (item("Deployment", {}, None), False, "generation"),
    (deployment(availableReplicas=0, conditions=[condition("Progressing", "False", "Late")]), False, "Late"),
    (
        deployment(updatedReplicas=0, conditions=[condition("ReplicaFailure", "True", "FailedCreate")]),
        False,
        "FailedCreate",
    ),
    # StatefulSets and DaemonSets.
    (item("StatefulSet", {"replicas": 2}, STS), True, ""),
    (item("StatefulSet", {"replicas": 2}, {**STS, "readyReplicas": 1}), False, "1 of 2 pods ready"),
    (
        item("StatefulSet", {"replicas": 2}, {**STS, "updatedReplicas": 1, "updateRevision": "c"}),
        False,
        "1 of 2 pods updated",
    ),
    (item("StatefulSet", {"replicas": 2}, {**STS, "observedGeneration": 1}), False, "generation"),
    (item("DaemonSet", {}, DS), True, ""),
    (item("DaemonSet", {}, {**DS, "updatedNumberScheduled": 1}), False, "1 of 2 pods ready"),
    # Jobs.
    (item("Job", {}, {"conditions": [condition("Complete")]}), True, ""),
    (item("Job", {}, {}), False, "0 of 1 done"),
    (
        item("Job", {}, {"conditions": [condition("Failed", reason="BackoffLimitExceeded")]}),
        False,
        "BackoffLimitExceeded",
    ),
    # LeaderWorkerSets.
    (item("LeaderWorkerSet", {"replicas": 1}, LWS), True, ""),
    (item("LeaderWorkerSet", {"replicas": 2}, LWS), False, "1 of 2 groups ready"),
    (item("LeaderWorkerSet", {"replicas": 1}, {**LWS, "conditions": []}), False, "Available is not reported"),
    # Gateways: only conditions of the present generation count.
    (item("Gateway", {}, {"conditions": [condition("Programmed")]}), True, ""),
    (item("Gateway", {}, {"conditions": [condition("Programmed", generation=1)]}), False, "Programmed is not reported"),
    (
        item("Gateway", {}, {"conditions": [condition("Programmed", "False", "AddressNotAssigned")]}),
        False,
        "AddressNotAssigned",
    ),
    (item("Gateway", {}, {"conditions": [condition("Accepted", "False", "Invalid")]}), False, "Accepted=False Invalid"),
    (item("Gateway", {}, None), False, "Programmed is not reported"),
    # Routes: every parent.
    (route([parent(*GOOD)]), True, ""),
    (route([]), False, "Gateway gw has not reported Accepted"),
    (
        route([parent(condition("Accepted"), condition("ResolvedRefs", "False", "BackendNotFound"))]),
        False,
        "BackendNotFound",
    ),
    (route([parent(condition("Accepted", generation=1), condition("ResolvedRefs"))]), False, "not reported"),
    (route([parent(*GOOD, namespace="n")]), True, ""),
    (route([parent(*GOOD, namespace="other")]), False, "not reported"),
    (route([parent(*GOOD)], ({"name": "gw"}, {"name": "two"})), False, "Gateway two"),
    # The rest.
    (item("PersistentVolumeClaim", {}, {"phase": "Bound"}), True, ""),
    (item("PersistentVolumeClaim", {}, {"phase": "Pending"}), False, "Pending"),
    (item("CustomResourceDefinition", {}, {"conditions": [condition("Established")]}), True, ""),
    (item("CustomResourceDefinition", {}, {}), False, "Established"),
    (item("ConfigMap"), True, ""),
    (item("ConfigMap", deletionTimestamp="now"), False, "being deleted"),
]


@pytest.mark.parametrize("obj, ready, text", CASES)
def test_object_state(obj, ready, text):
    state = object_state(obj)
    assert state.ready is ready
    assert text in state.text


@pytest.mark.parametrize(
    "obj, failed",
    [
        (item("Job", {}, {"conditions": [condition("Failed")]}), True),
        (item("PersistentVolumeClaim", {}, {"phase": "Lost"}), True),
        (item("PersistentVolumeClaim", {}, {"phase": "Pending"}), False),
        (item("Gateway", {}, {"conditions": [condition("Accepted", "False")]}), True),
        (item("Gateway", {}, {"conditions": [condition("Programmed", "False")]}), False),
        (deployment(availableReplicas=0, conditions=[condition("Progressing", "False")]), True),
        (deployment(availableReplicas=0), False),
    ],
)
def test_failed_for_good(obj, failed):
    assert object_state(obj).failed is failed


@pytest.mark.parametrize(
    ("webhook", "ready"),
    [
        ({"clientConfig": {"service": {"name": "a"}}}, False),
        ({"clientConfig": {"service": {"name": "a"}, "caBundle": "Zm9v"}}, True),
        ({"clientConfig": {"service": {"name": "a"}}, "failurePolicy": "Ignore"}, True),
        ({"clientConfig": {"service": {"name": "a"}}, "rules": [{"operations": ["CONNECT"]}]}, True),
        ({"clientConfig": {"url": "https://elsewhere"}}, True),
    ],
)
def test_a_webhook_without_which_nothing_is_admitted_has_a_certificate(webhook, ready):
    one = {"name": "graphs", "rules": [{"operations": ["CREATE", "UPDATE"]}], **webhook}
    kind = {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "x"}, "webhooks": [one]}
    assert object_state(kind).ready is ready
