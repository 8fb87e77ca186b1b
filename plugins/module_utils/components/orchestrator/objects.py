# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Manifests of LLM-Orchestrator: accounts, configuration, migrations, API servers, workers, and the way to them.

Commands, ports and paths are those of the LLM-Orchestrator Deployment Guide 1.0, "Kubernetes Deployment".
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing as t

from ...base.data import Object, Values, dig
from ..base import named

API, WORKER, MIGRATION = "api", "worker", "migration"
NAME, INSTANCE, COMPONENT = (f"app.kubernetes.io/{one}" for one in ("name", "instance", "component"))
PROGRAM = "llm-orchestrator"
CONFIG_FILE, CONFIG_DIR, TLS_DIR = "orchestrator.yaml", "/etc/llm-orchestrator", "/etc/llm-orchestrator/tls"
STATE_DIR, SCRATCH = "/var/lib/llm-orchestrator", "/tmp"  # noqa: S108 - inside the container
# Annotations of ours: what a pod's config was, and what a Job of migrations was made for.
CONFIG_DIGEST, TARGET = "orchestrator.llm-d.ai/config-digest", "orchestrator.llm-d.ai/migrates"
DATABASE, CACHE, QUEUE = "DATABASE_URL", "REDIS_URL", "NATS_URL"
# An image without a user of its own would run as root, which the restricted profile refuses.
USER = 10001
GRPC_PROTOCOL = "kubernetes.io/h2c"
# What the program may do in the cluster, by the setting that says so.
NO_ACCESS, READ, PODS = "none", "read", "pods"


@dataclasses.dataclass(frozen=True)
class OrchestratorSettings:
    """What is to run. given: the role's settings; config: of API servers; texts: orchestrator.yaml of API servers and
    of workers; keys: variables that the Secret has, of which all are taken where whole; target: the database without
    its password; replicas: by workload those that stay although an autoscaler is there."""

    given: Values
    namespace: str
    config: Values
    texts: t.Mapping[str, str]
    keys: tuple[str, ...]
    whole: bool = False
    target: str = ""
    replicas: t.Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """What all objects are named after."""
        return self.given["name"]

    @property
    def secret(self) -> str:
        """The Secret with the environment."""
        return self.given["secret_name"] or f"{self.name}-environment"

    @property
    def tls(self) -> bool:
        """Whether the servers speak TLS themselves."""
        return bool(dig(self.config, ("server", "tls", "enabled")))

    @property
    def ports(self) -> dict[str, int]:
        """The ports that a server listens on, by name."""
        found = {name: dig(self.config, ("server", "port", name)) for name in ("http", "grpc")}
        if dig(self.config, ("observability", "metrics", "enabled"), True):
            found["metrics"] = dig(self.config, ("observability", "metrics", "port"))
        return {name: int(port) for name, port in found.items() if port}

    def labels(self, part: str = "") -> dict[str, str]:
        """Return the labels of a part's objects, of all parts' without one."""
        return {NAME: PROGRAM, INSTANCE: self.name, **({COMPONENT: part} if part else {})}

    def of(self, api: str, kind: str, suffix: str = "", part: str = "", **rest: t.Any) -> Object:
        """Return an object of ours. suffix: of its name."""
        name = f"{self.name}-{suffix}" if suffix else self.name
        body = named(api, kind, name, self.namespace)
        return {**body, "metadata": {**body["metadata"], "labels": self.labels(part)}, **rest}


def foundation(wanted: OrchestratorSettings) -> list[Object]:
    """Return what is there before a server starts: account, rights, configuration, Secret."""
    account = wanted.of("v1", "ServiceAccount", automountServiceAccountToken=False)
    found = [account, *_rights(wanted)]
    for part, text in wanted.texts.items():
        found.append(wanted.of("v1", "ConfigMap", f"{part}-config", part, data={CONFIG_FILE: text}))
    if not wanted.given["secret_name"]:
        data = dict.fromkeys(wanted.keys, "")
        found.append(wanted.of("v1", "Secret", "environment", type="Opaque", data=data))
    return found


