# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Triton's model repository: what lies at the path that it is given, and whether it starts with that.

A claim holds what its annotation `lab.llm-d.ai/holds` says: folders (`routers`, or `.` for its top), each of which has
the models of both classifiers in it, or single models (`routers/task_router`). Without it, a claim is empty, as a new
one is. Buckets, NFS and paths of a node are not the lab's to know: they hold all models.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from ..cluster.snapshot import Object, Snapshot
from ..servers.commandline import flag_values, words
from .classes import CLASSIFIERS

HOLDS = "lab.llm-d.ai/holds"
STEPS = {f"{name}_ensemble": (f"preprocessing_{name}", name, f"postprocessing_{name}") for name in CLASSIFIERS}
MODELS = frozenset(name for ensemble, steps in STEPS.items() for name in (ensemble, *steps))
EVERYTHING = ("nfs", "hostPath", "csi")


class CannotStart(Exception):
    """Triton ends at its start; the text is the end of its log."""


def repositories(container: Object) -> list[str]:
    """The repositories that Triton's command line names."""
    return flag_values(words(container), "model-repository", "model-store")


def loaded(pod: Object, container: Object, snapshot: Snapshot) -> frozenset[str]:
    """The models that Triton loads at its start. Raises CannotStart."""
    paths = repositories(container)
    if not paths:
        raise CannotStart("error: creating server: Invalid argument - --model-repository must be specified")
    found: set[str] = set()
    for path in paths:
        found |= _folders(pod, container, path, snapshot)
    strangers = sorted(found - MODELS)
    wrong = [
        f"Poll failed for model directory '{name}': Invalid model name: Could not determine backend for model '{name}' "
        "with no backend in model configuration. Expected model name of the form 'model.<backend_name>'."
        for name in strangers
    ]
    wrong += [
        f"failed to load '{ensemble}': Invalid argument: ensemble {ensemble} contains models that are not available "
        f"or ambiguous: {', '.join(step for step in steps if step not in found)}"
        for ensemble, steps in STEPS.items()
        if ensemble in found and not found.issuperset(steps)
    ]
    if wrong:
        raise CannotStart("\n".join([*wrong, "error: creating server: Internal - failed to load all models"]))
    return frozenset(found)


def _folders(pod: Object, container: Object, path: str, snapshot: Snapshot) -> set[str]:
    """The names of the folders at a path of a container. Raises CannotStart where the path is not there."""
    if "://" in path:
        return set(MODELS)
    place = PurePosixPath(path)
    mounts = [item for item in container.get("volumeMounts") or [] if place.is_relative_to(item["mountPath"])]
    if not mounts:
        raise _no_such(path)
    mount = max(mounts, key=lambda item: len(item["mountPath"]))
    volume = next(item for item in pod["spec"].get("volumes") or [] if item["name"] == mount["name"])
    if any(kind in volume for kind in EVERYTHING):
        return set(MODELS)
    inside = PurePosixPath(mount.get("subPath") or ".") / place.relative_to(mount["mountPath"])
    held = _held(pod, volume, snapshot)
    here = {item.relative_to(inside).parts[0] for item in held if item != inside and item.is_relative_to(inside)}
    if not here and str(inside) != "." and inside not in held:
        raise _no_such(path)
    return here


def _held(pod: Object, volume: Object, snapshot: Snapshot) -> set[PurePosixPath]:
    """The folders of a volume, by their paths in it."""
    claim = volume.get("persistentVolumeClaim")
    found = snapshot.get("PersistentVolumeClaim", pod["metadata"]["namespace"], claim["claimName"]) if claim else None
    told = ((found or {"metadata": {}})["metadata"].get("annotations") or {}).get(HOLDS, "")
    held: set[PurePosixPath] = set()
    for text in filter(None, (item.strip() for item in told.split(","))):
        folder = PurePosixPath(text.strip("/"))
        held |= {folder} if folder.name in MODELS else {folder, *(folder / name for name in MODELS)}
    return held


def _no_such(path: str) -> CannotStart:
    return CannotStart(f"error: creating server: Internal - failed to stat file {path}")
