# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module of the same name without another Python where it can."""

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.action import ActionModule

__all__ = ["ActionModule"]
