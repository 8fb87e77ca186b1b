# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Causes of failures that are made on the lab, all at once, and each is named by its rule."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import os
import pathlib
import secrets
from collections.abc import Iterator
from typing import Any

import plane_stack as make
import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.gather import Gatherer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import WIDTH, causes_lines, screen
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.records import encode_payload
from diagnosis_admission import WEBHOOK
from diagnosis_cases import CASES, CORDONED, FAULTS, LABEL, TAINTED, TOKEN, Case, helm, workload
from diagnosis_gateways import stack
from plane_client import Lab, eventually

from playbooks import play

PREFIX = f"diag-{secrets.token_hex(2)}-"


def node(name: str, **spec: Any) -> dict[str, Any]:
    """A node that takes no pods but those of a test."""
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    metadata |= {"annotations": {"kwok.x-k8s.io/node": "fake"}}
    taints = [{"key": "diagnosis", "value": "held", "effect": "NoSchedule"}]
    status = {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "10"}}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": {"taints": taints, **spec},
        "status": status,
    }


NODES = [node(TAINTED), node(CORDONED, unschedulable=True)]
MANIFEST = "apiVersion: diagnosis.example.com/v1\nkind: Gadget\nmetadata: {name: g}\n"


def namespace(name: str) -> str:
    return PREFIX + name


@functools.cache
def cluster() -> Cluster:
    """The lab; what it serves is asked for once."""
    return Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]})


def examined(name: str, ahead: float = 0.0) -> dict[str, Any]:
    """Diagnose a case's namespace. ahead: seconds that are taken to have passed."""
    gatherer = Gatherer(cluster(), namespace(name))
    evidence = gatherer.run()
    evidence.now += ahead
    return diagnose(evidence, gatherer.secrets, gatherer.ask)


def ids(result: dict[str, Any]) -> list[str]:
    return [cause["id"] for cause in result["causes"]]


def plant(lab: Lab, case: Case) -> list[dict[str, Any]]:
    """Make a case's namespace and objects; return those that are not in the namespace."""
    home = namespace(case.name)
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home, "labels": case.labels}})
    # Without it the API server takes no pod.
    eventually(lambda: lab.get("v1", "ServiceAccount", home, "default"), 90)
    objects = case.objects(home)
    lab.apply(*objects)
    if case.then:
        case.then(lab, home)
    return [item for item in objects if not item["metadata"].get("namespace")]


def odd(lab: Lab) -> None:
    """Namespaces of the tests below that are no table's."""
    for name in ("terminating", "helm", "finalizer", "healthy", "answers"):
        lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(name)}})
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": namespace("terminating"), "finalizers": ["example.com/keep"]},
    }
    lab.apply(held)
    lab.core.delete_namespace(namespace("terminating"))
    home = namespace("helm")
    lab.apply(
        helm(home, "stuck", "pending-install", encode_payload),
        helm(home, "gone", "deployed", encode_payload, manifest=MANIFEST),
        helm(
            home,
            "no-crd",
            "failed",
            encode_payload,
            'resource mapping not found for name: "p" namespace: "": no matches for'
            ' kind "InferencePool" in version "inference.networking.k8s.io/v9"\nensure CRDs are installed first',
        ),
        helm(
            home,
            "no-right",
            "failed",
            encode_payload,
            'roles.rbac.authorization.k8s.io is forbidden: User "jane" cannot'
            ' create resource "roles" in API group "rbac.authorization.k8s.io" in the namespace "x"',
        ),
        helm(home, "late", "failed", encode_payload, "context deadline exceeded"),
    )
    lab.apply(workload(namespace("healthy")))
    lab.apply(*stack(namespace("answers"), *make.picker(namespace("answers"), "m")))


