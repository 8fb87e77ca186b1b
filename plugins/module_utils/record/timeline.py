# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The timeline of a record as SVG: phases, then a lane for each release or object; what overlaps ran in parallel."""

from __future__ import annotations

import math
import types

from ..base.data import Object
from ..components.base import DEPLOYING, PREPARING, ROUTING
from ..components.registry import COMPONENTS
from ..report import lettering
from ..report.pages import html

VERIFY = "verify"
# The phase of each component's steps; those of a component that is no more were deployed.
PHASES = {VERIFY: VERIFY, **{name: component.phase for name, component in COMPONENTS.items()}}
ORDER = ("planning", PREPARING, DEPLOYING, ROUTING, VERIFY)
# Steps that wait are drawn lighter than those that work.
WAITING = ("ready", "accepted", "gone", "wait")
# Characters of a bar that is text.
BARS = 40
# Labels stand left of the bars on a wide page, above them on a narrow one; seconds behind the bars, or at the right.
# left, room: where bars are; label: the room for a label; lane: a row's height with one line of text, and where it is.
FORMS = {
    "wide": types.SimpleNamespace(width=1000, left=330, room=590, label=318, lane=24, text=12),
    "narrow": types.SimpleNamespace(width=328, left=2, room=322, label=236, lane=36, text=11),
}
# Of a further line of a label, as the style's font has it.
LINE, SIZE = 15, 12.5

# Bars have a width of 2.5 at least, and stay inside.
SVG = """\
{% set name, wide = "timeline-" ~ form, form == "wide" %}
<svg viewBox="0 0 {{ place.width }} {{ height }}" class="{{ form }}" role="img"
 aria-labelledby="{{ name }}-title {{ name }}-desc">
<title id="{{ name }}-title">Timeline</title>
<desc id="{{ name }}-desc">{{ described }}</desc>
<g class="grid">
{% for time in ticks %}
{% set x = place.left + time * scale %}
<line x1="{{ x|number }}" x2="{{ x|number }}" y1="18" y2="{{ height }}"/>
{% set anchor = "start" if not time else "end" if x > place.width - 30 else "middle" %}
<text x="{{ x|number }}" y="12" text-anchor="{{ anchor }}">{{ "%g s"|format(time) }}</text>
{% endfor %}
</g>
{% for lane in rows %}
{% set failed = lane.kind == "failed" and not wide %}
{% set told = "%.1f s"|format(lane.end - lane.begin) ~ (", failed" if failed else "") %}
<g class="lane {{ lane.kind }}" transform="translate(0 {{ lane.top }})">
<title>{{ lane.label }}: {{ told }}</title>
{% for line in lane.lines %}
<text x="2" y="{{ place.text + 15 * loop.index0 }}">{{ line }}</text>
{% endfor %}
{% for begin, end, style, told in lane.bars %}
{% set width = [2.5, (end - begin) * scale]|max %}
{% set x = [place.left + begin * scale, place.width - width]|min %}
<g class="bar {{ style }}">
<title>{{ told }}</title>
<rect x="{{ x|number }}" y="{{ lane.bar }}" width="{{ width|number }}" height="14" rx="3"/>
{% if "failed" in style %}
<path d="M{{ (x + [width - 8, width / 2]|max)|number }} {{ lane.bar + 7 }} m-3.5 -3.5 l7 7 m0 -7 l-7 7" class="cross"/>
{% endif %}
</g>
{% endfor %}
<text x="{{ (place.left + lane.end * scale + 6 if wide else 326)|number }}" y="{{ place.text }}"
 text-anchor="{{ "start" if wide else "end" }}" class="seconds">{{ told }}</text>
</g>
{% endfor %}
</svg>
"""


def end_of(step: Object, total: float) -> float:
    """Return when a step ended; one that runs still is drawn to the end."""
    return total if step["end"] is None else step["end"]


def phases(steps: list[Object], total: float) -> list[tuple[str, float, float]]:
    """Return (phase, begin, end) in seconds; planning is what came before the first step."""
    found: dict[str, tuple[float, float]] = {}
    for step in steps:
        name = PHASES.get(step["component"], DEPLOYING)
        begin, end = found.get(name, (step["begin"], 0.0))
        found[name] = (min(begin, step["begin"]), max(end, end_of(step, total)))
    first = min((begin for begin, _end in found.values()), default=total)
    found["planning"] = (0.0, first)
    return [(name, *found[name]) for name in ORDER if name in found]


