# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a model's pods, and of its pool's selector and ports against them."""

from __future__ import annotations

from ..base.data import Object
from ..base.words import listed
from ..objects.pools import (
    Check,
    alive_with,
    failed,
    find_pool,
    is_alive,
    is_leader,
    is_ready,
    labels_of,
    listening_ports,
    matches,
    name_of,
    pods_of,
    pool_ports,
    pool_selector,
    text_of,
    trouble,
)


def wanted_replicas(spec: Object, snapshot: Object) -> int:
    """Return how many pods the workloads of a model ask for, 0 where none is found."""
    total = 0
    for item in snapshot["workloads"]:
        body = item["spec"]
        leader = body.get("leaderWorkerTemplate") or {}
        template = body.get("template") or leader.get("workerTemplate") or {}
        if matches((template.get("metadata") or {}).get("labels") or {}, spec.get("labels") or {}):
            total += int(body.get("replicas") or 0) * int(leader.get("size") or 1)
    return total


def _stopped(spec: Object, snapshot: Object) -> list[str]:
    """Return the model's workloads that ask for no pods, as 'Kind name'."""
    found = []
    for item in snapshot["workloads"]:
        body = item["spec"]
        template = body.get("template") or (body.get("leaderWorkerTemplate") or {}).get("workerTemplate") or {}
        labels = (template.get("metadata") or {}).get("labels") or {}
        if body.get("replicas") == 0 and matches(labels, spec.get("labels") or {}):
            found.append(f"{item.get('kind', 'workload')} {name_of(item)}")
    return found


def check_pods(spec: Object, snapshot: Object) -> Check:
    """Judge that every pod which the model's workloads want is ready."""
    pods = pods_of(spec, snapshot)
    unready = [pod for pod in pods if not is_ready(pod)]
    wanted = max(wanted_replicas(spec, snapshot), len(pods))
    ready = len(pods) - len(unready)
    detail = f"{ready} of {wanted} pods are ready"
    if wanted and ready >= wanted:
        return Check(spec["name"], "pods", True, detail)
    if not pods:
        detail += "".join(f"; {name} is scaled to 0" for name in _stopped(spec, snapshot))
        return failed(
            spec,
            "pods",
            f"{detail}; no pod carries {text_of(spec.get('labels') or {'llm-d.ai/model': spec['name']})}",
            "Look at the events of the model's Deployment or LeaderWorkerSet, and at its replicas.",
            claim=False,
        )
    detail += "".join(f"; pod {name_of(pod)}: {trouble(pod)}" for pod in unready[:3])
    return Check(
        spec["name"], "pods", False, detail, "Look at the pod's events and logs; verify again once it is ready."
    )


def check_selector(spec: Object, snapshot: Object) -> Check | None:
    """Judge that the pool selects this model's pods, and no other model's."""
    pool = find_pool(spec, snapshot)
    if pool is None:
        if not spec.get("pool"):
            return None
        known = ", ".join(map(name_of, snapshot["pools"])) or "none"
        return failed(
            spec,
            "selector",
            f"InferencePool {spec['pool']} does not exist; there is: {known}",
            "Install the gaie component, or name the right pool.",
        )
    selector, mine = pool_selector(pool), pods_of(spec, snapshot)
    selected = alive_with(selector, snapshot)
    title = f"InferencePool {name_of(pool)}"
    if not selected:
        keys = {_folded(key) for key in selector}
        alike = [pod for pod in snapshot["pods"] if is_alive(pod) and keys & {_folded(key) for key in labels_of(pod)}]
        return _selects_nothing(spec, title, selector, mine or alike)
    if not any(is_ready(pod) for pod in selected):
        return failed(
            spec, "selector", f"{title} selects {len(selected)} pods, none of them is ready", "Make the pods ready."
        )
    own = {name_of(pod) for pod in mine}
    others = [name_of(pod) for pod in selected if mine and name_of(pod) not in own]
    if others:
        return failed(
            spec,
            "selector",
            f"{title} with selector {text_of(selector)} also selects pods of something else: {listed(others, 4)}",
            "Give each model's pods a label of their own and put it into the pool's selector.",
            claim=False,
        )
    return Check(spec["name"], "selector", True, f"{title} selects {len(selected)} pods")


def _selects_nothing(spec: Object, title: str, selector: dict[str, str], candidates: list[Object]) -> Check:
    detail = f"{title} selects 0 pods: its selector is {text_of(selector)}"
    hint = "Make the pool's selector and the labels of the model's pods agree."
    for pod in candidates[:2]:
        detail += f"; pod {name_of(pod)} carries {text_of(labels_of(pod))}"
    carried = {_folded(key): key for pod in candidates for key in labels_of(pod)}
    for key in selector:
        twin = carried.get(_folded(key))
        if twin and twin != key:
            hint = f"The pool says {key}, the pods say {twin}: use one spelling in both. " + hint
    return failed(spec, "selector", detail, hint)


def _folded(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


def check_ports(spec: Object, snapshot: Object) -> Check | None:
    """Judge that the selected pods listen on the pool's target ports, as far as they say what they listen on."""
    pool = find_pool(spec, snapshot)
    if pool is None:
        return None
    wanted = pool_ports(pool)
    for pod in snapshot["pods"]:
        if not is_alive(pod) or not is_leader(pod) or not matches(labels_of(pod), pool_selector(pool)):
            continue
        listening = listening_ports(pod)
        missing = [port for port in wanted if port not in listening]
        if listening and missing:
            detail = (
                f"InferencePool {name_of(pool)} sends to port {', '.join(map(str, missing))}, but pod {name_of(pod)} "
                f"listens on {', '.join(map(str, sorted(listening)))}"
            )
            hint = "Make the pool's target port and the model server's port (--port, containerPort) agree."
            return failed(spec, "ports", detail, hint)
    return Check(spec["name"], "ports", True, f"the pods listen on {', '.join(map(str, wanted))}")
