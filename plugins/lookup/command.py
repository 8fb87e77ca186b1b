# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup command."""

from __future__ import annotations

DOCUMENTATION = r"""
name: command
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.2.0
short_description: The command that runs another playbook of this collection
description:
  - Returns C(ansible-playbook) commands with the arguments of the running one, secrets in extra variables masked.
  - A playbook is named as the running one was, by its path or by the collection's name, so that the command works where
    it is printed.
options:
  _terms:
    description: Names of playbooks, such as V(site).
    type: list
    elements: str
  inventory:
    description:
      - Inventory of this collection, such as V(lab), for a host that no inventory has, as C(localhost) without one.
    type: str
  extra:
    description: Extra variables that the commands set besides.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Say what to do next
  ansible.builtin.debug:
    msg: "Deploy it with: {{ lookup('llm_d.orchestrator.command', 'site') }}"
"""
RETURN = r"""
_list:
  description: A command for each playbook.
  type: list
  elements: str
"""

import os
import sys
import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.lookup.role_settings import ROLES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments, next_command

INVENTORIES = os.path.normpath(os.path.join(ROLES, "..", "inventories"))


class LookupModule(LookupBase):
    """Makes commands of the running one."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[str]:
        """Return a command for each playbook."""
        self.set_options(var_options=variables, direct=kwargs)
        known, wanted = variables or {}, self.get_option("inventory") or ""
        alone = known.get("inventory_hostname") not in known.get("groups", {}).get("all", [])
        inventory = os.path.join(INVENTORIES, wanted) if alone and wanted else ""
        arguments, besides = masked_arguments(sys.argv[1:]), self.get_option("extra")
        return [next_command(arguments, besides, term, inventory) for term in terms]
