# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter orchestrator_compose_environment."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.compose import compose_environment


class FilterModule:
    """Names the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable]:
        """Return the filters of this file."""
        return {"orchestrator_compose_environment": compose_environment}
