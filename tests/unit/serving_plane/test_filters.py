# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rewrites, header changes and redirects."""

from __future__ import annotations

import pytest
from plane_objects import route
from serving_plane.gateways.filters import apply_filters, modify
from serving_plane.gateways.matching import Entry, entries


def _entry(prefix: str, *filters: dict) -> Entry:
    match = {"path": {"type": "PathPrefix", "value": prefix}}
    return entries(route("r", [{"matches": [match], "filters": list(filters)}]))[0]


@pytest.mark.parametrize(
    ("prefix", "replacement", "path", "expected"),
    [
        ("/foo", "/xyz", "/foo/bar", "/xyz/bar"),
        ("/foo", "/xyz/", "/foo/bar", "/xyz/bar"),
        ("/foo/", "/xyz", "/foo/bar", "/xyz/bar"),
        ("/foo", "/xyz", "/foo", "/xyz"),
        ("/foo", "/xyz", "/foo/", "/xyz/"),
        ("/foo", "/", "/foo/bar", "/bar"),
        ("/foo", "/", "/foo", "/"),
        ("/foo", "/", "/foo/", "/"),
        ("/qwen", "/", "/qwen/v1/models", "/v1/models"),
        ("/", "/api", "/v1", "/api/v1"),
    ],
)
def test_replace_prefix(prefix: str, replacement: str, path: str, expected: str) -> None:
    change = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": replacement}, "hostname": "new.example"}
    done = apply_filters(_entry(prefix, {"type": "URLRewrite", "urlRewrite": change}), path, "", "old.example", {})
    assert (done.path, done.host) == (expected, "new.example")


def test_replace_full_path() -> None:
    change = {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/v1/models"}}
    done = apply_filters(_entry("/a", {"type": "URLRewrite", "urlRewrite": change}), "/a/b", "", "h", {})
    assert (done.path, done.host) == ("/v1/models", "h")


def test_headers() -> None:
    change = {
        "set": [{"name": "X-Set", "value": "new"}],
        "add": [{"name": "X-Add", "value": "2"}, {"name": "X-New", "value": "1"}],
        "remove": ["X-Gone"],
    }
    old = {"x-set": "old", "x-add": "1", "x-gone": "1", "x-stays": "1"}
    assert modify(old, change) == {"x-set": "new", "x-add": "1,2", "x-new": "1", "x-stays": "1"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scheme": "https"}, (302, "https://h.example/a/b?x=1")),
        ({"hostname": "n.example", "statusCode": 301}, (301, "http://n.example/a/b?x=1")),
        ({"port": 8443, "scheme": "https"}, (302, "https://h.example:8443/a/b?x=1")),
        ({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/c"}}, (302, "http://h.example:8080/c?x=1")),
        (
            {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/c"}, "port": 80},
            (302, "http://h.example/c/b?x=1"),
        ),
    ],
)
def test_redirect(change: dict, expected: tuple[int, str]) -> None:
    entry = _entry("/a", {"type": "RequestRedirect", "requestRedirect": change})
    assert apply_filters(entry, "/a/b", "x=1", "h.example:8080", {}).redirect == expected


def test_unknown_filter_is_named() -> None:
    assert apply_filters(_entry("/", {"type": "ExtensionRef"}), "/", "", "h", {}).unsupported == "ExtensionRef"
