# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which versions work together, as data with its sources: gateways, InferencePool APIs, charts, endpoint pickers.

A version that no row speaks of is taken to work: the table names pairs that cannot, it does not bless the rest.
"""

from __future__ import annotations

import dataclasses

from ..base.apis import ALPHA_POOL_GROUP, POOL_GROUP
from .versions import version


@dataclasses.dataclass(frozen=True)
class GatewayController:
    """A gateway implementation. pool_provider: provider.name of the pool chart that fits; flag: where its inference
    extension is switched on; route_timeouts: whether its routes may have timeouts."""

    name: str
    classes: tuple[str, ...]
    controllers: tuple[str, ...]
    pool_provider: str = "none"
    flag: str = ""
    route_timeouts: bool = True
    source: str = ""


PROVIDERS = (
    GatewayController(
        "envoy-ai-gateway",
        ("envoy-ai-gateway",),
        ("gateway.envoyproxy.io/gatewayclass-controller",),
        source="llm-d, guides/recipes/gateway/envoy-ai-gateway",
    ),
    GatewayController(
        "istio",
        ("istio",),
        ("istio.io/gateway-controller",),
        pool_provider="istio",
        flag="ENABLE_GATEWAY_API_INFERENCE_EXTENSION of istiod",
        source="Istio, task Gateway API Inference Extension",
    ),
    GatewayController(
        "openshift",
        ("openshift-default", "data-science-gateway-class"),
        ("openshift.io/gateway-controller/v1",),
        pool_provider="istio",
        flag="ENABLE_GATEWAY_API_INFERENCE_EXTENSION of its istiod",
        source="OpenShift's Gateway controller runs Istio",
    ),
    GatewayController(
        "gke",
        ("gke-l7-regional-external-managed", "gke-l7-rilb"),
        ("networking.gke.io/gateway",),
        pool_provider="gke",
        route_timeouts=False,
        source="GKE Inference Gateway; kubernetes-sigs/gateway-api-inference-extension#476",
    ),
    GatewayController("kgateway", ("kgateway",), ("kgateway.dev/kgateway",), source="kgateway-dev/kgateway"),
    GatewayController(
        "agentgateway",
        ("agentgateway", "agentgateway-v2"),
        ("agentgateway.dev/agentgateway", "kgateway.dev/agentgateway"),
        flag="inferenceExtension.enabled of the agentgateway chart",
        source="llm-d, guides/prereq/gateway-provider",
    ),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """What a range of versions does. since: first version, before: first version that no longer does so ('' is open);
    groups: the API groups whose InferencePool it routes to."""

    provider: str
    since: str
    before: str
    groups: tuple[str, ...]
    remedy: str
    source: str


GATEWAYS = (
    Row(
        "istio",
        "1.27",
        "1.28",
        (ALPHA_POOL_GROUP,),
        "upgrade Istio to 1.28 or later, or set inferencePool.apiVersion: inference.networking.x-k8s.io/v1alpha2",
        "istio/istio#57219",
    ),
    Row(
        "istio",
        "1.28",
        "",
        (POOL_GROUP,),
        "set inferencePool.apiVersion: inference.networking.k8s.io/v1, with an inferencepool chart of v1.2.1 or later",
        "llm-d/llm-d#578",
    ),
    Row("istio", "", "1.27", (), "upgrade Istio to 1.28 or later", "istio/istio#57219"),
    # OpenShift's versions here are those of its istiod: 4.21 comes with Istio 1.28.
    Row(
        "openshift",
        "1.28",
        "",
        (POOL_GROUP,),
        "set inferencePool.apiVersion: inference.networking.k8s.io/v1",
        "opendatahub-io/kserve#1090",
    ),
    Row(
        "kgateway",
        "2.2",
        "",
        (),
        "use agentgateway (class agentgateway): kgateway's own data plane left inference in v2.2",
        "llm-d/llm-d#399",
    ),
    Row(
        "agentgateway",
        "1.0",
        "2.0",
        (POOL_GROUP,),
        "set inferencePool.apiVersion: inference.networking.k8s.io/v1",
        "llm-d, guides/prereq/gateway-provider",
    ),
)


@dataclasses.dataclass(frozen=True)
class GatewayField:
    """A field that the standard channel of the Gateway API has since a release; older ones drop it.

    path: from spec; * stands for every item of a list."""

    kind: str
    path: tuple[str, ...]
    since: str
    source: str


FIELDS = (
    GatewayField("HTTPRoute", ("rules", "*", "timeouts"), "1.2", "gateway-api, CHANGELOG/1.2"),
    GatewayField("Gateway", ("infrastructure",), "1.2", "gateway-api, CHANGELOG/1.2"),
    GatewayField("HTTPRoute", ("rules", "*", "name"), "1.4", "gateway-api v1.4.0, config/crd/standard"),
)


@dataclasses.dataclass(frozen=True)
class PickerRow:
    """What an endpoint picker's image understands. image: its name; config: apiVersions of EndpointPickerConfig;
    groups: of InferencePool; needs: definitions without which it does not start (others it leaves out where API
    discovery has none); before: versions that the row speaks of are older, '' for all."""

    image: str
    before: str
    config: tuple[str, ...]
    groups: tuple[str, ...]
    source: str
    needs: tuple[str, ...] = ("inferencepools",)


# Since when sidecar containers are on by default, which the routing sidecar of llm-d-modelservice is; the inference
# extension's prerequisites ask for them too.
KUBERNETES_SINCE = "1.29"
_OLD_CONFIG = "inference.networking.x-k8s.io/v1alpha1"
_BOTH = (POOL_GROUP, ALPHA_POOL_GROUP)
_ROUTER_SOURCE = "llm-d/llm-d-router v0.10.0, chart routerlib, _config.yaml"
_WITH_OBJECTIVES = ("inferencepools", "inferenceobjectives")
# Since then pickers ask API discovery: gateway-api-inference-extension v1.3.0, pkg/epp/server/controller_config.go.
PICKERS = (
    PickerRow(
        "epp", "1.0", (_OLD_CONFIG,), (ALPHA_POOL_GROUP,), "istio/istio#57219", ("inferencepools", "inferencemodels")
    ),
    PickerRow(
        "epp",
        "1.3",
        (_OLD_CONFIG,),
        _BOTH,
        "gateway-api-inference-extension v1.0.0 to v1.2.1, pkg/epp/server/runserver.go",
        _WITH_OBJECTIVES,
    ),
    PickerRow("epp", "", (_OLD_CONFIG,), _BOTH, "gateway-api-inference-extension v1.3.0, chart inferencepool"),
    PickerRow(
        "llm-d-inference-scheduler",
        "0.5",
        (_OLD_CONFIG,),
        _BOTH,
        "llm-d-inference-scheduler v0.4.0, go.mod",
        _WITH_OBJECTIVES,
    ),
    PickerRow("llm-d-inference-scheduler", "", (_OLD_CONFIG,), _BOTH, _ROUTER_SOURCE),
    PickerRow("llm-d-router-endpoint-picker", "", (_OLD_CONFIG, "llm-d.ai/v1alpha1"), (POOL_GROUP,), _ROUTER_SOURCE),
)


@dataclasses.dataclass(frozen=True)
class ChartRow:
    """What a range of a pool chart's versions makes. groups: of its InferencePool; watches: the definitions, beside
    InferencePool, that its picker needs."""

    chart: str
    since: str
    before: str
    groups: tuple[str, ...]
    watches: tuple[str, ...]
    source: str


_GAIE = "gateway-api-inference-extension"
_REWRITES = ("inferenceobjectives", "inferencemodelrewrites")
CHARTS = (
    ChartRow(
        "inferencepool", "", "1.0", (ALPHA_POOL_GROUP,), ("inferencemodels",), f"{_GAIE} v0.5.1, chart inferencepool"
    ),
    ChartRow("inferencepool", "1.0", "1.3", _BOTH, _REWRITES[:1], f"{_GAIE} v1.0.0 to v1.2.1, chart inferencepool"),
    ChartRow("inferencepool", "1.3", "1.5", _BOTH, _REWRITES, f"{_GAIE} v1.3.0 and v1.4.0, chart inferencepool"),
    ChartRow("inferencepool", "1.5", "", (POOL_GROUP,), _REWRITES, f"{_GAIE} v1.5.0, chart inferencepool"),
    ChartRow("llm-d-router-gateway", "0.10", "", (POOL_GROUP,), _REWRITES, "llm-d/llm-d-router v0.10.0"),
)


def provider_of(class_name: str, controller: str | None = None) -> GatewayController | None:
    """Return the provider of a GatewayClass: by its controller where known, else by its name; None if unknown."""
    by_controller = (row for row in PROVIDERS if controller and controller in row.controllers)
    by_name = (row for row in PROVIDERS if not controller and class_name in row.classes)
    return next(by_controller, None) or next(by_name, None)


def gateway_row(provider: str, running: str | None) -> Row | None:
    """Return the row for a provider's version, or the one for all its versions; None where none speaks of it."""
    number = version(running)
    for row in GATEWAYS:
        if row.provider != provider:
            continue
        if not row.since and not row.before:
            return row
        low, high = version(row.since), version(row.before)
        if number and (low is None or number >= low) and (high is None or number < high):
            return row
    return None


def chart_row(chart: str, running: str) -> ChartRow | None:
    """Return the row for a chart's version; None where none speaks of it."""
    number = version(running)
    for row in CHARTS:
        low, high = version(row.since), version(row.before)
        if row.chart == chart and number and (low is None or number >= low) and (high is None or number < high):
            return row
    return None


def picker_row(image: str) -> PickerRow | None:
    """Return the row for an image reference; of a tag that is no version, what the newest of that name does."""
    name = image.partition("@")[0].rpartition("/")[2]
    name, _colon, tag = name.partition(":")
    rows = [row for row in PICKERS if row.image == name]
    number = version(tag)
    return next((row for row in rows if not row.before or (number and number < (version(row.before) or ()))), None)
