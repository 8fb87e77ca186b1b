# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about pools: the pods they select, the ports they send to, and the names they share."""

from __future__ import annotations

import typing as t

from ..base.apis import POOL_GROUP
from ..base.data import mapping
from ..base.findings import ERROR, WARNING, Finding
from ..base.names import did_you_mean
from ..base.ours import OLD_SERVING_LABEL, SERVING_LABEL
from ..model.items import InferencePool, Item, Workload
from ..model.model import StackModel
from ..objects.pools import selector_problem
from .base import Rule, Side, container_side, finding, listed, made


def label_side(workload: Workload, label: str = "") -> Side:
    """Return the place of a workload's pod labels, or of one of them."""
    more = (label,) if label else ()
    return Side(workload.item, (*workload.path, "metadata", "labels", *more), "labels", more)


def selector_side(pool: InferencePool, label: str = "") -> Side:
    """Return the place of a pool's selector, or of one label in it."""
    more = (label,) if label else ()
    return Side(pool.item, (*pool.selector_path, *more), "selector", more)


def matches(pool: InferencePool, workload: Workload) -> bool:
    """Return whether a selector takes a workload's pods, wherever they are."""
    labels = workload.carried(pool.selector)
    return bool(pool.selector) and all(labels.get(key) == value for key, value in pool.selector.items())


def selected(pool: InferencePool, model: StackModel) -> list[Workload]:
    """Return the workloads whose pods a pool serves; a pool sees its own namespace only."""
    near = [w for w in model.workloads if w.item.namespace == pool.item.namespace]
    return [workload for workload in near if matches(pool, workload)]


def running(pool: InferencePool, model: StackModel) -> list[Workload]:
    """Return what runs behind a pool of servers that exist: one pod for each sort of them."""
    if not of_existing(pool, model):
        return []
    near = [w for w in model.running if w.item.namespace == pool.item.namespace and matches(pool, w)]
    return list({(w.served, _reached(w)): w for w in reversed(near)}.values())


def of_existing(pool: InferencePool, model: StackModel) -> bool:
    """Return whether a pool is for servers that already run."""
    return any(expected.existing for expected in model.expected_of(pool))


def _planned(model: StackModel) -> list[InferencePool]:
    return [pool for pool in model.pools if not pool.item.live]


def _candidates(pool: InferencePool, model: StackModel) -> list[Workload]:
    """Return the workloads that a pool is meant for: its model's, else the nearest by labels."""
    own = model.own(pool)
    if own or model.expected_of(pool):
        return own
    shared = {id(w): sum(w.labels.get(k) == v for k, v in pool.selector.items()) for w in model.workloads}
    best = max(shared.values(), default=0)
    taken = {id(w) for other in model.pools if other is not pool for w in selected(other, model)}
    near = [w for w in model.workloads if shared[id(w)] == best and w.item.namespace == pool.item.namespace]
    return [w for w in near if id(w) not in taken] or near


def _unmatched(pool: InferencePool, model: StackModel) -> tuple[list[Workload], str] | None:
    """Return the pods that a pool misses and the label that differs; None where it serves what it should."""
    candidates = _candidates(pool, model)
    serving = [w for w in candidates if w.role != "prefill" and w.replicas != 0] or candidates
    if not serving or any(matches(pool, workload) for workload in serving):
        return None
    labels = serving[0].carried(pool.selector)
    label = next((k for k, v in pool.selector.items() if labels.get(k) != v), "")
    return serving, label


def _spellings(label: str, labels: t.Container[str]) -> bool:
    pair = {SERVING_LABEL: OLD_SERVING_LABEL, OLD_SERVING_LABEL: SERVING_LABEL}
    return label in pair and pair[label] in labels and label not in labels


def _selector(model: StackModel, spelling: bool) -> t.Iterator[Finding]:
    for pool in _planned(model):
        missed = _unmatched(pool, model)
        if missed is None:
            continue
        workloads, label = missed
        if _spellings(label, workloads[0].labels) is not spelling:
            continue
        why = selector_problem(pool.selector, workloads[0].carried(pool.selector)) or "its labels differ"
        expected = model.expected_of(pool)
        whose = f" of model {listed(e.name for e in expected)}" if expected else ""
        other = {SERVING_LABEL: OLD_SERVING_LABEL, OLD_SERVING_LABEL: SERVING_LABEL}.get(label, "")
        sides = [label_side(w, other if spelling else label) for w in workloads]
        text = f"pool {pool.item.name}{whose} selects none of its model's pods: {why}"
        yield finding(text, (selector_side(pool, label), *sides), ("selects", pool.item.title))


def selects_pods(model: StackModel) -> t.Iterator[Finding]:
    return _selector(model, spelling=False)


def label_spelling(model: StackModel) -> t.Iterator[Finding]:
    return _selector(model, spelling=True)


