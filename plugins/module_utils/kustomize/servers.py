# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A model whose servers a kustomization makes: what its pods look like is read from what the folder renders to."""

from __future__ import annotations

import dataclasses
import difflib
import os
import typing as t

from ..base.data import Object, Values, dig, mapping
from ..base.errors import OrchestratorError
from ..base.findings import Findings, Place
from ..objects.pools import ROLE_LABEL
from ..objects.servers import Server, servers
from ..values.layers import Layer, Loader, check_entry
from . import overlay as overlays
from .places import Document, place_of, read
from .program import Unrenderable, build
from .tree import FILES, kustomization_file, walk

# Keys of a model's entry that say something about its kustomization, and those of its chart, which it has not.
KEYS: dict[str, type] = {"kustomization": str, "overlay": dict, "remote": bool}
OF_CHARTS = ("values_files", "values")


@dataclasses.dataclass
class Kustomized:
    """A model's kustomization. path: of the folder; overlay: fields of one laid over it; objects: what both render to;
    documents: the files that make them, with lines."""

    path: str
    overlay: Object = dataclasses.field(default_factory=dict)
    remote: bool = False
    objects: list[Object] = dataclasses.field(default_factory=list)
    documents: list[Layer] = dataclasses.field(default_factory=list)

    @property
    def spec(self) -> Object:
        """What its part says."""
        fields: Object = {"path": self.path}
        return fields | ({"overlay": self.overlay} if self.overlay else {}) | ({"remote": True} if self.remote else {})

    @property
    def workloads(self) -> list[Object]:
        """The workloads that serve the model."""
        return overlays.serving(self.objects)

    @property
    def servers(self) -> list[tuple[Object, tuple[t.Any, ...], Server]]:
        """The containers that serve, with their workloads and the paths of their pods' templates."""
        found = []
        for body in self.workloads:
            for path in overlays.templates(body):
                models, _sidecars = servers(mapping(dig(body, (*path, "spec"))), _namespace(body), _size(body))
                found += [(body, path, server) for server in models]
        return found

    @property
    def names(self) -> list[str]:
        """The names by which the model is served."""
        return list(dict.fromkeys(name for _body, _path, server in self.servers for name in server.names))

    @property
    def labels(self) -> dict[str, t.Any]:
        """The labels that all of its pods have, without the role."""
        sets = [self._labels(body) for body in self.workloads]
        shared = [set(labels.items()) for labels in sets]
        return {
            key: value
            for key, value in (sets[0] if sets else {}).items()
            if (key, value) in set.intersection(*shared) and key != ROLE_LABEL
        }

    @property
    def port(self) -> int | None:
        """The port that requests come to: a sidecar's where a pod has one, else the server's; None for an unknown."""
        found: list[Server] = []
        for body in self.workloads:
            for path in overlays.templates(body):
                models, sidecars = servers(mapping(dig(body, (*path, "spec"))), _namespace(body), _size(body))
                found += [*sidecars, *models]
        return next((server.ports[0] for server in found if server.ports), None)

    def place(self, body: Object, path: tuple[t.Any, ...]) -> Place | None:
        """Return where a field of an object stands."""
        mark = place_of(self.documents, body, path)
        return Place(f"{mark.file}:{mark.line}" if mark.line else mark.file, mark) if mark else None

    def label_place(self, selector: t.Mapping[str, t.Any]) -> Place | None:
        """Return where the pods' label stands that a selector misses, or else the label most like it."""
        body = next(iter(self.workloads), None)
        if body is None:
            return None
        labels = self._labels(body)
        missed = next((key for key, value in selector.items() if labels.get(key) != value), "")
        # Where the pods lack it, a kustomization may still have it, and not put it on pods.
        path, like = (
            (*overlays.templates(body)[0], "metadata", "labels"),
            difflib.get_close_matches(missed, labels, 1, 0),
        )
        found = [self.place(body, (*path, key)) for key in (missed, *like)]
        written = found[0] is not None and os.path.basename(found[0].mark.file) in FILES
        return found[0] if missed in labels or written or not like else found[1]

    def nameless(self) -> Place | None:
        """Return where the command line of a server stands that names no model."""
        body, path, server = next(iter(self.servers), (None, (), None))
        if body is None or server is None:
            return None
        key = next((key for key in ("command", "args") if server.container.get(key)), "image")
        return self.place(body, (*path, "spec", "containers", server.index, key))

    @staticmethod
    def _labels(body: Object) -> Object:
        # Only the leader of a group gets requests, as it is for a chart's.
        path = overlays.templates(body)[0]
        return mapping(dig(body, (*path, "metadata", "labels")))


