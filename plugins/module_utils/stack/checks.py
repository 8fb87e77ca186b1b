# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What holds for all components alike: the names of their releases, and the kinds that the cluster has to serve."""

from __future__ import annotations

import typing as t

from ..base.apis import GATEWAY_API, LWS_API, MONITORING_API, POOL_API
from ..base.findings import Findings
from ..base.names import RELEASE_LIMIT, name_problem
from ..components.base import RELEASE, NeededKind, Stack, unique

_INSTALL = {
    GATEWAY_API: "install the Gateway API (v1.4 or later, standard channel)",
    POOL_API: "install the CRDs of the Gateway API Inference Extension v1.3.0",
    LWS_API: "install LeaderWorkerSet, or set multinode: false",
    MONITORING_API: "install the Prometheus operator, or turn monitoring off in the values",
}


def check_names(stack: Stack) -> None:
    """Note releases' names that Kubernetes or Helm refuses, and those given twice."""
    releases = [part for part in stack.parts() if part.kind == RELEASE]
    for part in releases:
        wrong = name_problem(part.name, RELEASE_LIMIT)
        if wrong and not stack.findings.has(part.where):
            fix = "use a shorter or simpler name, or set release_name"
            more: t.Any = {"about": [part.name], "covers": ["LLMD305", "LLMD306"]}
            stack.findings.add(part.where, f"its Helm release {wrong}", fix, rule="input-name", **more)
    unique([(part.name, part.where) for part in releases], "Helm release", stack.findings)


def check_kinds(needed: t.Iterable[NeededKind], served: t.Callable[[str, str], bool], findings: Findings) -> None:
    """Note the kinds that a cluster does not serve; served(api_version, kind) asks it."""
    known: dict[tuple[str, str], bool] = {}
    for api_version, kind, why, install in needed:
        key = (api_version, kind)
        if key not in known:
            known[key] = served(*key)
            if not known[key]:
                other = f"install the CRDs that bring {kind}, or choose another gateway_provider"
                text = f"it does not serve {kind} ({api_version}), which {why} needs"
                more: t.Any = {"about": [kind], "covers": ["LLMD610", "LLMD611", "LLMD612"]}
                findings.add("cluster", text, install or _INSTALL.get(api_version, other), rule="cluster-kinds", **more)


def needed_kinds(stack: Stack) -> list[NeededKind]:
    """Return the kinds that the components at work cannot do without, but for those that the stack itself brings."""
    brought = {kind for component in stack.at_work for kind in component.brings()}
    needed = [need for component in stack.at_work for need in component.needs()]
    return [need for need in needed if (need.api_version, need.kind) not in brought]
