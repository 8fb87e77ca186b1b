# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Waves of clusters: what llm_d_waves says, as Ansible's serial takes it, and which hosts each wave has."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError

Size = t.Union[int, str]  # noqa: UP007 evaluated at run time, on Python 3.10 too

SHARE = re.compile(r"(\d+) *%")
HINT = 'Set it to a list of numbers of clusters and shares, such as [1, "25%", "100%"]; the last one is repeated.'


def waves(value: t.Any) -> list[Size]:
    """Return llm_d_waves as a list of numbers and shares, [] for all clusters at once.

    value: a list, one number or share, or either as text, which is what `-e llm_d_waves=...` gives. Raises
    OrchestratorError for all else.
    """
    items = _items(value)
    bad = [item for item in items if not _fits(item)]
    if bad:
        named = ", ".join(repr(item) for item in bad)
        raise OrchestratorError(f"llm_d_waves holds {named}, which is no size of a wave.", hint=HINT)
    return [item.replace(" ", "") if str(item).endswith("%") else int(item) for item in items]


def _items(value: t.Any) -> list[t.Any]:
    """Return what a value lists."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = re.split(r"[\s,]+", value.strip(" []()"))
    found = list(value) if isinstance(value, (list, tuple)) else [value]
    return [item.strip(" '\"") if isinstance(item, str) else item for item in found]


def _fits(item: t.Any) -> bool:
    if isinstance(item, bool) or not isinstance(item, (int, str)):
        return False
    share = SHARE.fullmatch(item) if isinstance(item, str) else None
    if share:
        return 0 < int(share[1]) <= 100
    return str(item).isdecimal() and int(item) > 0


def allowed_failures(value: t.Any) -> int:
    """Return llm_d_wave_failures as a number; raises OrchestratorError."""
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise OrchestratorError(
            f"llm_d_wave_failures is {value!r}.", hint="Set it to the number of clusters that may fail, 0 or more."
        )
    return int(value)


def batches(sizes: t.Sequence[Size], hosts: t.Sequence[str]) -> list[list[str]]:
    """Return the hosts of each wave, as Ansible's serial makes them (ansible-core, PlaybookExecutor)."""
    found: list[list[str]] = []
    at = 0
    while at < len(hosts):
        size = _size(sizes[min(len(found), len(sizes) - 1)], len(hosts)) if sizes else 0
        found.append(list(hosts[at : at + size] if size > 0 else hosts[at:]))
        at += len(found[-1])
    return found


def _size(size: Size, count: int) -> int:
    if isinstance(size, str) and size.endswith("%"):
        return int(int(size[:-1]) / 100 * count) or 1
    return int(size)
