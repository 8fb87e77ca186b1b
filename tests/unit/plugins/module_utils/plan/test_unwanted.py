# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a stack no longer has: what is found, what stays, and what its removal takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.held import Holding, held_by, held_text
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import identity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.document import grants, is_pruned, to_prune
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.screen import counts_text, remaining, summary
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.unwanted import (
    HELM_RELEASE,
    Search,
    Unwanted,
    in_the_way,
    is_unwanted,
    recorded,
)

from .world import action, plan

GATEWAY = "gateway.networking.k8s.io/v1"
OURS = {"orchestrator.llm-d.ai/managed": "true", "orchestrator.llm-d.ai/component": "routes"}
HELMS = {"meta.helm.sh/release-name": "ms-a", "meta.helm.sh/release-namespace": "n"}


def item(kind: str = "ConfigMap", name: str = "a", namespace: str = "n", **metadata: Any) -> dict[str, Any]:
    """An object of ours."""
    known = {"name": name, "namespace": namespace, "labels": OURS}
    return {"apiVersion": "v1", "kind": kind, "metadata": {**known, **metadata}}


def route(name: str, path: str = "/", gateway: str = "g") -> dict[str, Any]:
    """A route of ours."""
    spec = {"parentRefs": [{"name": gateway}], "rules": [{"matches": [{"path": {"value": path}}]}]}
    return {**item("HTTPRoute", name), "apiVersion": GATEWAY, "spec": spec}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (item(), True),
        (item("Service"), True),
        (item("Secret"), False),
        (item("PersistentVolumeClaim"), False),
        (item("Job"), False),
        (item("Namespace"), False),
        (item("CustomResourceDefinition"), False),
        (item(ownerReferences=[{"uid": "1"}]), False),
        (item(annotations=HELMS), False),
        (item(labels={**OURS, "orchestrator.llm-d.ai/component": "lock"}), False),
    ],
)
def test_what_is_deleted_by_itself(found, expected):
    assert is_unwanted(found) is expected


RECORD = {
    "releases": [{"name": "gw", "namespace": "shared"}],
    "leftovers": [{"kind": "HTTPRoute", "namespace": "n", "name": "old"}],
    "stack": {"parts": [{"kind": "objects", "component": "c", "name": "c", "namespace": "n", "objects": [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}]}]},
}  # fmt: skip


def test_what_a_record_has():
    assert recorded(RECORD) == {(HELM_RELEASE, "shared", "gw"), ("HTTPRoute", "n", "old"), ("Service", "n", "s")}
    assert recorded({}) == set()


class _Work:
    """The reads that a search makes once it has looked."""

    def __init__(self, pods: list[dict[str, Any]]) -> None:
        self.cluster, self._pods = self, pods

    def list(self, _api: str, _kind: str, namespace: str) -> list[dict[str, Any]]:
        return [pod for pod in self._pods if pod["metadata"]["namespace"] == namespace]


def test_objects_of_other_namespaces_count_where_the_record_has_them():
    search = Search(_Work([]), "n", ["shared"], "")
    search.labelled = [item(name="wanted"), item(name="old"), item(name="mine", namespace="shared"),
                       item(name="theirs", namespace="shared")]  # fmt: skip
    search.known = {("ConfigMap", "shared", "mine")}
    found = search.found(set(), {identity(item(name="wanted"))})
    assert [one.key for one in found] == [("ConfigMap", "n", "old"), ("ConfigMap", "shared", "mine")]


def test_what_is_held_is_counted_by_owner():
    def pod(name: str, kind: str, owner: str, phase: str = "Running") -> dict[str, Any]:
        reference = {"kind": kind, "name": owner, "controller": True}
        metadata = {"name": name, "namespace": "n", "ownerReferences": [reference]}
        container = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "4", "cpu": "2"}}}
        return {"metadata": metadata, "spec": {"containers": [container]}, "status": {"phase": phase}}

    pods = [pod("a", "StatefulSet", "s"), pod("b", "StatefulSet", "s"), pod("c", "StatefulSet", "s", "Succeeded"),
            pod("d", "StatefulSet", "other")]  # fmt: skip
    found = held_by({("StatefulSet", "n", "s")}, pods)
    assert found.plain() == {"pods": 2, "devices": {"nvidia.com/gpu": 8}}
    assert held_text(found.plain()) == "8 nvidia.com/gpu in 2 pods"
    assert held_text(Holding().plain()) == "" and held_text({"pods": 1}) == "1 pod"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (route("old"), route("new"), True),
        (route("old", "/old"), route("new", "/new"), False),
        (route("old", gateway="other"), route("new"), False),
    ],
)
def test_routes_that_take_each_others_requests(old, new, expected):
    one = Unwanted("routes", "HTTPRoute", "n", "old", GATEWAY, [old])
    assert in_the_way([one], [new]) == ([old] if expected else [])
    assert bool(one.why_now) is expected
    consent = one.consent(False)
    assert consent["optional"] is not expected and consent["id"] == "prune:HTTPRoute/n/old"


LEFT = {"component": "modelservice", "api_version": "", "kind": HELM_RELEASE, "namespace": "demo", "name": "ms-old",
        "why": "", "pods": 2, "devices": {"nvidia.com/gpu": 8}}  # fmt: skip
GOING = action("delete", "modelservice", "ms-old", "Deployment", "ms-old-decode", unwanted=True)


def unwanted(**consent: Any) -> dict[str, Any]:
    """A plan of which a release is no longer wanted."""
    row = {"id": "prune:x", "kind": "prune", "what": "delete it", "granted": False, "optional": True, **consent}
    return plan(actions=[GOING], leftovers=[LEFT], consents=[row])


@pytest.mark.parametrize(
    ("consent", "counts", "fate", "pruned", "asked", "given"),
    [
        ({}, "1 no longer wanted", "deleted when", False, 1, {}),
        ({"granted": True}, "1 to delete", "they are deleted once the rest serves", True, 0, {}),
        (
            {"optional": False},
            "1 no longer wanted",
            "deleted when",
            False,
            0,
            {"llm_d_prune": True},
        ),
    ],
)
def test_a_plan_says_what_becomes_of_it(consent, counts, fate, pruned, asked, given):
    made = unwanted(**consent)
    text = "\n".join(summary(made))
    assert counts in counts_text(made) and fate in text
    assert "Helm release demo/ms-old (8 nvidia.com/gpu in 2 pods)" in text
    assert "delete  modelservice ms-old: Deployment" in text
    assert (is_pruned(made), len(to_prune(made)), grants(made)) == (pruned, asked, given)


def test_what_stays_is_said_with_the_command():
    lines = remaining([LEFT])
    assert lines[0] == "1 object is no longer in the inventory but still there (8 nvidia.com/gpu in 2 pods):"
    assert lines[1:] == ["  Helm release demo/ms-old (8 nvidia.com/gpu in 2 pods)", "Delete them with:"]
    stay = "\n".join(summary({**unwanted(), "actions": [], "consents": []}))
    assert "they stay: llm_d_prune is false" in stay
