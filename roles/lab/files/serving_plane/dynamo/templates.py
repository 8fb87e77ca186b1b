# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The pod template that the operator makes of a component: defaults by type, then what the component says itself."""

from __future__ import annotations

import copy
from typing import Any

from ..cluster.snapshot import Object, Snapshot, labels_of
from ..gateways.infrastructure import overlay
from .names import (
    BACKEND,
    COMPONENT,
    COMPONENT_POD,
    DISCOVERED,
    FRONTEND,
    GRAPH,
    HTTP_PORT,
    LONG_START,
    METRICS_ANNOTATION,
    METRICS_LABEL,
    NAMESPACE,
    ONE,
    SELECTOR,
    SUBTYPE,
    SYSTEM_PORT,
    TYPE,
    WORKER_HASH,
    is_worker,
)
from .operators import Operator

HEALTHY = 'curl -s http://localhost:${DYNAMO_PORT}/health | jq -e ".status == \\"healthy\\""'
GPU = "nvidia.com/gpu"


def environment(**pairs: str) -> list[Object]:
    return [{"name": name, "value": value} for name, value in pairs.items()]


def merged(first: list[Object], second: list[Object]) -> list[Object]:
    """Two lists of environment variables as one, in which the second's go before the first's."""
    return list({item["name"]: item for item in [*first, *second]}.values())


def probe(path: str, port: str, **numbers: int) -> Object:
    return {"httpGet": {"path": path, "port": port}, **numbers}


def _frontend(dynamo_namespace: str, operator: Operator) -> Object:
    one = operator.version >= ONE
    env = environment(DYNAMO_PORT=str(HTTP_PORT), DYN_HTTP_PORT=str(HTTP_PORT))
    pace = {"initialDelaySeconds": 60, "periodSeconds": 60, "timeoutSeconds": 30, "failureThreshold": 10}
    readiness: Object = {"exec": {"command": ["/bin/sh", "-c", HEALTHY]}, **pace}
    if one:
        env += environment(DYN_NAMESPACE_PREFIX=dynamo_namespace)
        pace = {"initialDelaySeconds": 10, "periodSeconds": 10, "timeoutSeconds": 3, "failureThreshold": 3}
        readiness = probe("/health", "http", **pace)
    return {
        "command": ["python3"],
        "args": ["-m", "dynamo.frontend"],
        "ports": [{"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"}],
        "livenessProbe": probe("/live" if one else "/health", "http", **pace),
        "readinessProbe": readiness,
        "env": env,
    }


def _worker(hashed: str, operator: Operator) -> Object:
    one = operator.version >= ONE
    budget = 720 if operator.version >= LONG_START else 60
    env = environment(
        DYN_SYSTEM_ENABLED="true",
        DYN_SYSTEM_USE_ENDPOINT_HEALTH_STATUS='["generate"]',
        DYN_SYSTEM_PORT=str(SYSTEM_PORT),
    )
    env += environment(DYN_NAMESPACE_WORKER_SUFFIX=hashed) if hashed else []
    patience, threshold = (4, 3) if one else (30, 60)
    return {
        "ports": [{"name": "system", "containerPort": SYSTEM_PORT, "protocol": "TCP"}],
        "livenessProbe": probe("/live", "system", periodSeconds=5, timeoutSeconds=patience, failureThreshold=1),
        "readinessProbe": probe(
            "/health", "system", periodSeconds=10, timeoutSeconds=patience, failureThreshold=threshold
        ),
        "startupProbe": probe("/live", "system", periodSeconds=10, timeoutSeconds=5, failureThreshold=budget),
        "env": env,
    }


