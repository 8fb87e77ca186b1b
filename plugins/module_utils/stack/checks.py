# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the parts of a stack fit together: names that collide, selectors and ports that miss, kinds that lack."""

from __future__ import annotations

import typing as t

from ..base.data import dig
from ..base.findings import Findings
from ..base.names import RELEASE_LIMIT, epp_name, name_problem
from ..components.base import Facts, Stack
from ..components.gaie import CHARTS, Pool, pool_ports, pool_selector
from ..components.modelservice import Model, monitors
from ..objects.pools import selector_problem
from ..values.layers import locate

MONITORING = "monitoring.coreos.com/v1"


GATEWAY_API = "gateway.networking.k8s.io/v1"


POOL_API = "inference.networking.k8s.io/v1"


LWS_API = "leaderworkerset.x-k8s.io/v1"


# The rules that a mistake in a pool's selector breaks.
SELECTORS = ("LLMD101", "LLMD102", "LLMD103")


_INSTALL = {
    GATEWAY_API: "install the Gateway API (v1.4 or later, standard channel)",
    POOL_API: "install the CRDs of the Gateway API Inference Extension v1.3.0",
    LWS_API: "install LeaderWorkerSet, or set multinode: false",
    MONITORING: "install the Prometheus operator, or turn monitoring off in the values",
}


def check_stack(stack: Stack, problems: Findings) -> None:
    """Note every mistake that shows when the parts of a stack are put side by side."""
    check_names(stack, problems)
    _check_selectors(stack, problems)
    for pool in stack.pools:
        model = _model_of(stack, pool)
        if model:
            _check_port(pool, model, stack.pool_chart, problems)


def check_names(stack: Stack, problems: Findings) -> None:
    """Note names that Kubernetes or Helm refuses, and those given twice."""
    releases = [(stack.gateway.release, "gateway_name")] if stack.gateway.release else []
    releases += [(pool.release, pool.where) for pool in stack.pools]
    releases += [(model.release, model.where) for model in stack.models]
    for release, where in releases:
        wrong = name_problem(release, RELEASE_LIMIT)
        if wrong and not problems.has(where):
            problems.add(
                where,
                f"its Helm release {wrong}",
                "a shorter or simpler name, or release_name",
                rule="input-name",
                about=[release],
                covers=["LLMD305", "LLMD306"],
            )
    _unique(releases, "Helm release", problems)
    _unique([(epp_name(pool.release), pool.where) for pool in stack.pools], "endpoint picker", problems)
    workloads = [(name, model.where) for model in stack.models for name in model.workloads.values()]
    _unique(workloads, "workload", problems)
    if stack.gateway.release is None and stack.gateway.name:
        wrong = name_problem(stack.gateway.name, 253)
        if wrong:
            problems.add("gateway_existing_name", wrong, rule="input-gateway")


def _unique(names: list[tuple[str, str]], what: str, problems: Findings) -> None:
    first: dict[str, str] = {}
    for name, where in names:
        if name in first and first[name] != where:
            problems.add(
                where,
                f"the {what} {name!r} is also that of {first[name]}",
                "a name of its own",
                rule="input-name-taken",
                about=[name],
                covers=["LLMD301", "LLMD302", "LLMD303"],
            )
        first.setdefault(name, where)


def _model_of(stack: Stack, pool: Pool) -> Model | None:
    return next((model for model in stack.models if model.name == pool.model), None) if pool.model else None


def _check_selectors(stack: Stack, problems: Findings) -> None:
    path = CHARTS[stack.pool_chart].selector
    for pool in stack.pools:
        selector = pool_selector(pool.values, stack.pool_chart)
        where = locate(pool.layers, path, f"{pool.where}.selector")
        own = _model_of(stack, pool)
        if not selector:
            problems.add(
                where,
                "the pool has no selector",
                "the labels of the pods that it serves",
                rule="input-selector",
                about=[pool.release],
                covers=["LLMD101", "LLMD106"],
            )
            continue
        if own:
            _check_own(pool, stack.pool_chart, own, where, problems)
        chosen = [model for model in stack.models if selector_problem(selector, model.labels) is None]
        strangers = [model for model in chosen if model is not own and (own or model.model != chosen[0].model)]
        for model in strangers:
            shown = ", ".join(f"{key}={value}" for key, value in selector.items())
            mine = own.name if own else chosen[0].name
            problems.add(
                where,
                f"the selector {shown} of model {mine} selects the pods of model {model.name} too",
                f"a label that only {mine} carries, for example llm-d.ai/model",
                rule="input-selector-shared",
                about=[pool.release],
                covers=SELECTORS,
            )


def _check_own(pool: Pool, chart: str, model: Model, where: str, problems: Findings) -> None:
    wrong = selector_problem(pool_selector(pool.values, chart), model.labels)
    if wrong:
        labels = ", ".join(f"{key}={value}" for key, value in model.labels.items())
        hint = f"labels of {model.name}'s pods: {labels}"
        problems.add(where, wrong, hint, rule="input-selector", about=[pool.release], covers=SELECTORS)


