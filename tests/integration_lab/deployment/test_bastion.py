# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Playbooks whose modules run on another host: a real sshd, another home, another Python, other processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from plane_client import Lab, eventually

from playbooks import ROOT, Run, command, environment, play

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "llm-d-orchestrator"
# What docs/operate/parts.md asks of such a host.
NEEDS = [*(ROOT / "requirements.txt").read_text().splitlines(), "Jinja2"]
SEPARATION = pathlib.Path("/run/sshd")
BEGUN = "[DEPLOYING]"
NAMESPACE = "bastion"
SERVER = "{{ simulated_server }}"
VARIABLES: dict[str, Any] = {
    "llm_d_namespace": NAMESPACE,
    "llm_d_models": [{"name": "far", "model": "Qwen/Qwen3-0.6B", "values": SERVER}],
}


def python_there() -> str:
    """A Python with what modules need and nothing of Ansible; it is kept, as packages take long to install."""
    needs = [line for line in NEEDS if line and not line.startswith("#")]
    folder = CACHE / f"bastion-{hashlib.sha256(repr([sys.version, needs]).encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *needs], check=True)
        (folder / "complete").touch()
    return str(python)


@contextlib.contextmanager
def server(folder: pathlib.Path) -> Iterator[dict[str, Any]]:
    """An sshd of this user on a free port; gives the variables of a host behind it."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    home = folder / "home"
    home.mkdir()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "user.pub",
        "PidFile": "none",
        "PasswordAuthentication": "no",
        "StrictModes": "no",
        "UsePAM": "no",
        "Subsystem": "sftp internal-sftp",
        # Another host has other files in its home.
        "SetEnv": f"HOME={home}",
    }
    (folder / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    line = [str(SSHD), "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log")]
    (folder / "sshd.log").touch()
    root = os.geteuid() == 0
    made = root and not SEPARATION.exists()
    if made:
        SEPARATION.mkdir(mode=0o755)
    # And other processes; only root may make a space of them.
    there = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *line] if root else line
    running = subprocess.Popen(there, start_new_session=True)
    try:
        eventually(lambda: "Server listening" in (folder / "sshd.log").read_text(), 20)
        known = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={folder / 'known'} -o ControlPath=none"
        yield {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_private_key_file": str(folder / "user"),
            "ansible_ssh_common_args": known,
            "ansible_python_interpreter": python_there(),
        }
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(20)
        if made:
            SEPARATION.rmdir()


@pytest.fixture(scope="module")
def bastion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """A folder with an inventory of the lab behind a bastion."""
    if SSHD is None:
        assert not os.environ.get("CI"), "sshd not found: apt-get install openssh-server"
        pytest.skip("sshd not found")
    folder = tmp_path_factory.mktemp("bastion")
    with server(folder) as variables:
        inventory = folder / "hosts.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {"lab": variables}}}))
        yield folder


def run(folder: pathlib.Path, name: str, *args: str, **variables: Any) -> Run:
    """Run a playbook with the bastion's inventory, which comes after the lab's own."""
    done = play(folder, name, "-i", str(folder / "hosts.yml"), *args, **VARIABLES, **variables)
    assert done.code == 0, done.text
    return done


def kill_once_begun(folder: pathlib.Path) -> None:
    """Start a deployment, and kill Ansible as soon as components are being deployed."""
    line = command("site", "-i", str(folder / "hosts.yml"), **VARIABLES)
    with subprocess.Popen(line, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        told = []
        for text in running.stdout:
            told.append(text)
            if text.startswith(BEGUN):
                break
        assert told[-1].startswith(BEGUN), "".join(told)
        running.kill()


def test_a_whole_life_on_another_host(bastion: pathlib.Path, lab: Lab) -> None:
    kill_once_begun(bastion)
    # The processes on the other host end with the playbook, and the lock is given back.
    lease = ("coordination.k8s.io/v1", "Lease", NAMESPACE, "llm-d-orchestrator")
    eventually(lambda: not (lab.get(*lease) or {"spec": {}})["spec"].get("holderIdentity"), 30)
    try:
        deployed = run(bastion, "site")
        assert "[COMPLETE]" in deployed.text
        assert "200 in" in deployed.text
        assert "taking over the lock" not in deployed.text
        assert "Nothing would change" in run(bastion, "plan").text
        assert "200 in" in run(bastion, "verify").text
        assert "healthy" in run(bastion, "status").text
        assert not list((bastion / "home" / ".ansible_async").iterdir())
    finally:
        gone = run(bastion, "teardown", teardown_confirm=True, teardown_delete_namespace=True)
    assert "Helm release ms-far" in gone.text
