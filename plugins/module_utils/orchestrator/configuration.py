# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""orchestrator.yaml of one kind of server, worked out: checked, completed, without secrets, and as text."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Values, dig, mapping, plain
from ..base.findings import ERROR, WARNING, Finding, Mark, Path, show_path
from .keys import steps
from .references import literals, password, unexpanded
from .rules import BY_ID, RULES, ConfigRule
from .schema import mistakes
from .settings import Servers, Settings, completed

try:
    import yaml
except ImportError:  # pragma: no cover - reported by the modules
    yaml = None  # type: ignore[assignment]

HEADER = "# Written by llm_d.orchestrator; changes are overwritten. Secrets are environment variables.\n"
# Keys that say what the others of their section mean.
SWITCHES = ("enabled", "type", "provider")
MOVED, UNMOVABLE, UNEXPANDED = "LLMD960", "LLMD961", "LLMD962"


@dataclasses.dataclass(frozen=True)
class ConfigInput:
    """What a configuration is made of.

    config: the user's; base: what the role has worked out; variable: the name of the user's; places: by the printed
    path of a variable, or of what is inside it, 'FILE:LINE'; accept: ids of rules whose mistakes are warnings.
    """

    servers: Servers
    config: t.Any
    base: Values = dataclasses.field(default_factory=dict)
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    variable: str = "orchestrator_config"
    places: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    accept: t.Collection[str] = ()


@dataclasses.dataclass(frozen=True)
class Configuration:
    """values: without secrets; environment: what was given, and the secrets that stood in the configuration."""

    values: Values
    environment: dict[str, str]
    findings: list[Finding]

    @property
    def text(self) -> str:
        """The file: keys in the order of the guide, so that the same configuration is the same text."""
        return HEADER + yaml.safe_dump(
            self.values, sort_keys=False, default_flow_style=False, allow_unicode=True, width=4096
        )

    @property
    def wrong(self) -> bool:
        """Whether something is a mistake."""
        return any(finding.severity == ERROR for finding in self.findings)


def work_out(asked: ConfigInput) -> Configuration:
    """Return the configuration of servers of one kind."""
    maker = _ConfigMaker(asked)
    given = merged(plain(asked.base), maker.sound(plain(asked.config)))
    environment = maker.moved(given)
    values = {**completed(given, asked.servers)}
    values["server"]["mode"] = completed({}, asked.servers)["server"]["mode"]
    settings = Settings(asked.servers, given, values, environment)
    for rule in RULES:
        for hit in rule.check(settings) if rule.check else ():
            if not maker.explained(hit.path):
                maker.note(rule, hit.path, hit.message, hit.hint)
    return Configuration(values, environment, maker.findings)


def merged(below: t.Any, above: t.Any) -> t.Any:
    """Return two maps as one; of what both have, above's."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    both = {key: merged(below[key], value) if key in below else value for key, value in above.items()}
    return {**below, **both}


class _ConfigMaker:
    """Notes findings with their places."""

    def __init__(self, asked: ConfigInput) -> None:
        self.asked = asked
        self.findings: list[Finding] = []
        # Keys that are wrong in themselves, or that an unknown key was meant to be: rules have nothing to say of these.
        self.told: set[str] = set()

    def note(self, rule: ConfigRule, path: str | Path, message: str, hint: str = "") -> None:
        """Note what is wrong at a path."""
        path = steps(path) if isinstance(path, str) and path else tuple(path)
        text = show_path(path)
        if path and str(path[0]).startswith("$"):
            mark, where = Mark("environment"), f"environment variable {path[0][1:]}"
        else:
            mark, where = self._place(path)
        severity = WARNING if rule.id in self.asked.accept else rule.severity
        self.findings.append(
            Finding(
                mark,
                text.strip('[]"$') if text.startswith("[") else text,
                message,
                hint or rule.remedy,
                rule.id,
                severity,
                source=rule.source,
                where=f"{rule.id} {where}",
            )
        )

    def explained(self, path: str) -> bool:
        """Return whether what a rule says of a key follows from what is wrong in itself: there, or with its section."""
        return any(path == told or path.startswith(f"{told}.") for told in self.told)

    def _place(self, path: Path) -> tuple[Mark, str]:
        """Return the mark of a key of the user's, or of the nearest one above it, and what is printed for it."""
        shown = show_path((self.asked.variable, *path))
        for end in range(len(path), -1, -1):
            place = self.asked.places.get(show_path((self.asked.variable, *path[:end])), "")
            file, _colon, line = place.rpartition(":")
            if line.isdigit():
                return Mark(file, int(line)), f"{shown} ({file}:{line})"
            if place:
                return Mark(place), f"{shown} ({place})"
        return Mark(self.asked.variable), shown

    def sound(self, config: t.Any) -> Values:
        """Return the user's configuration without what is wrong in itself, which is noted."""
        for path, written, right in list(unexpanded(config)):
            self.note(BY_ID[UNEXPANDED], path, f"{written} is not filled in", f"write {right}")
            self._leave_out(config, path)
        for one in mistakes(config):
            self.note(BY_ID[one.rule], one.path, one.message, one.hint)
            if not one.path:
                return {}
            self.told.add(one.meant or show_path(one.path))
            self._leave_out(config, one.path)
        return mapping(config)

    def _leave_out(self, config: t.Any, path: Path) -> None:
        self.told.add(show_path(path[:-1] if path[-1] in SWITCHES else path))
        around = dig(config, path[:-1])
        if isinstance(around, dict):
            around.pop(path[-1], None)

    def moved(self, given: Values) -> dict[str, str]:
        """Return the environment with the secrets of a configuration, in which references take their place."""
        environment = {str(name): str(value) for name, value in self.asked.environment.items()}
        for path, value, variable in list(literals(given)):
            known = environment.get(variable) if variable else None
            if not variable or (known and known != value):
                why = f"and {variable} in the environment is another" if variable else "which no variable stands for"
                hint = f"write ${{{variable}}}" if variable else ""
                self.note(BY_ID[UNMOVABLE], path, f"a secret stands here, {why}", hint)
            else:
                environment[variable] = value
                what = "a URL with a password" if password(value) else "a secret"
                hint = f"write ${{{variable}}}, and put it into orchestrator_secrets: {{{variable}: …}}"
                self.note(BY_ID[MOVED], path, f"{what} stands here: moved to {variable} in the environment", hint)
            dig(given, path[:-1])[path[-1]] = f"${{{variable}}}" if variable else "(hidden)"
        return environment
