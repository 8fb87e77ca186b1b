# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Permissions as data: what a plan needs, what the cluster grants, and which of the two do not meet.

The matching is that of RBAC (Kubernetes, Using RBAC Authorization): verbs, groups and resources by name or '*', a
subresource as 'pods/log' or '*/log', and names of objects where a rule is limited to some.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object

ALL = "*"


@dataclasses.dataclass(frozen=True)
class Permission:
    """One permission. namespace '' is cluster-wide; name: of one object, '' for any; url: instead of a resource.

    why: what it is for; optional: without it something is not checked, and all else works; held: not used, but to be
    held by whoever creates a Role that grants it.
    """

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    url: str = ""
    why: str = dataclasses.field(default="", compare=False)
    optional: bool = dataclasses.field(default=False, compare=False)
    held: bool = dataclasses.field(default=False, compare=False)

    @property
    def target(self) -> str:
        """Return 'deployments.apps', 'pods/log', or a URL."""
        head, slash, sub = self.resource.partition("/")
        text = self.url or (f"{head}.{self.group}{slash}{sub}" if self.group else self.resource)
        return f"{text} {self.name}" if self.name else text


@dataclasses.dataclass(frozen=True)
class Access:
    """What is known about the permissions of whoever plans.

    user: its name, '' where unknown; missing: what is needed and refused; unknown: what could not be asked; role:
    YAML of the Roles and bindings that grant it all.
    """

    user: str = ""
    missing: tuple[Permission, ...] = ()
    unknown: tuple[Permission, ...] = ()
    role: str = ""


def allows(rule: Object, need: Permission) -> bool:
    """Return whether a rule (of a Role, or of a SelfSubjectRulesReview) grants what is needed."""
    if not _has(rule, "verbs", need.verb):
        return False
    if need.url:
        urls = rule.get("nonResourceURLs") or []
        return any(need.url == url or (url.endswith(ALL) and need.url.startswith(url[:-1])) for url in urls)
    _head, slash, sub = need.resource.partition("/")
    resources = rule.get("resources") or []
    matches = _has(rule, "resources", need.resource) or bool(slash) and f"*/{sub}" in resources
    names = rule.get("resourceNames") or []
    return matches and _has(rule, "apiGroups", need.group) and (not names or need.name in names)


def _has(rule: Object, key: str, wanted: str) -> bool:
    values = rule.get(key) or []
    return ALL in values or wanted in values


def refused(needs: t.Iterable[Permission], rules: t.Sequence[Object]) -> list[Permission]:
    """Return the needs that no rule grants."""
    return [need for need in needs if not any(allows(rule, need) for rule in rules)]


def escalates(need: Permission, rules: t.Sequence[Object]) -> bool:
    """Return whether Roles that grant a need may be created and bound without holding it.

    Both 'escalate' (to create the Role) and 'bind' (to bind it) are asked for: Kubernetes, Privilege escalation
    prevention and bootstrapping.
    """
    kind = "roles" if need.namespace else "clusterroles"
    group = "rbac.authorization.k8s.io"
    verbs = [Permission(verb, group, kind, need.namespace) for verb in ("escalate", "bind")]
    return not refused(verbs, rules)


def compact(needs: t.Iterable[Permission]) -> str:
    """Return needs as 'in namespace llm-d: create, patch services; get secrets; cluster-wide: list nodes'."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for need in needs:
        verbs.setdefault((need.namespace, need.target), []).append(need.verb)
    places: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for (namespace, target), names in verbs.items():
        places.setdefault(namespace, {}).setdefault(tuple(dict.fromkeys(names)), []).append(target)
    parts = []
    for namespace, rows in places.items():
        where = f"in namespace {namespace}" if namespace else "cluster-wide"
        texts = [f"{', '.join(names)} {', '.join(targets)}" for names, targets in rows.items()]
        parts.append(f"{where}: {'; '.join(texts)}")
    return "; ".join(parts)
