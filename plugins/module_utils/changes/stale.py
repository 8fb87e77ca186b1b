# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Claims of statuses that are no longer so. A controller looks at an object again once that is touched.

Istio 1.29 does not look at a pool again when its picker's Service comes, or when its route is accepted at last.
"""

from __future__ import annotations

import typing as t

from ..base.apis import ALPHA_POOL_GROUP, GATEWAY_API, POOL_API, POOL_APIS, POOL_GROUP
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import TRIED_ANNOTATION
from ..cluster.live import LiveObjects
from ..objects.pools import name_of, namespace_of, pool_parents, pool_picker

ROUTE, POOL = "HTTPRoute", "InferencePool"
# Kinds of backends by their groups, with the API in which they are looked up.
_BACKENDS = {("", "Service"): "v1", (POOL_GROUP, POOL): POOL_API, (ALPHA_POOL_GROUP, POOL): POOL_APIS[1]}


def stale_claim(live: LiveObjects, item: Object) -> str:
    """Return what the status of a manifest's live object says although it is so no longer, "" for nothing.

    What was touched since it was said is said on purpose; what may not be read is taken as it is said.
    """
    gone = _CAUSES.get(item["kind"])
    if gone is None:
        return ""
    try:
        found = live.find(item)
        for parent, claim in _claims(found) if found else ():
            why = gone(live, t.cast(Object, found), parent, claim)
            if why:
                return f"its status says {claim['type']}=False ({claim.get('reason')}), but {why}"
    except OrchestratorError:
        return ""
    return ""


def _claims(found: Object) -> t.Iterator[tuple[Object, Object]]:
    """Return the false conditions with their parents that are about the object as it is, and were said last."""
    tried = (found["metadata"].get("annotations") or {}).get(TRIED_ANNOTATION, "")
    generation = found["metadata"].get("generation")
    for parent in pool_parents(found):
        for claim in parent.get("conditions") or []:
            current = claim.get("observedGeneration", generation) == generation
            if claim.get("status") == "False" and current and tried < (claim.get("lastTransitionTime") or ""):
                yield parent, claim


def _of_pool(live: LiveObjects, pool: Object, parent: Object, claim: Object) -> str:
    if claim.get("reason") == "InvalidExtensionRef":
        name, _port = pool_picker(pool)
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace_of(pool)}}
        return f"its picker's Service {name} exists" if live.find(service) else ""
    if claim.get("reason") == "HTTPRouteNotAccepted":
        routes = live.cluster.list(GATEWAY_API, ROUTE, namespace_of(pool))
        states = [state for route in routes if _leads_to(route, pool) for state in _accepted(route, parent)]
        return "its routes are accepted" if states and all(states) else ""
    return ""


def _leads_to(route: Object, pool: Object) -> bool:
    return any(ref.get("kind") == POOL and ref.get("name") == name_of(pool) for ref in _backends(route))


def _accepted(route: Object, parent: Object) -> t.Iterator[bool]:
    """Return whether a route is accepted, for each of its references to a Gateway."""
    wanted = _gateway_of(parent.get("parentRef") or {}, route)
    for state in pool_parents(route):
        if _gateway_of(state.get("parentRef") or {}, route) == wanted:
            yield any(one.get("type") == "Accepted" and one.get("status") == "True" for one in state["conditions"])


def _gateway_of(ref: Object, item: Object) -> tuple[str, str]:
    return ref.get("namespace") or namespace_of(item), ref.get("name") or ""


def _of_route(live: LiveObjects, route: Object, _parent: Object, claim: Object) -> str:
    if claim.get("reason") != "BackendNotFound":
        return ""
    backends = [_backend(ref, route) for ref in _backends(route)]
    return "its backends exist" if backends and all(one and live.find(one) for one in backends) else ""


def _backends(route: Object) -> list[Object]:
    return [ref for rule in route["spec"].get("rules") or [] for ref in rule.get("backendRefs") or []]


def _backend(ref: Object, route: Object) -> Object | None:
    kind = ref.get("kind") or "Service"
    api = _BACKENDS.get((ref.get("group") or "", kind))
    metadata = {"name": ref["name"], "namespace": ref.get("namespace") or namespace_of(route)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata} if api else None


_CAUSES: dict[str, t.Callable[[LiveObjects, Object, Object, Object], str]] = {POOL: _of_pool, ROUTE: _of_route}
