# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module lab_binaries without another Python where it can, and where the user's variables are known."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction


class ActionModule(CheckedAction):
    """The module of the same name."""

    types = False
