# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Clusters for an inventory: of kubeconfigs' contexts, and of Cluster API's Secrets.

What Secrets hold is another's: a kubeconfig out of one must neither run a command here nor read a file here.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import fnmatch
import hashlib
import json
import os
import re
import stat
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import replace_file
from . import kubeconfig

# Cluster API's contract for kubeconfigs (Secrets contract of cluster-api.sigs.k8s.io).
SECRET_TYPE = "cluster.x-k8s.io/secret"  # noqa: S105
NAME_LABEL = "cluster.x-k8s.io/cluster-name"
SUFFIX = "-kubeconfig"
NAMES = re.compile(r"(.*\.)?clusters\.ya?ml")
# What of a user or a cluster leads out of a kubeconfig.
COMMANDS = ("exec", "auth-provider")


@dataclasses.dataclass
class FoundCluster:
    """One cluster. facts: what expressions of the inventory may use; content: a kubeconfig of this cluster alone."""

    facts: Object
    file: str = ""
    context: str = ""
    content: Object = dataclasses.field(default_factory=dict)

    @property
    def shown(self) -> str:
        """Return where it is from, for messages."""
        if self.facts["source"] == "kubeconfig":
            return f"context {self.facts['context']} of {self.facts['file']}"
        return f"Cluster {self.facts['namespace']}/{self.facts['name']}"

    def kept(self) -> tuple[str, bytes]:
        """Return the name and the content of the file that its kubeconfig is kept in."""
        name = f"{self.facts['namespace']}_{self.facts['name']}"
        return host_name(name), json.dumps(self.content).encode()


def is_inventory_name(path: str) -> bool:
    """Return whether a file's name says that it is for this plugin: clusters.yml or NAME.clusters.yml."""
    return bool(NAMES.fullmatch(os.path.basename(path)))


def host_name(text: t.Any) -> str:
    """Return a host's name: without what divides patterns of hosts, or leads out of the folder of its records."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", str(text)).strip(".-")


def selected(names: t.Sequence[str], include: t.Sequence[str], exclude: t.Sequence[str]) -> bool:
    """Return whether a cluster of these names is wanted; patterns as a shell's, include [] means all."""

    def among(patterns: t.Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)

    return (not include or among(include)) and not among(exclude)


def of_kubeconfig(path: str, content: Object, include: t.Sequence[str], exclude: t.Sequence[str]) -> list[FoundCluster]:
    """Return the contexts of a kubeconfig that are wanted, by name."""
    found = []
    for name in kubeconfig.contexts(content):
        if selected([name], include, exclude):
            facts = {"source": "kubeconfig", "name": name, "namespace": "", "context": name, "file": path, "labels": {}}
            facts["server"] = kubeconfig.server(content, name)
            found.append(FoundCluster(facts, path, name, kubeconfig.reduced(content, name)))
    return found


def of_secrets(
    secrets: list[Object], clusters: list[Object], include: t.Sequence[str], exclude: t.Sequence[str]
) -> tuple[list[FoundCluster], list[str]]:
    """Return the clusters of Cluster API's Secrets, and a line for each one that cannot be used.

    clusters: the Cluster objects, [] where they cannot be read.
    """
    objects = {_key(item["metadata"]): item for item in clusters}
    found, problems = [], []
    for secret in sorted(secrets, key=lambda item: _key(item["metadata"])):
        name, namespace = _cluster_name(secret), secret["metadata"].get("namespace", "")
        if not name or not selected([name, f"{namespace}/{name}"], include, exclude):
            continue
        try:
            content = _content(secret)
        except OrchestratorError as exc:
            problems.append(f"Secret {namespace}/{secret['metadata']['name']}: {exc.message}")
            continue
        found.append(
            FoundCluster(_facts(name, namespace, content, objects.get((namespace, name)) or {}), content=content)
        )
    return found, problems


def _key(metadata: Object) -> tuple[str, str]:
    return metadata.get("namespace", ""), metadata["name"]


