# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How much room a text takes in a drawing, whatever the font that a reader has; texts are broken, not cut.

SVG breaks no lines, and a page that needs nothing else cannot bring its font along. So the widths are those of a wide
one, DejaVu Sans Bold, which is as wide as Verdana: in others there is some room left.
"""

from __future__ import annotations

import re
import typing as t

from .pages import fit

# Hundredths of the font's size, rounded up.
_WIDTHS = {
    character: width
    for width, characters in {
        38: " ',./:;IJ\\ijl|",
        48: "!()-[]_`frt",
        60: '"*?csz',
        70: "0123456789$EFLTaekovxy",
        78: "ABCKPRSVXYZbdghnpqu{}",
        90: "#&+<=>DGHNOQU^~",
        102: "%@Mw",
        112: "Wm",
    }.items()
    for character in characters
}
_OTHER = 105
# Letters that are not bold are narrower; and some room for what a browser adds.
_BOLD, _REGULAR = 1.04, 0.98
# After these a line may end.
_PIECES = re.compile(r"[^\s\-./:,_@=]*(?:[\-./:,_@=]+|\s+|$)")
ELLIPSIS = "\u2026"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the pixels that a text takes at most."""
    return sum(_WIDTHS.get(one, _OTHER) for one in text) / 100 * size * (_BOLD if bold else _REGULAR)


def lines(text: t.Any, room: float, size: float, *, bold: bool = False, most: int = 3) -> list[str]:
    """Return a text in lines that fit into so many pixels; of what needs more lines the middle is left out."""
    found, line = [], ""
    for piece in _PIECES.findall(" ".join(fit(text).split())):
        for part in _parts(piece, room, size, bold):
            if line and width((line + part).rstrip(), size, bold=bold) > room:
                found.append(line.rstrip())
                line = ""
            line += part
    found = [*found, line.rstrip()] if line.strip() or not found else found
    if len(found) > most:
        found = [*found[: most - 2], f"{found[most - 2][:-1]}{ELLIPSIS}", found[-1]]
    return found


def _parts(piece: str, room: float, size: float, bold: bool) -> t.Iterator[str]:
    """Yield what nowhere may be broken in parts that fit all the same."""
    while piece and width(piece.rstrip(), size, bold=bold) > room:
        end = next((at for at in range(1, len(piece)) if width(piece[: at + 1], size, bold=bold) > room), 1)
        yield piece[:end]
        piece = piece[end:]
    if piece:
        yield piece
