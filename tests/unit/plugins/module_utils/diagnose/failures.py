# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Failures as the objects show them, each with the rule that has to name it."""

from __future__ import annotations

from typing import Any

from diagnose.world import BORN, Object, crashed, event, item, pod, state, wide

FALSE = {"status": "False", "lastTransitionTime": "2026-11-21T09:30:00Z"}


def pulling(message: str, reason: str = "ImagePullBackOff") -> list[Object]:
    return [pod("web-1", state(waiting={"reason": reason, "message": message}))]


def unmade(message: str, reason: str = "CreateContainerConfigError") -> list[Object]:
    return [pod("web-1", state(waiting={"reason": reason, "message": message}))]


def unplaced(message: str, spec: Object | None = None) -> list[Object]:
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return [pod("web-1", conditions=[why], spec={"nodeName": None, **(spec or {})})]


def refused(message: str) -> list[Object]:
    why = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return [item("Deployment", "web", spec={"replicas": 1}, status={"conditions": [why]})]


def claim(phase: str = "Pending", name: str = "weights", **spec: Any) -> Object:
    return item("PersistentVolumeClaim", name, spec=spec, status={"phase": phase})


def storage(mode: str = "Immediate") -> Object:
    return wide("StorageClass", "fast", volumeBindingMode=mode)


def gateway(*conditions: Object, cls: str = "istio") -> Object:
    return item("Gateway", "gw", spec={"gatewayClassName": cls}, status={"conditions": list(conditions)})


def gateway_class(status: str = "True") -> Object:
    return wide(
        "GatewayClass",
        "istio",
        spec={"controllerName": "c"},
        status={"conditions": [{"type": "Accepted", "status": status, "reason": "Pending"}]},
    )


def routed(kind: str, reason: str, **parent: str) -> list[Object]:
    ref = {"name": "gw", **parent}
    status = {"parents": [{"parentRef": ref, "conditions": [{"type": kind, "reason": reason, **FALSE}]}]}
    return [item("HTTPRoute", "r", spec={"parentRefs": [ref], "rules": []}, status=status)]


def killed() -> list[Object]:
    body = pod("web-1", state(running=True, last={"exitCode": 137, "reason": "Error"}, restarts=3), phase="Running")
    return [body, event(body, "Unhealthy", "Startup probe failed: connection refused", count=30)]


def probing() -> list[Object]:
    body = pod("web-1", state(running=True), phase="Running")
    return [body, event(body, "Unhealthy", "Readiness probe failed: 503")]


def beginning(reason: str, *messages: str) -> list[Object]:
    """A pod whose containers are not made yet, and what its node says, the newest first."""
    body = pod("web-1", state(waiting={"reason": "ContainerCreating"}))
    return [body, *(event(body, reason, message) for message in messages)]


def thrown(reason: str, message: str) -> list[Object]:
    """A pod that its node did not let in, or threw off."""
    body = pod("web-1", phase="Failed")
    body["status"].update(reason=reason, message=message)
    return [body, item("Deployment", "web", spec={"replicas": 1}, status={"readyReplicas": 0, "updatedReplicas": 1})]


def initialising(since: str, **container: Any) -> list[Object]:
    """A pod that waits for an init container."""
    init = {"name": "proxy", "image": "i:v1", **container}
    spec = {"initContainers": [init]}
    body = pod("web-1", state(waiting={"reason": "PodInitializing"}), spec=spec)
    running = {"name": "proxy", "ready": False, "restartCount": 0, "state": {"running": {"startedAt": since}}}
    body["status"]["initContainerStatuses"] = [running]
    return [body]


def provisioning() -> list[Object]:
    body = claim(storageClassName="fast")
    return [storage(), body, event(body, "ProvisioningFailed", "ReadWriteMany is not supported")]


def pool(selector: Object, port: int = 8000, **status: Any) -> Object:
    spec = {
        "selector": {"matchLabels": selector},
        "targetPorts": [{"number": port}],
        "endpointPickerRef": {"name": "epp", "port": {"number": 9002}},
    }
    return item("InferencePool", "pool", spec=spec, status=status)


def accepted(since: str = BORN) -> Object:
    """A route to the pool that its Gateway has accepted."""
    reference = {"name": "gw", "namespace": "infra"}
    entry = {"type": "Accepted", "status": "True", "lastTransitionTime": since}
    rules = [{"backendRefs": [{"kind": "InferencePool", "name": "pool"}]}]
    status = {"parents": [{"parentRef": reference, "conditions": [entry]}]}
    return item("HTTPRoute", "r", spec={"parentRefs": [reference], "rules": rules}, status=status)


