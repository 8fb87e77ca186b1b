# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The router's controller: takes a request, has its policy's classifier choose a class, asks the class's model.

Source: llm-router v1, crates/llm-router-gateway-api/src/proxy.rs, whose silences are played too: where its handler ends
with an error, the connection is closed without an answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..cluster.snapshot import Object
from ..network import Network, Unreachable
from ..servers.messages import Call, Reply, json_reply
from .config import Config, Llm, Policy
from .metrics import ControllerMetrics

COMPLETIONS = ("/v1/chat/completions", "/completions")
CLASSIFIER = "x-chosen-classifier"
MISSING = (
    "Missing required 'nim-llm-router' parameters in request body. Expected format: { 'nim-llm-router': { 'policy': "
    "'string', 'routing_strategy': 'manual|triton', 'model': 'string' (for manual strategy) } }"
)
LONGEST_NOTE = 200


class Closed(Exception):
    """The handler ends with an error: no answer. The text is the error in the controller's log."""


class Answered(Exception):
    """The controller answers itself."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.note)
        self.reply = reply


@dataclass(frozen=True)
class Wish:
    """What a request's nim-llm-router says."""

    policy: str
    strategy: str | None
    model: str | None


@dataclass
class Controller:
    """A running controller: its pod, the config that it has read at its start, its metrics, what adds to its log."""

    pod: Object
    config: Config
    metrics: ControllerMetrics
    log: Callable[[str], None]

    async def answer(self, call: Call, network: Network) -> Reply:
        """The reply to a request; status 0 where the connection is closed."""
        if call.path == "/health":
            return json_reply(200, {"status": "OK"})
        if call.path == "/config":
            return json_reply(200, self.config.redacted())
        if call.path == "/metrics":
            return Reply(200, self.metrics.text().encode(), {"content-type": "text/plain; version=0.0.4"})
        if call.path not in COMPLETIONS:
            return json_reply(404, {"path": "Unavailable"})
        begun = time.monotonic()
        self._say("INFO", f"Received request for URI: {call.path}", "llm_router_gateway_api::proxy")
        try:
            reply = await self._proxy(call, network)
        except Answered as exc:
            reply = exc.reply
        except Closed as exc:
            self._say("ERROR", f"Error serving connection: hyper::Error(User(Service), {exc})")
            reply = Reply(0, note=str(exc)[:LONGEST_NOTE])
        self.metrics.done(reply.status, time.monotonic() - begun)
        return reply

    def _say(self, level: str, text: str, where: str = "llm_router_gateway_api") -> None:
        self.log(log_line(level, text, where))

    async def _proxy(self, call: Call, network: Network) -> Reply:
        content = _content(call.body)
        wish = _wish(content)
        policy = self.config.policy(wish.policy)
        if policy is None:
            raise Answered(_error(404, f"Policy '{wish.policy}' not found"))
        self.metrics.policies[policy.name] += 1
        index = await self._choose(policy, wish, content, network)
        if index >= len(policy.llms):
            raise Closed(f'ModelNotFound("LLM not found at index {index}")')
        llm = policy.llms[index]
        self._say("INFO", f'Chosen Classifier: "{llm.name}"', "llm_router_gateway_api::proxy")
        self.metrics.models[llm.name] += 1
        return await self._ask(llm, call, content, network)

    async def _choose(self, policy: Policy, wish: Wish, content: Any, network: Network) -> int:
        if wish.strategy is None:
            raise Closed('InvalidRequest { message: "No routing strategy specified" }')
        self.metrics.strategies[wish.strategy] += 1
        if wish.strategy == "triton":
            begun = time.monotonic()
            index = await self._classify(policy, _last_text(content), network)
            self.metrics.selection.observe(time.monotonic() - begun)
            return index
        if wish.model is None:
            raise Closed('InvalidRequest { message: "No model specified for manual routing" }')
        index = next((at for at, llm in enumerate(policy.llms) if llm.name == wish.model), -1)
        if index < 0:
            raise Answered(_plain(404, f"Model not found: {wish.model}"))
        return index

    async def _classify(self, policy: Policy, text: str, network: Network) -> int:
        """The place of the highest output of a policy's classifier; of equal ones the last."""
        body = {"inputs": [{"name": "INPUT", "datatype": "BYTES", "shape": [1, 1], "data": [[text]]}]}
        try:
            reply = await self._post(policy.url, body, {}, network)
        except Unreachable as exc:
            self._say("ERROR", f"Failed to reach Triton server: {exc}", "llm_router_gateway_api::proxy")
            raise Answered(_plain(503, "Triton server is unreachable")) from exc
        if not 200 <= reply.status < 300:
            self._say("ERROR", f"Triton error response: {reply.body.decode()}", "llm_router_gateway_api::proxy")
            raise Answered(_plain(reply.status, f"Triton service error: {reply.body.decode()}"))
        outputs = _scores(reply.body)
        return max(range(len(outputs)), key=lambda at: (outputs[at], at))

    async def _ask(self, llm: Llm, call: Call, content: dict[str, Any], network: Network) -> Reply:
        body = {name: value for name, value in content.items() if name != "nim-llm-router"}
        query = f"?{call.query}" if call.query else ""
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in llm.api_key):
            raise Closed('InvalidRequest { message: "Invalid header value: failed to parse header value" }')
        headers = {"accept": "application/json", "authorization": f"Bearer {llm.api_key}"}
        begun = time.monotonic()
        try:
            url = f"{llm.api_base}{call.path}{query}"
            reply = await self._post(url, {**body, "model": llm.model}, headers, network)
        except Unreachable as exc:
            self._say("ERROR", f"Failed to reach LLM server: {exc}", "llm_router_gateway_api::proxy")
            raise Closed(
                'LlmServiceError { status: 503, message: "LLM server is unreachable", '
                f'provider: "{llm.name}", details: None }}'
            ) from exc
        self.metrics.responses[llm.name].observe(time.monotonic() - begun)
        reply.headers = {**reply.headers, CLASSIFIER: llm.name}
        reply.note = f"class {llm.name}: {reply.note}" if reply.note else f"class {llm.name}"
        return reply

    async def _post(self, url: str, body: Any, headers: dict[str, str], network: Network) -> Reply:
        sent = Call(
            "POST", "/", headers={"content-type": "application/json", **headers}, body=json.dumps(body).encode()
        )
        return await network.fetch(url, sent, self.pod["metadata"]["namespace"])


