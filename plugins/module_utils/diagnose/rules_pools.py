# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: pools that select nothing that serves, and pickers that cannot be reached."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pods import container_states, ended
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
from ..objects.servers import flag, words
from .base import ERROR, REST, SYMPTOM, WARNING, Diagnosis, Proof
from .evidence import Evidence, Ref, clean, ref

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


def pickers_of(evidence: Evidence, pool: Object) -> list[Object]:
    """Return a pool's pickers: the pods behind the Service that it names, and those told to watch it."""
    service = evidence.find("Service", pool_picker(pool)[0], ref(pool)[1] or None)
    selector = ((service or {}).get("spec") or {}).get("selector") or {}
    return [pod for pod in evidence.pods if matches(labels_of(pod), selector) or _watches(pod) == ref(pool)[2]]


def _watches(pod: Object) -> str:
    containers = (pod.get("spec") or {}).get("containers") or []
    return next((name for container in containers if (name := flag(words(container), "pool-name"))), "")


def waiting_pickers(evidence: Evidence) -> dict[Ref, Object]:
    """Return the pickers that run, are not ready, and have no ready pod to pick, each with its pool."""
    found: dict[Ref, Object] = {}
    for pool in evidence.of("InferencePool"):
        if any(map(is_ready, selected(evidence, pool))):
            continue
        for pod in pickers_of(evidence, pool):
            states = [state for state in container_states(pod) if not state.get("ready")]
            runs = all("running" in (state.get("state") or {}) and not ended(state) for state in states)
            if states and runs and not is_ready(pod):
                found[ref(pod)] = pool
    return found


def _picker_waits(evidence: Evidence) -> t.Iterator[Proof]:
    for picker, pool in waiting_pickers(evidence).items():
        pods, makers = selected(evidence, pool), makers_of(evidence, pool_selector(pool))
        text = f"it is running, but none of the {len(pods)} pods of its pool {ref(pool)[2]} is ready"
        because = (*map(ref, pods), *map(ref, makers), ref(pool))
        yield Proof((picker,), text, ref(pool)[2], evidence.since(pool), because)


