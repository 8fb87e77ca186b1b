# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: GatewayClasses and Gateways that are not accepted or not programmed."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.conditions import describe
from ..objects.pods import condition
from .base import ERROR, SYMPTOM, Diagnosis, Proof
from .evidence import Evidence, Ref, clean, ref, seconds

# A controller that has said nothing for so long (seconds) does not work on the object.
SILENT = 20.0
NAME_LABEL = "gateway.networking.k8s.io/gateway-name"


def class_of(gateway: Object) -> str:
    """Return the name of a Gateway's class."""
    return str((gateway.get("spec") or {}).get("gatewayClassName"))


def _class_missing(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("GatewayClass"):
        return
    known = [item["metadata"]["name"] for item in evidence.of("GatewayClass")]
    for gateway in evidence.of("Gateway"):
        if class_of(gateway) not in known:
            text = f"gatewayClassName is {class_of(gateway)}; the cluster has: {listed(known, 8) or 'none'}"
            yield Proof((ref(gateway),), text, key=class_of(gateway), since=evidence.since(gateway))


def _class_refused(evidence: Evidence) -> t.Iterator[Proof]:
    for gateway in evidence.of("Gateway"):
        found = next(
            (item for item in evidence.of("GatewayClass") if item["metadata"]["name"] == class_of(gateway)), None
        )
        accepted = condition(found or {}, "Accepted")
        if (
            found is None
            or accepted.get("status") == "True"
            or condition(gateway, "Programmed").get("status") == "True"
        ):
            continue
        controller = (found.get("spec") or {}).get("controllerName")
        text = f"GatewayClass {class_of(gateway)} (controller {controller}): {describe(accepted, 'Accepted')}"
        yield Proof((ref(found), ref(gateway)), text, key=class_of(gateway), since=evidence.since(gateway))


def _gateway(kind: str, *, status: str, reasons: tuple[str, ...] = ()) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for gateway in evidence.of("Gateway"):
            found = condition(gateway, kind)
            if found.get("status") == status and (not reasons or found.get("reason") in reasons):
                moment = seconds(found.get("lastTransitionTime"))
                text = clean(_with_listeners(gateway, describe(found, kind)), 500)
                yield Proof(
                    (ref(gateway),), text, key=ref(gateway)[2], since=moment, because=pods_of(evidence, gateway)
                )

    return find


def _with_listeners(gateway: Object, text: str) -> str:
    broken = [
        f"listener {listener.get('name')}: {describe(entry, entry['type'])}"
        for listener in (gateway.get("status") or {}).get("listeners") or []
        for entry in listener.get("conditions") or []
        if entry.get("type") in ("Accepted", "ResolvedRefs", "Programmed") and entry.get("status") == "False"
    ]
    return "; ".join([text, *broken])


def pods_of(evidence: Evidence, gateway: Object) -> tuple[Ref, ...]:
    """Return the pods of a Gateway."""
    name = gateway["metadata"]["name"]
    pods = [pod for pod in evidence.pods if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == name]
    return tuple(map(ref, pods))


def _gateway_ignored(evidence: Evidence) -> t.Iterator[Proof]:
    for gateway in evidence.of("Gateway"):
        states = [condition(gateway, kind) for kind in ("Accepted", "Programmed")]
        created = seconds(gateway["metadata"].get("creationTimestamp"))
        silent = all(not state or state.get("status") == "Unknown" for state in states)
        if silent and created and evidence.now - created > SILENT:
            text = (
                f"class {class_of(gateway)}: {describe(states[1], 'Programmed')} after {evidence.now - created:.0f} s"
            )
            yield Proof((ref(gateway),), text, key=class_of(gateway), since=created)


_API = "F7; Gateway API, GatewayConditionReason"

RULES = (
    Diagnosis(
        "DIAG701", "The Gateway's class does not exist", _class_missing,
        "Gateway without conditions, or Unknown",
        "No GatewayClass of that name is installed.",
        "Install the gateway's controller, or use a class that exists (gateway_provider, gateway.gatewayClassName).",
        _API,
    ),
    Diagnosis(
        "DIAG702", "The Gateway's class is not accepted by its controller", _class_refused,
        "GatewayClass Accepted=False or Unknown (Waiting for controller)",
        "The class's controller is not running, or rejects the class's parameters.",
        "Start the controller (its pods, its flags), or use a class that is accepted.",
        _API,
    ),
    Diagnosis(
        "DIAG703", "The Gateway is not accepted", _gateway("Accepted", status="False"),
        "Gateway Accepted=False: InvalidParameters, ListenersNotValid, UnsupportedAddress",
        "A listener, a certificate, an address or the parameters that the Gateway refers to are not valid.",
        "Correct the fields in the condition: listeners, certificateRefs, infrastructure.parametersRef.",
        "F7; kubernetes-sigs/gateway-api-inference-extension#476; kserve/kserve#5707",
    ),
    Diagnosis(
        "DIAG704", "The Gateway gets no address",
        _gateway("Programmed", status="False", reasons=("AddressNotAssigned", "AddressNotUsable", "NoResources")),
        "Gateway Programmed=False: AddressNotAssigned or NoResources",
        "Nothing gives the Gateway's Service an external address: there is no load balancer.",
        "Use a Service of type NodePort or ClusterIP where there is no load balancer (gateway.service.type), or install"
        " one.",
        "F7; llm-d-incubation/llm-d-infra#16", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG705", "The Gateway is not programmed",
        _gateway("Programmed", status="False"),
        "Gateway Programmed=False",
        "The controller accepted the Gateway but could not set up its data plane.",
        "Read the condition; look at the pods and events of the Gateway's Deployment and at the controller's log.",
        _API, ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG706", "No controller handles the Gateway", _gateway_ignored,
        "Gateway conditions Unknown: Waiting for controller",
        "The class exists, but its controller is not running or does not watch this namespace.",
        "Start the controller; check which namespaces it watches.",
        _API, ERROR, SYMPTOM,
    ),
)  # fmt: skip
