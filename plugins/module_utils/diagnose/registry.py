# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All rules of diagnosis, in the order in which they are asked: of several that fit a pod, the first one names it."""

from __future__ import annotations

from . import (
    orchestrator,
    rules_admission,
    rules_cluster,
    rules_endpoints,
    rules_gateways,
    rules_images,
    rules_pools,
    rules_routing,
    rules_scheduling,
    rules_start,
    rules_volumes,
)
from .base import Diagnosis
from .dynamo import graphs, operators, router
from .log_rules import diagnoses
from .rules_logs import ABSENT_POOL, LOG_RULES, PICKER, SERVER

_SAID = diagnoses(LOG_RULES)

GROUPS: dict[str, tuple[Diagnosis, ...]] = {
    "Namespace, releases and definitions": rules_cluster.NAMESPACE,
    # What is seen of one program's objects says more than what any may show.
    "NVIDIA Dynamo": (
        *operators.RULES,
        *(_SAID[rule.number] for rule in graphs.LOGS),
        *graphs.RULES,
    ),
    "Rejected by the API server": rules_admission.RULES,
    "LLM Router": (*(_SAID[rule.number] for rule in router.ROUTER), *router.RULES),
    "LLM-Orchestrator": (
        *orchestrator.POLICIES,
        *(_SAID[rule.number] for rule in orchestrator.ORCHESTRATOR),
        *orchestrator.WORKERS,
    ),
    "Volumes": rules_volumes.RULES,
    "Scheduling": rules_scheduling.RULES,
    "Images": rules_images.RULES,
    # What the picker says of its pool comes after what is seen of the pool.
    "Endpoint picker": (*(_SAID[rule.number] for rule in PICKER[:-1]), ABSENT_POOL, _SAID[PICKER[-1].number]),
    "Model server": tuple(_SAID[rule.number] for rule in SERVER),
    "Containers": rules_start.RULES,
    "Gateways": (*rules_gateways.RULES, *rules_endpoints.GATEWAYS),
    "Routes": rules_routing.RULES,
    "Pools": (*rules_pools.RULES, *rules_endpoints.POOLS, *rules_routing.POOLS),
    "Other failures": rules_cluster.LAST,
}

RULES: tuple[Diagnosis, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)