def _rights(wanted: OrchestratorSettings) -> list[Object]:
    """Return Role and binding; none where the program needs no access, as its files and variables come with the pod."""
    access = wanted.given["cluster_access"]
    if access == NO_ACCESS:
        return []
    read = ["get", "list", "watch"]
    own = {"configmaps": [f"{wanted.name}-{part}-config" for part in wanted.texts], "secrets": [wanted.secret]}
    rules = [
        {"apiGroups": [""], "resources": [kind], "resourceNames": names, "verbs": read} for kind, names in own.items()
    ]
    if access == PODS:
        rules.append({"apiGroups": [""], "resources": ["pods"], "verbs": [*read, "create", "delete"]})
    group = "rbac.authorization.k8s.io"
    reference = {"apiGroup": group, "kind": "Role", "name": wanted.name}
    subject = {"kind": "ServiceAccount", "name": wanted.name, "namespace": wanted.namespace}
    return [
        wanted.of(f"{group}/v1", "Role", rules=rules),
        wanted.of(f"{group}/v1", "RoleBinding", roleRef=reference, subjects=[subject]),
    ]


def migration(wanted: OrchestratorSettings, attempts: t.Sequence[Object]) -> tuple[Object, list[Object]]:
    """Return the Job that makes the database's tables, and those before it that may go.

    attempts: the Jobs of ours for that. One that did the same stays, as a Job cannot be changed; after one that failed
    another one is made, since a Job does not begin again.
    """
    digest = _digest(wanted.given["image"], wanted.given["command"], wanted.target)
    mine = [job for job in attempts if (job["metadata"].get("annotations") or {}).get(TARGET) == digest]
    good = [job for job in mine if not _failed(job)]
    name = f"{wanted.name}-db-init-{digest}" + (f"-{len(mine)}" if mine else "")
    if good:
        name = good[-1]["metadata"]["name"]
    pod = _pod(wanted, MIGRATION, ["db", "init"])
    pod["spec"]["restartPolicy"] = "Never"
    spec = {"backoffLimit": 2, "activeDeadlineSeconds": wanted.given["migration_timeout"], "template": pod}
    body = wanted.of("batch/v1", "Job", part=MIGRATION, spec=spec)
    body["metadata"] |= {"name": name, "annotations": {TARGET: digest}}
    others = [named("batch/v1", "Job", job["metadata"]["name"], wanted.namespace) for job in attempts]
    return body, [job for job in others if job["metadata"]["name"] != name]


def _failed(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(one.get("type") in ("Failed", "FailureTarget") and one.get("status") == "True" for one in conditions)


def _digest(*parts: t.Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def workloads(wanted: OrchestratorSettings) -> list[Object]:
    """Return API servers and workers with what belongs to each, and the Services before them."""
    found = [*_services(wanted)]
    for part in (API, WORKER):
        found += [_deployment(wanted, part), _budget(wanted, part)]
        if wanted.given[f"{part}_autoscaling"]:
            found.append(_autoscaler(wanted, part))
    return found


def _services(wanted: OrchestratorSettings) -> list[Object]:
    ports = wanted.ports
    http = {"name": "http", "port": 443 if wanted.tls else 80, "targetPort": "http"}
    grpc = {"name": "grpc", "port": ports["grpc"], "targetPort": "grpc", "appProtocol": GRPC_PROTOCOL}
    rows = [http, *([grpc] if "grpc" in ports else [])]
    metrics = [{"name": "metrics", "port": ports["metrics"], "targetPort": "metrics"}] if "metrics" in ports else []
    spec = {"selector": wanted.labels(API), "ports": rows + metrics, "type": "ClusterIP"}
    found = [wanted.of("v1", "Service", part=API, spec=spec)]
    if metrics:
        # Nobody calls workers; Prometheus finds them by a Service.
        spec = {"selector": wanted.labels(WORKER), "ports": metrics, "clusterIP": "None"}
        found.append(wanted.of("v1", "Service", WORKER, WORKER, spec=spec))
    return found


def _deployment(wanted: OrchestratorSettings, part: str) -> Object:
    given = wanted.given
    pod = _pod(wanted, part, ["server", f"--mode={part}", f"--config={CONFIG_DIR}/{CONFIG_FILE}"])
    container = pod["spec"]["containers"][0]
    container["ports"] = [{"name": name, "containerPort": port} for name, port in wanted.ports.items()]
    container["resources"] = given[f"{part}_resources"]
    container |= _probes(wanted, part)
    pod["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": wanted.labels(part)},
        }
        for key in given["spread_over"]
    ]
    rolling = {"maxUnavailable": 0, "maxSurge": 1}
    spec: Object = {
        "selector": {"matchLabels": wanted.labels(part)},
        "minReadySeconds": 5,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "template": pod,
    }
    if not given[f"{part}_autoscaling"]:
        spec["replicas"] = given[f"{part}_replicas"]
    elif part in wanted.replicas:
        spec["replicas"] = wanted.replicas[part]
    return wanted.of("apps/v1", "Deployment", part, part, spec=spec)


