# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the fields of a kustomization's objects stand: in a resource, a patch, or a field of a kustomization itself."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import typing as t

from ..base.data import Object, dicts, dig, mapping
from ..base.findings import Mark
from ..values.layers import Layer
from ..values.nodes import ValueNode
from ..values.reader import documents, load_yaml, to_plain
from .tree import Folder

Path = tuple[t.Any, ...]
OPERATIONS = "operations"
_ABSENT = object()
KUSTOMIZATIONS = ("Kustomization", "Component")
# By which of their fields the entries of lists are told apart, as strategic merge patches do.
_KEYS = ("name", "containerPort", "mountPath", "key", "topologyKey")


@dataclasses.dataclass
class Document(Layer):
    """An object, a patch, or the fields of a kustomization, with the lines of its keys.

    target: which objects a patch is for, as kustomize's patches have it; offset: lines of the file before its first.
    """

    target: Object = dataclasses.field(default_factory=dict)
    offset: int = 0

    def concerns(self, body: Object) -> bool:
        """Return whether an object is, or is changed by, what stands here."""
        if self.values.get("kind") in KUSTOMIZATIONS:
            return True
        kind, name = str(body.get("kind")), str(mapping(body.get("metadata")).get("name"))
        if self.target:
            wanted = (self.target.get("kind"), kind), (self.target.get("name"), name)
            return all(not pattern or re.search(str(pattern), text) for pattern, text in wanted)
        own = str(mapping(self.values.get("metadata")).get("name") or "")
        # A prefix or suffix is added to names after patches have found their objects.
        return self.values.get("kind") == kind and own in name

    def found(self, body: Object, path: Path) -> tuple[int, int]:
        """Return how many steps of a field's path stand here, and the line of the last, 0 for none."""
        if self.values.get("kind") in KUSTOMIZATIONS:
            return self._transformed(body, path)
        if isinstance(self.values.get(OPERATIONS), list):
            return self._operation(body, path)
        depth, node, line, here = 0, self.nodes, 0, t.cast(t.Any, body)
        for step in path:
            inner = _inside(node, step, here)
            if inner is None:
                break
            node, depth = inner, depth + 1
            line = (node.key_mark or node.mark).line
            here = _step(here, step)
        return depth, line + self.offset if line else 0

    def _operation(self, body: Object, path: Path) -> tuple[int, int]:
        """Return the same of a JSON patch (RFC 6902): its operation whose path reaches furthest."""
        best = (0, 0)
        for node in self.nodes.value[OPERATIONS].value:
            fields = node.value if isinstance(node.value, dict) else {}
            steps = str(to_plain(fields["path"])).strip("/").split("/") if "path" in fields else []
            steps = [step.replace("~1", "/").replace("~0", "~") for step in steps]
            shared = 0
            for mine, other in zip(steps, path, strict=False):
                if mine not in (str(other), "-"):
                    break
                shared += 1
            # What an operation adds below its path counts as written there.
            whole = shared == len(steps)
            if whole and shared > best[0]:
                best = (len(path) if shared >= len(path) - 1 else shared, node.mark.line + self.offset)
        return best

    def _transformed(self, body: Object, path: Path) -> tuple[int, int]:
        """Return the same of a kustomization's images, replicas and labels."""
        value = dig(body, path)
        if path[-1:] == ("image",) and isinstance(value, str):
            for index, entry in enumerate(dicts(self.values.get("images"))):
                name, more = str(entry.get("newName") or entry.get("name")), entry.get("newTag") or entry.get("digest")
                if value.startswith(name) and (more is None or value.endswith(str(more))):
                    return len(path), self.mark(("images", index)).line
        if path[-1:] == ("replicas",):
            for index, entry in enumerate(dicts(self.values.get("replicas"))):
                if str(entry.get("name")) in str(mapping(body.get("metadata")).get("name")):
                    return len(path), self.mark(("replicas", index)).line
        if path == ("metadata", "name"):
            added = next((key for key in ("namePrefix", "nameSuffix") if self.values.get(key)), "")
            if added and str(self.values[added]) in str(value):
                return len(path), self.mark((added,)).line
        if path[-2:-1] == ("labels",):
            pairs: list[tuple[Path, t.Any]] = [(("commonLabels",), self.values.get("commonLabels"))]
            pairs += [
                (("labels", n, "pairs"), one.get("pairs")) for n, one in enumerate(dicts(self.values.get("labels")))
            ]
            for where, labels in pairs:
                if path[-1] in mapping(labels):
                    return len(path), self.mark((*where, path[-1])).line
        return 0, 0


