# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Questions about pools of others that take the planned models' pods."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.decisions import pools

LABELS = {"llm-d.ai/model": "a", "llm-d.ai/role": "decode"}


def model(selector, **meta):
    """A stack with one model server, on a cluster with one pool."""
    container = {"name": "vllm", "image": "vllm:1", "command": ["vllm", "serve", "org/a", "--port", "8000"]}
    container["ports"] = [{"containerPort": 8000}]
    spec = {"template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}, "replicas": 1}
    server = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ms-a", "namespace": "n"},
        "spec": spec,
    }
    live = {
        "apiVersion": "inference.networking.k8s.io/v1",
        "kind": "InferencePool",
        "metadata": {"name": "theirs", "namespace": "n", **meta},
        "spec": {"selector": {"matchLabels": selector}, "targetPorts": [{"number": 8000}]},
    }
    found = build_model(
        [RenderedRelease("modelservice", "ms-a", "n", [server])], facts=RuleFacts({"InferencePool": [live]})
    )
    assert found.workloads
    return found


@pytest.mark.parametrize(
    ("selector", "meta", "asked"),
    [
        ({"llm-d.ai/model": "a"}, {}, True),
        (LABELS, {}, True),
        ({"llm-d.ai/model": "b"}, {}, False),
        ({}, {}, False),
        ({"llm-d.ai/model": "a"}, {"namespace": "m"}, False),
        ({"llm-d.ai/model": "a"}, {"labels": {"orchestrator.llm-d.ai/managed": "true"}}, False),
    ],
)
def test_pools(selector, meta, asked):
    rows = pools(model(selector, **meta), {"InferencePool/n/theirs": "new"})
    assert [(row["id"], row["answer"]) for row in rows] == ([("InferencePool/n/theirs", "new")] if asked else [])


def test_the_release_of_a_pool_is_named():
    found = pools(model(LABELS, annotations={"meta.helm.sh/release-name": "other"}), {})
    assert found[0]["text"] == "InferencePool n/theirs of the Helm release other also selects the pods of ms-a"
