# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run of awx_setup.yml did."""

from __future__ import annotations

from typing import Any, NamedTuple


class Run(NamedTuple):
    """A playbook's run. changed: of its recap; items: what it calls changed; requests: what it asked AWX to change."""

    code: int
    text: str
    changed: int
    items: list[str]
    requests: list[tuple[str, str, Any]]
