# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: pools that select nothing that serves, and pickers that cannot be reached."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pools import (
    alike,
    is_leader,
    is_ready,
    labels_of,
    matches,
    pool_picker,
    pool_selector,
    spelt_otherwise,
    text_of,
    unheard,
)
from .base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof
from .evidence import Evidence, clean, ref

_WORKLOADS = ("Deployment", "StatefulSet", "LeaderWorkerSet")


def selected(evidence: Evidence, pool: Object) -> list[Object]:
    """Return the pods that a pool selects."""
    wanted = pool_selector(pool)
    return [pod for pod in evidence.pods if matches(labels_of(pod), wanted)]


def templates(item: Object) -> list[dict[str, str]]:
    """Return the labels that a workload gives its pods: of a LeaderWorkerSet the leader's and the workers'."""
    spec = item.get("spec") or {}
    group = spec.get("leaderWorkerTemplate") or {}
    bodies = [spec.get("template"), group.get("leaderTemplate"), group.get("workerTemplate")]
    return [(body.get("metadata") or {}).get("labels") or {} for body in bodies if body]


def makers_of(evidence: Evidence, selector: dict[str, str]) -> list[Object]:
    """Return the workloads whose pods a selector would select."""
    items = [item for kind in _WORKLOADS for item in evidence.of(kind)]
    return [item for item in items if any(matches(labels, selector) for labels in templates(item))]


