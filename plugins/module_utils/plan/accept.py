# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes that an operator accepts for one cluster, by their ids in llm_d_accept: they become warnings."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.findings import ERROR, WARNING, Finding, Findings
from ..base.names import did_you_mean
from ..rules.texts import VALUES, VARIABLES, known_ids

VARIABLE = "llm_d_accept"
# What planning cannot go on without, or has left out; and what somebody else has to consent to, by other variables.
REFUSED = {
    *(rule for rule in VALUES if rule.startswith("yaml-")),
    *(rule for rule in VARIABLES if rule.startswith(("cluster-refused", "cluster-unreachable", "input-"))),
    *("approval", "broken-schema", "chart-fetch", "consent", "decision", "helm", "input", "owner", "planning"),
} - {
    *("input-image", "input-no-decode", "input-port", "input-selector", "input-selector-shared", "input-served-name"),
    *("input-router-model", "input-secret", "input-unknown-key", "input-unknown-variable", "input-value", "input-zmq"),
}


class Refusals(Findings):
    """Collects what stops a run; what is accepted, and what is no error, goes to warnings instead."""

    def __init__(self, accepted: t.Iterable[str] = ()) -> None:
        self.ids = set(accepted) - REFUSED
        self.used: set[str] = set()
        self.warnings = Findings()
        super().__init__()

    def take(self, found: t.Iterable[Finding]) -> None:
        """Note findings."""
        rest = []
        for one in found:
            ids = {one.rule, *one.covers} & self.ids
            self.used |= ids
            if one.severity != ERROR:
                self.warnings.take([one])
            elif ids:
                message = f"{one.message} (accepted by {VARIABLE})"
                self.warnings.take([dataclasses.replace(one, message=message, severity=WARNING)])
            else:
                rest.append(one)
        super().take(rest)

    def join(self, found: t.Iterable[Finding]) -> list[Finding]:
        """Return the findings that neither an error nor a warning covers."""
        return self.warnings.join(super().join(found))


def check_accepted(accepted: t.Iterable[str], findings: Findings) -> None:
    """Note ids that are none, and such that cannot be accepted."""
    known = known_ids()
    for index, rule in enumerate(accepted):
        where = f"{VARIABLE}[{index}]"
        if rule not in known:
            # A wrong number is near to many.
            near = "" if re.search("[0-9]", rule) else did_you_mean(rule, known)
            findings.add(
                where, (f"{rule!r} is not a rule's id.{near}"), ("use an id that a message shows"), rule="input-choice"
            )
        elif rule in REFUSED:
            text = f"{rule} cannot be accepted: planning cannot continue past it, or another variable consents to it"
            findings.add(where, text, "fix what it finds", rule="input-choice")


def is_acceptable(finding: Finding) -> bool:
    """Return whether a mistake can be accepted."""
    return finding.severity == ERROR and finding.rule not in REFUSED


def advice(errors: t.Iterable[Finding]) -> str | None:
    """Return how mistakes can be accepted, None where none can be."""
    ids = list(dict.fromkeys(one.rule for one in errors if is_acceptable(one)))
    if not ids:
        return None
    return f"Fix them. To accept one that is intended for this cluster, add its id: {VARIABLE}: [{', '.join(ids)}]."
