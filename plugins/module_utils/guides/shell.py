# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands of a shell read as text: lines, words, pipes and comments. Nothing is ever run.

What cannot be read (a quote that is not closed) is a line that is said to be broken, never a guess.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

# Lines that a quote may go on over; a quote that is still open then is a mistake.
MAX_JOINED = 400
MAX_DEPTH = 20
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_OPERATORS = ("&&", "||", ";;", ">>", "<<", "|&", ">&", "&>", "|", ";", "&", "(", ")", "<", ">")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")


class GuideWordPart(t.NamedTuple):
    """Part of a word. quote: "'", '"' or "" where there is none."""

    text: str
    quote: str


@dataclasses.dataclass(frozen=True)
class ShellWord:
    """A word as written, or an operator (|, &&, <)."""

    parts: tuple[GuideWordPart, ...]
    operator: bool = False

    @property
    def text(self) -> str:
        """The word without its quotes, its variables as they stand."""
        return "".join(part.text for part in self.parts)

    @property
    def bare(self) -> bool:
        """Whether no part of it is in quotes, so that a shell splits what a variable in it holds."""
        return not any(part.quote for part in self.parts)


@dataclasses.dataclass(frozen=True)
class ShellLine:
    """A logical line: its words, the comment at its end, and where it begins; broken: why it cannot be read."""

    number: int
    text: str
    words: tuple[ShellWord, ...] = ()
    comment: str = ""
    broken: str = ""


def read_lines(text: str, first: int = 1) -> list[ShellLine]:
    """Return a script's logical lines: continued ones are joined, here-documents are taken out."""
    lines = text.splitlines()
    found: list[ShellLine] = []
    at = 0
    while at < len(lines):
        begin, joined = at, lines[at]
        at += 1
        broken = ""
        while True:
            if _is_comment(joined):
                break
            if joined.rstrip().endswith("\\") and not joined.rstrip().endswith("\\\\") and at < len(lines):
                joined, at = joined.rstrip()[:-1] + " " + lines[at].strip(), at + 1
                continue
            words, comment, problem = _words(joined)
            if problem and at < len(lines) and at - begin < MAX_JOINED:
                joined, at = joined + "\n" + lines[at], at + 1
                continue
            broken = problem
            break
        if broken:
            # Only the first line is given up: what follows is read again.
            at, joined = begin + 1, lines[begin]
            found.append(ShellLine(first + begin, joined.strip(), broken=broken))
            continue
        if _is_comment(joined):
            found.append(ShellLine(first + begin, joined.strip(), comment=joined.strip().lstrip("#").strip()))
            continue
        for ending in _HEREDOC.findall(_unquoted(words)):
            at = next((n + 1 for n in range(at, len(lines)) if lines[n].strip() == ending[1]), len(lines))
        if words or comment:
            found.append(ShellLine(first + begin, joined.strip(), tuple(words), comment))
    return found


def uncommented(lines: t.Sequence[str]) -> list[str]:
    """Return lines without the sign of a comment at their beginning, where they have one."""
    return [re.sub(r"^(\s*)#+ ?", r"\1", line) for line in lines]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _unquoted(words: t.Sequence[ShellWord]) -> str:
    return " ".join("".join(part.text for part in word.parts) if word.bare else "" for word in words)


def _words(text: str) -> tuple[list[ShellWord], str, str]:
    """Return a line's words, its comment, and what is wrong with it."""
    found: list[ShellWord] = []
    parts: list[GuideWordPart] = []
    started = False
    at = 0

    def end() -> None:
        nonlocal parts, started
        if started:
            found.append(ShellWord(tuple(parts)))
        parts, started = [], False

    while at < len(text):
        sign = text[at]
        if sign.isspace():
            end()
            at += 1
        elif sign == "#" and not started:
            return found, text[at + 1 :].split("\n", 1)[0].strip(), ""
        elif sign in "'\"":
            inner, at = (_single if sign == "'" else _double)(text, at + 1)
            if at < 0:
                return found, "", f"the quote {sign} is not closed"
            parts, started = [*parts, GuideWordPart(inner, sign)], True
        elif sign == "\\" and at + 1 < len(text):
            parts, started, at = [*parts, GuideWordPart(text[at + 1], "'")], True, at + 2
        elif sign == "$" and text[at + 1 : at + 2] in ("(", "{"):
            close = _closing(text, at + 1)
            if close < 0:
                return found, "", f"${text[at + 1]} is not closed"
            parts, started, at = [*parts, GuideWordPart(text[at : close + 1], "")], True, close + 1
        elif sign == "`":
            close = text.find("`", at + 1)
            if close < 0:
                return found, "", "the quote ` is not closed"
            parts, started, at = [*parts, GuideWordPart(f"$({text[at + 1 : close]})", "")], True, close + 1
        else:
            operator = "" if _is_placeholder(text, at) else next((o for o in _OPERATORS if text.startswith(o, at)), "")
            if operator:
                end()
                found.append(ShellWord((GuideWordPart(operator, ""),), operator=True))
                at += len(operator)
                continue
            size = 1 if not _is_placeholder(text, at) else text.index(">", at) + 1 - at
            parts, started, at = [*parts, GuideWordPart(text[at : at + size], "")], True, at + size
    end()
    return [ShellWord(_merged(word.parts), word.operator) for word in found], "", ""


def _is_placeholder(text: str, at: int) -> bool:
    """Return whether <your token> begins here: a page's way to leave a value open, no redirection."""
    return text[at] == "<" and re.match(r"<[A-Za-z][\w ./-]*>", text[at:]) is not None


