# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Go templates read into a syntax tree: text/template's actions as Helm takes them (template/parse/lex.go, parse.go).

Nothing is evaluated here, and no text of a template is ever run.
"""

from __future__ import annotations

import ast
import bisect
import re
import typing as t

from .nodes import ActionNode, Block, Call, Const, FieldNode, Name, Node, Operand, Pipe, TemplateFile, Text

# Deeper parentheses and blocks than any real chart's; a limit, so that no input ends in a RecursionError.
MAX_DEPTH = 60
TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<end>-?\}\})|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)|(?P<char>'(?:[^'\\\n]|\\.)+')"""
    r"""|(?P<number>[-+]?(?:0[xXbBoO][0-9a-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+))"""
    r"""|(?P<field>\.[^\W\d]\w*)|(?P<dot>\.)|(?P<variable>\$\w*)|(?P<word>[^\W\d]\w*)|(?P<declare>:=)|(?P<sign>[=|(),])"""
)
OPEN = re.compile(r"\{\{(?:-(?=\s))?")
COMMENT = re.compile(r"\s*/\*")
COMMENT_END = re.compile(r"\s*-?\}\}")
CONSTANTS: dict[str, t.Any] = {"true": True, "false": False, "nil": None}


class TemplateError(Exception):
    """A template that cannot be read, with its line."""


class Token(t.NamedTuple):
    """kind: a group of TOKEN; spaced: whether white space stands before it."""

    kind: str
    text: str
    spaced: bool


def parse(text: str, file: str) -> TemplateFile:
    """Return a template file's tree; raise TemplateError where it is none."""
    return _Parser(text, file).run()


