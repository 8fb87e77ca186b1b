# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands last on the screen: what was left, why it failed, all of it, and the one command that continues."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..base.mask import MASK, mask_text
from ..base.words import wrapped
from ..diagnose.screen import CONTINUE, causes_lines, left_lines, screen

BAD, PLAIN, GOOD = "bad", "plain", "good"
Line = tuple[str, str]
PAD = "  "
UNWRAPPED = 10_000
WITH_SECRETS = f"Then run again, with your own values for {MASK}:"


@dataclasses.dataclass
class HostEnd:
    """What is to be said of one host at the end.

    failures: what was said of each, in full; diagnosis: of a failed deployment, or what the playbook is for; status:
    lines of a failed one; more: {module: at_end of its result}.
    """

    failures: list[str] = dataclasses.field(default_factory=list)
    diagnosis: Object = dataclasses.field(default_factory=dict)
    status: list[str] = dataclasses.field(default_factory=list)
    more: dict[str, Object] = dataclasses.field(default_factory=dict)

    def failed(self, text: str) -> None:
        """Take a failure; one that only repeats another is none."""
        text = mask_text(text.strip())
        if not any(text in known for known in self.failures):
            self.failures = [known for known in self.failures if known not in text] + [text]

    def took(self, module: str, answer: Object) -> None:
        """Take what a module's result says."""
        if module == "stack_diagnosis" and "causes" in answer:
            self.diagnosis = answer
        elif module == "stack_status":
            self.status = list(answer.get("screen") or []) if answer.get("failed") else []
        if isinstance(answer.get("at_end"), dict):
            self.more[module] = answer["at_end"]

    def text(self) -> str:
        """Return what is to be said of a host that failed."""
        return "\n".join(self.lines(True, UNWRAPPED))

    def lines(self, failed: bool, width: int) -> list[str]:
        """Return the lines of a host: what was left first, causes last."""
        if not failed:
            return screen(self.diagnosis, width=width) if self.diagnosis else []
        found = self.diagnosis
        if not found:
            return self.status or [line for text in self.failures for line in wrapped(text, width)]
        left, causes = left_lines(found, found.get("state") or [], width), causes_lines(found, width)
        # A failure that is about nothing that a cause names has another cause.
        named = [name.partition(" ")[2] for cause in found["causes"] for name in cause["objects"]]
        others = [text for text in self.failures if not any(name and name in text for name in named)]
        others = [] if found.get("failed") else others
        if not causes and found.get("failed"):
            return screen(found, state=found.get("state") or [], width=width)
        return [*left, *(line for text in others for line in wrapped(text, width)), *causes]


def last_lines(
    ends: t.Mapping[str, HostEnd], bad: t.Container[str], width: int, command: str, several: bool = False
) -> list[Line]:
    """Return the last lines of a run, hosts that say the same as one.

    bad: hosts that failed; command: the one that continues, if any; several: whether hosts are named.
    """
    found: list[Line] = []
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for host, end in ends.items():
        found += [(text, PLAIN) for text in _more(host, end, host in bad, len(ends), width)]
        lines = tuple(end.lines(host in bad, width))
        if lines:
            groups.setdefault((host in bad, lines), []).append(host)
    for (failed, lines), hosts in groups.items():
        found.append(("", PLAIN))
        if several:
            found += [(line, PLAIN) for line in wrapped(f"{', '.join(hosts)}:", width)]
        found += [(line, BAD if failed else PLAIN) for line in lines]
    if command:
        note = WITH_SECRETS if MASK in command else CONTINUE
        found += [(line, PLAIN) for line in (note, f"{PAD}{command}")]
    return found


def _more(host: str, end: HostEnd, failed: bool, hosts: int, width: int) -> list[str]:
    """Return what modules have for the end; commands as they are, so that they can be copied."""
    lines: list[str] = []
    for module, more in end.more.items():
        # How to ask the models is no news of a run that failed; of several clusters the table is the end.
        if module == "serving_info" and (failed or hosts > 1):
            continue
        lines += ["", *([f"{host}:"] if hosts > 1 else [])]
        lines += [line for text in more.get("lines") or [] for line in wrapped(str(text), width)]
        lines += [f"{PAD}{text}" for text in more.get("commands") or []]
    return lines
