# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What each rule's id means, for reports that carry their rules' texts along."""

from __future__ import annotations

import re
import typing as t

from .registry import RULES

DOCS = "https://github.com/llm-d/llm_d.orchestrator/blob/main/docs/"
VALUES_PAGE = DOCS + "reference/values.md#what-a-message-means"
VARIABLES_PAGE = DOCS + "reference/values.md#mistakes-in-variables"


class RuleText(t.NamedTuple):
    """title: one line; help: what it means and what to do; page: address of its documentation."""

    title: str
    help: str
    page: str


# Rules on values files against charts, and on the files themselves: id, what it finds.
VALUES = {
    "broken-schema": "The chart's schema is invalid.",
    "chart-fetch": "The chart cannot be fetched.",
    "chart-version": "The name of the chart's folder has another version than the requested one.",
    "chart-ignores-key": "A key that the inference pool's chart never reads.",
    "ignored-key": "A key very like one that the chart reads, which the chart would silently ignore.",
    "image-tag": "The endpoint picker's image has no fixed tag.",
    "more-mistakes": "There are more mistakes than are shown.",
    "missing-key": "A required key is missing.",
    "no-schema": "The chart ships no schema.",
    "not-a-choice": "A value is not one of those allowed.",
    "other-chart": "The chart is not one that this collection deploys.",
    "pool-selector": "The inference pool selects no pods.",
    "refused-key": "The chart fails with an error if this key is set.",
    "remote-ref": "The schema refers to a web page, which is not fetched.",
    "schema": "A value breaks a limit, pattern or format of the chart's schema.",
    "schema-cost": "The schema takes too long to evaluate.",
    "subchart-values": "The key with a subchart's name is not a map.",
    "unknown-key": "The chart's schema allows no such key here.",
    "unread-key": "The chart never reads the key.",
    "wrong-type": "A value is of the wrong type.",
    "yaml-alias": "An alias has no anchor.",
    "yaml-documents": "A values file contains several YAML documents.",
    "yaml-duplicate": "A key is set twice in one map.",
    "yaml-encoding": "A values file is not UTF-8 text.",
    "yaml-file": "A values file does not exist or cannot be read.",
    "yaml-key": "A key in a values file is not a string.",
    "yaml-map": "A values file is not a map.",
    "yaml-merge": "A merge key << is not a map.",
    "yaml-number": "A number is not finite.",
    "yaml-size": "A values file is too large.",
    "yaml-depth": "A values file is nested too deep.",
    "yaml-syntax": "A values file is not YAML.",
    "yaml-tag": "A YAML tag is unknown to Helm.",
}

