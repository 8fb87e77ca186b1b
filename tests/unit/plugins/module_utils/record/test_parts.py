# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a record, of one that was made before there were parts too."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.parts import recorded_parts

ROUTE = {
    "kind": "HTTPRoute",
    "metadata": {"name": "r", "labels": {"orchestrator.llm-d.ai/component": "httproute"}},
    "spec": {},
}


def test_an_old_record_has_its_releases_and_routes_as_parts() -> None:
    releases = {"gateway": [{"name": "infra", "chart_ref": "c", "values": {}}], "gaie": []}
    stack = {"namespace": "n", "releases": releases, "routes": [ROUTE], "route_gateway": {"name": "g"}}
    release, routes = recorded_parts({"stack": stack, "releases": [{"name": "infra", "namespace": "other"}]})
    place = {"component": "gateway", "kind": "release", "namespace": "other", "name": "infra"}
    assert release == {**place, "chart_ref": "c", "values": {}}
    assert (routes["component"], routes["kind"], routes["namespace"]) == ("httproute", "objects", "n")
    assert routes["manifests"] == [ROUTE] and routes["gateway"] == {"name": "g"}
    assert recorded_parts({"stack": {"namespace": "n", "routes": []}}) == []


def test_a_record_has_its_parts() -> None:
    place = {"component": "toy", "namespace": "n"}
    parts = [
        {**place, "kind": "release", "name": "a", "chart_ref": "c"},
        {**place, "kind": "kustomization", "name": "b", "path": "folder", "objects": [ROUTE]},
    ]
    release, folder = recorded_parts({"stack": {"parts": parts}})
    assert release == parts[0] and folder["manifests"] == [ROUTE]
