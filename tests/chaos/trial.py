# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One fault tried: what the disturbed run came to, and whether running again finishes the job."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

from chaos_lab import ChaosLab, Object, Play, message, processes, until

GATEWAY = "gateway.networking.k8s.io/v1"


@dataclasses.dataclass
class Row:
    """A line of the table. outcome: of the disturbed run; wrong: what was not as it should be."""

    group: str
    fault: str
    outcome: str = ""
    seconds: float = 0.0
    again: float = 0.0
    wrong: list[str] = dataclasses.field(default_factory=list)


class Trial:
    """A fault's own namespace on the lab, and what is asked of every fault."""

    numbers = itertools.count(1)
    baseline: dict[str, dict[str, str]] = {}

    def __init__(self, lab: ChaosLab, group: str, fault: str) -> None:
        self.lab, self.row = lab, Row(group, fault)
        self.namespace = f"chaos-{next(self.numbers)}"
        self.plays: list[Play] = []

    def start(self, env: dict[str, str] | None = None, **variables: Any) -> Play:
        """Start site.yml."""
        play = self.lab.site(self.namespace, env, **variables)
        self.plays.append(play)
        return play

    def deploy(self, **variables: Any) -> None:
        """Run site.yml undisturbed."""
        play = self.start(**variables)
        if play.wait():
            self.wrong(f"the undisturbed run failed: {message(play.text)}")

    def wrong(self, text: str) -> None:
        """Note what is not as it should be."""
        self.row.wrong.append(text)

    def ended(self, play: Play, *expected: str, survives: bool | None = None) -> None:
        """Note how the disturbed run ended. expected: any of these must be in a failure's text."""
        code = play.wait()
        self.row.seconds = play.seconds
        if code == 0:
            self.row.outcome = "survived"
            if survives is False:
                self.wrong("it was expected to fail")
            return
        self.row.outcome = f"named: {message(play.text)}"
        if survives:
            self.wrong("it was expected to survive")
        if expected and not any(text in play.text for text in expected):
            self.wrong(f"none of {expected} was said")
        if "Traceback" in play.text:
            self.wrong("a traceback was shown")

    def killed(self, play: Play, everything: bool) -> None:
        """Kill a run."""
        play.kill(everything=everything)
        self.row.outcome = "killed, with all it had started" if everything else "killed; its jobs go on"
        self.row.seconds = play.seconds

    def again(self, expect: str = "", **variables: Any) -> None:
        """Run site.yml once more, which must finish the job and leave what an undisturbed run leaves."""
        play = self.start(**variables)
        code = play.wait()
        self.row.again = play.seconds
        if code:
            self.wrong(f"running again failed: {message(play.text)}")
        if expect and expect not in play.text:
            self.wrong(f"running again did not say {expect!r}")
        self.compare(kind_of(variables))

    def compare(self, kind: str) -> None:
        """Compare what there is with what an undisturbed run has made."""
        bad = [f"{one['name']} {one['status']}" for one in self.lab.records(self.namespace)]
        bad = [text for text in bad if not text.endswith(" deployed")]
        if bad:
            self.wrong("releases: " + ", ".join(bad))
        found, wanted = self.lab.snapshot(self.namespace), self.baseline.get(kind)
        if wanted is not None and found != wanted:
            changed = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
            self.wrong("objects differ: " + ", ".join(changed))
        if self.lab.lease(self.namespace).get("holderIdentity"):
            self.wrong("the lock is still held")

    def finish(self) -> Row:
        """See that nothing is left running, and remove the namespace."""
        for play in self.plays:
            try:
                until(lambda run=play.run: not processes(run), 20, 0.2)
            except TimeoutError:
                self.wrong(f"processes go on: {processes(play.run)}")
                if play.process.poll() is None:
                    play.kill(everything=True)
        self.lab.drop(self.namespace)
        return self.row

    def quota(self, name: str, hard: Object) -> None:
        """Limit the namespace."""
        self.lab.core.create_namespaced_resource_quota(
            self.namespace, {"metadata": {"name": name}, "spec": {"hard": hard}}
        )


def kind_of(variables: Object) -> str:
    """Which undisturbed run to compare with, by a run's variables."""
    return "with a token" if "prepare_hf_token" in variables else "plain"


Fault = Callable[[Trial], None]
