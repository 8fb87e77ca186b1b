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
    "broken-schema": "The chart's schema itself is unsound.",
    "chart-fetch": "The chart cannot be had.",
    "chart-version": "The chart's folder is named after another version than the one that is asked for.",
    "chart-ignores-key": "A key that the inference pool's chart never reads.",
    "ignored-key": "A key very like one that the chart reads, which the chart would silently ignore.",
    "image-tag": "The endpoint picker's image has no fixed tag.",
    "more-mistakes": "There are more mistakes than are shown.",
    "missing-key": "A required key is missing.",
    "no-schema": "The chart ships no schema.",
    "not-a-choice": "A value is none of those allowed.",
    "other-chart": "The chart is another one than a stack of this collection is made of.",
    "pool-selector": "The inference pool selects no pods.",
    "refused-key": "The chart stops with an error where this key is given.",
    "remote-ref": "The schema refers to a web page, which is not fetched.",
    "schema": "A value breaks a limit, pattern or format of the chart's schema.",
    "schema-cost": "The schema takes too long to evaluate.",
    "subchart-values": "The key of a subchart's name holds no map.",
    "unknown-key": "The chart's schema allows no such key here.",
    "unread-key": "The chart never reads the key.",
    "wrong-type": "A value is of the wrong type.",
    "yaml-alias": "An alias names no anchor.",
    "yaml-documents": "A values file holds several YAML documents.",
    "yaml-duplicate": "A key stands twice in one map.",
    "yaml-encoding": "A values file is not UTF-8 text.",
    "yaml-file": "A values file does not exist or cannot be read.",
    "yaml-key": "A key in a values file is not text.",
    "yaml-map": "A values file holds no map.",
    "yaml-merge": "A merge key << gets no map.",
    "yaml-number": "A number is not finite.",
    "yaml-size": "A values file is too large.",
    "yaml-depth": "A values file is nested too deep.",
    "yaml-syntax": "A values file is not YAML.",
    "yaml-tag": "A YAML tag means nothing to Helm.",
}

# Rules on variables, and on what the cluster must have before anything can be planned.
VARIABLES = {
    "cluster-class": "The cluster lacks the GatewayClass that the gateway provider needs.",
    "cluster-kinds": "The cluster does not serve a kind that the stack needs.",
    "cluster-refused": "The kubeconfig, certificate or token cannot be used, or the cluster refuses it.",
    "cluster-unreachable": "The cluster cannot be reached.",
    "helm": "Helm is absent, too old or does not run.",
    "input": "A mistake in the inputs.",
    "input-choice": "A variable has none of the values allowed.",
    "input-graph": "A graph file holds no graph, or what is no object.",
    "input-graph-variable": "A variable of a graph file is filled by nothing.",
    "input-platform": "The operator of Dynamo that is there does not fit to what is wanted.",
    "input-claim": "A claim is needed and not named, or two are meant for one thing.",
    "input-empty": "There is nothing to deploy.",
    "input-findings-file": "The file for findings cannot be written.",
    "input-gateway": "The Gateway to adopt is not named, or not there.",
    "input-hostname": "A route's hostname is none, or not the same for a shared route.",
    "input-image": "A variable names no image.",
    "input-label": "A label's key or value is none to Kubernetes.",
    "input-name": "A name is missing, or one that Kubernetes or Helm refuses.",
    "input-name-taken": "Two things have one name.",
    "input-namespace": "The namespace's name is none, or it is being deleted.",
    "input-no-decode": "A model has no decode pods.",
    "input-port": "A port is none, or not the one that the model listens on.",
    "input-provider": "The gateway provider is not known, or its file is broken.",
    "input-records-dir": "The folder for records cannot be written.",
    "input-route-conflict": "Two routes match the same requests.",
    "input-route-limit": "A route has more rules than the API takes.",
    "input-route-path": "A route's path prefix is no path.",
    "input-router": "The router is asked for, and its chart is not named.",
    "input-router-base": "The address that the router sends requests to is none, or ends in /v1.",
    "input-router-model": "A policy of the router names a model that nothing serves.",
    "input-router-models": "The models of the router's classifier are absent, or in a folder at another level.",
    "input-router-policy": "A policy of the router, or its file, would stop the controller or mix up classes.",
    "input-secret": "A Secret for the model's or picker's token is not as it must be.",
    "input-selector": "A pool's selector misses its model's pods, or is absent.",
    "input-selector-shared": "A pool's selector takes another model's pods too.",
    "input-served-name": "The served model name is missing, or differs between variable and values.",
    "input-size": "A variable holds no size that Kubernetes takes.",
    "input-template": "A variable cannot be worked out.",
    "input-time": "A time is not a number of seconds.",
    "input-timeouts": "A route's timeouts are no durations, do not go together, or are left out.",
    "input-type": "A variable is of the wrong type.",
    "input-unknown-key": "An entry has a key that is not known.",
    "input-unknown-variable": "A variable with one of this collection's prefixes, or nearly, that nothing reads.",
    "input-value": "A variable holds what cannot be.",
    "input-zmq": "A port takes the name or number of KV-cache events for something else.",
    "approval": "The plan that was approved is not the one that would be carried out, or there is none.",
    "consent": "Something in a plan needs a consent or an answer that nobody has given.",
    "decision": "An answer that other variables have to carry out.",
    "owner": "An object or release that others made, or that cannot be changed as it would have to be.",
    "planning": "What keeps planning itself from its end, such as a chart that does not render.",
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