def _merged(parts: t.Sequence[GuideWordPart]) -> tuple[GuideWordPart, ...]:
    found: list[GuideWordPart] = []
    for part in parts:
        if found and found[-1].quote == part.quote:
            found[-1] = GuideWordPart(found[-1].text + part.text, part.quote)
        else:
            found.append(part)
    return tuple(found)


def _single(text: str, at: int) -> tuple[str, int]:
    close = text.find("'", at)
    return (text[at:close], close + 1) if close >= 0 else ("", -1)


def _double(text: str, at: int) -> tuple[str, int]:
    found = ""
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in tuple('"\\$`\n'):
            # A sign that is taken as it is must not begin a variable.
            found, at = found + ("" if text[at + 1] == "\n" else "\\$" if text[at + 1] == "$" else text[at + 1]), at + 2
        elif text[at] == "$" and text[at + 1 : at + 2] in ("(", "{"):
            close = _closing(text, at + 1)
            if close < 0:
                return "", -1
            found, at = found + text[at : close + 1], close + 1
        else:
            found, at = found + text[at], at + 1
    return (found, at + 1) if at < len(text) else ("", -1)


def _closing(text: str, at: int) -> int:
    """Return where what opens at a place is closed, -1 where it is not; quotes inside are skipped."""
    pairs = {"(": ")", "{": "}"}
    stack: list[str] = []
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 2
            continue
        if sign in "'\"" and not (sign == "'" and stack and stack[-1] == "}"):
            close = text.find(sign, at + 1)
            while sign == '"' and close > 0 and text[close - 1] == "\\":
                close = text.find(sign, close + 1)
            if close < 0:
                return -1
            at = close + 1
            continue
        if sign in pairs:
            stack.append(pairs[sign])
        elif stack and sign == stack[-1]:
            stack.pop()
            if not stack:
                return at
        at += 1
    return -1


# Finds a variable by its name: its text, or None where it is not known.
Lookup = t.Callable[[str], "str | None"]


@dataclasses.dataclass
class Unknown:
    """Collects what a text holds that only a run could tell."""

    names: list[str] = dataclasses.field(default_factory=list)


def expand(text: str, lookup: Lookup, unknown: Unknown, depth: int = 0) -> str:
    """Return a text with its variables replaced; what is not known stays as it stands and is noted."""
    found, at = "", 0
    while at < len(text):
        if text.startswith("\\$", at):
            found, at = found + "$", at + 2
        elif text.startswith("$(", at) or text.startswith("${", at):
            close = _closing(text, at + 1)
            end = len(text) if close < 0 else close + 1
            found, at = found + _expanded(text[at:end], lookup, unknown, depth), end
        elif (match := _VARIABLE.match(text, at)) is not None:
            value = lookup(match[1])
            if value is None:
                unknown.names.append(match[1])
            found, at = found + (match[0] if value is None else value), match.end()
        else:
            found, at = found + text[at], at + 1
    return found


def _expanded(text: str, lookup: Lookup, unknown: Unknown, depth: int) -> str:
    """Return what ${...} comes to; $(...) is what only a run could tell."""
    match = re.fullmatch(r"\$\{([A-Za-z_]\w*)(?:(:?[-+=?]|%%?|##?|//?)(.*))?\}", text, re.DOTALL)
    if match is None or depth > MAX_DEPTH:
        unknown.names.append(text)
        return text
    name, operator, rest = match[1], match[2] or "", match[3] or ""
    value = lookup(name)
    if operator in (":-", "-", ":=", "="):
        # What a run finds in the environment is not known here, so that the default counts.
        kept = value is not None and (value != "" or not operator.startswith(":"))
        return value if kept and value is not None else expand(rest, lookup, unknown, depth + 1)
    if operator in (":+", "+"):
        return expand(rest, lookup, unknown, depth + 1) if value else ""
    if value is None:
        unknown.names.append(name)
        return text
    if operator in ("%", "%%", "#", "##", "/", "//"):
        unknown.names.append(text)
        return text
    return value


def expand_word(word: ShellWord, lookup: Lookup, unknown: Unknown) -> list[str]:
    """Return the words that a word comes to: none where it is empty and bare, several where a variable holds blanks."""
    text = "".join(part.text if part.quote == "'" else expand(part.text, lookup, unknown) for part in word.parts)
    if word.bare and "$" in word.text and not text.startswith("$("):
        return text.split()
    return [text]


def names_in(text: str) -> list[str]:
    """Return the variables that a text names."""
    return [match[1] or match[2] for match in re.finditer(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*))", text)]


def segments(words: t.Sequence[ShellWord]) -> list[tuple[str, list[ShellWord]]]:
    """Return a line's commands, each after the operator that stands before it; what is redirected is left out."""
    found: list[tuple[str, list[ShellWord]]] = [("", [])]
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif not word.operator:
            # The number of a redirected stream is no argument: 2>/dev/null.
            stream = word.bare and word.text in ("1", "2") and words[at + 1 : at + 2]
            if not (stream and stream[0].operator and stream[0].text.startswith(">")):
                found[-1][1].append(word)
        elif word.text in ("<", ">", ">>", "<<", ">&", "&>"):
            if word.text == "<":
                # What is read from a file is a command's input.
                found[-1][1].append(ShellWord((GuideWordPart("<", ""),)))
            else:
                skip = True
        else:
            found.append((word.text, []))
    return [(operator, part) for operator, part in found if part]
