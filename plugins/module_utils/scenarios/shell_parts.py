# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The pieces of shell words: letters, variables, and what cannot be understood without running it.

Every character is consumed once, so time is linear.
"""

from __future__ import annotations

import re
import typing as t

TEXT, VARIABLE, FRESH_FILE, BAD = "text", "variable", "fresh file", "bad"
MAX_DEPTH = 30
_PLAIN = re.compile(r"[^\s\\'\"$`;&|<>()]+")
_IN_QUOTES = re.compile(r"[^\\\"$`]+")
_IN_BRACES = re.compile(r"[^\\'\"$`}]+")
IN_HEREDOC = re.compile(r"[^\\$`]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATION = re.compile(r":[-=+?]|[-=+?]|%%?|##?")
_MKTEMP = re.compile(r"\s*(?:/usr)?(?:/bin/)?mktemp(?P<options>(?:\s+[^\s;&|<>()$`]+)*)\s*")
_ANSI = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_BRACKET = re.compile(r"[(){}'\"\\]")


class WordPart(t.NamedTuple):
    """A piece of a word. text: the letters, the variable's name, or what cannot be understood as it is written.

    operation and word: of ${NAME:-word}; quoted: whether the piece stood in quotes.
    """

    kind: str
    text: str
    operation: str = ""
    word: tuple[t.Any, ...] = ()
    quoted: bool = False


Word = tuple[WordPart, ...]


class Parts:
    """Reads the parts of one word or of a stretch of text."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text, self.at, self.depth = text, at, 0
        # Where a quote or bracket begins that nothing closes.
        self.unclosed: int | None = None

    def word(self) -> t.Iterator[WordPart]:
        """Yield the parts up to a blank, separator or redirection."""
        while self.at < len(self.text):
            found = _PLAIN.match(self.text, self.at)
            if found:
                self.at = found.end()
                yield WordPart(TEXT, found[0])
            elif self.text[self.at] in "\\'\"$`":
                yield from self._special(quotes=True)
            else:
                return

    def until(self, plain: re.Pattern[str], end: str, escapes: str) -> t.Iterator[WordPart]:
        """Yield parts up to the character end, which is consumed. escapes: what a backslash protects; "" is all."""
        start = self.at - 1
        while self.at < len(self.text):
            found = plain.match(self.text, self.at)
            letter = self.text[self.at]
            if found:
                self.at = found.end()
                yield WordPart(TEXT, found[0], quoted=bool(escapes))
            elif end and letter == end:
                self.at += 1
                return
            elif letter == "\\":
                yield self._escape(escapes)
            elif letter in "$`" or not escapes:
                yield from self._special(quotes=not escapes)
            else:
                self.at += 1
                yield WordPart(TEXT, letter, quoted=True)
        self.unclosed = start if end and self.unclosed is None else self.unclosed

    def _escape(self, escapes: str) -> WordPart:
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if following == "\n":
            return WordPart(TEXT, "")
        kept = "\\" if escapes and following not in escapes else ""
        return WordPart(TEXT, kept + following, quoted=True)

    def _special(self, quotes: bool) -> t.Iterator[WordPart]:
        letter = self.text[self.at]
        if letter == "\\":
            yield self._escape("")
        elif letter == "'" and quotes:
            yield self._single()
        elif letter == '"' and quotes:
            self.at += 1
            yield WordPart(TEXT, "", quoted=True)
            yield from self.until(_IN_QUOTES, '"', '$`"\\\n')
        elif letter == "`":
            yield self._backticks()
        else:
            yield from self._dollar(quotes)

    def _next(self, letter: str) -> int:
        """Return where a letter closes what begins here with the same one, the end of the text where nothing does."""
        end = self.text.find(letter, self.at + 1)
        if end < 0:
            self.unclosed = self.at if self.unclosed is None else self.unclosed
        return len(self.text) if end < 0 else end

    def _single(self) -> WordPart:
        end = self._next("'")
        text, self.at = self.text[self.at + 1 : end], end + 1
        return WordPart(TEXT, text, quoted=True)

    def _backticks(self) -> WordPart:
        end = self._next("`")
        inner, self.at = self.text[self.at + 1 : end], end + 1
        return _substitution(inner, f"`{inner}`")

    def _dollar(self, quotes: bool) -> t.Iterator[WordPart]:
        start, following = self.at, self.text[self.at + 1 : self.at + 2]
        name = _NAME.match(self.text, self.at + 1)
        if name:
            self.at = name.end()
            yield WordPart(VARIABLE, name[0])
        elif following == "{":
            yield self._braces()
        elif following == "(":
            self._close()
            inner = self.text[start + 2 : self.at - 1]
            yield _substitution(inner, self.text[start : self.at])
        elif following == "'" and quotes:
            yield self._ansi()
        elif following == '"' and quotes:
            self.at += 1
            yield from self._special(quotes)
        elif following and following in "0123456789@*#?$!-":
            self.at += 2
            yield WordPart(BAD, self.text[start : self.at])
        else:
            self.at += 1
            yield WordPart(TEXT, "$")

    def _braces(self) -> WordPart:
        start = self.at
        name = _NAME.match(self.text, start + 2)
        at = name.end() if name else start + 2
        operation = _OPERATION.match(self.text, at) if name else None
        if name and self.text[at : at + 1] == "}":
            self.at = at + 1
            return WordPart(VARIABLE, name[0])
        if name is None or operation is None or self.depth >= MAX_DEPTH:
            self._close()
            return WordPart(BAD, self.text[start : self.at])
        self.at = operation.end()
        self.depth += 1
        word = tuple(self.until(_IN_BRACES, "}", ""))
        self.depth -= 1
        return WordPart(VARIABLE, name[0], operation[0], word)

    def _close(self) -> None:
        """Go behind the bracket that closes the one after the dollar sign, quotes heeded, or to the end."""
        depth, at = 0, self.at + 1
        while found := _BRACKET.search(self.text, at):
            letter, at = found[0], found.end()
            if letter == "\\":
                at += 1
            elif letter in "'\"":
                end = self.text.find(letter, at)
                at = len(self.text) if end < 0 else end + 1
            else:
                depth += 1 if letter in "({" else -1
            if depth <= 0 and letter in ")}":
                self.at = at
                return
        self.at = len(self.text)

    def _ansi(self) -> WordPart:
        found = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL).match(self.text, self.at + 2)
        inner = found[0] if found else ""
        self.at += len(inner) + 3
        return WordPart(TEXT, _ANSI.sub(_ansi_letter, inner), quoted=True)


def _ansi_letter(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    if number:
        return chr(int(number, 16))
    return chr(int(found[3], 8) & 255) if found[3] else _ANSI_LETTERS.get(found[4], found[4])


def _substitution(inner: str, whole: str) -> WordPart:
    """Return a new file's name for mktemp, else what cannot be understood."""
    found = _MKTEMP.fullmatch(inner)
    directory = found and any(option.startswith("-d") or option == "--directory" for option in found[1].split())
    return WordPart(FRESH_FILE, whole) if found and not directory else WordPart(BAD, whole)