class _Parser:
    """Reads a file's actions in order, on an explicit stack of open blocks."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.starts = [match.start() for match in re.finditer("\n", text)]
        self.template = TemplateFile(file, [], {})
        self.here: list[Node] = self.template.nodes
        # (keyword, the list to go back to, the block or None)
        self.stack: list[tuple[str, list[Node], Block | None]] = []

    def run(self) -> TemplateFile:
        place = 0
        while (opened := OPEN.search(self.text, place)) is not None:
            self.add_text(self.text[place : opened.start()])
            comment = COMMENT.match(self.text, opened.end())
            place = self.comment(comment.end()) if comment else self.action(opened.end())
        self.add_text(self.text[place:])
        if self.stack:
            raise TemplateError(f"{self.file}: {self.stack[-1][0]} without end")
        return self.template

    def comment(self, start: int) -> int:
        closed = self.text.find("*/", start)
        end = COMMENT_END.match(self.text, closed + 2) if closed >= 0 else None
        if end is None:
            raise TemplateError(f"{self.file}:{self.line(start)}: a comment without end")
        return end.end()

    def add_text(self, text: str) -> None:
        if text.strip():
            self.here.append(Text(text.strip()))

    def line(self, offset: int) -> int:
        return bisect.bisect_left(self.starts, offset) + 1

    def action(self, start: int) -> int:
        tokens, end = self.tokens(start)
        line = self.line(start)
        if tokens:
            word = tokens[0].text if tokens[0].kind == "word" else ""
            try:
                if word in BLOCKS:
                    self.open_block(word, tokens[1:], line)
                elif word in KEYWORDS:
                    getattr(self, f"on_{word}")(tokens[1:], line)
                else:
                    self.here.append(ActionNode(_pipe(tokens, line)))
            except (IndexError, ValueError, SyntaxError) as exc:
                raise TemplateError(f"{self.file}:{line}: {exc}") from exc
        return end

    def tokens(self, place: int) -> tuple[list[Token], int]:
        found: list[Token] = []
        spaced = False
        while (match := TOKEN.match(self.text, place)) is not None:
            place = match.end()
            kind = str(match.lastgroup)
            if kind == "end":
                return found, place
            if kind == "space":
                spaced = True
                continue
            found.append(Token(kind, match.group(), spaced))
            spaced = False
        raise TemplateError(f"{self.file}:{self.line(place)}: unexpected {self.text[place : place + 10]!r}")

    def push(self, keyword: str, inner: list[Node], block: Block | None = None) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise TemplateError(f"{self.file}: blocks nested more than {MAX_DEPTH} deep")
        self.stack.append((keyword, self.here, block))
        self.here = inner

    def open_block(self, kind: str, tokens: list[Token], line: int) -> None:
        block = Block(kind, _pipe(tokens, line))
        self.here.append(block)
        self.push(kind, block.body, block)

    def on_else(self, tokens: list[Token], line: int) -> None:
        _keyword, _outer, block = self.stack[-1]
        if block is None:
            raise ValueError("else outside of a block")
        self.here = block.orelse
        if tokens:  # else if, else with: a block in the else that ends with the outer one
            inner = Block(tokens[0].text, _pipe(tokens[1:], line))
            self.here.append(inner)
            self.push("else", inner.body, inner)

    def on_end(self, _tokens: list[Token], _line: int) -> None:
        keyword = "else"
        while keyword == "else":
            keyword, self.here, _block = self.stack.pop()

    def on_define(self, tokens: list[Token], _line: int) -> None:
        nodes: list[Node] = []
        self.template.defines[_text(tokens[0])] = nodes
        self.push("define", nodes)

    def on_template(self, tokens: list[Token], line: int) -> None:
        pipe = _pipe(tokens[1:], line) if len(tokens) > 1 else None
        self.here.append(Call(_text(tokens[0]), pipe, line))

    def on_block(self, tokens: list[Token], line: int) -> None:
        self.on_template(tokens, line)
        self.on_define(tokens, line)

    def on_break(self, _tokens: list[Token], _line: int) -> None:
        """Leave out: what may run is read anyway."""

    on_continue = on_break


BLOCKS = ("if", "with", "range")
KEYWORDS = ("else", "end", "define", "template", "block", "break", "continue")


def _pipe(tokens: list[Token], line: int) -> Pipe:
    return _Pipeline(tokens, line).whole()


def _text(token: Token) -> str:
    if token.kind not in ("raw", "string"):
        raise ValueError(f"unexpected {token.text!r}, expected a name in quotes")
    if token.kind == "raw" or "\\" not in token.text:
        return token.text[1:-1]
    # Go's escapes are Python's, apart from rare ones that no chart needs to be told apart.
    return str(ast.literal_eval(token.text))


class _Pipeline:
    """Reads one action's tokens by recursive descent."""

    def __init__(self, tokens: list[Token], line: int) -> None:
        self.tokens, self.line, self.place, self.depth = tokens, line, 0, 0

    def peek(self, offset: int = 0) -> Token:
        place = self.place + offset
        return self.tokens[place] if place < len(self.tokens) else Token("", "", False)

    def whole(self) -> Pipe:
        pipe = self.pipe()
        if self.place != len(self.tokens):
            raise ValueError(f"unexpected {self.peek().text!r}")
        return pipe

    def pipe(self) -> Pipe:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError("parentheses nested too deep")
        targets, declares = self.targets()
        commands: list[tuple[Operand, ...]] = [self.command()]
        while self.peek().text == "|":
            self.place += 1
            commands.append(self.command())
        self.depth -= 1
        return Pipe(tuple(commands), targets, declares, self.line)

    def targets(self) -> tuple[tuple[str, ...], bool]:
        names: list[str] = []
        offset = 0
        while self.peek(offset).kind == "variable":
            names.append(self.peek(offset).text)
            offset += 1
            if self.peek(offset).text in (":=", "="):
                declares = self.peek(offset).text == ":="
                self.place += offset + 1
                return tuple(names), declares
            if self.peek(offset).text != ",":
                break
            offset += 1
        return (), False

    def command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while self.peek().text not in ("|", ")", ""):
            operands.append(self.operand())
        if not operands:
            raise ValueError("an empty command")
        return tuple(operands)

    def operand(self) -> Operand:
        base = self.term()
        names: list[str] = []
        while self.peek().kind == "field" and not self.peek().spaced:
            names.append(self.peek().text[1:])
            self.place += 1
        if isinstance(base, FieldNode):
            return FieldNode(base.base, (*base.names, *names))
        return FieldNode(base, tuple(names)) if names else base

    def term(self) -> Operand:
        token = self.peek()
        self.place += 1
        if token.kind == "field":
            return FieldNode(Name("."), (token.text[1:],))
        if token.kind in ("dot", "variable"):
            return Name(token.text)
        if token.kind in ("string", "raw"):
            return Const(_text(token))
        if token.kind in ("number", "char"):
            return Const(_number(token))
        if token.kind == "word":
            return Const(CONSTANTS[token.text]) if token.text in CONSTANTS else Name(token.text)
        if token.text == "(":
            inner = self.pipe()
            if self.peek().text != ")":
                raise ValueError("unclosed parenthesis")
            self.place += 1
            return inner
        raise ValueError(f"unexpected {token.text!r}")


def _number(token: Token) -> int | float:
    if token.kind == "char":
        return ord(str(ast.literal_eval(token.text))[:1] or "\0")
    text = token.text.replace("_", "")
    if re.fullmatch(r"[-+]?0\d+", text):  # octal to Go
        return int(text, 8)
    return float(text) if re.fullmatch(r"[-+]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE].*)", text) else int(text, 0)