def container(component: Object, operator: Operator) -> Object:
    """The container `main` of a DynamoComponentDeployment."""
    spec, meta = component["spec"], component["metadata"]
    kind = spec.get("componentType", "")
    given: Object = copy.deepcopy((spec.get("extraPodSpec") or {}).get("mainContainer") or {})
    dynamo_namespace = spec.get("dynamoNamespace") or ""
    env = environment(
        DYN_NAMESPACE=dynamo_namespace,
        DYN_PARENT_DGD_K8S_NAME=labels_of(component).get(GRAPH, ""),
        DYN_PARENT_DGD_K8S_NAMESPACE=meta["namespace"],
    )
    if operator.version >= ONE:
        env += environment(DYN_COMPONENT=kind)
        fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_UID": "metadata.uid"}
        env += [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
    if backend_of(component, operator) == "kubernetes":
        env += environment(DYN_DISCOVERY_BACKEND="kubernetes")
    made: Object = {"name": "main", "command": ["/bin/sh", "-c"]}
    own = _frontend(dynamo_namespace, operator) if kind == FRONTEND else {}
    own = _worker(labels_of(component).get(WORKER_HASH, ""), operator) if is_worker(spec) else own
    defaults = env + own.pop("env", [])
    made.update(own)
    main_env = given.pop("env", [])
    startup = given.pop("startupProbe", None)
    made = overlay(made, given)
    made["name"] = given.get("name") or "main"
    made.update({"startupProbe": startup} if startup else {})
    made["env"] = merged(spec.get("envs") or [], merged(defaults, main_env))
    made.update({name: spec[name] for name in ("livenessProbe", "readinessProbe") if spec.get(name)})
    _resources(made, spec.get("resources") or {})
    if spec.get("envFromSecret"):
        made["envFrom"] = [*made.get("envFrom", []), {"secretRef": {"name": spec["envFromSecret"]}}]
    made["env"] = merged(_addresses(operator), made["env"])
    return made


def _addresses(operator: Operator) -> list[Object]:
    known = {"NATS_SERVER": operator.nats, "ETCD_ENDPOINTS": operator.etcd}
    return environment(**{name: value for name, value in known.items() if value})


def backend_of(component: Object, operator: Operator) -> str:
    """Where a component's pods register: the annotation of its graph, or else what the operator was started with."""
    annotations = component["spec"].get("annotations") or {}
    return annotations.get(BACKEND) or operator.backend


def _resources(made: Object, asked: Object) -> None:
    """Write cpu, memory, gpu and custom amounts as the resources of a container."""
    for side, amounts in asked.items():
        wanted = {name: amounts[name] for name in ("cpu", "memory") if amounts.get(name)}
        wanted.update({GPU: amounts["gpu"]} if amounts.get("gpu") else {})
        wanted.update(amounts.get("custom") or {})
        if wanted:
            made.setdefault("resources", {}).setdefault(side, {}).update(wanted)


def _volumes(spec: Object) -> tuple[list[Object], list[Object]]:
    """(volumes, mounts) of claims and of the shared memory."""
    mounts = [(spec["pvc"]["name"], spec["pvc"]["mountPoint"])] if (spec.get("pvc") or {}).get("name") else []
    mounts += [(item["name"], item["mountPoint"]) for item in spec.get("volumeMounts") or [] if item.get("mountPoint")]
    volumes: list[Object] = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name, _path in mounts]
    shared = spec.get("sharedMemory") or {}
    if not shared.get("disabled"):
        size = str(shared.get("size") or "8Gi")
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": size}})
        mounts.append(("shared-memory", "/dev/shm"))
    return volumes, [{"name": name, "mountPath": path} for name, path in mounts]


def labels(component: Object, operator: Operator) -> dict[str, str]:
    """The labels of a component's pods."""
    spec, meta = component["spec"], component["metadata"]
    made = {name: labels_of(component)[name] for name in (COMPONENT, NAMESPACE, GRAPH) if name in labels_of(component)}
    made[SELECTOR] = meta["name"]
    made.update({TYPE: spec["componentType"]} if spec.get("componentType") else {})
    made.update({SUBTYPE: spec["subComponentType"]} if spec.get("subComponentType") else {})
    if (spec.get("annotations") or {}).get(METRICS_ANNOTATION) != "false":
        made[METRICS_LABEL] = "true"
    if backend_of(component, operator) == "kubernetes":
        made.update({BACKEND: "kubernetes", DISCOVERED: "true"})
    if WORKER_HASH in labels_of(component):
        made[WORKER_HASH] = labels_of(component)[WORKER_HASH]
    return {**made, **((spec.get("extraPodMetadata") or {}).get("labels") or {})}


def pod_template(component: Object, operator: Operator, snapshot: Snapshot) -> Object:
    """The pod template of a DynamoComponentDeployment."""
    spec = component["spec"]
    extra: dict[str, Any] = copy.deepcopy(spec.get("extraPodSpec") or {})
    extra.pop("mainContainer", None)
    main = container(component, operator)
    volumes, mounts = _volumes(spec)
    main["volumeMounts"] = [*main.get("volumeMounts", []), *mounts]
    pod = {"terminationGracePeriodSeconds": 60, "restartPolicy": "Always", **extra}
    pod["containers"] = [main, *(item for item in extra.get("containers") or [] if item.get("name") != main["name"])]
    pod["volumes"] = [*(extra.get("volumes") or []), *volumes]
    pod.setdefault("serviceAccountName", _service_account(component, operator, snapshot))
    annotations = (spec.get("extraPodMetadata") or {}).get("annotations") or {}
    return {"metadata": {"labels": labels(component, operator), "annotations": annotations}, "spec": pod}


def discovery_account(graph: str) -> str:
    """The ServiceAccount by which a graph's pods read and write what they register in Kubernetes."""
    return f"{graph}-k8s-service-discovery"


def _service_account(component: Object, operator: Operator, snapshot: Snapshot) -> str:
    if backend_of(component, operator) == "kubernetes":
        return discovery_account(labels_of(component).get(GRAPH, ""))
    namespace = component["metadata"]["namespace"]
    accounts = [item for item in snapshot.within("ServiceAccount", namespace) if COMPONENT_POD in labels_of(item)]
    return accounts[0]["metadata"]["name"] if accounts else "default"
