# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole configuration with what is known of the servers that will have it, as rules look at it."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Values, dig
from .keys import BY_PATH, EDGE, KEYS, OPTIONAL, STANDALONE, STATE, steps

_ABSENT = object()
SQLITE = f"sqlite://{STATE}/orchestrator.db"


@dataclasses.dataclass(frozen=True)
class Servers:
    """What is known of the servers of one kind; None for what is unknown.

    count: API servers and workers in all that share the database; memory: bytes.
    """

    mode: str
    count: int = 1
    database_max_connections: int | None = None
    cpus: float | None = None
    memory: float | None = None
    needs_queue: bool = True

    @property
    def alone(self) -> bool:
        """Whether the server shares its database and cache with no other."""
        return self.mode in (STANDALONE, EDGE) and self.count == 1


@dataclasses.dataclass(frozen=True)
class Settings:
    """given: what the user wrote and the roles worked out; values: with all defaults; environment: by name."""

    servers: Servers
    given: Values
    values: Values
    environment: t.Mapping[str, str]

    def get(self, path: str) -> t.Any:
        """Return the value of a key, None for none."""
        return dig(self.values, steps(path))

    def is_given(self, path: str) -> bool:
        """Return whether a key or section was written."""
        return dig(self.given, steps(path), _ABSENT) is not _ABSENT

    def resolved(self, path: str) -> str:
        """Return a key's value, that of its environment variable where it is a reference; "" for none."""
        value = str(self.get(path) or "")
        return self.environment.get(value[2:-1], "") if value.startswith("${") and value.endswith("}") else value


def completed(given: Values, servers: Servers) -> Values:
    """Return a configuration with the defaults of its mode, its keys in the order of the table."""
    found: Values = {}
    for key in KEYS:
        path = steps(key.path)
        section = ".".join(path[:2])
        if path[-1] == "*":
            if isinstance(held := dig(given, path[:-1]), dict):
                _put(found, path[:-1], held)
            continue
        value = dig(given, path, _ABSENT)
        if value is _ABSENT and (section not in OPTIONAL or dig(given, path[:2], _ABSENT) is not _ABSENT):
            value = _default(key.path, found, servers)
        if value is not _ABSENT and value is not None:
            _put(found, path, value)
    return found


def _default(path: str, found: Values, servers: Servers) -> t.Any:
    """Return a key's default, None where it has none or means nothing beside the keys above it."""
    key = BY_PATH[path]
    if key.when is not None and dig(found, steps(key.when[0])) != key.when[1]:
        return None
    if path == "execution.executor.worker_threads" and servers.cpus:
        return max(1, min(key.default, int(servers.cpus)))
    if path == "execution.resources.cpu_limit":
        return servers.cpus
    if path == "execution.resources.memory_limit" and servers.memory:
        return f"{int(servers.memory // 1024**2)}Mi"
    if path == "database.url" and dig(found, ("database", "type")) == "sqlite":
        return SQLITE
    return key.default_in(servers.mode)


def _put(values: Values, path: t.Sequence[str], value: t.Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value
