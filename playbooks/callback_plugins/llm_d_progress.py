# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Loads llm_d.orchestrator.progress for the playbooks of this folder, with no configuration.

Ansible loads callbacks that stand next to a playbook; those of a collection only where they are enabled.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: llm_d_progress
type: notification
short_description: Progress lines for the playbooks of llm_d.orchestrator
description:
  - See P(llm_d.orchestrator.progress#callback).
author:
  - llm_d.orchestrator developers (@llm-d)
"""

from ansible_collections.llm_d.orchestrator.plugins.callback.progress import CallbackModule as _Progress


class CallbackModule(_Progress):
    """The collection's callback, for this folder's playbooks."""

    CALLBACK_NAME = "llm_d_progress"
    CALLBACK_NEEDS_ENABLED = False
