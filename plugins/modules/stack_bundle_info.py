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
  cluster_name:
    description: Name of the cluster in the bundle, such as its inventory host.
    type: str
    required: true
  namespace:
    description: Namespace of the stack.
    type: str
    required: true
  models:
    description: As O(llm_d.orchestrator.stack_info#module:models). Likewise the next five.
    type: raw
  gateway:
    description: Settings of the role P(llm_d.orchestrator.gateway#role).
    type: dict
    required: true
  gaie:
    description: Settings of the role P(llm_d.orchestrator.gaie#role).
    type: dict
    required: true
  modelservice:
    description: Settings of the role P(llm_d.orchestrator.modelservice#role).
    type: dict
    required: true
  httproute:
    description: Settings of the role P(llm_d.orchestrator.httproute#role).
    type: dict
    required: true
  pool_charts:
    description: As O(llm_d.orchestrator.stack_info#module:pool_charts).
    type: dict
    required: true
  prepare:
    description: Settings of the role P(llm_d.orchestrator.prepare#role), without its token.
    type: dict
    required: true
  search_paths:
    description: Folders that relative values files are looked up in, in order.
    type: list
    elements: str
    default: []
  providers_dir:
    description: Folder of the gateway providers' files.
    type: path
    required: true
  helm_binary:
    description: Path or name of Helm.
    type: str
  chart_cache:
    description: Folder in which fetched charts are kept, by default below the user's cache directory.
    type: path
  plain_http:
    description: Reach OCI registries without TLS.
    type: bool
    default: false
  registry_logins:
    description: As O(llm_d.orchestrator.stack_info#module:registry_logins).
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The registry, as C(HOST[:PORT]).
        type: str
        required: true
      username:
        description: Name of the user.
        type: str
        required: true
      password:
        description: Password or token.
        type: str
        required: true
  registry_ca:
    description: As O(llm_d.orchestrator.stack_info#module:registry_ca).
    type: path
  unknown_keys:
    description: What to make of keys that a chart without a schema never reads.
    type: str
    choices: [error, warn]
    default: error
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
    gateway: "{{ lookup('llm_d.orchestrator.role_settings', 'gateway') }}"
    gaie: "{{ lookup('llm_d.orchestrator.role_settings', 'gaie') }}"
    modelservice: "{{ lookup('llm_d.orchestrator.role_settings', 'modelservice') }}"
    httproute: "{{ lookup('llm_d.orchestrator.role_settings', 'httproute') }}"
    prepare: "{{ lookup('llm_d.orchestrator.role_settings', 'prepare') }}"
    pool_charts: {}
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
    prepare: {description: Manifest and images of what is made before the releases., type: dict}
    routes: {description: Manifest of the routes., type: str}
    notes: {description: What else is worth knowing., type: list, elements: str}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle.make import make_part
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.registry import LOGINS, registry_access
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import cluster_argument_spec


def argument_spec() -> dict:
    """Return the module's options."""
    names = ("gateway", "gaie", "modelservice", "httproute", "pool_charts", "prepare")
    return cluster_argument_spec(
        cluster_name={"type": "str", "required": True},
        namespace={"type": "str", "required": True},
        models={"type": "raw"},
        **{name: {"type": "dict", "required": True} for name in names},
        search_paths={"type": "list", "elements": "str", "default": []},
        providers_dir={"type": "path", "required": True},
        helm_binary={"type": "str"},
        chart_cache={"type": "path"},
        plain_http={"type": "bool", "default": False},
        registry_logins=LOGINS,
        registry_ca={"type": "path"},
        unknown_keys={"type": "str", "choices": ["error", "warn"], "default": "error"},
        kube_version={"type": "str"},
    )


def carry_out(module: AnsibleModule) -> None:
    """Run with a module's parameters and end it with the result."""
    try:
        with registry_access(module.params):
            part = make_part(module.params)
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc))
    for note in part["notes"]:
        module.warn(note)
    module.exit_json(changed=False, part=part)


def main() -> None:
    """Run the module."""
    carry_out(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
