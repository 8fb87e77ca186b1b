# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LLM-Orchestrator on Kubernetes: migrations first, then API servers and workers, with all that belongs to them."""

from __future__ import annotations

import base64
import typing as t

from ..base import formats
from ..base.apis import MONITORING_API
from ..base.data import Object, Values, dig, mapping
from ..base.findings import Findings
from ..base.images import rewrite_object
from ..base.names import hostname_problem
from ..base.ours import COMPONENT_LABEL, FIELD_MANAGER, MANAGED_LABEL
from ..base.quantities import parse
from ..helm.image_check import registry_of
from ..orchestrator.configuration import ConfigInput, Configuration, work_out
from ..orchestrator.settings import Servers
from ..values.layers import check_entry
from .base import OBJECTS, ORCHESTRATOR, Component, NeededKind, Part, Stack, named
from .monitoring import MonitoringComponent
from .orchestrator.monitors import monitors
from .orchestrator.network import CERTIFICATE_API, TLS_PORT, ingresses, places, policies, without_password
from .orchestrator.objects import (
    API,
    CACHE,
    DATABASE,
    QUEUE,
    TLS_DIR,
    WORKER,
    OrchestratorSettings,
    foundation,
    migration,
    workloads,
)

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

# By the setting, the variable of the environment that it becomes.
URLS = {"database_url": DATABASE, "redis_url": CACHE, "nats_url": QUEUE}
SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss"),
    "nats_url": ("nats", "tls"),
}
SCALING_KEYS: dict[str, type] = {"min": int, "max": int, "cpu": int, "memory": int}
INGRESS_KEYS: dict[str, type] = {
    **dict.fromkeys(("host", "grpc_host", "class", "tls", "cluster_issuer"), str),
    **dict.fromkeys(("certificate_issuer", "certificate_issuer_kind"), str),
    **dict.fromkeys(("annotations", "grpc_annotations"), dict),
}
NETWORK_KEYS: dict[str, type] = dict.fromkeys(
    ("clients", "ingress_namespaces", "monitoring_namespaces", "providers", "egress"), list
)
_RULE = "input-orchestrator"


