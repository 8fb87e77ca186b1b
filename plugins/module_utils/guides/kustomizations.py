# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Kustomizations of model servers read without kustomize: what they take in, what is missing, what they serve.

kustomize's own rendering is what is deployed; this tells before that which folder is a variant, and its model's name.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..base.data import Object, dicts, leaves, mapping
from ..base.errors import OrchestratorError
from ..objects.servers import environment, servers
from .checkout import Checkout
from .report import At

# Fields whose entries are files or folders, those of folders or files first.
TAKEN_IN = ("resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators")
MAX_FOLDERS = 200
_REMOTE = re.compile(r"(https?|ssh|git|oci)(::|://)|git@|(github\.com|gitlab\.com)/|.*[?&]ref=")
_PLUGINS = ("helmCharts", "helmChartInflationGenerator")


@dataclasses.dataclass
class ReadKustomization:
    """A kustomization with all that it takes in. files: YAML of its patches and resources, the outermost first."""

    folder: str
    component: bool = False
    files: list[tuple[str, t.Any]] = dataclasses.field(default_factory=list)
    folders: list[str] = dataclasses.field(default_factory=list)
    remote: list[tuple[At, str]] = dataclasses.field(default_factory=list)
    problems: list[tuple[At, str]] = dataclasses.field(default_factory=list)
    images: dict[str, str] = dataclasses.field(default_factory=dict)


def read_kustomization(checkout: Checkout, folder: str) -> ReadKustomization:
    """Return a folder's kustomization; what cannot be read is a problem with its place."""
    if folder not in checkout.kept:
        checkout.kept[folder] = found = ReadKustomization(folder)
        _read(checkout, folder, found, top=True)
    return t.cast(ReadKustomization, checkout.kept[folder])


def _read(checkout: Checkout, folder: str, found: ReadKustomization, top: bool = False) -> None:
    if folder in found.folders or len(found.folders) >= MAX_FOLDERS:
        return
    found.folders.append(folder)
    file = checkout.kustomization(folder)
    if file is None:
        found.problems.append((At(folder), "the folder has no kustomization.yaml"))
        return
    try:
        documents = checkout.documents(file)
    except OrchestratorError as exc:
        found.problems.append(_problem(file, exc))
        return
    content = documents[0] if documents else None
    if not isinstance(content, dict):
        found.problems.append((At(file), "it is not a map, so that kustomize refuses it"))
        return
    if top:
        found.component = content.get("kind") == "Component"
    for plugin in _PLUGINS:
        if content.get(plugin):
            at = At(file, checkout.line_of(file, plugin))
            found.problems.append((at, f"{plugin} runs Helm inside kustomize, which is not turned on"))
    for image in dicts(content.get("images")):
        found.images.setdefault(str(image.get("name")), str(image.get("newName") or image.get("name")))
    _patches(checkout, folder, file, content, found)
    for field in ("components", *[one for one in TAKEN_IN if one != "components"]):
        entries = content.get(field)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, str):
                _entry(checkout, folder, file, field, entry, found)


def _entry(checkout: Checkout, folder: str, file: str, field: str, entry: str, found: ReadKustomization) -> None:
    at = At(file, checkout.line_of(file, entry))
    if _REMOTE.match(entry):
        found.remote.append((at, entry))
        return
    if "\n" in entry:
        return
    name = checkout.within(os.path.join(checkout.path(folder), entry))
    if name is None:
        found.problems.append((at, f"{field}: {entry} lies outside of the checkout"))
    elif checkout.is_folder(name):
        _read(checkout, name, found)
    elif checkout.is_file(name):
        if field in ("resources", "bases"):
            _documents(checkout, name, found)
    else:
        found.problems.append((at, f"{field}: {entry} does not exist"))


def _patches(checkout: Checkout, folder: str, file: str, content: Object, found: ReadKustomization) -> None:
    for field in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        entries = content.get(field)
        for entry in entries if isinstance(entries, list) else []:
            path = entry.get("path") if isinstance(entry, dict) else entry if field == "patchesStrategicMerge" else None
            text = entry.get("patch") if isinstance(entry, dict) else None
            if isinstance(text, str):
                _inline(checkout, file, text, found)
            elif isinstance(path, str) and "\n" in path:
                _inline(checkout, file, path, found)
            elif isinstance(path, str):
                name = checkout.within(os.path.join(checkout.path(folder), path))
                if name is None or not checkout.is_file(name):
                    at = At(file, checkout.line_of(file, path))
                    found.problems.append((at, f"{field}: {path} does not exist"))
                else:
                    _documents(checkout, name, found)


def _documents(checkout: Checkout, name: str, found: ReadKustomization) -> None:
    try:
        found.files += [(name, item) for item in checkout.documents(name) if isinstance(item, (dict, list))]
    except OrchestratorError as exc:
        found.problems.append(_problem(name, exc))


def _problem(name: str, exc: OrchestratorError) -> tuple[At, str]:
    """Return what is wrong with a file, with the line that its message begins with."""
    match = re.match(rf"{re.escape(name)}(?::(\d+))?:? (.*)", exc.message, re.DOTALL)
    return (At(name, int(match[1] or 0)), match[2]) if match else (At(name), exc.message)


def _inline(checkout: Checkout, file: str, text: str, found: ReadKustomization) -> None:
    scratch = Checkout(checkout.root, checkout.guide, {file: text})
    try:
        found.files += [(file, item) for item in scratch.documents(file) if isinstance(item, (dict, list))]
    except OrchestratorError as exc:
        found.problems.append((At(file), f"a patch in it is not valid YAML: {exc.message}"))


class GuideServedModel(t.NamedTuple):
    """A model that a kustomization serves: its name, and the file that says so."""

    name: str
    file: str


