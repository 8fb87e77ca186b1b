# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the objects of a stack say about a model: pods, selector, ports, endpoint picker, conditions.

A snapshot is a dict of lists of objects: pods, services, workloads (Deployments and LeaderWorkerSets), gateways,
routes, pools. A spec is one model: name, model, path_prefix, hostname, pool, labels (pod selector), port.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

Object = dict[str, t.Any]
ROLE_LABEL = "llm-d.ai/role"
WORKER_LABEL = "leaderworkerset.sigs.k8s.io/worker-index"
PORT_ARGUMENT = re.compile(r"(?<!\S)--port[= ]+[\"']?(\d+)")


@dataclasses.dataclass
class Check:
    """One answer about one model. claim: an object's own statement, which a path that serves overrules."""

    model: str
    name: str
    ok: bool
    detail: str
    hint: str = ""
    claim: bool = False
    seconds: float = 0.0


def failed(spec: Object, name: str, detail: str, hint: str, claim: bool = True) -> Check:
    """Return a check of a model that does not hold."""
    return Check(spec["name"], name, False, detail, hint, claim)


def labels_of(item: Object) -> dict[str, str]:
    """Return an object's labels."""
    return item.get("metadata", {}).get("labels") or {}


def name_of(item: Object) -> str:
    """Return an object's name."""
    return item["metadata"]["name"]


def namespace_of(item: Object) -> str:
    """Return an object's namespace, "" for none."""
    return item["metadata"].get("namespace") or ""


def matches(labels: dict[str, str], selector: dict[str, str]) -> bool:
    """Return whether labels satisfy a selector; an empty selector matches nothing, as in a Service."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def text_of(labels: dict[str, str]) -> str:
    """Return labels as one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in sorted(labels.items())) + "}"


def condition(conditions: list[Object] | None, kind: str) -> Object | None:
    """Return the condition of a type, None where it is not there."""
    return next((item for item in conditions or [] if item.get("type") == kind), None)


def is_alive(pod: Object) -> bool:
    """Return whether a pod counts: not being deleted, finished or evicted."""
    status = pod.get("status") or {}
    return not pod["metadata"].get("deletionTimestamp") and status.get("phase") not in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    """Return whether a pod takes traffic."""
    state = condition((pod.get("status") or {}).get("conditions"), "Ready")
    return is_alive(pod) and state is not None and state.get("status") == "True"


def is_leader(pod: Object) -> bool:
    """Return whether a pod serves HTTP; the workers of a LeaderWorkerSet do not."""
    return labels_of(pod).get(WORKER_LABEL, "0") == "0"


def is_prefill(pod: Object) -> bool:
    """Return whether a pod only prefills."""
    return labels_of(pod).get(ROLE_LABEL) == "prefill"


def pods_of(spec: Object, snapshot: Object) -> list[Object]:
    """Return the living pods of a model: by its labels, else those that its pool selects, else by the model label."""
    if spec.get("labels"):
        return _alive_with(spec["labels"], snapshot)
    pool = find_pool(spec, snapshot)
    selected = _alive_with(pool_selector(pool), snapshot) if pool else []
    return selected or _alive_with({"llm-d.ai/model": spec["name"]}, snapshot)


def _alive_with(selector: dict[str, str], snapshot: Object) -> list[Object]:
    return [pod for pod in snapshot["pods"] if is_alive(pod) and matches(labels_of(pod), selector)]


def find_pool(spec: Object, snapshot: Object) -> Object | None:
    """Return the model's InferencePool: the named one, else gaie-<name>, else the one that selects its pods."""
    names = [spec["pool"]] if spec.get("pool") else [f"gaie-{spec['name']}"]
    for pool in snapshot["pools"]:
        if name_of(pool) in names:
            return pool
    if spec.get("pool") or not spec.get("labels"):
        return None
    mine = [labels_of(pod) for pod in snapshot["pods"] if matches(labels_of(pod), spec["labels"])]
    return next((p for p in snapshot["pools"] if any(matches(labels, pool_selector(p)) for labels in mine)), None)


def pool_selector(pool: Object) -> dict[str, str]:
    """Return a pool's pod selector (spec.selector.matchLabels in v1, spec.selector in v1alpha2)."""
    selector = pool["spec"].get("selector") or {}
    return selector.get("matchLabels") or {key: value for key, value in selector.items() if isinstance(value, str)}


def pool_ports(pool: Object) -> list[int]:
    """Return a pool's target ports (v1 targetPorts, v1alpha2 targetPortNumber)."""
    spec = pool["spec"]
    ports = [entry["number"] for entry in spec.get("targetPorts") or []]
    return ports or ([spec["targetPortNumber"]] if spec.get("targetPortNumber") else [])


def pool_picker(pool: Object) -> tuple[str, int | None]:
    """Return the endpoint picker's Service and port (v1 endpointPickerRef, v1alpha2 extensionRef)."""
    ref = pool["spec"].get("endpointPickerRef") or pool["spec"].get("extensionRef") or {}
    port = (ref.get("port") or {}).get("number") or ref.get("portNumber")
    return ref.get("name", ""), port


def listening_ports(pod: Object) -> set[int]:
    """Return the ports that a pod's containers say they listen on: --port where given, else containerPorts."""
    spec = pod.get("spec") or {}
    sidecars = [item for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always"]
    ports: set[int] = set()
    for container in [*(spec.get("containers") or []), *sidecars]:
        words = " ".join(map(str, [*(container.get("command") or []), *(container.get("args") or [])]))
        given = {int(port) for port in PORT_ARGUMENT.findall(words)}
        ports |= given or {entry["containerPort"] for entry in container.get("ports") or []}
    return ports


def trouble(pod: Object) -> str:
    """Return why a pod is not ready, in its own words."""
    status = pod.get("status") or {}
    scheduled = condition(status.get("conditions"), "PodScheduled")
    if scheduled and scheduled.get("status") == "False":
        return f"{scheduled.get('reason')}: {scheduled.get('message', '')}"[:300]
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for container in containers:
        state = container.get("state") or {}
        last = ((container.get("lastState") or {}).get("terminated") or {}).get("reason")
        for found in (state.get("waiting"), state.get("terminated")):
            if found and found.get("reason") not in (None, "Completed", "PodInitializing", "ContainerCreating"):
                text = f"container {container['name']}: {found['reason']} {found.get('message') or ''}".strip()
                return text[:300] + (f", last ended by {last}" if last else "")
    return f"phase {status.get('phase', 'unknown')}, not ready"


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
    selected = _alive_with(selector, snapshot)
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
            f"{title} with selector {text_of(selector)} also selects pods of something else: {_some(others)}",
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


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


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
