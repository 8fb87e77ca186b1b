# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_teardown where the user's variables are known: a misspelt one would remove something else."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction


class ActionModule(CheckedAction):
    """The module of the same name."""

    # It runs Helm, whose environment needs a whole module.
    here = False
