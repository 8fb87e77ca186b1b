# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory changes of a kustomization: a kustomization laid over it, with a JSON patch for each workload.

JSON patches, as kustomize merges lists by name for its own kinds only, and replaces those of a LeaderWorkerSet.
"""

from __future__ import annotations

import copy
import json
import re
import typing as t

from ..base.data import Object, dicts, dig, mapping
from ..base.findings import Findings
from ..base.names import did_you_mean
from ..objects.pools import ROLE_LABEL
from ..objects.servers import servers

Path = tuple[t.Any, ...]
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "LeaderWorkerSet")
KEYS: dict[str, type] = {
    "replicas": object,
    "images": list,
    "resources": dict,
    "node_selector": dict,
    "tolerations": list,
    "env": dict,
    "labels": dict,
    "patches": list,
}
_GROUP = ("spec", "leaderWorkerTemplate")


def templates(body: Object) -> list[Path]:
    """Return the paths of a workload's pod templates."""
    if body.get("kind") == "LeaderWorkerSet":
        both = [(*_GROUP, "leaderTemplate"), (*_GROUP, "workerTemplate")]
        return [path for path in both if mapping(dig(body, (*path, "spec")))]
    return [("spec", "template")] if body.get("kind") in WORKLOADS else []


def role_of(body: Object) -> str:
    """Return the role that a workload's pods say they have, '' for none."""
    labels = [mapping(dig(body, (*path, "metadata", "labels"))) for path in templates(body)]
    return next((str(found[ROLE_LABEL]) for found in labels if found.get(ROLE_LABEL)), "")


def serving(objects: t.Iterable[Object]) -> list[Object]:
    """Return the workloads that serve a model."""
    return [body for body in objects if any(servers(_spec(body, path))[0] for path in templates(body))]


def overlay(objects: t.Sequence[Object], wanted: Object, where: str, findings: Findings) -> Object:
    """Return the fields of a kustomization that make what is wanted of what a folder renders to; {} for nothing.

    objects: as rendered; wanted: with the keys of KEYS; where: the variable, for what is wrong with it.
    """
    workloads = serving(objects)
    fields: Object = {key: copy.deepcopy(wanted[key]) for key in ("images", "patches") if wanted.get(key)}
    _check_targets(objects, fields.get("patches"), f"{where}.patches", findings)
    replicas = _replicas(workloads, wanted.get("replicas"), f"{where}.replicas", findings)
    patches = []
    for body in workloads:
        changed = _changed(body, wanted, replicas.get(body["metadata"]["name"]))
        operations = list(_operations(body, changed))
        if operations:
            target = {"kind": body["kind"], "name": f"^{body['metadata']['name']}$"}
            patches.append({"target": target, "patch": _text(operations)})
    if patches:
        fields["patches"] = [*patches, *fields.get("patches", [])]
    return fields


def _check_targets(objects: t.Sequence[Object], patches: t.Any, where: str, findings: Findings) -> None:
    """Note a patch whose target is no object: kustomize passes over it without a word."""
    for index, entry in enumerate(dicts(patches)):
        target = mapping(entry.get("target"))
        if target and not any(_is_target(target, body) for body in objects):
            there = ", ".join(f"{body.get('kind')} {mapping(body.get('metadata')).get('name')}" for body in objects)
            wanted = " ".join(str(target[key]) for key in ("kind", "name") if target.get(key)) or "it"
            text = f"the kustomization has no object for {wanted}"
            findings.add(f"{where}[{index}].target", text, f"use one of: {there}", rule="input-kustomization")


def _is_target(target: Object, body: Object) -> bool:
    """Return whether a patch's target means an object. Its fields are regular expressions for whole texts."""
    metadata = mapping(body.get("metadata"))
    group, _slash, version = str(body.get("apiVersion") or "").rpartition("/")
    there = {"kind": body.get("kind"), "name": metadata.get("name"), "group": group, "version": version}
    try:
        return all(re.fullmatch(str(target[key]), str(there[key])) for key in there if target.get(key))
    except re.error:
        return True  # kustomize says what is wrong with it


