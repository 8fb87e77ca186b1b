# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What controllers of a cluster put into every namespace by themselves: nobody's, and there again if it is deleted."""

from __future__ import annotations

from .data import Object

# Of Kubernetes' and OpenShift's controller managers, istiod (its namespacecontroller.go) and Open Data Hub's operator
# (opendatahub-io/opendatahub-operator#848).
GIVEN: dict[str, tuple[str, ...]] = {
    "ConfigMap": (
        *("kube-root-ca.crt", "openshift-service-ca.crt"),
        *("istio-ca-root-cert", "istio-ca-crl", "odh-trusted-ca-bundle"),
    ),
    "ServiceAccount": ("default", "builder", "deployer"),
    "RoleBinding": ("system:image-pullers", "system:image-builders", "system:deployers"),
}
# The name of istiod's root certificate can be set, its label cannot.
_ISTIO = ("istio.io/config", "true")
# Secrets that are made for a ServiceAccount and go with it.
_OF_ACCOUNTS = ("kubernetes.io/service-account-token", "kubernetes.io/dockercfg")
_ACCOUNT = ("kubernetes.io/service-account.name", "openshift.io/internal-registry-auth-token.service-account")


def is_given(item: Object) -> bool:
    """Return whether an object is one that every namespace gets from the cluster's own controllers."""
    kind, metadata = item["kind"], item["metadata"]
    if kind == "Secret":
        annotations = metadata.get("annotations") or {}
        return item.get("type") in _OF_ACCOUNTS and any(key in annotations for key in _ACCOUNT)
    if kind == "ConfigMap" and _ISTIO in (metadata.get("labels") or {}).items():
        return True
    return metadata["name"] in GIVEN.get(kind, ())
