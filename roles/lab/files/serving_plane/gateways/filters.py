# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTPRoute filters: rewrites, header changes, redirects."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..cluster.snapshot import Object
from .hostnames import host_of
from .matching import DEFAULT_MATCH, Entry

Headers = dict[str, str]
PORTS = {"http": 80, "https": 443}


@dataclass
class Rewritten:
    """A request after the filters: where it goes and what its answer gets.

    Header names in lower case. `redirect` is (code, location) where the request ends here; `unsupported` names a
    filter that this implementation has not got.
    """

    path: str
    host: str
    headers: Headers
    response: list[Object] = field(default_factory=list)
    redirect: tuple[int, str] | None = None
    unsupported: str = ""


def apply_filters(entry: Entry, path: str, query: str, host: str, headers: Headers) -> Rewritten:
    """The request after all filters of its rule. `query` is the raw query string, without `?`."""
    result = Rewritten(path, host, dict(headers))
    for item in entry.rule.get("filters") or []:
        kind = item["type"]
        if kind == "URLRewrite":
            rewrite = item["urlRewrite"]
            result.path = rewrite_path(rewrite.get("path"), entry, result.path)
            result.host = rewrite.get("hostname") or result.host
        elif kind == "RequestHeaderModifier":
            result.headers = modify(result.headers, item["requestHeaderModifier"])
        elif kind == "ResponseHeaderModifier":
            result.response.append(item["responseHeaderModifier"])
        elif kind == "RequestRedirect":
            result.redirect = redirect(item["requestRedirect"], entry, path, query, host)
        elif kind not in ("RequestMirror", "CORS"):
            result.unsupported = kind
    return result


def rewrite_path(change: Object | None, entry: Entry, path: str) -> str:
    """A path after ReplaceFullPath or ReplacePrefixMatch of the entry's prefix."""
    if not change:
        return path
    if change["type"] == "ReplaceFullPath":
        return change["replaceFullPath"]
    prefix = (entry.match.get("path") or DEFAULT_MATCH["path"]).get("value", "/").rstrip("/")
    rest = path[len(prefix) :].lstrip("/")
    base = change.get("replacePrefixMatch", "/").rstrip("/")
    return f"{base}/{rest}" if rest or not base else base + ("/" if path.endswith("/") and path != prefix else "")


def modify(headers: Headers, change: Object) -> Headers:
    """Headers after a header modifier's remove, set and add."""
    removed = {name.lower() for name in change.get("remove") or []}
    result = {name: value for name, value in headers.items() if name.lower() not in removed}
    for item in change.get("set") or []:
        result = {name: value for name, value in result.items() if name.lower() != item["name"].lower()}
        result[item["name"].lower()] = item["value"]
    for item in change.get("add") or []:
        name = item["name"].lower()
        result[name] = f"{result[name]},{item['value']}" if name in result else item["value"]
    return result


def redirect(change: Object, entry: Entry, path: str, query: str, host: str) -> tuple[int, str]:
    """(status code, Location) of a RequestRedirect."""
    scheme = change.get("scheme", "http")
    name = change.get("hostname") or host_of(host)
    port = change.get("port")
    if port is None and not change.get("scheme") and not change.get("hostname"):
        _unused, _unused, own = host.partition(":")
        port = int(own) if own.isdigit() else None
    suffix = f":{port}" if port and port != PORTS[scheme] else ""
    target = rewrite_path(change.get("path"), entry, path)
    location = f"{scheme}://{name}{suffix}{target}" + (f"?{query}" if query else "")
    return change.get("statusCode", 302), location
