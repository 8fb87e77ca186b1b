# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One failure is one cause, and its consequences come after it; a second failure is not hidden by the first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Log

from diagnose.failures import FALSE, accepted, gateway, gateway_class, picker, pool, programmed, refused, thrown, unmade
from diagnose.world import NOW, NS, Object, event, evidence, item, pod, state, wide

STARTED = {"running": {"startedAt": "2026-11-21T09:57:00Z"}}
HOUR = 3600.0


def named(*objects: Object, ahead: float = 0.0, **fields: Any) -> list[tuple[str, str]]:
    """The ids of the causes with their severity."""
    found = evidence(*objects, **fields)
    found.now += ahead
    return [(cause["id"], cause["severity"]) for cause in diagnose(found)["causes"]]


def workload(name: str = "web", **spec: Any) -> list[Object]:
    """A Deployment of one pod that is not ready, with its ReplicaSet."""
    template = {"metadata": {"labels": {"app": name}}}
    body = {"replicas": 1, "template": template, **spec}
    return [item("Deployment", name, spec=body, status={"updatedReplicas": 1, "replicas": 1})]


def way(name: str = "web") -> list[Object]:
    """A pool of a workload, and what leads to it."""
    return [pool({"app": name}), accepted(), *programmed(1)]


def starting(name: str, owner: str, container: str, said: str) -> list[Object]:
    """A pod that runs and is not ready, and what its probe says."""
    ready = [{"type": "Ready", "status": "False"}]
    body = pod(name, state(container, running=True), phase="Running", conditions=ready, owner=owner)
    body["status"]["containerStatuses"][0]["state"] = STARTED
    return [body, event(body, "Unhealthy", said)] if said else [body]


@pytest.mark.parametrize(
    ("ahead", "events", "severity"), [(0, True, "warning"), (0, False, "warning"), (HOUR, False, "error")]
)
def test_models_that_load_are_one_cause(ahead: float, events: bool, severity: str) -> None:
    """The picker, its pool and the Deployments follow from it, also when the events are gone after an hour."""
    serving = [*workload(), *starting("web-1", "web", "vllm", "Startup probe failed: 503" if events else "")]
    choosing = [
        *workload("epp"),
        *starting("epp-1", "epp", "epp", "Readiness probe failed: NOT_SERVING" if events else ""),
    ]
    service = item("Service", "epp", spec={"selector": {"app": "epp"}, "ports": [{"port": 9002}]})
    objects = [*way(), service, *choosing, *serving]
    assert named(*objects, ahead=ahead) == [("DIAG414", severity)]
    (cause,) = diagnose(evidence(*objects))["causes"]
    assert cause["objects"] == ["Pod web-1"]
    assert {"Pod epp-1", "InferencePool pool"} <= set(cause["explains"])


def test_a_picker_that_waits_is_named_where_nothing_else_is() -> None:
    ready = [{"type": "Ready", "status": "False"}]
    body = pod("epp-1", state("epp", running=True), phase="Running", conditions=ready, owner="epp")
    service = item("Service", "epp", spec={"selector": {"app": "epp"}, "ports": [{"port": 9002}]})
    assert named(*way("nobody"), service, body)[0][0] == "DIAG731"
    young = pod("web-1", owner="web")
    young["metadata"]["creationTimestamp"] = "2026-11-21T09:59:50Z"
    assert ("DIAG740", "warning") in named(*way(), service, body, young)


@pytest.mark.parametrize(
    ("rule", "reason", "message"),
    [
        ("DIAG223", "UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present"),
        ("DIAG415", "Evicted", 'Usage of EmptyDir volume "model-storage" exceeds the limit "5Gi". '),
    ],
)
def test_pods_that_fail_again_and_again_are_one_cause(rule: str, reason: str, message: str) -> None:
    """Those that failed, the one that begins anew, the Deployment and the pool."""
    failed, deployment = thrown(reason, message)
    deployment["spec"] = {"replicas": 1, "template": {"metadata": {"labels": {"app": "web"}}}}
    again = starting("web-2", "web", "vllm", "Startup probe failed: connection refused")
    assert named(*way(), *picker(), failed, deployment, *again) == [(rule, "error")]


def test_a_failed_pod_that_was_replaced_is_no_failure() -> None:
    failed, deployment = thrown("Evicted", "The node was low on resource: memory.")
    assert named(failed, deployment) != []
    deployment["status"] = {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1, "readyReplicas": 1}
    assert named(failed, deployment) == []


