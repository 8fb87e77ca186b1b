# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The topology of a record as SVG: from left to right on a wide page, from top to bottom on a narrow one."""

from __future__ import annotations

import dataclasses

from ..report import lettering
from ..report.pages import html, number
from .topology import BAD, GOOD, WARN, TopologyNode

WIDE, NARROW = 1000, 328
# Of a box above its name, of each line of the name and of each line below; between columns, between boxes of a column,
# and how far a narrow page goes in with each level.
HEAD, NAME, LINE, GUTTER, GAP, INDENT = 33, 18, 16, 40, 12, 14
# Beside the text of a box, on both sides together.
SIDES = 20
# As the style has them.
NAME_SIZE, LINE_SIZE = 14.5, 12.5
# From here on a column is more than a screen.
TALL = 700
# By state: class, and the path of its sign in a circle of radius 7.
SIGNS = {
    GOOD: ("good", "M-3.2 0.2 L-0.8 2.6 L3.4 -2.4"),
    BAD: ("bad", "M-2.6 -2.6 L2.6 2.6 M2.6 -2.6 L-2.6 2.6"),
    WARN: ("warn", "M0 -3.6 L0 0.8 M0 3.2 L0 3.4"),
}
PLAIN = ("plain", "M-2.6 0 L2.6 0")

SVG = """\
{% set name = "topology-" ~ form ~ part %}
<svg viewBox="0 0 {{ width }} {{ height|number }}" class="{{ form }}" role="img"
 aria-labelledby="{{ name }}-title {{ name }}-desc">
<title id="{{ name }}-title">Topology</title>
<desc id="{{ name }}-desc">{{ described }}</desc>
<g class="edges">
{% for path, child in edges %}
<path d="{{ path }}" class="edge{% if child.node.state == bad %} bad{% endif %}"/>
{% endfor %}
</g>
{% for box in boxes %}
{% set node = box.node %}
{% set style, sign = signs.get(node.state, plain) %}
<g class="box {{ style }}" transform="translate({{ box.x|number }} {{ box.y|number }})">
<title>{{ ([node.kind ~ " " ~ node.title ~ ": " ~ node.state] + node.lines)|join("\n") }}</title>
<rect width="{{ box.width|number }}" height="{{ box.height|number }}" rx="8"/>
<text x="10" y="19" class="kind">{{ node.kind }}</text>
{% for line in box.names %}
<text x="10" y="{{ 20 + 18 * loop.index }}" class="name">{{ line }}</text>
{% endfor %}
{% for line in box.lines %}
<text x="10" y="{{ 20 + 18 * box.names|length + 16 * loop.index }}" class="line">{{ line }}</text>
{% endfor %}
<g class="sign {{ style }}" transform="translate({{ (box.width - 17)|number }} 15)">
<circle r="7.5"/><path d="{{ sign }}"/>
</g>
</g>
{% endfor %}
</svg>
"""


@dataclasses.dataclass
class Box:
    """A node with its place. names, lines: its texts, as they fit."""

    node: TopologyNode
    x: float
    y: float
    width: float
    names: list[str] = dataclasses.field(init=False)
    lines: list[str] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        room = self.width - SIDES
        self.names = lettering.lines(self.node.title, room, NAME_SIZE, bold=True)
        self.lines = [part for line in self.node.lines for part in lettering.lines(line, room, LINE_SIZE)]

    @property
    def height(self) -> float:
        """Return the height that its texts need."""
        return HEAD + NAME * (len(self.names) - 1) + LINE * len(self.lines) + NAME

    @property
    def middle(self) -> float:
        """Return the height of its middle."""
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        """Return where it ends."""
        return self.y + self.height


# The path of a line, and the box to which it leads.
Edge = tuple[str, Box]


def drawing(root: TopologyNode, form: str, part: str = "") -> str:
    """Return the SVG of a topology. form: wide or narrow; part: tells apart the drawings of one page."""
    boxes: list[Box] = []
    edges: list[Edge] = []
    width, place = (WIDE, _columns) if form == "wide" else (NARROW, _rows)
    place(root, 0, 2, boxes, edges)
    height = max(box.bottom for box in boxes) + 2
    shown = {"form": form, "part": part, "width": width, "height": height, "described": described(root)}
    return html("topology.svg", SVG, **shown, boxes=boxes, edges=edges, signs=SIGNS, plain=PLAIN, bad=BAD)


def described(node: TopologyNode) -> str:
    """Return a tree in words."""
    text = f"{node.kind} {node.title} ({node.state})"
    below = "; ".join(described(child) for child in node.children)
    return f"{text}, to {below}" if below else text


def _columns(node: TopologyNode, level: int, top: float, boxes: list[Box], edges: list[Edge]) -> Box:
    """Place a node in its column, in the middle of its children, and return its box; children first."""
    width = (WIDE - 4 - 3 * GUTTER) / 4
    first, children, y = len(boxes), [], top
    for child in node.children:
        children.append(_columns(child, level + 1, y, boxes, edges))
        y = max(box.bottom for box in boxes[first:]) + GAP
    box = Box(node, 2 + level * (width + GUTTER), top, width)
    tall = bool(children) and children[-1].middle - children[0].middle > TALL
    if children:
        # In the middle of a long column nobody would find it.
        middle = children[0].middle if tall else (children[0].middle + children[-1].middle) / 2
        box.y = max(top, middle - box.height / 2)
    boxes.append(box)
    edges += [(_edge(box, child, tall), child) for child in children]
    return box


def _edge(box: Box, child: Box, straight: bool) -> str:
    """Return the line to a child: curved, or from a trunk that the many children of a tall column share."""
    start, half, end = box.x + box.width, (box.x + box.width + child.x) / 2, child.x - 5
    x1, x, x2, y1, y2 = (number(value) for value in (start, half, end, box.middle, child.middle))
    bend = f"H{x} V{y2} H{x2}" if straight else f"C{x} {y1} {x} {y2} {x2} {y2}"
    return f"M{x1} {y1} {bend} M{number(end - 4)} {number(child.middle - 4)} l5 4 l-5 4"


def _rows(node: TopologyNode, level: int, top: float, boxes: list[Box], edges: list[Edge]) -> Box:
    """Place a node and below it, further in, its children."""
    x = 2 + level * INDENT
    box = Box(node, x, top, NARROW - 2 - x)
    boxes.append(box)
    for child in node.children:
        placed = _rows(child, level + 1, boxes[-1].bottom + GAP, boxes, edges)
        path = f"M{number(x + 6)} {number(box.bottom)} V{number(placed.y + 18)} H{number(placed.x - 1)}"
        edges.append((path, placed))
    return box