def _selects_nothing(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("Pod"):
        return
    for pool in evidence.of("InferencePool"):
        selector = pool_selector(pool)
        if selected(evidence, pool) or makers_of(evidence, selector):
            continue
        near = alike(selector, evidence.pods)
        carried = [f"pod {pod['metadata']['name']} has {text_of(labels_of(pod))}" for pod in near[:2]]
        found = "; ".join(carried) or "no pod of the namespace has any of these labels"
        text = f"the pool selects {text_of(selector)}; {found}"
        remedy = "".join(spelt_otherwise(selector, near)[:1])
        yield Proof((ref(pool),), clean(text, 500), key=ref(pool)[2], since=evidence.since(pool), remedy=remedy)


# Keys of annotations by which autoscalers and schedules stop a workload.
_STOPS = re.compile(
    r"paus|downscal|downtime|uptime|original-?replicas|replicas-?before|suspend|hibernat|sleep|snooze|idle|"
    r"scale-?(?:d-?)?(?:down|to-?zero)|(?:^|[/.-])stop(?:ped)?(?:$|[/.-])",
    re.IGNORECASE,
)
_SCALERS = ("ScaledObject", "HorizontalPodAutoscaler")


def stopped_by(evidence: Evidence, item: Object) -> str:
    """Return who set a workload's replicas to 0, as far as it or its autoscaler tells; '' for nothing known."""
    texts = marks(evidence, item) + [f"{ref(one)[0]} {ref(one)[2]} scales it" for one in scalers_of(evidence, item)]
    setters = [
        entry
        for entry in item["metadata"].get("managedFields") or []
        if "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    ]
    if setters:
        last = max(setters, key=lambda entry: str(entry.get("time")))
        texts.append(f"replicas were set by {last.get('manager')} at {last.get('time')}")
    return "; ".join(texts)


def scalers_of(evidence: Evidence, item: Object) -> list[Object]:
    """Return a workload's autoscalers."""
    wanted = (item.get("kind"), ref(item)[2])
    scalers = [
        (one, (one.get("spec") or {}).get("scaleTargetRef") or {}) for kind in _SCALERS for one in evidence.of(kind)
    ]
    return [one for one, target in scalers if (target.get("kind", "Deployment"), target.get("name")) == wanted]


def marks(evidence: Evidence, item: Object) -> list[str]:
    """Return the annotations of a workload, its autoscalers and its namespace that tell of stopping it."""
    places = [item, *scalers_of(evidence, item), evidence.phase]
    return [text for one in places for text in _annotations(one)]


def _annotations(item: Object) -> list[str]:
    metadata = item.get("metadata") or {}
    found = {key: value for key, value in (metadata.get("annotations") or {}).items() if _STOPS.search(key)}
    where = f"{item.get('kind')} {metadata.get('name')}"
    return [f"annotation {key}: {value} of {where}" for key, value in sorted(found.items())]


def _scaled_to_nothing(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        makers = makers_of(evidence, pool_selector(pool))
        if makers and not selected(evidence, pool) and all((m.get("spec") or {}).get("replicas") == 0 for m in makers):
            names = [f"{maker.get('kind')} {ref(maker)[2]}" for maker in makers]
            why = list(dict.fromkeys(text for maker in makers if (text := stopped_by(evidence, maker))))
            text = "; ".join([f"scaled to 0: {listed(names)}", *why])
            marked = any(marks(evidence, maker) for maker in makers)
            remedy = (
                "Remove that annotation, or ask its owner, then scale the workload up: otherwise it is scaled down "
                "again."
                if marked
                else ""
            )
            scaled = any(scalers_of(evidence, maker) for maker in makers)
            severity = WARNING if scaled and not marked else ERROR
            objects = (ref(pool), *map(ref, makers))
            yield Proof(objects, clean(text), key=ref(pool)[2], remedy=remedy, severity=severity)


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
                text = f"the pool sends to port {listed(missing)}, but pod {name} listens on {listed(listening, 6)}"
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
                f"the pool's picker is the Service {name}, which does not exist; available: "
                f"{listed(known, 5) or 'none'}"
            )
        elif wanted and wanted not in ports:
            text = f"the pool uses its picker's port {wanted}, but the Service {name} has {listed(map(str, ports), 5)}"
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
        for maker in makers:
            if (maker.get("spec") or {}).get("replicas") == 0:
                text += "; ".join(
                    [f"; {maker.get('kind')} {ref(maker)[2]} is scaled to 0", stopped_by(evidence, maker)]
                ).rstrip("; ")
        yield Proof((ref(pool),), text, key=ref(pool)[2], because=(*map(ref, pods), *map(ref, makers)))


def _pool_refused(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        status = pool.get("status") or {}
        for parent in status.get("parents") or status.get("parent") or []:
            for entry in parent.get("conditions") or []:
                refused = entry.get("status") == "False" and entry.get("type") in ("Accepted", "ResolvedRefs")
                if refused and not _gone(evidence, parent, ref(pool)[1]):
                    text = f"{entry['type']}=False {entry.get('reason')}: {clean(entry.get('message'))}"
                    routes = tuple(ref(item) for item in evidence.of("HTTPRoute"))
                    because = (ref(pool), *routes)
                    yield Proof((ref(pool),), text, key=ref(pool)[2], because=because)


def _gone(evidence: Evidence, parent: Object, home: str) -> bool:
    """Return whether a status is of a Gateway that is there no more: its controller clears up late, or never."""
    reference = parent.get("parentRef") or {}
    namespace = str(reference.get("namespace") or home)
    known = evidence.seen("Gateway") and namespace == evidence.namespace
    return known and evidence.find("Gateway", reference.get("name"), namespace) is None and bool(reference.get("name"))


RULES = (
    Diagnosis(
        "DIAG731", "The pool selects no pods: the labels differ", _selects_nothing,
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
        "DIAG733", "The pool's endpoint picker cannot be reached", _no_picker,
        "InferencePool ResolvedRefs=False: InvalidExtensionRef; answers 500",
        "The Service that the pool names as its picker does not exist, or has no such port.",
        "Make endpointPickerRef (extensionRef) and the picker's Service agree in name and port.",
        "F10; kserve/kserve#5331",
    ),
    Diagnosis(
        "DIAG734", "The pool's model is scaled to 0", _scaled_to_nothing,
        "InferencePool without endpoints, Deployment with 0 replicas, perhaps with an annotation of who did it",
        "A user, a schedule or an autoscaler has set the replicas to 0.",
        (
            "Scale the workload up, unless it is scaled to 0 on purpose: an autoscaler may scale it up with the next "
            "request (a warning)."
        ),
        "F5",
    ),
    Diagnosis(
        "DIAG735", "No pod of the pool is ready", _none_ready,
        "InferencePool without ready endpoints, answers 503",
        "The pool selects pods or a workload, and none is ready.",
        "Check the events and logs of the pods.",
        "F5", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG736", "No endpoint picker of the pool is ready", _picker_down,
        "InferencePool accepted, answers 500",
        "The Service that the pool names as its picker has no ready pod.",
        "Find out why the picker's pods are not ready; if there are none, why its Deployment creates none.",
        "F10", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG740", "The endpoint picker waits for a model server", _picker_waits,
        "picker Running, not Ready: service unhealthy (NOT_SERVING); no pod of its pool is ready",
        "A picker without a ready pod to pick may report that it does not serve.",
        "Find out why no pod of its pool is ready.",
        "F5; llm-d/llm-d-router, health of the picker", WARNING, REST,
    ),
    Diagnosis(
        "DIAG737", "The Gateway does not accept the pool", _pool_refused,
        "InferencePool Accepted=False or ResolvedRefs=False",
        "The Gateway's controller cannot use the pool: no accepted route refers to it, or its picker is not found.",
        (
            "Check the routes to the pool and its endpointPickerRef. Once the cause is fixed, site.yml makes the "
            "controller reconcile the pool."
        ),
        "GAIE api/v1, InferencePool conditions", WARNING, SYMPTOM,
    ),
)  # fmt: skip
