# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as the plane's parts hand them to each other, apart from any HTTP library."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Call:
    """An HTTP request; header names in lower case, `query` raw and without `?`."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def query_values(self) -> dict[str, str]:
        """The first value of each query parameter."""
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name, value)
        return found


@dataclass
class Reply:
    """An HTTP answer: a body, or a stream of chunks. `note` says in plain words how it came about.

    Status 0 is no answer at all: the connection is closed.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None
    note: str = ""


def json_reply(status: int, content: Any, note: str = "") -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(content).encode(), {"content-type": "application/json"}, note=note)


def text_reply(status: int, text: str, note: str = "") -> Reply:
    """A plain text answer."""
    return Reply(status, text.encode(), {"content-type": "text/plain"}, note=note)
