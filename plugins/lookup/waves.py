# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup waves."""

from __future__ import annotations

DOCUMENTATION = r"""
name: waves
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: The sizes of a rollout's waves, for a play's serial
description:
  - Returns C(llm_d_waves) as a list for a play's C(serial), empty for all clusters at once.
  - A play's C(serial) knows extra variables, but none of the inventory's. So this takes the variable of the play's
    first host. That needs a play before this one, as C(hostvars) is there from the first play on.
options:
  _terms:
    description: Takes none.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Make the hosts' variables known
  hosts: all
  gather_facts: false

- name: Deploy in waves
  hosts: all
  serial: "{{ query('llm_d.orchestrator.waves') }}"
  tasks:
    - name: Say which clusters this wave has
      ansible.builtin.debug:
        var: ansible_play_batch
"""

RETURN = r"""
_raw:
  description: Numbers of hosts, or shares of all.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.targets import UNREAD, waves
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import value_of


class LookupModule(LookupBase):
    """Reads the variable of the play's first host that has one."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return the sizes."""
        self.set_options(var_options=variables, direct=kwargs)
        hosts = (variables or {}).get("ansible_play_hosts_all") or []
        known = (variables or {}).get("hostvars")
        if not hosts or known is None:
            return []
        read = (value_of(known[host], "llm_d_waves", UNREAD) for host in hosts)
        try:
            return list(waves(next((value for value in read if value is not UNREAD), None)))
        except OrchestratorError as exc:
            raise AnsibleLookupError(str(exc)) from exc
