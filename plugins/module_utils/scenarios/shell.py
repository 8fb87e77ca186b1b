# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a shell file of settings sets: variables and the files it writes by here-documents. Nothing is executed.

A value that only running the file could tell (a command's output, what an if decides) is None with the reason, never a
guess; the statement stands in the findings with its line and the variables that it affects.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.errors import OrchestratorError
from ..base.mask import mask_text
from .shell_parts import BAD, FRESH_FILE, TEXT, Word, WordPart
from .shell_words import Command, Redirect, ShellReader, bare, literal

# All texts that expansion makes, in characters; a scenario makes some tens of thousands.
MAX_EXPANDED = 32 * 1024 * 1024
# Stands before the number of a file that mktemp would make.
FRESH = "mktemp:"
_OPENERS = {
    **{"if": "fi", "for": "done", "while": "done", "until": "done", "select": "done"},
    **{"case": "esac", "{": "}", "(": ")", "function": "}"},
}
_BETWEEN = ("then", "else", "do", "elif", "!", "time")
_HARMLESS = (":", "true", "set", "shopt", "umask")


class Shell:
    """Variables and files after a text. statements: what is not translated; uses: by name the names that use it."""

    def __init__(self, variables: dict[str, str]) -> None:
        """variables: those that are set before, at line 0."""
        self.variables = {name: Value(text) for name, text in variables.items()}
        self.files: dict[str, Value] = {}
        self.statements: list[Statement] = []
        self.uses: dict[str, set[str]] = {}
        self._open: list[tuple[str, Statement]] = []
        self._left = MAX_EXPANDED
        self._files = 0
        self._holders: dict[str, str] = {}

    def read(self, text: str) -> None:
        """Take in a text; raise OrchestratorError where it expands beyond all measure."""
        reader = ShellReader(text)
        for command in reader.commands():
            self._take(command)
            self._brackets(command.after, command.line)
        if reader.unclosed is not None:
            self._note(
                reader.unclosed, "quote or here-document", "it is not closed: all that follows was read as part of it"
            )

    def set_names(self) -> list[str]:
        """Return the names that the text sets, in the order of their last lines."""
        mine = [(value.line, name) for name, value in self.variables.items() if value.line]
        return [name for line, name in sorted(mine)]

    def _take(self, command: Command) -> None:
        words = self._keywords(command)
        if not words and not command.redirects:
            return
        if words and bare(words[0]) in _HARMLESS and not self._guard(command):
            for word in words[1:]:
                self.expand(word)
            return
        found = assigned(words)
        if found is None:
            self._run(command, words)
        elif found or command.redirects:
            for name, append, value in found:
                self._assign(command, name, append, value)
            if found and command.after == "(" and not any(part.text for part in found[-1][2]):
                self.variables[found[-1][0]] = Value(None, command.line, "an array")
                self._note(command.line, "( )", "arrays are not read", found[-1][0])

    def _keywords(self, command: Command) -> list[Word]:
        """Return a command's words without the keywords before them; note what they open and close."""
        words = list(command.words)
        while words:
            name = bare(words[0])
            if name in _BETWEEN:
                words.pop(0)
            elif self._open and name == self._open[-1][0] and name != ")":
                self._close()
                words.pop(0)
            elif name in _OPENERS and not (name == "{" and self._open and self._open[-1][1].what == "function"):
                self._begin(name, _OPENERS[name], command.line)
                words.pop(0)
                if name in ("for", "case", "select", "function"):
                    return []
            else:
                break
        return words

    def _brackets(self, separator: str, line: int) -> None:
        inside_case = self._open and self._open[-1][0] == "esac"
        if separator == "(":
            self._begin("( )", ")", line)
        elif separator == ")" and not inside_case and self._open and self._open[-1][0] == ")":
            self._close()

    def _begin(self, what: str, end: str, line: int) -> None:
        statement = Statement(line, what, "its result is known only at run time")
        if not self._open:
            self.statements.append(statement)
        # Only the outermost statement is told of, however deep they are nested.
        self._open.append((end, self._open[0][1] if self._open else statement))

    def _close(self) -> None:
        self._open.pop()

    def _guard(self, command: Command) -> Statement | None:
        """Return the statement that decides whether a command runs, None where it always does."""
        if self._open:
            return self._open[0][1]
        pipe = "|" in (command.before, command.after)
        if pipe or command.before in ("&&", "||"):
            what = "|" if pipe else command.before
            why = "a pipe's result is known only at run time" if pipe else ("whether it runs is known only at run time")
            self.statements.append(Statement(command.line, what, why))
            return self.statements[-1]
        return None

    def _assign(self, command: Command, name: str, append: bool, word: Word) -> None:
        guard = self._guard(command)
        if guard:
            guard.variables.append(name)
            self.variables[name] = Value(None, command.line, f"line {guard.line}: {guard.what}")
            return
        text, why = self.expand(word, name)
        before = self.variables.get(name, Value(""))
        if append and text is not None:
            text, why = (None, before.why) if before.text is None else (before.text + text, "")
        if text is None and origin(word):
            self._note(command.line, origin(word), "a command's output is known only at run time", name)
        elif text is None:
            self._note(command.line, "$", f"its value is unknown ({why})", name)
        self._left -= len(text or "") if append else 0
        self.variables[name] = Value(text, command.line, why)
        if text and len(text) < 300:
            self._holders[text] = name

    def _note(self, line: int, what: str, why: str, *names: str) -> None:
        self.statements.append(Statement(line, what, why, list(names)))

    def expand(self, word: Word, user: str = "") -> tuple[str | None, str]:
        """Return a word's text, or None and why it cannot be known. user: the variable that it is for."""
        texts: list[str] = []
        for part in word:
            text, why = self._part(part, user)
            if text is None:
                return None, why
            texts.append(text)
        joined = "".join(texts)
        self._left -= len(joined) if len(texts) > 1 else 0
        if self._left < 0:
            raise OrchestratorError(f"The scenario expands to more than {MAX_EXPANDED // 2**20} MiB of text.")
        return joined, ""

    def _part(self, part: WordPart, user: str) -> tuple[str | None, str]:
        if part.kind == TEXT:
            return part.text, ""
        if part.kind == BAD:
            return None, part.text[:80]
        if part.kind == FRESH_FILE:
            self._files += 1
            return f"{FRESH}{self._files}", ""
        if user:
            self.uses.setdefault(part.text, set()).add(user)
        value = self.variables.get(part.text, Value(None))
        if value.text is None and value.line:
            return None, value.why
        return self._operation(part, value.text, user) if part.operation else (value.text or "", "")

    def _operation(self, part: WordPart, text: str | None, user: str) -> tuple[str | None, str]:
        kind = part.operation.lstrip(":")
        absent = not text if part.operation.startswith(":") else text is None
        if kind in "-=" and absent or kind == "+" and not absent:
            word, why = self.expand(part.word, user)
            if kind == "=" and word is not None:
                self.variables[part.text] = Value(word)
            return word, why
        if kind == "?" and absent:
            return None, "${" + part.text + ":?}"
        if kind[0] in "%#":
            pattern, why = self.expand(part.word, user)
            return (None, why) if pattern is None else cut(text or "", kind, pattern)
        return ("" if kind == "+" else text or ""), ""

    def _run(self, command: Command, words: list[Word]) -> None:
        """Take in a command that writes a file from what is known, or note any other."""
        name = literal(words[0]) or "?" if words else ""
        guard = self._guard(command)
        targets = [item for item in command.redirects if item.operator in (">", ">>", ">|")]
        files = [(item, self.expand(item.target)[0]) for item in targets]
        holders = [self._holders.get(file or "", "") for item, file in files]
        content = None if guard else self._output(name, words[1:], command.redirects, "".join(holders[:1]))
        if content is None:
            known = [holder for holder in holders if holder]
            if guard:
                guard.variables += known
            else:
                self._note(command.line, name[:40], "commands are not run", *known)
        for item, file in files:
            if file is not None:
                self._write(file, content, item.operator == ">>", command, holders)

    def _output(
        self, name: str, words: list[Word], redirects: list[Redirect], user: str
    ) -> tuple[str | None, str] | None:
        """Return what cat or echo would print, or None and why; None alone for a command that is not known."""
        bodies = [item for item in redirects if item.operator in ("<<", "<<-", "<<<")]
        if name == "cat" and not words and bodies:
            return self._body(bodies[-1], user)
        if name == "cat" and words:
            texts = [self.files.get(self.expand(word, user)[0] or "") for word in words]
            known = [value.text for value in texts if value and value.text is not None]
            return ("".join(known), "") if len(known) == len(words) else None
        if name == "echo" and not (words and (literal(words[0]) or "").startswith("-")):
            found = [self.expand(word) for word in words]
            why = next((why for text, why in found if text is None), None)
            return (None, why) if why is not None else (" ".join(text or "" for text, empty in found) + "\n", "")
        return None

    def _body(self, redirect: Redirect, user: str) -> tuple[str | None, str]:
        if redirect.operator == "<<<":
            text, why = self.expand(redirect.target)
            return (None if text is None else text + "\n"), why
        return self.expand(redirect.body, user)

    def _write(
        self, file: str, content: tuple[str | None, str] | None, append: bool, command: Command, holders: list[str]
    ) -> None:
        text, why = content or (None, f"line {command.line}: a command that is not run")
        before = self.files.get(file, Value(""))
        if append and text is not None:
            text, why = (None, before.why) if before.text is None else (before.text + text, "")
            self._left -= len(text or "")
        if content and content[0] is None:
            self._note(command.line, why, "a command's output is known only at run time", *filter(None, holders))
        self.files[file] = Value(text, command.line, why)


_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_DECLARING = ("export", "declare", "typeset", "readonly", "local")


@dataclasses.dataclass
class Value:
    """A variable's or file's text, None where it cannot be known, with the reason; line: where it was last set."""

    text: str | None
    line: int = 0
    why: str = ""


@dataclasses.dataclass
class Statement:
    """Something that is not translated: its line, what it is, why not, and the variables it affects."""

    line: int
    what: str
    why: str
    variables: list[str] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as a module returns it."""
        return {**dataclasses.asdict(self), "what": mask_text(self.what), "variables": sorted(set(self.variables))}


def origin(word: Word) -> str:
    """Return the first piece of a word that cannot be understood, "" where all can."""
    return next((part.text[:80] for part in word if part.kind == BAD), "")


def assigned(words: list[Word]) -> list[tuple[str, bool, Word]] | None:
    """Return name, whether appended to, and value of each assignment; None where the words are another command."""
    declares = bool(words) and bare(words[0]) in _DECLARING
    found: list[tuple[str, bool, Word]] = []
    for word in words[1:] if declares else words:
        head = word[0]
        match = _ASSIGNMENT.match(head.text) if head.kind == TEXT and not head.quoted else None
        if match:
            found.append((match[1], bool(match[2]), (WordPart(TEXT, head.text[match.end() :]), *word[1:])))
        elif not declares:
            return None
    return found


def cut(text: str, kind: str, pattern: str) -> tuple[str | None, str]:
    """Return text without a prefix (#) or suffix (%): plain letters, with a * at one end at most."""
    plain = pattern.strip("*")
    if any(letter in plain for letter in "*?[\\"):
        return None, f"the pattern {pattern[:40]}"
    open_end = pattern.endswith("*") if kind[0] == "%" else pattern.startswith("*")
    if not open_end:
        return (text.removesuffix(plain) if kind[0] == "%" else text.removeprefix(plain)), ""
    if kind[0] == "%":
        at = text.find(plain) if len(kind) > 1 else text.rfind(plain)
        return (text[:at] if at >= 0 else text), ""
    at = text.rfind(plain) if len(kind) > 1 else text.find(plain)
    return (text[at + len(plain) :] if at >= 0 else text), ""