# Rules on variables, and on what the cluster must have before anything can be planned.
VARIABLES = {
    "cluster-class": "The cluster lacks the GatewayClass that the gateway provider needs.",
    "cluster-kinds": "The cluster does not serve a kind that the stack needs.",
    "cluster-refused": "The kubeconfig, certificate or token cannot be used, or the cluster refuses it.",
    "cluster-unreachable": "The cluster cannot be reached.",
    "helm": "Helm is not found, too old or does not run.",
    "input": "A mistake in the inputs.",
    "input-chart": "A store's chart, or its version, is not set.",
    "input-choice": "A variable's value is not one of those allowed.",
    "input-graph": "A graph file contains no graph, or something that is not an object.",
    "input-graph-variable": "A variable of a graph file has no value.",
    "input-platform": "The existing Dynamo operator does not match the desired one.",
    "input-claim": "A claim is needed but not set, or two are set for the same purpose.",
    "input-empty": "There is nothing to deploy.",
    "input-findings-file": "The file for findings cannot be written.",
    "input-gateway": "The Gateway to adopt is not set, or not found.",
    "input-hostname": "A route's hostname is invalid, or differs within a shared route.",
    "input-image": "A variable is not a valid image reference.",
    "input-kustomization": "A kustomization cannot be rendered, or has no model servers.",
    "input-label": "A label's key or value is invalid.",
    "input-name": "A name is missing, or invalid for Kubernetes or Helm.",
    "input-name-taken": "A name is used twice.",
    "input-namespace": "The namespace's name is invalid, or it is being deleted.",
    "input-no-decode": "A model has no decode pods.",
    "input-no-gateway": "A variable of Gateway or HTTPRoute has no effect, as the router stands alone.",
    "input-object": "An object beside a pool is not a manifest, or of another namespace.",
    "input-other-chart": "A variable says which chart it is, but the chart is another one.",
    "input-port": "A port is invalid, or not the one that the model listens on.",
    "input-provider": "The gateway provider is unknown, or its file is invalid.",
    "input-records-dir": "The folder for records cannot be written.",
    "input-route-conflict": "Two routes match the same requests.",
    "input-route-limit": "A route has more rules than the API takes.",
    "input-route-path": "A route's path prefix is not a valid path.",
    "input-route-twice": "A route is asked for beside the one that the pool's chart makes.",
    "input-replicas": "A number of replicas is invalid, or for a workload that the kustomization does not have.",
    "input-router": "The router is enabled, but its chart is not set.",
    "input-router-base": "The address that the router sends requests to is invalid, or ends in /v1.",
    "input-router-model": "A policy of the router uses a model that nothing serves.",
    "input-router-models": "The models of the router's classifier are missing, or in a folder at another level.",
    "input-router-policy": "A policy of the router, or its file, would stop the controller or mix up classes.",
    "input-secret": "A Secret for the model's or picker's token is missing or invalid.",
    "input-selector": "A pool's selector does not match its model's pods, or is missing.",
    "input-selector-shared": "A pool's selector also matches another model's pods.",
    "input-served-name": "The served model name is missing, or differs between variable and values.",
    "input-size": "A variable is not a valid Kubernetes quantity.",
    "input-template": "A variable cannot be evaluated.",
    "input-time": "A time is not a number of seconds.",
    "input-timeouts": "A route's timeouts are not durations, contradict each other, or are ignored.",
    "input-type": "A variable is of the wrong type.",
    "input-unknown-key": "An entry has an unknown key.",
    "input-unknown-variable": "An unknown variable with one of this collection's prefixes, or nearly.",
    "input-value": "A variable's value is not possible.",
    "input-zmq": "A port uses the name or number of KV-cache events for something else.",
    "orchestrator-facts": "A machine has no facts to check requirements with.",
    "orchestrator-requirements": "What orchestrator_requirements asks for is not known or not valid.",
    "orchestrator-workload": "What llm_orchestrator_workload tells is not known or not valid.",
    "approval": "The approved plan is not the current one, or there is none.",
    "consent": "A plan needs a consent or an answer that is missing.",
    "decision": "An answer that other variables must carry out.",
    "owner": "An object or release that others created, or that cannot be changed as planned.",
    "planning": "An error that stops planning, such as a chart that does not render.",
}


def known_ids() -> list[str]:
    """Return the ids of all rules."""
    return [*(rule.id for rule in RULES), *VALUES, *VARIABLES]


def rule_text(rule: str) -> RuleText:
    """Return what a rule's id means; an id of no table stands for itself."""
    if rule in VALUES:
        return RuleText(VALUES[rule], VALUES[rule], VALUES_PAGE)
    if rule in VARIABLES:
        return RuleText(VARIABLES[rule], VARIABLES[rule], VARIABLES_PAGE)
    for known in RULES:
        if known.id == rule:
            text = f"{known.meaning} In production: {known.failure} What to do: {known.remedy}. Source: {known.source}"
            return RuleText(known.title, text, f"{DOCS}reference/rules.md#{_anchor(f'{known.id}: {known.title}')}")
    return RuleText(rule, rule, DOCS)


def _anchor(heading: str) -> str:
    """Return the fragment that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
