# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTPRoute matches against a request, and the Gateway API's order of precedence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.snapshot import Object
from .hostnames import covers, specificity

PATH_RANK = {"RegularExpression": 1, "PathPrefix": 2, "Exact": 3}
DEFAULT_MATCH: Object = {"path": {"type": "PathPrefix", "value": "/"}}


@dataclass(frozen=True)
class Request:
    """What routing looks at; header names in lower case."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One match of one rule of one route on one listener."""

    route: Object
    rule: Object
    match: Object
    hostname: str | None
    order: tuple[int, int]


def entries(route: Object) -> list[Entry]:
    """All matches of a route, for each of its host names."""
    found = []
    for rule_index, rule in enumerate(route["spec"].get("rules") or [{}]):
        for match_index, match in enumerate(rule.get("matches") or [DEFAULT_MATCH]):
            for hostname in route["spec"].get("hostnames") or [None]:
                found.append(Entry(route, rule, match, hostname, (rule_index, match_index)))
    return found


def precedence(entry: Entry) -> tuple[Any, ...]:
    """A key that sorts entries as the Gateway API asks, the first to be tried first."""
    path = entry.match.get("path") or DEFAULT_MATCH["path"]
    kind, exact = specificity(entry.hostname)
    meta = entry.route["metadata"]
    return (
        -kind,
        -exact,
        -PATH_RANK.get(path.get("type", "PathPrefix"), 0),
        -len(path.get("value", "/").rstrip("/")),
        0 if entry.match.get("method") else 1,
        -len(entry.match.get("headers") or []),
        -len(entry.match.get("queryParams") or []),
        meta.get("creationTimestamp", ""),
        meta["namespace"],
        meta["name"],
        entry.order,
    )


def matches(entry: Entry, request: Request) -> bool:
    """True if the request fulfils the entry's host name and every part of its match."""
    match = entry.match
    return (
        covers(entry.hostname, request.host)
        and path_matches(match.get("path") or DEFAULT_MATCH["path"], request.path)
        and match.get("method", request.method) == request.method
        and all(_value_matches(item, request.headers.get(item["name"].lower())) for item in match.get("headers") or [])
        and all(_value_matches(item, request.query.get(item["name"])) for item in match.get("queryParams") or [])
    )


def path_matches(wanted: Object, path: str) -> bool:
    """One path match; a prefix counts in whole segments and its last slash is no matter."""
    kind, value = wanted.get("type", "PathPrefix"), wanted.get("value", "/")
    if kind == "Exact":
        return path == value
    if kind == "RegularExpression":
        return _regex(value, path)
    prefix = value.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def _value_matches(item: Object, value: str | None) -> bool:
    if value is None:
        return False
    return _regex(item["value"], value) if item.get("type") == "RegularExpression" else value == item["value"]


def _regex(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def choose(table: list[Entry], request: Request) -> Entry | None:
    """The first entry of a table (sorted by `precedence`) that takes the request."""
    return next((entry for entry in table if matches(entry, request)), None)
