# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lock of a namespace on a real API server: taken, renewed by a process of its own, refused, waited for, freed."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from plane_client import Lab, Object, eventually

from playbooks import ROOT, Run, environment, play

API, KIND, NAME = "coordination.k8s.io/v1", "Lease", "llm-d-orchestrator"
TITLE = b"llm-d-orchestrator: keeps the lock"
TOKEN = "hf_PlantedSecretOfTheLock"


def renewers(namespace: str) -> list[int]:
    """The processes that renew the lock of a namespace; others run beside this test."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if entry.name.isdigit() and TITLE in words and namespace.encode() in words:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Holder:
    """A playbook that takes the lock of a namespace, and holds it until a file is there."""

    def __init__(self, folder: pathlib.Path, namespace: str, **options: Any) -> None:
        self.stop = folder / f"stop-{time.monotonic_ns()}"
        lock = {"namespaces": [namespace], "kubeconfig": os.environ["LAB_KUBECONFIG"], "run": "R", **options}
        # As if it had been taken long ago: just taken, it cannot have expired, and the cluster is not asked.
        old = "{{ taken.held | combine({'taken': 0}) }}"
        wait = {"path": str(self.stop), "timeout": 300, "sleep": 1}
        tasks: list[Object] = [
            {"name": "Lock", "llm_d.orchestrator.stack_lock": lock, "register": "taken"},
            {"name": "Hold", "ansible.builtin.wait_for": wait},
            {
                "name": "Check",
                "llm_d.orchestrator.stack_lock": {**lock, "state": "verified", "held": old},
            },
            {
                "name": "Unlock",
                "llm_d.orchestrator.stack_lock": {**lock, "state": "absent", "held": "{{ taken.held }}"},
            },
        ]
        variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        book = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}]
        path = folder / f"hold-{time.monotonic_ns()}.yml"
        path.write_text(yaml.safe_dump(book))
        env = environment(folder) | {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections")}
        # Into a pipe Ansible writes without flushing, and what it says is read while it runs.
        env |= {"PLANTED": TOKEN, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            ["ansible-playbook", str(path)],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> str:
        """Let it go on; return what it printed."""
        self.stop.touch()
        return self.process.communicate(timeout=30)[0]


@pytest.fixture
def namespace(new_namespace: Callable[[], str]) -> str:
    return new_namespace()


@pytest.fixture
def holder(tmp_path: pathlib.Path) -> Iterator[Callable[..., Holder]]:
    """Starts holders, and kills them at the end."""
    started: list[Holder] = []

    def start(namespace: str, **options: Any) -> Holder:
        started.append(Holder(tmp_path, namespace, **options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def spec(lab: Lab, namespace: str) -> Object:
    """What the Lease says, {} where there is none."""
    return (lab.get(API, KIND, namespace, NAME) or {}).get("spec") or {}


def held(lab: Lab, namespace: str) -> str:
    """Who holds the lock."""
    return spec(lab, namespace).get("holderIdentity") or ""


def test_a_lock_is_renewed_while_the_playbook_runs_and_freed_at_its_end(
    lab: Lab, namespace: str, holder: Callable[..., Holder]
) -> None:
    run = holder(namespace)
    eventually(lambda: held(lab, namespace))
    first = spec(lab, namespace)["renewTime"]
    (renewer,) = eventually(lambda: renewers(namespace))
    eventually(lambda: spec(lab, namespace)["renewTime"] != first)
    secret = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text())["users"][0]["user"]
    line = pathlib.Path(f"/proc/{renewer}/cmdline").read_text()
    assert not [value for value in secret.values() if str(value) in line], "credentials in the list of processes"
    outputs = [os.readlink(f"/proc/{renewer}/fd/{number}") for number in (1, 2)]
    assert outputs == [os.devnull, os.devnull]
    text = run.end()
    assert run.process.returncode == 0, text
    assert held(lab, namespace) == ""
    eventually(lambda: not renewers(namespace), 8)


def test_a_killed_playbook_frees_the_lock_and_leaves_no_process(
    lab: Lab, namespace: str, holder: Callable[..., Holder]
) -> None:
    run = holder(namespace)
    eventually(lambda: held(lab, namespace))
    run.process.send_signal(signal.SIGKILL)
    eventually(lambda: not held(lab, namespace), 8)
    eventually(lambda: not renewers(namespace), 8)


def test_a_dead_holder_of_this_machine_is_known_at_once(
    lab: Lab, namespace: str, holder: Callable[..., Holder], tmp_path: pathlib.Path
) -> None:
    run = holder(namespace)
    eventually(lambda: held(lab, namespace))
    # Held is said before the process that renews is started.
    for pid in eventually(lambda: renewers(namespace)):
        os.kill(pid, signal.SIGKILL)
    run.process.kill()
    run.process.wait()
    assert held(lab, namespace), "nobody is left to free it"
    begin = time.monotonic()
    again = holder(namespace)
    text = again.end()
    assert again.process.returncode == 0, text
    assert "taking over the lock of" in text
    assert time.monotonic() - begin < 10


def test_the_second_refuses_at_once_or_waits_as_it_is_told(
    lab: Lab, namespace: str, holder: Callable[..., Holder]
) -> None:
    first = holder(namespace, purpose="a test")
    name = eventually(lambda: held(lab, namespace))
    refused = holder(namespace)
    text = refused.end()
    assert refused.process.returncode != 0
    for part in (name, "who runs a test, since 20", "set llm_d_lock to wait"):
        assert part in text, text
    short = holder(namespace, mode="wait", timeout=1)
    assert "set llm_d_lock_timeout to more seconds" in short.end()
    patient = holder(namespace, mode="wait")
    # What is said at once, and ends the test where it never is.
    said = any("waiting until it is free" in line for line in patient.process.stdout or [])
    assert first.end() and first.process.returncode == 0
    text = patient.end()
    assert said and patient.process.returncode == 0, text


def test_a_lock_that_was_lost_is_noticed(lab: Lab, namespace: str, holder: Callable[..., Holder]) -> None:
    run = holder(namespace)
    eventually(lambda: held(lab, namespace))
    body = {"spec": {"holderIdentity": "ann@elsewhere", "leaseTransitions": 9}}
    leases = lab.resource(API, KIND)
    leases.patch(name=NAME, namespace=namespace, body=body, content_type="application/merge-patch+json")
    text = run.end()
    assert run.process.returncode != 0
    assert "The lock was lost: " in text
    assert "ann@elsewhere" in text
    assert held(lab, namespace) == "ann@elsewhere"


def test_check_mode_and_plan_only_look(
    lab: Lab, namespace: str, holder: Callable[..., Holder], tmp_path: pathlib.Path
) -> None:
    holder(namespace)
    name = eventually(lambda: held(lab, namespace))
    transitions = spec(lab, namespace)["leaseTransitions"]
    run: Run = play(tmp_path, "site", "--check", llm_d_namespace=namespace)
    assert run.code == 0, run.text
    assert name in run.text
    run = play(tmp_path, "plan", llm_d_namespace=namespace, llm_d_plan_dir=str(tmp_path))
    assert run.code == 0, run.text
    (plan,) = tmp_path.rglob("plan.json")
    assert [note for note in json.loads(plan.read_text())["notes"] if name in note]
    assert spec(lab, namespace)["leaseTransitions"] == transitions
