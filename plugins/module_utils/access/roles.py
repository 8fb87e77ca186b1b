# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Needs written as Roles and bindings, for an administrator to look at and apply."""

from __future__ import annotations

import json
import typing as t

from ..model.permissions import ALL, Permission

NAME = "llm-d-orchestrator"
_API = "rbac.authorization.k8s.io"
_ACCOUNT = "system:serviceaccount:"


def role_yaml(
    needs: t.Sequence[Permission], user: str, missing: t.Container[Permission] = (), absent: t.Iterable[str] = ()
) -> str:
    """Return YAML that grants the needs to a user: Namespaces that are absent, then a Role for each namespace.

    Rules of what is missing come first. What is optional stands apart in its own ClusterRole where it is cluster-wide.
    """
    absent = list(absent)
    made = [f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}" for name in absent]
    # With the namespace there, nobody has to create it, and its own Role lets it be read.
    wanted = [_in_its_namespace(need, absent) for need in needs]
    wanted = [need for need in wanted if not (need.verb == "create" and need.resource == "namespaces")]
    parts = made
    for namespace in dict.fromkeys(need.namespace for need in wanted if need.namespace):
        parts += _documents([n for n in wanted if n.namespace == namespace], namespace, NAME, user, missing)
    wide = [need for need in wanted if not need.namespace]
    # Names of cluster-wide objects are shared: two stacks must not share a role.
    own = f"{NAME}-{next(iter(dict.fromkeys(n.namespace for n in wanted if n.namespace)), 'stack')}"
    parts += _documents([n for n in wide if not n.optional], "", own, user, missing)
    optional = _documents([n for n in wide if n.optional], "", f"{own}-reader", user, missing)
    if optional:
        parts.append("# Optional: without it, planning checks less.\n" + optional[0].removeprefix("---\n"))
        parts[-1] = "---\n" + parts[-1]
        parts += optional[1:]
    return "\n".join(parts)


def _in_its_namespace(need: Permission, absent: t.Container[str]) -> Permission:
    if need.resource == "namespaces" and need.verb == "get" and need.name in absent:
        return Permission("get", "", "namespaces", need.name, need.name, why=need.why)
    return need


def _documents(
    needs: t.Sequence[Permission], namespace: str, name: str, user: str, missing: t.Container[Permission]
) -> list[str]:
    """Return a Role and its binding, or the cluster's; [] without needs."""
    if not needs:
        return []
    kind = "Role" if namespace else "ClusterRole"
    place = f", namespace: {namespace}" if namespace else ""
    lines = ["---", f"apiVersion: {_API}/v1", f"kind: {kind}", f"metadata: {{name: {name}{place}}}", "rules:"]
    lacking = _rules([need for need in needs if need in missing])
    held = _rules([need for need in needs if need not in missing])
    lines += (["  # missing"] if lacking and held else []) + lacking
    lines += (["  # already granted"] if lacking and held else []) + held
    binding = ["---", f"apiVersion: {_API}/v1", f"kind: {kind}Binding", f"metadata: {{name: {name}{place}}}"]
    binding += [f"roleRef: {{apiGroup: {_API}, kind: {kind}, name: {name}}}", f"subjects: [{subject(user)}]"]
    return ["\n".join(lines), "\n".join(binding)]


def _rules(needs: t.Iterable[Permission]) -> list[str]:
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    for need in needs:
        verbs.setdefault((need.group, need.resource, need.name, need.url), []).append(need.verb)
    rows: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for (group, resource, name, url), found in verbs.items():
        kept = (ALL,) if ALL in found else tuple(dict.fromkeys(found))
        rows.setdefault((group, name, url, kept), []).append(resource)
    return [_rule(*row, resources) for row, resources in rows.items()]


def _rule(group: str, name: str, url: str, verbs: tuple[str, ...], resources: list[str]) -> str:
    if url:
        return f"  - {{nonResourceURLs: {_list([url])}, verbs: {_list(verbs)}}}"
    names = f", resourceNames: {_list([name])}" if name else ""
    return f"  - {{apiGroups: {_list([group])}, resources: {_list(resources)}{names}, verbs: {_list(verbs)}}}"


def _list(values: t.Iterable[str]) -> str:
    return "[" + ", ".join(_plain(value) for value in values) + "]"


def _plain(value: str) -> str:
    simple = value and value[0].isalpha() and all(char.isalnum() or char in ".-/" for char in value)
    return value if simple else json.dumps(value)


def subject(user: str) -> str:
    """Return a binding's subject for a user's name; a ServiceAccount is named as one."""
    if user.startswith(_ACCOUNT):
        namespace, _colon, name = user.removeprefix(_ACCOUNT).partition(":")
        return f"{{kind: ServiceAccount, name: {name}, namespace: {namespace}}}"
    return f"{{kind: User, apiGroup: {_API}, name: {json.dumps(user or 'REPLACE-ME')}}}"
