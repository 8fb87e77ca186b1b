# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The progress lines of a deployment: which phase began when, what is being waited for, what failed, how it ended."""

from __future__ import annotations

import dataclasses
import textwrap
import time
import typing as t

from ..base.errors import told
from ..base.words import plural

PHASES = {
    "planning": "reading the inputs, checking all values and the cluster",
    "validation": "no mistakes; acquiring the lock of the namespace",
    "deploying": "installing all components at once",
    "routing": "sending a completion to each model",
    "complete": "",
}
# Their steps are not waited for.
AT_ONCE = ("verify",)
INTERVAL = 5.0
WIDTH = 13
MESSAGE_LIMIT = 400
NAME_WIDTH = 24
# Of more hosts than these the end is not told one by one: the fleet's table has them.
FEW = 4
Event = dict[str, t.Any]


@dataclasses.dataclass
class HostState:
    """What was seen of one host (a cluster)."""

    phase: str = ""
    failed_in: str = ""
    failures: list[str] = dataclasses.field(default_factory=list)
    told: float = 0.0
    probe: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    record: str = ""
    plan: list[str] = dataclasses.field(default_factory=list)


def clock_text(seconds: float) -> str:
    """Return a duration as 4.2s, 1m05s or 1h02m."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def headline(message: str) -> str:
    """Return a message's first line; all of it stands at the end of the screen."""
    return told(message)[0] or "no message"


def waiting_text(events: list[Event], now: float, parse: t.Callable[[str], float]) -> str:
    """Return which components are done and which are still waited for and how long, "" where none has begun.

    parse turns an event's time into seconds since the epoch, now is in the same.
    """
    state: dict[tuple[str, str], Event] = {}
    begun: dict[tuple[str, str], float] = {}
    for event in events:
        key = (event.get("component", ""), event.get("name") or event.get("component", ""))
        if key[0] in AT_ONCE:
            continue
        if event.get("status") == "started":
            begun.setdefault(key, parse(event["time"]))
        state[key] = event
    waiting, failed, done = "waiting for ", "failed: ", "done: "
    groups: dict[str, dict[str, list[str]]] = {waiting: {}, failed: {}, done: {}}
    longest: dict[str, float] = {}
    for (component, name), event in state.items():
        if (component, name) not in begun and event.get("status") == "done":
            continue  # it was done at once
        if event.get("status") == "failed":
            title = failed
        elif event.get("status") == "done" and event.get("step") not in ("install", "upgrade"):
            title = done
        else:
            title = waiting
            waited = max(now - begun.get((component, name), now), 0)
            longest[component] = max(longest.get(component, 0.0), waited)
        groups[title].setdefault(component, []).append(name)
    parts = []
    for title, components in groups.items():
        texts = [
            _names(component, names) + (f" ({clock_text(longest[component])})" if title is waiting else "")
            for component, names in components.items()
        ]
        parts += [title + ", ".join(texts)] if texts else []
    return "; ".join(parts)


def _names(component: str, names: list[str]) -> str:
    """Return a component with its releases' names: all of three, or how many there are."""
    others = [name for name in names if name != component]
    if len(others) > 3:
        return f"{component} {others[0]} and {len(others) - 1} more"
    return " ".join([component, *others])


def name_width(hosts: t.Collection[str]) -> int:
    """Return the columns of the hosts' names before each line, 0 where there is but one."""
    return min(max(map(len, hosts)), NAME_WIDTH) if len(hosts) > 1 else 0


def name_text(host: str, hosts: t.Collection[str]) -> str:
    """Return what a host's lines begin with among those of all hosts: "" where there is but one."""
    return _padded(host, name_width(hosts))


def clip(text: str, width: int) -> str:
    """Return a text cut to a width."""
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."


def _padded(host: str, width: int) -> str:
    return f"{host:<{width}}  " if width else ""


