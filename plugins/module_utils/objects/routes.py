# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTPRoutes: the manifests of a stack's routes, their parents, and the rules that would collide.

Field names are those of gateway.networking.k8s.io/v1; timeouts stand under a rule, not under spec.
"""

from __future__ import annotations

import copy
import dataclasses

from ..base.apis import GATEWAY_API, GATEWAY_GROUP, POOL_GROUP
from ..base.data import Object
from ..base.ours import MANAGED_LABEL

# Completions may take any time; an HTTPRoute's 0s means no limit.
NO_TIMEOUTS = {"request": "0s", "backendRequest": "0s"}


@dataclasses.dataclass
class RouteRule:
    """One rule: what it matches and the pool it sends requests to."""

    where: str
    pool: str
    port: int
    path_prefix: str = "/"
    hostnames: tuple[str, ...] = ()
    timeouts: dict[str, str] | None = None
    model: str | None = None


def rule_manifest(rule: RouteRule) -> Object:
    """Return a rule as the API has it; the prefix is cut off before the pool sees the path."""
    backend = {"group": POOL_GROUP, "kind": "InferencePool", "name": rule.pool, "port": rule.port, "weight": 1}
    manifest: Object = {
        "matches": [{"path": {"type": "PathPrefix", "value": rule.path_prefix}}],
        "backendRefs": [backend],
    }
    if rule.path_prefix != "/":
        rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
        manifest["filters"] = [{"type": "URLRewrite", "urlRewrite": rewrite}]
    if rule.timeouts:
        manifest["timeouts"] = dict(rule.timeouts)
    return manifest


def route_manifest(name: str, namespace: str, rules: list[RouteRule], labels: Object) -> Object:
    """Return an HTTPRoute without parents. Its rules share their hostnames; they have no names.

    Rules without names cannot be taken for one another by gateways that look up pickers by the names of rules.
    """
    hostnames = list(dict.fromkeys(host for rule in rules for host in rule.hostnames))
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {**({"hostnames": hostnames} if hostnames else {}), "rules": [rule_manifest(rule) for rule in rules]},
    }


def parent_ref(name: str, namespace: str, section_name: str | None = None) -> Object:
    """Return the reference by which a route names its Gateway."""
    reference = {"group": GATEWAY_GROUP, "kind": "Gateway", "name": name, "namespace": namespace}
    return {**reference, "sectionName": section_name} if section_name else reference


def with_parent(route: Object, parent: Object) -> Object:
    """Return a route attached to a parent, unless it names parents of its own."""
    route = copy.deepcopy(route)
    route["spec"].setdefault("parentRefs", [parent])
    return route


def refers_to(route: Object, name: str, namespace: str) -> list[Object]:
    """Return the route's references to a Gateway."""
    home = route["metadata"].get("namespace")
    return [
        ref
        for ref in (route.get("spec") or {}).get("parentRefs") or []
        if ref.get("kind", "Gateway") == "Gateway"
        and ref.get("group", GATEWAY_GROUP) == GATEWAY_GROUP
        and ref.get("name") == name
        and ref.get("namespace", home) == namespace
    ]


@dataclasses.dataclass(frozen=True)
class Conflict:
    """A collision of one or two routes on a Gateway. foreign: those that are not ours; named: of two rules' names."""

    routes: tuple[str, ...]
    said: str
    foreign: tuple[str, ...] = ()
    named: bool = False

    def text(self, *, owners: bool = True) -> str:
        """Return it as a sentence. owners: whether to say which routes are not ours."""
        shown = [f"{route} (not ours)" if owners and route in self.foreign else route for route in self.routes]
        return f"{' and '.join(shown)} {self.said}"


