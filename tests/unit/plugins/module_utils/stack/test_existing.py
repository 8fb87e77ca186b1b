# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Models whose servers already run: they get a pool and a route, and nothing else."""

from __future__ import annotations

import pytest

from stack.test_resolve import resolve

LABELS = {"app": "vllm"}


def model(**more):
    return {"name": "a", "model": "org/a", "existing": True, "labels": LABELS, **more}


def test_only_pool_and_route_are_deployed():
    result, findings, stack = resolve([model(port=8200)])
    assert findings == []
    assert "modelservice" not in {part["component"] for part in result["parts"]}
    assert result["objects"]["modelservice"] == []
    (told,) = result["models"]
    assert (told["existing"], told["labels"], told["port"], told["roles"]) == (True, LABELS, 8200, {})
    (pool,) = result["pools"]
    assert (pool["selector"], pool["target_ports"]) == (LABELS, [8200])
    assert [route["kind"] for route in result["routes"]] == ["HTTPRoute"]
    charted = type(stack.components["modelservice"]).charted
    assert not charted({}, {"models": [model()]})
    assert charted({}, {"models": [model(), {"name": "b"}]})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (model(labels={}), "llm_d_models[0].labels: the labels of the servers' pods are missing"),
        (model(model=""), "llm_d_models[0].model: the model's name is missing"),
        (model(port=70000), "llm_d_models[0].port: 70000 is not a valid port"),
        (model(labels={"app": "no label!"}), "llm_d_models[0].labels: label app"),
        (model(values={"decode": {}}), "llm_d_models[0].values: is set beside existing: true"),
        (model(kustomization="x"), "llm_d_models[0].kustomization: is set beside existing: true"),
        (model(pool={"selector": {"app": "other"}}), "llm_d_models[0].pool.selector"),
        (model(pool={"target_ports": [9000]}), "llm_d_models[0].pool.target_ports"),
        (model(label={}), "llm_d_models[0].label"),
        ({"name": "a", "model": "org/a", "labels": LABELS}, "llm_d_models[0].labels: is of servers that already run"),
    ],
)
def test_mistakes(entry, said):
    _result, findings, _stack = resolve([entry])
    assert any(said in text.replace("\n", " ") for text in findings), findings
    assert len(findings) == 1


def test_two_models_with_the_same_pods():
    _result, findings, _stack = resolve([model(), model(name="b", model="org/b")])
    assert any("selects the pods of model b too" in text for text in findings), findings
