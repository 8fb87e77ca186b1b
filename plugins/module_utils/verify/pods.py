# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a model's pods, and of its pool's selector and ports against them."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pools import (
    Check,
    alike,
    alive_with,
    failed,
    find_pool,
    is_alive,
    is_leader,
    is_ready,
    labels_of,
    matches,
    name_of,
    pods_of,
    pool_ports,
    pool_selector,
    spelt_otherwise,
    text_of,
    title_of,
    trouble,
    unheard,
)


def wanted_replicas(spec: Object, snapshot: Object) -> int:
    """Return how many pods the workloads of a model ask for, 0 where none is found."""
    return sum(
        int(item["spec"].get("replicas") or 0) * int((item["spec"].get("leaderWorkerTemplate") or {}).get("size") or 1)
        for item in _workloads(spec, snapshot)
    )


def _workloads(spec: Object, snapshot: Object) -> t.Iterator[Object]:
    """Return the workloads whose pods are the model's."""
    for item in snapshot["workloads"]:
        body = item["spec"]
        template = body.get("template") or (body.get("leaderWorkerTemplate") or {}).get("workerTemplate") or {}
        if matches((template.get("metadata") or {}).get("labels") or {}, spec.get("labels") or {}):
            yield item


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
        known = list(_workloads(spec, snapshot)) or spec.get("labels")
        stopped = [item for item in _workloads(spec, snapshot) if item["spec"].get("replicas") == 0]
        detail = detail if known else "its own pods are unknown"
        detail += "".join(f"; {item.get('kind', 'workload')} {name_of(item)} is scaled to 0" for item in stopped)
        return failed(
            spec,
            "pods",
            f"{detail}; no pod has {text_of(spec.get('labels') or {'llm-d.ai/model': spec['name']})}",
            "Check the events of the model's Deployment or LeaderWorkerSet, and its replicas.",
            # Where nothing is known of its pods, its answer says more than that none is found.
            claim=not known,
        )
    detail += "".join(f"; pod {name_of(pod)}: {trouble(pod)}" for pod in unready[:3])
    return Check(spec["name"], "pods", False, detail, "Check the pod's events and logs; verify again once it is ready.")


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
            f"InferencePool {spec['pool']} does not exist; available: {known}",
            "Install the gaie component, or set the right pool.",
        )
    selector, mine = pool_selector(pool), pods_of(spec, snapshot)
    selected = alive_with(selector, snapshot)
    title = title_of(pool)
    if not selected:
        return _selects_nothing(spec, title, selector, mine or alike(selector, filter(is_alive, snapshot["pods"])))
    if not any(is_ready(pod) for pod in selected):
        return failed(
            spec, "selector", f"{title} selects {len(selected)} pods, but none of them is ready", "Make the pods ready."
        )
    own = {name_of(pod) for pod in mine}
    others = [name_of(pod) for pod in selected if mine and name_of(pod) not in own]
    if others:
        return failed(
            spec,
            "selector",
            f"{title} with selector {text_of(selector)} also selects pods of something else: {listed(others, 4)}",
            "Add a unique label to each model's pods and to the pool's selector.",
            claim=False,
        )
    return Check(spec["name"], "selector", True, f"{title} selects {len(selected)} pods")


def _selects_nothing(spec: Object, title: str, selector: dict[str, str], candidates: list[Object]) -> Check:
    detail = f"{title} selects 0 pods: its selector is {text_of(selector)}"
    detail += "".join(f"; pod {name_of(pod)} has {text_of(labels_of(pod))}" for pod in candidates[:2])
    hints = spelt_otherwise(selector, candidates)[::-1]
    hint = "Make the pool's selector and the labels of the model's pods agree."
    return failed(spec, "selector", detail, " ".join([*hints, hint]))


def check_ports(spec: Object, snapshot: Object) -> Check | None:
    """Judge that the selected pods listen on the pool's target ports, as far as they say what they listen on."""
    pool = find_pool(spec, snapshot)
    if pool is None:
        return None
    for pod in filter(is_leader, alive_with(pool_selector(pool), snapshot)):
        missing, listening = unheard(pool, pod)
        if missing:
            detail = (
                f"{title_of(pool)} sends to port {', '.join(missing)}, but pod {name_of(pod)} "
                f"listens on {', '.join(listening)}"
            )
            hint = "Make the pool's target port and the model server's port (--port, containerPort) agree."
            return failed(spec, "ports", detail, hint)
    return Check(spec["name"], "ports", True, f"the pods listen on {', '.join(map(str, pool_ports(pool)))}")
