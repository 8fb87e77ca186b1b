# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One mistake in an input, as every check of this collection reports it, and the list that collects them."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

# Keys (str) and indexes (int).
Path = tuple[t.Any, ...]


ERROR = "error"


WARNING = "warning"


NOTE = "note"


# Keys that need no quotes in a printed path.
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


# Keys whose values are not shown. Names of secrets (authSecretName) are no secrets.
SECRET_KEY = re.compile(r"(password|passwd|token|secret|api_?key|credentials?|private_?key)s?$", re.IGNORECASE)


MAX_SHOWN = 80


MAX_PATH = 300


# Mistakes shown of one file or chart; a broken file can hold any number.
MAX_FINDINGS = 100


@dataclasses.dataclass(frozen=True)
class Mark:
    """A place in a file; line and column count from 1, 0 where the input is not a file."""

    file: str
    line: int = 0
    column: int = 0


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong at a place, and what to write instead.

    path: printed path of the key ("" for the whole file); rule: id of the rule; severity: error, warning or note;
    chart: "NAME VERSION", or "" where no chart is concerned; source: where the rule comes from.
    """

    mark: Mark
    path: str
    message: str
    hint: str
    rule: str
    severity: str = ERROR
    chart: str = ""
    source: str = ""

    def as_dict(self) -> dict[str, t.Any]:
        """Return the finding as a module returns it."""
        fields = ("path", "message", "hint", "rule", "severity", "chart", "source")
        place = {"file": self.mark.file, "line": self.mark.line, "column": self.mark.column}
        return {**place, **{field: getattr(self, field) for field in fields}}

    def text(self) -> str:
        """Return one line: place: path: what is wrong; what to write instead (source)."""
        place = self.mark.file if not self.mark.line else f"{self.mark.file}:{self.mark.line}:{self.mark.column}"
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        text += f"; {self.hint}" if self.hint else ""
        return text + (f" ({self.source})" if self.source else "")


class Place(str):
    """Where something stands, as people read it, with its mark (file or variable) and printed path."""

    mark: Mark
    path: str

    def __new__(cls, text: str, mark: Mark, path: str = "") -> Place:
        """Return text with the place that it describes."""
        place = super().__new__(cls, text)
        place.mark, place.path = mark, path
        return place


class Problems:
    """Collects mistakes, so that all are reported at once. Texts are unique and keep their order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._findings: list[Finding] = []

    def add(self, where: str, message: str, fix: str | None = None, rule: str = "input") -> None:
        """Note a mistake: where (llm_d_models[2].name, a Place), what, what to write instead, and the rule's id."""
        text = f"{where}: {message}" + (f" -> {fix}" if fix else "")
        if text in self.texts:
            return
        mark, path = (where.mark, where.path) if isinstance(where, Place) else (Mark(where), "")
        self.texts.append(text)
        self._findings.append(Finding(mark, path, message, fix or "", rule))

    def has(self, variable: str) -> bool:
        """Return whether a mistake in this variable is noted, so that what follows from it need not be."""
        return any(finding.mark.file == variable for finding in self._findings)

    def findings(self) -> list[Finding]:
        """Return the mistakes in the order of the texts; the mark's file is the variable where there is no file."""
        return list(self._findings)

    def __bool__(self) -> bool:
        return bool(self.texts)


def show_path(path: t.Iterable[str | int]) -> str:
    """Return a path as people write it: decode.containers[0].image, labels["llm-d.ai/model"]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return short(text, MAX_PATH)


def short(text: str, limit: int = MAX_SHOWN) -> str:
    """Return a text of at most limit characters: its beginning and its end where it has more."""
    return text if len(text) <= limit else f"{text[: limit * 2 // 3]}...{text[3 + limit * 2 // 3 - limit :]}"


def at_most(findings: list[Finding], limit: int = MAX_FINDINGS) -> list[Finding]:
    """Return the first findings, and one that counts the others."""
    rest = findings[limit:]
    if not rest:
        return findings
    hint = "mend those that are shown first"
    more = dataclasses.replace(rest[0], path="", message=f"{len(rest)} more mistakes", hint=hint, rule="more-mistakes")
    return [*findings[:limit], more]


def show_value(value: t.Any, path: Path) -> str:
    """Return a value as it may be printed: shortened, and hidden where its key names a secret."""
    names = [part for part in path if isinstance(part, str)]
    if names and SECRET_KEY.search(names[-1]):
        return "(hidden)"
    if isinstance(value, dict):
        return "a map" if value else "an empty map {}"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list []"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def sort_key(finding: Finding) -> tuple[t.Any, ...]:
    """Return the order in which findings are read: by file, then by place."""
    return (finding.mark.file, finding.mark.line, finding.mark.column, finding.path, finding.message)
