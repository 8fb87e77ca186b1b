# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: what really stands behind the Services of pickers and Gateways, and pools without a Gateway."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..objects.pods import condition
from ..objects.pools import pool_picker, text_of
from .base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof
from .evidence import Evidence, Ref, ref, seconds
from .rules_gateways import NAME_LABEL, SILENT, pods_of
from .rules_pools import makers_of
from .rules_routing import leads_to

SERVICE_LABEL = "kubernetes.io/service-name"


def slices_of(evidence: Evidence, service: Object) -> list[Object]:
    """Return a Service's EndpointSlices."""
    _kind, namespace, name = ref(service)
    return [
        item
        for item in evidence.of("EndpointSlice")
        if (item["metadata"].get("labels") or {}).get(SERVICE_LABEL) == name and ref(item)[1] == namespace
    ]


def has_ready(item: Object) -> bool:
    """Return whether a slice has an endpoint that takes requests; one that does not say counts as ready."""
    return any((entry.get("conditions") or {}).get("ready") is not False for entry in item.get("endpoints") or [])


def _port_leads_nowhere(evidence: Evidence) -> t.Iterator[Proof]:
    for pool in evidence.of("InferencePool"):
        name, wanted = pool_picker(pool)
        service = evidence.find("Service", name)
        ports = [port for port in ((service or {}).get("spec") or {}).get("ports") or [] if port.get("port") == wanted]
        ready = [item for item in slices_of(evidence, service) if has_ready(item)] if service else []
        if not (service and ports and ready):
            continue
        served = {port.get("name") or "" for item in ready for port in item.get("ports") or []}
        if (ports[0].get("name") or "") not in served:
            text = (
                f"port {wanted} of the Service {name} has targetPort {ports[0].get('targetPort')}, which none of its "
                "ready pods has"
            )
            yield Proof((ref(pool),), text, key=ref(pool)[2], since=evidence.since(pool))


def _nothing_behind(evidence: Evidence) -> t.Iterator[Proof]:
    """Gateways whose condition says that all is well, and whose Service has nobody to send to."""
    for gateway in evidence.of("Gateway"):
        since = seconds(condition(gateway, "Programmed").get("lastTransitionTime"))
        programmed = condition(gateway, "Programmed").get("status") == "True"
        if not programmed or not since or evidence.now - since < SILENT:
            continue
        for service in _services(evidence, gateway):
            # A Service with a selector has one, if an empty one, as long as slices may be read.
            slices = slices_of(evidence, service)
            if slices and not any(map(has_ready, slices)):
                yield _silent_service(evidence, gateway, service, since)


def _silent_service(evidence: Evidence, gateway: Object, service: Object, since: float) -> Proof:
    selector = (service.get("spec") or {}).get("selector") or {}
    workloads = makers_of(evidence, selector)
    because: tuple[Ref, ...] = (*pods_of(evidence, gateway), *map(ref, workloads))
    stopped = [item for item in workloads if (item.get("spec") or {}).get("replicas") == 0]
    why = f"; {stopped[0].get('kind')} {ref(stopped[0])[2]} is scaled to 0" if stopped else ""
    text = f"Service {ref(service)[2]} ({text_of(selector)}) has no ready endpoint, yet Programmed=True{why}"
    return Proof((ref(gateway),), text, key=ref(gateway)[2], since=since, because=because)


def _services(evidence: Evidence, gateway: Object) -> list[Object]:
    """Return a Gateway's Services that have a selector."""
    _kind, namespace, name = ref(gateway)
    return [
        item
        for item in evidence.of("Service")
        if (item["metadata"].get("labels") or {}).get(NAME_LABEL) == name
        and ref(item)[1] == namespace
        and (item.get("spec") or {}).get("selector")
    ]


def _no_parent(evidence: Evidence) -> t.Iterator[Proof]:
    """Pools that an accepted route leads to, and that no Gateway has written its verdict on."""
    for pool in evidence.of("InferencePool"):
        status = pool.get("status") or {}
        verdicts = status.get("parents") or status.get("parent") or []
        if any((parent.get("parentRef") or {}).get("kind") != "Status" for parent in verdicts):
            continue
        for route in evidence.of("HTTPRoute"):
            since = _accepted_since(route) if leads_to(route, pool) else None
            if since and evidence.now - since > SILENT:
                text = f"HTTPRoute {ref(route)[2]} is accepted for {evidence.now - since:.0f} s; the pool has no parent"
                yield Proof((ref(pool),), text, key=ref(pool)[2], since=since, because=(ref(route),))


def _accepted_since(route: Object) -> float | None:
    """Return when a Gateway accepted a route last, None where none has."""
    found = [
        seconds(entry.get("lastTransitionTime"))
        for parent in (route.get("status") or {}).get("parents") or []
        for entry in parent.get("conditions") or []
        if entry.get("type") == "Accepted" and entry.get("status") == "True"
    ]
    return max((moment for moment in found if moment), default=None)


GATEWAYS = (
    Diagnosis(
        "DIAG707", "The Gateway's Service has no endpoints", _nothing_behind,
        "Gateway Programmed=True; its Service has no ready endpoints; connection refused or 503",
        "The Gateway's own pods are not ready, were scaled to 0, or its Service does not select them.",
        "Find out why the pods of the Gateway's Deployment are not ready; scale it up.",
        "F7; Gateway API, Programmed does not wait for the proxy's pods", ERROR, SYMPTOM,
    ),
)  # fmt: skip

POOLS = (
    Diagnosis(
        "DIAG738", "The picker's Service has a port that its pods do not have", _port_leads_nowhere,
        "InferencePool accepted, picker ready, answers 500; EndpointSlice without that port",
        "The Service's targetPort is the name of a port that the picker's container does not have.",
        "Make the Service's targetPort and the container's port names agree (gRPC, 9002 by default).",
        "F10; Kubernetes, EndpointSlices",
    ),
    Diagnosis(
        "DIAG739", "No Gateway has reported a status for the pool", _no_parent,
        "HTTPRoute Accepted=True, InferencePool without status.parents; answers 500 or 404",
        "The Gateway's controller runs without its inference extension, or watches another API group of pools.",
        "Turn on the controller's inference extension (Istio: ENABLE_GATEWAY_API_INFERENCE_EXTENSION) and restart it. "
        "If completions are answered anyway, the controller just writes no status.",
        "F2; kubernetes-sigs/gateway-api-inference-extension#1344", WARNING, SYMPTOM,
    ),
)  # fmt: skip
