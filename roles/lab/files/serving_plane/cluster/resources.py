# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The kinds that the plane watches or writes, and where the API server keeps them."""

from __future__ import annotations

from typing import NamedTuple

GATEWAY_GROUP = "gateway.networking.k8s.io"
DYNAMO_GROUP = "nvidia.com"
POOL_GROUP = "inference.networking.k8s.io"


class Resource(NamedTuple):
    """Where a kind lives; `version` is None where the cluster's preferred one is to be asked for."""

    kind: str
    group: str
    version: str | None
    plural: str
    namespaced: bool = True


RESOURCES: tuple[Resource, ...] = (
    Resource("Namespace", "", "v1", "namespaces", namespaced=False),
    Resource("Pod", "", "v1", "pods"),
    Resource("Service", "", "v1", "services"),
    Resource("ServiceAccount", "", "v1", "serviceaccounts"),
    Resource("ConfigMap", "", "v1", "configmaps"),
    Resource("Secret", "", "v1", "secrets"),
    Resource("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims"),
    Resource("Deployment", "apps", "v1", "deployments"),
    Resource("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies"),
    Resource("GatewayClass", GATEWAY_GROUP, "v1", "gatewayclasses", namespaced=False),
    Resource("Gateway", GATEWAY_GROUP, "v1", "gateways"),
    Resource("HTTPRoute", GATEWAY_GROUP, "v1", "httproutes"),
    Resource("ReferenceGrant", GATEWAY_GROUP, "v1beta1", "referencegrants"),
    Resource("InferencePool", POOL_GROUP, "v1", "inferencepools"),
    Resource("PortForward", "kwok.x-k8s.io", "v1alpha1", "portforwards"),
    Resource("Logs", "kwok.x-k8s.io", "v1alpha1", "logs"),
    Resource("Exec", "kwok.x-k8s.io", "v1alpha1", "execs"),
    Resource("DestinationRule", "networking.istio.io", None, "destinationrules"),
    Resource("GatewayParameters", "gateway.kgateway.dev", None, "gatewayparameters"),
    Resource("AgentgatewayParameters", "agentgateway.dev", None, "agentgatewayparameters"),
    Resource("LeaderWorkerSet", "leaderworkerset.x-k8s.io", None, "leaderworkersets"),
)
# Kinds whose definitions come and go with what is deployed.
COMING: tuple[Resource, ...] = (
    Resource("DynamoGraphDeployment", DYNAMO_GROUP, "v1alpha1", "dynamographdeployments"),
    Resource("DynamoComponentDeployment", DYNAMO_GROUP, "v1alpha1", "dynamocomponentdeployments"),
    Resource("DynamoWorkerMetadata", DYNAMO_GROUP, "v1alpha1", "dynamoworkermetadatas"),
)
# Written, but never looked at.
WRITTEN: tuple[Resource, ...] = (
    Resource("Event", "", "v1", "events"),
    Resource("CustomResourceDefinition", "apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False),
)
BY_KIND = {resource.kind: resource for resource in (*RESOURCES, *COMING, *WRITTEN)}
