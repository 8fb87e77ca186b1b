# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The program that a kubeconfig runs for credentials: what it is told, what it gives, and that it ends."""

from __future__ import annotations

import json
import os
import pathlib
import select
import stat
import time
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import client, exec_credentials
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.exec_credentials import ask

V1 = "client.authentication.k8s.io/v1"


def program(folder: pathlib.Path, script: str) -> dict[str, Any]:
    """The exec of a kubeconfig beside a program with this script."""
    path = folder / "login.sh"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": V1, "command": "./login.sh", "args": ["one"], "env": [{"name": "MINE", "value": "two"}]}


def reply(**status: str) -> str:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})


def test_a_program_is_told_and_gives_a_token(tmp_path: pathlib.Path) -> None:
    spec = program(tmp_path, f"echo \"$1 $MINE $KUBERNETES_EXEC_INFO\" > {tmp_path}/told; echo '{reply(token='abc')}'")
    spec["provideClusterInfo"] = True
    found = ask(spec, str(tmp_path), {"server": "https://api:6443", "certificate-authority": "ca.crt"})
    assert (found.user, found.expired) == ({"token": "abc"}, False)
    one, two, told = (tmp_path / "told").read_text().split(" ", 2)
    assert (one, two) == ("one", "two")
    assert json.loads(told)["spec"] == {"interactive": False, "cluster": {"server": "https://api:6443"}}


def test_credentials_expire(tmp_path: pathlib.Path) -> None:
    old = reply(token="abc", expirationTimestamp="2020-01-01T00:00:00Z")
    assert ask(program(tmp_path, f"echo '{old}'"), str(tmp_path), {}).expired
    new = reply(clientCertificateData="C", clientKeyData="K", expirationTimestamp="2120-01-01T00:00:00Z")
    found = ask(program(tmp_path, f"echo '{new}'"), str(tmp_path), {})
    assert found.user == {"client-certificate-data": "Qw==", "client-key-data": "Sw=="}
    assert not found.expired


def test_a_program_that_never_ends_is_ended_with_its_children(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_credentials, "PATIENCE", 1)
    spec = program(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; wait")
    begun = time.monotonic()
    with pytest.raises(OrchestratorError, match="login.sh.*timed out after 1s"):
        ask(spec, str(tmp_path), {})
    assert time.monotonic() - begun < 10
    child = int((tmp_path / "child").read_text())
    assert ended(child)


def ended(pid: int) -> bool:
    """Return whether a process ends within the time that a loaded machine may take to end it."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(descriptor, closefd=True) as process:
        return bool(select.select([process], [], [], 10)[0])


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("echo no login >&2; exit 3", r"failed \(3\): no login"),
        ("echo nothing", "is not valid JSON"),
        (f"echo '{reply()}'", "neither a token nor"),
        ('echo \'{"apiVersion": "v0"}\'', f"is not {V1}"),
        ("echo '[]'", f"is not {V1}"),
    ],
)
def test_a_program_that_fails_is_named(script: str, text: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match=text):
        ask(program(tmp_path, script), str(tmp_path), {})


@pytest.mark.parametrize("spec", [{}, {"command": ["a"]}, {"apiVersion": V1, "command": "no-such-program-here"}])
def test_a_program_that_cannot_be_run_is_named(spec: dict[str, Any], tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match=r"has no command|cannot be run: No such file"):
        ask(spec, str(tmp_path), {})


def kubeconfig(user: dict[str, Any]) -> dict[str, Any]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
    }


def test_the_client_gets_the_token_and_a_new_one_when_it_expires(tmp_path: pathlib.Path) -> None:
    old = reply(token="t$(cat count | wc -c)", expirationTimestamp="2020-01-01T00:00:00Z").replace('"', '\\"')
    spec = program(tmp_path, f'cd {tmp_path}; printf x >> count; echo "{old}"')
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig({"exec": spec})), encoding="utf-8")
    configuration = client._configuration({"kubeconfig": str(path)})
    assert "Bearer t1" in configuration.api_key.values()
    assert configuration.host == "https://127.0.0.1:1"
    configuration.refresh_api_key_hook(configuration)
    assert "Bearer t2" in configuration.api_key.values()


def test_a_provider_that_is_gone_is_named() -> None:
    content = kubeconfig({"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sleep 600"}}})
    with pytest.raises(OrchestratorError, match="auth-provider gcp"):
        client._configuration({"kubeconfig": content})


def test_a_token_goes_before_the_program() -> None:
    user = {"token": "abc", "exec": {"apiVersion": V1, "command": os.devnull}}
    configuration = client._configuration({"kubeconfig": kubeconfig(user)})
    assert "Bearer abc" in configuration.api_key.values()
