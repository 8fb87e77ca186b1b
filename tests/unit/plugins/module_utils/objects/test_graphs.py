# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a DynamoGraphDeployment says, in the shapes that its versions have."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.graphs import Predicted, graph, predicted

# A frontend and a worker, as 0.5 writes them.
AGG = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: small}
spec:
  services:
    Frontend:
      componentType: frontend
      dynamoNamespace: shared
      extraPodSpec: {mainContainer: {image: "runtime:1"}}
    VllmDecodeWorker:
      componentType: worker
      dynamoNamespace: shared
      envFromSecret: token
      replicas: 2
      resources: {limits: {gpu: "2", custom: {example.com/nic: "1"}}}
      pvc: {name: cache, mountPoint: /cache}
      extraPodSpec:
        nodeSelector: {pool: gpu}
        mainContainer:
          image: runtime:1
          command: [/bin/sh, -c]
          args: ["cd /workspace && python3 -m dynamo.vllm --model ${MODEL} --served-model-name chat"]
          env: [{name: MODEL, value: org/small-8B}]
"""
# The same two of 0.7 and later, with prefill apart and a claim of the graph's.
DISAGG = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: large, namespace: own}
spec:
  envs: [{name: LEVEL, value: debug}]
  pvcs: [{name: cache, create: false}]
  services:
    Frontend:
      componentType: frontend
      globalDynamoNamespace: true
      extraPodSpec: {mainContainer: {image: "runtime:2"}}
    decode:
      componentType: worker
      volumeMounts: [{name: cache, mountPoint: /cache}]
      multinode: {nodeCount: 2}
      resources: {limits: {gpu: "8"}}
      extraPodSpec:
        mainContainer:
          image: runtime:2
          command: [python3, -m, dynamo.ENGINE]
          args: [--model-path, org/large-70B, HOW, decode]
    prefill:
      componentType: worker
      subComponentType: prefill
      resources: {limits: {gpu: "4"}}
      extraPodSpec:
        mainContainer:
          image: runtime:2
          command: [python3, -m, dynamo.ENGINE]
          args: [--model-path, org/large-70B, HOW, prefill]
"""
BETA = """
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: listed}
spec:
  backendFramework: vllm
  env: [{name: MODEL, value: org/listed-8B}]
  components:
  - {name: Frontend, type: frontend, podTemplate: {spec: {containers: [{name: main, image: "runtime:3"}]}}}
  - name: Worker
    type: decode
    replicas: 3
    podTemplate:
      metadata: {labels: {team: a}}
      spec:
        containers:
        - {name: log, image: "log:1"}
        - name: main
          image: runtime:3
          resources: {limits: {nvidia.com/gpu: 1}}
          args: ["python3 -m dynamo.sglang --model-path $(MODEL)"]
"""


def read(text: str, engine: str = "vllm", mode: str = "--disaggregation-mode") -> dict[str, t.Any]:
    return yaml.safe_load(text.replace("ENGINE", engine).replace("HOW", mode))


@pytest.mark.parametrize(
    ("text", "version", "rows"),
    [
        (
            AGG,
            "0.5.0",
            [
                ("Frontend", "frontend", "", 0, 1, "shared", ""),
                ("VllmDecodeWorker", "worker", "vllm", 2, 2, "shared", "shared.backend.generate"),
            ],
        ),
        (
            AGG.replace("dynamoNamespace: shared", ""),
            "0.6.1",
            [
                ("Frontend", "frontend", "", 0, 1, "dynamo-small", ""),
                ("VllmDecodeWorker", "worker", "vllm", 2, 2, "dynamo-small", "dynamo-small.backend.generate"),
            ],
        ),
        (
            AGG,
            "0.7.0",
            [
                ("Frontend", "frontend", "", 0, 1, "demo-small", ""),
                ("VllmDecodeWorker", "worker", "vllm", 2, 2, "demo-small", "demo-small.backend.generate"),
            ],
        ),
        (
            DISAGG,
            "1.0.1",
            [
                ("Frontend", "frontend", "", 0, 1, "dynamo", ""),
                ("decode", "decode", "vllm", 8, 1, "own-large", "own-large.backend.generate"),
                ("prefill", "prefill", "vllm", 4, 1, "own-large", "own-large.prefill.generate"),
            ],
        ),
        (
            BETA,
            "1.5.0-dev",
            [
                ("Frontend", "frontend", "", 0, 1, "demo-listed", ""),
                ("Worker", "decode", "sglang", 1, 3, "demo-listed", "demo-listed.backend.generate"),
            ],
        ),
    ],
)
def test_services_of_each_version(text: str, version: str, rows: list[tuple[t.Any, ...]]) -> None:
    found = graph(read(text), version, "demo").services
    assert [(s.name, s.kind, s.engine, s.gpus, s.replicas, s.dynamo_namespace, s.endpoint) for s in found] == rows


@pytest.mark.parametrize(
    ("text", "mode", "models"),
    [(AGG, "agg", ("chat",)), (DISAGG, "disagg", ("org/large-70B",)), (BETA, "agg", ("org/listed-8B",))],
)
def test_mode_and_models(text: str, mode: str, models: tuple[str, ...]) -> None:
    found = graph(read(text), "1.0.1", "demo")
    assert (found.mode, found.models) == (mode, models)


