# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Chart references made into local charts: fetched once with Helm, cached, usable without a network afterwards."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import tempfile

from ..base.command import HELM_MEMORY, TimeOver, run_bounded
from ..base.errors import OrchestratorError, WrongVersion
from ..base.files import helm_folders, scratch_folder
from .files import chart_digest, read_chart
from .registry import pinned_digest, pull_error, pull_options

# Seconds that one `helm pull` may take.
PULL_TIMEOUT = 300
# The version of charts that are stamped only when they are published (inferencepool in its repository).
PLACEHOLDER_VERSION = "0.0.0"
# Semantic version with an optional v; what Helm accepts as one exact version, not as a range.
EXACT_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


@dataclasses.dataclass(frozen=True)
class Chart:
    """A chart on this machine.

    path: absolute path of a folder or .tgz, as Helm takes it; version: as Chart.yaml says, or as it was asked for where
    that is only a placeholder (not stamped); digest: sha256 in hex of the .tgz, or over a folder's sorted files;
    source: the reference as it was given.
    """

    path: str
    name: str
    version: str
    app_version: str
    digest: str
    source: str
    stamped: bool = True


def differs_from(deployed: str, wanted: str) -> bool:
    """Return whether a version that Helm recorded is another than one of a chart; a placeholder says nothing."""
    return PLACEHOLDER_VERSION not in (deployed, wanted) and deployed != wanted


def default_cache_dir(env: dict[str, str] | None = None) -> str:
    """Return the cache folder of this collection below XDG_CACHE_HOME (default ~/.cache).

    Where that is not there and cannot be made, as for a job's user without a home, it is a temporary folder.
    """
    return scratch_folder(_wanted_cache(env), "cache")


def cache_notes(cache_dir: str | None) -> list[str]:
    """Return a line where charts are kept elsewhere than they are wanted, and [] otherwise."""
    wanted, used = _wanted_cache(None), default_cache_dir()
    if cache_dir or used == wanted:
        return []
    return [f"Charts are cached in {used} because {wanted} cannot be created; set llm_d_chart_cache to another folder."]


def _wanted_cache(env: dict[str, str] | None) -> str:
    env = dict(os.environ) if env is None else env
    return os.path.join(env.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "llm-d-orchestrator")


def is_local(ref: str) -> bool:
    """Return whether a reference names a folder or .tgz rather than a registry or repository."""
    return "://" not in ref


def fetch_chart(
    ref: str,
    version: str | None,
    *,
    helm: str = "helm",
    cache_dir: str | None = None,
    env: dict[str, str] | None = None,
    plain_http: bool = False,
) -> Chart:
    """Return the chart that ref and version name; raise OrchestratorError that says what to do instead.

    ref: a folder, a .tgz or its https:// address, oci://REGISTRY/PATH/CHART[@sha256:HEX] or https://REPOSITORY#CHART.
    version: required for the last two, unless a digest says it; otherwise None or what Chart.yaml says (a local chart
    whose Chart.yaml says 0.0.0, the placeholder of a source folder, is taken for any version).
    cache_dir: default_cache_dir() where None. env: the environment of Helm (None: this process's).
    plain_http: reach an OCI registry without TLS; one on a loopback address is asked what it speaks.
    Safe for several processes at once.
    """
    ref, version = (ref or "").strip(), str(version or "").strip() or None
    path = _local_path(ref) if is_local(ref) else _cached_path(ref, version, helm, cache_dir, env, plain_http)
    files = read_chart(path)
    unstamped = is_local(ref) and files.version == PLACEHOLDER_VERSION
    if version and not unstamped and not _same_version(files.version, version):
        raise WrongVersion(
            f"The chart {ref} is version {files.version} of {files.name}, not {version}.",
            hint=f"Set the chart version to {files.version}, or use the chart of version {version}.",
        )
    found = version if version and unstamped else files.version
    return Chart(path, files.name, found, files.app_version, chart_digest(path), ref, not unstamped)


def _same_version(found: str, wanted: str) -> bool:
    # Helm reads v1.2.3 and 1.2.3 as one semantic version.
    return found.removeprefix("v") == wanted.removeprefix("v")


def _local_path(ref: str) -> str:
    if not ref:
        raise OrchestratorError("A chart reference is empty.", hint=_forms())
    path = os.path.abspath(os.path.expanduser(ref))
    if not os.path.exists(path):
        raise OrchestratorError(f"chart not found: {ref} ({path})", hint=_forms())
    return path


def _forms() -> str:
    return "Use a folder, a .tgz or its https:// address, oci://REGISTRY/PATH/CHART, or https://REPOSITORY#CHART."


