# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup capitals."""

from __future__ import annotations

DOCUMENTATION = r"""
name: capitals
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.4.0
short_description: A host's variables that are written in capitals
description:
  - Returns the variables of a host whose names are in capitals, as V(MODEL_NAME), for files with C(${MODEL_NAME}).
  - Those with C(KEY), C(TOKEN), C(SECRET) or C(PASSWORD) in their names are skipped, and so is everything that is not
    a string or number.
"""

EXAMPLES = r"""
- name: Show what graph files may name
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.capitals') }}"
"""

RETURN = r"""
_raw:
  description: One map of names and values.
  type: list
  elements: dict
"""

import re
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

NAME = re.compile(r"(?!.*(KEY|TOKEN|SECRET|PASSWORD))[A-Z][A-Z0-9_]+\Z")


class LookupModule(LookupBase):
    """Reads the host's variables."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[dict]:
        """Return the map."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        return [{name: value for name in known if NAME.match(name) and self._usable(value := self._value(known[name]))}]

    def _value(self, value: t.Any) -> t.Any:
        """Return a variable's value, None where it cannot be worked out: that matters only to who asks for it."""
        try:
            return self._templar.template(value)
        except AnsibleError:
            return None

    @staticmethod
    def _usable(value: t.Any) -> bool:
        return isinstance(value, (str, int, float)) and not isinstance(value, bool)
