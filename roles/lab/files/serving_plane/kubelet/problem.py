# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What keeps a pod's containers from starting, as the kubelet tells it."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """The reason and message of the containers that wait, and the events (reason, message) that go with it.

    init: the init container that waits, if it is one.
    """

    reason: str
    message: str
    events: tuple[tuple[str, str], ...]
    init: str = ""
