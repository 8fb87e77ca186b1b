# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Correct stacks, as a user's variables and values files. Every mutation is one mistake in one of them."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import values
from values import NAMESPACE

GATEWAYS = f"{NAMESPACE}-gateways"
BARE = f"{NAMESPACE}-bare"
Edit = tuple[str, str, Any]


@dataclasses.dataclass
class Base:
    """A stack. files: {name: values}, named infra, gaie-MODEL and ms-MODEL; vars: stack_info's options, sparse.

    chart: which chart makes the pools, inferencepool or llm-d-router-gateway.
    """

    name: str
    files: dict[str, Any]
    vars: dict[str, Any]
    chart: str = "inferencepool"
    about: str = ""

    def changed(self, edits: tuple[Edit, ...]) -> Base:
        """Return a copy with edits: (file or 'vars', dotted path, new value; ... removes, a callable changes)."""
        copied = dataclasses.replace(self, files=copy.deepcopy(self.files), vars=copy.deepcopy(self.vars))
        for where, path, value in edits:
            root = {"vars": copied.vars} | copied.files
            if not path:
                copied.files[where] = value(copied.files[where]) if callable(value) else value
            else:
                put(root[where], steps(path), value)
        return copied

    def read_files(self) -> dict[str, Any]:
        """Return the files that the variables name: a Gateway that is adopted has no values."""
        return {name: tree for name, tree in self.files.items() if name != "infra" or not self.adopts}

    @property
    def adopts(self) -> bool:
        """Whether the Gateway is there already."""
        return self.vars["gateway"]["provider"] == "none"


def steps(path: str) -> list[str | int]:
    """Return the keys and indexes of a dotted path; | stands for a dot within a key."""
    return [int(part) if part.isdigit() else part.replace("|", ".") for part in path.split(".")]


def dig(node: Any, path: list[str | int]) -> Any:
    """Return what stands at a path; raise KeyError or IndexError where nothing does."""
    for step in path:
        node = node[step]
    return node


def put(node: Any, path: list[str | int], value: Any) -> None:
    """Set, change or remove what stands at a path; maps on the way are made."""
    for step in path[:-1]:
        node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
    if value is ...:
        del node[path[-1]]
    elif isinstance(node, list) and path[-1] == len(node):
        node.append(value)
    else:
        node[path[-1]] = value(node[path[-1]]) if callable(value) else value


def entry(name: str, **more: Any) -> dict[str, Any]:
    """Return a model's entry of llm_d_models that has its values in files."""
    files = {"values_files": [f"ms-{name}.yaml"], "pool": {"values_files": [f"gaie-{name}.yaml"]}}
    return {"name": name, "model": f"org/{name}", **files, "route": {"path_prefix": f"/{name}"}, **more}


def stack(
    name: str,
    about: str,
    models: dict[str, Any],
    pools: dict[str, Any] | None = None,
    provider: str = "istio",
    gateway: dict[str, Any] | None = None,
    **more: Any,
) -> Base:
    """Return a base of these models' values; pools are those of the charts' own plugins where none are given."""
    pool_provider = {"istio": "istio", "openshift": "istio", "gke": "gke"}.get(provider, "none")
    pools = pools or {key: values.pool(key, pool_provider) for key in models}
    files = {"infra": {"gateway": {"gatewayParameters": {"enabled": True}, "service": {"type": "ClusterIP"}}}}
    files |= {f"gaie-{key}": pools[key] for key in models} | {f"ms-{key}": models[key] for key in models}
    settings = {"provider": provider, "values_files": ["infra.yaml"], **(gateway or {})}
    options = {
        "namespace": NAMESPACE,
        "models": [entry(key) for key in models],
        "gateway": settings,
        "gaie": {},
        "modelservice": {},
        "httproute": {},
        **more,
    }
    return Base(name, files, options, about=about)


def _shared() -> Base:
    names = ("a", "b")
    base = stack(
        "shared",
        "two models behind one shared route, and one more route",
        {name: values.model(name) for name in names},
        httproute={
            "mode": "shared",
            "section_name": "default",
            "timeouts": {"request": "0s", "backendRequest": "300s"},
            "routes": [{"name": "again", "pool": "gaie-a", "model": "a", "port": 8000, "path_prefix": "/again"}],
        },
    )
    base.vars["gateway"]["provider"] = "istio"
    return base


def _router(name: str, about: str, model: Any, plugins: str = "") -> Base:
    base = stack(name, about, {"a": model}, {"a": values.router("a", "istio", plugins)})
    base.chart = "llm-d-router-gateway"
    base.vars["gaie"]["chart"] = base.chart
    return base


def bases() -> dict[str, Base]:
    """Return all bases by name."""
    two = {name: values.model(name) for name in ("a", "b")}
    events = values.model("a", ["--block-size=64", "--kv-events-config", values.event_settings()])
    found = values.model("a", ["--block-size=64", "--kv-events-config", values.event_settings(endpoint="tcp://*:5557")])
    for model in (events, found):
        model["decode"]["containers"][0]["env"].append(values.POD_IP)
    central, discover = values.event_plugins(), values.event_plugins(discoverPods=True, zmqEndpoint="")
    apart = {"namespace": GATEWAYS}
    rows = [
        stack("single", "one model, aggregated, Istio", {"a": values.model("a")}),
        stack("two", "two models, a route each, Istio", two),
        stack(
            "split",
            "prefill and decode parted, routing sidecar",
            {"a": values.split_model("a")},
            {"a": values.pool("a", plugins=values.PD_PLUGINS)},
        ),
        stack("group", "groups of pods (LeaderWorkerSet), weights on a claim", {"a": values.group_model("a")}),
        stack(
            "events",
            "precise prefix cache: servers send KV events to the picker",
            {"a": events},
            {"a": values.pool("a", plugins=central)},
        ),
        stack(
            "discover",
            "precise prefix cache: the picker finds the servers",
            {"a": found},
            {"a": values.pool("a", plugins=discover)},
        ),
        _shared(),
        stack("simulated", "the simulated-accelerators guide's shape", {"a": values.simulated_model("a")}),
        stack("apart", "a Gateway in a namespace of its own", {"a": values.model("a")}, gateway=apart),
        *(
            stack(name, f"one model, provider {name}", {"a": values.model("a")}, provider=name)
            for name in ("kgateway", "agentgateway", "gke", "openshift")
        ),
        stack(
            "adopted",
            "an adopted Gateway of Istio's (provider none)",
            {"a": values.model("a")},
            {"a": values.pool("a")},
            provider="none",
            gateway={"existing_name": "adopted", "values_files": []},
        ),
        _router("router", "the chart llm-d-router-gateway", values.model("a"), values.PREFIX_PLUGINS),
        _router("router-split", "the same with prefill and decode parted", values.split_model("a"), values.PD_PLUGINS),
    ]
    return {base.name: base for base in rows}
