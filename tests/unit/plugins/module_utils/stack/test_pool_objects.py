# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects that go with a pool: theirs is the pool, and what is wrong with them is named."""

from __future__ import annotations

import pytest

from stack.test_resolve import model, resolve

API = "inference.networking.x-k8s.io/v1alpha2"


def manifest(name="high", kind="InferenceObjective", api=API, spec=None, **metadata):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec or {"priority": 1}}


def found(*objects, **more):
    result, findings, stack = resolve([model(pool={"objects": list(objects)}, **more)])
    parts = [part for part in result["parts"] if part["name"] == "gaie-objects"]
    return (parts[0]["objects"] if parts else []), findings, stack


def test_what_is_of_a_pool_and_names_none_is_of_this_one():
    made, findings, stack = found(manifest(), manifest("mine", spec={"poolRef": {"name": "other"}, "priority": 2}))
    assert findings == []
    assert [item["spec"]["poolRef"]["name"] for item in made] == ["gaie-a", "other"]
    assert (API, "InferenceObjective") in {(need.api_version, need.kind) for need in stack.components["gaie"].needs()}


def test_other_kinds_stay_as_they_are():
    scaler = manifest("a", "HorizontalPodAutoscaler", "autoscaling/v2", {"maxReplicas": 3})
    assert found(scaler)[0] == [scaler]


def test_without_any_there_is_no_part():
    assert found()[0] == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("text", "llm_d_models[0].pool.objects[0]: is not an object"),
        ({"kind": "InferenceObjective", "metadata": {"name": "a"}}, "has no apiVersion"),
        ({"apiVersion": API, "metadata": {"name": "a"}}, "has no kind"),
        ({"apiVersion": API, "kind": "InferenceObjective"}, "has no metadata.name"),
        (manifest("Not_A_Name"), "metadata.name"),
        (manifest(namespace="elsewhere"), "is of namespace elsewhere, but the pool is in ns"),
    ],
)
def test_mistakes(body, said):
    _made, findings, _stack = found(body)
    assert len(findings) == 1 and said in findings[0], findings


def test_two_of_the_same_name():
    _made, findings, _stack = found(manifest(), manifest())
    assert len(findings) == 1 and "InferenceObjective high" in findings[0], findings
