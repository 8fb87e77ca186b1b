# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the mistake stands that kustomize reports: it names folders and ids, seldom a file and never a line of its own.

Source: the messages of kustomize v5 (api/types, api/krusty, api/internal/target, api/internal/builtins).
"""

from __future__ import annotations

import re
import typing as t

from ..base.data import dicts, mapping
from ..base.findings import Mark
from ..base.names import did_you_mean
from ..values.nodes import ValueNode
from ..values.reader import load_yaml
from .places import OPERATIONS, Document, read
from .tree import Folder

# api/types, Kustomization and what its lists hold.
FIELDS = (
    *("apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels"),
    *("commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "images", "replacements", "replicas"),
    *("vars", "sortOptions", "resources", "components", "crds", "bases", "configMapGenerator", "secretGenerator"),
    *("generatorOptions", "configurations", "generators", "transformers", "validators", "buildMetadata"),
    *("name", "newName", "newTag", "tagSuffix", "digest", "count", "pairs", "includeSelectors", "includeTemplates"),
    *("fields", "path", "patch", "target", "options", "files", "literals", "envs", "env", "behavior", "type"),
)
OPERATORS = ("add", "remove", "replace", "move", "copy", "test")
_FOLDER = re.compile(r"path '([^']+)'")
_FIELD = re.compile(r'unknown field \\*"([^"\\]+)\\*"')
_KIND = re.compile(r"kind should be Kustomization or Component")
_NO_TARGET = re.compile(r"no matches for Id (\w+)\.[^/]*/([^\s.]+)\.")
_PATCH = re.compile(r'unable to parse SM or JSON patch from \[path: \\*"([^"\\]+)')
_OPERATION = re.compile(r'Unexpected kind: (\S+?)["\s]|doc is missing path: \\*"([^"\\]+)|path: \\*"(/[^"\\]+)')
_YAML = re.compile(r"in File: ([^\s:]+)|failed to parse '([^']+)'|'([^' ]+\.ya?ml)'")
_LINE = re.compile(r"yaml: line (\d+)")


class Culprit(t.NamedTuple):
    """What has to be changed. fix: what to write instead, "" where only the message says it."""

    mark: Mark
    fix: str = ""


def core(said: str) -> str:
    """Return the last of the causes that a message of kustomize strings together."""
    text = said.removeprefix("error: ").partition("; failed to find unique target")[0]
    parts = _FOLDER.split(text)
    return parts[-1].lstrip(": ").replace("\\", "").removesuffix('"') if len(parts) > 1 else text


def culprit(said: str, folders: t.Sequence[Folder]) -> Culprit | None:
    """Return where the mistake stands. said: kustomize's message; folders: the tree, the folder itself last.

    None where nothing of the message is in the tree, as with what an inventory lays over it.
    """
    folder = _folder(said, folders)
    looks = (_unknown_field, _wrong_kind, _without_target, _unread_patch, _bad_operation, _bad_file)
    found = next((one for look in looks if (one := look(said, folder, folders))), None)
    return found or (Culprit(Mark(folder.file, 1)) if _FOLDER.search(said) else None)


def _folder(said: str, folders: t.Sequence[Folder]) -> Folder:
    """Return the innermost folder of the tree that a message names, else the whole's own."""
    for path in reversed(_FOLDER.findall(said)):
        for one in folders:
            if one.file.rpartition("/")[0].endswith(path.rstrip("/")):
                return one
    return folders[-1]


def _unknown_field(said: str, folder: Folder, _all: t.Sequence[Folder]) -> Culprit | None:
    found = _FIELD.search(said)
    if not found:
        return None
    return Culprit(_key(folder, found[1]), f"use a field of kustomizations.{did_you_mean(found[1], FIELDS)}")


def _wrong_kind(said: str, folder: Folder, _all: t.Sequence[Folder]) -> Culprit | None:
    return Culprit(_key(folder, "kind"), "write kind: Kustomization, or Component") if _KIND.search(said) else None


