# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: objects and pods that the API server refuses to make."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from .base import Diagnosis, Proof, said
from .evidence import Evidence, clean

_MADE = "Deployment ReplicaFailure=True or event FailedCreate: "
_exceeded = said(
    r"exceeded quota: ([^,\s]+)", remedy="Raise the ResourceQuota {1}, request less, or remove what uses it."
)


def _quota(evidence: Evidence) -> t.Iterator[Proof]:
    """Add to what was refused how full the quota is now."""
    for proof in _exceeded(evidence):
        status = (evidence.find("ResourceQuota", proof.key) or {}).get("status") or {}
        used, hard = status.get("used") or {}, status.get("hard") or {}
        amounts = ", ".join(f"{name} {used.get(name, 0)} of {hard[name]}" for name in sorted(hard))
        yield dataclasses.replace(proof, text=f"{proof.text}; in use now: {amounts}" if amounts else proof.text)


_outside = said(r"((?:minimum|maximum) [\w./-]+ usage per \w+ is [^,\]\s]+|\S+ max limit to request ratio per \w+)")
_BOUNDS = ("min", "max", "maxLimitRequestRatio")


def _limits(evidence: Evidence) -> t.Iterator[Proof]:
    """Add to what was refused which LimitRange says so, and what it allows."""
    for proof in _outside(evidence):
        told = "; ".join(filter(None, map(_bounds, evidence.of("LimitRange"))))
        yield dataclasses.replace(proof, text=f"{proof.text}; {clean(told, 240)}" if told else proof.text)


def _bounds(limit_range: Object) -> str:
    """Return a LimitRange's bounds as a text, "" where it has none."""
    parts = [
        f"{item.get('type')} {bound} {name} {amount}"
        for item in (limit_range.get("spec") or {}).get("limits") or []
        for bound in _BOUNDS
        for name, amount in sorted((item.get(bound) or {}).items())
    ]
    return f"LimitRange {limit_range['metadata']['name']}: {', '.join(parts)}" if parts else ""


