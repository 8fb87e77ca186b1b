# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A scenario of llm-d-benchmark as read: its variables with their defaults, its files, and what became of each.

Names of variables lack the prefix LLMDBENCH_ here.
"""

from __future__ import annotations

import os
import re
import typing as t

from ..base.errors import OrchestratorError
from ..base.findings import ERROR
from ..base.mask import mask_text
from ..base.names import did_you_mean
from ..values.reader import load_yaml, to_plain
from .known import KNOWN, PINNED, PREFIX, ROLES, SERVER, SHARED, early, ignored, late
from .shell import FRESH, Shell

MAX_BYTES = 6 * 1024 * 1024
MAX_TEMPLATE = 1024 * 1024
_PLACEHOLDER = re.compile(r"REPLACE_ENV_([A-Z0-9_]+?)(?=____|[^A-Z0-9_]|\Z)(?:\+\+\+\+default=([^\"\s]*))?")
_TEMPLATE = re.compile(r"[\w./-]+\.(ya?ml|yaml\.in|yml\.in|in)\Z")


class Scenario:
    """Variables by name, and the report. current: values that differ by model, such as DEPLOY_CURRENT_MODEL."""

    def __init__(self, text: str, folder: str = "", variables: dict[str, str] | None = None) -> None:
        """folder: the scenario's, where templates are looked for. variables: set before, with their prefix."""
        self.shell = Shell({**early(), **(variables or {})})
        self.shell.read(text)
        self.folder = os.path.realpath(folder) if folder else ""
        self.current: dict[str, str] = {}
        self.changes: list[dict[str, t.Any]] = []
        self._keys: dict[str, dict[str, None]] = {}
        self._used_defaults: dict[str, str] = {}

    def line(self, name: str) -> int:
        """Return the line where a variable was last set, 0 where it is not."""
        value = self.shell.variables.get(PREFIX + name)
        return value.line if value else 0

    def given(self, name: str) -> bool:
        """Return whether the scenario, or who imports it, gives a variable a text."""
        value = self.shell.variables.get(PREFIX + name)
        if value is None or not value.text:
            return False
        return value.line > 0 or early().get(PREFIX + name) != value.text

    def unknown(self, name: str) -> bool:
        """Return whether a variable is set to what cannot be known."""
        value = self.shell.variables.get(PREFIX + name)
        return bool(value and value.text is None)

    def get(self, name: str, key: str = "") -> str:
        """Return a variable's text, "" where it is unset or unknown. key: what it is translated to."""
        if name in self.current:
            return self.current[name]
        value = self.shell.variables.get(PREFIX + name)
        if key:
            self._keys.setdefault(name, {})[key] = None
        text = value.text if value and value.text else ""
        if value and not value.line and text and key:
            self._used_defaults[name] = text
        return text

    def role(self, role: str, name: str, key: str = "") -> str:
        """Return a role's variable, or what stands for it, see _bench_known.LATE."""
        own = ROLES[role] + name
        if self.unknown(own):
            return ""
        if self.get(own):
            return self.get(own, key)
        if name in SHARED and self.get(SERVER + name):
            return self.get(SERVER + name, key)
        text = late(lambda other: self.get(other, key), role, name)
        if text and key and not self.line(own) and name in ("MODEL_COMMAND", "TENSOR_PARALLELISM"):
            self._used_defaults[own] = text
        return text

    def source(self, role: str, name: str) -> str:
        """Return the name of the variable that a role's setting comes from."""
        if self.line(ROLES[role] + name):
            return ROLES[role] + name
        shared = SERVER + name if name in SHARED and self.line(SERVER + name) else ""
        return shared or next((other for other in (f"VLLM_COMMON_{name}",) if self.line(other)), ROLES[role] + name)

    def change(self, name: str, key: str, why: str) -> None:
        """Note that a setting is dropped or written otherwise than the scenario has it."""
        entry = {"line": self.line(name), "variable": PREFIX + name, "key": key, "why": mask_text(why)}
        if entry not in self.changes:
            self.changes.append(entry)

    def content(self, text: str, name: str) -> str:
        """Return what a value stands for: a file that the scenario writes, a template beside it, or itself."""
        written = self.shell.files.get(text)
        if written:
            return self.render(written.text or "", name)
        if text.startswith(FRESH):
            return ""
        if _TEMPLATE.fullmatch(text):
            found = self.template(text)
            return self.render(found, name) if found is not None else text
        return self.render(text, name)

    def template(self, name: str, *folders: str) -> str | None:
        """Return a file beside the scenario or in the repository around it, None where there is none."""
        root = _root(self.folder)
        for folder in (self.folder, root, *(os.path.join(root, folder) for folder in folders)):
            path = os.path.realpath(os.path.join(folder, name))
            inside = self.folder and os.path.commonpath([path, root]) == root
            if inside and os.path.isfile(path) and os.path.getsize(path) <= MAX_TEMPLATE:
                with open(path, encoding="utf-8", errors="replace") as stream:
                    return stream.read()
        return None

    def render(self, text: str, name: str = "") -> str:
        """Return a text with its placeholders filled in; one that nothing fills is noted and left out."""
        text = text.replace("{\\n}", "\n").replace("{\\s}", " ")

        def value(found: re.Match[str]) -> str:
            short = found[1].removeprefix(PREFIX)
            self.shell.uses.setdefault(PREFIX + short, set()).add(PREFIX + name)
            text = self._placeholder(short) or found[2] or ""
            if not text:
                self.change(name, "", f"REPLACE_ENV_{found[1]} has no value")
            return text

        rounds = 0
        # A placeholder may stand for a text with placeholders; not without end.
        while "REPLACE_ENV_" in text and len(text) <= MAX_TEMPLATE and rounds < 3:
            text, rounds = _PLACEHOLDER.sub(value, text), rounds + 1
        return text.replace("____", " ")

    def _placeholder(self, name: str) -> str:
        if name == "IMAGE":
            return self.image("IMAGE", "initContainers[].image")
        for role, prefix in ROLES.items():
            if name.startswith(prefix):
                return self.role(role, name.removeprefix(prefix))
        return self.get(name)

    def image(self, name: str, key: str) -> str:
        """Return an image of the four variables NAME_REGISTRY, _REPO, _NAME and _TAG, with a tag that stays."""
        registry, repository, image, tag = (
            self.get(f"{name}_{part}", key) for part in ("REGISTRY", "REPO", "NAME", "TAG")
        )
        return f"{registry}/{repository}/{image}:{self.tag(image, tag, name + '_TAG', key)}"

    def tag(self, image: str, tag: str, name: str, key: str) -> str:
        """Return a tag, a known one in place of auto and latest where there is one."""
        if tag not in ("auto", "latest", ""):
            return tag
        pinned = PINNED.get(image)
        if pinned is None:
            self.change(name, key, f"{image} has no fixed tag: set one")
            return "latest"
        if self.line(name):
            self.change(name, key, f"the tag {tag} can change under a deployment: replaced by {pinned}")
        return pinned

    def yaml(self, text: str, name: str, kind: type) -> t.Any:
        """Return what a value's YAML holds, an empty kind (list or dict) where it is none or holds another."""
        content = self.content(text, name)
        if not content.strip():
            return kind()
        inner = "".join(f"  {line}\n" for line in content.splitlines())
        node, findings = load_yaml(f"value:\n{inner}".encode(), PREFIX + name)
        wrong = next((item for item in findings if item.severity == ERROR), None)
        if node is None or wrong:
            self.change(name, "", f"its YAML cannot be read: {wrong.message if wrong else 'no map'}; it is skipped")
            return kind()
        value = to_plain(node).get("value")
        if value is None or value in ({}, []):
            return kind()
        if not isinstance(value, kind):
            self.change(name, "", f"it is not a {'list' if kind is list else 'map'}; it is skipped")
            return kind()
        return value

    def report(self) -> dict[str, t.Any]:
        """Return what became of every variable and statement, in the order of lines."""
        found: dict[str, list[dict[str, t.Any]]] = {"translated": [], "ignored": [], "unknown": []}
        for full in self.shell.set_names():
            name = full.removeprefix(PREFIX)
            if name != full and not self.unknown(name):
                kind, entry = self._entry(name)
                found[kind].append({"line": self.line(name), "variable": full, **entry})
        statements = [item.as_dict() for item in self.shell.statements]
        defaults = [{"variable": PREFIX + name, "value": text} for name, text in sorted(self._used_defaults.items())]
        return {**found, "untranslatable": statements, "changed": self.changes, "defaults": defaults}

    def _entry(self, name: str) -> tuple[str, dict[str, t.Any]]:
        keys = list(self._keys.get(name, {}))
        if keys:
            return "translated", {"keys": keys}
        why = ignored(name)
        if why:
            return "ignored", {"why": why}
        users = sorted(self.shell.uses.get(PREFIX + name, ()))
        if users:
            return "translated", {"keys": [f"by way of {user}" for user in users if user != PREFIX]}
        if name in KNOWN or _role_name(name):
            return "ignored", {"why": "nothing that is deployed depends on it" if self.get(name) else "it is empty"}
        return "unknown", {"hint": did_you_mean(name, KNOWN).strip()}


def _role_name(name: str) -> bool:
    return any(name.removeprefix(prefix) in KNOWN for prefix in (*ROLES.values(), "VLLM_COMMON_"))


def _root(folder: str) -> str:
    """Return the repository around a folder of scenarios, else the folder itself."""
    at = folder
    while os.path.basename(at) and os.path.basename(at) != "scenarios":
        at = os.path.dirname(at)
    return os.path.dirname(at) if os.path.basename(at) else folder


def read_scenario(path: str, variables: dict[str, str]) -> Scenario:
    """Return a file's scenario; raise OrchestratorError where it cannot be read."""
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise OrchestratorError(f"{path}: larger than {MAX_BYTES // 2**20} MiB, too large for a scenario")
        with open(path, "rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8")
    except OSError as exc:
        raise OrchestratorError(f"{path} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise OrchestratorError(f"{path} is not UTF-8 text") from exc
    if "\0" in text:
        raise OrchestratorError(f"{path} is not text: it contains a NUL character")
    return Scenario(text, os.path.dirname(os.path.abspath(path)), variables)
