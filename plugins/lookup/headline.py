# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup headline."""

from __future__ import annotations

DOCUMENTATION = r"""
name: headline
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What a failed task shows of a message that the end of the run has in full
description:
  - The first line of a message where P(llm_d.orchestrator.progress#callback) shows all of it after the recap.
  - The whole message with C(-v), where standard output is for programs, and where that callback does not run.
options:
  _terms:
    description: The message.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Fail with what was found
  ansible.builtin.fail:
    msg: "{{ lookup('llm_d.orchestrator.headline', stack_plan.msg) }}"
  when: stack_plan.msg is defined
"""

RETURN = r"""
_raw:
  description: The message or its first line.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import told_at_the_end


class LookupModule(LookupBase):
    """Shortens what is told later."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[str]:
        """Return the message of each term, or its first line."""
        self.set_options(var_options=variables, direct=kwargs)
        short = told_at_the_end()
        return [str(term).strip().partition("\n")[0] if short else str(term) for term in terms]
