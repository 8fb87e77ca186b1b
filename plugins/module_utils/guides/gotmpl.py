# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Templates of a helmfile evaluated as far as guides use them: conditions, variables, names, and YAML set in.

Nothing is executed: of the environment only what is given is known, and functions that read or run something are
refused with their line.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ..base.data import dig

MAX_DEPTH = 40
_ACTION = re.compile(
    r"\{\{(?P<left>-\s)?(?P<text>(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[^{}\"`]|\{(?!\{)|\}(?!\}))*?)(?P<right>\s-)?\}\}"
)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|`[^`]*`)|(?P<number>-?\d+)|(?P<field>\$?\w*(?:\.\w+)+|\.)|(?P<variable>\$\w*)"
    r"|(?P<word>\w+)|(?P<sign>:=|=|\||\(|\)))"
)


class TemplateProblem(Exception):
    """What cannot be evaluated; line: of the template."""

    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(f"line {line}: {message}")


@dataclasses.dataclass
class TemplateScope:
    """data: what the dot is; environment: variables that env finds; asked: those that it was asked for, with lines."""

    data: dict[str, t.Any]
    environment: t.Mapping[str, str]
    asked: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    names: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    refused: list[tuple[int, str]] = dataclasses.field(default_factory=list)


def render(text: str, scope: TemplateScope) -> str:
    """Return a template's text; raise TemplateProblem where it cannot be told."""
    # Of each open if: whether what stands here is shown, and whether a branch was.
    stack: list[list[bool]] = []
    shown, at, found = True, 0, ""
    for match in _ACTION.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        before = text[at : match.start()]
        found += (before.rstrip() if match["left"] else before) if shown else ""
        at = match.end()
        if match["right"]:
            at += len(text[at:]) - len(text[at:].lstrip())
        inner = match["text"].strip()
        word, _blank, rest = inner.partition(" ")
        if inner.startswith("/*"):
            continue
        if word == "if":
            if len(stack) >= MAX_DEPTH:
                raise TemplateProblem(line, "conditions are nested too deeply")
            holds = shown and _truth(_pipeline(rest, scope, line))
            stack.append([shown, holds])
            shown = holds
        elif word == "else":
            if not stack:
                raise TemplateProblem(line, "else without if")
            outer, taken = stack[-1]
            test = rest.strip().removeprefix("if ") if rest.strip() else ""
            shown = outer and not taken and (not test or _truth(_pipeline(test, scope, line)))
            stack[-1][1] = taken or shown
        elif word == "end":
            if not stack:
                raise TemplateProblem(line, "end without if")
            shown = stack.pop()[0]
        elif word in ("range", "with", "define", "template", "block", "include"):
            raise TemplateProblem(line, f"{word} is not read")
        elif shown:
            found += _evaluated(inner, scope, line)
    if stack:
        raise TemplateProblem(text.count("\n") + 1, "if without end")
    rest = text[at:]
    if "{{" in rest and shown:
        raise TemplateProblem(text.count("\n", 0, at + rest.index("{{")) + 1, "{{ is not closed")
    return found + (rest if shown else "")


def _evaluated(inner: str, scope: TemplateScope, line: int) -> str:
    match = re.match(r"\$(\w+)\s*:?=\s*", inner)
    if match:
        scope.names[match[1]] = _pipeline(inner[match.end() :], scope, line)
        return ""
    return _text(_pipeline(inner, scope, line))


def _pipeline(text: str, scope: TemplateScope, line: int) -> t.Any:
    tokens = _tokens(text, line)
    value, rest = _piped(tokens, scope, line, 0)
    if rest:
        raise TemplateProblem(line, f"{text!r} cannot be read")
    return value


def _tokens(text: str, line: int) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise TemplateProblem(line, f"{text!r} cannot be read")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


_NOTHING = object()


def _piped(
    tokens: list[tuple[str, str]], scope: TemplateScope, line: int, depth: int
) -> tuple[t.Any, list[tuple[str, str]]]:
    """Return the value of commands joined by |, and the tokens after them."""
    if depth > MAX_DEPTH:
        raise TemplateProblem(line, "parentheses are nested too deeply")
    value: t.Any = _NOTHING
    while True:
        words: list[t.Any] = []
        name = ""
        while tokens and tokens[0][0:2] not in (("sign", "|"), ("sign", ")")):
            kind, text = tokens[0]
            tokens = tokens[1:]
            if (kind, text) == ("sign", "("):
                inner, tokens = _piped(tokens, scope, line, depth + 1)
                if tokens[:1] != [("sign", ")")]:
                    raise TemplateProblem(line, "a parenthesis is not closed")
                tokens = tokens[1:]
                words.append(inner)
            elif kind == "word" and not words and not name and text not in ("true", "false", "nil"):
                name = text
            else:
                words.append(_operand(kind, text, scope, line))
        if value is not _NOTHING:
            words.append(value)
        if name:
            value = _call(name, words, scope, line)
        elif len(words) == 1:
            value = words[0]
        else:
            raise TemplateProblem(line, "a command of several values cannot be read")
        if tokens[:1] == [("sign", "|")]:
            tokens = tokens[1:]
            continue
        return value, tokens


def _operand(kind: str, text: str, scope: TemplateScope, line: int) -> t.Any:
    if kind == "string":
        try:
            return text[1:-1] if text[0] == "`" else json.loads(text)
        except ValueError as exc:
            raise TemplateProblem(line, f"the text {text} cannot be read") from exc
    if kind == "number":
        return int(text)
    if kind == "variable":
        if text[1:] not in scope.names:
            raise TemplateProblem(line, f"{text} is not set")
        return scope.names[text[1:]]
    if kind == "field":
        first, _dot, path = text.partition(".")
        base = scope.names.get(first[1:]) if first.startswith("$") and first[1:] else scope.data
        return dig(base, path.split("."), None) if path else base
    if kind == "word" and text in ("true", "false", "nil"):
        return {"true": True, "false": False}.get(text)
    raise TemplateProblem(line, f"{text!r} cannot be read")


