# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup role_settings."""

from __future__ import annotations

DOCUMENTATION = r"""
name: role_settings
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: Values of a role's public variables, without running the role
description:
  - Returns each variable of a role of this collection as the inventory sets it, or else as the role's
    C(defaults/main.yml) does.
  - Lets one task see the settings of all roles before any of them runs.
options:
  _terms:
    description: Names of roles of this collection.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show which chart the pools come from
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.role_settings', 'gaie').chart }}"
"""
RETURN = r"""
_list:
  description: For each role a map of its settings, the role's prefix cut off their names.
  type: list
  elements: dict
"""

import os
import typing as t

from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18 templates every string

    def trust_as_template(value: str) -> str:
        """Return the string as it is."""
        return value


ROLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "roles")


def trusted(value: t.Any) -> t.Any:
    """Return a default with its strings marked as this collection's own templates."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


class LookupModule(LookupBase):
    """Reads defaults and puts the inventory's values over them."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[dict]:
        """Return one map of settings for each role."""
        self.set_options(var_options=variables, direct=kwargs)
        return [settings_of(self, role, variables or {}) for role in terms]


def settings_of(lookup: LookupBase, role: str, variables: dict) -> dict:
    """Return the settings of a role, by their names without its prefix."""
    path = os.path.join(ROLES, role, "defaults", "main.yml")
    if not os.path.isfile(path):
        raise AnsibleLookupError(f"This collection has no role {role!r} with defaults.")
    defaults = lookup._loader.load_from_file(path, unsafe=True)  # not copied, since nothing here changes it
    found = {}
    for name, value in defaults.items():
        try:
            found[name.removeprefix(role + "_")] = lookup._templar.template(variables.get(name, trusted(value)))
        except AnsibleError as exc:
            raise AnsibleLookupError(f"Cannot evaluate the variable {name}: {exc}") from exc
    return found
