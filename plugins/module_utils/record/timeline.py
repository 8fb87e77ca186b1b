# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The timeline of a record as SVG: phases, then a lane for each release or object; what overlaps ran in parallel."""

from __future__ import annotations

import math

from ..base.data import Object
from ..report.markup import Markup, clipped, number, tag

WIDE, NARROW = 1000, 328


LABELS = 270


BAR, LANE, LANE_NARROW, TOP = 14, 24, 36, 26


STEPS_OF_TICKS = (1, 2, 5, 10)


# The phase of each component's steps; what is not named here is deployed.
PHASES = {"prepare": "preparing", "httproute": "routing", "verify": "verify"}


ORDER = ("planning", "preparing", "deploying", "routing", "verify")


# Steps that wait are drawn lighter than those that work.
WAITING = ("ready", "accepted", "gone", "wait")


def end_of(step: Object, total: float) -> float:
    """Return when a step ended; one that runs still is drawn to the end."""
    return total if step["end"] is None else step["end"]


def phases(steps: list[Object], total: float) -> list[tuple[str, float, float]]:
    """Return (phase, begin, end) in seconds; planning is what came before the first step."""
    found: dict[str, tuple[float, float]] = {}
    for step in steps:
        name = PHASES.get(step["component"], "deploying")
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


def ticks(total: float, room: float) -> list[float]:
    """Return round times, not closer than some 70 pixels."""
    rough = max(total, 0.1) / max(2.0, room / 70)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in STEPS_OF_TICKS if power * factor >= rough * 0.999)
    return [round(step * index, 6) for index in range(int(max(total, 0.1) / step) + 1)]


def drawing(record: Object, *, wide: bool) -> Markup:
    """Return the SVG of a record's steps."""
    steps, total = record["steps"], float(record["seconds"])
    total = max([total, 0.1, *(end_of(step, total) for step in steps)])
    chart = _Chart(total, wide)
    name = "timeline-wide" if wide else "timeline-narrow"
    title, desc = f"{name}-title", f"{name}-desc"
    rows = [chart.phase(*phase) for phase in phases(steps, total)]
    chart.y += 6
    rows += [chart.lane(label, parts) for label, parts in lanes(steps)]
    return tag(
        "svg",
        tag("title", "Timeline", id=title),
        tag("desc", described(steps, total), id=desc),
        chart.grid(),
        *rows,
        viewBox=f"0 0 {chart.width} {number(chart.y + 4)}",
        class_="wide" if wide else "narrow",
        role="img",
        aria_labelledby=f"{title} {desc}",
    )


def described(steps: list[Object], total: float) -> str:
    """Return the phases and what failed in words."""
    told = [f"{name} {begin:.1f} to {end:.1f} s" for name, begin, end in phases(steps, total)]
    bad = [f"{label} failed" for label, rows in lanes(steps) if any(row["status"] == "failed" for row in rows)]
    return "; ".join([*told, *bad])


class _Chart:
    """Places rows from top to bottom. Labels stand left of the bars on a wide page, above them on a narrow one."""

    def __init__(self, total: float, wide: bool) -> None:
        self.total, self.wide = total, wide
        self.width = WIDE if wide else NARROW
        self.left = LABELS if wide else 2
        # Room for the seconds behind the last bar.
        self.room = self.width - self.left - (64 if wide else 4)
        self.y: float = TOP

    def x(self, seconds: float) -> float:
        """Return where a time is."""
        return self.left + self.room * min(max(seconds / self.total, 0.0), 1.0)

    def grid(self) -> Markup:
        """Return the lines of round times; as tall as the page, so that the rows are drawn over them."""
        rows = []
        for value in ticks(self.total, self.room):
            at = number(self.x(value))
            rows.append(tag("line", x1=at, x2=at, y1=str(TOP - 8), y2="100%"))
            place = "start" if value == 0 else "end" if self.x(value) > self.width - 30 else "middle"
            rows.append(tag("text", f"{value:g} s", x=at, y="12", text_anchor=place))
        return tag("g", *rows, class_="grid")

    def _row(self, label: str, told: str, bars: list[Markup], end: float, style: str) -> Markup:
        height = LANE if self.wide else LANE_NARROW
        base = self.y + 12 if self.wide else self.y + 11
        name = tag("text", clipped(label, (LABELS - 12) if self.wide else 250, 12.5), x="2", y=number(base))
        at, anchor = (self.x(end) + 6, "start") if self.wide else (self.width - 2, "end")
        seconds = tag("text", told, x=number(at), y=number(base), text_anchor=anchor, class_="seconds")
        self.y += height
        return tag("g", tag("title", f"{label}: {told}"), name, *bars, seconds, class_=f"lane {style}")

    def _bar(self, begin: float, end: float, style: str, told: str) -> Markup:
        top = self.y + 1 if self.wide else self.y + 16
        x, width = self.x(begin), max(2.5, self.x(end) - self.x(begin))
        x = min(x, self.width - width)
        rect = tag("rect", x=number(x), y=number(top), width=number(width), height=str(BAR), rx="3")
        cross = None
        if "failed" in style:
            middle, center = number(top + BAR / 2), number(max(x + width - 8, x + width / 2))
            cross = tag("path", d=f"M{center} {middle} m-3.5 -3.5 l7 7 m0 -7 l-7 7", class_="cross")
        return tag("g", tag("title", told), rect, cross, class_=f"bar {style}")

    def phase(self, name: str, begin: float, end: float) -> Markup:
        """Return the row of a phase."""
        told = f"{end - begin:.1f} s"
        whole = self._bar(begin, end, "phase", f"{name}: {begin:.1f} to {end:.1f} s")
        return self._row(name, told, [whole], end, "phases")

    def lane(self, label: str, steps: list[Object]) -> Markup:
        """Return the row of a release or object."""
        end = max(end_of(step, self.total) for step in steps)
        bars = [self._step(step) for step in steps]
        failed = any(step["status"] == "failed" for step in steps)
        spent = end - min(step["begin"] for step in steps)
        told = f"{spent:.1f} s" + (", failed" if failed and not self.wide else "")
        return self._row(label, told, bars, end, "failed" if failed else "")

    def _step(self, step: Object) -> Markup:
        end = end_of(step, self.total)
        style = "wait" if step["step"] in WAITING else "work"
        style = "probe" if step["component"] == "verify" else style
        style += " failed" if step["status"] == "failed" else " open" if step["end"] is None else ""
        told = f"{step['step']}: {step['begin']:.1f} to {end:.1f} s, {step['status']}"
        return self._bar(step["begin"], end, style, f"{told}\n{step['detail']}" if step.get("detail") else told)
