# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Documentation shared by the modules of this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that reach a cluster have in common."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - python >= 3.10
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0.1
notes:
  - Credentials are those of kubernetes.core, its C(K8S_AUTH_*) environment variables included.
  - The kubeconfig may also be text (YAML or JSON), and C(ca_cert) PEM text.
"""
