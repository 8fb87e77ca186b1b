# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a request may go: the pods behind a pool or a Service, and whether the pool's endpoint picker is up."""

from __future__ import annotations

from typing import NamedTuple

from ..cluster.resources import POOL_GROUP
from ..cluster.snapshot import Object, Snapshot, is_ready, labels_of, matches
from .picker_config import picker_config, pool_config
from .servers import Server, server_on

ROLE = "llm-d.ai/role"


class Endpoint(NamedTuple):
    """A pod and the port that is tried on it."""

    pod: Object
    port: int


def selected_pods(snapshot: Snapshot, namespace: str, selector: dict[str, str] | None) -> list[Object]:
    """The Ready pods of a namespace that carry all labels of a selector."""
    return [pod for pod in snapshot.within("Pod", namespace) if matches(labels_of(pod), selector) and is_ready(pod)]


def pool_endpoints(pool: Object, snapshot: Snapshot) -> list[Endpoint]:
    """The Ready pods of a pool, on each target port, whether they listen there or not.

    Where the endpoint picker separates prefill from decode, prefill pods are left to the routing sidecar; a picker
    whose plugins do not, picks them as any pod. Of a picker whose plugins are unknown it is taken that it parts them.
    """
    found = all_endpoints(pool, snapshot)
    splits = pool_config(pool, snapshot).splits
    first = [item for item in found if labels_of(item.pod).get(ROLE) != "prefill"]
    return {True: first, False: found, None: first or found}[splits]


def picker_pool(pod: Object, picker: Server, snapshot: Snapshot) -> Object | None:
    """The pool of a picker's pod: the object that it names, None where that is absent, or what its arguments select."""
    _group, namespace, name = picker.pool
    if name:
        return snapshot.get("InferencePool", namespace, name)
    services = snapshot.within("Service", namespace)
    own = next((item for item in services if matches(labels_of(pod), item["spec"].get("selector"))), None)
    spec = {
        "selector": {"matchLabels": dict(picker.selector)},
        "targetPorts": [{"number": port} for port in picker.targets],
        "endpointPickerRef": {"name": own["metadata"]["name"] if own else ""},
    }
    return {"metadata": {"namespace": namespace, "name": pod["metadata"]["name"]}, "spec": spec}


def all_endpoints(pool: Object, snapshot: Snapshot) -> list[Endpoint]:
    """The Ready pods of a pool, on each target port: among them the gateway chooses where its picker does not."""
    pods = selected_pods(snapshot, pool["metadata"]["namespace"], pool["spec"]["selector"].get("matchLabels"))
    ports = [item["number"] for item in pool["spec"]["targetPorts"]]
    return [Endpoint(pod, port) for pod in pods for port in ports]


def prefill_endpoints(pool: Object, snapshot: Snapshot) -> list[Endpoint]:
    """The Ready prefill pods of a pool on its first target port; none where its endpoint picker knows no prefill."""
    if pool_config(pool, snapshot).splits is False:
        return []
    pods = selected_pods(snapshot, pool["metadata"]["namespace"], pool["spec"]["selector"].get("matchLabels"))
    port = pool["spec"]["targetPorts"][0]["number"]
    return [Endpoint(pod, port) for pod in pods if labels_of(pod).get(ROLE) == "prefill"]


def target_port(service_port: Object, pod: Object) -> int:
    """The pod's port behind a Service port; 0 where the name is not among the container ports."""
    target = service_port.get("targetPort") or service_port["port"]
    if isinstance(target, int):
        return target
    containers = (pod["spec"].get("initContainers") or []) + (pod["spec"].get("containers") or [])
    named = (p["containerPort"] for c in containers for p in c.get("ports") or [] if p.get("name") == target)
    return next(named, 0)


def service_endpoints(service: Object, port: int, snapshot: Snapshot) -> list[Endpoint] | None:
    """The Ready pods of a Service behind one of its ports; None where it has no such port."""
    entry = next((item for item in service["spec"].get("ports") or [] if item["port"] == port), None)
    if entry is None:
        return None
    pods = selected_pods(snapshot, service["metadata"]["namespace"], service["spec"].get("selector"))
    return [Endpoint(pod, target_port(entry, pod)) for pod in pods]


def find_picker(pool: Object, snapshot: Snapshot, *, needs_tls_rule: bool) -> tuple[Endpoint | None, str]:
    """The pod of the pool's endpoint picker that the gateway asks; None and why where it can ask none.

    `needs_tls_rule`: the gateway speaks TLS to a picker only where a DestinationRule says so (Istio).
    """
    namespace, ref = pool["metadata"]["namespace"], pool["spec"]["endpointPickerRef"]
    service = snapshot.get("Service", namespace, ref["name"])
    if service is None:
        return None, f"endpoint picker Service {ref['name']} does not exist"
    number = (ref.get("port") or {}).get("number", 0)
    found = service_endpoints(service, number, snapshot)
    if found is None:
        return None, f"endpoint picker Service {ref['name']} has no port {number}"
    if not found:
        return None, f"endpoint picker Service {ref['name']} has no ready pod"
    wanted = (POOL_GROUP, namespace, pool["metadata"]["name"])
    problems = [_picker_pod_problem(item, wanted, snapshot) for item in found]
    up = [item for item, problem in zip(found, problems, strict=True) if not problem]
    if not up:
        return None, problems[0]
    secure = {bool(server and server.secure) for server in (server_on(item.pod, item.port) for item in up)}
    problem = ""
    if needs_tls_rule and "DestinationRule" in snapshot.served and len(secure) == 1:
        problem = _tls_problem(ref["name"], namespace, snapshot, secure=secure.pop())
    return (None, problem) if problem else (up[0], "")


def _picker_pod_problem(endpoint: Endpoint, pool: tuple[str, str, str], snapshot: Snapshot) -> str:
    server, name = server_on(endpoint.pod, endpoint.port), endpoint.pod["metadata"]["name"]
    if server is None:
        return f"endpoint picker pod {name} does not listen on port {endpoint.port}"
    if server.kind != "epp":
        return f"pod {name} behind the endpoint picker Service is not an endpoint picker"
    if server.pool != pool:
        return f"endpoint picker pod {name} works for pool {'/'.join(server.pool)}, not {'/'.join(pool)}"
    problem = picker_config(endpoint.pod, snapshot).problem
    return f"endpoint picker pod {name} cannot start: {problem}" if problem else ""


def _tls_problem(service: str, namespace: str, snapshot: Snapshot, *, secure: bool) -> str:
    hosts = {f"{service}.{namespace}.svc.cluster.local", f"{service}.{namespace}.svc", f"{service}.{namespace}"}
    told = False
    for rule in snapshot.all("DestinationRule"):
        spec = rule.get("spec") or {}
        names = hosts | {service} if rule["metadata"]["namespace"] == namespace else hosts
        mode = ((spec.get("trafficPolicy") or {}).get("tls") or {}).get("mode")
        told = told or (spec.get("host") in names and mode in ("SIMPLE", "MUTUAL"))
    if told == secure:
        return ""
    if told:
        return f"endpoint picker {service} serves plain gRPC and a DestinationRule says that it serves TLS"
    return f"endpoint picker {service} serves TLS and no DestinationRule says so (trafficPolicy.tls.mode SIMPLE)"
