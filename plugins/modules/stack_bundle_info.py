#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Render a cluster's stack for a bundle: its charts, manifests, values and images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_bundle_info
short_description: Render a cluster's stack for a bundle
version_added: 0.1.0
description:
  - Works out a stack as M(llm_d.orchestrator.stack_info) does, fetches its charts and renders them.
  - Renders for the cluster where it answers, and for O(kube_version) otherwise, which a warning tells.
  - Reports all mistakes of the inputs and values at once. Images stay as the charts have them.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
  - llm_d.orchestrator.stack
attributes:
  check_mode:
    support: full
    description: Runs as ever.
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  kube_version:
    description: Version of Kubernetes that charts are rendered for where no cluster answers.
    type: str
"""

EXAMPLES = r"""
- name: Render the stack
  llm_d.orchestrator.stack_bundle_info:
    cluster_name: "{{ inventory_hostname }}"
    namespace: llm-d
    models: "{{ llm_d_models }}"
    components: "{{ lookup('llm_d.orchestrator.components', 'settings') }}"
    options: "{{ lookup('llm_d.orchestrator.components', 'options') }}"
    providers_dir: roles/gateway/files/providers
  register: rendered
"""

RETURN = r"""
part:
  description: One of O(llm_d.orchestrator.stack_bundle#module:parts).
  returned: success
  type: dict
  contains:
    host: {description: As given., type: str, sample: prod}
    namespace: {description: Namespace of the stack., type: str, sample: llm-d}
    kubernetes: {description: Version that was rendered for., type: str, sample: v1.34.4}
    cluster: {description: Whether the cluster answered., type: bool, sample: true}
    releases: {description: "Per release its chart, manifest, values and images.", type: list, elements: dict}
    objects: {description: "Per part that is applied without Helm its manifest and images.", type: list, elements: dict}
    notes: {description: What else is worth knowing., type: list, elements: str}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle.make import make_part
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.registry import registry_access
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.options import STACK_OPTIONS


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result."""
    with registry_access(module.params):
        part = make_part(module.params)
    for note in part["notes"]:
        module.warn(note)
    return {"changed": False, "part": part}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out, {"password": True}, [STACK_OPTIONS])


if __name__ == "__main__":
    main()
