# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LLM-Orchestrator's objects, what is said of mistakes in its variables, and where its secrets are."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.ours import FIELD_MANAGER
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts, filled
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.orchestrator.network import (
    places,
    without_password,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.orchestrator.objects import TARGET
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings
from stack.test_resolve import CLASSES, params

ROLES = pathlib.Path(__file__).resolve().parents[5] / "roles"
IMAGE = "registry.example/llm-orchestrator:1.0.0"
SECRETS = {
    "llm_orchestrator_database_url": "postgresql://orchestrator:s3cret@postgres.data:5433/orchestrator",
    "llm_orchestrator_redis_url": "redis://:s3cret@redis:6379/0",
    "llm_orchestrator_nats_url": "nats://u:s3cret@nats.example.com",
    "llm_orchestrator_secrets": {"JWT_SECRET": "s3cret-" * 6},
}
Objects = dict[tuple[str, str], dict[str, t.Any]]


class Made(t.NamedTuple):
    """A stack of LLM-Orchestrator alone: its objects by kind and name, its parts, what is told, the findings."""

    objects: Objects
    parts: list[dict[str, t.Any]]
    told: dict[str, t.Any]
    findings: list[str]


def defaults(role: str) -> dict[str, t.Any]:
    """Return a role's defaults without its prefix; expressions are left out."""
    found = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    return {
        name.removeprefix(f"{role}_"): {} if "{{" in str(value) else value
        for name, value in found.items()
        if not name.endswith("_timeout") or isinstance(value, int)
    }


def make(
    secrets: t.Any = None, seen: t.Any = None, monitoring: bool = False, registry: str = "", **given: t.Any
) -> Made:
    """Return what becomes of the settings."""
    findings = Findings()
    found = {**params([]), "image_registry": registry}
    settings = {**defaults("llm_orchestrator"), "enabled": True, "image": IMAGE, **given}
    found["components"]["llm_orchestrator"] = settings
    found["components"]["orchestrator_stores"] = defaults("orchestrator_stores")
    found["components"]["monitoring"] = {**defaults("monitoring"), "enabled": monitoring}
    found["secrets"] = SECRETS if secrets is None else secrets
    stack = resolve(checked_settings(found, findings), Facts(classes=CLASSES, seen={"llm_orchestrator": seen or {}}))
    told = as_result(stack)
    parts = [part for part in told["parts"] if part["component"] == "llm_orchestrator"]
    objects = {(item["kind"], item["metadata"]["name"]): item for part in parts for item in part["objects"]}
    return Made(objects, parts, told, findings.texts + stack.findings.texts)


def pod_of(made: Made, part: str) -> dict[str, t.Any]:
    """Return the spec of a workload's pods."""
    return made.objects["Deployment", f"llm-orchestrator-{part}"]["spec"]["template"]["spec"]


def test_a_stack_has_all_that_a_server_needs() -> None:
    made = make()
    assert made.findings == []
    names = sorted(f"{kind} {name}" for kind, name in made.objects)
    job = next(name for kind, name in made.objects if kind == "Job")
    assert names == sorted(
        [
            "ConfigMap llm-orchestrator-api-config",
            "ConfigMap llm-orchestrator-worker-config",
            "Deployment llm-orchestrator-api",
            "Deployment llm-orchestrator-worker",
            f"Job {job}",
            "NetworkPolicy llm-orchestrator-api",
            "NetworkPolicy llm-orchestrator-egress",
            "NetworkPolicy llm-orchestrator-metrics",
            "PodDisruptionBudget llm-orchestrator-api",
            "PodDisruptionBudget llm-orchestrator-worker",
            "Secret llm-orchestrator-environment",
            "Service llm-orchestrator",
            "Service llm-orchestrator-worker",
            "ServiceAccount llm-orchestrator",
        ]
    )
    assert [part.get("after", False) for part in made.parts] == [False, True]
    assert ("Job", job) in {(item["kind"], item["metadata"]["name"]) for item in made.parts[0]["objects"]}


def test_secrets_are_in_the_secret_alone() -> None:
    made = make()
    assert "s3cret" not in json.dumps([made.told, *made.findings])
    base = made.parts[0]
    (secret,) = [item for item in filled(base["objects"], base["fill"], SECRETS) if item["kind"] == "Secret"]
    assert sorted(secret["data"]) == ["DATABASE_URL", "JWT_SECRET", "NATS_URL", "REDIS_URL"]
    for part in ("api", "worker"):
        rows = pod_of(made, part)["containers"][0]["env"]
        names = {row["name"]: row["valueFrom"]["secretKeyRef"]["key"] for row in rows}
        assert names == dict(zip(secret["data"], secret["data"], strict=True))


def test_pods_keep_to_the_restricted_profile() -> None:
    made = make()
    job = next(item for (kind, _name), item in made.objects.items() if kind == "Job")
    for pod in (pod_of(made, "api"), pod_of(made, "worker"), job["spec"]["template"]["spec"]):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert not pod["automountServiceAccountToken"]


def test_a_sites_registry_has_the_image() -> None:
    made = make(registry="mirror.example")
    job = next(item for (kind, _name), item in made.objects.items() if kind == "Job")
    pods = [pod_of(made, "api"), pod_of(made, "worker"), job["spec"]["template"]["spec"]]
    assert {pod["containers"][0]["image"].partition("/")[0] for pod in pods} == {"mirror.example"}


def test_a_rolling_update_takes_no_pod_away_first() -> None:
    spec = make().objects["Deployment", "llm-orchestrator-api"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["replicas"] == 3
    container = spec["template"]["spec"]["containers"][0]
    assert container["args"] == ["server", "--mode=api", "--config=/etc/llm-orchestrator/orchestrator.yaml"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_workers_have_probes_too() -> None:
    container = pod_of(make(), "worker")["containers"][0]
    probes = [container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")]
    assert {probe["httpGet"]["path"] for probe in probes} == {"/health"}


def test_an_autoscaler_owns_the_replicas() -> None:
    made = make(api_autoscaling={"max": 10, "cpu": 70})
    assert "replicas" not in made.objects["Deployment", "llm-orchestrator-api"]["spec"]
    scaler = made.objects["HorizontalPodAutoscaler", "llm-orchestrator-api"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 10)
    assert made.objects["Deployment", "llm-orchestrator-worker"]["spec"]["replicas"] == 5


@pytest.mark.parametrize(("manager", "kept"), [(FIELD_MANAGER, 7), ("kube-controller-manager", None)])
def test_replicas_of_ours_stay_until_the_autoscaler_sets_some(manager: str, kept: int | None) -> None:
    fields = [{"manager": manager, "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
    live = {"metadata": {"name": "llm-orchestrator-api", "managedFields": fields}, "spec": {"replicas": 7}}
    made = make(api_autoscaling={"max": 10, "cpu": 70}, seen={"deployments": [live]})
    assert made.objects["Deployment", "llm-orchestrator-api"]["spec"].get("replicas") == kept


@pytest.mark.parametrize(
    ("access", "verbs"),
    [
        ("none", None),
        ("read", {"configmaps": ["get", "list", "watch"], "secrets": ["get", "list", "watch"]}),
        ("pods", {"pods": ["get", "list", "watch", "create", "delete"]}),
    ],
)
def test_rights_are_the_least(access: str, verbs: dict[str, list[str]] | None) -> None:
    made = make(cluster_access=access)
    role = made.objects.get(("Role", "llm-orchestrator"))
    found = {kind: rule["verbs"] for rule in role["rules"] for kind in rule["resources"]} if role else None
    assert found is None if verbs is None else verbs.items() <= (found or {}).items()
    assert pod_of(made, "api")["automountServiceAccountToken"] is (access != "none")


def test_http_and_grpc_have_an_ingress_each() -> None:
    made = make(ingress={"host": "o.example.com", "class": "nginx", "tls": "o-tls", "cluster_issuer": "letsencrypt"})
    http, grpc = (made.objects["Ingress", name] for name in ("llm-orchestrator", "llm-orchestrator-grpc"))
    note = "nginx.ingress.kubernetes.io/backend-protocol"
    assert note not in http["metadata"]["annotations"]
    assert grpc["metadata"]["annotations"][note] == "GRPC"
    assert grpc["spec"]["rules"][0]["host"] == "grpc.o.example.com"
    # cert-manager makes a Secret for each Ingress that it is told of.
    assert [one["spec"]["tls"][0]["secretName"] for one in (http, grpc)] == ["o-tls", "o-tls-grpc"]


def test_one_certificate_is_for_both_hosts() -> None:
    made = make(ingress={"host": "o.example.com", "tls": "o-tls", "certificate_issuer": "ca"})
    certificate = made.objects["Certificate", "llm-orchestrator"]["spec"]
    assert certificate["dnsNames"] == ["o.example.com", "grpc.o.example.com"]
    grpc = made.objects["Ingress", "llm-orchestrator-grpc"]
    assert grpc["spec"]["tls"][0]["secretName"] == certificate["secretName"] == "o-tls"  # noqa: S105


def test_ways_out_are_all_that_is_needed() -> None:
    config = {"observability": {"tracing": {"enabled": True, "endpoint": "http://jaeger.tracing:4318"}}}
    made = make(config=config)
    rules = made.objects["NetworkPolicy", "llm-orchestrator-egress"]["spec"]["egress"]
    found = {
        port["port"]: (rule.get("to") or [{}])[0].get("namespaceSelector", {}).get("matchLabels", {})
        for rule in rules
        for port in rule["ports"]
    }
    label = "kubernetes.io/metadata.name"
    assert found == {
        53: {},
        5433: {label: "data"},
        6379: {label: "ns"},
        4222: {},
        4318: {label: "tracing"},
        443: {},
    }


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://u:p@db:5433/x", [("db", 5433, "own")]),
        ("postgresql://u:p%40ss@a.data.svc,b.data.svc:1/x", [("a.data.svc", 9, "data"), ("b.data.svc", 1, "data")]),
        ("redis://cache.example.com", [("cache.example.com", 9, "")]),
        ("redis://cache:port", []),
        ("cache:6379", []),
    ],
)
def test_where_a_url_leads(url: str, found: list[tuple[str, int, str]]) -> None:
    assert [tuple(place) for place in places(url, 9, "own")] == found


def test_a_url_without_its_password() -> None:
    assert without_password("postgresql://u:p@ss@db/x") == "postgresql://u@db/x"


def of_jobs(made: Made) -> str:
    """Return the name of the Job of migrations."""
    return next(name for kind, name in made.objects if kind == "Job")


def job_of(made: Made, *conditions: str) -> dict[str, t.Any]:
    """Return the Job of migrations as a cluster has it."""
    item = made.objects["Job", of_jobs(made)]
    return {**item, "status": {"conditions": [{"type": name, "status": "True"} for name in conditions]}}


def test_migrations_run_once_for_an_image_and_a_database() -> None:
    first = make()
    again = make(seen={"jobs": [job_of(first, "Complete")]})
    assert of_jobs(again) == of_jobs(first)
    assert again.parts[0]["going"] == []
    upgraded = make(seen={"jobs": [job_of(first, "Complete")]}, image=f"{IMAGE[:-1]}1")
    assert of_jobs(upgraded) != of_jobs(first)
    assert [item["metadata"]["name"] for item in upgraded.parts[0]["going"]] == [of_jobs(first)]
    other = {**SECRETS, "llm_orchestrator_database_url": "postgresql://orchestrator:s3cret@other/orchestrator"}
    assert of_jobs(make(other)) != of_jobs(first)
    password = {**SECRETS, "llm_orchestrator_database_url": SECRETS["llm_orchestrator_database_url"].replace("s3", "x")}
    assert of_jobs(make(password)) == of_jobs(first)


def test_migrations_that_failed_are_tried_again() -> None:
    first = make()
    second = make(seen={"jobs": [job_of(first, "Failed")]})
    assert of_jobs(second) == f"{of_jobs(first)}-1"
    third = make(seen={"jobs": [job_of(first, "Failed"), job_of(second, "Complete")]})
    assert of_jobs(third) == of_jobs(second)
    assert job_of(second)["metadata"]["annotations"][TARGET] == job_of(first)["metadata"]["annotations"][TARGET]


def test_a_secret_of_the_users() -> None:
    data = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://cache", "NATS_URL": "nats://q"}
    data["JWT_SECRET"] = "s3cret-" * 6
    seen = {"secret": data}
    made = make({}, seen, secret_name="mine")
    assert made.findings == []
    assert not [key for key in made.objects if key[0] == "Secret"]
    assert pod_of(made, "api")["containers"][0]["envFrom"] == [{"secretRef": {"name": "mine"}}]


def test_monitoring_has_the_guides_metrics() -> None:
    made = make(monitoring=True)
    monitor = made.objects["ServiceMonitor", "llm-orchestrator"]["spec"]
    services = [item for (kind, _name), item in made.objects.items() if kind == "Service"]
    for service in services:
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert "metrics" in {port["name"] for port in service["spec"]["ports"]}
    rules = made.objects["PrometheusRule", "llm-orchestrator"]["spec"]["groups"][0]["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 6
    text = made.objects["ConfigMap", "llm-orchestrator-dashboard"]["data"]["llm-orchestrator.json"]
    for name in ("workflow_executions_total", "task_retry_count", "queue_depth", "llm_cost_usd_total"):
        assert name in text
    assert len(json.loads(text)["panels"]) == 16


MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({"image": ""}, "llm_orchestrator_image: is empty"),
    ({"image": "Registry/Orchestrator"}, "llm_orchestrator_image: 'Registry/Orchestrator' is not a valid image"),
    ({"api_autoscaling": {"cpu": 70}}, "llm_orchestrator_api_autoscaling.max: is missing"),
    ({"api_autoscaling": {"max": 2, "cpu": 70}}, "llm_orchestrator_api_autoscaling.max: 2 is below the 3 pods"),
    ({"worker_autoscaling": {"max": 9}}, "llm_orchestrator_worker_autoscaling: has neither cpu nor memory"),
    ({"api_autoscaling": {"max": 9, "cpu": 7}, "api_resources": {}}, "api_autoscaling.cpu: is a share of what pods"),
    ({"ingress": {"hots": "o.example.com"}}, "llm_orchestrator_ingress.hots: unknown key. Did you mean host?"),
    ({"ingress": {"host": "o.example", "grpc_host": "o.example"}}, "ingress.grpc_host: is also the host of HTTP"),
    ({"ingress": {"host": "o.example", "cluster_issuer": "ca"}}, "llm_orchestrator_ingress.tls: is missing"),
    (
        {"secrets": {"llm_orchestrator_redis_url": "redis://r", "llm_orchestrator_nats_url": "nats://n"}},
        "llm_orchestrator_database_url: is empty: servers and workers need DATABASE_URL",
    ),
    ({"config": {"database": {"typ": "postgresql"}}}, "did you mean database.type?"),
    ({"config": {"database": {"pool": {"max_connections": 40}}}, "database_max_connections": 100}, "max_connections"),
    ({"config": {"security": {"authentication": {"jwt_secret": "s3cret-s3cret"}}}}, "write ${JWT_SECRET}"),
    ({"secrets": {**SECRETS, "llm_orchestrator_secrets": {}}}, "JWT_SECRET"),
    (
        {"secrets": {**SECRETS, "llm_orchestrator_nats_url": "http://nats:4222"}},
        "llm_orchestrator_nats_url: is not a URL of nats or tls",
    ),
    (
        {"secrets": {**SECRETS, "llm_orchestrator_database_url": "postgresql://$(DB_USER):x@db/o"}},
        "llm_orchestrator_database_url: contains $(NAME)",
    ),
]


@pytest.mark.parametrize(("given", "said"), MISTAKES)
def test_mistakes_are_named(given: dict[str, t.Any], said: str) -> None:
    found = make(**given).findings
    assert any(said in text for text in found), found
    assert not any("s3cret" in text for text in found)


def test_stores_are_pinned_and_their_secrets_come_first() -> None:
    findings = Findings()
    found = params([])
    chart = {"chart": "oci://registry.example/charts/postgresql", "values": {"auth": {"existingSecret": "pg"}}}
    found["components"]["llm_orchestrator"] = {**defaults("llm_orchestrator"), "enabled": False}
    found["components"]["orchestrator_stores"] = {**defaults("orchestrator_stores"), "postgres": chart}
    found["secrets"] = {"orchestrator_stores_secrets": {"pg": {"password": "s3cret"}}}
    stack = resolve(checked_settings(found, findings), Facts(classes=CLASSES))
    assert ["orchestrator_stores_postgres.version" in text for text in findings.texts] == [True]
    parts = [part for part in as_result(stack)["parts"] if part["component"] == "orchestrator_stores"]
    assert [(part["kind"], part["name"]) for part in parts] == [
        ("objects", "orchestrator_stores-secrets"),
        ("release", "postgres"),
    ]
    (secret,) = filled(parts[0]["objects"], parts[0]["fill"], found["secrets"])
    assert secret["data"] == {"password": "czNjcmV0"}
