# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Live objects held against manifests, and the patches that mend them."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.compare import (
    contains,
    content,
    differs,
    patch_of,
    projected,
    same_after,
)


@pytest.mark.parametrize(
    ("live", "wanted", "merged", "result"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True, True),
        ({"a": 1}, {"a": 1, "b": 2}, True, False),
        ({"cpu": "500m"}, {"cpu": 0.5}, True, True),
        ({"cpu": "1"}, {"cpu": 1}, True, True),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, True, True),
        ({"memory": "1Gi"}, {"memory": "1G"}, True, False),
        ({"on": True}, {"on": 1}, True, False),
        ({}, {"x": {}, "y": [], "z": ""}, True, True),
        ({"containers": [{"name": "b"}, {"name": "a", "x": 1}]}, {"containers": [{"name": "a"}]}, True, True),
        ({"containers": [{"name": "b"}]}, {"containers": [{"name": "a"}]}, True, False),
        ({"ports": [{"number": 1}, {"number": 2}]}, {"ports": [{"number": 1}]}, False, False),
        ({"args": ["a", "b"]}, {"args": ["a"]}, True, False),
        ({"args": ["a"]}, {"args": ["a"]}, True, True),
        ({"tolerations": [{"key": "a"}, {"key": "b"}]}, {"tolerations": [{"key": "a"}]}, True, False),
        ("text", {"a": 1}, True, False),
    ],
)
def test_contains(live, wanted, merged, result):
    assert contains(live, wanted, merged=merged) is result


def deployment(replicas, containers=(), **meta):
    spec = {"replicas": replicas, "template": {"spec": {"containers": list(containers)}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", **meta}, "spec": spec}


def scaled(manager):
    return deployment(5, managedFields=[{"manager": manager, "subresource": "scale"}])


@pytest.mark.parametrize(
    ("manager", "result"), [("kubectl", True), ("kube-controller-manager", False), ("keda-operator", False)]
)
def test_an_autoscaler_may_set_replicas(manager, result):
    live = scaled(manager)
    assert differs(deployment(2), live) is result
    assert ("replicas" in content(live)["spec"]) is result


def test_a_patch_takes_away_what_only_the_old_manifest_has():
    old = deployment(1, [{"name": "a", "env": [{"name": "X", "value": "1"}], "tty": True}, {"name": "b"}])
    new = deployment(1, [{"name": "a", "env": [{"name": "Y", "value": "1"}]}])
    patch = patch_of(old, new, old)["spec"]["template"]["spec"]["containers"]
    env = [{"name": "Y", "value": "1"}, {"name": "X", "$patch": "delete"}]
    assert patch == [{"name": "a", "env": env, "tty": None}, {"name": "b", "$patch": "delete"}]


def test_a_custom_resource_is_patched_with_whole_lists():
    def pool(ports, **more):
        return {"apiVersion": "x.io/v1", "kind": "Pool", "metadata": {"name": "a"}, "spec": {"ports": ports, **more}}

    patch = patch_of(pool([{"name": "a"}, {"name": "b"}], extra=1), pool([{"name": "a"}]), pool([]))
    assert patch["spec"] == {"ports": [{"name": "a"}], "extra": None}


def test_text_of_a_secret_is_compared_as_the_api_keeps_it():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    assert not differs({**secret, "stringData": {"k": "new"}}, {**secret, "data": {"k": "bmV3"}})
    assert differs({**secret, "stringData": {"k": "old"}}, {**secret, "data": {"k": "bmV3"}})


def test_a_revision_counter_and_status_are_no_change():
    before = deployment(1, annotations={"deployment.kubernetes.io/revision": "1"}, generation=1)
    after = deployment(1, annotations={"deployment.kubernetes.io/revision": "2"}, generation=2)
    assert same_after(before, {**after, "status": {"replicas": 1}})
    assert not same_after(before, deployment(2))


def test_a_projection_shows_what_the_manifest_names():
    live = {"a": 1, "b": {"c": 2, "d": 3}, "env": [{"name": "x", "v": 1}, {"name": "y", "v": 2}], "args": ["p", "q"]}
    pattern = {"b": {"c": 9}, "env": [{"name": "y", "v": 1}], "args": ["p"]}
    assert projected(live, pattern) == {"b": {"c": 2}, "env": [{"name": "y", "v": 2}], "args": ["p", "q"]}
