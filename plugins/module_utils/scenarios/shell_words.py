# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Shell text cut into commands and words, without ever running any of it.

Covers what files of settings are written with: assignments, quotes, parameter expansions, here-documents. The rest
comes out as a part of kind BAD with its text, for a report. Every character is consumed once, so time is linear.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import re
import typing as t

from ..base.errors import OrchestratorError
from .shell_parts import IN_HEREDOC, TEXT, Parts, Word, WordPart

# Of one word or here-document; a file of settings has a few dozen.
MAX_PARTS = 50_000
# Words and separators of a file; a scenario has some hundreds.
MAX_STEPS = 600_000
_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_REDIRECT = re.compile(r"\d*(<<<|<<-?|>>|>\||<>|[<>]&|&>>?|[<>])")
_SEPARATOR = re.compile(r"&&|\|\||;;|[;&|()\n]")


@dataclasses.dataclass
class Redirect:
    """A redirection. body: the here-document's text, as parts where it is expanded."""

    operator: str
    target: Word
    body: Word = ()


@dataclasses.dataclass
class Command:
    """A simple command. before, after: the separators around it ("" at the ends); line counts from 1."""

    line: int
    words: list[Word]
    redirects: list[Redirect]
    before: str
    after: str = ""


def literal(word: Word) -> str | None:
    """Return a word that is plain letters, None where something has to be expanded."""
    return "".join(part.text for part in word) if all(part.kind == TEXT for part in word) else None


def bare(word: Word) -> str | None:
    """Return a word without quotes and expansions, which may be a keyword, else None."""
    return word[0].text if len(word) == 1 and word[0].kind == TEXT and not word[0].quoted else None


class ShellReader:
    """Cuts a text into commands."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self._lines = [0] + [found.end() for found in re.finditer("\n", text)]
        self._waiting: list[Redirect] = []
        self._steps = 0
        # The line on which a quote or a here-document begins that nothing closes.
        self.unclosed: int | None = None

    def line(self, at: int) -> int:
        """Return the line of a position, from 1."""
        return bisect.bisect_right(self._lines, at)

    def commands(self) -> t.Iterator[Command]:
        """Yield the commands in order, empty ones where a separator stands alone."""
        before = ""
        while self.at < len(self.text):
            command = self._command(before)
            yield command
            before = command.after

    def _command(self, before: str) -> Command:
        self._skip()
        command = Command(self.line(self.at), [], [], before)
        while self.at < len(self.text):
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise OrchestratorError(
                    f"line {self.line(self.at)}: more than {MAX_STEPS} words, which no scenario has"
                )
            redirect = _REDIRECT.match(self.text, self.at)
            found = None if redirect else _SEPARATOR.match(self.text, self.at)
            if redirect:
                self.at = redirect.end()
                self._redirect(command, redirect[1])
            elif found:
                self.at, command.after = found.end(), found[0]
                if found[0] == "\n":
                    self._heredocs()
                return command
            else:
                command.words.append(self._word())
            self._skip()
        return command

    def _skip(self) -> None:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        comment = _COMMENT.match(self.text, self.at)
        self.at = comment.end() if comment else self.at

    def _redirect(self, command: Command, operator: str) -> None:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        ends = self.at >= len(self.text) or _SEPARATOR.match(self.text, self.at)
        redirect = Redirect(operator, () if ends else self._word())
        command.redirects.append(redirect)
        if operator in ("<<", "<<-"):
            self._waiting.append(redirect)

    def _heredocs(self) -> None:
        for redirect in self._waiting:
            delimiter = "".join(part.text for part in redirect.target)
            tabs = r"\t*" if redirect.operator == "<<-" else ""
            end = re.compile(rf"^{tabs}{re.escape(delimiter)}\r?$\n?", re.MULTILINE).search(self.text, self.at)
            body = self.text[self.at : end.start() if end else len(self.text)]
            if end is None and self.unclosed is None:
                self.unclosed = max(1, self.line(self.at) - 1)
            self.at = end.end() if end else len(self.text)
            if tabs:
                body = re.sub(r"^\t+", "", body, flags=re.MULTILINE)
            quoted = any(part.quoted for part in redirect.target)
            redirect.body = (
                (WordPart(TEXT, body),) if quoted else self._limited(Parts(body).until(IN_HEREDOC, "", "$`\\\n"))
            )
        self._waiting = []

    def _word(self) -> Word:
        parts = Parts(self.text, self.at)
        word = self._limited(parts.word())
        if parts.unclosed is not None and self.unclosed is None:
            self.unclosed = self.line(parts.unclosed)
        # A character that starts nothing is taken as it is, so that reading always goes on.
        self.at = parts.at if parts.at > self.at else self.at + 1
        return word or (WordPart(TEXT, self.text[self.at - 1 : self.at]),)

    def _limited(self, parts: t.Iterator[WordPart]) -> Word:
        found = tuple(itertools.islice(parts, MAX_PARTS + 1))
        if len(found) > MAX_PARTS:
            raise OrchestratorError(f"line {self.line(self.at)}: a word of more than {MAX_PARTS} pieces")
        return found
