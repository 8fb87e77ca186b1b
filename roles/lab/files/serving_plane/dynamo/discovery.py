# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a frontend sees: models by the endpoints that their workers registered, and the instances behind those."""

from __future__ import annotations

from dataclasses import dataclass

from ..cluster.snapshot import Snapshot
from ..servers.commandline import environment, flag
from .names import GLOBAL, ONE
from .workers import Runtime, registered

Endpoint = tuple[str, str, str]


@dataclass(frozen=True)
class Scope:
    """Dynamo namespaces that a frontend takes models from: one by name, all that begin so, or all."""

    name: str
    prefix: bool = False

    def has(self, namespace: str) -> bool:
        """Whether a namespace is in it (lib/llm/src/namespace.rs)."""
        if self.name in ("", GLOBAL):
            return True
        return namespace.startswith(self.name) if self.prefix else namespace == self.name


def scope_of(frontend: Runtime) -> Scope:
    """The scope of a frontend: since 1.0 a prefix, where it has one."""
    line = list(frontend.line)
    env: dict[str, str] = {}
    for container in frontend.pod["spec"]["containers"]:
        env.update(environment(container))
    prefix = flag(line, "namespace-prefix") or env.get("DYN_NAMESPACE_PREFIX")
    if prefix is not None and frontend.version >= ONE:
        return Scope(prefix, prefix=True)
    return Scope(flag(line, "namespace") or env.get("DYN_NAMESPACE", ""))


class Models:
    """What one frontend sees at one moment."""

    def __init__(self, frontend: Runtime, snapshot: Snapshot) -> None:
        scope = scope_of(frontend)
        near = [item for item in registered(snapshot) if item.place == frontend.place] if not frontend.problem else []
        # Whatever its scope, the client of an endpoint sends to all instances that are registered there.
        self._near = near
        self._seen = [item for item in self._near if scope.has(item.endpoint[0]) and not item.prefill]
        self._late = frontend.version >= ONE

    def endpoints(self) -> dict[str, list[Endpoint]]:
        """Model -> the endpoints that its requests go to; before 1.0 only the first that was registered for it."""
        found: dict[str, list[Endpoint]] = {}
        for item in self._seen:
            known = found.setdefault(item.model, [])
            if item.endpoint not in known and (self._late or not known):
                known.append(item.endpoint)
        return found

    def instances(self, model: str) -> list[Runtime]:
        """The workers that take turns for a model: all of its endpoints, whichever model they have loaded."""
        wanted = self.endpoints().get(model, [])
        return [item for item in self._near if item.endpoint in wanted]

    def prefill(self, decode: Runtime, model: str) -> list[Runtime]:
        """The workers that may prefill for a decode worker: those of its namespace; since 1.0 of the model as well."""
        return [
            item
            for item in self._near
            if item.prefill
            and item.endpoint[0] == decode.endpoint[0]
            and item.kind == decode.kind
            and (not self._late or model == item.model)
        ]

    def all_seen(self) -> list[Runtime]:
        """The workers whose models are listed."""
        return self._seen
