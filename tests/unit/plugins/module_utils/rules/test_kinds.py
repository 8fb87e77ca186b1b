# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Kinds that the cluster does not serve (LLMD610) or measure (LLMD615), and objectives for no pool (LLMD107)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules import kinds, pools, references
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

from rules.world import World

V1, ALPHA = "inference.networking.k8s.io", "inference.networking.x-k8s.io"


def extra(kind: str, api: str = "v1") -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "more", "namespace": "demo"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (extra("Configmap"), "does not serve Configmap (v1). Did you mean ConfigMap?"),
        (extra("ConfigMap"), ""),
        (extra("CronJob", "batch/v1"), ""),
        (extra("Widget", "example.com/v1"), "does not serve Widget (example.com/v1)"),
    ],
)
def test_a_kind_that_is_not_served_is_named_with_its_key(body: dict[str, Any], words: str) -> None:
    layer = Layer({"extraObjects": [{key: body[key] for key in ("apiVersion", "kind", "metadata")}]}, "ms.yaml")
    part = RenderedRelease("modelservice", "ms", "demo", [body], "llm-d-modelservice", "v1", [layer])
    facts = RuleFacts(served={"v1": ["ConfigMap", "Secret"]})
    found = list(kinds.served(build_model([part], [], [], facts)))
    assert bool(found) is bool(words)
    for one in found:
        assert words in one.message
        assert one.keys == ("ms: extraObjects[0].metadata.name",)


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ({"name": "pool"}, ""),
        ({"name": "pool", "group": V1}, ""),
        ({"name": "pool", "group": ALPHA}, f"is for pool pool of {ALPHA}, which is of {V1}"),
        ({"name": "pol"}, "does not exist there. Did you mean pool?"),
    ],
)
def test_an_objective_is_for_a_pool_that_is_there(ref: dict[str, str], words: str) -> None:
    world = World()
    objective = {**extra("InferenceObjective", f"{ALPHA}/v1alpha2"), "spec": {"priority": 5, "poolRef": ref}}
    world.manifests["modelservice"].append(objective)
    found = list(pools.objectives(world.model()))
    assert bool(found) is bool(words)
    assert all(words in one.message for one in found)


@pytest.mark.parametrize(
    ("served", "metric", "count"),
    [
        ({"v1": ["Pod"]}, "Resource", 1),
        ({"v1": ["Pod"]}, "External", 0),
        ({"v1": ["Pod"], "metrics.k8s.io/v1beta1": ["PodMetrics"]}, "Resource", 0),
        (None, "Resource", 0),
    ],
)
def test_autoscalers_have_metrics(served: Any, metric: str, count: int) -> None:
    scaler = {**extra("HorizontalPodAutoscaler", "autoscaling/v2"), "spec": {"metrics": [{"type": metric}]}}
    part = RenderedRelease("llm_orchestrator", "", "demo", [scaler])
    assert len(list(kinds.metrics(build_model([part], [], [], RuleFacts(served=served))))) == count


@pytest.mark.parametrize(
    ("classes", "words"), [([], "IngressClass ngnix not found"), (["nginx"], "Did you mean nginx?"), (None, "")]
)
def test_ingress_classes_exist(classes: list[str] | None, words: str) -> None:
    ingress = {**extra("Ingress", "networking.k8s.io/v1"), "spec": {"ingressClassName": "ngnix"}}
    part = RenderedRelease("llm_orchestrator", "", "demo", [ingress])
    there = {} if classes is None else {"IngressClass": [{"metadata": {"name": name}} for name in classes]}
    (rule,) = [rule for rule in references.RULES if rule.id == "LLMD614"]
    found = list(rule.check(build_model([part], [], [], RuleFacts(objects=there))))
    assert bool(found) is bool(words)
    assert all(words in one.message for one in found)
