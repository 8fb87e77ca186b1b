# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Claims of statuses whose cause is gone, and those whose cause is not."""

from __future__ import annotations

import types

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.ours import TRIED_ANNOTATION
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import ReleaseObjects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.discover import Discovery
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.stale import stale_claim
from verify import world as pw

SAID = "2026-01-01T00:00:00Z"
HELM = {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "llm-d"}


class Live:
    """A cluster of given objects."""

    def __init__(self, *objects):
        self.objects = {(item["kind"], item["metadata"]["name"]): item for item in objects}
        self.cluster = types.SimpleNamespace(list=lambda _api, kind, _namespace: [
            item for item in objects if item["kind"] == kind])  # fmt: skip

    def preload(self, items):
        pass

    def find(self, item):
        return self.objects.get((item["kind"], item["metadata"]["name"]))


def claimed(kind, reason, seen=1):
    """Return what a Gateway says of an object."""
    condition = {"type": kind, "status": "False", "reason": reason, "lastTransitionTime": SAID}
    return {**pw.parent(), "conditions": [{**condition, "observedGeneration": seen}]}


def pool(reason, *, tried="", seen=1):
    item = {**pw.pool("gaie-a", {"app": "a"}), "apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool"}
    item["metadata"].update(generation=1, annotations={**HELM, **({TRIED_ANNOTATION: tried} if tried else {})})
    kind = "ResolvedRefs" if reason == "InvalidExtensionRef" else "Accepted"
    return {**item, "status": {"parents": [claimed(kind, reason, seen)]}}


def route(accepted="True", *, backend="gaie-a", found="True"):
    item = {**pw.route("llm-d-a", backend, "/a"), "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
    item["metadata"]["generation"] = 1
    parents = [pw.parent(Accepted=accepted)] if found == "True" else [claimed("ResolvedRefs", "BackendNotFound")]
    return {**item, "status": {"parents": parents}}


SERVICE = {**pw.service("gaie-a-epp", [], {}), "kind": "Service"}
GONE = "InvalidExtensionRef"
REFUSED = "HTTPRouteNotAccepted"


@pytest.mark.parametrize(
    ("item", "others", "said"),
    [
        (
            pool(GONE),
            [SERVICE],
            "(InvalidExtensionRef), but its picker's Service gaie-a-epp exists",
        ),
        (pool(GONE), [], ""),
        (pool(GONE, seen=0), [SERVICE], ""),
        (pool(GONE, tried="2026-01-02T00:00:00.000Z"), [SERVICE], ""),
        (pool(GONE, tried="2025-12-31T00:00:00.000Z"), [SERVICE], "exists"),
        (pool(REFUSED), [route()], "its routes are accepted"),
        (pool(REFUSED), [route("False")], ""),
        (pool(REFUSED), [route(backend="gaie-b")], ""),
        (pool(REFUSED), [], ""),
        (pool("NotSupportedByParent"), [SERVICE, route()], ""),
        (route(found="False"), [pool(GONE)], "BackendNotFound), but its backends exist"),
        (route(found="False"), [], ""),
        (route(), [pool(GONE)], ""),
        (SERVICE, [], ""),
    ],
)
def test_a_claim_is_stale_only_where_its_cause_is_gone(item, others, said):
    found = stale_claim(Live(item, *others), item)
    assert said in found and bool(found) is bool(said)


def test_a_plan_names_the_touch_as_an_update():
    live = pool(GONE)
    item = {key: live[key] for key in ("apiVersion", "kind", "spec")} | {
        "metadata": {"name": "gaie-a", "namespace": "llm-d"}
    }
    part = ReleaseObjects("gaie", "r", "llm-d", [item], [item], True)
    action = Discovery(Live(live, SERVICE)).releases([part])[0]
    assert action.action == "update" and "it is annotated so that its controller reconciles it" in action.why
