# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A lab's control plane, run by kwokctl's binary runtime inside the lab's folder."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import typing as t
import urllib.request

from ..base.errors import OrchestratorError
from . import state as process
from .state import LabState, crowded, patience, port_is_free

# Component -> tool whose binary it runs.
COMPONENTS = {
    "etcd": "etcd",
    "kube-apiserver": "kube-apiserver",
    "kube-controller-manager": "kube-controller-manager",
    "kube-scheduler": "kube-scheduler",
    "kwok-controller": "kwok",
}
CRDS = ["Stage", "PortForward", "Logs", "ClusterLogs", "ClusterPortForward", "Exec", "ClusterExec"]
# Go collects garbage earlier and gives memory back above the limit: a lab fits beside the work it is there for.
MEMORY_LIMITS = {
    "etcd": "128MiB",
    "kube-apiserver": "400MiB",
    "kube-controller-manager": "96MiB",
    "kube-scheduler": "80MiB",
    "kwok-controller": "96MiB",
}

EXTRA_ARGS = {
    # A lab's data need not outlive a power cut.
    "etcd": {"unsafe-no-fsync": "true"},
    "kube-apiserver": {
        # Without it the server looks for an address of the machine, which a machine without a route has not.
        "advertise-address": "192.0.2.1",
        "feature-gates": "MutatingAdmissionPolicy=true",
        "runtime-config": "admissionregistration.k8s.io/v1beta1=true",
        "profiling": "false",
    },
    # There is one of each: a new one need not wait until the lease of a killed one has run out.
    "kube-controller-manager": {"leader-elect": "false"},
    "kube-scheduler": {"leader-elect": "false"},
}

COMMAND_TIMEOUT = 90


def kwokctl_config(binaries: dict[str, str], ports: dict[str, int]) -> dict:
    """Return what `kwokctl create cluster --config` reads. binaries: tool -> path; ports: see PORT_NAMES."""
    options = {
        "runtime": "binary",
        "bindAddress": "127.0.0.1",
        "disableQPSLimits": True,
        "enableCRDs": CRDS,
        "heartbeatFactor": 5,
        "etcdBinary": binaries["etcd"],
        "kubeApiserverBinary": binaries["kube-apiserver"],
        "kubeControllerManagerBinary": binaries["kube-controller-manager"],
        "kubeSchedulerBinary": binaries["kube-scheduler"],
        "kwokControllerBinary": binaries["kwok"],
        "kubectlBinary": binaries["kubectl"],
        "kubeApiserverPort": ports["apiserver"],
        "etcdPort": ports["etcd"],
        "etcdPeerPort": ports["etcd_peer"],
        "kubeControllerManagerPort": ports["controller_manager"],
        "kubeSchedulerPort": ports["scheduler"],
        "kwokControllerPort": ports["kwok"],
    }
    patches = [
        {
            "name": name,
            "extraEnvs": [{"name": "GOMEMLIMIT", "value": limit}],
            "extraArgs": [{"key": key, "value": value} for key, value in EXTRA_ARGS.get(name, {}).items()],
        }
        for name, limit in MEMORY_LIMITS.items()
    ]
    kind = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokctlConfiguration"}
    return {**kind, "options": options, "componentsPatches": patches}


def kubeconfig_text(name: str, port: int, pki: pathlib.Path) -> str:
    """Return a kubeconfig that holds its own certificates; its only context is lab-<name>."""
    data = {file: base64.b64encode((pki / file).read_bytes()).decode() for file in ("ca.crt", "admin.crt", "admin.key")}
    return f"""apiVersion: v1
kind: Config
current-context: lab-{name}
contexts:
- name: lab-{name}
  context: {{cluster: lab-{name}, user: lab-{name}}}
clusters:
- name: lab-{name}
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority-data: {data["ca.crt"]}
users:
- name: lab-{name}
  user:
    client-certificate-data: {data["admin.crt"]}
    client-key-data: {data["admin.key"]}
"""