@pytest.fixture(scope="module", autouse=True)
def failures(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All failures at once; taken away at the end."""
    folder = tmp_path_factory.mktemp("lab")
    faults = [
        {"name": f"diag-{case.name}", "fault": case.fault, "match": {LABEL: case.name}, "log": case.log}
        for case in FAULTS
    ]
    lab.apply(*NODES)
    webhook = WEBHOOK.start(folder)
    run = play(folder, "lab_up", timeout=180, lab_faults=faults)
    assert run.code == 0, run.text
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wide = [item for items in pool.map(lambda case: plant(lab, case), CASES) for item in items]
        pool.submit(odd, lab).result()
    yield
    webhook.shutdown()
    held = {"metadata": {"finalizers": None}}
    lab.core.patch_namespaced_config_map("held", namespace("terminating"), held)
    names = [*(case.name for case in CASES), "helm", "finalizer", "healthy", "answers"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lab.core.delete_namespace, map(namespace, names)))
        list(pool.map(lab.delete, [*(item for item in wide if item["kind"] != "PersistentVolume"), *NODES]))
    for item in wide:
        if item["kind"] == "PersistentVolume":  # goes with its claim
            lab.resource("v1", "PersistentVolume").delete(name=item["metadata"]["name"], body={})
    play(folder, "lab_up", timeout=180, lab_faults=[])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.name}")
def test_a_failure_is_named_by_its_rule(case: Case) -> None:
    def named() -> tuple[dict[str, Any], dict[str, Any]] | None:
        result = examined(case.name, case.ahead)
        found = [cause for cause in result["causes"] if cause["id"] == case.rule]
        return (found[0], result) if found else None

    try:
        cause, result = eventually(named, 60)
    except AssertionError:
        pytest.fail(json.dumps(examined(case.name, case.ahead), indent=1))
    assert case.text in json.dumps(cause, ensure_ascii=False).replace('\\"', '"')
    # The root is the first cause, and nothing else is claimed to be one.
    assert ids(result)[0] == case.rule, json.dumps(result, indent=1)
    assert [cause["id"] for cause in result["causes"] if cause["severity"] == "error"][1:] == []
    assert TOKEN not in json.dumps(result)
    # The cause is to be seen on a small terminal.
    assert len(causes_lines(result, WIDTH)) <= 12 * max(1, len(result["causes"]))


def test_namespaces_that_go_or_are_not_there() -> None:
    def held() -> str:
        causes = examined("terminating")["causes"]
        return " ".join(causes[0]["evidence"]) if causes and causes[0]["id"] == "DIAG801" else ""

    assert "example.com/keep" in eventually(lambda: held().partition("finalizers remaining")[2])
    assert ids(examined("never-made")) == ["DIAG802"]


def test_releases_that_are_stuck_failed_or_lack_their_kinds() -> None:
    result = examined("helm")
    causes = {cause["id"]: cause for cause in result["causes"]}
    assert set(causes) == {"DIAG811", "DIAG812", "DIAG312", "DIAG311", "DIAG813"}
    assert causes["DIAG811"]["objects"] == ["Helm release stuck"]
    assert "Gadget of diagnosis.example.com/v1" in causes["DIAG812"]["evidence"][0]
    assert "inference.networking.k8s.io/v9" in causes["DIAG312"]["remedy"]
    assert "Let jane create roles" in causes["DIAG311"]["remedy"]


def test_an_object_kept_by_a_finalizer(lab: Lab) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "old", "namespace": namespace("finalizer"), "finalizers": ["example.com/keep"]},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    lab.apply(claim)
    lab.core.delete_namespaced_persistent_volume_claim("old", namespace("finalizer"))
    try:
        assert "DIAG803" in ids(examined("finalizer", ahead=120))
        assert "DIAG803" not in ids(examined("finalizer"))
    finally:
        lab.core.patch_namespaced_persistent_volume_claim(
            "old", namespace("finalizer"), {"metadata": {"finalizers": None}}
        )


def test_what_may_not_be_read_is_named(lab: Lab) -> None:
    """A reader of pods alone: causes by what it sees, and what it does not see is said."""
    home = namespace("image")
    role = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    meta = {"name": "reader", "namespace": home}
    rbac = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": home}
    binding = {"roleRef": {"apiGroup": rbac, "kind": "Role", "name": "reader"}, "subjects": [subject]}
    lab.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": [role]},
        {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": meta, **binding},
    )
    token = lab.core.create_namespaced_service_account_token("reader", home, {"spec": {}}).status.token
    kubeconfig = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    kubeconfig["users"][0]["user"] = {"token": token}

    def read() -> dict[str, Any] | None:
        gatherer = Gatherer(Cluster({"kubeconfig": kubeconfig}), home)
        result = diagnose(gatherer.run(), gatherer.secrets)
        return result if result["causes"] else None

    result = eventually(read)
    assert ids(result) == ["DIAG101"]
    for kind in ("Events", "Nodes", "Deployments", "Secrets"):
        assert any(text.startswith(f"{kind}: ") and "forbidden" in text for text in result["unseen"]), result["unseen"]
    assert any(line.startswith("Not seen: ") for line in screen(result))


def test_nothing_is_wrong() -> None:
    def healthy() -> dict[str, Any] | None:
        result = examined("healthy")
        return result if not result["causes"] else None

    result = eventually(healthy)
    assert result["healthy"]
    assert "nothing is wrong (1 Pod, 1 Deployment)" in " ".join(" ".join(screen(result)).split())


def test_a_pool_that_serves_has_answered_a_request() -> None:
    def answered() -> dict[str, Any] | None:
        result = examined("answers")
        return result if result["requests"] and not result["causes"] else None

    result = eventually(answered, 60)
    assert [(one["served"], one["status"]) for one in result["requests"]] == [(True, 200)]
    assert "1 pool answered a request" in " ".join(" ".join(screen(result)).split())


def test_the_playbook_prints_one_screen_and_fails_only_where_asked(tmp_path: pathlib.Path) -> None:
    eventually(lambda: "DIAG101" in ids(examined("image")))
    run = play(tmp_path, "diagnose", llm_d_namespace=namespace("image"))
    assert run.code == 0, run.text
    for text in ("1 cause of failure", "DIAG101 The image does not exist", "what:", "why:", "do:"):
        assert text in run.text
    assert play(tmp_path, "diagnose", llm_d_namespace=namespace("image"), diagnose_fail=True).code != 0