def _cluster_name(secret: Object) -> str:
    """Return the cluster whose administrator's kubeconfig a Secret holds, "" for any other Secret."""
    name = secret["metadata"]["name"]
    if secret.get("type") != SECRET_TYPE or not name.endswith(SUFFIX):
        return ""
    labelled = (secret["metadata"].get("labels") or {}).get(NAME_LABEL)
    # Providers keep others too, for example NAME-user-kubeconfig with the same label.
    return name.removesuffix(SUFFIX) if labelled in (None, name.removesuffix(SUFFIX)) else ""


def _content(secret: Object) -> Object:
    """Return the kubeconfig in a Secret; raise OrchestratorError where it is none, or leads out of itself."""
    try:
        text = base64.b64decode((secret.get("data") or {}).get("value") or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise OrchestratorError("data.value is not base64-encoded text") from exc
    content = kubeconfig.kubeconfig_in(text, "data.value") if text else {}
    if not content:
        raise OrchestratorError("it has no data.value")
    context = kubeconfig.check_context(content, None)
    content = kubeconfig.reduced(content, context)
    reasons = sorted({*kubeconfig.keys_of(content, (*kubeconfig.PATHS, *COMMANDS))})
    if reasons:
        raise OrchestratorError(
            f"its kubeconfig has {', '.join(reasons)}, which would run a program or read files on this machine"
        )
    return content


def _facts(name: str, namespace: str, content: Object, cluster: Object) -> Object:
    metadata = cluster.get("metadata") or {}
    context = str(content.get("current-context"))
    return {
        "source": "cluster_api",
        "name": name,
        "namespace": namespace,
        "context": context,
        "file": "",
        "server": kubeconfig.server(content, context),
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
        "phase": (cluster.get("status") or {}).get("phase") or "",
    }


def named(found: list[FoundCluster], names: list[str]) -> dict[str, FoundCluster]:
    """Return clusters by their hosts' names; raise OrchestratorError where a name is empty or another one's."""
    hosts: dict[str, FoundCluster] = {}
    for one, name in zip(found, names, strict=False):
        if not name:
            raise OrchestratorError(f"{one.shown} has no host name.", hint="Fix the expression in hostname.")
        if name in hosts:
            raise OrchestratorError(
                f"Two clusters have the host name {name}: {hosts[name].shown}, and {one.shown}.",
                hint="Leave one out with exclude, or tell them apart with hostname, for example"
                " hostname: llm_d_cluster.namespace ~ '-' ~ llm_d_cluster.name.",
            )
        hosts[name] = one
    return hosts


def folder_of(source: str, base: str) -> str:
    """Return the folder for the kubeconfigs of one inventory file, below base."""
    return os.path.join(base, hashlib.sha256(os.path.abspath(source).encode()).hexdigest()[:16])


def runtime_folder(environ: t.Mapping[str, str]) -> str:
    """Return where a user's secrets of one session belong: in memory where the system has such a folder."""
    runtime = environ.get("XDG_RUNTIME_DIR") or ""
    if not (os.path.isabs(runtime) and os.path.isdir(runtime) and os.access(runtime, os.W_OK)):
        runtime = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(runtime, "llm-d-orchestrator", "clusters")


def write(folder: str, files: list[tuple[str, bytes]]) -> list[str]:
    """Write files of mode 0600 to a folder of mode 0700, remove all others there, and return the paths.

    Raises OrchestratorError where the folder cannot be written, or is not this user's alone.
    """
    paths = [os.path.join(folder, name) for name, _content in files]
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise OrchestratorError(
                f"{folder} is accessible to other users: kubeconfigs are not written to it.",
                hint="Remove it, or set kubeconfig_dir to another folder.",
            )
        for path, (_name, content) in zip(paths, files, strict=True):
            replace_file(path, content, 0o600)
        for name in set(os.listdir(folder)) - {os.path.basename(path) for path in paths}:
            os.unlink(os.path.join(folder, name))
    except OSError as exc:
        raise OrchestratorError(
            f"Cannot write kubeconfigs to {folder}: {exc.strerror}.",
            hint="Set kubeconfig_dir to a writable folder, or kubeconfig_as to content.",
        ) from exc
    return paths
