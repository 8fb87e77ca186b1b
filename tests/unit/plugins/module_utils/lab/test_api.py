# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A lab's API and its mending, with an API server that is a table."""

from __future__ import annotations

import concurrent.futures
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import api as lab_api
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import heal
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.api import ApiReply, Change, LabApi
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.objects import mark


class Table(LabApi):
    """Answers from a table of method and path; keeps what it was asked."""

    def __init__(self, answers: dict[tuple[str, str], ApiReply]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, t.Any]] = []

    def request(self, method: str, path: str, body: t.Any = None, content: str = "", accept: str = "") -> ApiReply:
        self.asked.append((method, path, body))
        return self.answers.get((method, path.partition("?")[0]), ApiReply(404, {"message": "not found"}))


@pytest.fixture(name="pool")
def fixture_pool() -> t.Iterator[concurrent.futures.Executor]:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield pool


def storage(name: str, **more: t.Any) -> dict:
    return mark({"kind": "StorageClass", "metadata": {"name": name}, **more})


CLASSES = lab_api.PATHS["StorageClass"]


def test_changes(pool: concurrent.futures.Executor) -> None:
    have = [storage("same"), storage("other", a=1), storage("gone")]
    api = Table({("GET", CLASSES): ApiReply(200, {"items": have})})
    found = api.changes([storage("same"), storage("other", a=2), storage("new")], pool)
    assert [(change.verb, change.name) for change in found] == [
        ("delete", "gone"),
        ("update", "other"),
        ("create", "new"),
    ]


def test_apply_creates_updates_deletes(pool: concurrent.futures.Executor) -> None:
    api = Table(
        {
            ("POST", CLASSES): ApiReply(201, {}),
            ("GET", f"{CLASSES}/b"): ApiReply(200, {"metadata": {"resourceVersion": "7"}}),
            ("PUT", f"{CLASSES}/b"): ApiReply(200, {}),
        }
    )
    changes = [
        Change("create", "StorageClass", "a", storage("a"), None),
        Change("update", "StorageClass", "b", storage("b"), storage("b")),
        Change("delete", "StorageClass", "c", None, storage("c")),
    ]
    api.apply(changes, pool)
    put = next(body for method, _path, body in api.asked if method == "PUT")
    assert put["metadata"]["resourceVersion"] == "7"


def test_refusals_are_named_together(pool: concurrent.futures.Executor) -> None:
    api = Table({("POST", CLASSES): ApiReply(422, {"message": "provisioner: required"})})
    changes = [Change("create", "StorageClass", name, storage(name), None) for name in "ab"]
    with pytest.raises(OrchestratorError) as caught:
        api.apply(changes, pool)
    assert caught.value.details == [f"create StorageClass {name}: 422 provisioner: required" for name in "ab"]


def test_a_node_keeps_what_others_wrote(pool: concurrent.futures.Executor) -> None:
    path = lab_api.PATHS["Node"] + "/n"
    want = mark(
        {
            "kind": "Node",
            "metadata": {"name": "n", "labels": {"a": "1"}},
            "spec": {"taints": []},
            "status": {"capacity": {"cpu": "1"}, "allocatable": {"cpu": "1"}},
        }
    )
    have = {"metadata": {"name": "n", "labels": {"old": "1", "a": "0"}}}
    gpus = {"status": {"capacity": {"cpu": "1", "nvidia.com/gpu": "8"}}}
    api = Table(
        {
            ("GET", path): ApiReply(200, gpus),
            ("PATCH", path): ApiReply(200, {}),
            ("PATCH", path + "/status"): ApiReply(200, {}),
        }
    )
    api.apply([Change("update", "Node", "n", want, have)], pool)
    status, labels = (body for method, _path, body in api.asked if method == "PATCH")
    assert status["status"]["capacity"] == {"cpu": "1", "nvidia.com/gpu": None}
    assert labels["metadata"]["labels"]["old"] is None
    assert labels["metadata"]["labels"]["a"] == "1"


def test_serves_definitions() -> None:
    stages = {"metadata": {"name": "stages.kwok.x-k8s.io"}}
    crds = lab_api.PATHS["CustomResourceDefinition"]
    api = Table({("GET", crds): ApiReply(200, {"items": [stages]})})
    assert not api.serves_definitions()
    api.answers["GET", lab_api.PATHS["Stage"]] = ApiReply(200, {})
    assert api.serves_definitions()


def test_changed_stages_touch_scheduled_pods(pool: concurrent.futures.Executor) -> None:
    pods = [pod("a", node="n"), pod("b", node="")]
    api = Table({("GET", "/api/v1/pods"): ApiReply(200, {"items": pods})})
    assert heal.heal(api, [Change("update", "Stage", "s", {}, {})], [], pool) == []
    assert [path for method, path, _body in api.asked if method == "PATCH"] == ["/api/v1/namespaces/d/pods/a/status"]


def test_pods_of_a_removed_pending_fault_are_deleted(pool: concurrent.futures.Executor) -> None:
    held = pod("a", node="", fault="f")

    class Emptied(Table):
        def request(self, method: str, path: str, body: t.Any = None, content: str = "", accept: str = "") -> ApiReply:
            if method == "DELETE":
                self.answers["GET", "/api/v1/pods"] = ApiReply(200, {"items": []})
            return super().request(method, path, body, content, accept)

    api = Emptied({("GET", "/api/v1/pods"): ApiReply(200, {"items": [held]})})
    gone = Change("delete", "MutatingAdmissionPolicy", "lab-fault-f", None, {})
    assert heal.heal(api, [gone], [], pool) == ["deleted the pod d/a of a removed fault"]


def test_a_new_pending_fault_is_waited_for(pool: concurrent.futures.Executor) -> None:
    path = "/api/v1/namespaces/default/pods"
    mutated = {"metadata": {"annotations": {"lab.llm-d.ai/fault": "f"}}}
    api = Table({("POST", path): ApiReply(201, mutated)})
    new = Change("create", "MutatingAdmissionPolicy", "lab-fault-f", {}, None)
    heal.heal(api, [new], [{"name": "f", "fault": "Pending", "match": {"a": "b"}}], pool)
    assert [(method, asked) for method, asked, _body in api.asked] == [("POST", path + "?dryRun=All")]


def pod(name: str, node: str, fault: str | None = None) -> dict:
    annotations = {"lab.llm-d.ai/fault": fault} if fault else {}
    metadata = {"name": name, "namespace": "d", "uid": name, "annotations": annotations}
    return {"metadata": metadata, "spec": {"nodeName": node}, "status": {}}
