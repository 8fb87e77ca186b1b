# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Elements of a page, written as XML, in which every text is escaped unless it is an element itself."""

from __future__ import annotations

import html
import re
import typing as t

# What XML cannot hold, and what turns the direction of the text around it.
UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


REPLACEMENT = "\ufffd"


VOID = ("meta", "br", "col", "rect", "path", "line", "circle", "use")


class Markup(str):
    """A text that is an element, or several."""

    __slots__ = ()


def escaped(value: t.Any) -> str:
    """Return a value as text that stands in an element or in an attribute."""
    return html.escape(UNFIT.sub(REPLACEMENT, str(value)))


def join(*children: t.Any) -> Markup:
    """Return elements and texts one after the other; None is left out."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escaped(child)
            for child in children
            if child is not None and child != ""
        )
    )


def tag(_name: str, *children: t.Any, **attributes: t.Any) -> Markup:
    """Return an element. An attribute's name may end in _ and have _ for -; None leaves an attribute out."""
    parts = [
        f'{name.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
        if value is not None
    ]
    head = " ".join([_name, *parts])
    return Markup(f"<{head}/>" if _name in VOID else f"<{head}>{join(*children)}</{_name}>")


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def clipped(text: t.Any, width: float, size: float = 13) -> str:
    """Return a text cut to a width in pixels at a font size; the end of a name tells most, so the middle goes."""
    text = UNFIT.sub(REPLACEMENT, str(text).replace("\n", " "))
    room = max(4, int(width / (size * 0.6)))
    if len(text) <= room:
        return text
    tail = room // 2
    return text[: room - tail - 1] + "\u2026" + text[len(text) - tail :]
