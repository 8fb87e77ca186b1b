# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup orchestrator_mistakes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: orchestrator_mistakes
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What is wrong with an inventory for LLM-Orchestrator
description:
  - Returns a line for each mistake of the inventory's groups and of the names of its variables. No host is asked.
options:
  _terms:
    description: V(error) or V(warning), which of the two to return.
    type: list
    elements: str
  accept:
    description: Ids of rules whose mistakes are warnings; by default the variable C(orchestrator_accept).
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Refuse an inventory with mistakes
  ansible.builtin.assert:
    that: query('llm_d.orchestrator.orchestrator_mistakes', 'error') | length == 0
    fail_msg: "{{ query('llm_d.orchestrator.orchestrator_mistakes', 'error') | join('\n') }}"
  run_once: true
"""
RETURN = r"""
_raw:
  description: The mistakes.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.inventory import (
    KINDS,
    PREFIX,
    Inventory,
    inventory_findings,
)
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import addresses_of, read, value_of

SHARED = (
    "llm_orchestrator_mode",
    "llm_orchestrator_workload",
    "orchestrator_secrets",
    "orchestrator_proxy_virtual_address",
)


class LookupModule(LookupBase):
    """Reads groups, addresses and a few variables."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[str]:
        """Return the mistakes."""
        self.set_options(var_options=variables, direct=kwargs)
        found = [*self._of_groups(variables or {}), *self._of_names(variables or {})]
        return [finding.text() for finding in found if finding.severity in terms]

    def _of_groups(self, variables: dict) -> list[Finding]:
        hostvars = variables.get("hostvars") or {}
        groups = {str(name): [str(host) for host in hosts] for name, hosts in (variables.get("groups") or {}).items()}
        ours = {host for kind in KINDS for host in groups.get(PREFIX + kind, ())}
        addresses = addresses_of(ours, hostvars)
        # Those of a group or of all: any host that has them will do. Without a host of ours it is the one that says so.
        asked = sorted(ours) or [host for host in [variables.get("inventory_hostname")] if host in hostvars]
        given = {
            name: next((value for host in asked if (value := value_of(hostvars[host], name)) is not None), None)
            for name in SHARED
        }
        file = str(variables.get("inventory_file") or "")
        accept = self.get_option("accept") or self._templar.template(variables.get("orchestrator_accept")) or []
        return inventory_findings(Inventory(groups, given, addresses, file), accept)

    def _of_names(self, variables: dict) -> list[Finding]:
        return read(self._loader, self._templar, variables).mistakes
