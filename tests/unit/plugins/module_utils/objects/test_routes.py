# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Route manifests and their collisions."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import routes
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.routes import RouteRule

GATEWAY = ("gw", "ns")
LABELS = {"orchestrator.llm-d.ai/managed": "true", "orchestrator.llm-d.ai/component": "httproute"}


def route(name="r", path="/", namespace="ns", owned=True, hostnames=(), parent=None, rule_name=None, **match):
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": path}, **match}]}
    if rule_name:
        rule["name"] = rule_name
    metadata = {"name": name, "namespace": namespace, "labels": dict(LABELS) if owned else {}}
    spec = {"parentRefs": [parent or routes.parent_ref(*GATEWAY)], "rules": [rule]}
    return {"metadata": metadata, "spec": {**spec, **({"hostnames": list(hostnames)} if hostnames else {})}}


def test_a_rule_for_everything_needs_no_rewrite():
    rule = routes.rule_manifest(RouteRule("w", "gaie-a", 8000, timeouts={"request": "0s"}))
    assert "filters" not in rule
    assert "name" not in rule
    assert rule["timeouts"] == {"request": "0s"}
    assert rule["backendRefs"] == [
        {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "gaie-a", "port": 8000, "weight": 1}
    ]


def test_a_prefix_is_cut_off():
    rule = routes.rule_manifest(RouteRule("w", "gaie-a", 8000, "/qwen"))
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/qwen"}}]
    rewrite = rule["filters"][0]["urlRewrite"]["path"]
    assert rewrite == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
    assert "timeouts" not in rule


def test_timeouts_stand_under_a_rule():
    manifest = routes.route_manifest("r", "ns", [RouteRule("w", "p", 8000, timeouts={"request": "0s"})], LABELS)
    assert "timeouts" not in manifest["spec"]
    assert manifest["spec"]["rules"][0]["timeouts"] == {"request": "0s"}
    assert manifest["metadata"]["labels"] == LABELS


def test_a_parent_is_added_unless_there_is_one():
    manifest = routes.route_manifest("r", "ns", [RouteRule("w", "p", 8000)], LABELS)
    parent = routes.parent_ref("gw", "ns", "http")
    assert routes.with_parent(manifest, parent)["spec"]["parentRefs"] == [parent]
    assert parent == {
        "group": routes.GATEWAY_GROUP,
        "kind": "Gateway",
        "name": "gw",
        "namespace": "ns",
        "sectionName": "http",
    }
    assert "parentRefs" not in manifest["spec"]
    own = copy.deepcopy(manifest)
    own["spec"]["parentRefs"] = [{"name": "other"}]
    assert routes.with_parent(own, parent)["spec"]["parentRefs"] == [{"name": "other"}]


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (route("x", owned=False), "both match PathPrefix /"),
        (route("x", "/a"), None),
        (route("x", hostnames=["h"]), None),
        (route("x", parent={"name": "other"}), None),
        (route("x", namespace="else", parent={"name": "gw"}), None),
        (route("x", namespace="else", parent={"name": "gw", "namespace": "ns"}), "HTTPRoute else/x"),
        (route("x", parent={"name": "gw", "kind": "Service", "group": ""}), None),
        (route("x", parent={"name": "gw", "sectionName": "https"}), "both match"),
        (route("x", headers=[{"name": "A", "value": "b"}]), None),
        (route("x", method="GET"), None),
        (route("r"), None),
    ],
)
def test_conflict_with_an_existing_route(other, part):
    found = routes.conflicts([route()], [other], GATEWAY)
    assert (found == []) if part is None else (len(found) == 1 and part in found[0].text())


def test_existing_routes_of_others_are_called_so():
    assert "(not ours)" in routes.conflicts([route()], [route("x", owned=False)], GATEWAY)[0].text()


@pytest.mark.parametrize(
    ("one", "two", "count"),
    [
        (route("a", "/x"), route("b", "/x/"), 1),
        (route("a", "/x"), route("b", "/xy"), 0),
        (route("a", "/", rule_name="n"), route("b", "/b", rule_name="n"), 1),
        (route("a", hostnames=["h", "i"]), route("b", hostnames=["i"]), 1),
        (route("a", hostnames=["h"]), route("b", hostnames=["i"]), 0),
        (route("a", headers=[{"name": "X", "value": "1"}]), route("b", headers=[{"name": "x", "value": "1"}]), 1),
        (
            route("a", parent=routes.parent_ref("gw", "ns", "one")),
            route("b", parent=routes.parent_ref("gw", "ns", "two")),
            0,
        ),
    ],
)
def test_conflicts_among_wanted_routes(one, two, count):
    assert len(routes.conflicts([one, two], [], GATEWAY)) == count


def test_conflict_inside_one_route():
    both = route("a")
    both["spec"]["rules"].append(copy.deepcopy(both["spec"]["rules"][0]))
    assert "two rules" in routes.conflicts([both], [], GATEWAY)[0].text()