def line_text(title: str, seconds: float, host: str, text: str, columns: int = 0) -> str:
    """Return host with what follows it (where there are several), phase, elapsed time and a text.

    The text goes on below itself where it does not fit the columns; 0 for any number.
    """
    head = f"{host}{f'[{title.upper()}]'.ljust(WIDTH)} {clock_text(seconds):>6}  "
    if not columns or len(head) + len(text) <= columns:
        return f"{head}{text}".rstrip()
    return textwrap.fill(text, max(columns, len(head) + 20), initial_indent=head, subsequent_indent=" " * len(head),
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def row_text(host: str, row: str) -> str:
    """Return a row below a line's text."""
    return f"{host}{' ' * (WIDTH + 9)}{row}"


def routers(rows: t.Sequence[dict[str, t.Any]]) -> list[tuple[str, str, bool]]:
    """Return of each router its name, what of its classes was answered, and whether all of them were.

    rows: the classes of a probe; one without a class is the classifier's own choice in a policy.
    """
    found: dict[str, dict[bool, list[bool]]] = {}
    for row in rows:
        kinds = found.setdefault(str(row.get("router")), {True: [], False: []})
        kinds[bool(row.get("class"))].append(bool(row.get("ok")))
    return [
        (
            name,
            f"{sum(kinds[True])} of {plural(len(kinds[True]), 'class', 'classes')}, by the classifier "
            f"{sum(kinds[False])} of {plural(len(kinds[False]), 'policy', 'policies')}",
            all(kinds[True] + kinds[False]),
        )
        for name, kinds in found.items()
    ]


def _verdict(probe: dict[str, t.Any]) -> str:
    """Return what a run without a failure came to. In check mode what is there may not answer yet."""
    if not probe.get("endpoint"):
        return "done"
    answered = all(row.get("ok") for row in [*(probe.get("models") or []), *(probe.get("classes") or [])])
    return "the models answer" if answered else "checked; the deployed models do not answer"


class Progress:
    """Turns what happens on hosts into lines. write prints one (text, kind: plain, good, bad, added or removed)."""

    def __init__(
        self, write: t.Callable[[str, str], t.Any], clock: t.Callable[[], float] = time.monotonic, columns: int = 0
    ) -> None:
        self.write, self.clock, self.columns = write, clock, columns
        self.begin = clock()
        self.hosts: dict[str, HostState] = {}
        self.width = 0
        self.many = False

    def expect(self, hosts: t.Collection[str]) -> None:
        """Take the names of all hosts: where there are several, each line begins with one."""
        self.width, self.many = name_width(hosts), len(hosts) > FEW

    def name(self, host: str) -> str:
        """Return what a host's lines begin with."""
        return _padded(host, self.width)

    def line(self, title: str, host: str, text: str, kind: str = "plain") -> None:
        """Print one line: host where there are several, phase, elapsed time, text."""
        self.write(line_text(title, self.clock() - self.begin, self.name(host), text, self.columns), kind)

    def state(self, host: str) -> HostState:
        """Return a host's state."""
        return self.hosts.setdefault(host, HostState())

    def task(self, host: str, tags: t.Iterable[str]) -> None:
        """A task begins: the first one that carries a phase's tag opens the phase."""
        state = self.state(host)
        order = list(PHASES)
        # Tasks have the tags of later phases too that need them, but the record's has one that it comes after.
        phase = next((name for name in sorted(order, key="complete".__ne__) if name in tags), "")
        if not phase or (state.phase and order.index(phase) <= order.index(state.phase)):
            return
        state.phase = phase
        if PHASES[phase]:
            self.line(phase, host, PHASES[phase])

    def is_due(self, host: str) -> bool:
        """Return whether a waiting line may be printed again for the host."""
        state = self.state(host)
        return bool(state.phase) and self.clock() - state.told >= INTERVAL

    def waiting(self, host: str, text: str) -> None:
        """Print what is being waited for."""
        state = self.state(host)
        state.told = self.clock()
        if text:
            self.line(state.phase, host, text)

    def failed(self, host: str, component: str, message: str) -> None:
        """Print a failure once, in one line: its phase, component, and the first line of what was said."""
        state = self.state(host)
        if not state.phase:
            return
        state.failed_in = state.failed_in or state.phase
        text = f"{state.failed_in.upper()} {component}: {headline(message)}"
        if text not in state.failures:
            state.failures.append(text)
            self.line("failed", host, clip(text, self._room(host)), "bad")

    def _room(self, host: str) -> int:
        """Return the columns for a text behind its phase and time."""
        return max(self.columns - len(self.name(host)) - WIDTH - 9, 40) if self.columns else MESSAGE_LIMIT

    def probed(self, host: str, result: dict[str, t.Any]) -> None:
        """Keep what the probe found, for the summary."""
        self.state(host).probe = result

    def recorded(self, host: str, path: str) -> None:
        """Keep where the record lies, for the summary."""
        self.state(host).record = path

    def proposed(
        self, host: str, text: str, rows: t.Sequence[str] = (), difference: t.Sequence[str] | None = None
    ) -> None:
        """Print what a plan comes to. rows: what changes, left out of many hosts; difference: of --diff, in full."""
        phase = self.state(host).phase
        if not phase:
            return
        self.line(phase, host, text)
        for row in () if self.many else rows:
            self.write(row_text(self.name(host), row), "plain")
        for line in difference or ():
            self.write(self.name(host) + line, {"+": "added", "-": "removed"}.get(line[:1], "plain"))

    def planned(self, host: str, summary: list[str]) -> None:
        """Keep a plan that was written, to show it at the end."""
        self.state(host).plan = summary

    def finish(self, bad_hosts: t.Container[str]) -> None:
        """Print how it ended, for each host that came into a phase or was verified."""
        if len(self.hosts) > FEW:
            return
        for host, state in self.hosts.items():
            if not state.phase and not state.probe:
                continue
            if not state.phase:
                self.line(
                    "failed" if host in bad_hosts else "verified", host, "", "bad" if host in bad_hosts else "good"
                )
            elif host in bad_hosts:
                self.line("failed", host, f"ended in {(state.failed_in or state.phase).upper()}", "bad")
            elif state.phase == "complete" and not state.failed_in:
                self.line("complete", host, _verdict(state.probe), "good")
            self._summary(host, state)

    def _summary(self, host: str, state: HostState) -> None:
        pad = self.name(host) + " " * (WIDTH + 9)
        for text in state.probe.get("endpoints") or filter(None, [state.probe.get("endpoint")]):
            self.write(f"{pad}endpoint  {text}", "plain")
        # In check mode nothing can be asked of what a run would make.
        models = [
            row for row in state.probe.get("models") or [] if row.get("ok") or row.get("status") or state.failed_in
        ]
        width = max((len(row["name"]) for row in models), default=0)
        for row in models:
            outcome = f"{row['status']} in {row['latency_ms']:.0f} ms" if row.get("ok") else f"FAILED ({row['status']})"
            path = str(row.get("url_path", "")).removeprefix("POST ")
            self.write(f"{pad}model     {row['name']:<{width}}  {outcome}  {path}", "plain" if row.get("ok") else "bad")
        for name, text, good in routers(state.probe.get("classes") or []):
            self.write(f"{pad}router    {name}  {text}", "plain" if good else "bad")
        if state.plan:
            # In one piece, and after all else: what an operator has to read.
            self.write("\n".join(["", *state.plan]), "plain")
        if state.record:
            self.write(f"{pad}record    {state.record}", "plain")
