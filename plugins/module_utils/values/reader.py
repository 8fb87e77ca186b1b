# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values files read as Helm reads them, with the line and column of every key and value.

Works on libyaml's events rather than on a loader's objects: positions come with them, nothing recurses, and size,
depth and expanded aliases are bounded.
"""

from __future__ import annotations

import re
import typing as t

from ..base.files import read_regular
from ..base.findings import Finding, Mark, at_most, short
from ..base.plain_yaml import YAMLError
from .nodes import MAX_DEPTH, TEMPLATE_HINT, Builder, Refused, ValueNode

# A release's values are kept in a Secret of at most 1 MiB, so a larger file cannot be deployed.
MAX_BYTES = 1024 * 1024
_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)


def read_yaml(path: str, file: str) -> tuple[ValueNode | None, list[Finding]]:
    """Return load_yaml() of a file's content; file: its name in messages. Raises OSError where it cannot be read."""
    content, size = read_regular(path, MAX_BYTES + 1)
    return load_yaml(content, file, size)


def load_yaml(content: bytes, file: str, size: int = 0) -> tuple[ValueNode | None, list[Finding]]:
    """Return the map in a values file and what is wrong with the file; the map is None where it cannot be used.

    size: bytes of the whole file, where content is only its beginning.
    """
    try:
        builder = Builder(file)
        root = builder.build(_decoded(content, file, size))
        return root, at_most(builder.findings)
    except Refused as exc:
        return None, [exc.finding]
    except YAMLError as exc:
        return None, [_syntax_finding(exc, content, file)]


def documents(text: str) -> t.Iterator[str]:
    """Yield the documents of a YAML file, each below as many empty lines as stand before it."""
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(text)), len(text)]
    for begin, end in zip(starts, starts[1:], strict=False):
        if text[begin:end].strip():
            # Its own marker is left out, so that the reader sees one document.
            yield "\n" * text.count("\n", 0, begin) + _DOCUMENT.sub("", text[begin:end], count=1)


def from_plain(value: t.Any, mark: Mark) -> ValueNode:
    """Return plain values as nodes that all stand at one place."""
    if isinstance(value, dict):
        return ValueNode({str(key): from_plain(inner, mark) for key, inner in value.items()}, mark)
    if isinstance(value, (list, tuple)):
        return ValueNode([from_plain(inner, mark) for inner in value], mark)
    return ValueNode(value, mark)


def to_plain(node: ValueNode) -> t.Any:
    """Return the values of a node without their places."""
    if isinstance(node.value, dict):
        return {key: to_plain(inner) for key, inner in node.value.items()}
    if isinstance(node.value, list):
        return [to_plain(inner) for inner in node.value]
    return node.value


def _decoded(content: bytes, file: str, size: int) -> str:
    if len(content) > MAX_BYTES:
        message = f"the file has {max(size, len(content))} bytes, more than {MAX_BYTES}"
        raise Refused(Mark(file, 1, 1), message, "split it", "yaml-size")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        before = content[: exc.start]
        mark = Mark(file, before.count(b"\n") + 1, exc.start - (before.rfind(b"\n") + 1) + 1)
        hint = "save it as UTF-8; a values file is YAML text, not an archive or other binary file"
        message = f"the file is not UTF-8 text (byte 0x{content[exc.start]:02x})"
        raise Refused(mark, message, hint, "yaml-encoding") from exc


def _syntax_finding(exc: Exception, content: bytes, file: str) -> Finding:
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    if mark is None:  # a character that YAML does not allow
        position = getattr(exc, "position", 0)
        before = content.decode("utf-8-sig", "replace")[:position]
        place = Mark(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
        return Finding(
            place, "", ("the file contains a character that YAML does not allow"), "remove it", "yaml-encoding"
        )
    problem = str(getattr(exc, "problem", None) or exc)
    context = getattr(exc, "context", None)
    if problem.startswith("exceeded maximum nesting depth"):  # libyaml of PyYAML 6.0.4, before a node is made
        message = f"nested more than {MAX_DEPTH} levels deep"
        return Finding(Mark(file, mark.line + 1, mark.column + 1), "", message, "flatten it", "yaml-depth")
    lines = content.decode("utf-8-sig", "replace").splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    message = f"not valid YAML: {short(problem, 200)}" + (f" ({short(str(context), 200)})" if context else "")
    return Finding(Mark(file, mark.line + 1, mark.column + 1), "", message, _syntax_hint(line, problem), "yaml-syntax")


def _syntax_hint(line: str, problem: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())] or "cannot start any token" in problem and "\t" in line:
        return "indent with spaces: YAML allows no tabs there"
    if "{{" in line or "{%" in line:
        return TEMPLATE_HINT
    if "mapping values are not allowed" in problem:
        return 'check the indentation of this line and the one above, and quote text that holds ": "'
    if "undefined alias" in problem:
        return 'define the anchor first, or quote text that begins with "*"'
    return "check this line's indentation, quotes and brackets, and those of the lines above"
