# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The charts' own monitors turned on: the values that other components' releases get where monitoring is wanted."""

from __future__ import annotations

from ..base.data import Object, Path, Values, dicts, dig, nest
from ..base.names import epp_name

ROLES = ("decode", "prefill")
METRICS_PORT = "metrics"


def picker_values(settings: Object, path: Path, release: str, own: Values) -> Values:
    """Return the values that let a pool's chart make its ServiceMonitor.

    path: of the chart's `enabled`; own: the chart's own values, {} where they are not known. The chart's name for the
    token's secret is the same for all pools of a namespace, so each gets one of its own.
    """
    known = dig(own, path[:-1])
    wanted: Values = {"enabled": True}
    if not isinstance(known, dict) or "auth" in known:
        wanted["auth"] = {"secretName": f"{epp_name(release)}-metrics"}
    if settings["labels"]:
        wanted["extraLabels"] = dict(settings["labels"])
    return nest(path[:-1], wanted)


def server_values(settings: Object, user: Values) -> tuple[Values, list[str]]:
    """Return the values that let a model's chart make its PodMonitors, and the roles whose pods have no named port.

    user: the model's values, whose first container with a named port is asked; a port called metrics comes first.
    """
    values: Values = {}
    nameless = []
    for role in ROLES:
        spec = user.get(role)
        if not isinstance(spec, dict) or spec.get("create") is False or spec.get("replicas") == 0:
            continue
        port = _port_name(spec)
        if not port:
            nameless.append(role)
            continue
        monitor: Values = {"enabled": True, "portName": port}
        if settings["labels"]:
            monitor["labels"] = dict(settings["labels"])
        values[role] = {"monitoring": {"podmonitor": monitor}}
    return values, nameless


def _port_name(spec: Values) -> str:
    ports = [port for item in dicts(spec.get("containers")) for port in dicts(item.get("ports"))]
    names = [str(port["name"]) for port in ports if port.get("name")]
    return METRICS_PORT if METRICS_PORT in names else next(iter(names), "")
