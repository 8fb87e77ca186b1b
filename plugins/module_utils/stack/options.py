# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The options by which modules take a stack, documented here once; doc_fragments/stack.py shows them to ansible-doc."""

from __future__ import annotations

STACK_OPTIONS = r"""
options:
  components:
    description:
      - The settings of each component of the component table, by its name; a setting is a variable of the component's
        role without the prefix. The lookup P(llm_d.orchestrator.components#lookup) gives them.
    type: dict
    required: true
  options:
    description:
      - By component, what the C(argument_specs) of its role define for each setting, C(type) and C(choices), by which
        settings are checked.
    type: dict
    default: {}
  namespace:
    description: Namespace of the stack.
    type: str
    required: true
  models:
    description:
      - List of models, each with a release, a pool and a route; the variable C(llm_d_models). See C(docs/variables.md).
    type: raw
  search_paths:
    description: Folders to search for relative values files, in order.
    type: list
    elements: str
    default: []
  providers_dir:
    description: Folder of the gateway providers' files.
    type: path
    required: true
  cluster_name:
    description: Name of the cluster in the inventory; its records are found by it.
    type: str
    default: ""
  kustomize_binary:
    description: kustomize or kubectl, by default the one on C(PATH). Needed for kustomizations only.
    type: path
  helm_binary:
    description: Helm, by default the one on C(PATH).
    type: str
  chart_cache:
    description: Folder of fetched charts, by default below the user's cache directory.
    type: path
  plain_http:
    description:
      - Reach OCI registries without TLS. Registries on this machine's loopback addresses are tried both ways anyway.
    type: bool
    default: false
  registry_logins:
    description: Logins for OCI registries of charts, in addition to those of C(helm registry login).
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
    description: File of certificate authorities for OCI registries of charts, in addition to the system's.
    type: path
  unknown_keys:
    description: Whether keys that a chart without a schema never reads are errors or warnings.
    type: str
    choices: [error, warn]
    default: error
"""
