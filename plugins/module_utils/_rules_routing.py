# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules about routes as data; their checks are in _rules_route (the Gateway) and _rules_backend (the pools)."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils import _rules_backend as backend
from ansible_collections.llm_d.orchestrator.plugins.module_utils import _rules_route as route
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import (
    rule_factory,
)

_API = "Gateway API v1, HTTPRoute"


_rule = rule_factory("LLMD2")


RULES: t.Final = (
    _rule(
        1,
        "A route's Gateway exists",
        route.parent,
        "Each parentRef names a Gateway of the plan or the cluster, in the namespace where that Gateway is.",
        "The route's status stays empty (parents: []), requests get 404.",
        "name the Gateway that the gateway component makes, with its namespace (httproute_gateway_name, "
        "httproute_gateway_namespace)",
        f"{_API} spec.parentRefs; F6",
    ),
    _rule(
        17,
        "A route is attached to a Gateway",
        route.parent_kind,
        f"A parentRef has kind Gateway and group {route.GROUP}.",
        "The route's status stays empty (parents: []), requests get 404.",
        "use kind Gateway and its group, or leave both out",
        f"{_API} spec.parentRefs",
    ),
    _rule(
        2,
        "A route's listener exists",
        route.listener,
        "The sectionName and port of a parentRef are those of one listener of the Gateway.",
        "Accepted=False/NoMatchingParent, requests get 404.",
        "name a listener that the Gateway has, or leave sectionName (httproute_section_name) and port out",
        f"{_API} spec.parentRefs[].sectionName; F6",
    ),
    _rule(
        3,
        "The listener admits the route",
        route.allowed,
        "allowedRoutes of the listener takes the route's namespace and kind.",
        "Accepted=False/NotAllowedByListeners, requests get 404.",
        "set allowedRoutes.namespaces.from: All on the listener, or put the route into the Gateway's namespace",
        "Gateway API v1, Gateway spec.listeners[].allowedRoutes",
    ),
    _rule(
        4,
        "Hostnames of route and listener meet",
        route.hostnames,
        "A route with hostnames shares at least one with a listener that has one.",
        "Accepted=False/NoMatchingListenerHostname, requests get 404.",
        "use a hostname that the listener answers",
        f"{_API} spec.hostnames",
    ),
    _rule(
        5,
        "A route's pool exists",
        backend.exists,
        "Each backendRef names an InferencePool that the plan makes or the cluster has.",
        "ResolvedRefs=False/BackendNotFound, requests get 500.",
        "name the pool's release: the InferencePool has its name",
        f"{_API} spec.rules[].backendRefs; F6",
    ),
    _rule(
        6,
        "A backend has the pool's group and kind",
        backend.group,
        "A backendRef says kind InferencePool and the API group that the pool is made in.",
        "ResolvedRefs=False/InvalidKind, requests get 500; the pool has no status.",
        "use the pool's own group and kind InferencePool in the route",
        f"{_API} spec.rules[].backendRefs; F1",
    ),
    _rule(
        7,
        "A backend's port is a target port",
        backend.port,
        "The port of a backendRef, where given, is one of the pool's target ports.",
        "Some gateways ignore it, others send requests to a port where nothing listens; no condition shows it.",
        "use the pool's target port, or leave the port out",
        f"{_API} spec.rules[].backendRefs[].port",
    ),
    _rule(
        8,
        "A pool of another namespace is granted",
        backend.granted,
        "A route to a pool of another namespace needs a ReferenceGrant in that namespace.",
        "ResolvedRefs=False/RefNotPermitted, requests get 500.",
        "put route and pool into one namespace, or add a ReferenceGrant for the pool",
        "Gateway API v1beta1, ReferenceGrant; F6",
    ),
    _rule(
        9,
        "The served model name is the one asked for",
        backend.served_name,
        "The name that requests and probes use is one that the model's servers answer to (--served-model-name).",
        "404 from the model server: the model does not exist.",
        "use the same name in modelArtifacts.name, in model and in the route's headers",
        "vLLM, --served-model-name; llm-d-modelservice, modelArtifacts.name",
    ),
    _rule(
        10,
        "Timeouts stand under a rule",
        route.timeouts_place,
        "An HTTPRoute has timeouts under spec.rules[], not under spec.",
        "The API server drops or rejects it; long completions are cut off by the gateway's default.",
        "move timeouts under each rule",
        f"{_API} spec.rules[].timeouts",
    ),
    _rule(
        11,
        "No timeouts on GKE's classes",
        route.timeouts_gke,
        "Routes of GKE's Gateway classes carry no timeouts.",
        "The route is rejected (UnsupportedValue) and never programmed.",
        "remove the timeouts; the pool chart's GCPBackendPolicy sets them instead",
        "kubernetes-sigs/gateway-api-inference-extension#476; F7",
    ),
    _rule(
        12,
        "No two rules match the same requests",
        route.duplicate_matches,
        "On one Gateway no two rules have the same match for the same hostnames.",
        "The older route takes all requests, the other model is never reached; both are Accepted.",
        "give one of them another path_prefix or its own hostnames",
        f"{_API} spec.rules[].matches; kserve/kserve#5800",
    ),
    _rule(
        13,
        "Rule names are unique per Gateway",
        route.rule_names,
        "The names of rules, where given, are used once on a Gateway.",
        "Istio joins rules of one name: requests are answered by the wrong model, all conditions green.",
        "rename one rule, or leave the names out",
        "istio/istio#58392, istio/istio#61594; F11",
    ),
    _rule(
        14,
        "Every model is routed to",
        backend.routed,
        "Some route leads to the pool of each model.",
        "The model is loaded and Ready, requests for it get 404.",
        "add a route for the model's pool",
        f"{_API} spec.rules[].backendRefs",
    ),
    _rule(
        15,
        "A model is reached where it is asked for",
        backend.prefix,
        "The path prefix under which a model is probed matches a rule that leads to its pool.",
        "404 from the gateway, or the answer of another model.",
        "use the same path prefix in the route and in the model's entry",
        f"{_API} spec.rules[].matches[].path",
    ),
    _rule(
        16,
        "A prefix is cut off",
        backend.rewritten,
        "A rule for a prefix other than / or /v1 rewrites it, since model servers know /v1 only.",
        "404 from the model server for every request.",
        "add a URLRewrite filter with replacePrefixMatch: /",
        f"{_API} spec.rules[].filters[].urlRewrite; vLLM serves /v1",
    ),
)