def _call(name: str, words: list[t.Any], scope: TemplateScope, line: int) -> t.Any:
    if name in ("env", "requiredEnv"):
        variable = _text(words[0]) if words else ""
        scope.asked.append((variable, line))
        value = scope.environment.get(variable, "")
        if name == "requiredEnv" and not value:
            raise TemplateProblem(line, f"the variable {variable} is needed")
        return value
    if name in ("readFile", "exec", "fetchSecretValue", "tpl", "readDir", "fileContent"):
        scope.refused.append((line, f"{name} {' '.join(_text(word) for word in words)}"))
        return ""
    function = _FUNCTIONS.get(name)
    if function is None:
        raise TemplateProblem(line, f"the function {name} is not known")
    try:
        return function(*words)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as exc:
        raise TemplateProblem(line, f"{name}: {exc}") from exc


def _truth(value: t.Any) -> bool:
    return bool(value)


def _text(value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _indent(size: int, text: str) -> str:
    return "\n".join(" " * int(size) + line for line in _text(text).split("\n"))


def _printf(form: str, *values: t.Any) -> str:
    left = list(values)
    return re.sub(r"%[sdvq%]", lambda match: "%" if match[0] == "%%" else _text(left.pop(0)), form)


def _default(value: t.Any, given: t.Any = None) -> t.Any:
    return given if given not in (None, "", 0, False, [], {}) else value


_FUNCTIONS: dict[str, t.Callable[..., t.Any]] = {
    "default": _default,
    "printf": _printf,
    "quote": lambda value: json.dumps(_text(value)),
    "squote": lambda value: "'" + _text(value).replace("'", "''") + "'",
    "eq": lambda first, *others: any(first == other for other in others),
    "ne": lambda first, second: first != second,
    "not": lambda value: not value,
    "or": lambda *values: next((value for value in values if value), values[-1]),
    "and": lambda *values: next((value for value in values if not value), values[-1]),
    # JSON is YAML, and needs no indentation.
    "toYaml": json.dumps,
    "toJson": json.dumps,
    "indent": _indent,
    "nindent": lambda size, text: "\n" + _indent(size, text),
    "lower": lambda text: _text(text).lower(),
    "upper": lambda text: _text(text).upper(),
    "trim": lambda text: _text(text).strip(),
    "trimSuffix": lambda end, text: _text(text).removesuffix(end),
    "trimPrefix": lambda begin, text: _text(text).removeprefix(begin),
    "replace": lambda old, new, text: _text(text).replace(old, new),
    "contains": lambda part, text: part in _text(text),
    "hasPrefix": lambda begin, text: _text(text).startswith(begin),
    "hasSuffix": lambda end, text: _text(text).endswith(end),
    "hasKey": lambda content, key: isinstance(content, dict) and key in content,
    "get": lambda key, content: dig(content, str(key).split("."), None),
    "list": lambda *values: list(values),
    "has": lambda value, values: value in values,
    "ternary": lambda yes, no, test: yes if test else no,
    "coalesce": lambda *values: next((value for value in values if value), None),
    "len": len,
    "toString": _text,
}
