# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup components."""

from __future__ import annotations

DOCUMENTATION = r"""
name: components
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.2.0
short_description: The component table, and what the inventory says of each component
description:
  - Reads the component table of this collection, C(playbooks/vars/components.yml), and the roles of its rows.
options:
  _terms:
    description:
      - V(table) gives the rows; V(settings) by component the values of its role's public variables, without the role's
        prefix; V(options) by component what the role's C(argument_specs) say of each; V(secrets) the values of
        variables that C(argument_specs) mark as secret, which V(settings) leaves empty, by the variables' names;
        V(namespaces) those in which components put something, the stack's first.
    type: list
    elements: str
    choices: [table, settings, options, secrets, namespaces]
    required: true
  of:
    description: The only component to return V(options), V(settings) and V(secrets) of.
    type: str
"""

EXAMPLES = r"""
- name: Show the waves
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.components', 'table') | groupby('wave') }}"
"""
RETURN = r"""
_list:
  description: What each term requests.
  type: list
  elements: raw
"""

import os
import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.lookup.role_settings import ROLES, settings_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import places

TABLE = os.path.join(ROLES, "..", "playbooks", "vars", "components.yml")
SPECS = ("meta", "argument_specs.yml")


class LookupModule(LookupBase):
    """Reads the component table and the roles that it names."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return what each term asks for."""
        self.set_options(var_options=variables, direct=kwargs)
        self.variables = variables or {}
        return [getattr(self, term)() for term in terms]

    def table(self) -> list[dict]:
        """Return the rows."""
        return self._loader.load_from_file(TABLE, unsafe=True)["llm_d_components"]

    def options(self) -> dict[str, dict]:
        """Return by component the options of its role."""
        only = self.get_option("of")
        # What is no row of the table has no settings here.
        names = [row["name"] for row in self.table() if only in (None, "", row["name"])]
        return {name: self._role_options(name) for name in names}

    def settings(self) -> dict[str, dict]:
        """Return by component its settings, secret ones left empty."""
        found = {}
        for name, options in self.options().items():
            empty = {key: {} if one["type"] == "dict" else "" for key, one in options.items() if one.get("no_log")}
            found[name] = {**settings_of(self, name, self.variables), **empty}
        return found

    def namespaces(self) -> list[str]:
        """Return the namespaces in which components put something, each once, the stack's first."""
        own = self._templar.template(self.variables.get("llm_d_namespace")) or "llm-d"
        return list(dict.fromkeys([own, *places({"namespace": own, "components": self.settings()})]))

    def secrets(self) -> dict[str, str]:
        """Return the secrets that are set, by the names of their variables."""
        found = {}
        for name, options in self.options().items():
            for setting in (setting for setting, option in options.items() if option.get("no_log")):
                value = settings_of(self, name, self.variables)[setting]
                if value:
                    found[f"{name}_{setting}"] = value
        return found

    def _role_options(self, name: str) -> dict[str, dict]:
        specs = self._loader.load_from_file(os.path.join(ROLES, name, *SPECS), unsafe=True)
        options = specs["argument_specs"]["main"]["options"]
        kept = ("type", "choices", "elements", "options", "no_log")
        return {
            option.removeprefix(f"{name}_"): {key: spec[key] for key in kept if key in spec}
            for option, spec in options.items()
        }
