# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The syntax tree of a Go template (text/template/parse/node.go), as far as reading .Values needs it."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Const:
    """A constant: text, number, boolean or nil."""

    value: t.Any


@dataclasses.dataclass(frozen=True)
class Name:
    """A function's name, a variable ("$", "$x") or the dot (".")."""

    name: str


@dataclasses.dataclass(frozen=True)
class FieldNode:
    """Fields of an operand: .Values.a of the dot, $x.b, (call).c."""

    base: Operand
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Pipe:
    """A pipeline: commands of operands, what they are assigned to, and whether that declares it (:=)."""

    commands: tuple[tuple[Operand, ...], ...]
    targets: tuple[str, ...]
    declares: bool
    line: int


Operand: t.TypeAlias = "Const | Name | FieldNode | Pipe"


@dataclasses.dataclass
class Text:
    """Text between actions, where it is not only white space."""

    text: str


@dataclasses.dataclass
class ActionNode:
    """{{ pipeline }}"""

    pipe: Pipe


@dataclasses.dataclass
class Block:
    """if, with or range: a pipeline, what it governs, and its else."""

    kind: str
    pipe: Pipe
    body: list[Node] = dataclasses.field(default_factory=list)
    orelse: list[Node] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Call:
    """{{ template "name" pipeline }}; the pipeline may be missing."""

    name: str
    pipe: Pipe | None
    line: int


Node: t.TypeAlias = "Text | ActionNode | Block | Call"


@dataclasses.dataclass
class TemplateFile:
    """A file's own nodes, and the templates that it defines: {name: nodes}."""

    file: str
    nodes: list[Node]
    defines: dict[str, list[Node]]
