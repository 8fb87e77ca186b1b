# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The controller's config.yaml: read, expanded and checked as the controller does, with its own error texts.

Source: llm-router v1, crates/llm-router-gateway-api/src/config.rs, and serde_yaml 0.9, which takes any scalar for a
string and names the place of what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from .classes import COMPLEXITY, TASKS

VARIABLE = re.compile(r"\$\{([^}]+)\}")
LLM_FIELDS = ("name", "api_base", "api_key", "model")
CLOUD = "https://integrate.api.nvidia.com"


class ConfigError(Exception):
    """The controller does not take a config; the text is the error in its log."""


@dataclass(frozen=True)
class Llm:
    """A class of a policy: its name, and where requests of it go."""

    name: str
    api_base: str
    api_key: str
    model: str


@dataclass(frozen=True)
class Policy:
    """A policy: the URL of its classifier, and its classes in the order of the classifier's outputs."""

    name: str
    url: str
    llms: tuple[Llm, ...]


@dataclass(frozen=True)
class Config:
    """What a controller runs with."""

    policies: tuple[Policy, ...]

    def policy(self, name: str) -> Policy | None:
        """The first policy of a name."""
        return next((item for item in self.policies if item.name.strip() == name.strip()), None)

    def redacted(self) -> dict[str, Any]:
        """The config as /config shows it."""
        policies = asdict(self)["policies"]
        for policy in policies:
            for llm in policy["llms"]:
                llm["api_key"] = "[REDACTED]"
        return {"policies": policies}


def builtin() -> str:
    """The config that the image brings, which counts where nothing is mounted over it."""

    def policy(name: str, classes: Mapping[str, object]) -> dict[str, Any]:
        llm = {"api_base": CLOUD, "api_key": "${NVIDIA_API_KEY}", "model": "meta/llama-3.1-70b-instruct"}
        url = f"http://router-server:8000/v2/models/{name}_ensemble/infer"
        return {"name": name, "url": url, "llms": [{"name": item, **llm} for item in classes]}

    policies = [policy("task_router", TASKS), policy("complexity_router", COMPLEXITY)]
    return yaml.safe_dump({"policies": policies}, sort_keys=False)


def expand(text: str, env: Mapping[str, str]) -> tuple[str, list[str]]:
    """A config with ${VARIABLES} replaced, and the lines that the controller prints about them; unknown ones stay."""
    said: list[str] = []

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in env:
            said.append(f"Substituted environment variable '{name}' in config")
            return env[name]
        said.append(f"Warning: Environment variable '{name}' not found, keeping placeholder")
        return found[0]

    return VARIABLE.sub(value, text), said


def parse(text: str) -> Config:
    """The config of an expanded text. Raises ConfigError."""
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        problem = getattr(exc, "problem", None) or str(exc)
        raise ConfigError(f"{problem}{_at(mark)}") from exc
    if not documents:
        raise ConfigError("EOF while parsing a value")
    if len(documents) > 1:
        raise ConfigError("deserializing from YAML containing more than one document is not supported")
    root = _fields(documents[0], "", ("policies",), "struct RouterConfig")
    found = Config(
        tuple(_policy(item, f"policies[{at}]") for at, item in enumerate(_items(root["policies"], "policies")))
    )
    _check(found)
    return found


def _policy(node: yaml.Node, path: str) -> Policy:
    fields = _fields(node, path, ("name", "url", "llms"), "struct Policy")
    llms = []
    for at, item in enumerate(_items(fields["llms"], f"{path}.llms")):
        place = f"{path}.llms[{at}]"
        own = _fields(item, place, LLM_FIELDS, "struct Llm")
        llms.append(Llm(**{name: _text(own[name], f"{place}.{name}") for name in LLM_FIELDS}))
    return Policy(_text(fields["name"], f"{path}.name"), _text(fields["url"], f"{path}.url"), tuple(llms))


def _check(config: Config) -> None:
    for policy in config.policies:
        if not policy.name:
            raise ConfigError("Missing field 'name' in policy ''")
        for llm in policy.llms:
            for name in ("api_base", "model", "api_key"):
                if not getattr(llm, name):
                    raise ConfigError(f"Missing field '{name}' in LLM '{llm.name}'")


def unresolved(config: Config) -> list[str]:
    """The lines that the controller prints about keys that are still variables."""
    return [
        f"Warning: API key for LLM '{llm.name}' contains unresolved environment variable placeholder: {llm.api_key}"
        for policy in config.policies
        for llm in policy.llms
        if llm.api_key.startswith("${") and llm.api_key.endswith("}")
    ]


def _fields(node: yaml.Node, path: str, wanted: tuple[str, ...], expected: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, path, expected)
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if key.value in wanted and key.value in found:
            raise ConfigError(f"{_prefix(path)}duplicate field `{key.value}`{_at(key.start_mark)}")
        found[key.value] = value
    missing = next((name for name in wanted if name not in found), None)
    if missing:
        raise ConfigError(f"{_prefix(path)}missing field `{missing}`{_at(node.start_mark)}")
    return found


def _items(node: yaml.Node, path: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _wrong(node, path, "a sequence")
    return node.value


def _text(node: yaml.Node, path: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(node, path, "a string")
    return node.value


def _wrong(node: yaml.Node, path: str, expected: str) -> ConfigError:
    kind = {"mapping": "map", "sequence": "sequence"}.get(node.id)
    kind = kind or ("unit value" if node.tag.endswith(":null") else f'string "{node.value}"')
    return ConfigError(f"{_prefix(path)}invalid type: {kind}, expected {expected}{_at(node.start_mark)}")


def _prefix(path: str) -> str:
    return f"{path}: " if path else ""


def _at(mark: Any) -> str:
    return f" at line {mark.line + 1} column {mark.column + 1}" if mark and (mark.line or mark.column) else ""
