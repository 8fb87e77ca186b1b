# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How a live object differs from what was deployed, in words; what autoscalers own; what nobody deployed."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.mask import MASK, is_secret_key, mask
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL
from ..cluster.compare import as_patch, contains, is_built_in, merge_key

Key = tuple[str, str, str]
# Kinds that set the replicas of others, and where they name them.
SCALERS = {
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "ScaledObject": "keda.sh/v1alpha1",
    "VariantAutoscaling": "llmd.ai/v1alpha1",
}
SHOWN = 3
LONGEST = 60
# Components of our labels that are no part of what a record holds.
BESIDES = ("record", "lock")


def key_of(item: Object) -> Key:
    """Return (kind, namespace, name)."""
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace") or "", metadata["name"]


def scaled_by(scalers: t.Iterable[Object]) -> set[Key]:
    """Return the objects whose replicas belong to autoscalers."""
    found = set()
    for item in scalers:
        target = (item.get("spec") or {}).get("scaleTargetRef") or {}
        kind = target.get("kind") or "Deployment"
        found.add((kind, item["metadata"].get("namespace") or "", str(target.get("name"))))
    return found


def unscaled(item: Object, scaled: t.Container[Key]) -> Object:
    """Return a manifest without its replicas where they belong to an autoscaler."""
    if key_of(item) not in scaled:
        return item
    return {**item, "spec": {key: value for key, value in (item.get("spec") or {}).items() if key != "replicas"}}


def without_masked(wanted: t.Any, live: t.Any) -> t.Any:
    """Return a recorded object with what its record masks taken from the live one: that cannot be compared."""
    if isinstance(wanted, dict):
        other = live if isinstance(live, dict) else {}
        return {key: without_masked(value, other.get(key)) for key, value in wanted.items()}
    if isinstance(wanted, list):
        others = live if isinstance(live, list) and len(live) == len(wanted) else [None] * len(wanted)
        return [without_masked(one, other) for one, other in zip(wanted, others, strict=True)]
    return live if isinstance(wanted, str) and MASK in wanted and live is not None else wanted


def is_masked(value: t.Any) -> bool:
    """Return whether anything in data is masked."""
    if isinstance(value, dict):
        return any(is_masked(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_masked(item) for item in value)
    return isinstance(value, str) and MASK in value


def changes(item: Object, live: Object) -> list[str]:
    """Return the fields of a manifest that the live object has otherwise, each 'path: live, deployed with wanted'."""
    lines = list(_changes(as_patch(item, live), live, "", is_built_in(item), item["kind"] == "Secret"))
    more = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"and {more} more"] if more > 0 else [])


def _changes(wanted: t.Any, live: t.Any, path: str, merged: bool, hidden: bool) -> t.Iterator[str]:
    field = path.rpartition(".")[2]
    if contains(live, wanted, merged=merged, field=field):
        return
    if isinstance(wanted, dict) and isinstance(live, dict):
        secret = is_secret_key(str(wanted.get("name") or ""))
        for key, value in wanted.items():
            inner = f"{path}.{key}" if path else str(key)
            yield from _changes(value, live.get(key), inner, merged, hidden or secret or is_secret_key(str(key)))
        return
    key = merge_key(field, wanted + live) if merged and isinstance(wanted, list) and isinstance(live, list) else None
    if key is not None:
        known = {entry[key]: entry for entry in live}
        for entry in wanted:
            yield from _changes(entry, known.get(entry[key]), f"{path}[{entry[key]}]", merged, hidden)
        return
    yield path if hidden else f"{path}: {_short(live)}, deployed with {_short(wanted)}"


def _short(value: t.Any) -> str:
    if value is None:
        return "nothing"
    text = str(mask(value))
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def owned_extra(
    items: t.Iterable[Object],
    known: t.Container[Key],
    releases: t.Container[tuple[str, str]],
    besides: t.Container[str] = (),
) -> list[Object]:
    """Return objects that carry our releases' names or our label, and that nothing deployed has.

    known: what was deployed; releases: (name, namespace) of ours; besides: components of which that is not known.
    """
    found = {}
    for item in items:
        metadata = item["metadata"]
        labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
        owner = (notes.get("meta.helm.sh/release-name"), notes.get("meta.helm.sh/release-namespace"))
        component = labels.get(COMPONENT_LABEL)
        ours = labels.get(MANAGED_LABEL) == "true" and component not in BESIDES and component not in besides
        ours = ours and item["kind"] not in ("Namespace", "Lease", "Secret", "PersistentVolumeClaim", "Job")
        derived = metadata.get("ownerReferences") or item["kind"] in ("Endpoints", "EndpointSlice", "Event")
        if not derived and key_of(item) not in known and (owner in releases or ours):
            found[key_of(item)] = item
    return list(found.values())


def stray_pods(pods: t.Iterable[Object], pools: t.Iterable[Object]) -> list[Object]:
    """Return pods that pools pick and that no controller made."""
    found = {}
    for pool in pools:
        selector = (pool.get("spec") or {}).get("selector") or {}
        labels = selector.get("matchLabels", selector)
        for pod in pods:
            has = pod["metadata"].get("labels") or {}
            bare = not pod["metadata"].get("ownerReferences")
            if bare and labels and all(has.get(key) == value for key, value in labels.items()):
                found[key_of(pod)] = pod
    return list(found.values())


def rival_routes(routes: t.Iterable[Object], ours: t.Sequence[Object]) -> list[Object]:
    """Return routes of others that take requests of ours, or send to our pools. ours: the routes as deployed."""
    claims = {claim for route in ours for claim in _claims(route)}
    pools = {pool for route in ours for pool in _backends(route)}
    known = {key_of(route) for route in ours}
    return [
        route for route in routes
        if key_of(route) not in known and (claims & set(_claims(route)) or pools & set(_backends(route)))
    ]  # fmt: skip


def _claims(route: Object) -> t.Iterator[tuple]:
    """Yield (Gateway's namespace and name, host, kind of match, path) of each match of a route."""
    home, spec = route["metadata"].get("namespace"), route.get("spec") or {}
    for parent in spec.get("parentRefs") or []:
        for rule in spec.get("rules") or []:
            for match in rule.get("matches") or [{}]:
                path = match.get("path") or {}
                where = (path.get("type") or "PathPrefix", path.get("value") or "/")
                for host in spec.get("hostnames") or [""]:
                    if not match.get("headers"):
                        yield parent.get("namespace") or home, parent.get("name"), host, *where


def _backends(route: Object) -> t.Iterator[tuple]:
    home = route["metadata"].get("namespace")
    for rule in (route.get("spec") or {}).get("rules") or []:
        for one in rule.get("backendRefs") or []:
            if one.get("kind") == "InferencePool":
                yield one.get("namespace") or home, one.get("name")
