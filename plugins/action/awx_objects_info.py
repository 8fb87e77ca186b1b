# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module awx_objects_info without another Python where it can."""

from __future__ import annotations

import importlib.util

from ansible.errors import AnsibleError
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction

NEEDED = "ansible_collections.awx.awx"


class ActionModule(CheckedAction):
    """The module of the same name; asks for the collection whose modules get the result."""

    types = False

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result; raises AnsibleError where awx.awx is not installed."""
        if not installed():
            raise AnsibleError(
                "The collection awx.awx, whose modules create the objects in AWX, is not installed. What to do: "
                "ansible-galaxy collection install awx.awx"
            )
        return super().run(tmp, task_vars)


def installed(name: str = NEEDED) -> bool:
    """Return whether Ansible finds a collection."""
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
