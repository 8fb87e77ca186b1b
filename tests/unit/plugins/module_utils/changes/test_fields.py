# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What changes of an object, in the fields' words."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.fields import texts

ARGS = ["--max-model-len", "4096", "--api-key=abcdefgh12"]
CONTAINER = {
    "name": "vllm",
    "image": "ghcr.io/llm-d/llm-d-cuda:v0.5.1",
    "args": ARGS,
    "env": [{"name": "HF_HOME", "value": "/a"}, {"name": "HF_TOKEN", "value": "old-token"}],
    "resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "1"}},
}
POD = {"containers": [CONTAINER, {"name": "proxy", "image": "ghcr.io/llm-d/proxy:v1"}], "volumes": []}
META = {"name": "x", "labels": {"helm.sh/chart": "a-1"}, "annotations": {"checksum/config": "1"}}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": META,
    "spec": {"replicas": 2, "template": {"metadata": {}, "spec": POD}},
}
RULE = {
    "matches": [{"path": {"type": "PathPrefix", "value": "/a"}}],
    "backendRefs": [{"name": "pool", "weight": 1}],
    "timeouts": {"request": "30s"},
}
ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "r"},
    "spec": {"hostnames": ["a.example"], "rules": [RULE]},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"plugins.yaml": "a: {b: 1}\nc: 2\n", "text": "x\ny\n"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "data": {"token": "b2xk"}}
GRAPH = {"apiVersion": "nvidia.com/v1", "kind": "Graph", "spec": {"services": {"Worker": {"replicas": 1}}}}

C0 = ("spec", "template", "spec", "containers", 0)
R0 = ("spec", "rules", 0)
ONE = [
    ("replicas", DEPLOYMENT, ("spec", "replicas"), 3, ["replicas 2 → 3"]),
    ("a tag", DEPLOYMENT, (*C0, "image"), "ghcr.io/llm-d/llm-d-cuda:v0.5.2", ["image v0.5.1 → v0.5.2"]),
    ("an image", DEPLOYMENT, (*C0, "image"), "quay.io/x:1", ["image ghcr.io/llm-d/llm-d-cuda:v0.5.1 → quay.io/x:1"]),
    ("arguments", DEPLOYMENT, (*C0, "args"), [*ARGS, "--a", "1", "--b", "--c"], ["args +3"]),
    ("an argument", DEPLOYMENT, (*C0, "args"), [*ARGS, "--enable-lora"], ["args +1 (--enable-lora)"]),
    ("an argument less", DEPLOYMENT, (*C0, "args"), ARGS[2:], ["args −1 (--max-model-len 4096)"]),
    ("a flag", DEPLOYMENT, (*C0, "args"), ["--max-model-len=8192", ARGS[2]], ["--max-model-len 4096 → 8192"]),
    ("a secret flag", DEPLOYMENT, (*C0, "args"), [*ARGS[:2], "--api-key=other-key-9"], ["--api-key changed"]),
    ("a variable", DEPLOYMENT, (*C0, "env", 0, "value"), "/b", ["env HF_HOME /a → /b"]),
    ("a secret variable", DEPLOYMENT, (*C0, "env", 1, "value"), "new-token", ["env HF_TOKEN changed"]),
    ("a new variable", DEPLOYMENT, (*C0, "env", 2), {"name": "X", "value": "1"}, ["env +X"]),
    ("accelerators", DEPLOYMENT, (*C0, "resources", "limits", "nvidia.com/gpu"), "2", ["limits nvidia.com/gpu 1 → 2"]),
    ("the same amount", DEPLOYMENT, (*C0, "resources", "limits", "cpu"), "1000m", []),
    ("a volume", DEPLOYMENT, (*C0[:3], "volumes", 0), {"name": "cache", "emptyDir": {}}, ["volumes +cache"]),
    ("a container", DEPLOYMENT, (*C0[:4], 2), {"name": "side"}, ["containers +side"]),
    ("a new part", DEPLOYMENT, (*C0[:3], "affinity"), {"nodeAffinity": {"a": 1}}, ["affinity added"]),
    ("a new field", DEPLOYMENT, (*C0[:3], "priority"), 5, ["priority unset → 5"]),
    ("a label", DEPLOYMENT, ("metadata", "labels", "a"), "b", ["label a unset → b"]),
    ("a path", ROUTE, (*R0, "matches", 0, "path", "value"), "/b", ["path /a → /b"]),
    ("a time limit", ROUTE, (*R0, "timeouts", "request"), "60s", ["timeouts request 30s → 60s"]),
    ("a weight", ROUTE, (*R0, "backendRefs", 0, "weight"), 9, ["pool weight 1 → 9"]),
    ("a host", ROUTE, ("spec", "hostnames"), ["b.example"], ["hostnames a.example → b.example"]),
    ("another host", ROUTE, ("spec", "hostnames"), ["a.example", "b.example"], ["hostnames +b.example"]),
    ("a rule", ROUTE, ("spec", "rules", 1), {"matches": []}, ["rules +1"]),
    ("a field of a document", CONFIG, ("data", "plugins.yaml"), "a: {b: 3}\nc: 2\n", ["a b 1 → 3"]),
    ("lines", CONFIG, ("data", "text"), "x\nz\nw\n", ["text +2 −1 lines"]),
    ("a secret", SECRET, ("data", "token"), "bmV3", ["token changed"]),
    ("a custom resource", GRAPH, ("spec", "services", "Worker", "replicas"), 2, ["Worker replicas 1 → 2"]),
    ("nothing", GRAPH, ("kind",), "Graph", []),
]  # fmt: skip


