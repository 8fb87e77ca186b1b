# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Bad input ends in one error that says what to write, before anything is changed."""

from __future__ import annotations

import os
import pathlib
import socket
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from plane_client import Lab

from playbooks import play

NAMESPACE = "bad-input"
SECRET = "hf_onlyForThisTest0123456789"


def kubeconfig(folder: pathlib.Path, *, server: str = "", user: dict[str, Any] | None = None) -> str:
    """A copy of the lab's kubeconfig with another server or user."""
    content = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    if server:
        content["clusters"][0]["cluster"]["server"] = server
    if user:
        content["users"][0]["user"] = user
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def refused(folder: pathlib.Path, lab: Lab, *texts: str, **variables: Any) -> float:
    """Assert that site.yml names each of these mistakes and changes nothing; return its seconds."""
    run = play(folder, "site", **{"llm_d_namespace": NAMESPACE, **variables})
    assert run.code != 0, run.text
    for text in texts:
        assert text in run.text, run.text
    assert run.changed == 0
    assert "Traceback" not in run.text and '"findings":' not in run.text
    assert NAMESPACE not in [item.metadata.name for item in lab.core.list_namespace().items]
    assert not (folder / "records").exists()
    return run.seconds


def test_a_cluster_that_is_silent_is_given_up_soon(tmp_path: pathlib.Path, lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = kubeconfig(tmp_path, server=f"https://127.0.0.1:{silent.getsockname()[1]}")
        assert refused(tmp_path, lab, "no answer within 10 s", llm_d_kubeconfig=path) < 25


def test_credentials_that_are_refused(tmp_path: pathlib.Path, lab: Lab) -> None:
    path = kubeconfig(tmp_path, user={"token": "expired"})
    refused(tmp_path, lab, "refused the credentials: 401", "Log in again", llm_d_kubeconfig=path)


@pytest.mark.parametrize(
    ("variables", "texts"),
    [
        ({"llm_d_kubeconfig": "/none/kubeconfig"}, ["The kubeconfig kubeconfig does not exist in /none"]),
        (
            {"llm_d_context": "nowhere"},
            ["The kubeconfig has no context 'nowhere'", "Set llm_d_context to one of: lab-"],
        ),
        ({"llm_d_models": {"name": "a"}}, ["llm_d_models: is a map -> use a list"]),
        ({"llm_d_models": None}, ["llm_d_models: is empty"]),
        (
            {"llm_d_helm_binary": "/none/helm", "gateway_provider": "istoi", "llm_d_wait_timeout": "soon"},
            ["/none/helm not found", "Did you mean istio?", "llm_d_wait_timeout: 'soon' is not a valid time"],
        ),
        ({"llm_d_records_dir": "/proc/none"}, ["llm_d_records_dir: cannot write to /proc/none"]),
    ],
)
def test_each_mistake_is_named(variables: dict[str, Any], texts: list[str], tmp_path: pathlib.Path, lab: Lab) -> None:
    refused(tmp_path, lab, *texts, **variables)


def test_all_mistakes_of_models_and_their_files_are_named_at_once(tmp_path: pathlib.Path, lab: Lab) -> None:
    (tmp_path / "broken.yaml").write_text("a: 1\n b: 2\n", encoding="utf-8")
    (tmp_path / "list.yaml").write_text("- a\n", encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"modelArtifacts:\n  name: caf\xe9\n")
    models = [
        {"name": "Qwen_3", "model": "a/b"},
        {"name": "a" * 64, "model": "a/b"},
        {"name": "twice", "model": "a/b", "valuse": {}},
        {"name": "twice", "values_files": ["broken.yaml", "list.yaml", "latin.yaml", "none.yaml"]},
        None,
    ]
    texts = ["'Qwen_3' must be lower-case", "has 64 characters", "Did you mean values?", "is already the name of"]
    texts += [
        "broken.yaml:2: not valid YAML",
        "list.yaml:1: the file contains a list",
        "latin.yaml:2: the file is not UTF-8",
    ]
    texts += ["values file not found: 'none.yaml'", "llm_d_models[4]: is"]
    refused(tmp_path, lab, *texts, llm_d_models=models)


def test_what_others_made_is_named_before_anything_is_installed(
    tmp_path: pathlib.Path, lab: Lab, new_namespace: Callable[[], str]
) -> None:
    namespace = new_namespace()
    labels = {"owner": "helm", "name": "ms-qwen3-0-6b", "version": "1", "status": "deployed"}
    metadata = {"name": "sh.helm.release.v1.ms-qwen3-0-6b.v1", "namespace": namespace, "labels": labels}
    lab.apply({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": metadata})
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
    lab.apply({**route, "metadata": {"name": "llm-d-qwen3-0-6b", "namespace": namespace}, "spec": {}})
    texts = [f"Helm release {namespace}/ms-qwen3-0-6b: it exists", f"HTTPRoute {namespace}/llm-d-qwen3-0-6b: it exists"]
    refused(tmp_path, lab, *texts, llm_d_namespace=namespace)
    names = [item.metadata.name for item in lab.core.list_namespaced_secret(namespace).items]
    assert names == [metadata["name"]]


def test_secrets_in_values_are_not_shown(tmp_path: pathlib.Path) -> None:
    container = {"name": "vllm", "image": "example.com/server:v1", "modelCommand": "imageDefault"}
    container |= {"env": [{"name": "HF_TOKEN", "value": SECRET}], "ports": [{"containerPort": 8000}]}
    values = {"decode": {"create": True, "containers": [container]}, "prefill": {"create": False}}
    values |= {"accelerator": {"type": "cpu"}, "routing": {"proxy": {"enabled": False}}}
    model = {"name": "a", "model": "a/b", "values": values}
    run = play(tmp_path, "site", "-vvv", "--check", "--diff", llm_d_namespace=NAMESPACE, llm_d_models=[model])
    assert run.code == 0, run.text
    assert SECRET not in run.text