def strangers(model: StackModel) -> t.Iterator[Finding]:
    """A pool that takes pods of more than one model."""
    for pool in _planned(model):
        taken, own = [*selected(pool, model), *running(pool, model)], model.own(pool)
        mine = [w for w in taken if w in own] if own else taken[:1]
        others = [w for w in taken if w not in mine and (own or not set(w.served) & set(mine[0].served))]
        others = [w for w in others if w.item.unit != mine[0].item.unit or w.item.live] if mine else []
        if others:
            labels = ", ".join(f"{key}={value}" for key, value in pool.selector.items())
            text = f"pool {pool.item.name} ({labels}) also selects the pods of {listed(w.item.name for w in others)}"
            releases = frozenset(w.item.unit or w.item.name for w in (*mine, *others))
            yield finding(text, (selector_side(pool), *map(label_side, others)), ("overlap", releases))


def namespaces(model: StackModel) -> t.Iterator[Finding]:
    """A pool whose model's pods are in another namespace."""
    for pool in _planned(model):
        if selected(pool, model):
            continue
        own = model.own(pool)
        away = [w for w in own or model.workloads if matches(pool, w) and w.item.namespace != pool.item.namespace]
        if away:
            text = (
                f"pool {pool.item.name} is in namespace {pool.item.namespace}, its model's pods in "
                f"{listed(w.item.namespace for w in away)}: a pool selects pods of its own namespace only"
            )
            yield finding(text, (Side(pool.item), *(Side(w.item) for w in away)), ("selects", pool.item.title))


def unserved(model: StackModel) -> t.Iterator[Finding]:
    """A model whose pods no pool takes."""
    lost = [pool for pool in model.pools if not selected(pool, model)]
    served = {id(w) for pool in model.pools for w in selected(pool, model)}
    for workload in model.workloads:
        free = not workload.item.live and id(workload) not in served and workload.role != "prefill"
        if free and workload.replicas != 0 and model.known("InferencePool") and not lost:
            names = {pool.item.name for pool in model.pools}
            text = f"no pool selects the pods of {workload.item.name} (pools: {listed(names)})"
            wanted = [e.pool for e in model.expected if e.release == workload.item.unit and e.pool not in names]
            key = ("backend", workload.item.namespace, wanted[0]) if wanted else ("unserved", workload.item.unit)
            yield finding(text, (label_side(workload),), key)


def listening(model: StackModel) -> t.Iterator[Finding]:
    """A target port on which nothing listens."""
    for pool in _planned(model):
        taken = [*selected(pool, model), *running(pool, model)]
        wrong = [(w, _reached(w)) for w in taken if w.replicas != 0]
        for port in pool.ports:
            missed = [(w, open_) for w, open_ in wrong if open_ is not None and port not in open_]
            if missed:
                yield _port_finding(pool, port, missed)


def objectives(model: StackModel) -> t.Iterator[Finding]:
    """What an InferenceObjective refers to is a pool of the plan or the cluster, in its own API group."""
    for item in model.items("InferenceObjective", planned_only=True) if model.known("InferencePool") else []:
        ref = mapping(item.spec.get("poolRef"))
        name, group = str(ref.get("name")), str(ref.get("group") or POOL_GROUP)
        near = [pool.item for pool in model.pools if pool.item.namespace == item.namespace]
        if any((pool.name, pool.group) == (name, group) for pool in near):
            continue
        same = next((pool for pool in near if pool.name == name), None)
        why = (
            f"is of {same.group}" if same else f"does not exist there.{did_you_mean(name, [one.name for one in near])}"
        )
        text = f"InferenceObjective {item.name} is for pool {name} of {group}, which {why}"
        side = made(item, ("spec", "poolRef", "group" if same else "name"))
        yield finding(text, (side, *([Side(same)] if same else [])), ("objective", item.title))


def servers_run(model: StackModel) -> t.Iterator[Finding]:
    """A pool for servers that already run takes pods that do."""
    for pool in _planned(model) if "Pod" in model.facts.objects else []:
        near = [one for one in model.live if one.kind == "Pod" and one.namespace == pool.item.namespace and _lives(one)]
        if not of_existing(pool, model) or any(not selector_problem(pool.selector, one.labels) for one in near):
            continue
        labels = ", ".join(f"{key}={value}" for key, value in pool.selector.items())
        names = listed(expected.name for expected in model.expected_of(pool))
        text = f"no pod that runs in {pool.item.namespace} has the labels of model {names} ({labels})"
        closest = max(near, key=lambda one: len(pool.selector.items() & one.labels.items()), default=None)
        if closest:
            text += f"; closest is pod {closest.name}: {selector_problem(pool.selector, closest.labels)}"
        yield finding(text, (selector_side(pool),), ("selects", pool.item.title))


