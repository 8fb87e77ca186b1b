# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP servers on ports of 127.0.0.1, one per gateway port and per pod port, opened and closed by key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable

from aiohttp import web

from .servers.messages import Call, Reply

Answer = Callable[[Call], Awaitable[Reply]]
LOG = logging.getLogger("serving_plane.http")
LARGEST_BODY = 64 * 1024 * 1024


def handler(name: str, answer: Answer) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """An aiohttp handler around an Answer; each request is one line of log under `name`."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        headers = {key.lower(): value for key, value in request.headers.items()}
        path, _unused, query = request.raw_path.partition("?")
        call = Call(request.method, path or "/", query, headers, await _body(request))
        reply = await answer(call)
        LOG.info("%s: %s %s -> %d%s", name, call.method, path, reply.status, f" ({reply.note})" if reply.note else "")
        return await _send(request, reply)

    return handle


async def _body(request: web.BaseRequest) -> bytes:
    parts, size = [], 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > LARGEST_BODY:
            raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, size)
        parts.append(part)
    return b"".join(parts)


async def _send(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    if reply.status == 0:
        if request.transport:
            request.transport.close()
        return web.Response()
    if reply.stream is None:
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    await response.prepare(request)
    async for chunk in reply.stream:
        await response.write(chunk)
    await response.write_eof()
    return response


class Sockets:
    """The open servers, by key."""

    def __init__(self) -> None:
        self._open: dict[Hashable, tuple[asyncio.Server, web.Server, int]] = {}

    def port(self, key: Hashable) -> int | None:
        """The local port of an open server."""
        found = self._open.get(key)
        return found[2] if found else None

    def keys(self) -> set[Hashable]:
        """The keys of the open servers."""
        return set(self._open)

    async def open(self, key: Hashable, name: str, answer: Answer, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serve at a port of this machine (0: any free one) and return it. Raises OSError where it cannot be had."""
        if key in self._open:
            return self._open[key][2]
        web_server = web.Server(handler(name, answer), access_log=None)
        listening = await asyncio.get_running_loop().create_server(web_server, host, port)
        bound = listening.sockets[0].getsockname()[1]
        self._open[key] = (listening, web_server, bound)
        return bound

    async def close(self, key: Hashable) -> None:
        """Stop a server and drop its connections."""
        listening, web_server, _unused = self._open.pop(key)
        listening.close()
        await web_server.shutdown(1.0)

    async def close_all(self) -> None:
        """Stop everything."""
        await asyncio.gather(*(self.close(key) for key in list(self._open)))
