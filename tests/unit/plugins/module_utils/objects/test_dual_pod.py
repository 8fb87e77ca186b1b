# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Requesters of dual pods: what is checked is the pod that their patch makes."""

from __future__ import annotations

import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.dual_pod import ANNOTATION, serving_template
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from rules.world import World

PATCH = """
metadata: {labels: {app: chat, requester: null}}
spec:
  containers:
    - {name: vllm, image: "vllm/vllm-openai:v0.11.0", args: [--model, org/chat, --port=8000]}
"""


def requester(patch: str = PATCH) -> World:
    """A stack whose model is served through a requester."""
    world = World()
    (body,) = world.manifests["modelservice"]
    body["kind"] = "ReplicaSet"
    template = body["spec"]["template"]
    template["metadata"] = {"labels": {"requester": "yes"}, "annotations": {ANNOTATION: patch}}
    template["spec"]["containers"] = [{"name": "requester", "image": "example/requester:v1"}]
    return world


def test_the_patch_is_laid_over_the_template() -> None:
    template = requester().manifests["modelservice"][0]["spec"]["template"]
    made = serving_template(template)
    assert made["metadata"]["labels"] == {"app": "chat"}
    assert [one["name"] for one in made["spec"]["containers"]] == ["requester", "vllm"]
    assert template["metadata"]["labels"] == {"requester": "yes"}, "the manifest itself stays as it is"
    other = {"metadata": {"labels": {"a": "b"}}}
    assert serving_template(other) is other


def test_a_requester_is_no_false_alarm_and_its_label_is_checked() -> None:
    assert check(requester().model()) == []
    found = check(requester(PATCH.replace("app: chat", "app: chta")).model())
    assert [item.rule for item in found] == ["LLMD101"]


def test_a_patch_that_cannot_be_read_changes_nothing() -> None:
    for text in ("{", "[]", "a: &a [*a]", yaml.safe_dump({"spec": 5})):
        template = requester(text).manifests["modelservice"][0]["spec"]["template"]
        assert serving_template(template)["metadata"]["labels"] == {"requester": "yes"}