class LlmOrchestratorComponent(Component):
    """The component `llm_orchestrator`."""

    name = "llm_orchestrator"
    asks = "llm_orchestrator_image"
    group = ORCHESTRATOR
    hidden = (*URLS, "secrets")
    shapes = {
        "name": formats.dns_label,
        "image": formats.image,
        "pull_secret": formats.dns_name,
        "tls_secret": formats.dns_name,
        "secret_name": formats.dns_name,
        "node_selector": formats.labels,
        "tolerations": formats.toleration,
        "api_replicas": formats.positive,
        "worker_replicas": formats.positive,
    }

    @classmethod
    def checked(cls, given: Values, findings: Findings) -> Values:
        if not given["enabled"]:
            return given
        if not given["image"]:
            text = "is empty, but llm_orchestrator_enabled is true: no image of LLM-Orchestrator's server is published"
            fix = (
                "set it to the image that you have built, with its version: registry.example.com/llm-orchestrator:1.0.0"
            )
            findings.add("llm_orchestrator_image", text, fix, rule="input-image")
        filled = dict(given)
        tables = {"api_autoscaling": SCALING_KEYS, "worker_autoscaling": SCALING_KEYS}
        for setting, keys in {**tables, "ingress": INGRESS_KEYS, "network": NETWORK_KEYS}.items():
            entry = check_entry(given[setting] or {}, keys, f"llm_orchestrator_{setting}", findings)
            filled[setting] = entry or {}
        for part in (API, WORKER):
            _check_scaling(f"llm_orchestrator_{part}", filled, part, findings)
        _check_ingress(filled["ingress"], findings)
        # What lacks what it is made of is not made, so that the rest is checked too.
        needed = {"api_autoscaling": "max", "worker_autoscaling": "max", "ingress": "host"}
        return {**filled, **{setting: {} for setting, key in needed.items() if not filled[setting].get(key)}}

    @classmethod
    def asked(cls, given: Values) -> bool:
        return bool(given.get("enabled"))

    @classmethod
    def look(cls, cluster: Cluster, given: Values, namespace: str) -> t.Any:
        """Return the Jobs of migrations that were made, the Deployments, and the user's own Secret."""
        if not given.get("enabled"):
            return None
        place, selector = cls.place(given, namespace), f"{MANAGED_LABEL}=true,{COMPONENT_LABEL}={cls.name}"
        secret = cluster.get("v1", "Secret", given["secret_name"], place) if given["secret_name"] else None
        return {
            "jobs": cluster.list("batch/v1", "Job", place, label_selector=selector),
            "deployments": cluster.list("apps/v1", "Deployment", place, label_selector=selector),
            "secret": {key: _decoded(text) for key, text in mapping((secret or {}).get("data")).items()},
        }

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        # What this run does not deploy is worked out for its names alone.
        self.findings = stack.findings if self.chosen else Findings()

    @property
    def enabled(self) -> bool:
        """Whether it is to run."""
        return bool(self.given.get("enabled") and self.given.get("image")) and not self.idle

    def resolve(self) -> None:
        """Work out configuration and environment; note what is wrong with them."""
        if not self.enabled:
            return
        seen, given = self.stack.facts.seen.get(self.name) or {}, self.given
        known = seen.get("secret") or self._environment()
        self._check_urls(known)
        made = self._configured(known)
        self.urls = {key: known[key] for key in URLS.values() if known.get(key)}
        keys = tuple(URLS.values()) if given["secret_name"] else tuple(sorted(known))
        self.wanted = OrchestratorSettings(
            given,
            self.namespace,
            made[API].values,
            {part: one.text for part, one in made.items()},
            keys,
            whole=bool(given["secret_name"]),
            target=without_password(known.get(DATABASE, "")),
            replicas=_held(seen.get("deployments") or []),
        )
        self.attempts = seen.get("jobs") or []

    def _environment(self) -> dict[str, str]:
        """Return what the Secret of ours is to hold."""
        secrets = self.stack.params.get("secrets") or {}
        found = {str(key): str(text) for key, text in mapping(secrets.get(self.secret("secrets"))).items()}
        for setting, key in URLS.items():
            if variable := self.secret(setting):
                found[key] = str(secrets[variable])
        return found

    def _check_urls(self, known: t.Mapping[str, str]) -> None:
        """Note addresses that are missing, or are not of the store's kind. known: the environment by name."""
        theirs = self.given["secret_name"]
        for setting, key in URLS.items():
            where, text = f"{self.name}_{setting}", known.get(key, "")
            if theirs and self.secret(setting):
                fix = f"remove it, or llm_orchestrator_secret_name ({theirs}), which has {key}"
                self.findings.add(where, "conflicts with llm_orchestrator_secret_name", fix, rule=_RULE)
            if not text:
                # A Secret of the user's that is not there, or lacks the key, is found by the rules about pods.
                if not theirs:
                    fix = f"set it, for example {EXAMPLES[setting]}"
                    self.findings.add(where, f"is empty: servers and workers need {key}", fix, rule=_RULE)
                continue
            scheme = text.partition("://")[0]
            place = f"llm_orchestrator_secret_name ({key})" if theirs else where
            if scheme not in SCHEMES[setting] or not places(text, 1, self.namespace):
                fix = f"use a URL such as {EXAMPLES[setting]}"
                self.findings.add(place, f"is not a URL of {' or '.join(SCHEMES[setting])}", fix, rule=_RULE)
            elif "$(" in text:
                fix = "write the whole URL: Kubernetes expands $(NAME) in a container's env and args only"
                self.findings.add(place, "contains $(NAME), which nothing replaces in a Secret", fix, rule=_RULE)

    def _configured(self, known: t.Mapping[str, str]) -> dict[str, Configuration]:
        """Return orchestrator.yaml of API servers and of workers. known: the environment by name."""
        base: Values = {"database": {"type": "postgresql"}}
        if self.given["tls_secret"]:
            files = {"cert_file": f"{TLS_DIR}/tls.crt", "key_file": f"{TLS_DIR}/tls.key"}
            base["server"] = {"tls": {"enabled": True, **files}}
        # Addresses are looked at by themselves, with the names of their variables.
        environment = {**known, **dict.fromkeys(URLS.values(), "")}
        found, moved = {}, dict[str, None]()
        for part in (API, WORKER):
            asked = ConfigInput(
                self._servers(part),
                self.given["config"],
                base,
                environment,
                f"{self.name}_config",
                self.stack.params.get("places") or {},
                self.stack.params.get("accept") or (),
            )
            found[part] = work_out(asked)
            self.findings.take(found[part].findings)
            moved |= dict.fromkeys(set(found[part].environment) - set(environment))
        for name in moved:
            fix = f"write ${{{name}}} there, and put it into llm_orchestrator_secrets as {name}"
            self.findings.add(f"{self.name}_config", f"contains a secret, which becomes {name}", fix, rule=_RULE)
        return found

    def _servers(self, part: str) -> Servers:
        """Return what is known of API servers or workers, at their most."""
        most = {
            one: self.given[f"{one}_autoscaling"].get("max") or self.given[f"{one}_replicas"] for one in (API, WORKER)
        }
        limits = mapping(mapping(self.given[f"{part}_resources"]).get("limits"))
        cpus, memory = (parse(limits.get(name)) for name in ("cpu", "memory"))
        most_connections = self.given["database_max_connections"] or None
        return Servers(
            part, sum(most.values()), most_connections, cpus / 1000 if cpus else None, memory / 1000 if memory else None
        )

    def make_parts(self) -> list[Part]:
        if not self.enabled:
            return []
        wanted, monitoring = self.wanted, self.stack.of(MonitoringComponent).given
        first = [*foundation(wanted), *policies(wanted, self.urls)]
        # A rollback runs no migrations: those of before would not undo those of now.
        spec: Object = {"objects": first, "fill": self._fill(), "keep": ["Job"]}
        if self.given["migrate"]:
            job, going = migration(wanted, self.attempts)
            first.append(job)
            spec["going"] = going
        rest = [*workloads(wanted), *ingresses(wanted), *monitors(wanted, monitoring)]
        if registry := registry_of(self.stack.params):
            spec["objects"] = [rewrite_object(item, registry) for item in first]
            rest = [rewrite_object(item, registry) for item in rest]
        return [
            Part(self.name, f"{wanted.name}-base", self.namespace, OBJECTS, spec, self.name),
            Part(self.name, wanted.name, self.namespace, OBJECTS, {"objects": rest, "after": True}, self.name),
        ]

    def _fill(self) -> dict[str, dict[str, t.Any]]:
        """Return where the data of the Secret come from."""
        if self.given["secret_name"]:
            return {}
        urls = {URLS[setting]: name for setting in URLS if (name := self.secret(setting))}
        rest = {key: {"secret": self.secret("secrets"), "path": [key]} for key in self.wanted.keys if key not in urls}
        return {self.wanted.secret: {**rest, **urls}}

    def needs(self) -> list[NeededKind]:
        if not self.enabled:
            return []
        found = []
        if self.given["ingress"].get("certificate_issuer"):
            found.append(NeededKind(CERTIFICATE_API, "Certificate", "llm_orchestrator_ingress.certificate_issuer"))
        monitoring = self.stack.of(MonitoringComponent).given
        if monitoring.get("enabled"):
            found.append(NeededKind(MONITORING_API, "ServiceMonitor", "monitoring_enabled"))
        return found

    def serves(self) -> list[Object]:
        parts = (API, WORKER) if self.enabled else ()
        return [named("apps/v1", "Deployment", f"{self.wanted.name}-{part}", self.namespace) for part in parts]

    def tells(self) -> Object:
        if not self.enabled:
            return {"orchestrators": []}
        wanted, given = self.wanted, self.given
        metrics = dig(wanted.config, ("observability", "metrics", "endpoint")) or "/metrics"
        row = {
            "name": wanted.name,
            "namespace": self.namespace,
            "service": wanted.name,
            "port": TLS_PORT if wanted.tls else 80,
            "scheme": "https" if wanted.tls else "http",
            "metrics_port": wanted.ports.get("metrics", 0),
            "paths": {
                "health": given["health_path"],
                "ready": given["ready_path"],
                "metrics": metrics,
                "workflows": given["workflows_path"],
            },
            "labels": {part: wanted.labels(part) for part in (API, WORKER)},
            "workflow": given["workflow"],
        }
        return {"orchestrators": [row]}


