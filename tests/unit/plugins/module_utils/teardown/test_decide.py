# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a teardown takes and what it leaves."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.ours import MANAGED_LABEL
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.sweep import listable_kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.records import Release
from ansible_collections.llm_d.orchestrator.plugins.module_utils.teardown import decide as teardown

OURS = {MANAGED_LABEL: "true"}


def release(name, managed=True):
    return Release(name, "n", 1, "deployed", "c", "1", {}, "", dict(OURS) if managed else {})


def item(kind, name="x", api_version="v1", owner=None, ours=True, **more):
    annotations = {"meta.helm.sh/release-name": owner, "meta.helm.sh/release-namespace": "n"} if owner else {}
    metadata = {"name": name, "namespace": "n", "annotations": annotations, "labels": dict(OURS) if ours else {}}
    metadata.update(more.pop("metadata", {}))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


ROUTE = item("HTTPRoute", "r", "gateway.networking.k8s.io/v1")
DERIVED = item("Pod", metadata={"ownerReferences": [{"controller": True}]})


def plan(releases=(), labelled=(), claims=(), delete_claims=False):
    return teardown.make_plan(list(releases), list(labelled), list(claims), delete_claims=delete_claims)


def test_order_and_words():
    found = plan([release("ms-a")], [item("Secret", "hf"), ROUTE])
    assert found.lines() == ["HTTPRoute r in n", "Helm release ms-a in n", "Secret hf in n"]


def test_records_of_deployments_are_counted():
    kept = [item("Secret", name, type="orchestrator.llm-d.ai/record") for name in ("one", "two")]
    found = plan([], [item("Secret", "hf"), *kept])
    assert found.lines() == ["Secret hf in n", "records of deployments: 2"] and len(found.objects) == 3


def test_others_releases_stay():
    found = plan([release("ms-a", managed=False)])
    assert found.lines() == []
    assert found.kept == [("Helm release ms-a in n", "it was not created by this collection")]


@pytest.mark.parametrize(
    "labelled, lines",
    [
        (DERIVED, []),
        (item("Secret", type="helm.sh/release.v1"), []),
        (item("ConfigMap", owner="ms-a"), []),
        (item("ConfigMap", owner="gone"), ["ConfigMap x in n"]),
        (item("Namespace"), []),
    ],
)
def test_what_goes_with_others_is_not_deleted_by_itself(labelled, lines):
    found = plan([release("ms-a")], [labelled])
    assert found.lines() == ["Helm release ms-a in n", *lines]


def test_claims_stay_unless_told():
    claim = item("PersistentVolumeClaim", "models")
    kept = plan([], [claim], [claim])
    assert kept.lines() == [] and "teardown_delete_pvcs" in kept.kept[0][1] and len(kept.kept) == 1
    assert plan([], [claim], [claim], delete_claims=True).lines() == ["PersistentVolumeClaim models in n"]


@pytest.mark.parametrize(
    "obj, found",
    [
        (item("Deployment", owner="ms-a"), True),
        (item("Deployment", owner="ms-b"), False),
        (item("Deployment", owner="known"), False),
        (item("Deployment"), False),
        (item("PersistentVolumeClaim", owner="ms-a"), False),
        (item("CustomResourceDefinition", owner="ms-a"), False),
        (item("Pod", owner="ms-a", metadata={"ownerReferences": [{"controller": True}]}), False),
    ],
)
def test_orphans_are_those_of_our_names_without_a_record(obj, found):
    assert bool(teardown.orphans([obj], [("known", "n")], [("ms-a", "n"), ("known", "n")])) is found


@pytest.mark.parametrize(
    "ours, others, force, why",
    [
        (True, [], False, None),
        (False, [], True, "did not create"),
        (True, [item("ConfigMap", "theirs")], False, "ConfigMap theirs"),
        (True, [item("ConfigMap", "theirs")], True, None),
        (True, [item("ConfigMap", str(n)) for n in range(7)], False, "and 2 more"),
    ],
)
def test_namespace_refusal(ours, others, force, why):
    found = teardown.namespace_refusal(item("Namespace", ours=ours), others, force=force)
    assert found is None if why is None else why in found


def test_what_every_namespace_has_is_nobodys():
    objects = [
        item("ConfigMap", "kube-root-ca.crt"),
        item("ServiceAccount", "default"),
        DERIVED,
        item("ConfigMap", "theirs"),
    ]
    assert [entry["metadata"]["name"] for entry in teardown.foreign(objects)] == ["theirs"]


def test_listable_kinds_take_the_preferred_version():
    def resource(kind, plural, scope="Namespaced", verbs=("list", "delete")):
        return {"resource": plural, "responseKind": {"kind": kind}, "scope": scope, "verbs": list(verbs)}

    group = {
        "metadata": {"name": "apps"},
        "versions": [
            {
                "version": "v1",
                "resources": [resource("Deployment", "deployments"), resource("ReplicaSet", "replicasets")],
            },
            {"version": "v1beta1", "resources": [resource("Deployment", "deployments")]},
        ],
    }
    core = {"metadata": {}, "versions": [{"version": "v1", "resources": [resource("Node", "nodes", "Cluster")]}]}
    kinds = listable_kinds([{"items": [group, core]}])
    assert [(kind.api_version, kind.kind) for kind in kinds] == [("apps/v1", "Deployment"), ("v1", "Node")]
    assert kinds[0].path("n") == "/apis/apps/v1/namespaces/n/deployments"
    assert kinds[1].path("n") == "/api/v1/nodes"


def made_by(uid, *owners):
    references = [{"uid": one} for one in owners]
    return {
        "apiVersion": "x/v1",
        "kind": "X",
        "metadata": {"name": uid, "namespace": "n", "uid": uid, "ownerReferences": references},
    }


def test_what_belongs_to_others_goes_with_them():
    chain = [made_by("child", "top"), made_by("grandchild", "child"), made_by("other", "elsewhere")]
    assert [item["metadata"]["uid"] for item in teardown.owned([made_by("top")], chain)] == ["child", "grandchild"]
    assert [item["metadata"]["uid"] for item in teardown.apart([made_by("top"), *chain], {"top"})] == ["other"]


def test_what_needs_a_release_goes_before_it_and_a_release_that_is_needed_stays():
    plan = teardown.TeardownPlan(releases=[release("platform")], objects=[made_by("graph"), made_by("note")])
    plan.put_first({"graph"})
    assert [item["metadata"]["uid"] for item in plan.dependent] == ["graph"]
    assert plan.lines() == ["X graph in n", "Helm release platform in n", "X note in n"]
    plan.keep(plan.releases[0], "without it X theirs could no longer be removed")
    assert plan.releases == [] and plan.kept[0][0] == "Helm release platform in n"