def _lives(pod: Item) -> bool:
    phase = mapping(pod.body.get("status")).get("phase")
    return phase not in ("Succeeded", "Failed") and not mapping(pod.body.get("metadata")).get("deletionTimestamp")


def _reached(workload: Workload) -> tuple[int, ...] | None:
    """Return the ports that requests should go to: the sidecar's where there is one; None where unknown."""
    ports = [server.ports for server in (workload.sidecars or workload.models)]
    known = [port for group in ports if group is not None for port in group]
    return None if any(group is None for group in ports) else tuple(known)


def _port_finding(pool: InferencePool, port: int, missed: list[tuple[Workload, tuple[int, ...]]]) -> Finding:
    sides = [Side(pool.item, pool.ports_path, "ports")]
    for workload, _open in missed:
        server = (workload.sidecars or workload.models)[0]
        path = (*workload.path, "spec", server.key, server.index)
        sides.append(container_side(workload, server, "args") if server.own_port else Side(workload.item, path, "port"))
    behind = [w for w, _open in missed if any(port in (s.ports or ()) for s in w.models)]
    opened = listed(p for _w, ports in missed for p in ports)
    what = (
        f"bypasses the routing sidecar, which listens on {opened}"
        if behind
        else f"is not listened on: the pods listen on {opened}"
    )
    text = f"pool {pool.item.name} sends requests to port {port}, which {what}"
    probes = tuple(("probe", workload.item.title) for workload, _open in missed)
    explained = (("backend-port", pool.item.title), *probes)
    return finding(text, tuple(sides), ("port", pool.item.title), f"set both to {opened}", explained)


RULES = (
    Rule(
        "LLMD101",
        "A pool selects its model's pods",
        ERROR,
        selects_pods,
        "Every label of an InferencePool's selector is on the pods of its model.",
        "The pool is Accepted and the endpoint picker Ready, but requests get 503 (no healthy upstream).",
        "add that label to the pods (modelArtifacts.labels), or select by one that they have",
        "InferencePool v1, spec.selector; F5",
    ),
    Rule(
        "LLMD102",
        "One spelling of the serving label",
        ERROR,
        label_spelling,
        "Pool and pods write the label the same way: llm-d.ai/inference-serving or llm-d.ai/inferenceServing.",
        "Everything deploys without an error and serves nothing: the pool has no endpoints.",
        "write llm-d.ai/inference-serving, the default of llm-d-modelservice, in both",
        "llm-d-modelservice, values.yaml modelArtifacts.labels; F5",
    ),
    Rule(
        "LLMD103",
        "A pool selects no other model's pods",
        ERROR,
        strangers,
        "The selector of a pool matches the pods of one model only.",
        "Some requests reach the other model and fail with 404 (model does not exist), or get its answers.",
        "add a label to the selector that only this model's pods carry, for example llm-d.ai/model",
        "InferencePool v1, spec.selector; llm-d/llm-d-router#158",
    ),
    Rule(
        "LLMD104",
        "Target ports are listened on",
        ERROR,
        listening,
        "Each target port of a pool is one on which its pods serve: the routing sidecar's, else the model server's.",
        "503 or connection refused with all conditions green; past the sidecar, prefill pods are never used.",
        "make the pool's target port, routing.servicePort and the server's --port the same",
        "InferencePool v1, spec.targetPorts; F5, F10; llm-d/llm-d-benchmark#878",
    ),
    Rule(
        "LLMD105",
        "Pool and pods are in one namespace",
        ERROR,
        namespaces,
        "An InferencePool selects pods of its own namespace only.",
        "The pool has no endpoints; requests get 503.",
        "install the pool and its model in the same namespace",
        "InferencePool v1, spec.selector",
    ),
    Rule(
        "LLMD106",
        "Every model has a pool",
        WARNING,
        unserved,
        "The pods of each model are selected by some pool.",
        "The model loads, uses its GPUs and never gets a request.",
        "add a pool that selects these pods, or remove the model",
        "InferencePool v1, spec.selector",
    ),
    Rule(
        "LLMD107",
        "Objectives are for an existing pool",
        WARNING,
        objectives,
        "An InferenceObjective's poolRef names a pool of its namespace, in that pool's API group.",
        "Requests with the objective get the default priority, without an error.",
        "correct name and group of the poolRef; the group of InferencePool v1 is inference.networking.k8s.io",
        "gateway-api-inference-extension, apix/v1alpha2 InferenceObjective",
    ),
    Rule(
        "LLMD108",
        "Servers that exist are found",
        ERROR,
        servers_run,
        "Some pod that runs has the labels of each model with existing: true.",
        "The pool is Accepted, but has no endpoints; requests get 503.",
        "set the model's labels to those of its pods (kubectl get pods --show-labels), or start the servers first",
        "InferencePool v1, spec.selector",
    ),
)