def _cached_path(
    ref: str, version: str | None, helm: str, cache_dir: str | None, env: dict[str, str] | None, plain_http: bool
) -> str:
    arguments = _pull_arguments(ref, version)
    pinned = ref.startswith("oci://") and "@" in ref
    # What a digest names is the same chart, whatever version is expected of it.
    named = "" if pinned else version
    key = hashlib.sha256(f"{ref}\n{named}".encode()).hexdigest()
    base = os.path.join(os.path.expanduser(cache_dir or default_cache_dir(env)), "charts")
    target = os.path.join(base, key)
    if not os.path.isdir(target):
        if ref.startswith("oci://"):
            arguments += pull_options(ref, os.environ if env is None else env, plain_http)
        try:
            os.makedirs(base, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".pull-", dir=base) as scratch:
                _pull(helm, arguments, scratch, (ref, version), env)
                _publish(scratch, target, ref)
        except OSError as exc:
            raise OrchestratorError(
                f"Cannot cache the chart {ref} in {base}: {exc.strerror or exc}",
                hint="Set llm_d_chart_cache to a writable folder.",
            ) from exc
    return os.path.join(target, _only_archive(target, ref))


def _pull_arguments(ref: str, version: str | None) -> list[str]:
    scheme, _separator, rest = ref.partition("://")
    if scheme not in ("oci", "http", "https"):
        raise OrchestratorError(f"The chart reference {ref} has an unknown scheme {scheme!r}.", hint=_forms())
    if "@" in rest.split("/", 1)[0]:
        raise OrchestratorError(
            "A chart reference contains a user name or password.",
            hint="Remove it, and log in with: helm registry login REGISTRY",
        )
    base, _separator, name = ref.partition("#")
    if scheme != "oci" and not name and base.endswith(".tgz"):
        return [ref]
    if scheme != "oci" and not name:
        raise OrchestratorError(f"The chart reference {ref} does not name a chart of the repository.", hint=_forms())
    pinned = scheme == "oci" and pinned_digest(ref)
    if not version and not pinned:
        raise WrongVersion(
            f"The chart {ref} needs a version.", hint="Set its chart version to an exact version, such as v1.3.0."
        )
    if version and not EXACT_VERSION.fullmatch(version):
        raise WrongVersion(
            f"{version!r} is not an exact version of the chart {ref}.",
            hint="Set one version, such as v1.3.0: ranges and tags such as latest change under a deployment.",
        )
    if pinned:
        # Helm passes over a version beside a digest.
        return [ref]
    exact = ["--version", str(version)]
    return [ref, *exact] if scheme == "oci" else [name, "--repo", base, *exact]


def _pull(
    helm: str, arguments: list[str], folder: str, named: tuple[str, str | None], env: dict[str, str] | None
) -> None:
    ref = named[0]
    command = [helm, "pull", *arguments, "--destination", folder]
    env = dict(os.environ if env is None else env)
    env.update(helm_folders(env))
    try:
        done = run_bounded(command, env, PULL_TIMEOUT, memory=HELM_MEMORY)
    except FileNotFoundError as exc:
        raise OrchestratorError(
            f"Helm not found: {helm!r} is needed to fetch the chart {ref}.",
            hint="Install Helm 3, or set llm_d_helm_binary to its path.",
        ) from exc
    except PermissionError as exc:
        raise OrchestratorError(f"Cannot run {helm!r} to fetch the chart {ref}: {exc.strerror}") from exc
    except TimeOver as exc:
        raise OrchestratorError(
            f"Timed out after {PULL_TIMEOUT}s fetching the chart {ref}.",
            hint="Check the network and proxy, or fetch the .tgz elsewhere and set the chart reference to its path.",
        ) from exc
    if done.returncode:
        raise pull_error(*named, done.stderr or done.stdout)


def _publish(scratch: str, target: str, ref: str) -> None:
    """Move the pulled archive into place in one step; where another process was first, its copy stays."""
    archive = os.path.join(scratch, _only_archive(scratch, ref))
    chart = read_chart(archive)
    ready = os.path.join(scratch, "ready")
    os.mkdir(ready)
    # By digest, Helm puts the digest into the file's name.
    name = f"{chart.name}-{chart.version}.tgz" if "@" in os.path.basename(archive) else os.path.basename(archive)
    if "/" in name:
        raise OrchestratorError(f"The chart {ref} has the name {name!r}, which is not a valid file name.")
    shutil.move(archive, os.path.join(ready, name))
    try:
        os.rename(ready, target)
    except OSError:
        if not os.path.isdir(target):
            raise


def _only_archive(folder: str, ref: str) -> str:
    names = [name for name in os.listdir(folder) if name.endswith(".tgz")]
    if len(names) != 1:
        raise OrchestratorError(
            f"The cache of the chart {ref} is damaged: {folder} contains {len(names)} archives.",
            hint=f"Remove {folder} and run again.",
        )
    return names[0]
