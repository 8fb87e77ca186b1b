# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules about graphs: each by a stack that has the mistake; those that are right are quiet."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease

from rules.dynamo.graph_world import AGG, DISAGG, FRONTEND, GraphWorld, line_of

DECODE, PREFILL = "spec.services.VllmDecodeWorker", "spec.services.VllmPrefillWorker"
MAIN = "extraPodSpec.mainContainer"
# The same stack as 0.7 and later write it.
LATE = {
    name: text.replace("dynamoNamespace: dynamo\n", "globalDynamoNamespace: true\n")
    .replace("      dynamoNamespace: small\n", "")
    .replace("      dynamoNamespace: large\n", "")
    .replace(":0.5.0", ":1.0.1")
    .replace("/components/", "/examples/")
    .replace(", --is-prefill-worker", ", --disaggregation-mode, prefill")
    for name, text in {"front": FRONTEND, "small": AGG, "large": DISAGG}.items()
}


def world(version: str) -> GraphWorld:
    return GraphWorld(version, **(LATE if version >= "0.7" else {}))


@pytest.mark.parametrize("version", ["0.5.0", "0.5.1", "0.6.1", "1.0.1"])
def test_correct_stacks(version: str) -> None:
    assert world(version).places() == []


SECOND = DISAGG[DISAGG.index("    VllmPrefillWorker") :]

