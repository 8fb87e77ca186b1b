# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Facts about known charts that neither their values.yaml nor a schema of theirs states, each with its source."""

from __future__ import annotations

import dataclasses

GAIE = "kubernetes-sigs/gateway-api-inference-extension v1.3.0, config/charts/inferencepool"


@dataclasses.dataclass(frozen=True)
class Fact:
    """One fact about one chart.

    kind: forbidden (the path must be absent), required (it must be a map or list that is not empty), or image (it
    holds name and tag of an image, and the tag must be a real one); path: keys from the top; rule: its id.
    """

    chart: str
    kind: str
    path: tuple[str, ...]
    rule: str
    message: str
    hint: str
    source: str


FACTS = (
    Fact(
        "inferencepool",
        "required",
        ("inferencePool", "modelServers", "matchLabels"),
        "pool-selector",
        "the pool's selector is missing, and the chart does not render without it",
        'give the labels that the model\'s pods carry, such as llm-d.ai/inference-serving: "true"',
        f"{GAIE}/templates/_validations.tpl",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("inferenceExtension", "resources"),
        "chart-ignores-key",
        "the chart never reads this key",
        "remove it: the chart sets no resources on the endpoint picker's container",
        f"{GAIE}/templates/epp-deployment.yaml",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("inferenceExtension", "service"),
        "chart-ignores-key",
        "the chart never reads this key",
        "remove it, and add ports by inferenceExtension.extraServicePorts",
        f"{GAIE}/templates/epp-service.yaml",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("routing",),
        "chart-ignores-key",
        "the chart never reads this key",
        "move it to the values of the chart llm-d-modelservice",
        f"{GAIE}/values.yaml",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("gateway",),
        "chart-ignores-key",
        "the chart never reads this key",
        "move it to the values of the chart llm-d-infra",
        f"{GAIE}/values.yaml",
    ),
    Fact(
        "inferencepool",
        "image",
        ("inferenceExtension", "image"),
        "image-tag",
        "the endpoint picker's image has no fixed tag",
        "write the tag of one release in quotes, such as v0.6.0 of llm-d-inference-scheduler",
        f"{GAIE}/templates/epp-deployment.yaml joins hub, name and tag",
    ),
)

# Top-level keys that belong to one chart; one shared file for several charts is a frequent mistake.
KEY_OWNERS = {
    "gateway": "llm-d-infra",
    "ingress": "llm-d-infra",
    "inferenceExtension": "inferencepool",
    "inferencePool": "inferencepool",
    "provider": "inferencepool",
    "experimentalHttpRoute": "inferencepool",
    "accelerator": "llm-d-modelservice",
    "decode": "llm-d-modelservice",
    "modelArtifacts": "llm-d-modelservice",
    "multinode": "llm-d-modelservice",
    "prefill": "llm-d-modelservice",
    "routing": "llm-d-modelservice",
}


def facts_for(chart: str) -> list[Fact]:
    """Return what is known about a chart by name."""
    return [fact for fact in FACTS if fact.chart == chart]


def owner(key: str, chart: str) -> str | None:
    """Return the chart that a top-level key belongs to, None where it is unknown or this chart's own."""
    found = KEY_OWNERS.get(key)
    return found if found != chart else None
