# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm as a subprocess: argument lists, its environment, errors told apart.

Credentials and values travel in files of mode 0600 in a folder of its own: neither in arguments nor in its environment.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import typing as t

from ..base.command import HELM_MEMORY, TimeOver, run_bounded
from ..base.errors import OrchestratorError
from ..base.files import helm_folders
from ..cluster import credentials as cluster_credentials
from . import credentials
from .post_render import COMMANDS, post_renderer

# Helm's own words for what may succeed when it is tried again.
TRANSIENT = re.compile(
    r"connection refused|connection reset|i/o timeout|TLS handshake timeout|unexpected EOF|: EOF|etcdserver: "
    r"|the object has been modified|too many requests|http2: |context deadline exceeded|server is currently unable"
    r"|the server was unable to return a response|failed calling webhook|request timed out|no route to host"
    r"|not yet complete|is being terminated",
    re.I,
)
NOISE = re.compile(r"^(WARNING:|[WIE]\d{4} |level=|\d+ errors? occurred:$)|: warning: ")
BUSY = "another operation (install/upgrade/rollback) is in progress"
# From which size of its heap Go collects garbage with GOGC=off.
GO_MEMORY = "256MiB"
# More than etcd keeps of a release by far.
LONGEST_OUTPUT = 32 * 1024 * 1024
# Go's own words.
NO_MEMORY = re.compile(r"^(fatal error: )?(runtime: )?(out of memory|cannot allocate memory)", re.MULTILINE)
GREEDY = "a template of the chart loops, or produces far too much output"


class HelmError(OrchestratorError):
    """A Helm command failed. text: Helm's own message."""

    def __init__(self, command: str, text: str) -> None:
        self.text = text
        super().__init__(f"helm {command} failed: {text}", hint=hint_for(text))

    @property
    def transient(self) -> bool:
        """Whether another try may succeed."""
        return bool(TRANSIENT.search(self.text)) or BUSY in self.text


def hint_for(text: str) -> str | None:
    """Return what to do about one of Helm's messages, or None."""
    if "ensure CRDs are installed first" in text or "no matches for kind" in text:
        return "Install the custom resource definitions that the message names, or switch that feature off."
    if "invalid ownership metadata" in text:
        return (
            "The object belongs to another owner. Remove it, choose another name, or set llm_d_adopt to true to adopt "
            "it."
        )
    if "forbidden" in text.lower():
        return "Ask an administrator for this permission."
    return None


def clean_error(stderr: str) -> str:
    """Return Helm's message without warnings, prefixes and repeated lines."""
    lines: list[str] = []
    for line in stderr.splitlines():
        text = line.strip().removeprefix("Error: ").removeprefix("* ")
        if text and text not in lines and not NOISE.search(text):
            lines.append(text)
    return "\n".join(lines) or "no reason given"


def upgrade_arguments(
    name: str, chart: str, namespace: str, files: list[str], labels: dict[str, str], *, timeout: int, adopt: bool
) -> list[str]:
    """Return the arguments of `helm upgrade --install`; timeout (s) bounds the chart's hooks only."""
    arguments = ["upgrade", name, chart, "--install", "--namespace", namespace, "--output", "json"]
    arguments += ["--reset-values", "--history-max", "10", "--timeout", f"{timeout}s"]
    arguments += ["--labels", ",".join(f"{key}={value}" for key, value in sorted(labels.items()))]
    if adopt:
        arguments.append("--take-ownership")
    for path in files:
        arguments += ["--values", path]
    return arguments


def template_arguments(
    name: str, chart: str, namespace: str, files: list[str], *, kube_version: str, apis: list[str], upgrade: bool
) -> list[str]:
    """Return the arguments of `helm template` as for the given cluster."""
    arguments = ["template", name, chart, "--namespace", namespace, "--no-hooks", "--kube-version", kube_version]
    if apis:
        arguments += ["--api-versions", ",".join(apis)]
    if upgrade:
        arguments.append("--is-upgrade")
    for path in files:
        arguments += ["--values", path]
    return arguments


