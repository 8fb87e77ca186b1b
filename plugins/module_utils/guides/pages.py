# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A guide's pages as scripts: the fenced blocks of a README.md, or the steps of a guide.yaml, with their lines."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base import plain_yaml
from ..base.data import mapping
from .report import At
from .shell import ShellLine, read_lines, uncommented

SHELLS = ("", "bash", "sh", "shell", "console", "zsh")
# What a section is about, when it is not about deploying; the first that matches counts.
PURPOSES: tuple[tuple[str, str], ...] = (
    (r"clean ?up|tear ?down|uninstall", "removing is done by the playbook teardown"),
    (
        r"benchmark|performance|accuracy|evaluation|comparing|example results",
        "it measures, and is no part of the stack",
    ),
    (r"verif|send .*requests?|test (the|your)|testing", "it tests what is deployed; the playbook verify does so"),
    (r"troubleshoot|debug|failure modes|observability & trouble|calibrat", "it looks into what is deployed"),
)
_PURPOSES = tuple((re.compile(pattern, re.IGNORECASE), why) for pattern, why in PURPOSES)
_FENCE = re.compile(r"^(?P<indent>\s*(?:>\s*)*)(?P<sign>`{3,}|~{3,})\s*(?P<language>[\w+-]*)")
_HEADING = re.compile(r"^\s*(?P<signs>#{1,6})\s+(?P<title>.*?)\s*#*\s*$")
_SUMMARY = re.compile(r"<summary>(?P<title>.*?)</summary>", re.IGNORECASE)
_TAB = re.compile(r"<!--\s*TAB:(?P<title>[^>]*?)\s*-->")
_KEEP_OUT = re.compile(r"<!--.*\bskip (start|end)\b.*-->")


@dataclasses.dataclass(frozen=True)
class Script:
    """Lines of a shell that stand together.

    trail: the titles that they stand below, outermost first; number: counts the scripts of all pages;
    why: why they are no part of a deployment, "" where they are; when: the values by which a step is chosen.
    """

    file: str
    lines: tuple[ShellLine, ...]
    trail: tuple[str, ...]
    number: int
    why: str = ""
    when: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def optional(self) -> bool:
        """Whether the page leaves it to the reader."""
        return any("optional" in title.lower() for title in self.trail)

    @property
    def first(self) -> At:
        """Where it begins."""
        return At(self.file, self.lines[0].number if self.lines else 0)


def read_page(text: str, file: str, number: int) -> list[Script]:
    """Return the scripts of a page in Markdown. number: of the first of them."""
    found: list[Script] = []
    trail: list[tuple[int, str]] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            trail = _trail(trail, lines[at])
            at += 1
            continue
        close = next((n for n in range(at + 1, len(lines)) if _closes(lines[n], fence["sign"])), len(lines))
        if fence["language"].lower() in SHELLS:
            indent = len(fence["indent"])
            inner = [_outdented(line, indent) for line in lines[at + 1 : close]]
            titles = tuple(title for _level, title in trail)
            script = read_lines("\n".join(inner), at + 2)
            # A block without a language may be a program's output.
            commands = fence["language"] or any(line.words and line.words[0].text in _STARTS for line in script)
            if script and commands:
                found.append(Script(file, tuple(script), titles, number + len(found), purpose(titles)))
        at = close + 1
    return found


_STARTS = ("export", "kubectl", "helm", "helmfile", "kustomize", "envsubst", "cd", "source")


def _closes(line: str, sign: str) -> bool:
    text = line.strip().lstrip("> ").strip()
    return text.startswith(sign) and not text.strip(sign[0])


def _outdented(line: str, indent: int) -> str:
    return line[indent:] if not line[:indent].strip(" >") else line.lstrip()


def _trail(trail: list[tuple[int, str]], line: str) -> list[tuple[int, str]]:
    """Return the titles that what follows a line stands below."""
    heading = _HEADING.match(line)
    if heading:
        level = 2 * len(heading["signs"])
        return [*[one for one in trail if one[0] < level], (level, _plain(heading["title"]))]
    summary = _SUMMARY.search(line)
    if summary:
        # It is as deep as what is folded away under it: below the heading before it.
        level = next((one[0] for one in reversed(trail) if one[0] % 2 == 0), 0) + 1
        return [*[one for one in trail if one[0] < level], (level, _plain(summary["title"]))]
    if "</details>" in line.lower() and trail and trail[-1][0] % 2:
        return trail[:-1]
    if "</details>" in line.lower():
        odd = next((n for n, one in enumerate(trail) if one[0] % 2), None)
        return trail if odd is None else trail[:odd]
    tab = _TAB.search(line)
    if tab:
        level = next((one[0] for one in reversed(trail) if one[0] % 2 == 0), 0) + 1
        return [*[one for one in trail if one[0] < level], (level, _plain(tab["title"]))]
    return trail