def endpoints(service: str, *, ready: bool | None, port: str | None = "") -> Object:
    """An EndpointSlice. port: the name of its only port, None for none."""
    ports = [] if port is None else [{"name": port, "port": 9002}]
    labels = {"kubernetes.io/service-name": service}
    conditions = {} if ready is None else {"ready": ready}
    return item("EndpointSlice", f"{service}-x", labels=labels, endpoints=[{"conditions": conditions}], ports=ports)


def programmed(replicas: int, *slices: Object) -> list[Object]:
    """A Gateway that is programmed, its Service and its Deployment."""
    mine = {"gateway.networking.k8s.io/gateway-name": "gw"}
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": BORN} for kind in ("Accepted", "Programmed")]
    workload = item(
        "Deployment",
        "gw-istio",
        spec={"replicas": replicas, "template": {"metadata": {"labels": mine}}},
        status={"observedGeneration": 1, "updatedReplicas": replicas, "availableReplicas": replicas},
    )
    service = item("Service", "gw-istio", labels=mine, spec={"selector": mine})
    return [gateway(*conditions), gateway_class(), service, workload, *slices]


def picker(*, ready: bool = True) -> list[Object]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    running = pod("epp-1", state("epp", running=True, ready=ready), phase="Running", conditions=conditions, owner="epp")
    return [item("Service", "epp", spec={"selector": {"app": "epp"}, "ports": [{"port": 9002}]}), running]


