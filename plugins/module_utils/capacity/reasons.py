# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Why pods have no node: which condition leaves none, and what would mend it."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping
from ..base.names import did_you_mean
from ..base.quantities import shown, written
from ..base.words import listed, plural
from ..objects.servers import is_accelerator
from .nodes import ClusterNode, node_terms, repelling, selects, trouble
from .pods import PodNeed

BUSY, SMALL, UNKNOWN, APART = "busy", "small", "unknown", "apart"
LABELS, TAINTS, TROUBLE = "labels", "taints", "trouble"
_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Reason:
    """kind: one of the above; key: what the finding is about, in a container or a pod's spec; detail: its subject."""

    kind: str
    text: str
    remedy: str = ""
    key: str = "resources"
    detail: str = ""


def selection(need: PodNeed) -> str:
    """Return what a pod asks of its node's labels, as text; '' for nothing."""
    texts = [f"nodeSelector {key}={value}" for key, value in sorted(need.selector.items(), key=str)]
    for term in (node_terms(need) or [])[:_SHOWN]:
        texts.append("affinity " + term_text(term))
    texts += [f"nodeName {need.spec['nodeName']}"] if need.spec.get("nodeName") else []
    return ", ".join(texts)


def term_text(term: Object) -> str:
    """Return a term of a node selector as text: 'zone In a|b and arch In arm64'."""
    expressions = dicts(mapping(term).get("matchExpressions")) + dicts(mapping(term).get("matchFields"))
    return " and ".join(map(_expression, expressions))


def _expression(item: Object) -> str:
    values = item["values"] if isinstance(item.get("values"), list) else []
    return " ".join(filter(None, (str(item.get("key")), str(item.get("operator")), "|".join(map(str, values)))))


def reason(
    need: PodNeed, nodes: t.Sequence[ClusterNode], known: bool = True, before: t.Sequence[ClusterNode] = ()
) -> Reason:
    """Return why a pod has no node.

    nodes: as full as they are then; before: as they are without the plan; known: whether it is known how full they are.
    """
    if not nodes:
        return Reason(TROUBLE, "the cluster has no node")
    absent = [name for name in need.wanted if not any(node.allocatable.get(name) for node in nodes)]
    if absent:
        return _absent(absent, nodes)
    matching = [node for node in nodes if selects(need, node)]
    if not matching:
        return _labels(need, nodes)
    able = [node for node in matching if node.holds(need.requests, empty=True)]
    if not able:
        return _small(need, nodes, matching)
    open_to = [node for node in able if not repelling(need, node)]
    if not open_to:
        return _taints(need, able)
    sound = [node for node in open_to if not trouble(need, node)]
    if not sound:
        states = collections.Counter(trouble(need, node) for node in open_to)
        text = f"of the nodes that could hold it, {_counted(states)}"
        return Reason(TROUBLE, text, f"repair or uncordon {listed(node.name for node in open_to)}")
    if any(node.holds(need.requests) for node in sound) or not known:
        spread = dicts(need.spec.get("topologySpreadConstraints"))
        what = "topologySpreadConstraints" if spread else "required pod affinity or anti-affinity"
        text = f"{len(sound)} nodes have room, but {what} of this or other pods exclude all of them"
        return Reason(APART, text, key="affinity")
    return _busy(need, matching, able, sound, before)


def _absent(absent: list[str], nodes: t.Sequence[ClusterNode]) -> Reason:
    known = sorted({name for node in nodes for name, value in node.allocatable.items() if value and "/" in name})
    name = absent[0]
    # The name of another vendor's accelerators is no misspelling.
    guess = "" if is_accelerator(name) else did_you_mean(name, known)
    text = f"no node has {' or '.join(absent)}.{guess}"
    text += f" Nodes have: {', '.join(known) or 'no such devices'}"
    return Reason(UNKNOWN, text, detail=name)


def _labels(need: PodNeed, nodes: t.Sequence[ClusterNode]) -> Reason:
    text = f"no node matches {selection(need)}"
    for key, value in need.selector.items():
        values = sorted({str(node.labels[key]) for node in nodes if key in node.labels})
        if values and str(value) not in values:
            near = did_you_mean(str(value), values)
            return Reason(LABELS, f"{text}; nodes have {key}: {listed(values)}.{near}", key="nodeSelector")
        if not values:
            near = did_you_mean(key, {name for node in nodes for name in node.labels})
            return Reason(LABELS, f"{text}; no node has the label {key}.{near}", key="nodeSelector")
    for term in node_terms(need) or []:
        for item in dicts(term.get("matchExpressions")):
            values = sorted({str(node.labels[item["key"]]) for node in nodes if str(item.get("key")) in node.labels})
            have = f"nodes have {item.get('key')}: {listed(values)}" if values else f"no node has {item.get('key')}"
            near = "" if values else did_you_mean(str(item.get("key")), {name for one in nodes for name in one.labels})
            return Reason(LABELS, f"{text}; {have}.{near}", key="affinity")
    if need.selector:
        text += "; each of these labels is on some node, but no node has all of them"
    return Reason(LABELS, text, key="nodeSelector" if need.selector else "affinity")