def conflicts(wanted: list[Object], existing: list[Object], gateway: tuple[str, str]) -> list[Conflict]:
    """Return each collision of wanted routes on a Gateway (name, namespace): among themselves and with existing ones.

    Two rules collide where a request could match both equally well, or where their names are the same.
    """
    found: list[Conflict] = []
    ours = {key(route) for route in wanted}
    wanted = [route for route in wanted if refers_to(route, *gateway)]
    others = [route for route in existing if key(route) not in ours and refers_to(route, *gateway)]
    for index, route in enumerate(wanted):
        found += _inside(route)
        for other in [*wanted[index + 1 :], *others]:
            if _sections_meet(refers_to(route, *gateway), refers_to(other, *gateway)):
                found += _between(route, other)
    return list(dict.fromkeys(found))


def key(route: Object) -> tuple[str, str]:
    """Return namespace and name."""
    return route["metadata"].get("namespace") or "", route["metadata"]["name"]


def route_title(namespace: str, name: str) -> str:
    """Return a route as messages have it."""
    return f"HTTPRoute {namespace}/{name}"


def _conflict(routes: list[Object], said: str, *, named: bool = False) -> Conflict:
    others = [route for route in routes if (route["metadata"].get("labels") or {}).get(MANAGED_LABEL) != "true"]
    titles, foreign = (tuple(route_title(*key(route)) for route in rows) for rows in (routes, others))
    return Conflict(titles, said, foreign, named)


def _sections_meet(one: list[Object], two: list[Object]) -> bool:
    """Return whether two routes share a listener: a reference without sectionName or port takes all of them."""

    def meets(left: Object, right: Object) -> bool:
        return all(
            left.get(key) is None or right.get(key) is None or left[key] == right[key]
            for key in ("sectionName", "port")
        )

    return any(meets(left, right) for left in one for right in two)


def _matches(rule: Object) -> list[tuple]:
    return [_match_key(match) for match in rule.get("matches") or [{}]]


def _match_key(match: Object) -> tuple:
    path = match.get("path") or {}
    value = path.get("value", "/")
    headers = [(h["name"].lower(), h.get("type", "Exact"), h["value"]) for h in match.get("headers") or []]
    params = [(p["name"], p.get("type", "Exact"), p["value"]) for p in match.get("queryParams") or []]
    kind = path.get("type", "PathPrefix")
    # PathPrefix works on whole segments: /a and /a/ are the same.
    value = (value.rstrip("/") or "/") if kind == "PathPrefix" else value
    return kind, value, match.get("method"), tuple(sorted(headers)), tuple(sorted(params))


def _show(key: tuple) -> str:
    kind, value, method, headers, params = key
    more = [f"method {method}"] if method else []
    more += [f"header {name}={wanted}" for name, _type, wanted in headers]
    more += [f"query {name}={wanted}" for name, _type, wanted in params]
    return ", ".join([f"{kind} {value}", *more])


def _inside(route: Object) -> list[Conflict]:
    seen: set[tuple] = set()
    found = []
    for rule in (route.get("spec") or {}).get("rules") or []:
        for match in _matches(rule):
            if match in seen:
                found.append(_conflict([route], f"has two rules that match {_show(match)}"))
            seen.add(match)
    return found


def _between(route: Object, other: Object) -> list[Conflict]:
    found = []
    hosts = _shared_hosts(route, other)
    names = {rule.get("name") for rule in other["spec"].get("rules") or []} - {None}
    taken = {match for rule in other["spec"].get("rules") or [] for match in _matches(rule)}
    for rule in route["spec"].get("rules") or []:
        if rule.get("name") in names:
            found.append(_conflict([route, other], f"both have a rule named {rule['name']!r}", named=True))
        if hosts is not None:
            found += [
                _conflict([route, other], f"both match {_show(match)} for {hosts}")
                for match in _matches(rule)
                if match in taken
            ]
    return found


def _shared_hosts(route: Object, other: Object) -> str | None:
    """Return the hostnames that both routes answer, None where there are none."""
    left, right = route["spec"].get("hostnames") or [], other["spec"].get("hostnames") or []
    if not left and not right:
        return "all hostnames"
    if not left or not right:
        # A named host goes before all hosts, so only requests for other hosts could meet; those match one route.
        return None
    shared = [host for host in left if host in right]
    return ", ".join(shared) or None