CASES: list[tuple[str, str, list[Object]]] = [
    ("DIAG101", "reg/vllm:v1", pulling("Back-off pulling: ErrImagePull: manifest unknown")),
    ("DIAG102", "401", pulling("failed to authorize: 401 Unauthorized")),
    ("DIAG102", "denied", pulling("pull access denied, repository does not exist or may require authorization")),
    ("DIAG103", "toomanyrequests", pulling("toomanyrequests: You have reached your pull rate limit")),
    ("DIAG104", "InvalidImageName", pulling("couldn't parse image name", "InvalidImageName")),
    ("DIAG105", "i/o timeout", pulling("dial tcp 10.0.0.1:443: i/o timeout")),
    ("DIAG106", "no match for platform", pulling("no match for platform in manifest: not found")),
    ("DIAG108", "node n", pulling("failed to extract layer sha256:1: write /var/lib/x: no space left on device")),
    ("DIAG109", "unexpected media type", pulling("unexpected media type text/html for sha256:1")),
    ("DIAG110", "x509", pulling("tls: failed to verify certificate: x509: certificate signed by unknown authority")),
    ("DIAG107", "ErrImageNeverPull", pulling("Container image is not present", "ErrImageNeverPull")),
    ("DIAG201", "class fast", [claim(storageClassName="fast"), wide("StorageClass", "slow")]),
    ("DIAG202", "class none", [claim(), storage()]),
    ("DIAG203", "ReadWriteMany is not supported", provisioning()),
    ("DIAG204", "is Pending", [claim(storageClassName="fast"), storage("WaitForFirstConsumer")]),
    (
        "DIAG205",
        "claim weights not found",
        unplaced("x", {"volumes": [{"persistentVolumeClaim": {"claimName": "weights"}}]}),
    ),
    ("DIAG206", "exit status 32", beginning("FailedMount", "MountVolume.SetUp failed: mount failed: exit status 32")),
    (
        "DIAG207",
        "CSI driver nfs.csi.example.com run on node n",
        beginning(
            "FailedMount",
            "Unable to attach or mount volumes: unmounted volumes=[w]: timed out waiting for the condition",
            'MountVolume.MountDevice failed for volume "w" : driver name nfs.csi.example.com not found in the list of'
            " registered CSI drivers",
        ),
    ),
    (
        "DIAG207",
        "efs.csi.example.com",
        beginning("FailedAttachVolume", "CSINode n does not contain driver efs.csi.example.com"),
    ),
    (
        "DIAG208",
        "Multi-Attach",
        beginning("FailedAttachVolume", 'Multi-Attach error for volume "w" Volume is already used by pod(s) a'),
    ),
    (
        "DIAG209",
        "configmap x",
        beginning("FailedMount", 'MountVolume.SetUp failed for volume "c": configmap "x" not found'),
    ),
    ("DIAG211", "Insufficient nvidia.com/gpu", unplaced("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")),
    ("DIAG212", "Insufficient memory", unplaced("0/3 nodes are available: 3 Insufficient memory.")),
    ("DIAG213", "untolerated taint", unplaced("0/3 nodes are available: 3 node(s) had untolerated taint {a: b}.")),
    ("DIAG214", "node affinity", unplaced("3 node(s) didn't match Pod's node affinity/selector.")),
    ("DIAG215", "unschedulable", unplaced("3 node(s) were unschedulable.")),
    ("DIAG216", "topology spread", unplaced("3 node(s) didn't match pod topology spread constraints.")),
    (
        "DIAG220",
        "volume",
        unplaced("0/3 nodes: 1 node(s) had untolerated taint {a: b}, 2 node(s) had volume node affinity conflict."),
    ),
    ("DIAG221", "claims", unplaced("0/3 nodes are available: 3 cannot allocate all claims.")),
    ("DIAG221", "gpu.example.com", unplaced("1 request gpu: device class gpu.example.com does not exist.")),
    ("DIAG222", "free ports", unplaced("1 node(s) didn't have free ports for the requested pod ports.")),
    ("DIAG217", "kueue", [pod(spec={"nodeName": None, "schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]})]),
    ("DIAG218", "schedulerName: mine", [pod(spec={"nodeName": None, "schedulerName": "mine"})]),
    ("DIAG219", "something new", unplaced("0/3 nodes are available: something new")),
    ("DIAG301", "narrow", refused("exceeded quota: narrow, requested: pods=1, used: pods=1, limited: pods=1")),
    ("DIAG302", "limits.cpu", refused("failed quota: narrow: must specify limits.cpu for: vllm")),
    ("DIAG303", "maximum cpu", refused("maximum cpu usage per Container is 100m, but limit is 2")),
    ("DIAG304", "restricted", refused('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false')),
    ("DIAG305", "security context", refused("unable to validate against any security context constraint: [x]")),
    ("DIAG306", "policy.example.com", refused('admission webhook "policy.example.com" denied the request: no')),
    ("DIAG307", "gone.example.com", refused('failed calling webhook "gone.example.com": connection refused')),
    ("DIAG308", "weekend", refused("ValidatingAdmissionPolicy 'weekend' with binding 'b' denied request: no")),
    (
        "DIAG309",
        "ServiceAccount me",
        refused('error looking up service account demo/me: serviceaccount "me" not found'),
    ),
    ("DIAG310", "urgent", refused("no PriorityClass with name urgent was found")),
    (
        "DIAG311",
        "Let jane create pods",
        refused('forbidden: User "jane" cannot create resource "pods" in API group ""'),
    ),
    (
        "DIAG314",
        "RuntimeClass nvidia",
        refused('pods "x" is forbidden: pod rejected: RuntimeClass "nvidia" not found'),
    ),
    ("DIAG312", "Widget", refused('no matches for kind "Widget" in version "example.com/v1"')),
    ("DIAG313", "Invalid value", refused("spec.ports[0]: Invalid value: 0: must be between 1 and 65535")),
    ("DIAG401", "Create the Secret hf", unmade('secret "hf" not found')),
    ("DIAG402", "Add the key TOKEN to the Secret", unmade("couldn't find key TOKEN in Secret demo/hf")),
    ("DIAG403", "ConfigMap plugins", unmade('configmap "plugins" not found')),
    ("DIAG404", "executable file not found", unmade('exec: "vlm": executable file not found in $PATH', "StartError")),
    ("DIAG405", "strange", unmade("something strange", "CreateContainerError")),
    (
        "DIAG411",
        "no memory limit",
        [
            pod(
                "w",
                state(
                    waiting={"reason": "CrashLoopBackOff"}, restarts=1, last={"reason": "OOMKilled", "exitCode": 137}
                ),
            )
        ],
    ),
    ("DIAG412", "ephemeral-storage", thrown("Evicted", "The node was low on resource: ephemeral-storage. Threshold")),
    (
        "DIAG415",
        "modelArtifacts.size",
        thrown("Evicted", 'Usage of EmptyDir volume "model-storage" exceeds the limit "5Gi". '),
    ),
    (
        "DIAG416",
        "9Gi",
        thrown("Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 9Gi. "),
    ),
    ("DIAG416", "vllm", thrown("Evicted", 'Container vllm exceeded its local ephemeral storage limit "1Gi". ')),
    ("DIAG417", "shutdown", thrown("Terminated", "Pod was terminated in response to imminent node shutdown.")),
    (
        "DIAG223",
        "device plugin of nvidia.com/gpu and its devices on node n",
        thrown(
            "UnexpectedAdmissionError",
            "Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices"
            " nvidia.com/gpu, which is unexpected",
        ),
    ),
    ("DIAG224", "OutOfcpu", thrown("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu")),
    ("DIAG224", "NUMA", thrown("TopologyAffinityError", "Pod was rejected: Resources cannot be allocated")),
    (
        "DIAG421",
        "Set up the runtime nvidia on node n",
        beginning("FailedCreatePodSandBox", 'failed to get sandbox runtime: no runtime for "nvidia" is configured'),
    ),
    ("DIAG421", "kata", beginning("FailedCreatePodSandBox", "failed to find runtime handler kata from runtime list")),
    (
        "DIAG422",
        "calico",
        beginning("FailedCreatePodSandBox", 'failed to setup network for sandbox "1": plugin type="calico" failed'),
    ),
    ("DIAG423", "strange", beginning("FailedCreatePodSandBox", "something strange")),
    ("DIAG424", "restartPolicy: Always", initialising(BORN, args=["--port=8000", "--vllm-port=8200"])),
    ("DIAG424", "has not finished", initialising("2026-11-21T09:00:00Z")),
    ("DIAG413", "Startup probe failed", killed()),
    ("DIAG414", "Readiness probe failed", probing()),
    ("DIAG701", "gatewayClassName is istio", [gateway()]),
    ("DIAG702", "controller c", [gateway(), gateway_class("Unknown")]),
    (
        "DIAG703",
        "ListenersNotValid",
        [gateway({"type": "Accepted", "reason": "ListenersNotValid", **FALSE}), gateway_class()],
    ),
    (
        "DIAG704",
        "AddressNotAssigned",
        [gateway({"type": "Programmed", "reason": "AddressNotAssigned", **FALSE}), gateway_class()],
    ),
    ("DIAG705", "Invalid", [gateway({"type": "Programmed", "reason": "Invalid", **FALSE}), gateway_class()]),
    ("DIAG706", "not reported yet", [gateway(), gateway_class()]),
    ("DIAG707", "Deployment gw-istio is scaled to 0", programmed(0, endpoints("gw-istio", ready=False))),
    ("DIAG711", "Gateway not found", routed("Accepted", "Accepted")),
    ("DIAG712", "NoMatchingParent", [*routed("Accepted", "NoMatchingParent", namespace="infra")]),
    ("DIAG713", "NotAllowedByListeners", routed("Accepted", "NotAllowedByListeners", namespace="infra")),
    ("DIAG714", "UnsupportedValue", routed("Accepted", "UnsupportedValue", namespace="infra")),
    ("DIAG715", "BackendNotFound", routed("ResolvedRefs", "BackendNotFound", namespace="infra")),
    ("DIAG716", "InvalidKind", routed("ResolvedRefs", "InvalidKind", namespace="infra")),
    ("DIAG717", "RefNotPermitted", routed("ResolvedRefs", "RefNotPermitted", namespace="infra")),
    ("DIAG718", "Strange", routed("ResolvedRefs", "Strange", namespace="infra")),
    (
        "DIAG719",
        "has not reported a status",
        [item("HTTPRoute", "r", spec={"parentRefs": [{"name": "g", "namespace": "infra"}]})],
    ),
    (
        "DIAG731",
        "use one spelling",
        [
            pool({"llm-d.ai/inferenceServing": "true"}),
            *picker(),
            pod("m-1", labels={"llm-d.ai/inference-serving": "true"}, conditions=[{"type": "Ready", "status": "True"}]),
        ],
    ),
    ("DIAG733", "Service epp, which does not exist", [pool({"app": "epp"}), picker()[1]]),
    (
        "DIAG734",
        "Deployment web",
        [
            pool({"app": "web"}),
            accepted(),
            *picker(),
            item(
                "Deployment",
                "web",
                spec={"replicas": 0, "template": {"metadata": {"labels": {"app": "web"}}}},
                status={"observedGeneration": 1},
            ),
        ],
    ),
    (
        "DIAG735",
        "selects 0 pods",
        [
            pool({"app": "web"}),
            accepted(),
            *picker(),
            item(
                "Deployment",
                "web",
                spec={"replicas": 1, "template": {"metadata": {"labels": {"app": "web"}}}},
                status={"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1},
            ),
        ],
    ),
    (
        "DIAG736",
        "has 0 pods",
        [
            pool({"app": "m"}),
            accepted(),
            picker()[0],
            pod("m-1", owner="m", conditions=[{"type": "Ready", "status": "True"}]),
        ],
    ),
    (
        "DIAG737",
        "HTTPRouteNotAccepted",
        [
            pool(
                {"app": "epp"},
                parents=[{"conditions": [{"type": "Accepted", "reason": "HTTPRouteNotAccepted", **FALSE}]}],
            ),
            accepted(),
            *picker(),
        ],
    ),
    ("DIAG739", "HTTPRoute r is accepted for", [pool({"app": "epp"}), *picker(), accepted()]),
    (
        "DIAG738",
        "none of its ready pods has",
        [pool({"app": "epp"}), *picker(), endpoints("epp", ready=True, port=None)],
    ),
    (
        "DIAG803",
        "example.com/keep",
        [claim("Bound", deletionTimestamp="2026-11-21T09:20:00Z", finalizers=["example.com/keep"])],
    ),
    ("DIAG901", "exit code 1", [crashed("")[0]]),
    ("DIAG414", "but is not ready", [pod("web-1", state(running=True), phase="Running")]),
    (
        "DIAG998",
        "0 of 1 pods ready",
        [item("Deployment", "web", spec={"replicas": 1}, status={"observedGeneration": 1})],
    ),
    ("DIAG999", "Pending", [pod("web-1")]),
]