# Version, file, what is replaced by what, the rule, the words of its line, and the key.
CASES = [
    (
        "0.5.0",
        "large",
        "dynamoNamespace: large",
        "dynamoNamespace: small",
        "LLMD850",
        "dynamoNamespace",
        f"{DECODE}.dynamoNamespace",
    ),
    (
        "0.5.0",
        "front",
        "dynamoNamespace: dynamo",
        "dynamoNamespace: front",
        "LLMD851",
        "dynamoNamespace",
        "spec.services.Frontend.dynamoNamespace",
    ),
    (
        "1.0.1",
        "front",
        "globalDynamoNamespace: true",
        "dynamoNamespace: dynamo",
        "LLMD851",
        "dynamoNamespace",
        "spec.services.Frontend.dynamoNamespace",
    ),
    ("1.0.1", "front", "      globalDynamoNamespace: true\n", "", "LLMD851", "Frontend:", "spec.services.Frontend"),
    (
        "1.0.1",
        "front",
        "  name: front",
        "  name: front\n  namespace: other",
        "LLMD852",
        "namespace: other",
        "metadata.namespace",
    ),
    (
        "1.0.1",
        "small",
        "      replicas: 1",
        "      dynamoNamespace: small",
        "LLMD853",
        "dynamoNamespace",
        f"{DECODE}.dynamoNamespace",
    ),
    (
        "0.5.0",
        "front",
        "dynamoNamespace: dynamo",
        "globalDynamoNamespace: true",
        "LLMD851",
        "globalD",
        "spec.services.Frontend.globalDynamoNamespace",
    ),
    (
        "0.5.0",
        "large",
        SECOND,
        SECOND.replace("large", "larger", 1),
        "LLMD854",
        "dynamoNamespace: larger",
        f"{PREFILL}.dynamoNamespace",
    ),
    ("0.5.0", "large", '"4", --is', '"8", --is', "LLMD855", "--is-prefill", f"{PREFILL}.{MAIN}.args"),
    ("0.5.0", "small", 'gpu: "1"', 'gpu: "2"', "LLMD856", "gpu:", f"{DECODE}.resources.limits.gpu"),
    ("0.5.0", "small", '          gpu: "1"', '          cpu: "1"', "LLMD857", "resources:", f"{DECODE}.resources"),
    ("0.5.0", "small", "small-8B", "small-123B", "LLMD858", "gpu:", f"{DECODE}.resources.limits.gpu"),
    (
        "0.5.0",
        "small",
        "failureThreshold: 720",
        "failureThreshold: 60",
        "LLMD859",
        "startupProbe",
        f"{DECODE}.{MAIN}.startupProbe",
    ),
    ("0.5.0", "small", "  services:", "  envs:", "LLMD860", "", ""),
    ("0.5.0", "large", ", --is-prefill-worker", ", --is-decode-worker", "LLMD863", "", ""),
    (
        "1.0.1",
        "large",
        "--disaggregation-mode, prefill",
        "--is-prefill-worker",
        "LLMD864",
        "--is-prefill",
        f"{PREFILL}.{MAIN}.args",
    ),
    (
        "0.5.0",
        "large",
        ", --is-prefill-worker",
        ", --disaggregation-mode, prefill",
        "LLMD863",
        "--disagg",
        f"{PREFILL}.{MAIN}.args",
    ),
    ("1.0.1", "large", "1.0.1\n", "1.2.0\n", "LLMD872", "", ""),
    ("1.0.1", "small", "/examples/", "/components/", "LLMD865", "workingDir", f"{DECODE}.{MAIN}.workingDir"),
    ("0.5.0", "small", "/components/", "/examples/", "LLMD865", "workingDir", f"{DECODE}.{MAIN}.workingDir"),
    (
        "0.5.0",
        "small",
        "componentType: worker",
        "componentType: wroker",
        "LLMD866",
        "componentType",
        f"{DECODE}.componentType",
    ),
    (
        "0.5.0",
        "front",
        "componentType: frontend",
        "componentType: frontends",
        "LLMD866",
        "componentType",
        "spec.services.Frontend.componentType",
    ),
    ("0.5.0", "small", "org/small-8B", "${MODEL_NAME}", "LLMD867", "python3", f"{DECODE}.{MAIN}.args[0]"),
    ("0.5.0", "small", ":0.5.0", ":${DYNAMO_VERSION}", "LLMD867", "image:", f"{DECODE}.{MAIN}.image"),
    ("0.5.0", "small", "name: small", "name: small-${MODEL_SUFFIX}", "LLMD867", "name:", "metadata.name"),
    (
        "0.5.0",
        "small",
        "nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0",
        "'vllm-runtime:'",
        "LLMD868",
        "image:",
        f"{DECODE}.{MAIN}.image",
    ),
    (
        "0.5.0",
        "small",
        "          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0\n",
        "",
        "LLMD869",
        "mainContainer",
        f"{DECODE}.{MAIN}",
    ),
    (
        "0.5.0",
        "small",
        "nvcr.io/nvidia/ai-dynamo",
        "nvcr.io/nvidian/dynamo-dev",
        "LLMD870",
        "image:",
        f"{DECODE}.{MAIN}.image",
    ),
    (
        "0.5.0",
        "small",
        "nvcr.io/nvidia/ai-dynamo",
        "my-registry.example",
        "LLMD870",
        "image:",
        f"{DECODE}.{MAIN}.image",
    ),
    ("0.5.0", "small", ":0.5.0", ":0.5.0-dev", "LLMD871", "image:", f"{DECODE}.{MAIN}.image"),
    ("0.5.0", "small", ":0.5.0", ":0.7.1", "LLMD872", "image:", f"{DECODE}.{MAIN}.image"),
    ("1.0.1", "small", ":1.0.1", ":0.9.1", "LLMD873", "image:", f"{DECODE}.{MAIN}.image"),
    ("1.0.1", "front", ":1.0.1", ":0.5.0", "LLMD874", "image:", f"spec.services.Frontend.{MAIN}.image"),
    ("0.5.0", "small", 'gpu: "1"', "gpu: 1", "LLMD875", "gpu:", f"{DECODE}.resources.limits.gpu"),
    (
        "0.5.0",
        "small",
        "      replicas: 1",
        "      startupProbe: {failureThreshold: 720}",
        "LLMD876",
        "      startupProbe",
        f"{DECODE}.startupProbe",
    ),
    (
        "1.0.1",
        "small",
        "      replicas: 1",
        "      pvc: {name: models, mountPoint: /models}",
        "LLMD877",
        "pvc:",
        f"{DECODE}.pvc",
    ),
    (
        "0.5.0",
        "small",
        "      replicas: 1",
        "      volumeMounts: [{name: models, mountPoint: /m}]",
        "LLMD877",
        "volumeMounts:",
        f"{DECODE}.volumeMounts",
    ),
    ("0.5.0", "small", "v1alpha1", "v1beta1", "LLMD878", "apiVersion", "apiVersion"),
]


@pytest.mark.parametrize(("version", "file", "old", "new", "rule", "words", "key"), CASES)
def test_mistakes(version: str, file: str, old: str, new: str, rule: str, words: str, key: str) -> None:
    one = world(version).edit(file, old, new)
    found = [place for place in one.places() if place[0] == rule]
    assert found, one.places()
    if words:
        place = (rule, f"{file}.yaml", line_of(one.files[file], words), key)
        assert place in found


