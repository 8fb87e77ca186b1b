# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets planted in values, Secrets, logs, environments and credentials: found in nothing that playbooks leave."""

from __future__ import annotations

import base64
import concurrent.futures
import gzip
import os
import pathlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from plane_client import Lab, eventually
from secret_hunt import Hunt

from playbooks import Run, play

NONCE = secrets.token_hex(6)
LOGIN = f"of-the-registry-{NONCE}"
# With a quote, so that JSON writes it in another way.
VALUE, ARGUMENT, HUB = f'in-the-values-"{NONCE}', f"in-an-argument-{NONCE}", f"in-the-shell-{NONCE}"
SECRET, LOG = f"in-a-secret-{NONCE}", f"hf_InTheLog{NONCE}"
RBAC = "rbac.authorization.k8s.io"
RECORD = "orchestrator.llm-d.ai/record"


class Done(NamedTuple):
    """All runs by name, and what the cluster held of them."""

    hunt: Hunt
    runs: dict[str, Run]
    kept: str


def credentials(lab: Lab, namespace: str) -> dict[str, Any]:
    """A kubeconfig with a client key and a bearer token."""
    meta = {"name": "operator", "namespace": namespace}
    subject = {"kind": "ServiceAccount", **meta}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    lab.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": role,
            "subjects": [subject],
        },
    )
    token = lab.core.create_namespaced_service_account_token("operator", namespace, {"spec": {}}).status.token
    kubeconfig = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    kubeconfig["users"][0]["user"]["token"] = token
    return kubeconfig


def planted(kubeconfig: dict[str, Any]) -> dict[str, str]:
    """All secrets by name."""
    user = kubeconfig["users"][0]["user"]
    key = base64.b64decode(user["client-key-data"]).decode()
    return {
        "value": VALUE,
        "argument": ARGUMENT,
        "token of the shell": HUB,
        "Secret": SECRET,
        "log": LOG,
        "registry's password": LOGIN,
        "registry's login": base64.b64encode(f"robot:{LOGIN}".encode()).decode(),
        "bearer token": user["token"],
        "client key": user["client-key-data"],
        "line of the client key": key.splitlines()[5],
    }


def model(name: str, suffix: str = "") -> dict[str, Any]:
    """A model whose server has secrets in its arguments and environment. suffix: of those that change."""
    reference = {"secretKeyRef": {"name": "mine", "key": "k"}}
    container = {
        "name": "vllm",
        "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1",
        "modelCommand": "imageDefault",
        "args": ["--api-key", ARGUMENT + suffix],
        "ports": [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}],
        "env": [{"name": "HF_TOKEN", "value": VALUE + suffix}, {"name": "PASSWORD", "valueFrom": reference}],
    }
    values = {
        "accelerator": {"type": "cpu"},
        "routing": {"proxy": {"enabled": False}},
        "prefill": {"create": False},
        "decode": {"create": True, "replicas": 1, "containers": [container]},
    }
    return {"name": name, "model": f"org/{name}", "values": values}


def settings(folder: pathlib.Path, namespace: str, kubeconfig: Any) -> str:
    """Write the variables of a deployment; return the path."""
    variables = {
        "llm_d_namespace": namespace,
        "llm_d_kubeconfig": kubeconfig,
        "llm_d_models": [model("a")],
        "llm_d_registry_logins": [{"host": "registry.example.com", "username": "robot", "password": LOGIN}],
        "llm_d_findings_file": f"{namespace}.sarif",
        "llm_d_plan_dir": str(folder / "shell" / "plans"),
        "prepare_hf_token": "{{ lookup('ansible.builtin.env', 'TOKEN_OF_THE_SHELL') }}",
    }
    path = folder / f"{namespace}.yml"
    path.write_text(yaml.safe_dump(variables), encoding="utf-8")
    return f"@{path}"


def kept_in(lab: Lab, namespace: str) -> str:
    """What the cluster keeps of a deployment beside its own objects: records, ConfigMaps, the lock, events."""
    found = [*lab.core.list_namespaced_config_map(namespace).items, *lab.core.list_namespaced_event(namespace).items]
    found += lab.core.list_namespaced_secret(namespace, field_selector=f"type={RECORD}").items
    texts = [str(item.to_dict()) for item in found]
    texts.append(str(lab.resource("coordination.k8s.io/v1", "Lease").get(namespace=namespace).to_dict()))
    packed = [item.data["record"] for item in found if getattr(item, "type", "") == RECORD]
    assert packed, f"no record in {namespace}"
    return "\n".join([*texts, *(gzip.decompress(base64.b64decode(data)).decode() for data in packed)])


