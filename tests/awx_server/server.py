# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP in front of a store: AWX's paths, lists, related objects, surveys and roles, with a token.

By itself, for a look around: python -m awx_server.server 8052
"""

from __future__ import annotations

import asyncio
import pathlib
import sys
import threading
from typing import Any

from aiohttp import web

from awx_server import rules
from awx_server.schema import KINDS, UNIFIED
from awx_server.store import Refused, Store

VERSION = "24.6.1"
TOKEN = "a-token-of-this-test"
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
Reply = web.StreamResponse
BODY = web.RequestKey("body", object)


class Awx:
    """One AWX: a store, and what was asked of it."""

    def __init__(self, playbooks: list[str]) -> None:
        self.store = Store(playbooks)
        self.calls: list[tuple[str, str, Any]] = []
        self.url = ""

    def changing(self) -> list[tuple[str, str, Any]]:
        """Return the requests that change something."""
        return [call for call in self.calls if call[0] != "GET"]

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._around])
        base = "/api/v2/{collection}/"
        app.router.add_get("/api/", self._versions)
        app.router.add_get("/api/v2/ping/", self._ping)
        app.router.add_get("/api/v2/config/", self._ping)
        app.router.add_get("/api/v2/project_updates/{id}/", self._update)
        app.router.add_get("/api/v2/roles/{id}/{holders}/", self._holders)
        app.router.add_post("/api/v2/roles/{id}/{holders}/", self._hold)
        app.router.add_route("*", base + "{id}/survey_spec/", self._survey)
        app.router.add_post(base + "{id}/create_approval_template/", self._approval)
        app.router.add_get(base, self._list)
        app.router.add_post(base, self._make)
        app.router.add_route("*", base + "{id}/", self._one)
        app.router.add_get(base + "{id}/{link}/", self._linked)
        app.router.add_post(base + "{id}/{link}/", self._link)
        return app

    @web.middleware
    async def _around(self, request: web.Request, handler: Any) -> Reply:
        """Note the request, ask for the token, and turn refusals into answers."""
        body = await request.json() if request.body_exists else None
        request[BODY] = body
        self.calls.append((request.method, request.path_qs, body))
        try:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}" and request.path != "/api/v2/ping/":
                raise Refused(401, {"detail": "Authentication credentials were not provided."})
            reply = await handler(request)
        except Refused as refused:
            reply = web.json_response(refused.body, status=refused.status)
        reply.headers["X-API-Product-Name"] = "AWX"
        reply.headers["X-API-Product-Version"] = VERSION
        return reply

    def _where(self, request: web.Request) -> tuple[str, int]:
        collection, number = request.match_info["collection"], request.match_info.get("id", "0")
        if collection not in (*KINDS, "unified_job_templates") or not number.isdigit():
            raise Refused(404, {"detail": "The requested resource could not be found."})
        return collection, int(number)

    def _page(self, rows: list[Any]) -> Reply:
        return web.json_response({"count": len(rows), "next": None, "previous": None, "results": rows})

    def _home(self, row: dict[str, Any]) -> str:
        return next(name for name in UNIFIED if row["id"] in self.store.objects[name])

    async def _versions(self, _request: web.Request) -> Reply:
        return web.json_response({"current_version": "/api/v2/", "available_versions": {"v2": "/api/v2/"}})

    async def _ping(self, _request: web.Request) -> Reply:
        return web.json_response({"version": VERSION, "ha": False, "license_info": {}})

    async def _update(self, _request: web.Request) -> Reply:
        return web.json_response({"status": "successful", "failed": False})

    async def _list(self, request: web.Request) -> Reply:
        collection, _number = self._where(request)
        rows = self.store.find(collection, dict(request.query))
        unified = collection == "unified_job_templates"
        return self._page([self.store.shown(self._home(row) if unified else collection, row) for row in rows])

    async def _make(self, request: web.Request) -> Reply:
        collection, _number = self._where(request)
        return web.json_response(self.store.shown(collection, self.store.make(collection, request[BODY])), status=201)

    async def _one(self, request: web.Request) -> Reply:
        collection, number = self._where(request)
        if request.method == "DELETE":
            self.store.remove(collection, number)
            return web.Response(status=204)
        if request.method == "PATCH":
            row = self.store.change(collection, number, request[BODY])
        elif request.method == "GET":
            row = self.store.get(collection, number)
        else:
            raise Refused(405, {"detail": f'Method "{request.method}" not allowed.'})
        return web.json_response(self.store.shown(collection, row))

    async def _survey(self, request: web.Request) -> Reply:
        where = self._where(request)
        self.store.get(*where)
        if request.method == "GET":
            return web.json_response(self.store.surveys.get(where, {}))
        wrong = rules.survey(request[BODY]) if request.method == "POST" else ""
        if wrong:
            raise Refused(400, {"error": wrong})
        self.store.surveys[where] = request[BODY] if request.method == "POST" else {}
        return web.json_response({})

    async def _approval(self, request: web.Request) -> Reply:
        collection, number = self._where(request)
        row = self.store.make("workflow_approval_templates", request[BODY])
        self.store.get(collection, number)["unified_job_template"] = row["id"]
        return web.json_response(self.store.shown("workflow_approval_templates", row), status=201)

    async def _linked(self, request: web.Request) -> Reply:
        collection, number = self._where(request)
        link = request.match_info["link"]
        if link not in KINDS[collection].links:
            raise Refused(404, {"detail": "Not found."})
        return self._page([{"id": one} for one in self.store.linked(collection, number, link)])

    async def _link(self, request: web.Request) -> Reply:
        collection, number = self._where(request)
        if request.match_info["link"] not in KINDS[collection].links:
            raise Refused(404, {"detail": "Not found."})
        self.store.link(collection, number, request.match_info["link"], request[BODY])
        return web.Response(status=204)

    def _role(self, request: web.Request) -> tuple[int, str]:
        number, holders = int(request.match_info["id"]), request.match_info["holders"]
        if number not in self.store.roles or holders not in ("teams", "users"):
            raise Refused(404, {"detail": "Not found."})
        return number, holders

    async def _holders(self, request: web.Request) -> Reply:
        return self._page([{"id": one} for one in self.store.holders.get(self._role(request), [])])

    async def _hold(self, request: web.Request) -> Reply:
        role, body = self._role(request), request[BODY]
        self.store.get(role[1], body["id"])
        if role[1] == "teams" and self.store.roles[role[0]][0] == "organizations":
            raise Refused(400, {"msg": "You cannot assign an Organization participation role to a Team."})
        held = self.store.holders.setdefault(role, [])
        held[:] = [one for one in held if one != body["id"]] + ([] if body.get("disassociate") else [body["id"]])
        return web.Response(status=204)


def repository_playbooks() -> list[str]:
    """Return the playbooks of this repository as AWX finds them in a project."""
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / "playbooks").glob("*.yml"))]


class Running:
    """An AWX that listens on a loopback port, in a thread, while the context lasts."""

    def __init__(self) -> None:
        self.awx = Awx(repository_playbooks())
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Awx:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self.awx

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self.awx.app())
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.awx.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    def __exit__(self, *_args: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


if __name__ == "__main__":
    web.run_app(Awx(repository_playbooks()).app(), host="127.0.0.1", port=int(sys.argv[1]))