def changed(item: dict, path: tuple, value: t.Any) -> dict:
    """Return a copy of an object with one place set; a place behind a list's end is a new entry."""
    copied = place = copy.deepcopy(item)
    for key in path[:-1]:
        place = place[key]
    if isinstance(place, list) and path[-1] == len(place):
        place.append(value)
    else:
        place[path[-1]] = value
    return copied


@pytest.mark.parametrize(("item", "path", "value", "said"), [row[1:] for row in ONE], ids=[row[0] for row in ONE])
def test_one_field(item, path, value, said):
    assert texts(item, changed(item, path, value)) == said


def test_shell_commands_are_read_as_arguments():
    before = changed(DEPLOYMENT, (*C0, "args"), ["vllm serve m \\\n  --port 8000 --tensor-parallel-size 2"])
    after = changed(DEPLOYMENT, (*C0, "args"), ["vllm serve m \\\n  --port 8000 --tensor-parallel-size 4"])
    assert texts(before, after) == ["--tensor-parallel-size 2 → 4"]


def test_content_stands_before_labels_and_what_follows_from_it():
    after = changed(DEPLOYMENT, ("metadata", "annotations", "checksum/config"), "2")
    after = changed(changed(after, ("metadata", "labels", "helm.sh/chart"), "a-2"), ("metadata", "labels", "b"), "c")
    after = changed(after, ("spec", "replicas"), 3)
    assert [text.split()[0] for text in texts(DEPLOYMENT, after)] == ["replicas", "label", "label", "annotation"]
    assert texts(DEPLOYMENT, after)[1] == "label b unset → c"


def test_containers_are_named_where_both_change():
    after = changed(DEPLOYMENT, (*C0, "image"), "ghcr.io/llm-d/llm-d-cuda:v2")
    after = changed(after, (*C0[:4], 1, "image"), "ghcr.io/llm-d/proxy:v2")
    assert texts(DEPLOYMENT, after) == ["vllm image v0.5.1 → v2", "proxy image v1 → v2"]


@pytest.mark.parametrize("side", [None, {}])
def test_what_is_new_or_gone_has_no_changes(side):
    assert texts(side, DEPLOYMENT) == texts(DEPLOYMENT, side) == []


def test_no_value_that_looks_secret_is_shown():
    after = changed(DEPLOYMENT, (*C0, "args"), [*ARGS, "--hf-token", "plain-text", "hf_abcdefghijkl"])
    said = " ".join(texts(DEPLOYMENT, after))
    assert "plain-text" not in said and "hf_abcdefghijkl" not in said and "(masked)" in said
