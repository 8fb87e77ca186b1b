# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Host names of listeners, routes and requests: what covers what."""

from __future__ import annotations


def covers(pattern: str | None, host: str) -> bool:
    """True if a name or `*.` wildcard covers a plain host name; no pattern covers all."""
    if not pattern:
        return True
    pattern, host = pattern.lower(), host.lower()
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and host != pattern[1:]
    return pattern == host


def intersect(listener: str | None, route: str) -> bool:
    """True if some host name belongs to the listener's pattern and to the route's."""
    if not listener:
        return True
    listener, route = listener.lower(), route.lower()
    if route.startswith("*.") and listener.startswith("*."):
        return listener.endswith(route[1:]) or route.endswith(listener[1:])
    if route.startswith("*."):
        return covers(route, listener)
    return covers(listener, route)


def specificity(pattern: str | None) -> tuple[int, int]:
    """A key that grows with how narrowly a pattern matches: none, wildcard by length, exact by length."""
    if not pattern:
        return (0, 0)
    return (1 if pattern.startswith("*.") else 2, len(pattern))


def host_of(header: str) -> str:
    """The host name of a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]