def _replicas(workloads: t.Sequence[Object], wanted: t.Any, where: str, findings: Findings) -> dict[str, int]:
    """Return the replicas asked for by workload; note a name that none has, or a number that may mean several."""
    names = {body["metadata"]["name"]: role_of(body) for body in workloads if body["kind"] != "DaemonSet"}
    known = [role or name for name, role in names.items()]
    if wanted is None:
        return {}
    if not isinstance(wanted, dict):
        if len(names) > 1:
            fix = "give a number for each: " + ", ".join(f"{{{one}: {wanted}}}" for one in known)
            findings.add(
                where, f"is one number, but the kustomization has {len(names)} workloads", fix, "input-replicas"
            )
            return {}
        wanted = dict.fromkeys(known, wanted)
    found: dict[str, int] = {}
    for key, count in wanted.items():
        mine = [name for name, role in names.items() if key in (name, role)]
        if not mine:
            text = f"the kustomization has no workload or role {key!r}.{did_you_mean(key, known)}"
            findings.add(f"{where}.{key}", text, "use one of: " + ", ".join(known), rule="input-replicas")
        elif not isinstance(count, int) or isinstance(count, bool) or count < 0:
            findings.add(f"{where}.{key}", f"{count!r} is not a valid number", "use a number from 0", "input-replicas")
        else:
            found.update(dict.fromkeys(mine, count))
    return found


def _changed(body: Object, wanted: Object, replicas: int | None) -> Object:
    """Return a workload as it shall be."""
    body = copy.deepcopy(body)
    if replicas is not None:
        body["spec"]["replicas"] = replicas
    labels = mapping(wanted.get("labels"))
    if labels:
        body["metadata"]["labels"] = {**mapping(body["metadata"].get("labels")), **labels}
    for path in templates(body):
        template = dig(body, path)
        spec = template["spec"]
        if labels:
            metadata = template.setdefault("metadata", {})
            metadata["labels"] = {**mapping(metadata.get("labels")), **labels}
        if wanted.get("node_selector"):
            spec["nodeSelector"] = {**mapping(spec.get("nodeSelector")), **wanted["node_selector"]}
        if wanted.get("tolerations"):
            spec["tolerations"] = [*(spec.get("tolerations") or []), *wanted["tolerations"]]
        for server in servers(spec)[0]:
            container = spec["containers"][server.index]
            if wanted.get("env"):
                container["env"] = _with_env(dicts(container.get("env")), wanted["env"])
            if wanted.get("resources"):
                container["resources"] = _with_resources(mapping(container.get("resources")), wanted["resources"])
    return body


def _with_env(given: list[Object], wanted: Object) -> list[Object]:
    kept = [one for one in given if one.get("name") not in wanted]
    return kept + [
        {"name": name, **value} if isinstance(value, dict) else {"name": name, "value": str(value)}
        for name, value in wanted.items()
    ]


def _with_resources(given: Object, wanted: Object) -> Object:
    return {**given, **{kind: {**mapping(given.get(kind)), **mapping(wanted[kind])} for kind in wanted}}


def _operations(old: t.Any, new: t.Any, path: str = "") -> t.Iterator[Object]:
    """Yield the operations of a JSON patch (RFC 6902) that make one object of another; lists are set as a whole."""
    for key, value in new.items():
        place = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from _operations(before, value, place)
        elif key == "containers" and isinstance(before, list) and len(before) == len(value):
            for index, (one, other) in enumerate(zip(before, value, strict=True)):
                yield from _operations(one, other, f"{place}/{index}")
        elif key not in old or before != value:
            yield {"op": "add", "path": place, "value": value}


def _text(operations: list[Object]) -> str:
    """Return a JSON patch as text, one operation a line."""
    return "[" + ",\n ".join(json.dumps(one, sort_keys=True) for one in operations) + "]"


def _spec(body: Object, path: Path) -> Object:
    return mapping(dig(body, (*path, "spec")))