@pytest.mark.parametrize(
    ("file", "start", "end"),
    [("large", "    VllmDecodeWorker:", "    VllmPrefillWorker:")],
)
def test_prefill_alone(file: str, start: str, end: str) -> None:
    one = GraphWorld()
    text = one.files[file]
    one.files[file] = text[: text.index(start)] + text[text.index(end) :]
    assert ("LLMD861", f"{file}.yaml", line_of(one.files[file], "VllmPrefillWorker"), PREFILL) in one.places()


def test_decode_alone() -> None:
    one = world("1.0.1").edit("small", "dynamo.vllm --model", "dynamo.vllm --disaggregation-mode decode --model")
    assert ("LLMD861", "small.yaml", line_of(one.files["small"], "args:"), f"{DECODE}.{MAIN}.args") in one.places()


def test_another_model_for_prefill() -> None:
    one = GraphWorld().edit(
        "large", 'large-70B, --tensor-parallel-size, "4", --is', 'other-70B, --tensor-parallel-size, "4", --is'
    )
    assert ("LLMD862", "large.yaml", line_of(one.files["large"], "other-70B"), f"{PREFILL}.{MAIN}.args") in one.places()


@pytest.mark.parametrize(
    ("version", "place", "rules"),
    [("0.5.0", "demo", []), ("0.5.0", "", []), ("0.5.0", "dynamo-system", ["LLMD879"])],
)
def test_where_the_operator_looks(version: str, place: str, rules: list[str]) -> None:
    one = GraphWorld(version, front=FRONTEND)
    one.told = {"dynamo": {"version": version, "scope": place}}
    assert [found.rule for found in one.findings()] == rules


def operator(name: str, image: str, *args: str) -> dict:
    container = {"name": "manager" if "operator" in image else name, "image": image, "args": list(args)}
    spec = {"selector": {}, "template": {"spec": {"containers": [container]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


RUNTIME = "nvcr.io/nvidia/ai-dynamo/kubernetes-operator:0.5.0"


@pytest.mark.parametrize(
    ("objects", "rules"),
    [
        ([operator("one", RUNTIME, "--restrictedNamespace=other")], ["LLMD879"]),
        ([operator("one", RUNTIME, "--restrictedNamespace=demo")], []),
        ([operator("one", RUNTIME), operator("two", RUNTIME, "--restrictedNamespace=demo")], ["LLMD880"]),
        ([operator("one", RUNTIME), operator("proxy", "gcr.io/kubebuilder/kube-rbac-proxy:v0.15.0")], ["LLMD881"]),
        ([operator("one", RUNTIME), operator("etcd", "docker.io/bitnami/etcd:3.5.18")], ["LLMD881"]),
    ],
)
def test_operators(objects: list[dict], rules: list[str]) -> None:
    one = GraphWorld(front=FRONTEND)
    one.parts = [RenderedRelease("dynamo_platform", "dynamo-platform", "demo", objects, "dynamo-platform", "0.5.0")]
    assert [found.rule for found in one.findings()] == rules


@pytest.mark.parametrize(
    ("platform", "crds", "rules"),
    [("0.5.0", "0.5.0", []), ("0.5.0", "0.9.1", ["LLMD882"]), ("1.0.1", "1.0.1", ["LLMD882"])],
)
def test_charts(platform: str, crds: str, rules: list[str]) -> None:
    one = GraphWorld(front=FRONTEND) if platform < "1" else GraphWorld(front=LATE["front"])
    parts = {"dynamo-platform": platform, "dynamo-crds": crds}
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    one.parts = [
        RenderedRelease("dynamo_platform", name, "demo", [{**thing, "metadata": {"name": name}}], name, version)
        for name, version in parts.items()
    ]
    assert [found.rule for found in one.findings()] == rules


def test_a_class_of_claims_that_a_platform_makes() -> None:
    one = GraphWorld(front=FRONTEND)
    one.objects["StorageClass"] = []
    claim = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fastest"}}
    etcd = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "etcd"}}
    etcd["spec"] = {"volumeClaimTemplates": [claim], "template": {"spec": {"containers": []}}}
    one.parts = [RenderedRelease("dynamo_platform", "dynamo-platform", "demo", [etcd], "dynamo-platform", "0.5.0")]
    assert [found.rule for found in one.findings()] == ["LLMD605"]