def _check_port(pool: Pool, model: Model, chart: str, problems: Findings) -> None:
    ports = pool_ports(pool.values, chart)
    if isinstance(model.port, int) and model.port not in ports:
        where = locate(pool.layers, CHARTS[chart].ports, f"{pool.where}.target_ports")
        at = locate(model.layers, ("routing", "servicePort"), "the chart's default of routing.servicePort")
        shown = ", ".join(str(port) for port in ports) or "no port"
        problems.add(
            where,
            f"the pool sends to {shown}, {model.name} listens on {model.port} ({at})",
            str(model.port),
            rule="input-port",
            about=[pool.release],
            covers=["LLMD104", "LLMD207"],
        )


def needed_kinds(stack: Stack) -> list[tuple[str, str, str]]:
    """Return (apiVersion, kind, why) of each kind that the stack's components cannot do without."""
    components = stack.params["components"]
    needed: list[tuple[str, str, str]] = []
    if "gateway" in components:
        needed.append((GATEWAY_API, "Gateway", "gateway"))
        needed.append((GATEWAY_API, "GatewayClass", "gateway"))
    if "httproute" in components:
        needed.append((GATEWAY_API, "HTTPRoute", "httproute"))
    if "gaie" in components or "httproute" in components:
        needed.append((POOL_API, "InferencePool", "gaie"))
    if "gaie" in components and any(dig(p.values, CHARTS[stack.pool_chart].prometheus) is True for p in stack.pools):
        needed.append((MONITORING, "ServiceMonitor", "gaie's Prometheus monitoring"))
    if "modelservice" in components:
        needed += [(LWS_API, "LeaderWorkerSet", f"{m.name} (multinode)") for m in stack.models if m.multinode]
        needed += [(MONITORING, "PodMonitor", f"{m.name}'s podmonitor") for m in stack.models if monitors(m)]
    monitoring = stack.params.get("monitoring") or {}
    if monitoring.get("enabled") and monitoring["alerts"]:
        needed.append((MONITORING, "PrometheusRule", "monitoring_alerts"))
    return needed + _provider_kinds(stack, components)


def _provider_kinds(stack: Stack, components: t.Collection[str]) -> list[tuple[str, str, str]]:
    charts = {"infra"} if "gateway" in components and stack.gateway.release else set()
    charts |= {stack.pool_chart} if "gaie" in components and stack.pools else set()
    name = stack.provider.name
    return [
        (row["api_version"], row["kind"], f"gateway_provider {name}")
        for row in stack.provider.requires
        if row.get("chart") in charts
    ]


def check_kinds(needed: list[tuple[str, str, str]], served: t.Callable[[str, str], bool], problems: Findings) -> None:
    """Note the kinds that a cluster does not serve; served(api_version, kind) asks it."""
    known: dict[tuple[str, str], bool] = {}
    for api_version, kind, why in needed:
        key = (api_version, kind)
        if key not in known:
            known[key] = served(*key)
            if not known[key]:
                other = f"install the CRDs that bring {kind}, or choose another gateway_provider"
                fix = _INSTALL.get(api_version, other)
                problems.add(
                    "cluster",
                    f"it does not serve {kind} ({api_version}), which {why} needs",
                    fix,
                    rule="cluster-kinds",
                    about=[kind],
                    covers=["LLMD610", "LLMD611", "LLMD612"],
                )


def check_gateway(stack: Stack, facts: Facts, problems: Findings) -> None:
    """Note a class that the cluster lacks, and an adopted Gateway that is absent."""
    gateway = stack.gateway
    if gateway.release is None:
        names = [item["metadata"]["name"] for item in facts.gateways]
        if gateway.name and gateway.name not in names:
            fix = "one of: " + (", ".join(sorted(names)) or f"(namespace {gateway.namespace} has none)")
            problems.add(
                "gateway_existing_name",
                f"no Gateway {gateway.name!r} in namespace {gateway.namespace}",
                fix,
                rule="input-gateway",
                about=[gateway.name],
                covers=["LLMD201"],
            )
        return
    if facts.classes is None or gateway.class_name in facts.classes:
        return
    known = ", ".join(sorted(facts.classes)) or "(it has none)"
    fallback = "gateway_class_name" if stack.params["gateway"].get("class_name") else "gateway_provider"
    problems.add(
        locate(gateway.layers, ("gateway", "gatewayClassName"), fallback),
        f"{stack.provider.name} needs the GatewayClass {gateway.class_name!r}, which the cluster does not have",
        f"install {stack.provider.name} first, or set gateway_class_name or gateway_provider to fit one of: {known}",
        rule="cluster-class",
        about=[gateway.release],
        covers=["LLMD401"],
    )
