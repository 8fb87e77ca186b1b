# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Triton with the router's classifiers: health, the state of models, and inference, by KServe's protocol v2."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..servers.messages import Call, Reply, json_reply
from .classes import CLASSIFIERS, one_hot

MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/[^/]+)?(/ready|/infer|/config|/stats)?")
HTTP, METRICS = 8000, 8002


@dataclass
class Triton:
    """A running server: the models that it has loaded at its start, and how often each was asked."""

    models: frozenset[str]
    asked: Counter[str] = field(default_factory=Counter)

    def answer(self, port: int, call: Call) -> Reply:
        """The reply to a request on one of its ports."""
        if port == METRICS:
            return self._metrics() if call.path == "/metrics" else Reply(404)
        if port != HTTP:
            return Reply(0, note="gRPC is not played")
        if call.path in ("/v2/health/ready", "/v2/health/live"):
            return Reply(200)
        if call.path == "/v2":
            return json_reply(200, {"name": "triton", "version": "2.51.0", "extensions": ["model_repository"]})
        if call.path == "/v2/repository/index":
            rows = [{"name": name, "version": "1", "state": "READY"} for name in sorted(self.models)]
            return json_reply(200, rows)
        found = MODEL.fullmatch(call.path)
        return self._model(found[1], found[2] or "", call) if found else Reply(404)

    def _model(self, name: str, action: str, call: Call) -> Reply:
        if name not in self.models:
            if action == "/ready":
                return Reply(400)
            return _error(404, f"Request for unknown model: '{name}' is not found")
        if action == "/ready":
            return Reply(200)
        if action == "/infer":
            return self._infer(name, call)
        return json_reply(200, {"name": name, "versions": ["1"], "platform": "ensemble", **_tensors(name)})

    def _infer(self, name: str, call: Call) -> Reply:
        classifier = name.removesuffix("_ensemble")
        text = _text(call.body)
        if isinstance(text, Reply):
            return text
        if name == classifier or classifier not in CLASSIFIERS:
            return _error(400, f"[request id: <id_unknown>] unexpected inference input 'INPUT' for model '{name}'")
        self.asked[name] += 1
        scores = one_hot(classifier, text)
        output = {"name": "OUTPUT", "datatype": "FP32", "shape": [len(scores)], "data": scores}
        sequence = {"sequence_id": 0, "sequence_start": False, "sequence_end": False}
        content = {"model_name": name, "model_version": "1", "parameters": sequence, "outputs": [output]}
        place = scores.index(1.0)
        return json_reply(200, content, f"{name}: {list(CLASSIFIERS[classifier][0])[place]} ({place})")

    def _metrics(self) -> Reply:
        lines = ["# TYPE nv_inference_request_success counter"]
        lines += [
            f'nv_inference_request_success{{model="{name}",version="1"}} {self.asked[name]}'
            for name in sorted(self.models)
        ]
        return Reply(200, ("\n".join(lines) + "\n").encode(), {"content-type": "text/plain; charset=utf-8"})


def _tensors(name: str) -> dict[str, Any]:
    size = len(CLASSIFIERS[name.removesuffix("_ensemble")][0]) if name.endswith("_ensemble") else -1
    return {
        "inputs": [{"name": "INPUT", "datatype": "BYTES", "shape": [-1, 1]}],
        "outputs": [{"name": "OUTPUT", "datatype": "FP32", "shape": [size]}],
    }


def _text(body: bytes) -> str | Reply:
    """The text of the tensor INPUT, or the error that Triton answers."""
    try:
        content = json.loads(body)
    except ValueError:
        return _error(400, "failed to parse the request JSON buffer: Invalid value. at 0")
    tensors = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(tensors, list):
        return _error(400, "Unable to find 'inputs' in the request")
    tensor = next((item for item in tensors if isinstance(item, dict) and item.get("name") == "INPUT"), None)
    if tensor is None:
        return _error(400, "[request id: <id_unknown>] expected 1 inputs but got 0 inputs for the model")
    data = tensor.get("data")
    while isinstance(data, list):
        data = data[0] if data else ""
    return str(data or "")


def _error(status: int, text: str) -> Reply:
    return json_reply(status, {"error": text}, text)
