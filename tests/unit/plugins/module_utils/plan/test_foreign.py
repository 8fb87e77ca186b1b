# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases and routes of others are named before anything is changed."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.foreign import (
    foreign,
    foreign_releases,
    foreign_routes,
)

OURS = {"orchestrator.llm-d.ai/managed": "true"}


def secret(name, version="1", **labels):
    return {"metadata": {"name": f"s.{name}", "namespace": "n", "labels": {"name": name, "version": version, **labels}}}


@pytest.mark.parametrize(
    ("secrets", "found"),
    [
        ([], []),
        ([secret("other")], []),
        ([secret("ms-a", **OURS)], []),
        ([secret("ms-a")], ["Helm release n/ms-a: it exists and was not created by this collection"]),
        ([secret("ms-a"), secret("ms-a", "10", **OURS), secret("ms-a", "9")], []),
        (
            [secret("ms-a", **OURS, **{"orchestrator.llm-d.ai/component": "gaie"})],
            ["Helm release n/ms-a: it belongs to the component gaie"],
        ),
    ],
)
def test_releases(secrets, found):
    releases = foreign_releases(secrets, {"ms-a": "modelservice"})
    assert [f"{one.where}: {one.message}" for one in releases] == found
    assert all(one.hint for one in releases)


def test_routes():
    routes = [
        {"metadata": {"name": "llm-d-a", "namespace": "n", "labels": OURS}},
        {"metadata": {"name": "llm-d-b", "namespace": "n"}},
        {"metadata": {"name": "theirs", "namespace": "n"}},
    ]
    (found,) = foreign_routes(routes, {"llm-d-a", "llm-d-b"})
    assert found.text().startswith("HTTPRoute n/llm-d-b: it exists and was not created by this collection -> ")


class FakeCluster:
    def list(self, api_version, kind, namespace, selector=None):
        if kind == "Secret":
            return [secret("infra-x")] if namespace == "gw" else [secret("ms-a"), secret("infra-x")]
        return []


def test_the_gateway_is_looked_for_in_its_own_namespace():
    stack = {
        "namespace": "n",
        "parts": [
            {"component": "gateway", "name": "infra-x", "namespace": "gw", "kind": "release"},
            {"component": "modelservice", "name": "ms-a", "namespace": "n", "kind": "release"},
            {"component": "httproute", "name": "httproute", "namespace": "n", "kind": "objects"},
        ],
        "routes": [{"metadata": {"name": "r"}}],
    }
    assert [one.where for one in foreign(FakeCluster(), stack)] == [
        "Helm release n/infra-x",
        "Helm release n/ms-a",
    ]