def _pod(wanted: OrchestratorSettings, part: str, arguments: list[str]) -> Object:
    """Return the template of a pod that runs the program, as the restricted profile of Kubernetes takes it."""
    config = WORKER if part == WORKER else API
    given, access = wanted.given, wanted.given["cluster_access"] != NO_ACCESS and part != MIGRATION
    mounts = [
        {"name": "config", "mountPath": CONFIG_DIR, "readOnly": True},
        {"name": "state", "mountPath": STATE_DIR},
        {"name": "scratch", "mountPath": SCRATCH},
    ]
    volumes: list[Object] = [
        {"name": "config", "configMap": {"name": f"{wanted.name}-{config}-config"}},
        {"name": "state", "emptyDir": {}},
        {"name": "scratch", "emptyDir": {}},
    ]
    if given["tls_secret"]:
        mounts.append({"name": "tls", "mountPath": TLS_DIR, "readOnly": True})
        volumes.append({"name": "tls", "secret": {"secretName": given["tls_secret"]}})
    container: Object = {
        "name": part,
        "image": given["image"],
        "args": arguments,
        "env": _environment(wanted),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }
    if given["command"]:
        container["command"] = given["command"]
    if wanted.whole:
        container["envFrom"] = [{"secretRef": {"name": wanted.secret}}]
    spec: Object = {
        "serviceAccountName": wanted.name,
        "automountServiceAccountToken": access,
        "terminationGracePeriodSeconds": given["termination_seconds"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }
    if given["pull_secret"]:
        spec["imagePullSecrets"] = [{"name": given["pull_secret"]}]
    if given["node_selector"]:
        spec["nodeSelector"] = given["node_selector"]
    if given["tolerations"]:
        spec["tolerations"] = given["tolerations"]
    marks = {CONFIG_DIGEST: _digest(wanted.texts[config])}
    return {"metadata": {"labels": wanted.labels(part), "annotations": marks}, "spec": spec}


def _environment(wanted: OrchestratorSettings) -> list[Object]:
    literal = [{"name": name, "value": str(value)} for name, value in sorted(wanted.given["env"].items())]
    return literal + [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": wanted.secret, "key": key}}} for key in wanted.keys
    ]


def _probes(wanted: OrchestratorSettings, part: str) -> Object:
    """Return a server's probes: a worker takes no requests, so that its health is all that is asked of it."""
    scheme = {"scheme": "HTTPS"} if wanted.tls else {}
    health = {"httpGet": {"path": wanted.given["health_path"], "port": "http", **scheme}}
    ready = {"httpGet": {"path": wanted.given["ready_path"], "port": "http", **scheme}}
    return {
        "startupProbe": {**health, "periodSeconds": 5, "failureThreshold": 24},
        "livenessProbe": {**health, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "readinessProbe": {**(ready if part == API else health), "periodSeconds": 5, "timeoutSeconds": 3},
    }


def _budget(wanted: OrchestratorSettings, part: str) -> Object:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": wanted.labels(part)}}
    return wanted.of("policy/v1", "PodDisruptionBudget", part, part, spec=spec)


def _autoscaler(wanted: OrchestratorSettings, part: str) -> Object:
    given: Values = wanted.given[f"{part}_autoscaling"]
    metrics = [
        {
            "type": "Resource",
            "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": given[name]}},
        }
        for name in ("cpu", "memory")
        if given.get(name)
    ]
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{wanted.name}-{part}"},
        "minReplicas": given.get("min") or wanted.given[f"{part}_replicas"],
        "maxReplicas": given["max"],
        "metrics": metrics,
    }
    return wanted.of("autoscaling/v2", "HorizontalPodAutoscaler", part, part, spec=spec)