RULES = (
    Diagnosis(
        "DIAG301", "A quota of the namespace is exhausted", _quota,
        _MADE + "exceeded quota",
        "The namespace's ResourceQuota has less left than the next pod or object needs.",
        "Raise the ResourceQuota, request less, or remove what uses it.",
        "F8; Kubernetes, Resource Quotas",
    ),
    Diagnosis(
        "DIAG302", "A quota requires requests or limits that the pods do not set",
        said(
            r"failed quota: ([^:\s]+): must specify ([\w.,/ -]+)",
            remedy="Set {2} for every container, or create a LimitRange with defaults.",
        ),
        _MADE + "failed quota ... must specify",
        "Under a ResourceQuota on a resource, every container must set its request or limit.",
        "Set the resources of every container, or create a LimitRange with defaults.",
        "Kubernetes, Resource Quotas",
    ),
    Diagnosis(
        "DIAG303", "A LimitRange of the namespace forbids the pods' resources", _limits,
        _MADE + "maximum cpu usage per Container is ...",
        "A container requests less or more than the LimitRange of the namespace allows.",
        "Change the container's resources in the values, or the LimitRange.",
        "Kubernetes, Limit Ranges",
    ),
    Diagnosis(
        "DIAG304", "Pod Security Admission refuses the pods", said(r'violates PodSecurity "([^"]+)": ([^\n]{0,200})'),
        _MADE + "violates PodSecurity",
        "The namespace enforces a Pod Security Standard that the pods do not meet.",
        "Set the securityContext fields in the message, or label the namespace pod-security.kubernetes.io/enforce "
        "with a lower level.",
        "Kubernetes, Pod Security Admission",
    ),
    Diagnosis(
        "DIAG305", "No security context constraint of OpenShift admits the pods",
        said(r"(unable to validate against any security context constraint)"),
        _MADE + "unable to validate against any security context constraint",
        "The pods' ServiceAccount may not use an SCC that allows what they need (user, host paths, capabilities).",
        "Grant the ServiceAccount the narrowest SCC that fits, or remove the fields in the message from the values.",
        "OpenShift, Managing security context constraints; F9",
    ),
    Diagnosis(
        "DIAG306", "An admission webhook denied the request",
        said(
            r'admission webhook "([^"]+)" denied the request',
            remedy="Meet the requirements of the webhook {1}, or ask its owner for an exception.",
        ),
        _MADE + "admission webhook denied the request",
        "A policy of the cluster (a validating webhook) forbids the object.",
        "Meet the webhook's requirements, or ask its owner for an exception.",
        "Kubernetes, Dynamic Admission Control",
    ),
    Diagnosis(
        "DIAG307", "An admission webhook does not answer",
        said(
            r'failed calling webhook "([^"]+)"',
            remedy="Start the webhook {1}'s Service again, or remove its configuration where its operator is gone.",
        ),
        _MADE + "failed calling webhook",
        "The API server must call a webhook, but its Service is down, unreachable or has a wrong certificate.",
        "Start the webhook's Service again, or remove its configuration where its operator is gone.",
        "Kubernetes, Dynamic Admission Control",
    ),
    Diagnosis(
        "DIAG308", "An admission policy denied the request",
        said(r"ValidatingAdmissionPolicy '([^']+)' with binding '([^']+)' denied request"),
        _MADE + "ValidatingAdmissionPolicy ... denied request",
        "A policy of the cluster forbids the object.",
        "Meet the requirements in the policy's message, or ask its owner for an exception.",
        "Kubernetes, Validating Admission Policy",
    ),
    Diagnosis(
        "DIAG309", "The pods' ServiceAccount does not exist",
        said(
            r'(?:error looking up service account \S+|serviceaccount "?[^"\s]+"?): ?'
            r'(?:serviceaccount "([^"]+)" )?not found',
            key=1,
            remedy="Create the ServiceAccount {1}, or set another one in the values.",
        ),
        _MADE + "error looking up service account",
        "Pods use a ServiceAccount that was never created, or was deleted.",
        "Create the ServiceAccount, or set another one in the values.",
        "Kubernetes, Service Accounts",
    ),
    Diagnosis(
        "DIAG310", "The pods' priority class does not exist", said(r"no PriorityClass with name (\S+) was found"),
        _MADE + "no PriorityClass with name",
        "priorityClassName is a class that the cluster does not have.",
        "Create the PriorityClass, or set another one in the values.",
        "Kubernetes, Pod Priority and Preemption",
    ),
    Diagnosis(
        "DIAG314", "The pods' RuntimeClass does not exist",
        said(
            r'RuntimeClass \W*([\w.-]+)\W* not found',
            remedy="Create the RuntimeClass {1} (the GPU operator creates nvidia's), or remove runtimeClassName from "
                   "the values if the nodes' default runtime already provides the devices.",
        ),
        _MADE + 'pod rejected: RuntimeClass "nvidia" not found',
        "runtimeClassName is a class that the cluster does not have.",
        "Create the RuntimeClass, or remove runtimeClassName from the values.",
        "Kubernetes, Runtime Class",
    ),
    Diagnosis(
        "DIAG312", "A CRD that the release needs is not installed",
        said(
            r'no matches for kind "([^"]+)" in version "([^"]+)"',
            remedy="Install the CRDs that serve {1} in {2}, of the release that the chart is made for.",
        ),
        "Helm: resource mapping not found, ensure CRDs are installed first",
        "The chart creates objects of a kind or version that the cluster does not serve.",
        "Install the CRDs of the same release as the chart.",
        "F1, F3; kubernetes-sigs/gateway-api-inference-extension#1737",
    ),
    Diagnosis(
        "DIAG313", "The API server rejects a field or value",
        said(r"((?:unknown field|Invalid value|Unsupported value|Required value)[^\n]{0,120})"),
        "Helm or an event: Invalid value, Unsupported value, Required value",
        "An object does not meet its schema or its validation.",
        "Correct the value in the message.",
        "Kubernetes, API conventions",
    ),
    Diagnosis(
        "DIAG311", "Permissions are missing (RBAC)",
        said(
            r'User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"',
            key=3,
            remedy='Let {1} {2} {3} (API group "{4}"): a Role and a RoleBinding in the namespace.',
        ),
        "is forbidden: User ... cannot ... resource ...",
        "The user or ServiceAccount lacks a permission.",
        "Grant it with a Role and a RoleBinding.",
        "Kubernetes, Using RBAC Authorization",
    ),
)  # fmt: skip