def kustomized(entry: Values, where: str, loader: Loader, binary: str | None, findings: Findings) -> Kustomized | None:
    """Return what a model's entry names, rendered; None where it cannot be, with what is wrong noted."""
    for key in OF_CHARTS:
        if entry.get(key):
            fix = "remove it, or use overlay for what changes"
            findings.add(f"{where}.{key}", "is set beside kustomization, which has no chart", fix, rule="input-choice")
    folder = find_folder(entry["kustomization"], f"{where}.kustomization", loader.search_paths, findings)
    wanted = check_entry(entry.get("overlay") or {}, overlays.KEYS, f"{where}.overlay", findings) or {}
    if folder is None:
        return None
    more: t.Any = {"remote": bool(entry.get("remote")), "binary": binary}
    try:
        base = build(folder, entry["name"], **more)
        before = list(findings)
        fields = overlays.overlay(base, wanted, f"{where}.overlay", findings)
        usable = fields and list(findings) == before
        objects = build(folder, entry["name"], fields, **more) if usable else base
        made = Kustomized(folder, fields, more["remote"], objects)
        made.documents = [*read(walk(folder))]
    except Unrenderable as exc:
        if exc.mark:
            place = Place(f"{exc.mark.file}:{exc.mark.line}", exc.mark)
            findings.add(place, f"kustomize cannot render it: {exc.said}", exc.hint or "", rule="input-kustomization")
        else:
            findings.add(f"{where}.kustomization", exc.message, rule="input-kustomization")
        return None
    except OrchestratorError as exc:
        # The path, or what is laid over it, is to be mended.
        findings.add(f"{where}.kustomization", str(exc), rule="input-kustomization")
        return None
    if fields:
        made.documents += [
            Document(_as_patch({key: wanted[key]}, body), f"{where}.overlay.{key}")
            for key in wanted
            for body in made.workloads
        ]
    return made


def find_folder(name: str, where: str, search_paths: t.Sequence[str], findings: Findings) -> str | None:
    """Return a kustomization's folder; None with the mistake noted. A path to its file stands for the folder."""
    name = os.path.expanduser(name)
    tried = [name] if os.path.isabs(name) else [os.path.join(folder, name) for folder in search_paths]
    folders = [os.path.dirname(path) if os.path.isfile(path) else path for path in tried]
    folder = next((path for path in folders if os.path.isdir(path)), None)
    if folder is None:
        shown = ", ".join(dict.fromkeys(os.path.dirname(path) for path in tried)) or "nowhere"
        text, fix = f"kustomization not found: {name!r}", f"use a folder in one of: {shown}"
    elif kustomization_file(folder) is None:
        below = sorted(
            os.path.relpath(root, folder) for root, _dirs, _files in os.walk(folder) if kustomization_file(root)
        )
        text = f"{folder} has no kustomization.yaml"
        fix = (
            f"use one of the folders in it: {', '.join(below[:6])}"
            if below
            else "use a folder with a kustomization.yaml"
        )
    else:
        return os.path.abspath(folder)
    findings.add(where, text, fix, rule="input-kustomization")
    return None


def _as_patch(wanted: Object, body: Object) -> Object:
    """Return what an overlay sets of a workload, in the shape of the workload, so that its fields are found there."""
    pod: Object = {}
    for key, field in (("node_selector", "nodeSelector"), ("tolerations", "tolerations")):
        if wanted.get(key):
            pod[field] = wanted[key]
    inner: Object = {}
    if wanted.get("env"):
        inner["env"] = [{"name": name} for name in wanted["env"]]
    if wanted.get("resources"):
        inner["resources"] = wanted["resources"]
    spec: Object = {"replicas": wanted["replicas"]} if wanted.get("replicas") is not None else {}
    for path in overlays.templates(body):
        names = [server.container.get("name") for server in servers(mapping(dig(body, (*path, "spec"))))[0]]
        containers = [{"name": name, **inner} for name in names] if inner else []
        template = {"spec": {**pod, **({"containers": containers} if containers else {})}}
        here = spec
        for step in path[1:-1]:
            here = here.setdefault(step, {})
        here[path[-1]] = template
    return {"kind": body["kind"], "metadata": {"name": body["metadata"]["name"]}, "spec": spec}


def _namespace(body: Object) -> str:
    return str(mapping(body.get("metadata")).get("namespace") or "")


def _size(body: Object) -> int:
    size = dig(body, ("spec", "leaderWorkerTemplate", "size"))
    return size if isinstance(size, int) else 0
