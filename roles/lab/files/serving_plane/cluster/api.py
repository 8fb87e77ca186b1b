# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A small asynchronous client of the API server: list, apply, patch, delete."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from .resources import BY_KIND, Resource
from .snapshot import Object

FIELD_MANAGER = "serving-plane"
WATCHED = 240
LONGEST_EVENT = 4 * 1024 * 1024
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """The API server refused; `status` is its HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Credentials:
    """Server, TLS context and token of a kubeconfig's current context."""

    def __init__(self, path: Path) -> None:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"]).get("user") or {}
        self.server = cluster["server"].rstrip("/")
        self.headers = {"Authorization": f"Bearer {user['token']}"} if user.get("token") else {}
        self.tls = _tls(cluster, user, path.parent) if self.server.startswith("https") else None


def _named(items: list[Object], name: str) -> Object:
    return next(item for item in items if item["name"] == name)


def _pem(owner: Object, field: str, folder: Path) -> bytes | None:
    if owner.get(f"{field}-data"):
        return base64.b64decode(owner[f"{field}-data"])
    return (folder / owner[field]).read_bytes() if owner.get(field) else None


def _tls(cluster: Object, user: Object, folder: Path) -> ssl.SSLContext:
    authority = _pem(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _pem(user, "client-certificate", folder), _pem(user, "client-key", folder)
    if certificate and key:
        with tempfile.NamedTemporaryFile() as joined:
            joined.write(certificate + b"\n" + key)
            joined.flush()
            context.load_cert_chain(joined.name)
    return context


async def _message(reply: aiohttp.ClientResponse) -> str:
    text = await reply.text()
    if reply.content_type == "application/json":
        return json.loads(text).get("message", text)
    return text.strip() or str(reply.reason)


class Api:
    """The API server of one cluster. Methods raise ApiError, or aiohttp.ClientError where it cannot be reached."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._versions: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Api:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._credentials.tls or False, limit=16),
            headers=self._credentials.headers,
            timeout=aiohttp.ClientTimeout(total=30),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def _call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Object:
        if self._session is None:
            raise RuntimeError("Api is used outside its context")
        async with self._session.request(
            method, self._credentials.server + path, json=body, headers={"Content-Type": content_type}
        ) as reply:
            if reply.status >= 400:
                raise ApiError(reply.status, await _message(reply))
            return await reply.json(content_type=None)

    async def _version(self, resource: Resource) -> str:
        if resource.version:
            return resource.version
        if resource.group not in self._versions:
            group = await self._call("GET", f"/apis/{resource.group}")
            self._versions[resource.group] = group["preferredVersion"]["version"]
        return self._versions[resource.group]

    async def _path(self, kind: str, namespace: str = "", name: str = "") -> str:
        resource = BY_KIND[kind]
        version = await self._version(resource)
        base = f"/apis/{resource.group}/{version}" if resource.group else f"/api/{version}"
        within = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
        return f"{base}{within}/{resource.plural}" + (f"/{name}" if name else "")

    async def list(self, kind: str) -> tuple[list[Object], int]:
        """All objects of a kind and the list's resourceVersion; ([], 0) where the cluster does not serve the kind."""
        try:
            answer = await self._call("GET", await self._path(kind))
        except ApiError as exc:
            if exc.status == 404:
                return [], 0
            raise
        for item in answer["items"]:
            item["kind"], item["apiVersion"] = kind, answer["apiVersion"]
        return answer["items"], int(answer["metadata"]["resourceVersion"])

    async def watch(self, kind: str, since: int) -> AsyncIterator[Object]:
        """The events of a kind after a resourceVersion, until the server ends them."""
        if self._session is None:
            raise RuntimeError("Api is used outside its context")
        path = f"{await self._path(kind)}?watch=1&resourceVersion={since}&timeoutSeconds={WATCHED}"
        limit = aiohttp.ClientTimeout(total=None, sock_read=WATCHED + 30)
        async with self._session.get(
            self._credentials.server + path, timeout=limit, read_bufsize=LONGEST_EVENT
        ) as reply:
            if reply.status >= 400:
                raise ApiError(reply.status, await _message(reply))
            async for line in reply.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event

    async def apply(self, obj: Object) -> Object:
        """Server-side apply of an object."""
        path = await self._path(obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        return await self._call("PATCH", f"{path}?fieldManager={FIELD_MANAGER}&force=true", obj, APPLY)

    async def create(self, obj: Object) -> Object:
        """Create an object; ApiError 409 where it exists."""
        path = await self._path(obj["kind"], obj["metadata"].get("namespace", ""))
        return await self._call("POST", f"{path}?fieldManager={FIELD_MANAGER}", obj)

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object:
        """Merge into an object's status; lists are replaced whole."""
        path = await self._path(kind, namespace, name)
        return await self._call("PATCH", f"{path}/status?fieldManager={FIELD_MANAGER}", {"status": status}, MERGE)

    async def patch_finalizers(self, obj: Object, wanted: list[str]) -> Object:
        """Replace an object's finalizers; ApiError 409 where it is no longer as it was seen, 404 where it is gone."""
        meta = obj["metadata"]
        path = await self._path(obj["kind"], meta.get("namespace", ""), meta["name"])
        body = {"metadata": {"finalizers": wanted, "resourceVersion": meta["resourceVersion"], "uid": meta["uid"]}}
        return await self._call("PATCH", f"{path}?fieldManager={FIELD_MANAGER}", body, MERGE)

    async def annotate(self, obj: Object, annotations: dict[str, str | None]) -> Object:
        """Merge into exactly that object's annotations; ApiError 404 or 409 where it is gone."""
        meta = obj["metadata"]
        path = await self._path(obj["kind"], meta.get("namespace", ""), meta["name"])
        body = {"metadata": {"uid": meta["uid"], "annotations": annotations}}
        return await self._call("PATCH", f"{path}?fieldManager={FIELD_MANAGER}", body, MERGE)

    async def delete(self, kind: str, namespace: str, name: str, uid: str) -> None:
        """Delete exactly that object; nothing happens where it is gone or another has its name."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            await self._call("DELETE", await self._path(kind, namespace, name), body)
        except ApiError as exc:
            if exc.status not in (404, 409):
                raise
