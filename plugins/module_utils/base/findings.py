# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an input, as every check of this collection reports it, and what collects such findings."""

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
    chart: "NAME VERSION", or "" where no chart is concerned; source: where the rule comes from; objects: the places of
    manifests that disagree, as people read them, and place: what is to be read besides; keys: 'release: values key' of
    each; where: what is printed for the place, None for file, line, column and path.

    count: how many mistakes it stands for.

    How findings are joined: about: names of releases, objects and kinds that it concerns; covers: ids of rules that
    say the same of these; key: findings of one key are one, whatever their rules; explains: keys of its consequences;
    spots: the fields of objects that it is about.
    """

    mark: Mark
    path: str
    message: str
    hint: str
    rule: str
    severity: str = ERROR
    chart: str = ""
    source: str = ""
    objects: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    place: str = ""
    where: str | None = None
    about: frozenset[str] = dataclasses.field(default=frozenset(), compare=False)
    covers: tuple[str, ...] = dataclasses.field(default=(), compare=False)
    count: int = dataclasses.field(default=1, compare=False)
    key: tuple[t.Any, ...] = dataclasses.field(default=(), compare=False)
    explains: tuple[tuple[t.Any, ...], ...] = dataclasses.field(default=(), compare=False)
    spots: frozenset[tuple[str, Path]] = dataclasses.field(default=frozenset(), compare=False)

    def as_dict(self) -> dict[str, t.Any]:
        """Return the finding as a module returns it."""
        fields = ("path", "message", "hint", "rule", "severity", "chart", "source")
        place = {"file": self.mark.file, "line": self.mark.line, "column": self.mark.column}
        sides = {"objects": list(self.objects), "keys": list(self.keys), "place": self.place}
        return {**place, **{field: getattr(self, field) for field in fields}, **(sides if self.objects else {})}

    def text(self) -> str:
        """Return one line: place: what is wrong -> what to do; of a key of a file with the source of the rule."""
        if self.where is not None:
            text = ": ".join(filter(None, (self.where, self.message)))
            text += f" -> {self.hint}" if self.hint else ""
            text += f" ({self.source})" if self.chart and self.source and not self.objects else ""
            # The places of objects stand in the message, and that of the whole stack before it.
            told = self.objects or self.where.endswith(self.place)
            return text + ("" if told else f" ({self.place})")
        place = self.mark.file if not self.mark.line else f"{self.mark.file}:{self.mark.line}:{self.mark.column}"
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        text += f"; {self.hint}" if self.hint else ""
        return text + (f" ({self.source})" if self.source else "")

    def is_covered_by(self, other: Finding) -> bool:
        """Return whether another finding says the same: it covers this one's rule, of something both are about."""
        return self.rule in other.covers and (not other.about or bool(self.about & other.about))


class Place(str):
    """Where something stands, as people read it, with its mark (file or variable) and printed path."""

    mark: Mark
    path: str

    def __new__(cls, text: str, mark: Mark, path: str = "") -> Place:
        """Return text with the place that it describes."""
        place = super().__new__(cls, text)
        place.mark, place.path = mark, path
        return place


def finding_at(where: str, message: str, hint: str | None = None, rule: str = "input") -> Finding:
    """Return a finding of a Place, or of a variable or an object that is named; "" for the whole stack."""
    mark, path = (where.mark, where.path) if isinstance(where, Place) else (Mark(where or "stack"), "")
    return Finding(mark, path, message, hint or "", rule, where=str(where))


class Findings:
    """Collects findings, so that all are reported at once: each is kept once, and they keep their order."""

    def __init__(self, found: t.Iterable[Finding] = ()) -> None:
        self._found: dict[Finding, Finding] = {}
        self.take(found)

    def add(
        self,
        where: str,
        message: str,
        hint: str | None = None,
        rule: str = "input",
        *,
        about: t.Iterable[str] = (),
        covers: t.Iterable[str] = (),
        severity: str = ERROR,
    ) -> None:
        """Note where something is wrong (llm_d_models[2].name, a Place), what, what to write instead, the rule's id.

        covers: ids of rules that say the same of what it is about.
        """
        found = finding_at(where, message, hint, rule)
        more: t.Any = {"about": frozenset(about), "covers": tuple(covers), "severity": severity}
        self.take([dataclasses.replace(found, **more)])

    def take(self, found: t.Iterable[Finding]) -> None:
        """Note findings; one that is noted already is then about what either is about."""
        for finding in found:
            known = self._found.get(finding, finding)
            self._found[finding] = dataclasses.replace(known, about=known.about | finding.about)

    def has(self, variable: str) -> bool:
        """Return whether something is wrong with this variable, so that what follows from it need not be noted."""
        return any(finding.mark.file == variable for finding in self)

    def join(self, found: t.Iterable[Finding]) -> list[Finding]:
        """Return the findings that none of these covers; a covering one is printed with the id of the rule it covers.

        found: those of rules, whose ids readers look up.
        """
        covered: dict[Finding, list[str]] = {}
        rest = []
        for finding in found:
            covering = [known for known in self if finding.is_covered_by(known)]
            for known in covering:
                covered.setdefault(known, []).append(finding.rule)
            rest += [] if covering else [finding]
        named = [
            dataclasses.replace(known, where=f"{min(covered[known], key=known.covers.index)} {known.where}")
            if known in covered
            else known
            for known in self
        ]
        self._found = {finding: finding for finding in named}
        return rest

    @property
    def texts(self) -> list[str]:
        """The findings as lines."""
        return [finding.text() for finding in self]

    def __iter__(self) -> t.Iterator[Finding]:
        return iter(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)


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
    hint = "fix the ones shown first"
    text = f"{len(rest)} more mistake{'s' if len(rest) > 1 else ''}"
    more = dataclasses.replace(rest[0], path="", message=text, hint=hint, rule="more-mistakes", count=len(rest))
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