def lanes(steps: list[Object]) -> list[tuple[str, list[Object]]]:
    """Return (label, steps) of each release or object, in the order in which they began."""
    found: dict[tuple[str, str], list[Object]] = {}
    for step in sorted(steps, key=lambda step: step["begin"]):
        found.setdefault((step["component"], step["name"]), []).append(step)
    return [(" ".join(dict.fromkeys(part for part in key if part)), rows) for key, rows in found.items()]


def has_failed(steps: list[Object]) -> bool:
    """Return whether any step failed."""
    return any(step["status"] == "failed" for step in steps)


def ticks(total: float, room: float) -> list[float]:
    """Return round times, not closer than some 70 pixels."""
    rough = max(total, 0.1) / max(2.0, room / 70)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [round(step * index, 6) for index in range(int(max(total, 0.1) / step) + 1)]


def bars(steps: list[Object], total: float) -> list[str]:
    """Return one text line for each component and name: a bar from its first begin to its last end."""
    rows = lanes(steps)
    width, scale = max((len(label) for label, _parts in rows), default=0), BARS / max(total, 0.001)
    lines = []
    for label, parts in rows:
        begin, end = parts[0]["begin"], max(end_of(step, total) for step in parts)
        left = min(int(begin * scale), BARS - 1)
        length = max(1, min(round((end - begin) * scale), BARS - left))
        drawn = " " * left + ("!" if has_failed(parts) else "#") * length
        lines.append(f"{label:<{width}} |{drawn:<{BARS}}| {begin:7.1f} s to {end:7.1f} s")
    return lines


def drawing(record: Object, form: str) -> str:
    """Return the SVG of a record's steps. form: wide or narrow."""
    steps, total, place = record["steps"], record["seconds"], FORMS[form]
    total = max([total, 0.1, *(end_of(step, total) for step in steps)])
    spans = phases(steps, total)
    rows = [
        types.SimpleNamespace(label=name, kind="phases", begin=begin, end=end,
                              bars=[(begin, end, "phase", f"{name}: {begin:.1f} to {end:.1f} s")])
        for name, begin, end in spans
    ]  # fmt: skip
    for label, parts in lanes(steps):
        drawn = [_bar(step, total) for step in parts]
        kind = "failed" if has_failed(parts) else ""
        ends = {"begin": drawn[0][0], "end": max(step[1] for step in drawn)}
        rows.append(types.SimpleNamespace(label=label, kind=kind, bars=drawn, **ends))
    told = [f"{name} {begin:.1f} to {end:.1f} s" for name, begin, end in spans]
    told += [f"{label} failed" for label, parts in lanes(steps) if has_failed(parts)]
    height = _stack(rows, place, form)
    return html("timeline.svg", SVG, form=form, place=place, rows=rows, height=height, scale=place.room / total,
                ticks=ticks(total, place.room), described="; ".join(told))  # fmt: skip


def _stack(rows: list[types.SimpleNamespace], place: types.SimpleNamespace, form: str) -> int:
    """Give each lane its lines of text, its top and the height of its bars; return the drawing's height."""
    top = 26
    for lane in rows:
        lane.lines = lettering.lines(lane.label, place.label, SIZE, bold=lane.kind == "phases")
        more = LINE * (len(lane.lines) - 1)
        lane.top = top + (0 if lane.kind == "phases" else 6)
        lane.bar = 1 if form == "wide" else 16 + more
        top += place.lane + more
    return top + 10


# (begin, end, style, what is told of it)
Bar = tuple[float, float, str, str]


def _bar(step: Object, total: float) -> Bar:
    style = "probe" if step["component"] == VERIFY else "wait" if step["step"] in WAITING else "work"
    style += " failed" if step["status"] == "failed" else " open" if step["end"] is None else ""
    told = f"{step['step']}: {step['begin']:.1f} to {end_of(step, total):.1f} s, {step['status']}"
    told += f"\n{step['detail']}" if step.get("detail") else ""
    return step["begin"], end_of(step, total), style, told
