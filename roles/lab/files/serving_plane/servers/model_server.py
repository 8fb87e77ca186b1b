# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A model server: answers HTTP calls as vLLM in one pod does, and counts them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from ..cluster.snapshot import Object
from .completions import BadRequest, Completion, chunks, completion, error_reply, parse_body, whole
from .counters import Counters, ModelCounters, vllm_metrics
from .messages import Call, Reply, json_reply, text_reply
from .servers import Server

COMPLETIONS = {"/v1/completions": False, "/v1/chat/completions": True}
READABLE = ("/v1/models", "/health", "/ping", "/version", "/metrics")
METHODS = dict.fromkeys(COMPLETIONS, "POST") | dict.fromkeys(READABLE, "GET")
STARTED = int(time.time())


def is_completion(call: Call) -> bool:
    """True for a call that makes the model work."""
    return call.method == "POST" and call.path in COMPLETIONS


def model_of(call: Call) -> str:
    """The model that a call asks for, "" where it names none."""
    try:
        return str(parse_body(call.body).get("model") or "")
    except BadRequest:
        return ""


async def answer(pod: Object, server: Server, call: Call, counters: Counters, *, prefill_only: bool = False) -> Reply:
    """The reply of a pod's vLLM. `prefill_only`: the call of a routing sidecar that wants the KV cache, one token."""
    wanted = METHODS.get(call.path)
    if wanted is None:
        return json_reply(404, {"detail": "Not Found"})
    if call.method != wanted and not (wanted == "GET" and call.method == "HEAD"):
        reply = json_reply(405, {"detail": "Method Not Allowed"})
        reply.headers["allow"] = wanted
        return reply
    own = counters.of(pod["metadata"]["uid"], server.models[0])
    if call.path in COMPLETIONS:
        return await complete(server, call, own, prefill_only=prefill_only)
    if call.path == "/v1/models":
        return json_reply(200, {"object": "list", "data": [_card(name, server) for name in server.models]})
    if call.path == "/metrics":
        return text_reply(200, vllm_metrics(server.models[0], own))
    if call.path == "/version":
        return json_reply(200, {"version": "0.11.2"})
    return Reply(200)


def _card(name: str, server: Server) -> Object:
    return {
        "id": name,
        "object": "model",
        "created": STARTED,
        "owned_by": "vllm",
        "root": server.models[0],
        "parent": None,
        "max_model_len": 32768,
        "permission": [],
    }


async def complete(server: Server, call: Call, counters: ModelCounters, *, prefill_only: bool) -> Reply:
    """The reply to a completion call for one of a server's models, counted when it is done."""
    try:
        content = parse_body(call.body)
        model = content.get("model") or server.models[0]
        if model not in server.models:
            return error_reply(404, f"The model `{model}` does not exist.", "NotFoundError", "model")
        if prefill_only:
            content = {**content, "max_tokens": 1, "max_completion_tokens": 1, "stream": False}
        item = completion(content, model, chat=COMPLETIONS[call.path])
    except BadRequest as exc:
        return error_reply(400, str(exc), "BadRequestError")
    if item.stream:
        return Reply(200, headers={"content-type": "text/event-stream"}, stream=_stream(server, item, counters))
    begun = time.monotonic()
    counters.running += 1
    try:
        await asyncio.sleep(server.first_token + server.per_token * (len(item.words) - 1))
    finally:
        counters.running -= 1
    counters.done(item.finish, item.prompt_tokens, len(item.words) * item.choices, time.monotonic() - begun)
    return json_reply(200, whole(item))


async def _stream(server: Server, item: Completion, counters: ModelCounters) -> AsyncIterator[bytes]:
    begun = time.monotonic()
    counters.running += 1
    try:
        await asyncio.sleep(server.first_token)
        for chunk in chunks(item):
            yield chunk
            await asyncio.sleep(server.per_token)
    finally:
        counters.running -= 1
    counters.done(item.finish, item.prompt_tokens, len(item.words) * item.choices, time.monotonic() - begun)
