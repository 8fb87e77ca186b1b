# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup consent."""

from __future__ import annotations

DOCUMENTATION = r"""
name: consent
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What the clusters of a wave ask the user at the terminal
description:
  - Reads the fact C(consent_asked) of each host of the wave, which the private role C(consent) sets.
options:
  _terms:
    description:
      - V(attended) for whether a user may be at the terminal, which is not so in jobs of AWX and without a terminal;
        V(prompt) for O(question) below the lines of all clusters; V(questions) for the questions of all clusters.
    type: list
    elements: str
    choices: [attended, prompt, questions]
    required: true
  question:
    description: What is asked, of one cluster.
    type: str
    default: ""
  for_several:
    description: What is asked of several, by default the same.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Ask
  ansible.builtin.pause:
    prompt: "{{ lookup('llm_d.orchestrator.consent', 'prompt', question='Type yes') }}"
  when: lookup('llm_d.orchestrator.consent', 'attended')
"""
RETURN = r"""
_raw:
  description: Whether, the text, or the questions.
  type: list
  elements: raw
"""

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import attended
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import Ending


class LookupModule(LookupBase):
    """Reads what the hosts of the wave ask."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return what the term names."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        hosts = [known["hostvars"][name] for name in known.get("ansible_play_batch") or []]
        asked = [host["consent_asked"] for host in hosts if host.get("consent_asked")]
        if terms == ["attended"]:
            return [attended(os.environ) and Ending.interactive]
        if terms == ["questions"]:
            return [question for one in asked for question in one.get("questions", [])]
        if terms == ["prompt"]:
            shown = [one["lines"] for one in asked if one.get("lines")]
            several = len(shown) > 1 and self.get_option("for_several")
            lines = [line for one in shown for line in [*one, ""]]
            return ["\n".join([*lines, several or self.get_option("question")])]
        raise AnsibleError(f"consent accepts one of attended, prompt and questions, not {terms}")
