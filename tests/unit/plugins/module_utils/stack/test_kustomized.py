# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Models whose servers a kustomization makes: what comes out of their variables, and which mistakes are named."""

from __future__ import annotations

import pathlib

import pytest

from stack.test_resolve import resolve

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures" / "kustomize"
GUIDE = str(FIXTURES / "guide/vllm/base")


def model(kustomization=GUIDE, **more):
    return {"name": "toy", "kustomization": str(kustomization), **more}


def test_a_model_is_read_from_what_its_folder_renders_to():
    result, findings, _stack = resolve([model()])
    assert findings == []
    (part,) = (part for part in result["parts"] if part["component"] == "modelservice")
    assert part == {
        "component": "modelservice", "name": "ms-toy", "namespace": "ns", "kind": "kustomization", "path": GUIDE,
    }  # fmt: skip
    (told,) = result["models"]
    assert told["model"] == "Qwen/Qwen3-0.6B"
    assert (told["labels"], told["port"]) == ({"llm-d.ai/guide": "toy"}, 8000)
    assert (told["roles"], told["workloads"]) == ({"decode": 2}, {"decode": "toy-decode"})
    (pool,) = result["pools"]
    assert (pool["selector"], pool["target_ports"]) == ({"llm-d.ai/guide": "toy"}, [8000])


def test_an_overlay_is_kept_with_the_part():
    result, findings, stack = resolve([model(overlay={"replicas": 3, "env": {"VLLM_LOGGING_LEVEL": "DEBUG"}})])
    assert findings == []
    (part,) = (part for part in result["parts"] if part["component"] == "modelservice")
    assert part["overlay"]["patches"][0]["target"] == {"kind": "Deployment", "name": "^toy-decode$"}
    (told,) = result["models"]
    assert told["roles"] == {"decode": 3}
    made = stack.components["modelservice"].models[0].kustomized
    (body,) = made.workloads
    assert made.place(body, ("spec", "replicas")) == "llm_d_models[0].overlay.replicas"


def test_a_leader_worker_set():
    result, findings, _stack = resolve([model(FIXTURES / "guide/lws")])
    assert findings == []
    (told,) = result["models"]
    assert (told["workload_kind"], told["workloads"]) == ("LeaderWorkerSet", {"decode": "wide"})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (model(values={"decode": {}}), "llm_d_models[0].values: is set beside kustomization"),
        (model("lost"), "llm_d_models[0].kustomization: kustomization not found: 'lost'"),
        (
            model(FIXTURES / "guide"),
            "has no kustomization.yaml -> use one of the folders in it: broken, lws, vllm/base",
        ),
        (model(FIXTURES / "guide/broken"), "guide/broken/kustomization.yaml: not-there.yaml"),
        (model(FIXTURES / "recipes/base", overlay={"labels": {"a": "b"}}), "llm_d_models[0].model"),
        (model(model="org/other"), "but {guide}/patch-vllm.yaml:13 serves 'Qwen/Qwen3-0.6B'"),
        (model(overlay={"replica": 2}), "llm_d_models[0].overlay.replica"),
        (model(overlay={"replicas": {"prefill": 2}}), "no workload or role 'prefill'"),
        (
            model(overlay={"patches": [{"target": {"kind": "Deployment"}, "patch": "- op: nonsense"}]}),
            "kustomize cannot render",
        ),
        (model(overlay={"patches": [{"target": {"kind": "Lost"}, "patch": "x: 1"}]}), "has no object for Lost"),
        ({"name": "toy", "model": "org/toy", "values_files": [GUIDE]}, "is a kustomization, not a values file"),
        ({"name": "toy", "model": "org/toy", "overlay": {"replicas": 2}}, "is of a kustomization only"),
    ],
)
def test_mistakes(entry, said):
    _result, findings, _stack = resolve([entry])
    assert any(said.format(guide=GUIDE) in text.replace("\n", " ") for text in findings), findings
    assert len(findings) == 1
