# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The topology of a record as SVG: from left to right on a wide page, from top to bottom on a narrow one."""

from __future__ import annotations

import dataclasses

from ..report.markup import Markup, clipped, join, number, tag
from .topology import BAD, GOOD, WARN, TopologyNode

WIDE, NARROW = 1000, 328


PAD, TITLE, LINE = 10, 15, 16


# Between columns, between boxes of a column, and how far a narrow page goes in with each level.
GUTTER, GAP, INDENT = 44, 12, 14


# From here on a column is more than a screen.
TALL = 700


# By state: class, and the path of its sign in a circle of radius 7.
SIGNS = {
    GOOD: ("good", "M-3.2 0.2 L-0.8 2.6 L3.4 -2.4"),
    BAD: ("bad", "M-2.6 -2.6 L2.6 2.6 M2.6 -2.6 L-2.6 2.6"),
    WARN: ("warn", "M0 -3.6 L0 0.8 M0 3.2 L0 3.4"),
}


PLAIN = ("plain", "M-2.6 0 L2.6 0")


@dataclasses.dataclass
class Box:
    """A node with its place."""

    node: TopologyNode
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.y + self.height / 2


def drawing(root: TopologyNode, *, wide: bool) -> Markup:
    """Return the SVG of a topology."""
    boxes: list[Box] = []
    edges: list[Markup] = []
    if wide:
        _columns(root, 0, 2, boxes, edges)
    else:
        _rows(root, 0, 2, boxes, edges)
    height = max(box.y + box.height for box in boxes) + 2
    width, name = (WIDE, "topology-wide") if wide else (NARROW, "topology-narrow")
    title, desc = f"{name}-title", f"{name}-desc"
    return tag(
        "svg",
        tag("title", "Topology", id=title),
        tag("desc", described(root), id=desc),
        tag("g", *edges, class_="edges"),
        *[_box(box) for box in boxes],
        viewBox=f"0 0 {width} {number(height)}",
        class_="wide" if wide else "narrow",
        role="img",
        aria_labelledby=f"{title} {desc}",
    )


def described(node: TopologyNode) -> str:
    """Return a tree in words."""
    text = f"{node.kind} {node.title} ({node.state})"
    below = "; ".join(described(child) for child in node.children)
    return f"{text}, to {below}" if below else text


def _height(node: TopologyNode) -> float:
    return 2 * PAD + TITLE + 17 + LINE * len(node.lines)


def _columns(node: TopologyNode, level: int, top: float, boxes: list[Box], edges: list[Markup]) -> Box:
    """Place a node in its column, in the middle of its children, and return its box; children first."""
    width = (WIDE - 4 - 3 * GUTTER) / 4
    x, own, y = 2 + level * (width + GUTTER), _height(node), top
    children = []
    for child in node.children:
        box = _columns(child, level + 1, y, boxes, edges)
        children.append(box)
        y = max(_bottom(child, box, boxes), box.y + box.height) + GAP
    first, last = (children[0], children[-1]) if children else (None, None)
    place = (first.middle + last.middle) / 2 - own / 2 if first and last else top
    tall = first is not None and last is not None and last.middle - first.middle > TALL
    if first and tall:
        # In the middle of a long column nobody would find it.
        place = first.middle - own / 2
    box = Box(node, x, max(top, place), width, own)
    boxes.append(box)
    edges += [_edge_to(box, child, tall) for child in children]
    return box


def _bottom(node: TopologyNode, box: Box, boxes: list[Box]) -> float:
    """Return where a placed node and all below it end."""
    mine = {id(node)}
    todo = [node]
    while todo:
        for child in todo.pop().children:
            mine.add(id(child))
            todo.append(child)
    return max(one.y + one.height for one in boxes if id(one.node) in mine)


def _edge_to(box: Box, child: Box, straight: bool) -> Markup:
    """Return the line to a child: curved, or from a trunk that the many children of a tall column share."""
    x1, x2 = box.x + box.width, child.x
    half = (x1 + x2) / 2
    if straight:
        bend = f"M{number(x1)} {number(box.middle)} H{number(half)} V{number(child.middle)} H{number(x2 - 5)}"
        return tag("path", d=bend + _head(x2, child.middle), class_=_edge(child))
    points = [number(value) for value in (x1, box.middle, half, box.middle, half, child.middle, x2 - 5, child.middle)]
    bend = "M{} {} C{} {} {} {} {} {}".format(*points)
    return tag("path", d=bend + _head(x2, child.middle), class_=_edge(child))


def _head(x: float, y: float) -> str:
    return f" M{number(x - 9)} {number(y - 4)} l5 4 l-5 4"


def _rows(node: TopologyNode, level: int, top: float, boxes: list[Box], edges: list[Markup]) -> Box:
    """Place a node and below it, further in, its children."""
    x = 2 + level * INDENT
    box = Box(node, x, top, NARROW - 2 - x, _height(node))
    boxes.append(box)
    y = top + box.height + GAP
    for child in node.children:
        placed = _rows(child, level + 1, y, boxes, edges)
        bend = f"M{number(x + 6)} {number(box.y + box.height)} V{number(placed.y + 18)} H{number(placed.x - 1)}"
        edges.append(tag("path", d=bend, class_=_edge(placed)))
        y = max(one.y + one.height for one in boxes) + GAP
    return box


def _edge(child: Box) -> str:
    return "edge bad" if child.node.state == BAD else "edge"


def _box(box: Box) -> Markup:
    node, room = box.node, box.width - 2 * PAD
    style, sign = SIGNS.get(node.state, PLAIN)
    x, y = box.x + PAD, box.y + PAD
    rows = [tag("text", clipped(node.kind, room - 22, 11), x=number(x), y=number(y + 9), class_="kind")]
    rows.append(tag("text", clipped(node.title, room, 15.5), x=number(x), y=number(y + 28), class_="name"))
    for index, line in enumerate(node.lines):
        at = y + 28 + LINE * (index + 1)
        rows.append(tag("text", clipped(line, room, 12.5), x=number(x), y=number(at), class_="line"))
    where = f"translate({number(box.x + box.width - PAD - 7)} {number(box.y + PAD + 5)})"
    mark = tag("g", tag("circle", r="7.5"), tag("path", d=sign), class_=f"sign {style}", transform=where)
    frame = tag("rect", x=number(box.x), y=number(box.y), width=number(box.width), height=number(box.height), rx="8")
    told = tag("title", "\n".join([f"{node.kind} {node.title}: {node.state}", *node.lines]))
    return tag("g", told, frame, join(*rows), mark, class_=f"box {style}")
