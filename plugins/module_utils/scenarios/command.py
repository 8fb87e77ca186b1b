# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How a model server starts: command and arguments of a role's container, from a scenario."""

from __future__ import annotations

import re
import shlex
import typing as t

from .known import COMMON, ENVIRONMENT, ROLES
from .scenario import Scenario

# What the benchmark puts on a cluster for itself, which nothing here makes.
OWN_FOLDER = "/setup/preprocess"
MODEL_FOLDER = "/model-cache/models/"
_PORT = re.compile(r"(--port(?:\s*=\s*|\s+\\?\s*))(\$\{?(\w+)\}?|\d+)")
_MODEL_PATH = re.compile(MODEL_FOLDER + r"([\w.-]+/[\w.-]+)")
_TOPIC = re.compile(r"(kv@[^@\"'\s]+@)([^@\"'\\\s]+)")


class Start:
    """Makes command and arguments of one role. proxy: whether a sidecar stands before the server."""

    def __init__(self, scenario: Scenario, role: str, proxy: bool) -> None:
        self.scenario, self.role, self.proxy = scenario, role, proxy

    def text(self, name: str, key: str) -> str:
        """Return a setting's text. key: what it is translated to, below the role."""
        return self.scenario.role(self.role, name, f"{self.role}.{key}")

    def values(self) -> dict[str, t.Any]:
        """Return modelCommand, command and args."""
        command = self.text("MODEL_COMMAND", "containers[].modelCommand")
        name = ROLES[self.role] + "EXTRA_ARGS"
        text = self.text("EXTRA_ARGS", "containers[].args")
        if not text and command == "vllmServe" and not self.scenario.unknown(name):
            text = (
                f"[--max-model-len____{self.scenario.get(COMMON + 'MAX_MODEL_LEN', f'{self.role}.containers[].args')}]"
            )
        script = self._script(self.scenario.content(text, name), name)
        if command == "custom":
            line = script.strip().removeprefix("[").removesuffix("]") if script.strip().startswith("[") else script
            return {"modelCommand": command, "command": ["/bin/sh", "-c"], "args": [line]}
        if command not in ("vllmServe", "imageDefault"):
            self.scenario.change(
                ROLES[self.role] + "MODEL_COMMAND",
                f"{self.role}.containers[].modelCommand",
                "unknown: vllmServe is written",
            )
            command = "vllmServe"
        args = self._words(script, name)
        return {"modelCommand": command, **({"args": args} if args else {})}

    def _words(self, script: str, name: str) -> list[str]:
        text = script.strip()
        text = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            words = shlex.split(text.replace("\\\n", " "), comments=False)
        except ValueError:
            self.scenario.change(name, f"{self.role}.containers[].args", "its quotes do not match: split at spaces")
            words = text.split()
        # The chart starts the server with the port itself.
        while "--port" in words[:-1]:
            at = words.index("--port")
            del words[at : at + 2]
        return words

    def _script(self, text: str, name: str) -> str:
        """Return a start script without what only the benchmark has, and on the port that is asked."""
        model = self.scenario.current["DEPLOY_CURRENT_MODEL"]
        text = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
        # The claim is filled by prepare, and found as Hugging Face's cache.
        text = _MODEL_PATH.sub(lambda found: self._model(found, name), text.replace(MODEL_FOLDER + model, model))
        if OWN_FOLDER in text:
            preprocess = self.scenario.render(self.scenario.role(self.role, "PREPROCESS"))
            text = text.replace(preprocess, "/bin/true") if OWN_FOLDER in preprocess else text
            text = re.sub(rf"[^;&\n]*{OWN_FOLDER}[^;&\n]*", "/bin/true", text)
            why = f"{OWN_FOLDER} is the benchmark's own: its call is skipped"
            self.scenario.change(self.scenario.source(self.role, "PREPROCESS"), f"{self.role}.containers[].args", why)
        text = _TOPIC.sub(lambda found: self._topic(found, name), text)
        return _PORT.sub(lambda found: self._port(found, name), text)

    def _model(self, found: re.Match[str], name: str) -> str:
        model = self.scenario.current["DEPLOY_CURRENT_MODEL"]
        why = f"the server starts {found[1]}, but the model to serve is {model}: replaced"
        self.scenario.change(name, f"{self.role}.containers[].args", why)
        return model

    def _topic(self, found: re.Match[str], name: str) -> str:
        """Return the topic of KV events with the served model: the picker drops those of any other."""
        model = self.scenario.current["DEPLOY_CURRENT_MODEL"]
        if found[2] != model:
            why = f"KV events are of the model {found[2]}, but the served one is {model}: replaced"
            self.scenario.change(name, f"{self.role}.containers[].args", why)
        return found[1] + model

    def _port(self, found: re.Match[str], name: str) -> str:
        given = found[2]
        if found[3]:
            given = next((self.scenario.get(key) for key, env in ENVIRONMENT.items() if env == found[3]), "")
        wanted = self.scenario.get(COMMON + ("METRICS_PORT" if self.proxy else "INFERENCE_PORT"))
        if not given or given == wanted:
            return found[0]
        why = f"the server would listen on {given}, but is used on {wanted}: replaced by {wanted}"
        self.scenario.change(name, f"{self.role}.containers[].args", why)
        return found[1] + wanted
