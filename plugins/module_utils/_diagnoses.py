# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All rules of diagnosis, in the order in which they are asked: of several that fit a pod, the first one names it."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils import (
    _diagnoses_admission,
    _diagnoses_cluster,
    _diagnoses_endpoints,
    _diagnoses_gateways,
    _diagnoses_images,
    _diagnoses_pools,
    _diagnoses_routing,
    _diagnoses_scheduling,
    _diagnoses_start,
    _diagnoses_volumes,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._diagnoses_base import Diagnosis
from ansible_collections.llm_d.orchestrator.plugins.module_utils._diagnoses_picker import PICKER
from ansible_collections.llm_d.orchestrator.plugins.module_utils._diagnoses_server import SERVER

GROUPS: dict[str, tuple[Diagnosis, ...]] = {
    "Namespace, releases and definitions": _diagnoses_cluster.NAMESPACE,
    "What the API server refuses": _diagnoses_admission.RULES,
    "Volumes": _diagnoses_volumes.RULES,
    "Room and placement": _diagnoses_scheduling.RULES,
    "Images": _diagnoses_images.RULES,
    "Endpoint picker": tuple(rule.diagnosis() for rule in PICKER),
    "Model server": tuple(rule.diagnosis() for rule in SERVER),
    "Containers": _diagnoses_start.RULES,
    "Gateways": (*_diagnoses_gateways.RULES, *_diagnoses_endpoints.GATEWAYS),
    "Routes": _diagnoses_routing.RULES,
    "Pools": (*_diagnoses_pools.RULES, *_diagnoses_endpoints.POOLS),
    "What is left": _diagnoses_cluster.LAST,
}
RULES: tuple[Diagnosis, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)
# Rules whose match in a log says that a restart is of no use.
LOG_RULES = (*PICKER, *SERVER)
