# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which mode a workload asks for, by the decision matrix of LLM-Orchestrator's guide, and why.

The matrix names signs of each mode. Where those of several are given, the one that can do more is chosen: Kubernetes
before distributed before single node before CLI. Edge sites beside any of the larger ones make it hybrid.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.findings import Findings
from ..base.names import did_you_mean

AUTO = "auto"
CLI, SINGLE, COMPOSE, DISTRIBUTED, KUBERNETES, HYBRID = MODES = (
    "cli", "single", "compose", "distributed", "kubernetes", "hybrid",
)  # fmt: skip
VARIABLE = "llm_orchestrator_workload"
# Below the one a single node does, above the other only several: between them the guide says nothing.
SMALL, LARGE = 100, 1000
# etcd, NATS and Redis's Sentinels each need three to go on without one.
FEWEST = 3
WORKLOAD: dict[str, tuple[t.Any, str]] = {
    "workflows_per_day": (int, "How many workflows run on a usual day."),
    "purpose": (("production", "development"), "Whether somebody depends on them."),
    "availability": (("basic", "high"), "Whether they go on when a host is lost."),
    "autoscaling": (bool, "Whether servers are added and removed by load."),
    "kubernetes": (bool, "Whether there is a Kubernetes cluster."),
    "multi_tenancy": (bool, "Whether several tenants are kept apart."),
    "teams": (bool, "Whether several teams work with it, or many kinds of workflows run."),
    "edge": (bool, "Whether workflows run at edge sites."),
    "cloud": (bool, "Whether edge sites work together with a cloud, which they may lose for a while."),
    "containers": (bool, "Whether a single node is to run in containers, by Docker Compose."),
    "hosts": (int, "How many machines there are."),
}


@dataclasses.dataclass(frozen=True)
class Decision:
    """mode; reasons: what decided; warnings: what contradicts it, or what the guide leaves open."""

    mode: str
    reasons: list[str]
    warnings: list[str]


def decide(workload: t.Any) -> tuple[Decision | None, Findings]:
    """Return the mode for a workload, None where the workload does not say enough; and what is wrong with it."""
    found = Findings()
    known = _checked(workload, found)
    if found:
        return None, found
    if not known.keys() - {"hosts", "kubernetes", "containers"}:
        fix = "set at least workflows_per_day, or purpose: development"
        found.add(VARIABLE, "says nothing that a mode could be chosen by", fix, "orchestrator-workload")
        return None, found
    last = (CLI, SINGLE) if known.get("purpose") == "development" else (SINGLE, CLI)
    signs = {mode: list(_signs(mode, known)) for mode in (KUBERNETES, DISTRIBUTED, *last)}
    return _chosen(known, signs), found


def _checked(workload: t.Any, found: Findings) -> dict[str, t.Any]:
    if not isinstance(workload, dict):
        found.add(VARIABLE, "must be a map", "use a map such as {workflows_per_day: 500}", "orchestrator-workload")
        return {}
    for key, value in workload.items():
        where = f"{VARIABLE}.{key}"
        if key not in WORKLOAD:
            fix = "use one of: " + ", ".join(WORKLOAD)
            found.add(where, f"unknown key.{did_you_mean(str(key), WORKLOAD)}", fix, "orchestrator-workload")
            continue
        kind = WORKLOAD[key][0]
        if isinstance(kind, tuple) and value not in kind:
            fix = "use one of: " + ", ".join(kind)
            found.add(where, f"{value!r} is not a valid choice.{did_you_mean(str(value), kind)}", fix, "input-choice")
        elif kind is bool and not isinstance(value, bool):
            found.add(where, f"{value!r} is not true or false", "use true or false", "input-type")
        elif kind is int and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            found.add(where, f"{value!r} is not a number of at least 0", "use a number such as 500", "input-type")
    return dict(workload)


