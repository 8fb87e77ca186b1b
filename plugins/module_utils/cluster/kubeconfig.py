# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Kubeconfigs: read, checked and taken apart.

A kubeconfig is a path, text (YAML or JSON) or a map. Messages never hold its content.
"""

from __future__ import annotations

import copy
import json
import os
import typing as t

from ..base import plain_yaml
from ..base.data import Object, dicts, mapping
from ..base.errors import OrchestratorError

try:
    import yaml
except ImportError:  # pragma: no cover - reported by Cluster
    yaml = None  # type: ignore[assignment]


WHOLE = "Use a complete kubeconfig, as printed by kubectl config view --raw --flatten."
PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
# Keys that lead to files beside it, or to programs that may change it.
LEADS = (*PATHS, "exec", "auth-provider")
SECTIONS = (("clusters", "cluster"), ("users", "user"))
SECRETS = ("token", "password", "client-key-data", "id-token", "refresh-token", "access-token")


def is_content(value: t.Any) -> bool:
    """Return whether a kubeconfig is given as text, not as a path."""
    return isinstance(value, str) and ("\n" in value.strip() or value.lstrip().startswith("{"))


def kubeconfig_in(text: str, name: str = "llm_d_kubeconfig") -> Object:
    """Return the map that a kubeconfig's text holds; raise OrchestratorError. name: for messages."""
    try:
        content = json.loads(text)
    except ValueError:
        content = _yaml(text, name)
    if not isinstance(content, dict) or not entries(content, "clusters"):
        raise OrchestratorError(f"The kubeconfig in {name} has no cluster.", hint=WHOLE)
    return content


def _yaml(text: str, name: str) -> t.Any:
    try:
        # The C parser is ten times as quick, and as safe; every task reads a kubeconfig.
        return plain_yaml.load(text)
    except plain_yaml.YAMLError as exc:
        # The whole message quotes the text.
        mark, problem = getattr(exc, "problem_mark", None), getattr(exc, "problem", None)
        place = f" line {mark.line + 1}:" if mark else ""
        raise OrchestratorError(
            (
                f"The kubeconfig in {name} is not valid YAML:{place} "
                f"{problem or 'it contains characters that YAML does not allow'}."
            ),
            hint=WHOLE,
        ) from exc


def read(path: str) -> Object:
    """Return the map in a kubeconfig's file; raise OrchestratorError."""
    path = os.path.expanduser(path)
    # In two parts: Ansible hides the value of this option wherever it stands whole.
    name = f"the file {os.path.basename(path)} (folder {os.path.dirname(path) or '.'})"
    if not os.path.isfile(path):
        raise OrchestratorError(
            f"The kubeconfig {os.path.basename(path)} does not exist in {os.path.dirname(path) or '.'}.",
            hint="Set llm_d_kubeconfig to a kubeconfig file; for a lab, run lab_up first.",
        )
    try:
        with open(path, encoding="utf-8") as stream:
            return kubeconfig_in(stream.read(), name)
    except OSError as exc:
        raise OrchestratorError(f"The kubeconfig in {name} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise OrchestratorError(f"The kubeconfig in {name} is not UTF-8 text.", hint=WHOLE) from exc


def entries(content: Object, section: str) -> list[Object]:
    """Return what a section names: contexts, clusters or users."""
    found = content.get(section)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def contexts(content: Object) -> list[str]:
    """Return the names of a kubeconfig's contexts, sorted."""
    return sorted(str(item["name"]) for item in entries(content, "contexts") if item.get("name"))


def check_context(content: Object, context: str | None) -> str:
    """Return the context that is used; raise OrchestratorError where there is no such one."""
    known = contexts(content)
    hint = "Set llm_d_context to one of: " + (", ".join(known) or "(it has none)")
    if context:
        if context not in known:
            raise OrchestratorError(f"The kubeconfig has no context {context!r}.", hint=hint)
        return context
    current = content.get("current-context")
    if not current:
        raise OrchestratorError("The kubeconfig has no current context, and llm_d_context is not set.", hint=hint)
    if current not in known:
        raise OrchestratorError(f"The kubeconfig's current context {current!r} is not in it.", hint=hint)
    return str(current)


def named(content: Object, section: str, entry: str, name: t.Any) -> Object:
    """Return what a section says under a name, {} where it says nothing."""
    found = next((item.get(entry) for item in entries(content, section) if item.get("name") == name), None)
    return found if isinstance(found, dict) else {}


def server(content: Object, context: str) -> str:
    """Return the address of a context's API server, "" where there is none."""
    pair = named(content, "contexts", "context", context)
    return str(named(content, "clusters", "cluster", pair.get("cluster")).get("server") or "")


def login(content: Object, context: str) -> Object:
    """Return a context's user, {} where it has none."""
    return named(content, "users", "user", named(content, "contexts", "context", context).get("user"))


def reduced(content: Object, context: str) -> Object:
    """Return a kubeconfig with one context only, its cluster and its user."""
    pair = named(content, "contexts", "context", context)
    names = {"contexts": context, "clusters": pair.get("cluster"), "users": pair.get("user")}
    sections = {
        section: [item for item in entries(content, section) if item.get("name") == name]
        for section, name in names.items()
    }
    return {"apiVersion": "v1", "kind": "Config", "current-context": context, **copy.deepcopy(sections)}


def text_of(content: Object) -> str:
    """Return a kubeconfig as YAML text."""
    return str(yaml.safe_dump(content, sort_keys=False))


def keys_of(content: Object, keys: t.Collection[str]) -> list[str]:
    """Return which of these keys a kubeconfig's clusters and users have."""
    places = [item.get(entry) for section, entry in SECTIONS for item in entries(content, section)]
    return [key for place in places if isinstance(place, dict) for key in keys if place.get(key)]


def secrets_in(content: Object) -> set[str]:
    """Return a kubeconfig's tokens, passwords and keys."""
    found: set[str] = set()
    for item in entries(content, "users"):
        user = mapping(item.get("user"))
        places = [user, mapping(mapping(user.get("auth-provider")).get("config"))]
        found |= {str(place[key]) for place in places for key in SECRETS if place.get(key)}
        variables = dicts(mapping(user.get("exec")).get("env"))
        found |= {str(one.get("value")) for one in variables if len(str(one.get("value") or "")) >= 16}
    return found


def absolute(content: Object, folder: str) -> Object:
    """Return a kubeconfig with its file names made absolute, as it is read from a copy in another folder."""
    content = copy.deepcopy(content)
    for section, entry in SECTIONS:
        for item in entries(content, section):
            place = mapping(item.get(entry))
            _absolute(place, PATHS, folder)
            command = place.get("exec")
            # A name without a folder is looked up on PATH.
            if isinstance(command, dict) and os.sep in str(command.get("command")):
                _absolute(command, ("command",), folder)
    return content


def _absolute(place: Object, keys: t.Iterable[str], folder: str) -> None:
    for key in keys:
        value = place.get(key)
        if value and isinstance(value, str) and not os.path.isabs(value):
            place[key] = os.path.join(folder, value)
