# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the rules about the platform need of a cluster: read in few calls, each of which may be refused."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ..base.apis import GATEWAY_GROUP, POOL_GROUP
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..model.facts import BUNDLE
from ..model.model import StackModel
from ..model.platform import OPENSHIFT, SECURITY, Platform, platform_name

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException

    FAILURES: tuple[type[Exception], ...] = (ApiException, urllib3.exceptions.HTTPError, ValueError)
except ImportError:  # pragma: no cover - reported by Cluster
    FAILURES = (ValueError,)


DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
ROUTES = "httproutes.gateway.networking.k8s.io"
POOLS = f"inferencepools.{POOL_GROUP}"
# gateway-api-inference-extension, config/crd: on every definition of a bundle.
POOL_BUNDLE = f"{POOL_GROUP}/bundle-version"
RBAC = "rbac.authorization.k8s.io/v1"
TIMEOUT = 10
# Definitions of kinds that are not served, at most.
_LIMIT = 8


def add_platform(model: StackModel, cluster: Cluster, version: str) -> None:
    """Add to the model's facts what the cluster is, and the release of its Gateway API."""
    name = platform_name(model.facts.served or ())
    sccs, bindings = _constraints(model, cluster) if name == OPENSHIFT else (None, None)
    found = [_definition(cluster, name) for name in _unserved(model)[:_LIMIT]]
    definitions = tuple(body for body in found if body)
    platform = Platform(name, version, sccs, bindings, definitions)
    pools = model.facts.pool_api_version or _bundle(model, cluster, POOL_GROUP, POOLS, POOL_BUNDLE)
    bundle = model.facts.gateway_api_version or _bundle(model, cluster, GATEWAY_GROUP, ROUTES, BUNDLE)
    versions: Object = {"gateway_api_version": bundle, "pool_api_version": pools}
    model.facts = dataclasses.replace(model.facts, platform=platform, **versions)


def _bundle(model: StackModel, cluster: Cluster, group: str, name: str, annotation: str) -> str | None:
    """Return the release of a group's definitions, of one definition's metadata; None where the group is not served."""
    if not any(api.startswith(f"{group}/") for api in model.facts.served or ()):
        return None
    metadata = (_definition(cluster, name, METADATA) or {}).get("metadata") or {}
    return (metadata.get("annotations") or {}).get(annotation)


def _definition(cluster: Cluster, name: str, accept: str = "application/json") -> Object | None:
    """Return a CustomResourceDefinition, None where it is absent or may not be read."""
    headers = {"Accept": accept}
    try:
        reply = cluster.client.request(
            "get", f"{DEFINITIONS}/{name}", serialize=False, header_params=headers, _request_timeout=TIMEOUT
        )
        return json.loads(reply.data)
    except FAILURES:
        return None


def _unserved(model: StackModel) -> list[str]:
    """Return the likely names of definitions of planned kinds that the cluster does not serve."""
    served = {(api.rpartition("/")[0], kind) for api, kinds in (model.facts.served or {}).items() for kind in kinds}
    items = model.planned if model.facts.served else []
    lacking = [item for item in items if "." in item.group and (item.group, item.kind) not in served]
    return list(dict.fromkeys(f"{item.kind.lower()}s.{item.group}" for item in lacking))


def _constraints(model: StackModel, cluster: Cluster) -> tuple[tuple[Object, ...] | None, tuple[Object, ...] | None]:
    try:
        sccs = tuple(cluster.list(f"{SECURITY}/v1", "SecurityContextConstraints"))
    except OrchestratorError:
        sccs = None
    namespaces = sorted({item.namespace for item in model.planned if item.namespace})
    try:
        bound = [body for name in namespaces for body in cluster.list(RBAC, "RoleBinding", name)]
        return sccs, (*bound, *cluster.list(RBAC, "ClusterRoleBinding"))
    except OrchestratorError:
        return sccs, None
