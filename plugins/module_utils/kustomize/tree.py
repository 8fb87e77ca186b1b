# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The files that a kustomization consists of: the folders that it takes in, their resources and patches.

Source: the fields of kustomization.yaml (kubectl.docs.kubernetes.io/references/kustomize/kustomization).
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..base.data import Object, dicts, mapping
from ..base.errors import OrchestratorError

try:
    import yaml
except ImportError:  # pragma: no cover - reported by the modules
    yaml = None  # type: ignore[assignment]

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Fields whose entries are files or folders with objects or further kustomizations, in the order in which they count.
TAKEN_IN = ("resources", "bases", "components")
OTHER = ("crds", "configurations", "generators", "transformers", "validators")
ENTRY_PATHS = (("patches", "path"), ("replacements", "path"), ("patchesJson6902", "path"))
# Where programs would be run, or charts fetched; kustomize runs them only on request, which it does not get.
PLUGINS = ("helmCharts", "helmChartInflationGenerator")
_REMOTE = re.compile(r"^[a-z+]+://|^git@|^github\.com/|\?(ref|version|timeout|submodules)=|\.git(//|$)")


@dataclasses.dataclass(frozen=True)
class Folder:
    """A kustomization with what stands in it. file: of the kustomization; fields: its content; entries: files that it
    takes in, in order; missing, remote: entries that are not there, and such that are elsewhere."""

    file: str
    fields: Object
    entries: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()

    def path(self, entry: str) -> str:
        """Return the path of an entry."""
        return os.path.join(os.path.dirname(self.file), entry)


def kustomization_file(folder: str) -> str | None:
    """Return the file that makes a folder a kustomization, None where it is none."""
    return next((path for name in FILES if os.path.isfile(path := os.path.join(folder, name))), None)


def walk(folder: str) -> list[Folder]:
    """Return a kustomization and all that it takes in, each once, what is taken in first.

    Raise OrchestratorError where a file cannot be read, or would have kustomize run Helm.
    """
    found: dict[str, Folder] = {}
    _walk(os.path.realpath(folder), found, set())
    return list(found.values())


def refuse_remote(folders: t.Iterable[Folder], name: str) -> None:
    """Raise OrchestratorError where a kustomization names what is missing or not on this machine."""
    folders = list(folders)
    missing = [f"{one.file}: {entry}" for one in folders for entry in one.missing]
    if missing:
        raise OrchestratorError(
            f"{name}: files of its kustomization not found:",
            details=missing,
            hint="Check the paths, and whether the checkout is complete.",
        )
    remote = [f"{one.file}: {entry}" for one in folders for entry in one.remote]
    if remote:
        raise OrchestratorError(
            f"{name}: its kustomization uses remote resources:",
            hint="Use a local copy, or set remote to true.",
            details=remote,
        )


def _walk(folder: str, found: dict[str, Folder], begun: set[str]) -> None:
    if folder in begun:
        return
    begun.add(folder)
    file = kustomization_file(folder)
    if file is None:
        raise OrchestratorError(f"{folder} is not a kustomization: {FILES[0]} not found in it.")
    fields = _read(file)
    plugins = [field for field in PLUGINS if fields.get(field)]
    if plugins:
        raise OrchestratorError(
            f"{file}: {', '.join(plugins)} runs Helm from kustomize, which is not supported.",
            hint="Deploy the chart as a release of its own.",
        )
    files: list[str] = []
    missing: list[str] = []
    remote: list[str] = []
    for entry in _entries(fields):
        target = os.path.join(folder, entry)
        if os.path.isdir(target):
            _walk(os.path.realpath(target), found, begun)
        elif os.path.isfile(target):
            files.append(entry)
        else:
            (remote if _REMOTE.search(entry) else missing).append(entry)
    found[folder] = Folder(file, fields, tuple(files), tuple(missing), tuple(remote))


def _read(file: str) -> Object:
    try:
        with open(file, encoding="utf-8") as stream:
            content = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise OrchestratorError(f"{file} cannot be read: {' '.join(str(exc).split())}") from exc
    if not isinstance(content, dict):
        raise OrchestratorError(f"{file} is not a kustomization: its content is not a map.")
    return content


def _entries(fields: Object) -> list[str]:
    """Return the files and folders that a kustomization names; what has lines is written out in place."""
    entries = [entry for field in (*TAKEN_IN, *OTHER) for entry in _list(fields.get(field))]
    entries += [entry.get(key) for field, key in ENTRY_PATHS for entry in dicts(fields.get(field))]
    entries += _list(fields.get("patchesStrategicMerge"))
    entries += [mapping(fields.get("openapi")).get("path")]
    return [entry for entry in entries if isinstance(entry, str) and "\n" not in entry]


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []
