# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which request a match takes, and which match goes first."""

from __future__ import annotations

import pytest
from plane_objects import route
from serving_plane.gateways.hostnames import covers, intersect
from serving_plane.gateways.matching import Request, choose, entries, path_matches, precedence


@pytest.mark.parametrize(
    ("kind", "value", "path", "expected"),
    [
        ("PathPrefix", "/", "/anything", True),
        ("PathPrefix", "/foo", "/foo", True),
        ("PathPrefix", "/foo", "/foo/", True),
        ("PathPrefix", "/foo", "/foo/bar", True),
        ("PathPrefix", "/foo", "/foobar", False),
        ("PathPrefix", "/foo/", "/foo", True),
        ("PathPrefix", "/foo/", "/foo/bar", True),
        ("PathPrefix", "/foo", "/FOO", False),
        ("PathPrefix", "/foo/bar", "/foo", False),
        ("Exact", "/foo", "/foo", True),
        ("Exact", "/foo", "/foo/", False),
        ("RegularExpression", "/v[0-9]+/.*", "/v1/models", True),
        ("RegularExpression", "/v[0-9]+", "/v1/models", False),
        ("RegularExpression", "/v[", "/v[", False),
    ],
)
def test_path(kind: str, value: str, path: str, expected: bool) -> None:
    assert path_matches({"type": kind, "value": value}, path) is expected


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        (None, "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "A.Example", True),
        ("a.example", "b.example", False),
        ("*.example", "a.example", True),
        ("*.example", "a.b.example", True),
        ("*.example", "example", False),
        ("*.example", "badexample", False),
    ],
)
def test_host(pattern: str | None, host: str, expected: bool) -> None:
    assert covers(pattern, host) is expected


@pytest.mark.parametrize(
    ("listener", "hostname", "expected"),
    [
        (None, "a.example", True),
        ("a.example", "a.example", True),
        ("a.example", "b.example", False),
        ("*.example", "a.example", True),
        ("a.example", "*.example", True),
        ("*.example", "*.a.example", True),
        ("*.a.example", "*.example", True),
        ("*.a.example", "*.b.example", False),
        ("*.example", "example", False),
    ],
)
def test_listener_and_route_share_a_host_name(listener: str | None, hostname: str, expected: bool) -> None:
    assert intersect(listener, hostname) is expected


def _route(name: str, match: dict, hostnames: list[str] | None = None, created: str = "2026-01-01T00:00:00Z") -> dict:
    spec = {"hostnames": hostnames} if hostnames else {}
    return route(name, [{"matches": [match]}], spec=spec, created=created)


def _path(kind: str, value: str) -> dict:
    return {"path": {"type": kind, "value": value}}


LATER = "2026-02-01T00:00:00Z"
HEADER = {"headers": [{"name": "X-A", "value": "1"}]}
TWO_HEADERS = {
    "headers": [{"name": "X-A", "value": "1"}, {"name": "x-b", "value": "[0-9]", "type": "RegularExpression"}]
}
QUERY = {"queryParams": [{"name": "q", "value": "1"}]}


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([_route("prefix", _path("PathPrefix", "/v1/models")), _route("exact", _path("Exact", "/v1/models"))], "exact"),
        ([_route("short", _path("PathPrefix", "/")), _route("long", _path("PathPrefix", "/v1"))], "long"),
        ([_route("a", _path("PathPrefix", "/v1/"), created=LATER), _route("b", _path("PathPrefix", "/v1"))], "b"),
        ([_route("regex", _path("RegularExpression", "/v1/.*")), _route("short", _path("PathPrefix", "/"))], "short"),
        ([_route("headers", TWO_HEADERS), _route("method", {"method": "GET"})], "method"),
        ([_route("one", HEADER), _route("two", TWO_HEADERS)], "two"),
        ([_route("query", QUERY), _route("header", HEADER)], "header"),
        ([_route("plain", {}), _route("query", QUERY)], "query"),
        ([_route("a", {}, created=LATER), _route("b", {})], "b"),
        ([_route("b", {}), _route("a", {})], "a"),
        ([_route("any", _path("Exact", "/v1/models")), _route("host", {}, ["h.example"])], "host"),
        ([_route("wild", _path("Exact", "/v1/models"), ["*.example"]), _route("host", {}, ["h.example"])], "host"),
        ([_route("wild", {}, ["*.example"]), _route("other", {}, ["o.example"])], "wild"),
        ([_route("post", {"method": "POST"}), _route("other", HEADER | QUERY | _path("Exact", "/x"))], None),
    ],
)
def test_precedence(routes: list[dict], expected: str | None) -> None:
    table = sorted((entry for item in routes for entry in entries(item)), key=precedence)
    headers = {"x-a": "1", "x-b": "7"}
    found = choose(table, Request("GET", "h.example", "/v1/models", headers, {"q": "1"}))
    assert (found.route["metadata"]["name"] if found else None) == expected


def test_first_rule_of_a_route_wins_a_draw() -> None:
    item = route("r", [{"matches": [{}], "name": "first"}, {"matches": [{}], "name": "second"}])
    found = choose(sorted(entries(item), key=precedence), Request("GET", "h", "/"))
    assert found and found.rule["name"] == "first"
