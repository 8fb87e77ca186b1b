# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The nodes of AWX workflows: short descriptions become what awx.awx.workflow_job_template_node takes.

Nodes come after those that they lead to, so that they can be made with their links; only approvals are linked in a step
of their own, as that module wants it. awx.awx.workflow_job_template could make all nodes at once, but calls each
approval changed every time, and leaves the last link of a kind.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object
from .kinds import NODE

Rows = list[Object]
LINKS = ("success", "failure", "always")


class Nodes(t.NamedTuple):
    """Arguments for nodes, then for approvals' links, and the nodes that are to go."""

    made: Rows
    links: Rows
    removed: Rows

    def add(self, workflow: str, others: Nodes) -> None:
        """Take over the nodes of a workflow, by its name in AWX."""
        for rows, more in zip(self, others, strict=True):
            rows += [{"workflow": workflow, **row} for row in more]


def workflow_nodes(nodes: t.Any, where: str, template: t.Callable[[t.Any, str], str], mistakes: list[str]) -> Nodes:
    """Return the nodes of one workflow; those that are null are to go.

    nodes: {identifier: options of NODE}; template: returns the name in AWX of a template by its key.
    """
    if not isinstance(nodes, dict):
        return Nodes([], [], [])
    kept = {key: fields for key, fields in nodes.items() if isinstance(fields, dict)}
    mistakes += [f"{where}.nodes.{key}: is not a map" for key, fields in nodes.items() if fields and key not in kept]
    found = Nodes([], [], [{"identifier": key} for key, fields in nodes.items() if fields is None])
    for key in kept:
        mistakes += _mistakes(kept[key], f"{where}.nodes.{key}", kept)
    order = _leaves_first(kept)
    if len(order) < len(kept):
        mistakes.append(f"{where}.nodes: they form a cycle, which AWX rejects")
    for key in order:
        fields, links = kept[key], {f"{link}_nodes": list(kept[key].get(link) or []) for link in LINKS}
        if "approval" in fields:
            found.made.append(_node(key, fields, ""))
            found.links.append({"identifier": key, **links})
        else:
            target = template(fields.get("template"), f"{where}.nodes.{key}")
            found.made.append({**_node(key, fields, target), **links})
    return found


def _mistakes(fields: Object, place: str, kept: Object) -> list[str]:
    found = [f"{place}: unknown key {name} -> use one of: {', '.join(NODE)}" for name in fields if name not in NODE]
    if ("template" in fields) == ("approval" in fields):
        found.append(f"{place}: either template or approval is needed")
    links = [target for link in LINKS for target in fields.get(link) or []]
    return found + [f"{place}: node {target} not found" for target in links if target not in kept]


def _node(key: str, fields: Object, target: str) -> Object:
    row: Object = {"identifier": key, "all_parents_must_converge": bool(fields.get("join"))}
    row.update({name: fields[name] for name in ("extra_data", "limit", "job_type") if fields.get(name)})
    if target:
        return {**row, "unified_job_template": target}
    approval = {"name": fields.get("approval"), "description": fields.get("description", "")}
    return {**row, "approval_node": {**approval, "timeout": fields.get("timeout", 0)}}


def _leaves_first(nodes: Object) -> list[str]:
    """Return the nodes, each after those that it leads to; without those that lead back to themselves."""
    left = {key: {target for link in LINKS for target in fields.get(link) or []} for key, fields in nodes.items()}
    order: list[str] = []
    while left:
        ends = [key for key, targets in left.items() if not targets & set(left)]
        if not ends:
            break
        order += ends
        for key in ends:
            del left[key]
    return order