def _small(need: PodNeed, nodes: t.Sequence[ClusterNode], matching: list[ClusterNode]) -> Reason:
    short = {
        name for name in need.wanted if not any(node.allocatable.get(name, 0) >= need.wanted[name] for node in matching)
    }
    most = {name: max(node.allocatable.get(name, 0) for node in matching) for name in sorted(short)}
    has = " and ".join(f"the most that one has is {shown(name, value)} {name}" for name, value in most.items())
    has = has or "no single node has all of it"
    others = [node for node in nodes if node.holds(need.requests, empty=True)]
    where = f"of the {_match(need, matching)}, " if selection(need) else ""
    text = f"no node is large enough: {where}{has}"
    if others:
        return Reason(
            SMALL, f"{text}; {listed(node.name for node in others)} could, without those labels", key="nodeSelector"
        )
    return Reason(SMALL, text)


def _taints(need: PodNeed, able: list[ClusterNode]) -> Reason:
    """Name the taints of the node that lacks the fewest tolerations."""
    best = min(able, key=lambda node: len(repelling(need, node)))
    taints = repelling(need, best)
    counted = collections.Counter(taint_text(taint) for node in able for taint in repelling(need, node))
    text = f"{plural(len(able), 'node')} could hold it, but have taints that it does not tolerate: {_counted(counted)}"
    wanted = "; ".join(_toleration(taint) for taint in taints)
    return Reason(TAINTS, text, f"add tolerations: {wanted}", "tolerations", wanted)


def taint_text(taint: Object) -> str:
    """Return a taint as kubectl writes it: key=value:Effect."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"


def _toleration(taint: Object) -> str:
    value = f"operator: Equal, value: {taint['value']!r}" if taint.get("value") else "operator: Exists"
    return f"[{{key: {taint.get('key')}, {value}, effect: {taint.get('effect')}}}]"


def _busy(
    need: PodNeed,
    matching: list[ClusterNode],
    able: list[ClusterNode],
    sound: list[ClusterNode],
    before: t.Sequence[ClusterNode],
) -> Reason:
    """Name the resource that most nodes lack, where the most of it is free, and how much in all."""
    lacking = collections.Counter(
        name for node in sound for name, value in need.requests.items() if value > node.free(name)
    )
    name = max(lacking, key=lambda name: (lacking[name], "/" in name))
    best = max(sound, key=lambda node: node.free(name))
    free = sum(node.free(name) for node in sound)
    that = _match(need, matching).replace(" that ", " ", 1)
    match = that if selection(need) else f"{plural(len(sound), 'node')} could hold it"
    text = f"{match}, most free on one: {best.name} with {shown(name, best.free(name))} {name}"
    names = {node.name for node in sound}
    earlier = sum(node.free(name) for node in before if node.name in names)
    notes = [f"{shown(name, free)} free in all"] if len(sound) > 1 else []
    notes += [f"{shown(name, earlier)} before the rest of the plan"] if earlier > free else []
    text += f" ({', '.join(notes)})" if notes else ""
    tight = [node for node in sound if node.free(name) >= need.requests[name]]
    also = sorted({other for node in tight for other, value in need.requests.items() if value > node.free(other)})
    text += f"; nodes with enough of it lack {', '.join(also)}" if also else ""
    shut = [node for node in able if node.name not in names]
    for node in shut[:_SHOWN]:
        taints = repelling(need, node)
        why = f"has the taint {taint_text(taints[0])}" if taints else f"is {trouble(need, node)}"
        text += f"; {node.name} could hold it but {why}"
    return Reason(BUSY, text, detail=name)


def asks(need: PodNeed) -> str:
    """Return 'each asks for 8 nvidia.com/gpu, 4 cpu'."""
    return f"each requests {written(need.wanted)}"


def _match(need: PodNeed, matching: t.Sequence[ClusterNode]) -> str:
    return f"{plural(len(matching), 'node')} that match{'es' if len(matching) == 1 else ''} {selection(need)}"


def _counted(counts: collections.Counter) -> str:
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in counts.most_common(_SHOWN))
