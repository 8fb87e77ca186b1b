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


def told(
    folder: pathlib.Path, hosts: dict[str, dict], *more: str, playbook: str = "plan", shared: dict | None = None
) -> str:
    """Return what a playbook prints."""
    inventory = {"all": {"vars": SHARED if shared is None else shared, "hosts": hosts}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
    collections = str(ROOT / "playbooks" / "collections")
    return subprocess.run(
        [program, str(ROOT / "playbooks" / f"{playbook}.yml"), "-i", str(folder / "hosts.yml"), *more],
        cwd=folder,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    ).stdout


def planned(
    folder: pathlib.Path, hosts: dict[str, dict], *more: str, playbook: str = "plan", shared: dict | None = None
) -> dict[str, str]:
    """Return by host with what a playbook ended; all end, since no cluster answers. With -v a task shows all of it."""
    lines = told(folder, hosts, "-v", *more, playbook=playbook, shared=shared).splitlines()
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
    assert (
        "llm_d_environment: 'prod' is not a valid choice. Did you mean production?" in said
        and "(extra variable)" in said
    )
    assert f"for example 1800 ({tmp_path}/hosts.yml:{place['llm_d_wait_timeout']})" in said
    assert f"verify_requests: -1 is not a whole number -> use a number such as 8 ({tmp_path}/hosts.yml:" in said
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


@pytest.mark.parametrize(
    "playbook", ["verify", "status", "diagnose", "rollback", "teardown", "bundle", "service_account", "lab_down"]
)
def test_all_playbooks_refuse_unknown_variables(playbook: str, tmp_path: pathlib.Path) -> None:
    host = {"llm_d_namspace": "prod", "gateway_ip": "10.0.0.1", "lab_hosts": "one"}
    said = planned(tmp_path, {"one": host}, "-e", "lab_hosts=one", playbook=playbook)["one"]
    assert "nothing was changed." in said and "Did you mean llm_d_namespace?" in said
    assert "gateway_ip: unknown variable -> " in said


STACK = """---
# Ours
server:
  decode:
    replicas: two
    containers:
      - name: vllm
        image: example.com/vllm:v1
modelservice_values: "{{ server | combine({'routing': {'proxy': {'enabled': false}}}) }}"
llm_d_models:
  - {name: a, model: org/a}
  - name: b
    model: org/b
    values:
      decode:
        create: sure
  - {name: c, model: org/c}
gateway_provider: isito
gaie_chart_ref: /nowhere/inferencepool
"""


def test_a_mistake_in_a_variable_is_one_finding_at_its_line_however_many_models_it_reaches(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "group_vars").mkdir()
    file = tmp_path / "group_vars/all.yml"
    file.write_text(STACK, encoding="utf-8")
    shared = {name: SHARED[name] for name in SHARED if name not in ("llm_d_models", "gaie_chart_ref")}
    said = planned(tmp_path, {"one": {}}, shared=shared)["one"]
    assert "5 mistakes found" in said
    assert "modelservice_values.decode.replicas: must be" in said
    assert said.count(f"({file}:5)") == 1
    assert "llm_d_models[1].values.decode.create: must be" in said and said.count(f"({file}:16)") == 1
    assert said.count(f"({file}:18)") == 1 and said.count(f"({file}:19)") == 1
    assert "values of" not in said and "LLMD2" not in said


SCRIPT = """#!/bin/sh
echo '{"all": {"hosts": ["one", "two"], "vars": {"llm_d_namspace": "x", "gateway_east_ip": "10.0.0.1"}},
       "_meta": {"hostvars": {"two": {"route": "{{ gateway_east_ip }}"}}}}'
"""


def test_a_variable_that_one_reads_which_is_overridden_is_no_mistake(tmp_path: pathlib.Path) -> None:
    (tmp_path / "group_vars").mkdir()
    text = 'lab_charts: charts\nlab_chrats: charts\ngaie_chart_ref: "{{ lab_charts }}/inferencepool"\n'
    (tmp_path / "group_vars/all.yml").write_text(text, encoding="utf-8")
    said = planned(tmp_path, {"one": {}}, "-e", f"gaie_chart_ref={CHARTS}/inferencepool")["one"]
    assert "lab_chrats: unknown variable" in said and "lab_charts" not in said


def test_variables_of_an_inventory_script_are_known_and_those_that_another_host_reads(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "inventory.sh"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    said = planned(tmp_path, {"one": {}}, "-i", str(script), "-l", "one")["one"]
    assert f"-> llm_d_namespace ({script})" in said and "gateway_east_ip" not in said


PLAYBOOK = """---
- hosts: all
  connection: local
  gather_facts: false
  vars: {gateway_provder: istio, gateway_shown: 1, llm_d_namspace: x}
  roles: [llm_d.orchestrator.gateway]
  post_tasks:
    - ansible.builtin.debug: {msg: "{{ gateway_shown }}{{ llm_d_namspace }}"}
"""


def test_a_playbook_of_ones_own_may_read_its_variables_itself(tmp_path: pathlib.Path) -> None:
    (tmp_path / "own.yml").write_text(PLAYBOOK, encoding="utf-8")
    said = planned(tmp_path, {"one": {}}, playbook=str(tmp_path / "own"))["one"]
    assert f"Did you mean gateway_provider? -> gateway_provider ({tmp_path}/own.yml:5)" in said
    assert "gateway_shown" not in said and "llm_d_namspace" not in said


def test_an_inventorys_interpreter_holds(tmp_path: pathlib.Path) -> None:
    missing = str(tmp_path / "no-such-python")
    for playbook in ("plan", "status"):
        said = planned(tmp_path, {"one": {"ansible_python_interpreter": missing}}, playbook=playbook)["one"]
        assert missing in said, said


def test_a_variable_that_nobody_has_set_is_named_with_the_places_that_use_it(tmp_path: pathlib.Path) -> None:
    said = told(tmp_path, {"bad": {"llm_d_models": [{"name": "a", "model": "{{ nobody }}/a"}]}})
    lines = (tmp_path / "hosts.yml").read_text(encoding="utf-8").splitlines()
    line = 1 + next(number for number, text in enumerate(lines) if "{{ nobody }}" in text)
    assert f"nobody is used in llm_d_models[0].model ({tmp_path}/hosts.yml:{line})" in " ".join(said.split()), said
