# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the API server is asked about new objects: each form once, in which namespace, and how often again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import Forbidden
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.trials import (
    Trials,
    fingerprint,
    pod_templates,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.refusals import (
    DENIED,
    INVALID,
    UNKNOWN,
    UNREADABLE,
    Objection,
    Rejection,
)

NO_CLASS = 'pod rejected: RuntimeClass "x" not found'


def workload(name: str = "ms-one", api: str = "apps/v1", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "vllm", "image": "i", "args": [f"--model={name}"], "env": [{"name": "A", "value": name}]}
    pod = {"containers": [container], "serviceAccountName": name, **spec}
    template = {"metadata": {"labels": labels}, "spec": pod}
    body = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": "n", "labels": labels}
    return {"apiVersion": api, "kind": "Deployment", "metadata": metadata, "spec": body}


class Server:
    """An API server that refuses what its rules say. spaces: the namespaces that it has."""

    def __init__(self, *rules: Any, spaces: tuple[str, ...] = ("n", "default")) -> None:
        self.rules, self.spaces = rules, spaces
        self.asked: list[dict[str, Any]] = []

    def find(self, item: dict[str, Any]) -> dict[str, Any] | None:
        return item if item["kind"] == "Namespace" and item["metadata"]["name"] in self.spaces else None

    def refused(self, item: dict[str, Any], namespace: str) -> Rejection | None:
        assert item["metadata"]["namespace"] == namespace
        self.asked.append(copy.deepcopy(item))
        for rule in self.rules:
            if found := rule(item):
                return found
        return None


class Schemas:
    """A server's schemas that know one field not to be read."""

    def __init__(self, *causes: Objection) -> None:
        self.causes = list(causes)

    def problems(self, item: dict[str, Any]) -> list[Objection]:
        return self.causes

    def guess(self, item: dict[str, Any], path: tuple) -> str:
        return " Did you mean b?"


def asked(server: Server, *causes: Objection) -> Trials:
    return Trials(server, Schemas(*causes))  # type: ignore[arg-type]


def unknown(item: dict[str, Any]) -> Rejection | None:
    return Rejection((Objection(("spec", "a"), UNKNOWN, "is not known"),)) if "a" in item["spec"] else None


def negative(item: dict[str, Any]) -> Rejection | None:
    bad = item["spec"].get("replicas", 0) == -1
    return Rejection((Objection(("spec", "replicas"), INVALID, "Invalid value: -1: negative"),)) if bad else None


def no_class(item: dict[str, Any]) -> Rejection | None:
    return Rejection((Objection((), DENIED, NO_CLASS),)) if "runtimeClassName" in item["spec"] else None


def too_much(item: dict[str, Any]) -> Rejection | None:
    return (
        Rejection((Objection((), DENIED, "maximum memory usage is 1Gi"),), local=True)
        if item["kind"] == "Pod"
        else None
    )


def test_all_that_is_refused_is_heard_of() -> None:
    item = workload()
    item["spec"] |= {"a": 1, "replicas": -1}
    server = Server(unknown, negative)
    found = asked(server).refused(item)
    assert [(cause.path, cause.how, cause.guess) for cause in found] == [
        (("spec", "a"), UNKNOWN, " Did you mean b?"),
        (("spec", "replicas"), INVALID, ""),
    ]
    assert ["a" in one["spec"] for one in server.asked] == [True, False]
    assert item["spec"]["a"] == 1


def test_a_value_that_cannot_be_read_is_found_by_the_schemas() -> None:
    bad = Objection(("spec", "template", "spec", "containers", 0, "image"), UNREADABLE, "is no text")
    unread = Rejection((Objection((), UNREADABLE, "unable to parse"),))
    server = Server(lambda _item: unread if len(server.asked) == 1 else None)
    assert asked(server, bad).refused(workload()) == (bad,)
    assert "image" not in server.asked[1]["spec"]["template"]["spec"]["containers"][0]
    assert asked(Server(lambda _item: unread)).refused(workload()) == unread.causes


def test_objects_that_differ_in_names_and_texts_are_asked_about_once() -> None:
    server = Server(negative)
    trials = asked(server)
    items = [workload(name) for name in ("ms-one", "ms-two", "ms-three")]
    for item in items:
        item["spec"]["replicas"] = -1
    assert {trials.refused(item, item["metadata"]["name"]) for item in items} == {trials.refused(items[0], "ms-one")}
    assert len(server.asked) == 1
    other = workload("ms-one", priorityClassName="high")
    trials.refused(other, "ms-one")
    assert len(server.asked) == 2


def test_what_is_refused_may_not_be_masked() -> None:
    good, bad = workload(), workload()
    bad["metadata"]["labels"] = {"app": "not a label"}
    apart = workload()
    apart["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    typed = workload()
    typed["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = 1
    assert len({fingerprint(item, "ms-one") for item in (good, bad, apart, typed)}) == 4


def test_where_the_namespace_is_absent_another_stands_in_and_its_own_limits_are_not_heard() -> None:
    server = Server(no_class, too_much, spaces=("default",))
    found = asked(server).pods_refused(workload(runtimeClassName="x"))
    assert [cause.text for cause in found] == [NO_CLASS]
    assert {one["metadata"]["namespace"] for one in server.asked} == {"default"}
    here = asked(Server(no_class, too_much)).pods_refused(workload(runtimeClassName="x"))
    assert [cause.text for cause in here] == [NO_CLASS, "maximum memory usage is 1Gi"]
    assert here[0].path == ("spec", "template")


def test_pods_are_made_as_controllers_make_them() -> None:
    server = Server()
    item = workload()
    item["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}}]
    asked(server).pods_refused(item)
    (pod,) = server.asked
    assert (pod["kind"], pod["metadata"]["labels"]) == ("Pod", {"app": "ms-one"})
    assert pod["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]
    assert "serviceAccountName" not in pod["spec"]


@pytest.mark.parametrize(
    ("item", "count"),
    [
        (workload(), 1),
        ({**workload(), "spec": {**workload()["spec"], "replicas": 0}}, 0),
        (workload(api="leaderworkerset.x-k8s.io/v1"), 1),
        (workload(api="example.com/v1"), 0),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": None}}, 0),
    ],
)
def test_templates(item: dict[str, Any], count: int) -> None:
    assert len(pod_templates(item)) == count


def test_validation_of_pods_is_left_to_their_workload_where_the_server_does_it() -> None:
    def invalid(item: dict[str, Any]) -> Rejection | None:
        return Rejection((Objection(("spec", "containers"), INVALID, "bad"),)) if item["kind"] == "Pod" else None

    assert asked(Server(invalid)).pods_refused(workload()) == ()
    (found,) = asked(Server(invalid)).pods_refused(workload(api="leaderworkerset.x-k8s.io/v1"))
    assert found.path == ("spec", "template", "spec", "containers")


def test_where_objects_may_not_be_tried_the_schemas_are_asked() -> None:
    def forbidden(item: dict[str, Any]) -> Rejection | None:
        raise Forbidden("no")

    bad = Objection(("spec", "replicas"), UNREADABLE, "is not a number")
    trials = asked(Server(forbidden), bad)
    assert trials.refused(workload()) == (bad,)
    assert trials.unheard == {"Not permitted to dry-run creating a Deployment in n"}
