# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup fleet_mistakes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_mistakes
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What the hosts of a play share by mistake
description:
  - Returns a line for each mistake between the hosts of a play. Two of them are the same namespace of the same cluster,
    or write to the same file, or have different waves; or the waves are invalid.
  - Clusters are distinguished by their addresses, of C(llm_d_api_host) or in the kubeconfig. No cluster is asked.
options:
  _terms:
    description: Takes none.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Refuse an inventory with mistakes
  ansible.builtin.assert:
    that: query('llm_d.orchestrator.fleet_mistakes') | length == 0
    fail_msg: "{{ query('llm_d.orchestrator.fleet_mistakes') | join(' ') }}"
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
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.targets import READ, UNREAD, mistakes
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import value_of


class LookupModule(LookupBase):
    """Reads a few variables of every host."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[str]:
        """Return the mistakes."""
        self.set_options(var_options=variables, direct=kwargs)
        names = (variables or {}).get("ansible_play_hosts_all") or []
        hosts = (variables or {}).get("hostvars") or {}
        return mistakes({name: self._read(hosts[name]) for name in names})

    @staticmethod
    def _read(host: t.Any) -> dict[str, t.Any]:
        """Return what is asked of one host."""
        found = {name: value_of(host, name, UNREAD) for name in READ}
        return {name: value for name, value in found.items() if value is not None}
