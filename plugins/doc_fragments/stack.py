# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Documentation of the options by which modules take a stack."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.options import STACK_OPTIONS


class ModuleDocFragment:
    """What the modules that work out a stack have in common."""

    # Annotated, as ansible-test takes a plain assignment in a fragment for a literal.
    DOCUMENTATION: str = STACK_OPTIONS