@pytest.mark.parametrize(
    ("engine", "version", "mode", "components"),
    [
        ("sglang", "0.5.1", "--disaggregation-mode", ["backend", "prefill"]),
        ("trtllm", "0.7.1", "--disaggregation-mode", ["tensorrt_llm", "prefill"]),
        ("trtllm", "0.5.1", "--disaggregation-mode", ["tensorrt_llm", "tensorrt_llm_next"]),
    ],
)
def test_endpoints_of_the_engines(engine: str, version: str, mode: str, components: list[str]) -> None:
    found = graph(read(DISAGG, engine, mode), version).workers
    assert [service.component for service in found] == components


def test_an_endpoint_that_is_given() -> None:
    text = AGG.replace("--served-model-name", "--endpoint dyn://apart.mine.generate --served-model-name")
    assert graph(read(text), "0.5.0").workers[0].endpoint == "apart.mine.generate"


@pytest.mark.parametrize(("version", "namespace"), [("0.5.0", "shared"), ("0.6.0", "mine")])
def test_whose_variables_win(version: str, namespace: str) -> None:
    body = read(AGG)
    body["spec"]["services"]["VllmDecodeWorker"]["envs"] = [{"name": "DYN_NAMESPACE", "value": "mine"}]
    assert graph(body, version).workers[0].dynamo_namespace == namespace


def worker(text: str, version: str = "0.5.0", name: str = "") -> Predicted:
    made = [one for one in predicted(read(text), version, "demo") if one.body["kind"] == "Deployment"]
    return next(one for one in made if one.service.is_worker and name in one.service.name)


POD = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("text", "path", "value", "place"),
    [
        (AGG, ("spec", "replicas"), 2, "VllmDecodeWorker replicas"),
        (AGG, (*POD, "nodeSelector", "pool"), "gpu", "VllmDecodeWorker extraPodSpec nodeSelector pool"),
        (AGG, (*POD, "containers", 0, "image"), "runtime:1", "VllmDecodeWorker extraPodSpec mainContainer image"),
        (
            AGG,
            (*POD, "containers", 0, "resources", "limits", "nvidia.com/gpu"),
            "2",
            "VllmDecodeWorker resources limits gpu",
        ),
        (
            AGG,
            (*POD, "containers", 0, "resources", "limits", "example.com/nic"),
            "1",
            "VllmDecodeWorker resources limits custom example.com/nic",
        ),
        (
            AGG,
            (*POD, "containers", 0, "envFrom", 0, "secretRef", "name"),
            "token",
            "VllmDecodeWorker envFromSecret",
        ),
        (AGG, (*POD, "volumes", 0, "persistentVolumeClaim", "claimName"), "cache", "VllmDecodeWorker pvc name"),
        (AGG, (*POD, "containers", 0, "volumeMounts", 0, "mountPath"), "/cache", "VllmDecodeWorker pvc mountPoint"),
        (DISAGG, (*POD, "volumes", 0, "persistentVolumeClaim", "claimName"), "cache", "decode volumeMounts 0 name"),
        (DISAGG, ("spec", "replicas"), 2, "decode replicas"),
        (BETA, (*POD, "containers", 0, "image"), "runtime:3", "1 podTemplate spec containers 1 image"),
        (BETA, (*POD, "containers", 1, "image"), "log:1", "1 podTemplate spec containers 0 image"),
    ],
)
def test_a_pod_and_where_it_comes_from(text: str, path: tuple[t.Any, ...], value: t.Any, place: str) -> None:
    made = worker(text, "1.0.1" if text == DISAGG else "0.5.0")
    held: t.Any = made.body
    for step in path:
        held = held[step]
    assert held == value
    assert " ".join(map(str, made.source(path)[2:])) == place


@pytest.mark.parametrize(("version", "seconds"), [("0.5.1", 600), ("0.6.0", 7200), ("1.0.1", 7200)])
def test_how_long_a_worker_may_take_to_start(version: str, seconds: int) -> None:
    probe = worker(AGG, version).service.container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == seconds


def test_names_and_services() -> None:
    made = predicted(read(AGG), "0.5.0", "demo")
    assert [(one.body["kind"], one.body["metadata"]["name"]) for one in made] == [
        ("Deployment", "small-frontend"),
        ("Service", "small-frontend"),
        ("Deployment", "small-vllmdecodeworker"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metadata": None, "spec": []},
        {"spec": {"services": ["Frontend"], "components": {"a": 1}}},
        {"spec": {"services": {"A": None, "B": "text", "C": {"extraPodSpec": [], "resources": {"limits": 1}}}}},
        {"spec": {"services": {"A": {"replicas": "x", "multinode": 3, "pvc": "p", "envs": {"a": 1}}}}},
        {"spec": {"components": [{"type": 3, "podTemplate": {"spec": {"containers": "x"}}}, None]}},
    ],
)
def test_whatever_stands_there_is_read(body: dict[str, t.Any]) -> None:
    for version in ("0.5.0", "1.0.1", ""):
        assert len(predicted(body, version)) >= len(graph(body, version).services)
