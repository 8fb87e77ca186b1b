# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands by which people ask what was verified: a way in for each Service, a request for each model."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import typing as t

from ..base.data import Object
from ..base.words import plural

# The first port of this machine that leads to a Service; the next ones lead to the next.
LOCAL_PORT = 8080
# Requests of one Service that are shown.
SHOWN = 6
# The forward may not listen yet.
CURL = ("curl", "-sS", "--retry", "9", "--retry-connrefused")
JSON = {"Content-Type": "application/json"}
PROMPT, TOKENS = "The capital of France is", 16


@dataclasses.dataclass(frozen=True)
class WayIn:
    """How requests get in: a Service to forward to, or an address (SCHEME://HOST:PORT)."""

    namespace: str = ""
    service: str = ""
    port: int = 0
    scheme: str = "http"
    address: str = ""


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request. path: from / on; body: of the request; headers: besides that of the content."""

    way: WayIn
    path: str
    body: Object
    headers: Object = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, row: Object) -> Ask:
        """Return the request that a result tells of."""
        return cls(**{**row, "way": WayIn(**row["way"])})


def completion(model: str, chat: bool = False) -> Object:
    """Return the body of a short completion."""
    asked = {"messages": [{"role": "user", "content": PROMPT}]} if chat else {"prompt": PROMPT}
    return {"model": model, **asked, "max_tokens": TOKENS}


def kubectl(kubeconfig: t.Any, context: str | None) -> list[str]:
    """Return the words of kubectl for a cluster; of one given without a file it is the user's own."""
    path = kubeconfig if isinstance(kubeconfig, str) and os.path.isfile(kubeconfig) else ""
    words = [_program(path), *(["--kubeconfig", path] if path else [])]
    return [*words, "--context", context] if context else words


def _program(kubeconfig: str) -> str:
    """Return kubectl; where it is not on the PATH, a lab's own, whose record lies beside its kubeconfig."""
    lab = os.path.join(os.path.dirname(kubeconfig), "lab.json") if kubeconfig else ""
    if shutil.which("kubectl") or not os.path.isfile(lab):
        return "kubectl"
    with open(lab, encoding="utf-8") as stream:
        return str(json.load(stream).get("kubectl") or "kubectl")


def commands(asks: t.Sequence[Ask], program: t.Sequence[str]) -> list[str]:
    """Return the commands, one a line, a long one on several; program: the words of kubectl."""
    ways: dict[WayIn, list[Ask]] = {}
    for ask in asks:
        ways.setdefault(ask.way, []).append(ask)
    lines: list[str] = []
    local = LOCAL_PORT
    for way, ours in ways.items():
        base = way.address
        if not base:
            base = f"{way.scheme}://localhost:{local}"
            place = ["-n", way.namespace, "port-forward", f"service/{way.service}", f"{local}:{way.port}"]
            lines.append(f"{shlex.join([*program, *place])} &")
            local += 1
        for ask in ours[:SHOWN]:
            lines += _curl(base, ask, insecure=way.scheme == "https")
        if len(ours) > SHOWN:
            lines.append(f"# and {plural(len(ours) - SHOWN, 'more model')} in the same way")
    return lines


def _curl(base: str, ask: Ask, insecure: bool) -> list[str]:
    head = [*CURL, *(["-k"] if insecure else []), base + ask.path]
    headers = [shlex.join(["-H", f"{name}: {value}"]) for name, value in {**JSON, **ask.headers}.items()]
    return [f"{shlex.join(head)} \\", f"  {' '.join(headers)} \\", f"  {shlex.join(['-d', json.dumps(ask.body)])}"]
