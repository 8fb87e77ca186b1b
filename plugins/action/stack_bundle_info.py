# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module of the same name without another Python where it can, and where the user's variables are known."""

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction as ActionModule

__all__ = ["ActionModule"]