def _plain(title: str) -> str:
    return re.sub(r"<[^>]*>|[*`_]|:default$", "", title).strip()


def purpose(trail: t.Sequence[str]) -> str:
    """Return why what stands below titles is no part of a deployment, "" where it is; the page's own does not count."""
    titles = trail[1:]
    return next((why for title in titles for pattern, why in _PURPOSES if pattern.search(title)), "")


# Parts of a guide.yaml that deploy nothing.
_PARTS = {"verify": 2, "benchmark": 1, "cleanup": 0}


@dataclasses.dataclass(frozen=True)
class Steps:
    """A guide.yaml. static: its variables, each with its line and the values it may have."""

    scripts: list[Script]
    static: list[tuple[str, str, int, tuple[str, ...]]]


def read_steps(text: str, file: str, number: int) -> Steps:
    """Return the steps of a guide.yaml; raise YAMLError or ValueError where it is none."""
    root = plain_yaml.load(text)
    if not isinstance(root, dict):
        raise ValueError("it is not a map")
    lines = text.splitlines()
    scripts: list[Script] = []
    for part, content in root.items():
        if part in ("name", "env") or str(part).startswith("_"):
            continue
        why = PURPOSES[_PARTS[part]][1] if part in _PARTS else ""
        _collect(content, (str(part),), why, lines, file, number, scripts)
    static = mapping(mapping(root.get("env")).get("static"))
    return Steps(scripts, [_static(name, value, lines) for name, value in static.items()])


def _static(name: t.Any, value: t.Any, lines: list[str]) -> tuple[str, str, int, tuple[str, ...]]:
    choices: tuple[str, ...] = ()
    if isinstance(value, dict):
        listed = value.get("values")
        choices = tuple(str(one) for one in listed) if isinstance(listed, list) else ()
        value = value.get("default", "")
    text = (
        {True: "true", False: "false", None: ""}.get(value, value)
        if not isinstance(value, (int, float)) or isinstance(value, bool)
        else value
    )
    return str(name), str(text), _line(lines, rf"\s*{re.escape(str(name))}\s*:", 0), choices


def _line(lines: list[str], pattern: str, start: int) -> int:
    found = re.compile(pattern)
    return next((n + 1 for n in range(start, len(lines)) if found.match(lines[n])), 0)


def _collect(
    content: t.Any, trail: tuple[str, ...], why: str, lines: list[str], file: str, number: int, found: list[Script]
) -> None:
    if len(trail) > 12:
        return
    if isinstance(content, list):
        for item in content:
            _collect(item, trail, why, lines, file, number, found)
    elif isinstance(content, dict) and isinstance(content.get("run"), str):
        when = mapping(content.get("when"))
        run = content["run"]
        first = _begin(run, lines, found[-1].lines[-1].number if found and found[-1].lines else 0)
        script = read_lines(run, first)
        if when and not any(line.words for line in script):
            # All of it is commented out, as it is for a choice that is not the default: it is what that choice does.
            script = read_lines("\n".join(uncommented(run.splitlines())), first)
            script = [line for line in script if line.words and line.words[0].text in (*_STARTS, "bash")]
        # A step that lists no value for a variable is for all of them.
        wanted = {
            str(name): tuple(str(one) for one in (values if isinstance(values, list) else [values]))
            for name, values in when.items()
        }
        if script:
            found.append(Script(file, tuple(script), ("", *trail), number + len(found), why, wanted))
    elif isinstance(content, dict):
        for name, inner in content.items():
            _collect(inner, (*trail, str(name)), why, lines, file, number, found)


def _begin(run: str, lines: list[str], after: int) -> int:
    """Return the line of a file on which a step's text begins."""
    first = next((line.strip() for line in run.splitlines() if line.strip()), "")
    skipped = next((n for n, line in enumerate(run.splitlines()) if line.strip()), 0)
    for start in (after, 0):
        for number in range(start, len(lines)):
            text = lines[number].strip()
            if first and (text == first or (text.startswith(("run:", "- run:")) and text.endswith(first))):
                return max(number + 1 - skipped, 1)
    return 1
