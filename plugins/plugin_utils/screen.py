# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a worker says while it works."""

from __future__ import annotations

from ansible.utils.display import Display

display = Display()


def tell(text: str) -> None:
    """Show a line at once.

    Some versions of ansible-runner mark what Display shows on standard output: in a worker behind Ansible's back, of
    which ansible-core warns. By the workers' queue the text gets to the main process, which shows it as its own.
    """
    queue = getattr(display, "_final_q", None)
    if queue is None:
        display.display(text)
    else:
        queue.send_display("display", text)
