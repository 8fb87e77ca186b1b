# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts that are kustomizations: a folder rendered by kustomize, and then handled as objects.

Spec of a part: path, and where they are wanted: overlay (fields of a kustomization laid over the folder), remote
(whether it may take in what is elsewhere), and those of objects but for objects themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import typing as t

from ..base.data import Object, dicts
from ..base.errors import OrchestratorError
from ..base.images import rewrite_object
from ..helm.image_check import registry_of
from . import objects
from .base import Result, Work

try:
    import yaml
except ImportError:  # pragma: no cover - Cluster reports the missing package
    yaml = None  # type: ignore[assignment]

KIND = "kustomization"
FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
SECONDS = 120
# Fields whose entries are files or folders, and the fields of entries that are.
TAKEN_IN = ("resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators")
ENTRY_PATHS = (("patches", "path"), ("replacements", "path"), ("patchesJson6902", "path"))
# Where programs would be run, or charts fetched; kustomize runs them only on request, which it does not get.
PLUGINS = ("helmCharts", "helmChartInflationGenerator")
# Nothing is reached through a proxy that is not there.
NOWHERE = "http://127.0.0.1:9"


def render(work: Work, parts: t.Sequence[Object]) -> dict[str, list[Object]]:
    """Return the objects that each part shall have, by its name, as they are applied."""
    return objects.render(work, _as_objects(work, parts))


def settled(work: Work, parts: t.Sequence[Object]) -> list[Object] | None:
    """Return the rows of a component's parts where all are as wanted and ready, None where one needs something."""
    rows = objects.settled(work, _as_objects(work, parts))
    return None if rows is None else _rows(rows)


def present(work: Work, parts: t.Sequence[Object]) -> Result:
    """Apply what differs, remove what is no longer wanted, and wait."""
    outcome = objects.present(work, _as_objects(work, parts))
    return Result(outcome.changed, _rows(outcome.rows), outcome.diff)


def absent(work: Work, parts: t.Sequence[Object]) -> Result:
    """Remove those of the parts' objects that are ours, and wait until they are gone."""
    outcome = objects.absent(work, _as_objects(work, parts))
    return Result(outcome.changed, _rows(outcome.rows), outcome.diff)


def recorded(part: Object, items: t.Sequence[Object]) -> Object:
    """Return what a record keeps of a part besides its row: what was rendered, as the folder may change."""
    return objects.recorded(part, items)


def laid_out(work: Work, part: Object) -> objects.Objects:
    """Return a part's objects with what can be asked of them; raise OrchestratorError where there are none."""
    return objects.Objects(work, _as_objects(work, [part])[0])


def restored(work: Work, parts: t.Sequence[Object]) -> Result:
    """Apply recorded manifests, and remove what they do not have; the folder is not looked at."""
    outcome = objects.restored(work, parts)
    return Result(outcome.changed, _rows(outcome.rows), outcome.diff)


def _rows(rows: list[Object]) -> list[Object]:
    return [{**row, "kind": KIND} for row in rows]


def _as_objects(work: Work, parts: t.Sequence[Object]) -> list[Object]:
    registry = registry_of(work.params)
    made = []
    for part in parts:
        place = (part["component"], part["name"])
        if place not in work.built:
            items = build(part, work.params["kustomize_binary"])
            work.built[place] = [rewrite_object(item, registry) for item in items] if registry else items
        made.append({**part, "kind": objects.KIND, "objects": work.built[place]})
    return made


def build(part: Object, binary: str | None) -> list[Object]:
    """Return what a part's folder renders to; raise OrchestratorError with what kustomize says."""
    folder = os.path.abspath(os.path.expanduser(part["path"]))
    command = find_kustomize(binary)
    with tempfile.TemporaryDirectory(prefix="kustomize-") as over:
        root = _laid_over(folder, over, part["overlay"]) if part.get("overlay") else folder
        if not part.get("remote"):
            refuse_remote(root, part["name"])
        return _objects(_run(command, root, part), folder)


def _laid_over(folder: str, over: str, overlay: Object) -> str:
    """Write a kustomization that takes in the folder; return where it is."""
    own = os.path.relpath(os.path.realpath(folder), os.path.realpath(over))
    content = {**overlay, "resources": [own, *(overlay.get("resources") or [])]}
    with open(os.path.join(over, FILES[0]), "w", encoding="utf-8") as stream:
        yaml.safe_dump(content, stream)
    return over


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


def _run(command: list[str], folder: str, part: Object) -> str:
    # Bases may lie outside the folder; neither functions that run programs nor Helm's charts are turned on.
    line = [*command, folder, "--load-restrictor", "LoadRestrictionsNone"]
    env = dict(os.environ)
    if not part.get("remote"):
        env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), NOWHERE)
        env |= {"NO_PROXY": "", "no_proxy": "", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as exc:
        raise OrchestratorError(f"{part['name']}: kustomize timed out after {SECONDS}s.") from exc
    except OSError as exc:
        raise OrchestratorError(f"Cannot run {command[0]}: {exc.strerror}") from exc
    if done.returncode:
        raise OrchestratorError(
            f"{part['name']}: kustomize cannot render {part['path']}: {done.stderr.strip().removeprefix('Error: ')}"
        )
    return done.stdout


def _objects(text: str, folder: str) -> list[Object]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [item for item in yaml.load_all(text, Loader=loader) if item]  # noqa: S506 - both are safe
    found: list[Object] = []
    for item in documents:
        found += dicts(item.get("items")) if str(item.get("kind")).endswith("List") and "items" in item else [item]
    if not found:
        raise OrchestratorError(f"The kustomization {folder} renders no objects.")
    return found


def refuse_remote(folder: str, name: str) -> None:
    """Raise OrchestratorError where a kustomization, or one that it takes in, names what is not on this machine."""
    wrong = list(_elsewhere(folder, set()))
    if wrong:
        raise OrchestratorError(
            f"{name}: its kustomization uses remote resources:",
            hint="Use a local copy, or set remote to true for that part.",
            details=wrong,
        )


def _elsewhere(folder: str, seen: set[str]) -> t.Iterator[str]:
    """Yield 'file: entry' of what a kustomization and those that it takes in have from elsewhere."""
    folder = os.path.realpath(folder)
    path = next((path for file in FILES if os.path.isfile(path := os.path.join(folder, file))), None)
    if path is None:
        yield f"{folder}: {FILES[0]} not found"
        return
    if folder in seen:
        return
    seen.add(folder)
    for entry in _entries(path):
        target = os.path.join(folder, entry)
        if os.path.isdir(target):
            yield from _elsewhere(target, seen)
        elif not os.path.isfile(target):
            yield f"{path}: {entry}"


def _entries(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            content = yaml.safe_load(stream) or {}
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise OrchestratorError(f"{path} cannot be read: {exc}") from exc
    plugins = [field for field in PLUGINS if content.get(field)]
    if plugins:
        raise OrchestratorError(
            f"{path}: {', '.join(plugins)} runs Helm from kustomize, which is not supported.",
            hint="Use a part of the kind release for it.",
        )
    entries = [entry for field in TAKEN_IN for entry in content.get(field) or []]
    entries += [entry.get(key) for field, key in ENTRY_PATHS for entry in dicts(content.get(field))]
    entries += [(content.get("openapi") or {}).get("path")]
    # What has lines is a manifest written out in place.
    return [entry for entry in entries if isinstance(entry, str) and "\n" not in entry]
