# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup orchestrator_shortfalls."""

from __future__ import annotations

DOCUMENTATION = r"""
name: orchestrator_shortfalls
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What hosts lack for LLM-Orchestrator
description:
  - Returns a line for each thing that a host has too little of, or of the wrong version, for what its groups put on it.
  - It reads facts that are there already and asks no host. What is not known, as the speed of most virtual networks, is
    not missed.
options:
  _terms:
    description: The hosts, by default all of the play.
    type: list
    elements: str
  kind:
    description: What runs on them, for example V(cli); by default what their groups say.
    type: str
    choices: [cli, single, edge, api, worker, postgres, redis, nats, etcd, lb]
  requirements:
    description:
      - What is asked of hosts instead of the guide's requirements, by C(cpus), C(memory), C(disk), C(network), C(os)
        and C(postgresql), for all hosts or below the name of a kind. V(0) is none; C(os) can be V(any).
      - By default the variable C(orchestrator_requirements).
    type: dict
"""

EXAMPLES = r"""
- name: Assert that the hosts have what is required
  ansible.builtin.assert:
    that: query('llm_d.orchestrator.orchestrator_shortfalls') | length == 0
    fail_msg: "{{ query('llm_d.orchestrator.orchestrator_shortfalls') | join('\n') }}"
  run_once: true
"""
RETURN = r"""
_raw:
  description: What is lacking.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import mapping
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.inventory import KINDS, PREFIX
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.requirements import (
    VARIABLE as REQUIREMENTS,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.requirements import Machine, shortfalls
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import value_of

VERSION = "orchestrator_postgres_version"


class LookupModule(LookupBase):
    """Reads the facts of every host."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[str]:
        """Return what the hosts lack."""
        self.set_options(var_options=variables, direct=kwargs)
        given = variables or {}
        hostvars = given.get("hostvars") or {}
        kind = self.get_option("kind")
        machines = {}
        for name in terms or given.get("ansible_play_hosts_all") or []:
            # The implicit localhost has no entry in hostvars.
            host = given if name == given.get("inventory_hostname") else hostvars[name]
            groups = value_of(host, "group_names") or []
            kinds = [kind] if kind else [one for one in KINDS if PREFIX + one in groups]
            machines[name] = Machine(kinds, mapping(value_of(host, "ansible_facts")), value_of(host, VERSION))
        lowered = self.get_option("requirements") or self._templar.template(given.get(REQUIREMENTS))
        return shortfalls(machines, lowered).texts