def test_an_unknown_pod_comes_before_its_pool_and_its_workload() -> None:
    body = pod("web-1")
    told = event(body, "Mysterious", "the flux capacitor is empty")
    (cause,) = diagnose(evidence(*way(), *picker(), *workload(), body, told))["causes"]
    assert cause["id"] == "DIAG999" and "flux capacitor" in cause["evidence"][0]
    assert {"InferencePool pool", "Deployment web"} <= set(cause["explains"])


def test_a_pool_without_a_route_is_named_beside_what_else_fails() -> None:
    listening = gateway({"type": "Programmed", "status": "True"}, {"type": "Accepted", "status": "True"})
    way = [pool({"app": "web"}), *picker(), listening, gateway_class()]
    objects = [*way, *refused('pods "x" is forbidden: exceeded quota: narrow, requested: x')]
    objects[-1]["spec"]["template"] = {"metadata": {"labels": {"app": "web"}}}
    assert named(*objects) == [("DIAG301", "error"), ("DIAG721", "error")]
    # A run that ended before it came to the routes has not made them.
    assert named(*objects, ended=True) == [("DIAG301", "error")]


def test_a_picker_with_a_proxy_of_its_own_needs_no_route() -> None:
    service, body = picker()
    ready = [{"type": "Ready", "status": "True"}]
    sound = pod("web-1", state(running=True, ready=True), phase="Running", conditions=ready)
    found = [pool({"app": "web"}), service, body, sound]
    # Without a Gateway requests may come otherwise.
    assert named(*found) == [("DIAG721", "warning")]
    proxy = {"name": "proxy", "image": "proxy:v1", "ports": [{"containerPort": 8081}]}
    body["spec"]["containers"] = [{"name": "epp", "image": "epp:v1", "args": ["--pool-name=pool"]}, proxy]
    service["spec"]["ports"].append({"port": 80, "targetPort": 8081})
    assert named(*found) == []


def test_a_route_of_another_namespace_is_a_route() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    sound = pod("web-1", state(running=True, ready=True), phase="Running", conditions=ready)
    route = accepted("2026-11-21T09:59:50Z")
    route["metadata"]["namespace"] = "infra"
    objects = [pool({"app": "web"}), *picker(), sound]
    assert named(*objects, route) == [("DIAG721", "error")]
    route["spec"]["rules"][0]["backendRefs"][0]["namespace"] = NS
    assert named(*objects, route) == []


def refusing(reason: str, group: str, kind: str = "InferencePool", name: str = "pool") -> Object:
    """A route whose Gateway says that it does not find its backend."""
    route = accepted()
    route["spec"]["rules"][0]["backendRefs"] = [{"group": group, "kind": kind, "name": name}]
    route["spec"]["parentRefs"] = [{"name": "gw"}]
    entry = {"type": "ResolvedRefs", "reason": reason, "message": "backend not found", **FALSE}
    route["status"]["parents"] = [{"parentRef": {"name": "gw"}, "conditions": [entry]}]
    return route


GROUP = "inference.networking.k8s.io"


@pytest.mark.parametrize(
    ("reason", "group", "name", "rule", "says"),
    [
        ("BackendNotFound", GROUP, "pool", "DIAG716", "InferencePool pool exists"),
        ("InvalidKind", GROUP, "pool", "DIAG716", "inferenceExtension.enabled"),
        ("InvalidKind", "inference.networking.x-k8s.io", "pool", "DIAG716", f"Set group: {GROUP}"),
        ("BackendNotFound", GROUP, "pol", "DIAG715", "InferencePool pol does not exist"),
    ],
)
def test_what_is_said_not_to_exist_is_looked_up(reason: str, group: str, name: str, rule: str, says: str) -> None:
    there = pool({"app": "epp"})
    there["apiVersion"] = f"{GROUP}/v1"
    served = wide("GatewayClass", "istio", spec={"controllerName": "agentgateway.dev/agentgateway-plain"})
    served["status"] = {"conditions": [{"type": "Accepted", "status": "True"}]}
    listening = gateway({"type": "Programmed", "status": "True"}, {"type": "Accepted", "status": "True"})
    causes = diagnose(evidence(there, *picker(), listening, served, refusing(reason, group, name=name)))["causes"]
    found = next(cause for cause in causes if cause["id"] == rule)
    assert causes[0] is found
    assert says in json.dumps(found)
    if rule == "DIAG716":
        assert [cause["id"] for cause in causes] == ["DIAG716"]


@pytest.mark.parametrize(
    ("there", "says"), [(True, "has been created since"), (False, "Create the Secret hf"), (None, "Create")]
)
def test_what_has_been_made_since_is_told(there: bool | None, says: str) -> None:
    found = evidence(*unmade('secret "hf" not found'))
    if there is not None:
        found.elsewhere["Secret", NS, "hf"] = there
    (cause,) = diagnose(found)["causes"]
    assert cause["id"] == "DIAG401" and says in cause["remedy"]