def good(hunt: Hunt, lab: Lab, namespace: str, file: str) -> tuple[dict[str, Run], str]:
    """A deployment that succeeds, and what an operator asks of it."""
    runs = {"site": hunt.play("site", "-e", file)}
    assert runs["site"].code == 0, runs["site"].text[-3000:]
    # What it would change: the secrets themselves.
    runs["plan"] = hunt.play("plan", "--diff", "-e", file, llm_d_models=[model("a", "-new")])
    runs.update({name: hunt.play(name, "-e", file) for name in ("status", "verify")})
    kept = kept_in(lab, namespace)
    return {**runs, "teardown": hunt.play("teardown", "-e", file, teardown_confirm=True)}, kept


def broken(hunt: Hunt, lab: Lab, namespace: str, file: str) -> tuple[dict[str, Run], str]:
    """A deployment that fails, with a secret in its command too."""
    runs = {"failed site": hunt.play("site", "-e", file, vllm_api_key=ARGUMENT)}
    runs["diagnose"] = hunt.play("diagnose", "-e", file)
    return runs, kept_in(lab, namespace)


@pytest.fixture(scope="module")
def done(lab: Lab, tmp_path_factory: pytest.TempPathFactory, new_namespace: Callable[[], str]) -> Iterator[Done]:
    """Both deployments side by side."""
    folder = tmp_path_factory.mktemp("secrets")
    homes = [new_namespace(), new_namespace()]
    kubeconfig = credentials(lab, homes[0])
    hunt = Hunt(folder, planted(kubeconfig))
    for home in homes:
        meta = {"name": "mine", "namespace": home}
        lab.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"k": SECRET}})
    said = f"{LOG} {HUB}\nvllm: error: unrecognized arguments: --max-modl-len because {VALUE} {SECRET} {ARGUMENT}\n"
    match = {"llm-d.ai/model": "a"}
    fault = {"name": "secrets", "fault": "CrashLoopBackOff", "match": match, "namespace": homes[1], "log": said}
    assert play(folder, "lab_up", timeout=180, lab_faults=[fault]).code == 0
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
    os.environ["TOKEN_OF_THE_SHELL"] = HUB
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            first = pool.submit(good, hunt, lab, homes[0], settings(folder, homes[0], str(path)))
            second = pool.submit(broken, hunt, lab, homes[1], settings(folder, homes[1], kubeconfig))
        runs, kept = zip(first.result(), second.result(), strict=True)
        yield Done(hunt, {**runs[0], **runs[1]}, "\n".join(kept))
    finally:
        del os.environ["TOKEN_OF_THE_SHELL"]
        play(folder, "lab_up", timeout=180, lab_faults=[])


def test_nothing_that_is_printed_holds_one(done: Done) -> None:
    found = {name: done.hunt.found_in(run.text) for name, run in done.runs.items()}
    assert not any(found.values()), found
    wrong = {name: run.text[-3000:] for name, run in done.runs.items() if bool(run.code) != (name == "failed site")}
    assert not wrong, wrong
    # The log and the command were shown, without the secrets.
    for name in ("failed site", "diagnose"):
        assert "--max-modl-len because (masked) (masked) (masked)" in done.runs[name].text, done.runs[name].text
    assert '"vllm_api_key": "(masked)"' in done.runs["failed site"].text


def test_no_command_line_holds_one(done: Done) -> None:
    commands = done.hunt.commands()
    assert [f"{name}: {line[:300]}" for line in commands for name in done.hunt.found_in(line)] == []
    for program in ("helm upgrade ", "helm template ", "llm-d-orchestrator: keeps the lock"):
        assert any(program in line for line in commands), f"{program} was not seen"


def test_temporary_files_with_one_are_private_and_go(done: Done) -> None:
    held = done.hunt.held()
    assert [row for row in held if row["mode"] & 0o077] == []
    for name, what in (("helm-", "value in JSON"), ("llm-d-registry-", "registry's login"), ("tmp", "bearer token")):
        assert any(what in row["found"] and f"/{name}" in row["path"] for row in held), f"{name} was not seen"
    # The lock's process ends by itself, soon after the playbook.
    eventually(lambda: not done.hunt.left())
    remains = [
        str(path) for folder in ("local", "remote", "async") for path in (done.hunt.temporary / folder).iterdir()
    ]
    remains += map(str, (done.hunt.temporary / "python").glob("*payload*"))
    assert remains == []


def test_no_file_and_no_object_holds_one(done: Done) -> None:
    names = {path.name for path in done.hunt.shell.rglob("*") if path.is_file()}
    assert names >= {"plan.json", "plan.md", "record.json", "record.md", "record.html", "events.jsonl"}, names
    assert sum(name.endswith(".sarif") for name in names) == 2
    eventually(lambda: not done.hunt.left())
    assert done.hunt.found_in(done.kept) == []
    assert "keeps the lock" not in done.kept and "(masked)" in done.kept
