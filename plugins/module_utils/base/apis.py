# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The APIs besides Kubernetes' own that a stack is made of: a _GROUP is a name, an _API a name with a version."""

from __future__ import annotations

GATEWAY_GROUP = "gateway.networking.k8s.io"
GATEWAY_API = f"{GATEWAY_GROUP}/v1"
# Of InferencePools, and what they were before they were generally available.
POOL_GROUP, ALPHA_POOL_GROUP = "inference.networking.k8s.io", "inference.networking.x-k8s.io"
POOL_API = f"{POOL_GROUP}/v1"
POOL_APIS = (POOL_API, f"{ALPHA_POOL_GROUP}/v1alpha2")
CRD_API = "apiextensions.k8s.io/v1"
LWS_API = "leaderworkerset.x-k8s.io/v1"
MONITORING_API = "monitoring.coreos.com/v1"
