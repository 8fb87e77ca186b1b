# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The checks of a stack that come before its charts are rendered: cluster, kinds, secrets, work, values, owners."""

from __future__ import annotations

from ..base.errors import OrchestratorError, Unreachable
from ..base.findings import ERROR, Finding, Findings
from ..cluster.client import Cluster
from ..components.base import Facts, Stack
from ..schemas.check_all import UNKNOWN_KEYS, check_charts, inline_name
from ..stack.checks import check_kinds, needed_kinds
from ..stack.facts import check_namespace, looked_up, read_facts
from ..stack.settings import places
from .findings import UNREACHABLE


def connect(params: dict, findings: Findings, notes: list[str]) -> tuple[Cluster | None, Facts, str | None]:
    """Return the cluster, what a stack needs to know of it, and its version; None where it cannot be reached."""
    try:
        cluster = Cluster(params)
        version = cluster.version()
        facts = read_facts(cluster, params["namespace"], places(params), notes)
        facts.seen = looked_up(cluster, params, notes)
    except OrchestratorError as exc:
        rule = UNREACHABLE if isinstance(exc, Unreachable) else "cluster-refused"
        findings.add("cluster", exc.message, exc.hint, rule=rule)
        return None, Facts(reachable=False), None
    check_namespace(params["namespace"], facts.namespace, findings)
    return cluster, facts, version


def check_cluster(cluster: Cluster, stack: Stack) -> None:
    """Note kinds that the cluster does not serve, and what its facts do not allow."""
    check_kinds(needed_kinds(stack), lambda api, kind: cluster.resource(api, kind) is not None, stack.findings)
    for component in stack.at_work:
        component.check_cluster()


def check_values(params: dict, fetching: dict, inputs: list[dict], known: Findings) -> list[Finding]:
    """Return what is wrong with the values, without the errors at places where something is known to be wrong."""
    unknown = UNKNOWN_KEYS[params["unknown_keys"]]
    checked = check_charts(inputs, unknown_keys=unknown, files_known=True, **fetching)
    lines = {(finding.mark.file, finding.mark.line) for finding in known if finding.mark.line}
    keys = {(finding.mark.file, finding.path) for finding in known if finding.path and not finding.mark.line}
    variables = {inline_name(row["name"]): row["variables"] for row in inputs}

    def is_known(finding: Finding) -> bool:
        if finding.mark.line:
            return (finding.mark.file, finding.mark.line) in lines
        files = [layer.where for layer in variables.get(finding.mark.file, ())]
        return any((file, finding.path) in keys for file in (finding.mark.file, *files))

    return [item for item in checked.findings if item.severity != ERROR or not is_known(item)]