def _selects_nothing(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("Pod"):
        return
    for pool in evidence.of("InferencePool"):
        selector = pool_selector(pool)
        if selected(evidence, pool) or makers_of(evidence, selector):
            continue
        near = alike(selector, evidence.pods)
        carried = [f"pod {pod['metadata']['name']} carries {text_of(labels_of(pod))}" for pod in near[:2]]
        found = "; ".join(carried) or "no pod of the namespace carries any of these labels"
        text = f"the pool selects {text_of(selector)}; {found}"
        remedy = "".join(spelt_otherwise(selector, near)[:1])
        yield Proof((ref(pool),), clean(text, 500), key=ref(pool)[2], since=evidence.since(pool), remedy=remedy)


def _scaled_to_nothing(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        makers = makers_of(evidence, pool_selector(pool))
        if makers and not selected(evidence, pool) and all((m.get("spec") or {}).get("replicas") == 0 for m in makers):
            names = [f"{maker.get('kind')} {maker['metadata']['name']}" for maker in makers]
            text = f"scaled to 0: {listed(names)}"
            yield Proof((ref(pool), *map(ref, makers)), text, key=ref(pool)[2])


def _none_ready(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        pods, makers = selected(evidence, pool), makers_of(evidence, pool_selector(pool))
        if any(map(is_ready, pods)) or not (pods or makers):
            continue
        because = (*map(ref, pods), *map(ref, makers))
        text = f"it selects {len(pods)} pods, none of them is ready"
        yield Proof((ref(pool),), text, key=ref(pool)[2], since=evidence.since(pool), because=because)


def _wrong_port(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        for pod in filter(is_leader, selected(evidence, pool)):
            missing, listening = unheard(pool, pod)
            if missing:
                name = pod["metadata"]["name"]
                text = f"the pool sends to port {listed(missing)}; pod {name} listens on {listed(listening, 6)}"
                yield Proof((ref(pool),), text, key=ref(pool)[2], since=evidence.since(pool))
                break


def _no_picker(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("Service"):
        return
    for pool in evidence.of("InferencePool"):
        name, wanted = pool_picker(pool)
        if not name:
            continue
        service = evidence.find("Service", name)
        known = [item["metadata"]["name"] for item in evidence.of("Service")]
        ports = [port.get("port") for port in ((service or {}).get("spec") or {}).get("ports") or []]
        if service is None:
            text = (
                f"the pool's picker is the Service {name}, which does not exist; there is: {listed(known, 5) or 'none'}"
            )
        elif wanted and wanted not in ports:
            text = f"the pool asks its picker on port {wanted}; the Service {name} has {listed(map(str, ports), 5)}"
        else:
            continue
        yield Proof((ref(pool),), text, key=ref(pool)[2], since=evidence.since(pool))


def _picker_down(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        service = evidence.find("Service", pool_picker(pool)[0])
        selector = ((service or {}).get("spec") or {}).get("selector") or {}
        if service is None or not selector:
            continue
        pods = [pod for pod in evidence.pods if matches(labels_of(pod), selector)]
        if any(map(is_ready, pods)):
            continue
        makers = makers_of(evidence, selector)
        text = f"its picker, Service {ref(service)[2]} ({text_of(selector)}), has {len(pods)} pods, none of them ready"
        yield Proof((ref(pool),), text, key=ref(pool)[2], because=(*map(ref, pods), *map(ref, makers)))


def _pool_refused(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        status = pool.get("status") or {}
        for parent in status.get("parents") or status.get("parent") or []:
            for entry in parent.get("conditions") or []:
                if entry.get("status") == "False" and entry.get("type") in ("Accepted", "ResolvedRefs"):
                    text = f"{entry['type']}=False {entry.get('reason')}: {clean(entry.get('message'))}"
                    routes = tuple(ref(item) for item in evidence.of("HTTPRoute"))
                    because = (ref(pool), *routes)
                    yield Proof((ref(pool),), text, key=ref(pool)[2], because=because)


RULES = (
    Diagnosis(
        "DIAG731", "The pool selects no pods: labels do not agree", _selects_nothing,
        "InferencePool accepted, picker ready, answers 503 (no healthy upstream)",
        "The pool's selector and the labels of the model's pods differ.",
        "Make the pool's selector and the labels of the model's pods (modelArtifacts.labels) agree.",
        "F5; llm-d/llm-d#2212; kubernetes-sigs/gateway-api-inference-extension#1430",
    ),
    Diagnosis(
        "DIAG732", "The pool sends to a port on which its pods do not listen", _wrong_port,
        "InferencePool accepted, answers 503 or connection refused",
        "The pool's target port is not the model server's (with a sidecar: not the sidecar's).",
        "Make the pool's target port and the server's --port and containerPort agree.",
        "F5; llm-d/llm-d-router#1695, #1665; llm-d/llm-d-benchmark#878",
    ),
    Diagnosis(
        "DIAG733", "The pool's endpoint picker cannot be asked", _no_picker,
        "InferencePool ResolvedRefs=False: InvalidExtensionRef; answers 500",
        "The Service that the pool names as its picker does not exist, or has no such port.",
        "Make endpointPickerRef (extensionRef) and the picker's Service agree in name and port.",
        "F10; kserve/kserve#5331",
    ),
    Diagnosis(
        "DIAG734", "The pool's model is scaled to nothing", _scaled_to_nothing,
        "InferencePool without endpoints, Deployment with 0 replicas",
        "Somebody or an autoscaler has set the replicas to 0.",
        "Scale the workload up, or leave it so on purpose.",
        "F5", WARNING,
    ),
    Diagnosis(
        "DIAG735", "No pod of the pool is ready", _none_ready,
        "InferencePool without ready endpoints, answers 503",
        "The pool selects pods or a workload, and none is ready.",
        "See why the pods are not ready: their events and logs.",
        "F5", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG736", "No endpoint picker of the pool is ready", _picker_down,
        "InferencePool accepted, answers 500",
        "The Service that the pool names as its picker has no ready pod.",
        "See why the picker's pods are not ready; where there are none, why its Deployment makes none.",
        "F10", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG737", "The Gateway refuses the pool", _pool_refused,
        "InferencePool Accepted=False or ResolvedRefs=False",
        "The Gateway's controller cannot use the pool: no accepted route leads to it, or its picker is not found.",
        "See the routes to the pool and its endpointPickerRef. Statuses of pools go stale: touch the pool.",
        "GAIE api/v1, InferencePool conditions", WARNING, SYMPTOM,
    ),
)  # fmt: skip
