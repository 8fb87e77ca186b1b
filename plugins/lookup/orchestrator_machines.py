# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup orchestrator_machines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: orchestrator_machines
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What follows from the groups of an inventory of LLM-Orchestrator's machines
description:
  - Reads the groups C(orchestrator_*), the hosts' addresses and the passwords of the run.
options:
  _terms:
    description:
      - V(hosts) for a pattern of all hosts where O(state) is C(llm_orchestrator_state), else of none; V(checked) for
        the same, but localhost where no group has hosts, so that somebody says so; V(environment) and
        V(edge_environment) for the variables by which servers reach their stores; V(endpoint) for the URL that
        requests go to; V(said) and V(removed) for the lines at the end.
    type: list
    elements: str
    choices: [hosts, checked, environment, edge_environment, endpoint, said, removed]
    required: true
  state:
    description: The state of which hosts are asked, either where it is not set.
    type: str
    choices: [present, absent]
"""

EXAMPLES = r"""
- name: Show where requests go to
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.orchestrator_machines', 'endpoint') }}"
"""
RETURN = r"""
_raw:
  description: What was asked for.
  type: list
  elements: raw
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator import stores
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.inventory import KINDS, PREFIX
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import addresses_of

# Variables that give a password which the run would make otherwise.
GIVEN = {
    "postgres": "orchestrator_postgres_password",
    "redis": "orchestrator_redis_password",
    "nats": "orchestrator_nats_password",
    "nats_edge": "orchestrator_nats_password",
}


class LookupModule(LookupBase):
    """Reads the groups."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return what the terms name."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        return [self._answer(term, known) for term in terms]

    def _answer(self, term: str, known: dict[str, t.Any]) -> t.Any:
        groups = known.get("groups") or {}
        if term in ("hosts", "checked"):
            asked = self.get_option("state") in (None, self._value(known, "llm_orchestrator_state", "present"))
            found = [name for name in groups if name in [PREFIX + kind for kind in KINDS]]
            nobody = stores.NOBODY if term == "hosts" else stores.SPOKESMAN
            return (found or nobody) if asked else stores.NOBODY
        inventory = self._inventory(groups, known)
        if term == "removed":
            return stores.removed(len(inventory.all()), bool(self._value(known, "_orchestrator_remove_data", False)))
        return getattr(stores, term)(inventory)

    def _inventory(self, groups: dict[str, list[str]], known: dict[str, t.Any]) -> stores.HostGroups:
        hosts = [host for kind in KINDS for host in groups.get(PREFIX + kind) or []]
        addresses = addresses_of(hosts, known["hostvars"])
        passwords = dict(self._value(known, "orchestrator_passwords", {}))
        given = {name: self._value(known, variable, "") for name, variable in GIVEN.items()}
        passwords.update({name: value for name, value in given.items() if value})
        folder = self._value(known, "orchestrator_tls_directory", "/etc/orchestrator-tls")
        virtual = self._value(known, "orchestrator_proxy_virtual_address", "")
        return stores.HostGroups(groups, addresses, passwords, virtual, f"{folder}/ca.crt")

    def _value(self, known: dict[str, t.Any], name: str, otherwise: t.Any) -> t.Any:
        return self._templar.template(known[name]) if name in known else otherwise
