# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects of a stack as the probe reads them: pods, pools and what they say of themselves.

A snapshot is a dict of lists of objects: pods, services, workloads (Deployments and LeaderWorkerSets), gateways,
routes, pools. A spec is one model: name, model, path_prefix, hostname, pool, labels (pod selector), port.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Object
from ..base.names import did_you_mean
from ..base.ours import MODEL_LABEL, OLD_SERVING_LABEL, SERVING_LABEL
from .pods import condition, container_states
from .servers import flag, servers, words

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


def alike(selector: t.Iterable[str], pods: t.Iterable[Object]) -> list[Object]:
    """Return the pods with a label that is spelt as one of a selector's, but for case and hyphens."""
    keys = set(map(_folded, selector))
    return [pod for pod in pods if keys & set(map(_folded, labels_of(pod)))]


def spelt_otherwise(selector: t.Iterable[str], pods: t.Iterable[Object]) -> list[str]:
    """Return what to do about labels that pods spell otherwise than a pool's selector."""
    carried = {_folded(key): key for pod in pods for key in labels_of(pod)}
    twins = [(key, carried.get(_folded(key), key)) for key in selector]
    return [
        f"The pool has {key}, but the pods have {twin}: use one spelling in both." for key, twin in twins if key != twin
    ]


def _folded(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


def text_of(labels: dict[str, str]) -> str:
    """Return labels as one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in sorted(labels.items())) + "}"


def is_alive(pod: Object) -> bool:
    """Return whether a pod counts: not being deleted, finished or evicted."""
    status = pod.get("status") or {}
    return not pod["metadata"].get("deletionTimestamp") and status.get("phase") not in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    """Return whether a pod takes traffic."""
    return is_alive(pod) and condition(pod, "Ready").get("status") == "True"


def is_leader(pod: Object) -> bool:
    """Return whether a pod serves HTTP; the workers of a LeaderWorkerSet do not."""
    return labels_of(pod).get(WORKER_LABEL, "0") == "0"


def is_prefill(pod: Object) -> bool:
    """Return whether a pod only prefills."""
    return labels_of(pod).get(ROLE_LABEL) == "prefill"


def pods_of(spec: Object, snapshot: Object) -> list[Object]:
    """Return the living pods of a model: by its labels, else those that its pool selects, else by the model label."""
    if spec.get("labels"):
        return alive_with(spec["labels"], snapshot)
    pool = find_pool(spec, snapshot)
    selected = alive_with(pool_selector(pool), snapshot) if pool else []
    return selected or alive_with({MODEL_LABEL: spec["name"]}, snapshot)


def alive_with(selector: dict[str, str], snapshot: Object) -> list[Object]:
    """Return the living pods that a selector matches."""
    return [pod for pod in snapshot["pods"] if is_alive(pod) and matches(labels_of(pod), selector)]


def find_pool(spec: Object, snapshot: Object) -> Object | None:
    """Return the model's InferencePool: the named one, else gaie-<name>, else the one with its pods, else the only one.

    Its pods are known by the spec's labels, by the label of models, and by the names under which they serve.
    """
    pools, named = snapshot["pools"], spec.get("pool")
    for pool in pools:
        if name_of(pool) == (named or f"gaie-{spec['name']}"):
            return pool
    if named:
        return None
    tests: tuple[t.Callable[[Object], bool], ...] = (
        lambda pod: matches(labels_of(pod), spec.get("labels") or {}),
        lambda pod: labels_of(pod).get(MODEL_LABEL) == spec["name"],
        lambda pod: spec.get("model") in served_names(pod),
    )
    for test in tests:
        mine = [labels_of(pod) for pod in snapshot["pods"] if test(pod)]
        for pool in pools:
            if any(matches(labels, pool_selector(pool)) for labels in mine):
                return pool
    return pools[0] if len(pools) == 1 else None


def served_names(pod: Object) -> set[str]:
    """Return the names of models that a pod's servers say they serve."""
    return {name for server in servers(pod.get("spec") or {}, namespace_of(pod))[0] for name in server.names}


def pool_selector(pool: Object) -> dict[str, str]:
    """Return a pool's pod selector (spec.selector.matchLabels in v1, spec.selector in v1alpha2)."""
    selector = pool["spec"].get("selector") or {}
    return selector.get("matchLabels") or {key: value for key, value in selector.items() if isinstance(value, str)}


def pool_ports(pool: Object) -> list[int]:
    """Return a pool's target ports (v1 targetPorts, v1alpha2 targetPortNumber)."""
    spec = pool["spec"]
    ports = [entry["number"] for entry in spec.get("targetPorts") or []]
    return ports or ([spec["targetPortNumber"]] if spec.get("targetPortNumber") else [])


def pool_parents(pool: Object) -> list[Object]:
    """Return what Gateways say of a pool (v1 status.parents, v1alpha2 status.parent)."""
    status = pool.get("status") or {}
    return status.get("parents") or status.get("parent") or []


def pool_picker(pool: Object) -> tuple[str, int | None]:
    """Return the endpoint picker's Service and port (v1 endpointPickerRef, v1alpha2 extensionRef)."""
    ref = pool["spec"].get("endpointPickerRef") or pool["spec"].get("extensionRef") or {}
    port = (ref.get("port") or {}).get("number") or ref.get("portNumber")
    return ref.get("name", ""), port


def is_picker(line: list[str]) -> bool:
    """Return whether a command line is an endpoint picker's: of a pool that is an object, or of pods by labels."""
    return flag(line, "pool-name") is not None or flag(line, "endpoint-selector") is not None


def title_of(pool: Object) -> str:
    """Return a pool for a message."""
    return f"{pool.get('kind') or 'InferencePool'} {name_of(pool)}"


def own_pool(workload: Object) -> Object | None:
    """Return the pool of a picker that selects its pods by --endpoint-selector, as if it were an object.

    llm-d-router, chart llm-d-router-standalone with router.inferencePool.create false: RELEASE-epp, port 9002.
    """
    template = (workload.get("spec") or {}).get("template") or {}
    for container in (template.get("spec") or {}).get("containers") or []:
        line = words(container)
        selector = flag(line, "endpoint-selector")
        if selector is None or flag(line, "pool-name") is not None:
            continue
        name, pairs = name_of(workload), [pair.partition("=") for pair in selector.split(",")]
        ports = [int(port) for port in (flag(line, "endpoint-target-ports") or "").split(",") if port.isdigit()]
        spec = {
            "selector": {"matchLabels": {key: value for key, equals, value in pairs if equals}},
            "targetPorts": [{"number": port} for port in ports],
            "endpointPickerRef": {"name": name, "port": {"number": 9002}},
        }
        metadata = {"name": name.removesuffix("-epp"), "namespace": namespace_of(workload)}
        return {"kind": "router", "metadata": metadata, "spec": spec}
    return None


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


def unheard(pool: Object, pod: Object) -> tuple[list[str], list[str]]:
    """Return the pool's ports that a pod does not listen on, none where it does not say, and those that it does."""
    listening = listening_ports(pod)
    missing = [port for port in pool_ports(pool) if port not in listening] if listening else []
    return list(map(str, missing)), list(map(str, sorted(listening)))


def trouble(pod: Object) -> str:
    """Return why a pod is not ready, in its own words."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return f"{scheduled.get('reason')}: {scheduled.get('message', '')}"[:300]
    for container in container_states(pod):
        state = container.get("state") or {}
        last = ((container.get("lastState") or {}).get("terminated") or {}).get("reason")
        for found in (state.get("waiting"), state.get("terminated")):
            if found and found.get("reason") not in (None, "Completed", "PodInitializing", "ContainerCreating"):
                text = f"container {container['name']}: {found['reason']} {found.get('message') or ''}".strip()
                return text[:300] + (f", last exited with {last}" if last else "")
    return f"phase {(pod.get('status') or {}).get('phase', 'unknown')}, not ready"


def selector_problem(selector: dict, labels: dict) -> str | None:
    """Return why a selector does not select pods with these labels, or None where it does."""
    for key, value in selector.items():
        if labels.get(key) == value:
            continue
        if key == OLD_SERVING_LABEL and SERVING_LABEL in labels:
            return f"the selector requires {key}, but the model's pods have {SERVING_LABEL}"
        if key == SERVING_LABEL and OLD_SERVING_LABEL in labels:
            return f"the selector requires {key}, but the model's pods have {OLD_SERVING_LABEL}"
        if key in labels:
            return f"the selector requires {key}={value!r}, but the model's pods have {key}={labels[key]!r}"
        return f"the selector requires {key}={value!r}, which the model's pods do not have.{did_you_mean(key, labels)}"
    return None if selector else "the selector is empty"