def read(folders: t.Iterable[Folder]) -> list[Document]:
    """Return what objects and patches the folders have, in the order in which they count."""
    found: list[Document] = []
    for folder in folders:
        patches = _patches(folder)
        own = {os.path.realpath(path) for path, _target in patches}
        for entry in folder.entries:
            path = folder.path(entry)
            if os.path.realpath(path) not in own:
                found += _file(path, {})
        for path, target in patches:
            found += _file(path, target)
        found += _kustomization(folder)
    return found


def place_of(layers: t.Iterable[Layer], body: Object, path: Path) -> Mark | None:
    """Return where a field of a rendered object stands, or else the nearest one above it; None for no kustomization."""
    best: tuple[int, Mark] | None = None
    for document in layers:
        if isinstance(document, Document) and document.concerns(body):
            if not path and document.values.get("kind") in KUSTOMIZATIONS:
                continue  # an object itself stands in its own file
            depth, line = document.found(body, path)
            # Of two that have it, the later one has the last word; the object itself is better than nothing.
            if (best is None or depth >= best[0]) and (depth or not best):
                best = depth, Mark(document.where, line or (document.offset + 1 if document.root else 0))
    return best[1] if best else None


def replacements(layers: t.Iterable[Layer], image: str) -> str:
    """Return which kustomization replaces an image of nearly the same name, else which one should: the outermost."""
    own = [one for one in layers if isinstance(one, Document) and one.values.get("kind") in KUSTOMIZATIONS]
    known = {
        str(entry.get("name")): f"{one.where}:{one.mark(('images', index)).line}"
        for one in own
        for index, entry in enumerate(dicts(one.values.get("images")))
    }
    near = difflib.get_close_matches(image, known, 1, 0.8)
    if near:
        return f"{known[near[0]]} replaces {near[0]!r}, which no container has"
    return f"replace it by images, or by the component that does, in {own[-1].where}" if own else ""


def is_written(layers: t.Sequence[Layer]) -> bool:
    """Return whether objects are written out in files, not made of values."""
    return any(isinstance(layer, Document) for layer in layers)


def _patches(folder: Folder) -> list[tuple[str, Object]]:
    """Return the files with patches, each with its target."""
    rows = [
        (entry.get("path"), mapping(entry.get("target")))
        for field in ("patches", "patchesJson6902")
        for entry in dicts(folder.fields.get(field))
    ]
    rows += [(entry, {}) for entry in folder.fields.get("patchesStrategicMerge") or []]
    return [(folder.path(name), target) for name, target in rows if isinstance(name, str) and "\n" not in name]


def _kustomization(folder: Folder) -> list[Document]:
    """Return a kustomization's own fields, after the patches that are written out in it."""
    own = _file(folder.file, {})
    for document in own:
        document.values.setdefault("kind", "Kustomization")
    inline = []
    for field in ("patches", "patchesJson6902"):
        for index, entry in enumerate(dicts(folder.fields.get(field))):
            text = entry.get("patch")
            if isinstance(text, str) and own:
                line = own[0].mark((field, index, "patch")).line
                inline += _documents(text, folder.file, mapping(entry.get("target")), line)
    return inline + own


def _file(path: str, target: Object) -> list[Document]:
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return []  # kustomize says what is wrong with it
    return _documents(text, path, target, 0)


def _documents(text: str, path: str, target: Object, offset: int) -> list[Document]:
    found = []
    for one in documents(text):
        # A JSON patch is a list: read as a map with one key, which takes a line.
        listed = one.lstrip().startswith("- ") or re.match(r"(\s*#.*\n|\s*\n)*- ", one)
        root, _mistakes = load_yaml((f"{OPERATIONS}:\n{one}" if listed else one).encode(), path)
        values = mapping(to_plain(root)) if root is not None else {}
        if values:
            found.append(Document(values, path, root, target, offset - bool(listed)))
    return found


def _inside(node: ValueNode, step: t.Any, here: t.Any) -> ValueNode | None:
    """Return the node of a field's step. here: what is rendered there, by whose names lists are matched."""
    held = node.value
    if isinstance(held, dict):
        return held.get(step)
    if not isinstance(held, list) or not isinstance(step, int):
        return None
    wanted = _step(here, step)
    if isinstance(wanted, dict):
        for key in _KEYS:
            if key in wanted:
                return next((one for one in held if _field(one, key) == wanted[key]), None)
    same = [one for one in held if to_plain(one) == wanted]
    return same[0] if same else held[step] if wanted is _ABSENT and step < len(held) else None


def _field(node: ValueNode, key: str) -> t.Any:
    inner = node.value.get(key) if isinstance(node.value, dict) else None
    return to_plain(inner) if inner is not None else _ABSENT


def _step(here: t.Any, step: t.Any) -> t.Any:
    try:
        return here[step]
    except (KeyError, IndexError, TypeError):
        return _ABSENT
