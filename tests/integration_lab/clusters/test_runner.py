# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs as AWX runs them, each on a node of its own: planned, cancelled, timed out, deployed, verified, removed.

They deploy as the ServiceAccount of the playbook service_account. The tests follow each other.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import graphs_there as make
import pytest
import yaml
from accounts import kubeconfig
from jobs import USER, Nodes, user_can_change
from plane_client import Lab, eventually

from playbooks import ROOT, play

STACK = yaml.safe_load((ROOT / "inventories/lab/group_vars/all/stack.yml").read_text())
LEASE = ("coordination.k8s.io/v1", "Lease")


def host_variables(namespace: str) -> dict[str, Any]:
    """The lab as a host of AWX's inventory."""
    record = json.loads(pathlib.Path(os.environ["LAB_KUBECONFIG"]).with_name("lab.json").read_text())
    charts = {"gateway": "llm-d-infra", "gaie": "inferencepool", "modelservice": "llm-d-modelservice"}
    model = {"name": "qwen3-0-6b", "model": "Qwen/Qwen3-0.6B", "values": STACK["simulated_server"]}
    return {
        **{f"{role}_chart_ref": f"{record['charts']}/{name}" for role, name in charts.items()},
        "gateway_chart_version": "",
        "modelservice_chart_version": "",
        "gateway_provider": "istio",
        "llm_d_namespace": namespace,
        "llm_d_helm_binary": record["helm"],
        "llm_d_models": [model],
    }


@pytest.fixture(scope="module")
def nodes(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Nodes:
    folder, namespace = tmp_path_factory.mktemp("nodes"), new_namespace()
    host = host_variables(namespace)
    run = play(folder, "service_account", timeout=240, llm_d_namespace=namespace, llm_d_models=host["llm_d_models"])
    assert run.code == 0, run.text
    return Nodes(folder, host, kubeconfig(lab, namespace, "llm-d-orchestrator"))


def holder(lab: Lab, nodes: Nodes) -> str:
    """Who holds the lock of the namespace, "" for nobody."""
    namespace = nodes.host["llm_d_namespace"]
    found = lab.resource(*LEASE).get(namespace=namespace).to_dict()["items"]
    return next((item["spec"].get("holderIdentity") or "" for item in found), "")


@pytest.fixture(scope="module")
def digest(nodes: Nodes) -> dict[str, str]:
    """What the job that plans hands to the next."""
    job = nodes.job("plan")
    assert job.status == "successful", job.text
    assert "[PLANNING]" in job.text
    assert "start the template deploy with llm_d_approved_digest: sha256:" in job.text
    assert job.files("plan.json") and "plan.json" not in job.text
    return job.artifacts["llm_d_approved_digest"]


def test_a_cancelled_job_gives_its_lock_back(lab: Lab, nodes: Nodes, digest: dict[str, str]) -> None:
    node = nodes.node(home=False, llm_d_approved_digest=digest)
    process = node.start("site")
    node.wait_for("[DEPLOYING]", process)
    # By the user whom AWX names, not by a name that this machine has for the number.
    assert holder(lab, nodes).startswith("ada@")
    process.terminate()
    job = node.finish(process)
    assert job.status == "canceled", job.text
    assert "[COMPLETE]" not in job.text
    eventually(lambda: not holder(lab, nodes))


def test_a_job_that_takes_too_long_ends_and_holds_no_lock(lab: Lab, nodes: Nodes) -> None:
    job = nodes.job("site", settings={"job_timeout": 2})
    assert job.status == "timeout", job.text
    eventually(lambda: not holder(lab, nodes))


def test_the_next_job_on_another_node_finishes_what_was_begun(lab: Lab, nodes: Nodes) -> None:
    """Its user has no name and no home, its project cannot be written, and it begins in the project."""
    job = nodes.job("site", home=False)
    assert job.status == "successful", job.text
    for phase in ("PLANNING", "DEPLOYING", "ROUTING", "COMPLETE"):
        assert f"[{phase}]" in job.text
    # ansible-runner marks what Display shows, and ansible-core warns of workers that write to standard output.
    assert "errantly sent data" not in job.text
    (record,) = job.files("record.json")
    assert record.startswith("artifacts/"), record
    assert record.removeprefix("artifacts/") not in job.text and "Secret " in job.text
    written = json.loads((job.folder / record).read_text())
    assert written["by"]["user"] == "ada"
    summary = job.artifacts["llm_d_deployed"]["cluster"]
    assert (summary["outcome"], summary["models"]) == ("succeeded", ["qwen3-0-6b"])
    kept = summary["record"].removeprefix("Secret ").rpartition("/")[2]
    assert kept in [item.metadata.name for item in lab.core.list_namespaced_secret(nodes.host["llm_d_namespace"]).items]
    if user_can_change():
        assert (job.folder / record).stat().st_uid == USER


def test_later_jobs_need_only_the_cluster(nodes: Nodes) -> None:
    job = nodes.job("verify")
    assert job.status == "successful", job.text
    job = nodes.job("status", home=False)
    assert job.status == "successful", job.text
    assert "healthy, no drift" in job.text


def test_nobody_is_asked(nodes: Nodes) -> None:
    """ansible-runner runs playbooks on a terminal, at which nobody sits."""
    job = nodes.job("teardown")
    assert job.status == "failed"
    assert "set teardown_confirm to true" in job.text
    job = nodes.job("teardown", home=False, teardown_confirm=True)
    assert job.status == "successful", job.text


def test_a_stack_on_dynamo_is_a_job_like_any(
    lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Definitions and an operator belong to the cluster: its administrator's credential deploys them."""
    namespace = new_namespace()
    host = {
        "llm_d_namespace": namespace,
        "llm_d_models": [],
        "llm_d_helm_binary": host_variables(namespace)["llm_d_helm_binary"],
        "dynamo_models": [{"name": "one", "model": "org/one", "mode": "agg", "gpus": 1}],
        "dynamo_platform_chart": str(make.CHARTS / "dynamo-platform"),
        "dynamo_platform_crds_chart": str(make.CHARTS / "dynamo-crds"),
    }
    admin = pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text()
    nodes = Nodes(tmp_path_factory.mktemp("dynamo"), host, admin)
    try:
        job = nodes.job("site", home=False)
        assert job.status == "successful", job.text
        assert job.artifacts["llm_d_deployed"]["cluster"]["outcome"] == "succeeded"
        assert "model     one " in job.text
        job = nodes.job("teardown", home=False, teardown_confirm=True)
        assert job.status == "successful", job.text
        assert not lab.resource(make.GRAPH_API, make.GRAPH).get(namespace=namespace).items
    finally:
        make.remove(lab, namespace)
