# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the pages of LLM-Orchestrator's modes on machines tell a reader to write and to run."""

from __future__ import annotations

import configparser
import pathlib
import re
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAND_IN = ROOT / "roles/lab_machines/files/stand_in/llm-orchestrator"
# What the pages have for an inventory and for builds.
HOSTS = "-i hosts.ini"
BUILDS = ("/srv/builds/llm-orchestrator", "/srv/builds/llm-orchestrator-2")


def commands(mode: str) -> list[str]:
    """Return the commands of a mode's page."""
    return _blocks(mode, "bash")


def machines(mode: str) -> list[list[str]]:
    """Return the groups of each machine of the inventory on a mode's page."""
    (inventory,) = _blocks(mode, "ini")
    read = configparser.ConfigParser(allow_no_value=True, delimiters=["\0"])
    read.read_string(inventory)
    found: dict[str, list[str]] = {}
    for group in read.sections():
        for host in (host for row in read[group] for host in _expanded(row.split()[0])):
            found.setdefault(host, []).append(group)
    return sorted(map(sorted, found.values()))


def _blocks(mode: str, kind: str) -> list[str]:
    text = (ROOT / f"docs/orchestrator/{mode}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)


def _expanded(row: str) -> t.Iterator[str]:
    """Yield the hosts that m[1:3] stands for."""
    found = re.fullmatch(r"(\w+)\[(\d):(\d)\]", row)
    if not found:
        yield row
        return
    yield from (f"{found[1]}{number}" for number in range(int(found[2]), int(found[3]) + 1))
