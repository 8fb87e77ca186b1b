# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module of the same name without another Python where it can: plugins/action imports it for each such one."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module of the same name."""
