# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Bodies of the OpenAI completion calls as vLLM takes and gives them."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from .messages import Reply, json_reply

TEXT = "the lab answers in place of a model so that a stack can be tried without any GPU at hand"
WORDS = tuple(TEXT.split(" "))
DEFAULT_TOKENS = 16


class BadRequest(Exception):
    """The body of a completion call is not valid; the text says why."""


@dataclass(frozen=True)
class Completion:
    """A completion to give: `chat` tells the two calls apart; token counts are words."""

    chat: bool
    model: str
    stream: bool
    include_usage: bool
    choices: int
    prompt_tokens: int
    words: tuple[str, ...]
    finish: str
    ident: str
    created: int


def error_reply(status: int, message: str, kind: str, param: str | None = None) -> Reply:
    """An error in vLLM's form."""
    return json_reply(status, {"error": {"message": message, "type": kind, "param": param, "code": status}}, message)


def parse_body(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises BadRequest."""
    try:
        content = json.loads(body)
    except ValueError as exc:
        raise BadRequest(f"JSON decode error: {exc}") from exc
    if not isinstance(content, dict):
        raise BadRequest("the body must be a JSON object")
    return content


def completion(content: dict[str, Any], model: str, *, chat: bool) -> Completion:
    """The completion that a body asks for. Raises BadRequest."""
    limit = content.get("max_completion_tokens") if chat else None
    limit = content.get("max_tokens") if limit is None else limit
    limit = DEFAULT_TOKENS if limit is None else limit
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise BadRequest(f"max_tokens must be at least 1, got {limit}.")
    choices = content.get("n") or 1
    if not isinstance(choices, int) or choices < 1:
        raise BadRequest(f"n must be at least 1, got {choices}.")
    prompt = _chat_prompt(content) if chat else _text_prompt(content)
    given = tuple(WORDS[at % len(WORDS)] for at in range(min(limit, len(WORDS))))
    return Completion(
        chat=chat,
        model=model,
        stream=bool(content.get("stream")),
        include_usage=bool((content.get("stream_options") or {}).get("include_usage")),
        choices=choices,
        prompt_tokens=max(1, prompt),
        words=given,
        finish="length" if limit <= len(WORDS) else "stop",
        ident=("chatcmpl-" if chat else "cmpl-") + uuid.uuid4().hex,
        created=int(time.time()),
    )


def _text_prompt(content: dict[str, Any]) -> int:
    prompt = content.get("prompt")
    if isinstance(prompt, str):
        return len(prompt.split())
    if isinstance(prompt, list) and prompt:
        return sum(len(item.split()) if isinstance(item, str) else 1 for item in prompt)
    raise BadRequest("Either prompt or prompt_embeds must be provided and non-empty.")


def _chat_prompt(content: dict[str, Any]) -> int:
    messages = content.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages: a non-empty list is required")
    if not all(isinstance(item, dict) and item.get("role") for item in messages):
        raise BadRequest("messages: each needs a role")
    return sum(len(str(item.get("content") or "").split()) for item in messages)


def usage(item: Completion) -> dict[str, int]:
    """Token counts of a completion."""
    generated = len(item.words) * item.choices
    return {
        "prompt_tokens": item.prompt_tokens,
        "completion_tokens": generated,
        "total_tokens": item.prompt_tokens + generated,
    }


def _head(item: Completion, kind: str) -> dict[str, Any]:
    return {"id": item.ident, "object": kind, "created": item.created, "model": item.model}


def whole(item: Completion) -> dict[str, Any]:
    """The answer of a call that does not stream."""
    text = " ".join(item.words)
    choices = []
    for index in range(item.choices):
        said = {"message": {"role": "assistant", "content": text}} if item.chat else {"text": text}
        choices.append({"index": index, **said, "logprobs": None, "finish_reason": item.finish})
    kind = "chat.completion" if item.chat else "text_completion"
    return {**_head(item, kind), "choices": choices, "usage": usage(item)}


def chunks(item: Completion) -> list[bytes]:
    """The server-sent events of a call that streams, with the last [DONE]."""
    kind = "chat.completion.chunk" if item.chat else "text_completion"
    events: list[dict[str, Any]] = []
    if item.chat:
        events += [_event(item, kind, i, {"delta": {"role": "assistant", "content": ""}}) for i in range(item.choices)]
    for at, word in enumerate(item.words):
        last = at == len(item.words) - 1
        text = word if at == 0 else " " + word
        said: dict[str, Any] = {"delta": {"content": text}} if item.chat else {"text": text}
        for index in range(item.choices):
            events.append(_event(item, kind, index, said, item.finish if last else None))
    if item.include_usage:
        events.append({**_head(item, kind), "choices": [], "usage": usage(item)})
    return [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


def _event(item: Completion, kind: str, index: int, said: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {**_head(item, kind), "choices": [{"index": index, **said, "finish_reason": finish}]}