def model_of(found: ReadKustomization) -> GuideServedModel | None:
    """Return the model that a kustomization's servers serve, as clients name it; None where no file says it.

    Of a container that several files are about, the outermost that gives its command or arguments counts, as it does
    when they are laid over each other.
    """
    containers = _containers(found)
    for read in (_served, _from_words):
        for file, container in containers:
            name = read(container)
            if name:
                return GuideServedModel(name, file)
    for file, item in found.files:
        for _path, value in leaves(item):
            match = _FLAGS.search(value) if isinstance(value, str) else None
            if match and "/" in match[1]:
                return GuideServedModel(match[1], file)
    return None


def serves(found: ReadKustomization) -> bool:
    """Return whether a container's command line is that of a model server which is known."""
    return any(_served(container) for _file, container in _containers(found))


def _containers(found: ReadKustomization) -> list[tuple[str, Object]]:
    """Return each container with what all files say of it, and the first of them."""
    merged: dict[str, tuple[str, Object]] = {}
    for file, item in found.files:
        for key, one in _mentions(item):
            name = f"{key}/{one.get('name')}"
            first, known = merged.setdefault(name, (file, {"name": one.get("name"), "env": []}))
            for field in ("command", "args", "image"):
                if one.get(field) and field not in known:
                    known[field] = one[field]
                    first = file if field == "args" else first
            known["env"] += [entry for entry in dicts(one.get("env")) if entry.get("name") not in _names(known)]
            merged[name] = (first, known)
    # A container of a role that lacks a command has that of the same container elsewhere: in the base of all roles.
    commands = {str(one["name"]): one["command"] for _file, one in merged.values() if "command" in one}
    for _file, one in merged.values():
        if "command" not in one and str(one["name"]) in commands:
            one["command"] = commands[str(one["name"])]
    return list(merged.values())


def _names(container: Object) -> set[t.Any]:
    return {entry.get("name") for entry in container["env"]}


def _mentions(item: t.Any) -> t.Iterator[tuple[str, Object]]:
    """Yield the containers in an object or a JSON patch, each with the name of what it is in."""
    if isinstance(item, dict):
        name = str(mapping(item.get("metadata")).get("name"))
        for spec in pod_specs(item):
            for one in dicts(spec.get("containers")):
                yield name, one
        return
    words: Object = {"name": "of a JSON patch"}
    for change in dicts(item):
        field = str(change.get("path")).rpartition("/")[2]
        if field in ("command", "args") and isinstance(change.get("value"), list):
            words[field] = change["value"]
    if len(words) > 1:
        yield "", words
    for spec in pod_specs(item):
        for one in dicts(spec.get("containers")):
            yield "", one


def pod_specs(item: t.Any, depth: int = 0) -> t.Iterator[Object]:
    """Yield what looks like a pod's spec anywhere in an object: what has a list of containers with names."""
    if depth > 12:
        return
    if isinstance(item, dict):
        containers = item.get("containers")
        if isinstance(containers, list) and any(isinstance(one, dict) and "name" in one for one in containers):
            yield item
        for value in item.values():
            yield from pod_specs(value, depth + 1)
    elif isinstance(item, list):
        # Values of a JSON patch, and lists of roles.
        for value in item:
            yield from pod_specs(value, depth + 1)


# How else a server's model is said: its own way to start it, or a variable.
_FLAGS = re.compile(r"--(?:served-model-name|model-path|model_path|model-name|model)[= ]+[\"']?([\w./:-]+)")
_STARTED = re.compile(
    r"\b(?:vllm serve|trtllm-serve(?: serve)?|atom serve)\s(?:(?!&&|;|\|\|).)*?[\s\"']?"
    r"(?<![\w./-])([A-Za-z][\w.-]*/[A-Za-z][\w.:-]*)(?=[\s\"']|$)"
)
_NAMES = ("SERVED_MODEL_NAME", "MODEL_NAME", "MODEL", "MODEL_ID", "HF_MODEL_ID")
_REPOSITORY = re.compile(r"[A-Za-z][\w-]*/[A-Za-z][\w.-]*")


def _served(container: Object) -> str:
    """Return the name that a container serves by its command line."""
    models, _sidecars = servers({"containers": [{"image": "", **container}]})
    return next((name for server in models for name in server.names if name and "$" not in name), "")


def _from_words(container: Object) -> str:
    """Return the model of a container whose command line is another program's, or a script's."""
    env = environment(container, "")
    words = [
        str(word)
        for key in ("command", "args")
        for word in (container[key] if isinstance(container.get(key), list) else [])
    ]
    text = re.sub(r"\s+", " ", " ".join(words).replace("\\\n", " "))
    text = re.sub(r"\$[({]?(\w+)[)}]?", lambda match: env.get(match[1], match[0]), text)
    found = [match[1] for pattern in (_FLAGS, _STARTED) if (match := pattern.search(text))]
    found += [env[name] for name in _NAMES if _REPOSITORY.fullmatch(env.get(name, ""))]
    found += [word for word in words if _REPOSITORY.fullmatch(word)][:1]
    return next((name for name in found if "$" not in name and not name.startswith(("/", "."))), "")


def guide_labels(found: ReadKustomization, checkout: Checkout) -> dict[str, str]:
    """Return the labels that a kustomization and those that it takes in put on their objects, the outermost first."""
    labels: dict[str, str] = {}
    for folder in found.folders:
        file = checkout.kustomization(folder)
        try:
            content = checkout.documents(file)[0] if file else {}
        except (OrchestratorError, IndexError):
            continue
        for item in dicts(mapping(content).get("labels")):
            for key, value in mapping(item.get("pairs")).items():
                labels.setdefault(str(key), str(value))
        for key, value in mapping(mapping(content).get("commonLabels")).items():
            labels.setdefault(str(key), str(value))
    return labels
