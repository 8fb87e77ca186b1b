# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A correct stack of Dynamo and the LLM Router as texts, for the rules about them."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.reader import load_yaml, to_plain

Object = dict[str, t.Any]
FRONTEND = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata:
  name: front
spec:
  services:
    Frontend:
      componentType: frontend
      dynamoNamespace: dynamo
      extraPodSpec:
        mainContainer:
          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0
"""
AGG = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata:
  name: small
spec:
  services:
    VllmDecodeWorker:
      componentType: worker
      dynamoNamespace: small
      envFromSecret: hf-token-secret
      replicas: 1
      resources:
        limits:
          gpu: "1"
      extraPodSpec:
        mainContainer:
          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0
          workingDir: /workspace/components/backends/vllm
          startupProbe: {httpGet: {path: /live, port: system}, periodSeconds: 10, failureThreshold: 720}
          command: [/bin/sh, -c]
          args:
            - python3 -m dynamo.vllm --model org/small-8B
"""
DISAGG = """
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata:
  name: large
spec:
  services:
    VllmDecodeWorker:
      componentType: worker
      dynamoNamespace: large
      envFromSecret: hf-token-secret
      resources:
        limits:
          gpu: "4"
      extraPodSpec:
        mainContainer:
          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0
          workingDir: /workspace/components/backends/vllm
          startupProbe: {httpGet: {path: /live, port: system}, periodSeconds: 10, failureThreshold: 720}
          command: [python3, -m, dynamo.vllm]
          args: [--model, org/large-70B, --tensor-parallel-size, "4"]
    VllmPrefillWorker:
      componentType: worker
      dynamoNamespace: large
      envFromSecret: hf-token-secret
      resources:
        limits:
          gpu: "4"
      extraPodSpec:
        mainContainer:
          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0
          workingDir: /workspace/components/backends/vllm
          startupProbe: {httpGet: {path: /live, port: system}, periodSeconds: 10, failureThreshold: 720}
          command: [python3, -m, dynamo.vllm]
          args: [--model, org/large-70B, --tensor-parallel-size, "4", --is-prefill-worker]
"""
SECRET = {"kind": "Secret", "metadata": {"name": "hf-token-secret", "namespace": "demo"}, "data": {"HF_TOKEN": ""}}


def document(text: str, where: str) -> tuple[Object, Layer]:
    """Return a file's one document, and its layer."""
    root, problems = load_yaml(text.encode(), where)
    assert root is not None, problems
    body = to_plain(root)
    return body, Layer(body, where, root)


class GraphWorld:
    """Graphs by file, and other objects by component; all may be changed before findings()."""

    def __init__(self, version: str = "0.5.0", **files: str) -> None:
        self.version = version
        self.files = files or {"front": FRONTEND, "small": AGG, "large": DISAGG}
        self.objects: Object = {"Secret": [SECRET]}
        self.parts: list[RenderedRelease] = []
        self.told: Object = {}
        self.facts: Object = {}

    def edit(self, file: str, old: str, new: str) -> GraphWorld:
        """Replace a text of a file; it has to be there."""
        assert old in self.files[file], old
        self.files[file] = self.files[file].replace(old, new)
        return self

    def model(self) -> StackModel:
        found = [document(text, f"{name}.yaml") for name, text in self.files.items()]
        graphs = [RenderedRelease("dynamo_models", "", "demo", [body], layers=[layer]) for body, layer in found]
        told = {"dynamo": {"version": self.version}, **self.told}
        return build_model([*graphs, *self.parts], facts=RuleFacts(objects=self.objects, told=told, **self.facts))

    def findings(self) -> list[Finding]:
        return check(self.model())

    def places(self) -> list[tuple[str, str, int, str]]:
        """Return rule, file, line and key of every finding."""
        return [(one.rule, one.mark.file, one.mark.line, one.path) for one in self.findings()]


def line_of(text: str, words: str) -> int:
    """Return the number of the line of a text with these words."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if words in line)
