# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The checks of a stack that come before its charts are rendered: cluster, kinds, secrets, work, values, owners."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.errors import OrchestratorError
from ..base.findings import ERROR, NOTE, Finding, Findings, finding_at
from ..cluster.client import Cluster
from ..components.base import Facts, Stack
from ..components.modelservice import secret_names
from ..schemas.check_all import UNKNOWN_KEYS, check_charts, inline_name
from ..stack.checks import check_gateway, check_kinds, needed_kinds
from ..stack.facts import check_namespace, read_facts


def connect(params: dict, problems: Findings, notes: list[str]) -> tuple[Cluster | None, Facts, str | None]:
    """Return the cluster, what a stack needs to know of it, and its version; None where it cannot be reached."""
    try:
        cluster = Cluster(params)
        version = cluster.version()
        gateway_namespace = params["gateway"]["namespace"] or params["namespace"]
        facts = read_facts(cluster, params["namespace"], gateway_namespace, notes)
    except OrchestratorError as exc:
        problems.add("cluster", exc.message, exc.hint, rule="cluster-unreachable")
        return None, Facts(reachable=False), None
    check_namespace(params["namespace"], facts.namespace, problems)
    return cluster, facts, version


def check_cluster(cluster: Cluster, stack: Stack, facts: Facts, problems: Findings) -> None:
    """Note kinds that the cluster does not serve, and what is wrong with the Gateway's class."""
    check_kinds(needed_kinds(stack), lambda api, kind: cluster.resource(api, kind) is not None, problems)
    if "gateway" in stack.params["components"]:
        check_gateway(stack, facts, problems)


def absent_secrets(stack: Stack, facts: Facts) -> list[Finding]:
    """Return a note for each secret of a model that is not there; the rule about secrets says it too."""
    if "modelservice" not in stack.params["components"]:
        return []
    found = []
    for model in stack.models:
        for name in secret_names(model):
            text = (
                f"its pods cannot start without the secret {name} (modelArtifacts.authSecretName),"
                f" which namespace {stack.params['namespace']} does not have; prepare_hf_token makes it."
            )
            note = finding_at(model.where, text, rule="LLMD601")
            note = dataclasses.replace(note, severity=NOTE, about=frozenset([name]), covers=("LLMD601",))
            found += [] if name in facts.secrets else [note]
    return found


def check_work(stack: Stack, routes: list, problems: Findings) -> None:
    """Note a stack that asks for nothing."""
    have: dict[str, t.Sequence] = {
        "modelservice": stack.models,
        "gaie": stack.pools,
        "httproute": routes,
        "gateway": [stack.gateway],
    }
    variables = {"modelservice": "modelservice_models", "gaie": "gaie_pools", "httproute": "httproute_routes"}
    empty = [name for name in stack.params["components"] if not have[name]]
    if empty and not problems and not stack.params["models"]:
        names = " or ".join(variables[name] for name in empty)
        fix = f"at least one model, or {names}"
        problems.add("llm_d_models", "is empty: there is nothing to deploy", fix, rule="input-empty")


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
        return any((variable, finding.path) in keys for variable in variables.get(finding.mark.file, ()))

    return [item for item in checked.findings if item.severity != ERROR or not is_known(item)]