def uninstall_arguments(name: str, namespace: str, timeout: int) -> list[str]:
    """Return the arguments of `helm uninstall`; objects are deleted in the background."""
    return ["uninstall", name, "--namespace", namespace, "--ignore-not-found", "--timeout", f"{timeout}s"]


def find_helm(binary: str | None) -> str:
    """Return Helm's path: binary, or the one on PATH; raise OrchestratorError where it is not there."""
    found = shutil.which(os.path.expanduser(binary or "helm"))
    if not found:
        raise OrchestratorError(
            f"Helm not found: {binary or 'no helm on PATH'}.",
            hint="Install Helm 3.17 or later, or set llm_d_helm_binary to its path.",
        )
    return found


class Helm:
    """Runs Helm against one cluster; safe for threads.

    binary: a path, or None for the one on PATH; registry: where all images shall come from, "" to leave them.
    """

    def __init__(self, module: t.Any, params: dict, binary: str | None, registry: str = "") -> None:
        self.binary = find_helm(binary)
        auth = cluster_credentials.resolved(cluster_credentials.given(params), os.environ)
        kubeconfig = credentials.for_helm(auth, os.environ)
        # HELM_KUBE* of the environment would lead to another cluster than the client's.
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("HELM_KUBE")}
        self.env["HELM_DRIVER"] = "secret"
        self._begin(registry, getattr(module, "tmpdir", None))
        if kubeconfig is not None:
            self.env["KUBECONFIG"] = self.values_file(kubeconfig)
        elif auth.get("context"):
            self.env["HELM_KUBECONTEXT"] = auth["context"]

    def _begin(self, registry: str, folder: str | None = None) -> None:
        self.registry = registry
        self.scratch = tempfile.mkdtemp(prefix="helm-", dir=folder)
        self.post_renderer = post_renderer(self.scratch, registry)
        self.env.update(helm_folders(self.env))

    def run(self, arguments: list[str], timeout: float) -> str:
        """Return standard output; raise HelmError. timeout: seconds after which Helm is stopped."""
        command = arguments[0]
        line = [self.binary, *arguments, *(self.post_renderer if command in COMMANDS else [])]
        try:
            done = run_bounded(line, self.env, timeout, memory=HELM_MEMORY)
        except TimeOver as exc:
            raise HelmError(command, f"context deadline exceeded: timed out after {timeout:.0f}s") from exc
        except OSError as exc:
            raise OrchestratorError(f"Cannot run Helm at {self.binary}: {exc.strerror}") from exc
        if NO_MEMORY.search(done.stderr):
            raise HelmError(command, f"it used more than {HELM_MEMORY >> 20} MiB of memory: {GREEDY}")
        if len(done.stdout) > LONGEST_OUTPUT:
            raise HelmError(command, f"it printed more than {LONGEST_OUTPUT >> 20} MiB: {GREEDY}")
        if done.returncode:
            raise HelmError(command, clean_error(done.stderr))
        return done.stdout

    def values_file(self, values: dict) -> str:
        """Return the path of a new file (mode 0600) that holds values; JSON, which is YAML too."""
        handle, path = tempfile.mkstemp(dir=self.scratch, suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(values, stream)
        return path

    def close(self) -> None:
        """Remove the values files."""
        shutil.rmtree(self.scratch, ignore_errors=True)


class LocalHelm(Helm):
    """Runs Helm's commands that reach no cluster, such as template."""

    def __init__(self, binary: str | None, registry: str = "") -> None:
        """binary: a path, or None for the one on PATH; registry: as Helm's."""
        self.binary = find_helm(binary)
        # A short run needs no garbage collected, which takes a third of its CPU time.
        self.env = {"GOGC": "off", "GOMEMLIMIT": GO_MEMORY, **os.environ}
        self._begin(registry)
