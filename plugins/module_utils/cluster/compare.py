# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A live object held against the manifest that it should have: whether it differs, and the patch that mends it.

What the manifest does not name is the cluster's own business: defaults, status, what controllers and people add.
"""

from __future__ import annotations

import base64
import typing as t

from ..base.data import Object
from ..base.quantities import parse

# Lists that the API merges, and the key of their entries (patchMergeKey in the Kubernetes API); others it replaces.
MERGED = {
    **dict.fromkeys(("containers", "initContainers", "volumes", "env", "imagePullSecrets", "secrets"), ("name",)),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port"),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
}
# Groups of the API server's own kinds; all others are custom resources, whose lists are replaced.
BUILT_IN = ("", "apps", "batch", "autoscaling", "policy") + tuple(
    f"{name}.k8s.io"
    for name in ("rbac.authorization", "networking", "storage", "scheduling", "coordination", "node", "resource")
)
# Parts of an object that are not its content.
NO_CONTENT = ("apiVersion", "kind", "metadata", "status")
REVISION = "deployment.kubernetes.io/revision"
SCALERS = ("kube-controller-manager", "keda")
EMPTY: tuple[t.Any, ...] = (None, "", [], {})


def is_built_in(item: Object) -> bool:
    """Return whether the API server merges lists in patches of such an object."""
    return item["apiVersion"].rpartition("/")[0] in BUILT_IN


def is_autoscaled(live: Object) -> bool:
    """Return whether an autoscaler, not a person, has set the number of replicas."""
    fields = (live.get("metadata") or {}).get("managedFields") or []
    return any(
        entry.get("subresource") == "scale" and str(entry.get("manager")).startswith(SCALERS) for entry in fields
    )


def left_to_scalers(item: Object, live: Object | None) -> Object:
    """Return a manifest as it is applied: without replicas where an autoscaler has set those of the live object.

    Until it has, they are the manifest's, as applying without them would make one replica of what is there.
    """
    if live is None or "replicas" not in (item.get("spec") or {}) or not is_autoscaled(live):
        return item
    return {**item, "spec": {key: value for key, value in item["spec"].items() if key != "replicas"}}


def content(item: Object, live: Object | None = None) -> Object:
    """Return an object's content: labels, and all but metadata and status, without what autoscalers set.

    live: the object in the cluster, where item is a manifest.
    """
    body = {key: value for key, value in item.items() if key not in NO_CONTENT}
    body = left_to_scalers(body, live or item)
    if item.get("kind") == "Secret" and body.get("stringData"):
        # The API server keeps it so.
        texts = {key: base64.b64encode(str(value).encode()).decode() for key, value in body.pop("stringData").items()}
        body["data"] = {**(body.get("data") or {}), **texts}
    return {"labels": (item.get("metadata") or {}).get("labels") or {}, **body}


def as_patch(item: Object, live: Object) -> Object:
    """Return what a manifest asks for as the body of a patch: its content and annotations, without nulls."""
    body = content(item, live)
    marks = {"labels": body.pop("labels"), "annotations": (item.get("metadata") or {}).get("annotations")}
    return _without_nulls({"metadata": {name: value for name, value in marks.items() if value}, **body})


def _without_nulls(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    return [_without_nulls(entry) for entry in value] if isinstance(value, list) else value


def differs(item: Object, live: Object) -> bool:
    """Return whether a live object seems to lack something of its manifest; the API server may know better."""
    return not contains(live, as_patch(item, live), merged=is_built_in(item))


def contains(live: t.Any, wanted: t.Any, *, merged: bool, field: str = "") -> bool:
    """Return whether a live value has all of a wanted one. merged: whether the API merges lists; field: its key."""
    if isinstance(wanted, dict):
        has = live if isinstance(live, dict) else {} if live in EMPTY else None
        return has is not None and all(contains(has.get(k), v, merged=merged, field=k) for k, v in wanted.items())
    if isinstance(wanted, list):
        entries = live if isinstance(live, list) else [] if live in EMPTY else None
        return entries is not None and _contains_list(entries, wanted, merged, field)
    return (wanted in EMPTY and live in EMPTY) or _same(live, wanted)


def _contains_list(live: list, wanted: list, merged: bool, field: str) -> bool:
    key = merge_key(field, wanted + live) if merged else None
    if key is None:
        pairs = zip(live, wanted)  # noqa: B905 - the lengths are compared
        return len(live) == len(wanted) and all(contains(one, other, merged=merged) for one, other in pairs)
    found = {entry[key]: entry for entry in live}
    return all(contains(found.get(entry[key]), entry, merged=merged) for entry in wanted)


def merge_key(field: str, entries: list) -> str | None:
    """Return the key by which the API merges a list, None where it replaces it."""
    for key in MERGED.get(field, ()):
        if entries and all(isinstance(entry, dict) and entry.get(key) is not None for entry in entries):
            return key
    return None


def _same(live: t.Any, wanted: t.Any) -> bool:
    if isinstance(live, bool) or isinstance(wanted, bool) or live is None:
        return live is wanted
    if live == wanted:
        return True
    amounts = parse(live), parse(wanted)
    return None not in amounts and amounts[0] == amounts[1]


def patch_of(old: Object | None, new: Object, live: Object) -> Object:
    """Return the patch that Helm's upgrade comes to: all of the new manifest, and null for what the old one had more.

    old: the manifest that the object has now, None where that is not known.
    """
    body = as_patch(new, live)
    return _without(as_patch(old, live), body, is_built_in(new)) if old else body


def _without(old: Object, new: Object, merged: bool) -> Object:
    """Return a patch that also takes away what only the old value has."""
    patch = dict(new)
    for key, value in old.items():
        if key not in new:
            patch[key] = None
        elif isinstance(value, dict) and isinstance(new[key], dict):
            patch[key] = _without(value, new[key], merged)
        elif merged and isinstance(value, list) and isinstance(new[key], list):
            patch[key] = _without_entries(value, new[key], key)
    return patch


def _without_entries(old: list, new: list, field: str) -> list:
    key = merge_key(field, old + new)
    if key is None:
        return new
    before, after = ({entry[key]: entry for entry in side} for side in (old, new))
    kept = [_without(before[name], entry, True) if name in before else entry for name, entry in after.items()]
    return kept + [{key: name, "$patch": "delete"} for name in before if name not in after]


def same_after(before: Object, after: Object) -> bool:
    """Return whether a trial leaves an object's content, labels and annotations as they are."""

    def shape(item: Object) -> tuple[Object, Object]:
        marks = dict((item.get("metadata") or {}).get("annotations") or {})
        marks.pop(REVISION, None)
        return content(item), marks

    return shape(before) == shape(after)


def projected(value: t.Any, pattern: t.Any, field: str = "") -> t.Any:
    """Return the part of a live value that a pattern (a manifest) names, to be shown beside it."""
    if isinstance(value, dict) and isinstance(pattern, dict):
        return {key: projected(entry, pattern[key], key) for key, entry in value.items() if key in pattern}
    if isinstance(value, list) and isinstance(pattern, list):
        key = merge_key(field, value + pattern)
        if key is None:
            return [projected(one, other) for one, other in zip(value, pattern)] + value[len(pattern) :]  # noqa: B905
        known = {entry[key]: entry for entry in pattern}
        return [projected(entry, known[entry[key]]) for entry in value if entry[key] in known]
    return value