EXAMPLES = {
    "database_url": "postgresql://USER:PASSWORD@postgres:5432/orchestrator",
    "redis_url": "redis://:PASSWORD@redis:6379/0",
    "nats_url": "nats://USER:PASSWORD@nats:4222",
}


def _decoded(text: t.Any) -> str:
    return base64.b64decode(str(text)).decode("utf-8", "replace")


def _held(deployments: t.Iterable[Object]) -> dict[str, int]:
    """Return by workload the replicas of Deployments whose number we have set and nobody since.

    Such a number stays until an autoscaler sets one: the API server makes one replica of a field that nobody owns.
    """
    found = {}
    for item in deployments:
        rows = item["metadata"].get("managedFields") or []
        owned = any(
            row.get("manager") == FIELD_MANAGER and dig(row, ("fieldsV1", "f:spec", "f:replicas")) is not None
            for row in rows
        )
        if owned:
            found[item["metadata"]["name"].rpartition("-")[2]] = int(item["spec"].get("replicas") or 0)
    return found


def _check_scaling(where: str, given: Values, part: str, findings: Findings) -> None:
    """Note an autoscaler that cannot work, and workloads that cannot do without one another."""
    scaling: Values = given[f"{part}_autoscaling"]
    least = scaling.get("min") or given[f"{part}_replicas"]
    if scaling and not scaling.get("max"):
        findings.add(f"{where}_autoscaling.max", "is missing", "set it to the most pods there may be", rule=_RULE)
    elif scaling and scaling["max"] < least:
        text = f"{scaling['max']} is below the {least} pods that there are at least"
        findings.add(f"{where}_autoscaling.max", text, f"use a number of at least {least}", rule=_RULE)
    if scaling and not (scaling.get("cpu") or scaling.get("memory")):
        fix = "set cpu or memory to a percentage of what pods request, for example 70"
        findings.add(f"{where}_autoscaling", "has neither cpu nor memory", fix, rule=_RULE)
    requests = mapping(mapping(given.get(f"{part}_resources")).get("requests"))
    for name in ("cpu", "memory"):
        if scaling.get(name) and not requests.get(name):
            text = f"is a share of what pods request, but {where}_resources requests no {name}"
            findings.add(f"{where}_autoscaling.{name}", text, f"add requests.{name}", rule=_RULE)


def _check_ingress(given: Values, findings: Findings) -> None:
    where = "llm_orchestrator_ingress"
    if not given:
        return
    for key in ("host", "grpc_host"):
        if key == "host" and not given.get(key):
            findings.add(f"{where}.host", "is missing", "set it to a host name", rule="input-hostname")
        elif given.get(key) and (wrong := hostname_problem(given[key])):
            findings.add(f"{where}.{key}", wrong, "set it to a host name", rule="input-hostname")
    if given.get("host") and given.get("host") == given.get("grpc_host"):
        text = "is also the host of HTTP: both would have the path /"
        findings.add(f"{where}.grpc_host", text, "use another host, for example grpc.HOST", rule="input-hostname")
    issuers = [key for key in ("cluster_issuer", "certificate_issuer") if given.get(key)]
    if len(issuers) > 1:
        text = "conflicts with cluster_issuer: both would make the certificate"
        findings.add(f"{where}.certificate_issuer", text, "set only one of them", rule=_RULE)
    if issuers and not given.get("tls"):
        text = f"is missing, but {issuers[0]} is set"
        findings.add(f"{where}.tls", text, "set it to the name of the Secret for the certificate", rule=_RULE)
