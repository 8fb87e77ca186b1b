# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup credentials."""

from __future__ import annotations

DOCUMENTATION = r"""
name: credentials
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: A host's credentials, as options of this collection's modules
description:
  - Returns the options by which the modules of the action group C(llm_d.orchestrator.cluster) reach the host's
    cluster, from its variables C(llm_d_kubeconfig), C(llm_d_context), C(llm_d_api_host), C(llm_d_api_token),
    C(llm_d_api_ca_cert) and C(llm_d_api_verify).
  - Variables that are not set, or empty, give no option. Without any, the rules of kubernetes.core hold.
  - What it returns may hold secrets.
options:
  _terms:
    description: Takes none.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Name the cluster's credentials once
  hosts: all
  module_defaults:
    group/llm_d.orchestrator.cluster: "{{ lookup('llm_d.orchestrator.credentials') }}"
  tasks:
    - name: Look at a deployment
      llm_d.orchestrator.stack_status:
        namespaces: [llm-d]
"""

RETURN = r"""
_list:
  description: One map of module options.
  type: list
  elements: dict
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import VARIABLES, options


class LookupModule(LookupBase):
    """Reads the host's variables."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[dict]:
        """Return one map of options."""
        self.set_options(var_options=variables, direct=kwargs)
        found = {name: variables[name] for name in VARIABLES if name in (variables or {})}
        return [options({name: self._templar.template(value) for name, value in found.items()})]
