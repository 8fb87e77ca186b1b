# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab under test, and playbooks on it that can be killed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException

ROOT = pathlib.Path(__file__).parents[2]
STATE = pathlib.Path(os.environ.get("XDG_STATE_HOME") or pathlib.Path.home() / ".local/state") / "llm-d-orchestrator"
MARKER = "CHAOS_RUN"
Object = dict[str, Any]

# What an uninterrupted run and a resumed one must have in common.
KINDS = (
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("gateway.networking.k8s.io/v1", "Gateway"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("inference.networking.k8s.io/v1", "InferencePool"),
)


def processes(run: str) -> list[int]:
    """The processes of a run that still live, children that went their own way included."""
    mark, found = f"{MARKER}={run}".encode(), []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Play:
    """A playbook that runs. run: the mark of its processes; text: what it has printed, once it has ended."""

    def __init__(self, command: list[str], folder: pathlib.Path, env: dict[str, str]) -> None:
        self.run, self.begin = uuid.uuid4().hex, time.monotonic()
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log", dir=folder, delete=False)  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "2000", "PWD": str(folder), MARKER: self.run, **env},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.seconds = 0.0

    @property
    def text(self) -> str:
        return pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout: float = 180) -> int:
        """Its exit code; it is killed where it does not end in time."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill(everything=True)
            raise
        self.seconds = time.monotonic() - self.begin
        return code

    def kill(self, *, everything: bool) -> None:
        """Kill the playbook's own process, or all that it has started too."""
        victims = processes(self.run) if everything else [self.process.pid]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)
        self.seconds = time.monotonic() - self.begin


def message(text: str) -> str:
    """What a failed playbook said, in one line: a pod's or the quota's own words where it has them."""
    for words in (r"(pod \S+: [^\n\"\\]+)", r"(exceeded quota[^\n\"\\]+)"):
        found = re.search(words, text)
        if found:
            return found[1][:300]
    lines = [line for line in text.splitlines() if line.startswith("[FAILED]")]
    said = re.sub(r"^\[FAILED\]\s+\S+\s+", "", lines[0]) if lines else ""
    return said[:300] or text[-300:]


class ChaosLab:
    """A lab by name. folder: where records and logs go."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        self.name, self.folder = name, folder
        self.dir = STATE / "labs" / name
        self.kubeconfig = str(self.dir / "kubeconfig")

    def up(self, **variables: Any) -> None:
        """Bring it up, or into another state."""
        play = self.start("lab_up", **variables)
        if play.wait():
            raise RuntimeError(play.text[-3000:])

    def down(self) -> None:
        """Remove it."""
        self.start("lab_down").wait()

    def connect(self) -> None:
        """Make clients; the lab must be up."""
        self.api = config.new_client_from_config(self.kubeconfig)
        self.core = client.CoreV1Api(self.api)
        self.dynamic = dynamic.DynamicClient(self.api)

    def start(self, name: str, *args: str, env: dict[str, str] | None = None, **variables: Any) -> Play:
        """Start a playbook with the lab's inventory."""
        extra = json.dumps({"lab_name": self.name, **variables})
        inventory = ("-i", str(ROOT / "inventories/lab"))
        command = ["ansible-playbook", str(ROOT / f"playbooks/{name}.yml"), *inventory, *args, "-e", extra]
        return Play(command, self.folder, env or {})

    def site(self, namespace: str, env: dict[str, str] | None = None, **variables: Any) -> Play:
        """Start site.yml in a namespace."""
        return self.start("site", env=env, llm_d_namespace=namespace, **variables)

    def stop_at(self, place: str) -> dict[str, str]:
        """The environment that has a playbook killed as it comes to a place."""
        reached = self.folder / f"reached-{uuid.uuid4().hex}"
        return {
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/chaos/callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "chaos_kill",
            "CHAOS_STOP": place,
            "CHAOS_REACHED": str(reached),
        }

    def component(self, name: str) -> int:
        """The process number of a part of the control plane."""
        prefix = str(self.dir)
        for entry in pathlib.Path("/proc").iterdir():
            try:
                program = (entry / "cmdline").read_bytes().split(b"\0")[0].decode() if entry.name.isdigit() else ""
            except OSError:
                continue
            if program.startswith(prefix) and program.endswith(f"/{name}"):
                return int(entry.name)
        raise RuntimeError(f"{name} of the lab {self.name} does not run")

    def records(self, namespace: str) -> list[Object]:
        """The state of each release in a namespace; a revision that failed stays in Helm's history."""
        found = self.core.list_namespaced_secret(namespace, label_selector="owner=helm").items
        labels = sorted((one.metadata.labels for one in found), key=lambda row: int(row["version"]))
        newest = {row["name"]: row["status"] for row in labels}
        alive = [row["name"] for row in labels if row["status"] not in ("superseded", "failed")]
        twice = [{"name": name, "status": "alive twice"} for name in set(alive) if alive.count(name) > 1]
        return [{"name": name, "status": status} for name, status in newest.items()] + twice

    def snapshot(self, namespace: str) -> dict[str, str]:
        """A digest of what was asked for by 'Kind name', the namespace's name left out."""
        found = {}
        for api_version, kind in KINDS:
            for item in self.dynamic.resources.get(api_version=api_version, kind=kind).get(namespace=namespace).items:
                body = {
                    key: value
                    for key, value in item.to_dict().items()
                    if key in ("spec", "data", "rules", "roleRef", "subjects")
                }
                text = re.sub(
                    r'"(clusterIPs?|nodePort)": (\[[^]]*\]|"[^"]*"|\d+)', "", json.dumps(body, sort_keys=True)
                )
                digest = hashlib.sha256(text.replace(namespace, "NAMESPACE").encode()).hexdigest()[:12]
                found[f"{kind} {item.metadata.name}"] = digest
        return found

    def lease(self, namespace: str) -> Object:
        """The lock's spec, {} where there is none."""
        try:
            leases = self.dynamic.resources.get(api_version="coordination.k8s.io/v1", kind="Lease")
            return leases.get(namespace=namespace, name="llm-d-orchestrator").to_dict().get("spec") or {}
        except ApiException as exc:
            if exc.status == 404:
                return {}
            raise

    def make_namespace(self, namespace: str) -> None:
        """Make a namespace."""
        self.core.create_namespace({"metadata": {"name": namespace}})

    def drop(self, namespace: str) -> None:
        """Delete a namespace, without waiting."""
        try:
            self.core.delete_namespace(namespace)
        except ApiException as exc:
            if exc.status != 404:
                raise


def until(condition: Callable[[], Any], seconds: float = 60, step: float = 0.02) -> Any:
    """The first true value of a condition; an error where it does not come."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not so within {seconds} s")
        time.sleep(step)


def watch(lab: ChaosLab, namespace: str, kind: str, api_version: str = "v1") -> Iterator[Object]:
    """The events of a kind in a namespace, as they come, for a minute at most."""
    resource = lab.dynamic.resources.get(api_version=api_version, kind=kind)
    for event in resource.watch(namespace=namespace, timeout=60):
        yield event["object"].to_dict()


def helm_payload(data: str) -> Object:
    """A release's record decoded."""
    return json.loads(gzip.decompress(base64.b64decode(base64.b64decode(data))))


def helm_data(payload: Object) -> str:
    """A release's record encoded."""
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(payload).encode()))).decode()