class ControlPlane:
    """The five processes of a lab. binaries: tool -> path, those of COMPONENTS and kwokctl and kubectl."""

    def __init__(self, state: LabState, binaries: dict[str, str]) -> None:
        self.state = state
        self.binaries = binaries
        self.pki = state.cluster_dir / "pki"

    def installed(self, ports: dict[str, int] | None) -> bool:
        """Say whether a created cluster lies in the lab's folder with all that a start needs."""
        needed = [
            self.state.cluster_dir / "kwok.yaml",
            *(self.pki / name for name in ("ca.crt", "admin.crt", "admin.key")),
        ]
        return bool(ports) and all(path.is_file() and path.stat().st_size for path in needed)

    def alive(self) -> dict[str, process.Process]:
        """Return the components that run."""
        return process.components_of(self.state.cluster_dir, process.processes())

    def missing(self) -> list[str]:
        """Return the components that do not run."""
        alive = self.alive()
        return [name for name in COMPONENTS if name not in alive]

    def create(self, ports: dict[str, int]) -> None:
        """Make a new control plane and start it; what was left of an earlier one is removed."""
        self.stop()
        shutil.rmtree(self.state.workdir, ignore_errors=True)
        self.state.workdir.mkdir(parents=True, mode=0o700)
        config = self.state.workdir / "config.json"
        config.write_text(json.dumps(kwokctl_config(self.binaries, ports)), encoding="utf-8")
        kubeconfig = str(self.state.workdir / "kubeconfig")
        self._kwokctl("create", "--config", str(config), "create", "cluster", "--kubeconfig", kubeconfig)

    def start(self) -> None:
        """Start the components that do not run, with the data that they had."""
        alive = self.alive()
        if not {"etcd", "kube-apiserver"} <= set(alive):
            # Without them the others end themselves sooner or later; they keep nothing.
            process.stop([found for name, found in alive.items() if name not in ("etcd", "kube-apiserver")], grace=1.0)
            alive = self.alive()
        for name, tool in COMPONENTS.items():
            if name not in alive:
                # Its number may belong to another process by now, and kwokctl would take that for the component.
                (self.state.cluster_dir / "pids" / f"{name}.pid").unlink(missing_ok=True)
                link = self.state.cluster_dir / "bin" / name
                link.unlink(missing_ok=True)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(self.binaries[tool])
        self._kwokctl("start", "start", "cluster")

    def stop(self) -> list[int]:
        """End all components; clients before the API server, and etcd last, so that none logs errors for minutes."""
        alive = self.alive()
        order = ("kwok-controller", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
        rest = [found for name, found in alive.items() if name not in order]
        front = [alive[name] for name in order[:3] if name in alive]
        back = [alive[name] for name in order[3:] if name in alive]
        # The API server waits a minute for open watches; there is nothing to save in it.
        return process.stop([*rest, *front], grace=1.0) + process.stop(back, grace=1.0)

    def taken_ports(self, ports: dict[str, int]) -> list[int]:
        """Return the ports of components that do not run and that something else listens on."""
        owners = {
            "apiserver": "kube-apiserver",
            "etcd": "etcd",
            "etcd_peer": "etcd",
            "controller_manager": "kube-controller-manager",
            "scheduler": "kube-scheduler",
            "kwok": "kwok-controller",
        }
        missing = self.missing()
        return [port for name, port in ports.items() if owners[name] in missing and not port_is_free(port)]

    def healthy(self, ports: dict[str, int]) -> bool:
        """Say whether the controller manager and the scheduler call themselves healthy."""
        return all(_healthz(ports[name]) for name in ("controller_manager", "scheduler"))

    def log_tail(self, lines: int = 5) -> list[str]:
        """Return the last lines of the logs of the components that do not run."""
        found = []
        for name in self.missing():
            with contextlib.suppress(OSError):
                text = (self.state.cluster_dir / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")
                found += [f"{name}: {line[:300]}" for line in text.splitlines()[-lines:]]
        return found

    def _kwokctl(self, verb: str, *arguments: str) -> None:
        command = [self.binaries["kwokctl"], "--name", self.state.name, *arguments]
        env = {**os.environ, "KWOK_WORKDIR": str(self.state.workdir)}
        for variable in ("KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            env.pop(variable, None)
        log = self.state.dir / "kwokctl.log"
        with open(log, "ab") as stream:
            try:
                code = subprocess.run(
                    command, env=env, cwd=self.state.dir, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                    timeout=patience(COMMAND_TIMEOUT), check=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                code = -1
        if code != 0:
            raise OrchestratorError(
                f"kwokctl could not {verb} the lab {self.state.name!r}.",
                details=[*_last_lines(log), *self.log_tail()],
                hint=f"The logs are in {self.state.cluster_dir / 'logs'} and {log}.{crowded()}",
            )


def _last_lines(path: pathlib.Path, lines: int = 3) -> list[str]:
    """Return the last lines of a log; of JSON lines, the message and the error."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
        with contextlib.suppress(ValueError, TypeError):
            entry = json.loads(line)
            line = " ".join(str(entry[key]) for key in ("msg", "err") if entry.get(key))
        found.append(line)
    return found


def _healthz(port: int) -> bool:
    """Ask a component on this machine; its certificate is its own, made at its start."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"https://127.0.0.1:{port}/healthz", timeout=5) as reply:
            return t.cast(bool, reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False