def log_line(level: str, text: str, where: str = "llm_router_gateway_api") -> str:
    """A line of the controller's log."""
    return f"[{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {level:<5} {where}] {text}"


def _content(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _wish(content: Any) -> Wish:
    """What nim-llm-router says, which has to fit in every field; raises Answered where it does not."""
    found = content.get("nim-llm-router") if isinstance(content, dict) else None
    if isinstance(found, dict):
        strategy, model, threshold = (found.get(name) for name in ("routing_strategy", "model", "threshold"))
        fits = isinstance(found.get("policy"), str) and strategy in (None, "manual", "triton")
        fits = fits and (model is None or isinstance(model, str))
        number = isinstance(threshold, (int, float)) and not isinstance(threshold, bool)
        if fits and (threshold is None or number):
            return Wish(found["policy"], strategy, model)
    raise Answered(_error(400, MISSING))


def _last_text(content: Any) -> str:
    """The last message's text; "" where any message has no role or a content that is no text."""
    messages = content.get("messages")
    if not isinstance(messages, list) or not all(
        isinstance(item, dict) and isinstance(item.get("role"), str) and isinstance(item.get("content"), str)
        for item in messages
    ):
        return ""
    return messages[-1]["content"] if messages else ""


def _scores(body: bytes) -> list[float]:
    """The outputs of a classifier's answer, which has to have every field; raises Answered where it has not."""
    try:
        answer = json.loads(body)
        known = answer["model_name"], answer["model_version"], answer["outputs"]
        known += tuple(answer["parameters"][name] for name in ("sequence_id", "sequence_start", "sequence_end"))
        first = next(iter(known[2]), None)
        scores = [float(item) for item in first["data"]] if first else []
    except (ValueError, KeyError, TypeError) as exc:
        raise Answered(_plain(500, f"Invalid Triton response: missing field {exc}")) from exc
    if first is None:
        raise Answered(_plain(500, "No outputs returned from the Triton response"))
    if not scores:
        raise Answered(_plain(500, "Could not determine model selection from probability distribution"))
    return scores


def _error(status: int, message: str) -> Reply:
    return json_reply(status, {"error": {"message": message, "status": status}}, message)


def _plain(status: int, text: str) -> Reply:
    """A text, which the controller calls JSON."""
    return Reply(status, text.encode(), {"content-type": "application/json"}, note=text[:LONGEST_NOTE])
