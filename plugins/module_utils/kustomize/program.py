# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""kustomize as a program: folders, and overlays over them, rendered. Nothing remote unless asked, and no plugins."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import tempfile
import typing as t

from ..base.data import Object, dicts
from ..base.errors import OrchestratorError
from .culprit import core, culprit
from .tree import FILES, Folder, refuse_remote, walk

try:
    import yaml
except ImportError:  # pragma: no cover - reported by the modules
    yaml = None  # type: ignore[assignment]

SECONDS = 120
# Nothing is reached through a proxy that is not there.
NOWHERE = "http://127.0.0.1:9"


class Unrenderable(OrchestratorError):
    """What kustomize reports of a folder. mark: where the mistake stands, None where that is not in the folder."""

    def __init__(self, name: str, folder: str, said: str) -> None:
        found = culprit(said, walk(folder))
        self.mark, self.said = (found.mark if found else None), core(said)
        at = f" {self.mark.file}:{self.mark.line}:" if self.mark else ""
        super().__init__(f"{name}: kustomize cannot render {folder}:{at} {said}", found.fix if found else None)


# What folders were rendered to in this process, by all that goes into it.
_BUILT: dict[str, list[Object]] = {}


def build(
    folder: str, name: str, overlay: Object | None = None, *, remote: bool = False, binary: str | None = None
) -> list[Object]:
    """Return what a folder renders to; raise OrchestratorError with what is wrong, or with what kustomize says.

    name: by which errors call it; overlay: fields of a kustomization laid over the folder; remote: whether it may take
    in what is elsewhere; binary: kustomize or kubectl, else found on PATH.
    """
    folder = os.path.abspath(os.path.expanduser(folder))
    folders = walk(folder)
    if not remote:
        refuse_remote(folders, name)
    key = json.dumps([folder, overlay, remote, binary, _state(folders)], sort_keys=True, default=str)
    if key not in _BUILT:
        _BUILT[key] = _build(folder, name, overlay, remote, binary)
    return copy.deepcopy(_BUILT[key])


def find_kustomize(binary: str | None) -> list[str]:
    """Return the command that renders a folder: a binary that was given, or kustomize or kubectl of the PATH."""
    names = [binary] if binary else ["kustomize", "kubectl"]
    found = next((path for name in names if (path := shutil.which(os.path.expanduser(name)))), None)
    if found is None:
        raise OrchestratorError(
            f"kustomize not found: {binary or 'neither kustomize nor kubectl is on PATH'}.",
            hint="Install one of them, or set llm_d_kustomize_binary to its path.",
        )
    return [found, "kustomize" if os.path.basename(found).startswith("kubectl") else "build"]


def _state(folders: t.Iterable[Folder]) -> list[tuple[str, int, int]]:
    """Return which files go into a rendering, and their states."""
    paths = [path for one in folders for path in (one.file, *map(one.path, one.entries))]
    # Files of generators are not among the entries: the folders' own times stand for them.
    paths += [os.path.dirname(one.file) for one in folders]
    paths += [one.path(file) for one in folders for file in _generated_from(one.fields)]
    states = [(path, os.stat(path)) for path in dict.fromkeys(paths) if os.path.exists(path)]
    return [(path, state.st_mtime_ns, state.st_size) for path, state in states]


def _generated_from(fields: Object) -> t.Iterator[str]:
    for field in ("configMapGenerator", "secretGenerator"):
        for entry in dicts(fields.get(field)):
            files = [*(entry.get("files") or []), *(entry.get("envs") or []), entry.get("env")]
            yield from (file.rpartition("=")[2] for file in files if isinstance(file, str))


def _build(folder: str, name: str, overlay: Object | None, remote: bool, binary: str | None) -> list[Object]:
    command = find_kustomize(binary)
    with tempfile.TemporaryDirectory(prefix="kustomize-") as over:
        root = _laid_over(folder, over, overlay) if overlay else folder
        return _objects(_run(command, root, name, folder, remote), folder)


def _laid_over(folder: str, over: str, overlay: Object) -> str:
    """Write a kustomization that takes in the folder; return where it is."""
    own = os.path.relpath(os.path.realpath(folder), os.path.realpath(over))
    content = {**overlay, "resources": [own, *(overlay.get("resources") or [])]}
    with open(os.path.join(over, FILES[0]), "w", encoding="utf-8") as stream:
        yaml.safe_dump(content, stream)
    return over


def _run(command: list[str], root: str, name: str, folder: str, remote: bool) -> str:
    # Bases may lie outside the folder; neither functions that run programs nor Helm's charts are turned on.
    line = [*command, root, "--load-restrictor", "LoadRestrictionsNone"]
    env = dict(os.environ)
    if not remote:
        env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), NOWHERE)
        env |= {"NO_PROXY": "", "no_proxy": "", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as exc:
        raise OrchestratorError(f"{name}: kustomize timed out after {SECONDS}s.") from exc
    except OSError as exc:
        raise OrchestratorError(f"Cannot run {command[0]}: {exc.strerror}") from exc
    if done.returncode:
        raise Unrenderable(name, folder, _said(done.stderr, root, folder))
    return done.stdout


def _said(text: str, root: str, folder: str) -> str:
    """Return what kustomize reported, without the overlay's own folder."""
    said = " ".join(text.split()).removeprefix("Error: ")
    return said.replace(os.path.realpath(root), folder).replace(root, folder)


def _objects(text: str, folder: str) -> list[Object]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [item for item in yaml.load_all(text, Loader=loader) if item]  # noqa: S506 - both are safe
    found: list[Object] = []
    for item in documents:
        found += dicts(item.get("items")) if str(item.get("kind")).endswith("List") and "items" in item else [item]
    if not found:
        raise OrchestratorError(f"The kustomization {folder} renders no objects.")
    return found
