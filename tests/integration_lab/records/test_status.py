# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Status: what somebody changed by hand is named, and mended on request; several clusters; clusters without records."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import yaml
from kubernetes import client
from plane_client import Lab
from recorded_stack import model, settings

from playbooks import ROOT, Run, environment, play

POOL = ("inference.networking.k8s.io/v1", "InferencePool")
OTHER = "example.com/looks-once"
DECODE = "ms-a-llm-d-modelservice-decode"
PATIENCE = 240.0


class Deployed(NamedTuple):
    """A deployed namespace."""

    folder: pathlib.Path
    lab: Lab
    namespace: str

    def status(self, **variables: Any) -> tuple[dict[str, Any], Run]:
        """Run status.yml; return its JSON, and how it ended."""
        path = self.folder / "status.json"
        more = {"llm_d_namespace": self.namespace, "status_file": str(path), **variables}
        run = play(self.folder, "status", timeout=PATIENCE, **more)
        return json.loads(path.read_text(encoding="utf-8")), run


@pytest.fixture(scope="module")
def deployed(lab: Lab, tmp_path_factory: pytest.TempPathFactory, new_namespace: Callable[[], str]) -> Deployed:
    found = Deployed(tmp_path_factory.mktemp("status"), lab, new_namespace())
    run = play(found.folder, "site", timeout=PATIENCE, **settings(found.namespace, model("a")))
    assert run.code == 0, run.text
    return found


def drift(found: dict[str, Any]) -> dict[str, str]:
    """Return what has drifted, by 'Kind name'."""
    return {f"{row['kind']} {row['name']}": row["drift"] for row in found["rows"] if row["drift"]}


def change_by_hand(deployed: Deployed) -> None:
    """Change objects, delete one, and add two; what others add is no drift where it does not say that it is ours."""
    lab, namespace = deployed.lab, deployed.namespace
    lab.scale(namespace, DECODE, 2)
    lab.core.patch_namespaced_service("gaie-a-epp", namespace, {"spec": {"selector": {"inferencepool": "x"}}})
    lab.core.delete_namespaced_config_map("gaie-a-epp", namespace)
    notes = {"meta.helm.sh/release-name": "ms-a", "meta.helm.sh/release-namespace": namespace}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    for name, metadata in (("planted", {"labels": labels, "annotations": notes}), ("others", {})):
        lab.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": name, "namespace": namespace, **metadata}})  # fmt: skip


def test_changes_by_hand_are_named_and_mended(deployed: Deployed) -> None:
    found, run = deployed.status()
    assert (run.code, run.changed) == (0, 0) and "no drift" in run.text, run.text
    assert found["healthy"] and not found["drifted"]
    assert found["record"]["models"] == ["a"] and not found["unseen"]

    change_by_hand(deployed)
    found, run = deployed.status(status_fail_on=["drift"])
    assert run.code != 0 and run.changed == 0 and "drifted from what was deployed" in run.text, run.text
    rows = drift(found)
    assert rows == {
        f"Deployment {DECODE}": "changed",
        "Service gaie-a-epp": "changed",
        "ConfigMap gaie-a-epp": "deleted",
        "ConfigMap planted": "added",
    }, rows
    details = {row["name"]: row["detail"] for row in found["rows"] if row["kind"] == "Deployment"}
    assert details[DECODE] == "spec.replicas: 2, deployed with 1"
    assert "To fix it: ansible-playbook " in run.text and "site.yml" in run.text

    more = {**settings(deployed.namespace, model("a")), "status_verify": True}
    found, run = deployed.status(status_fix=True, **more)
    assert run.code == 0 and found["healthy"] and drift(found) == {"ConfigMap planted": "added"}, run.text
    assert run.changed and run.text.count("a  200 in") and "DRIFTED from its record" in run.text, run.text


def claim(deployed: Deployed, gateway: str, reason: str) -> None:
    """Add to the pool's status what a controller says that does not look again, or take it back.

    gateway: "" for the stack's own; reason: "" to take it back.
    """
    pools, where = deployed.lab.resource(*POOL), {"name": "gaie-a", "namespace": deployed.namespace}
    said = [entry for entry in pools.get(**where).to_dict()["status"]["parents"] if entry["controllerName"] != OTHER]
    condition = {"type": "ResolvedRefs", "status": "False", "reason": reason, "message": "not found"}
    times = {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    ref = {**said[0]["parentRef"], **({"name": gateway} if gateway else {})}
    stale = {"parentRef": ref, "controllerName": OTHER, "conditions": [{**condition, **times}]}
    body = {"status": {"parents": [*said, stale] if reason else said}}
    pools.status.patch(body=body, content_type="application/merge-patch+json", **where)


def test_stale_claims_about_a_pool(deployed: Deployed) -> None:
    """What a Gateway that is gone said is of no account; what is no longer so is touched, once."""
    claim(deployed, "gone", "InvalidExtensionRef")
    found, _run = deployed.status()
    assert found["healthy"], found["rows"]

    claim(deployed, "", "InvalidExtensionRef")
    found, _run = deployed.status()
    broken = [row["name"] for row in found["rows"] if row["ready"] is False]
    assert not found["healthy"] and broken == ["gaie-a"], found["rows"]
    more = settings(deployed.namespace, model("a"))
    run = play(deployed.folder, "plan", timeout=PATIENCE, plan_directory=str(deployed.folder / "plans"), **more)
    assert run.code == 0 and "update  gaie gaie-a: InferencePool" in run.text, run.text
    for touched in (True, False):
        run = play(deployed.folder, "site", timeout=PATIENCE, **more)
        assert run.code == 0 and bool(run.changed) is touched, run.text
    notes = deployed.lab.resource(*POOL).get(name="gaie-a", namespace=deployed.namespace).metadata.annotations
    assert notes["orchestrator.llm-d.ai/tried-again"]
    claim(deployed, "", "")


def test_clusters_with_and_without_a_deployment_and_a_record(deployed: Deployed) -> None:
    """Each cluster has its own file, and one with nothing fails the run."""
    for secret in deployed.lab.core.list_namespaced_secret(deployed.namespace).items:
        if secret.metadata.name.startswith("llm-d-orchestrator-record"):
            deployed.lab.core.delete_namespaced_secret(secret.metadata.name, deployed.namespace)
    folder = deployed.folder / "several"
    folder.mkdir()
    hosts = {"there": {"llm_d_namespace": deployed.namespace}, "empty": {"llm_d_namespace": "nothing-there"}}
    python = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    shared = {"llm_d_kubeconfig": os.environ["LAB_KUBECONFIG"], **python}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": shared}}), encoding="utf-8")
    line = ["ansible-playbook", "-i", str(folder / "hosts.yml"), str(ROOT / "playbooks" / "status.yml")]
    line += ["-e", json.dumps({"status_file": str(folder / "{{ inventory_hostname }}.json")})]

    def look() -> tuple[int, dict[str, Any], dict[str, Any]]:
        done = subprocess.run(
            line, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert "nothing of this collection is deployed" in done.stdout, done.stdout + done.stderr
        files = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in hosts)
        return done.returncode, *files

    code, there, empty = look()
    assert code != 0 and not empty["deployed"]
    assert there["healthy"] and not there["record"], there
    client.AppsV1Api(deployed.lab.core.api_client).delete_namespaced_deployment(DECODE, deployed.namespace)
    code, there, empty = look()
    assert code != 0 and not empty["deployed"] and drift(there)[f"Deployment {DECODE}"] == "deleted"
