# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What plan.yml says of the variables of an inventory, as ansible-playbook runs it; no cluster answers."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHARTS = ROOT / "roles/lab/files/charts"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "none", "user": {"token": "none"}}],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "current-context": "none",
}
SHARED = {
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "llm_d_kubeconfig": KUBECONFIG,
    "llm_d_namespace": "{{ inventory_hostname }}",
    "llm_d_models": [{"name": "a", "model": "org/a"}],
    "gateway_chart_version": "",
    "modelservice_chart_version": "",
    **{
        f"{name}_chart_ref": str(CHARTS / chart)
        for name, chart in (
            ("gateway", "llm-d-infra"),
            ("gaie", "inferencepool"),
            ("modelservice", "llm-d-modelservice"),
        )
    },
}


def planned(folder: pathlib.Path, hosts: dict[str, dict], *more: str, playbook: str = "plan") -> dict[str, str]:
    """Return by host with what a playbook ended; all end, since no cluster answers."""
    inventory = {"all": {"vars": SHARED, "hosts": hosts}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
    collections = str(ROOT / "playbooks" / "collections")
    done = subprocess.run(
        [program, str(ROOT / f"playbooks/{playbook}.yml"), "-i", str(folder / "hosts.yml"), *more],
        cwd=folder,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = done.stdout.splitlines()
    return {host: "\n".join(line for line in lines if line.startswith(f"fatal: [{host}]")) for host in hosts}


def test_mistakes_are_named_by_the_users_variable_and_where_it_stands(tmp_path: pathlib.Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("---\n# Ours\nllm_d_namspace: prod\n", encoding="utf-8")
    bad = {"llm_d_capacity": "ignore", "prepare_downloads": "Qwen/Qwen3-32B", "llm_d_wait_timeout": "soon"}
    bad["verify_requests"] = -1
    said = planned(tmp_path, {"bad": bad}, "-e", "llm_d_environment=prod")["bad"]
    lines = (tmp_path / "hosts.yml").read_text(encoding="utf-8").splitlines()
    place = {name: 1 + next(n for n, line in enumerate(lines) if line.strip().startswith(name)) for name in bad}
    assert f"-> llm_d_namespace ({tmp_path}/group_vars/all.yml:3)" in said
    assert f"block, warn, off ({tmp_path}/hosts.yml:{place['llm_d_capacity']})" in said
    assert f"a list: [Qwen/Qwen3-32B] ({tmp_path}/hosts.yml:{place['prepare_downloads']})" in said
    assert "llm_d_environment: 'prod' is not known. Did you mean production?" in said and "(extra variable)" in said
    assert f"for example 1800 ({tmp_path}/hosts.yml:{place['llm_d_wait_timeout']})" in said
    assert f"verify_requests: -1 is no whole number -> a number such as 8 ({tmp_path}/hosts.yml:" in said
    # What follows from it is not the user's mistake.
    assert "gaie_wait_timeout" not in said and "stack_capacity" not in said


BAD = {
    "undefined": {"llm_d_namespace": "{{ nope }}"},
    "list": {"llm_d_namespace": ["llm-d"]},
    "syntax": {"llm_d_models": "{{ 'a' "},
    "waves": {"llm_d_waves": "{{ nope }}"},
    "file": {"llm_d_findings_file": ["a.json"]},
    "token": {"llm_d_context": "{{ 1 // 0 }}"},
    "kubeconfig": {"llm_d_kubeconfig": [1]},
}


def test_one_hosts_bad_variable_is_its_own(tmp_path: pathlib.Path) -> None:
    said = planned(tmp_path, {**BAD, "good": {}})
    assert "1 mistake found" in said["good"] and "Cannot reach the cluster" in said["good"]
    assert {host for host, text in said.items() if "FAILED!" in text} == {*BAD, "good"}
    texts = {
        "undefined": "llm_d_namespace: cannot",
        "list": "is a list",
        "file": "is a list",
        "kubeconfig": "is a list",
    }
    assert {host: text for host, text in texts.items() if text not in said[host]} == {}
    assert [host for host, text in said.items() if "object has no attribute" in text or "unhashable" in text] == []


@pytest.mark.parametrize("accepted", [[], ["input-unknown-variable"]])
def test_a_mistake_is_accepted_for_one_host(accepted: list[str], tmp_path: pathlib.Path) -> None:
    said = planned(tmp_path, {"one": {"gateway_provder": "istio", "llm_d_accept": accepted}})["one"]
    assert ("1 mistake found" in said) == bool(accepted)
    assert ("accept them" in said or "llm_d_accept: [input-unknown-variable]" in said) == (not accepted)


@pytest.mark.parametrize("playbook", ["verify", "status", "diagnose", "rollback", "teardown"])
def test_playbooks_that_plan_nothing_refuse_unknown_variables_too(playbook: str, tmp_path: pathlib.Path) -> None:
    said = planned(tmp_path, {"one": {"llm_d_namspace": "prod", "gateway_ip": "10.0.0.1"}}, playbook=playbook)["one"]
    assert "nothing was changed." in said and "Did you mean llm_d_namespace?" in said