def test_a_service_that_is_there_is_not_said_to_be_missing() -> None:
    listening = gateway({"type": "Programmed", "status": "True"}, {"type": "Accepted", "status": "True"})
    route = refusing("BackendNotFound", "", "Service", "epp")
    assert named(*picker(), listening, gateway_class(), route) == [("DIAG722", "warning")]


def test_who_scaled_it_down_is_told() -> None:
    objects = workload(replicas=0)
    objects[0]["metadata"]["annotations"] = {"downscaler/original-replicas": "2", "meta.helm.sh/release-name": "ms"}
    fields = {"f:spec": {"f:replicas": {}}}
    managed = [{"manager": "kube-downscaler", "time": "2026-11-21T02:00:00Z", "fieldsV1": fields}]
    objects[0]["metadata"]["managedFields"] = managed
    objects[0]["status"] = {}
    (cause,) = diagnose(evidence(*way(), *picker(), *objects))["causes"]
    assert (cause["id"], cause["severity"]) == ("DIAG734", "error")
    assert "annotation downscaler/original-replicas: 2 of Deployment web" in cause["evidence"][0]
    assert "kube-downscaler at 2026-11-21T02:00:00Z" in cause["evidence"][0]
    assert "Remove that annotation" in cause["remedy"] and "helm" not in cause["evidence"][0]


def test_an_autoscaler_that_scales_to_zero_is_no_failure() -> None:
    scaler = item("ScaledObject", "web", spec={"scaleTargetRef": {"name": "web"}})
    objects = [*workload(replicas=0), scaler]
    assert named(*way(), *picker(), *objects) == [("DIAG734", "warning")]
    scaler["metadata"]["annotations"] = {"autoscaling.keda.sh/paused-replicas": "0"}
    assert named(*way(), *picker(), *objects) == [("DIAG734", "error")]


def test_a_status_of_a_gateway_that_is_gone_is_no_failure() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    sound = pod("web-1", state(running=True, ready=True), phase="Running", conditions=ready)
    stale = {"parentRef": {"kind": "Gateway", "name": "old"}}
    stale["conditions"] = [{"type": "Accepted", "reason": "HTTPRouteNotAccepted", **FALSE}]  # type: ignore[assignment]
    assert named(pool({"app": "web"}, parents=[stale]), accepted(), *picker(), sound) == []


def test_a_volume_of_another_zone_is_named_with_the_zone() -> None:
    """The nodes have room; what they have not is said by the scheduler alone."""
    node = wide("Node", "gpu-0", status={"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "10"}})
    message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had volume node affinity conflict."
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    volumes = [{"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}]
    body = pod("web-1", conditions=[why], spec={"nodeName": None, "volumes": volumes})
    claim = item("PersistentVolumeClaim", "weights", spec={"volumeName": "pv-7"}, status={"phase": "Bound"})
    term = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["b"]}]}
    volume = wide("PersistentVolume", "pv-7", spec={"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}})
    found = evidence(node, body, claim, volume)
    found.everywhere = []
    (cause,) = diagnose(found)["causes"]
    assert cause["id"] == "DIAG220"
    assert "volume pv-7, of nodes with topology.kubernetes.io/zone In b" in cause["evidence"][0]


def test_where_nodes_have_room_nothing_is_made_up() -> None:
    node = wide("Node", "n-0", status={"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "10"}})
    why = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1: 1 odd plugin says no.",
    }
    found = evidence(node, pod("web-1", conditions=[why], spec={"nodeName": None}))
    found.everywhere = []
    (cause,) = diagnose(found)["causes"]
    assert cause["id"] == "DIAG219" and "odd plugin says no" in cause["evidence"][0]
    assert "affinity" not in json.dumps(cause)


def test_an_init_container_that_downloads_is_only_told() -> None:
    init = {"name": "fetch", "image": "i:v1", "args": ["download"]}
    spec = {"initContainers": [init]}
    body = pod("web-1", state(waiting={"reason": "PodInitializing"}), spec=spec)
    running = {"name": "fetch", "ready": False, "restartCount": 0, "state": STARTED}
    body["status"]["initContainerStatuses"] = [running]
    log = Log(body, "fetch", ("45% of 62 GB",))
    assert named(body) == [("DIAG414", "warning")]
    found = evidence(body, logs=[log])
    found.now = NOW + HOUR
    (cause,) = diagnose(found)["causes"]
    assert (cause["id"], cause["severity"]) == ("DIAG424", "warning")
    assert "45% of 62 GB" in cause["evidence"][0]