def _without_target(said: str, _folder: Folder, folders: t.Sequence[Folder]) -> Culprit | None:
    """A patch for an object that nothing makes."""
    found = _NO_TARGET.search(said)
    if not found:
        return None
    kind, name = found.groups()
    patches = {path for one in folders for entry in dicts(one.fields.get("patches")) for path in [entry.get("path")]}
    patches |= {path for one in folders for path in one.fields.get("patchesStrategicMerge") or []}
    made: list[Document] = []
    mine: list[Document] = []
    for document in read(folders):
        is_patch = any(isinstance(path, str) and document.where.endswith(path.lstrip("./")) for path in patches)
        (mine if is_patch else made).append(document)
    for document in mine:
        own = mapping(document.values.get("metadata")).get("name")
        if (document.values.get("kind"), own) == (kind, name):
            kinds = [str(one.values.get("kind")) for one in made]
            names = [
                str(mapping(one.values.get("metadata")).get("name")) for one in made if one.values.get("kind") == kind
            ]
            if kind not in kinds:
                return Culprit(_at(document, ("kind",)), f"use the kind of an object.{did_you_mean(kind, kinds)}")
            if name in names:
                return Culprit(_at(document, ("apiVersion",)), "use the apiVersion of the object")
            near = did_you_mean(name, names) or f" There is {', '.join(names)}."
            return Culprit(_at(document, ("metadata", "name")), f"use the name of an object.{near}")
    return None


def _unread_patch(said: str, folder: Folder, _all: t.Sequence[Folder]) -> Culprit | None:
    found = _PATCH.search(said)
    return Culprit(_mistake(folder.path(found[1]))) if found else None


def _bad_operation(said: str, folder: Folder, _all: t.Sequence[Folder]) -> Culprit | None:
    """An operation of a JSON patch (RFC 6902) that is unknown, or whose place does not exist."""
    found = _OPERATION.search(said)
    if not found:
        return None
    word = next(filter(None, found.groups()))
    for document in read([folder]):
        listed = document.nodes.value.get(OPERATIONS) if isinstance(document.nodes.value, dict) else None
        for node in listed.value if listed is not None and isinstance(listed.value, list) else []:
            if word in [str(inner.value) for inner in node.value.values()]:
                fix = (
                    ""
                    if word.startswith("/")
                    else f"use one of: {', '.join(OPERATORS)}.{did_you_mean(word, OPERATORS)}"
                )
                return Culprit(Mark(document.where, node.mark.line + document.offset), fix)
    return None


def _bad_file(said: str, folder: Folder, folders: t.Sequence[Folder]) -> Culprit | None:
    """A resource that is no YAML."""
    names = [name for found in _YAML.findall(said) for name in found if name]
    known = {path: path for one in folders for path in map(one.path, one.entries)}
    for name in reversed(names):
        path = next((path for path in known if path.endswith(name.lstrip("./"))), None)
        if path:
            mark, line = _mistake(path), _LINE.search(said)
            return Culprit(mark if mark.line > 1 or not line else Mark(path, int(line[1])))
    return None


def _mistake(path: str) -> Mark:
    """Return where a YAML file cannot be read."""
    try:
        with open(path, "rb") as stream:
            _root, findings = load_yaml(stream.read(), path)
    except OSError:
        return Mark(path, 1)
    return next((one.mark for one in findings if one.mark.line), Mark(path, 1))


def _key(folder: Folder, key: str) -> Mark:
    """Return the place of a key, however deep it stands."""
    for document in read([folder]):
        if document.where == folder.file and not document.offset and document.root is not None:
            line = _line(document.root, key)
            if line:
                return Mark(folder.file, line)
    return Mark(folder.file, 1)


def _line(node: ValueNode, key: str) -> int:
    held = node.value
    rows = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    for name, inner in rows:
        if name == key:
            return (inner.key_mark or inner.mark).line
        if line := _line(inner, key):
            return line
    return 0


def _at(document: Document, path: tuple[str, ...]) -> Mark:
    mark = document.mark(path)
    return Mark(mark.file, mark.line + document.offset)
