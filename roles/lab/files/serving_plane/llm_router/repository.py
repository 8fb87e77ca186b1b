# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Triton's model repository: what lies at the path that it is given, and whether it starts with that.

A claim holds what was uploaded into it, and what its annotation `lab.llm-d.ai/holds` says: folders (`routers`, or `.`
for its top), each of which has the models of both classifiers in it, or single models (`routers/task_router`). Without
both, a claim is empty, as a new one is. What buckets, NFS and paths of a node hold, the lab does not know: all models.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..cluster.snapshot import Object, Snapshot
from ..kubelet.claims import Claims
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


def loaded(pod: Object, container: Object, snapshot: Snapshot, claims: Claims) -> frozenset[str]:
    """The models that Triton loads at its start. Raises CannotStart."""
    paths = repositories(container)
    if not paths:
        raise CannotStart("error: creating server: Invalid argument - --model-repository must be specified")
    found: dict[str, bool] = {}
    for path in paths:
        found |= _folders(pod, container, path, snapshot, claims)
    wrong = [
        f"Poll failed for model directory '{name}': Invalid model name: Could not determine backend for model '{name}' "
        "with no backend in model configuration. Expected model name of the form 'model.<backend_name>'."
        for name in sorted(name for name, is_model in found.items() if not is_model)
    ]
    wrong += [
        f"failed to load '{ensemble}': Invalid argument: ensemble {ensemble} contains models that are not available "
        f"or ambiguous: {', '.join(step for step in steps if step not in found)}"
        for ensemble, steps in STEPS.items()
        if ensemble in found and not set(found).issuperset(steps)
    ]
    if wrong:
        raise CannotStart("\n".join([*wrong, "error: creating server: Internal - failed to load all models"]))
    return frozenset(found)


def _folders(pod: Object, container: Object, path: str, snapshot: Snapshot, claims: Claims) -> dict[str, bool]:
    """The folders at a path of a container, and whether each is a model. Raises CannotStart where the path is not."""
    everything = dict.fromkeys(MODELS, True)
    if "://" in path:
        return everything
    place = PurePosixPath(path)
    mounts = [item for item in container.get("volumeMounts") or [] if place.is_relative_to(item["mountPath"])]
    if not mounts:
        raise _no_such(path)
    mount = max(mounts, key=lambda item: len(item["mountPath"]))
    volume = next(item for item in pod["spec"].get("volumes") or [] if item["name"] == mount["name"])
    if any(kind in volume for kind in EVERYTHING):
        return everything
    inside = PurePosixPath(mount.get("subPath") or ".") / place.relative_to(mount["mountPath"])
    held = dict(_held(pod, volume, snapshot, claims))
    below = [item for item in held if item != inside and item.is_relative_to(inside)]
    if not below and str(inside) != "." and inside not in held:
        raise _no_such(path)
    names = {item.relative_to(inside).parts[0] for item in below}
    return {name: held.get(inside / name, False) for name in names}


def _held(pod: Object, volume: Object, snapshot: Snapshot, claims: Claims) -> Iterator[tuple[PurePosixPath, bool]]:
    """The folders of a volume, by their paths in it, and whether each is a model."""
    source = volume.get("persistentVolumeClaim")
    claim = snapshot.get("PersistentVolumeClaim", pod["metadata"]["namespace"], source["claimName"]) if source else None
    if claim is None:
        return
    yield from _uploaded(claims.path(claim))
    told = (claim["metadata"].get("annotations") or {}).get(HOLDS, "")
    for text in filter(None, (item.strip().strip("/") for item in told.split(","))):
        folder = PurePosixPath(text)
        yield folder, folder.name in MODELS
        if folder.name not in MODELS:
            yield from ((folder / name, True) for name in MODELS)


def _uploaded(top: Path) -> Iterator[tuple[PurePosixPath, bool]]:
    """The folders that lie in a folder; one with a config.pbtxt is a model."""
    for path in sorted(top.rglob("*")):
        if path.is_dir():
            yield PurePosixPath(path.relative_to(top)), (path / "config.pbtxt").is_file()


def _no_such(path: str) -> CannotStart:
    return CannotStart(f"error: creating server: Internal - failed to stat file {path}")