def _signs(mode: str, known: dict[str, t.Any]) -> t.Iterator[str]:
    """Yield what of a workload the matrix has as a sign of a mode."""
    daily = known.get("workflows_per_day")
    if mode == KUBERNETES:
        yield from _said(known, autoscaling="autoscaling is needed, which only Kubernetes has",
                         multi_tenancy="tenants are kept apart")  # fmt: skip
    elif mode == DISTRIBUTED:
        if daily is not None and daily > LARGE:
            yield f"{daily} workflows a day are more than {LARGE}"
        if known.get("availability") == "high":
            yield "workflows have to go on when a host is lost"
        yield from _said(known, teams="several teams or kinds of workflows share it")
    elif mode == SINGLE:
        if daily is not None and 0 < daily < SMALL:
            yield f"{daily} workflows a day are fewer than {SMALL}"
        elif daily is not None and SMALL <= daily <= LARGE:
            yield f"{daily} workflows a day fit on one node, and nothing asks for more"
        yield from _said(known, edge="workflows run at an edge site", containers="it is to run in containers")
    elif known.get("purpose") == "development" or daily == 0:
        yield "workflows are run by hand, for development"


def _said(known: dict[str, t.Any], **signs: str) -> t.Iterator[str]:
    return (text for key, text in signs.items() if known.get(key))


def _chosen(known: dict[str, t.Any], signs: dict[str, list[str]]) -> Decision:
    warnings: list[str] = []
    mode = next((mode for mode, given in signs.items() if given), SINGLE)
    if mode == DISTRIBUTED and known.get("kubernetes"):
        signs[KUBERNETES] = [*signs[mode], "there is a Kubernetes cluster, which takes care of lost hosts"]
        mode = KUBERNETES
    if mode == KUBERNETES and known.get("kubernetes") is False:
        mode = DISTRIBUTED
        given = " and ".join(signs[KUBERNETES])
        signs[mode] = [*signs[mode], "there is no Kubernetes cluster"]
        warnings.append(f"{given}, but there is no Kubernetes cluster: servers are added by hand, in the inventory")
    reasons = signs[mode] or ["it is used in production, and nothing asks for more than one node"]
    if known.get("edge") and (mode in (KUBERNETES, DISTRIBUTED) or known.get("cloud")):
        reasons = [*[one for one in reasons if one not in signs[SINGLE]], "edge sites work together with a cloud"]
        mode = HYBRID
        warnings.append("the guide compares hybrid with the other modes, but its decision matrix does not name it")
    if mode == SINGLE and known.get("containers"):
        mode = COMPOSE
    return Decision(mode, reasons, warnings + list(_left_open(mode, known)))


def _left_open(mode: str, known: dict[str, t.Any]) -> t.Iterator[str]:
    """Yield what the guide says nothing about, and what contradicts a mode."""
    daily, hosts = known.get("workflows_per_day"), known.get("hosts")
    if mode in (SINGLE, COMPOSE, CLI) and daily is not None and SMALL <= daily <= LARGE:
        yield (
            f"the guide names no mode for {SMALL} to {LARGE} workflows a day: choose distributed "
            "(availability: high) before load or the loss of the node becomes a problem"
        )
    if mode in (SINGLE, COMPOSE) and known.get("purpose") == "production" and "availability" not in known:
        yield "a single node is down while its host is: set availability: high where that matters"
    if mode in (DISTRIBUTED, HYBRID) and hosts is not None and hosts < FEWEST:
        number = f"{hosts} host{'s' if hosts != 1 else ''}"
        yield f"{number} cannot go on when one is lost: etcd, NATS and Redis need {FEWEST}"
    if mode == KUBERNETES and daily is not None and daily < SMALL:
        yield f"fewer than {SMALL} workflows a day would fit on a single node"
    if mode in (DISTRIBUTED, KUBERNETES) and known.get("purpose") == "development":
        yield "purpose is development, for which the guide has the CLI"
