# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Status: what somebody changed by hand is named, and site.yml mends it."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

from kubernetes import client
from plane_client import Lab
from recorded_stack import model, settings

from playbooks import play


def status(folder: pathlib.Path, namespace: str, **variables: Any) -> tuple[dict[str, Any], int, str]:
    """Run status.yml; return its JSON, exit code and text."""
    path = folder / "status.json"
    run = play(folder, "status", llm_d_namespace=namespace, status_file=str(path), **variables)
    assert run.changed == 0, run.text
    return json.loads(path.read_text(encoding="utf-8")), run.code, run.text


def drift(found: dict[str, Any]) -> dict[str, str]:
    """Return what has drifted, by 'Kind name'."""
    return {f"{row['kind']} {row['name']}": row["drift"] for row in found["rows"] if row["drift"]}


def test_changes_by_hand_are_named_and_mended(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    namespace = new_namespace()
    site = settings(namespace, model("a"))
    assert play(tmp_path, "site", **site).code == 0
    found, code, text = status(tmp_path, namespace)
    assert code == 0 and found["healthy"] and not found["drifted"] and "as recorded" in text, text
    assert found["record"]["models"] == ["a"] and not found["unseen"]

    apps = client.AppsV1Api(lab.core.api_client)
    apps.patch_namespaced_deployment_scale("ms-a-llm-d-modelservice-decode", namespace, {"spec": {"replicas": 2}})
    lab.core.patch_namespaced_service("gaie-a-epp", namespace, {"spec": {"selector": {"inferencepool": "x"}}})
    lab.core.delete_namespaced_config_map("gaie-a-epp", namespace)
    # What others add is no drift, as long as it does not say that it is ours.
    notes = {"meta.helm.sh/release-name": "ms-a", "meta.helm.sh/release-namespace": namespace}
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    for name, metadata in (("planted", {"labels": labels, "annotations": notes}), ("others", {})):
        lab.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": name, "namespace": namespace, **metadata}})  # fmt: skip
    found, code, text = status(tmp_path, namespace, status_fail_on=["drift"])
    assert code != 0 and "drifted from what was deployed" in text, text
    rows = drift(found)
    assert rows == {
        "Deployment ms-a-llm-d-modelservice-decode": "changed",
        "Service gaie-a-epp": "changed",
        "ConfigMap gaie-a-epp": "deleted",
        "ConfigMap planted": "added",
    }, rows
    details = {row["name"]: row["detail"] for row in found["rows"] if row["kind"] == "Deployment"}
    assert details["ms-a-llm-d-modelservice-decode"] == "spec.replicas: 2, deployed with 1"
    assert "To mend it: ansible-playbook " in text and "site.yml" in text

    assert play(tmp_path, "site", **site).code == 0
    found, code, text = status(tmp_path, namespace)
    assert code == 0 and found["healthy"] and drift(found) == {"ConfigMap planted": "added"}, text


def test_without_a_record_the_releases_say_what_is_deployed(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    namespace = new_namespace()
    found, code, text = status(tmp_path, namespace, status_fail_on=[])
    assert code == 0 and not found["deployed"] and "nothing of this collection is deployed" in text, text
    assert play(tmp_path, "site", **settings(namespace, model("a")), llm_d_record_history=0).code == 0
    (tmp_path / "elsewhere").mkdir()
    found, code, text = status(tmp_path, namespace, llm_d_records_dir=str(tmp_path / "elsewhere"))
    assert code == 0 and found["healthy"] and not found["record"] and "there is no record" in text, text
    client.AppsV1Api(lab.core.api_client).delete_namespaced_deployment("ms-a-llm-d-modelservice-decode", namespace)
    found, code, text = status(tmp_path, namespace, llm_d_records_dir=str(tmp_path / "elsewhere"))
    assert code != 0 and drift(found) == {"Deployment ms-a-llm-d-modelservice-decode": "deleted"}, text
