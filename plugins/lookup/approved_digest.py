# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup approved_digest."""

from __future__ import annotations

DOCUMENTATION = r"""
name: approved_digest
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: The digest that was approved for a cluster
description:
  - Returns what the plan's job of an AWX workflow set for this host, else C(llm_d_approved_digest), a digest or a map
    of each host to its own, also where that is written as text, JSON or C(host=digest, host=digest), as surveys of AWX
    want it; empty where neither is set.
options:
  _terms:
    description: Takes none.
    type: list
    elements: str
  own:
    description: Whether to return this host's digest out of a map, empty where it has none.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show it
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.approved_digest', own=true) }}"
"""
RETURN = r"""
_raw:
  description: The digest, or a map.
  type: list
  elements: raw
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import digest_variable, digests


class LookupModule(LookupBase):
    """Reads two variables."""

    def run(
        self, terms: list[str], variables: dict | None = None, *, own: bool = False, **kwargs: t.Any
    ) -> list[t.Any]:
        """Return the digest."""
        known = variables or {}
        host = str(known.get("inventory_hostname") or "")
        name = digest_variable(host)
        given = digests(self._templar.template(known.get(name if name in known else "llm_d_approved_digest") or ""))
        if own and isinstance(given, dict):
            given = given.get(host) or ""
        return [given or ""]
