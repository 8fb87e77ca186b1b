#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Module lab_binaries: the programs and definitions that a lab is made of."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_binaries
short_description: Find, download or build the programs of a lab
version_added: 0.1.0
author:
  - llm_d.orchestrator contributors (@llm-d)
description:
  - Supplies etcd, the Kubernetes control plane, kubectl, KWOK and Helm in pinned versions, and the definitions of
    Gateway API and its inference extension.
  - In this order, a tool is taken from O(binaries_dir), from E(PATH), from the user's cache, from its publisher (the
    checksum verified), or built with Go from its published module.
  - What is downloaded or built is kept in the cache, one folder per tool and version.
options:
  tools:
    description: Groups of tools that come in one version, as in the role's C(vars/main/tools.yml).
    type: list
    elements: dict
    required: true
  crds:
    description: Sets of definitions with the SHA-256 of each file, as in the role's C(vars/main/tools.yml).
    type: list
    elements: dict
    default: []
  binaries_dir:
    description:
      - A folder that holds the tools, or a copy of another machine's cache.
      - Tools in it whose version is not acceptable are passed over.
    type: path
  cache_dir:
    description: The cache; C(llm-d-orchestrator/bin) in E(XDG_CACHE_HOME) unless set.
    type: path
  mirror:
    description: A URL that serves the publishers' files as C(URL/HOST/PATH), asked instead of the publishers.
    type: str
  download:
    description: Whether to download.
    type: bool
    default: true
  build:
    description: Whether to build with Go.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what is missing and supplies nothing.
    support: full
  diff_mode:
    description: The module has no diff to show.
    support: none
"""

EXAMPLES = r"""
- name: Install the tools of a lab
  llm_d.orchestrator.lab_binaries:
    tools: "{{ _lab_tools }}"
    crds: "{{ _lab_crds }}"
    binaries_dir: /opt/lab-tools
"""

RETURN = r"""
binaries:
  description: Tool to path.
  type: dict
  returned: success
  sample: {helm: /home/me/.cache/llm-d-orchestrator/bin/helm-v3.19.4/helm}
sources:
  description: Tool to where it comes from, one of V(folder), V(PATH), V(cache), V(download), V(build).
  type: dict
  returned: success
  sample: {helm: cache}
versions:
  description: Tool or set of definitions to version.
  type: dict
  returned: success
  sample: {helm: v3.19.4, gateway-api-crds: v1.4.0}
crds:
  description: Folders of definitions.
  type: list
  elements: str
  returned: success
missing:
  description: What is still missing; empty except in check mode.
  type: list
  elements: str
  returned: success
notes:
  description: Tools that were passed over for their version, and downloads that were not possible.
  type: list
  elements: str
  returned: success
"""

import os
import pathlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.binaries import Binaries
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.progress import LabProgress
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.state import xdg_dir


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    cache = module.params["cache_dir"] or str(xdg_dir("XDG_CACHE_HOME", ".cache", os.environ) / "bin")
    # Another process than Ansible's can show nothing before its end.
    with LabProgress(getattr(module, "say", str)) as progress:
        return Binaries(module.params, pathlib.Path(cache), progress.say).obtain(module.check_mode)


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
