#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Module lab_machines: machines to try playbooks on, without virtualization or Docker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_machines
short_description: Run a lab of Debian machines on this host
version_added: 0.1.0
author:
  - llm_d.orchestrator contributors (@llm-d)
description:
  - Makes a Debian root file system with mmdebstrap, once for each choice of packages, and boots machines from it with
    systemd-nspawn. Each has its own files, systemd, network address and ssh server.
  - The machines share a bridge in a network namespace of their own, which one cable joins to this host.
  - Needs root. Where the host has been restarted, V(present) boots the machines again with their data.
options:
  name:
    description: The lab's name, 1 to 20 lower-case letters, digits and hyphens, beginning with a letter.
    type: str
    default: machines
  state:
    description:
      - V(present) makes and boots the machines, and removes those that are no longer listed.
      - V(verified) changes nothing and fails where a machine is off.
      - V(absent) removes all that the lab has made, but for the base image in the cache.
    type: str
    choices: [present, verified, absent]
    default: present
  hosts:
    description: The machines, in the order of their addresses.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The machine's name, as V(name) of the lab.
        type: str
        required: true
      groups:
        description: Its groups in the inventory.
        type: list
        elements: str
        default: []
      variables:
        description: Its variables in the inventory.
        type: dict
        default: {}
  packages:
    description: Packages that are in the base image besides those that boot it, with their services disabled.
    type: list
    elements: str
    default: []
  suite:
    description: The release of Debian.
    type: str
    default: bookworm
  mirror:
    description: The mirror of Debian; the one that apt of this host uses for that release, or Debian's own, unless set.
    type: str
    default: ""
  outside:
    description: Whether the machines reach what this host reaches, by network address translation.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what would be done.
    support: full
  diff_mode:
    description: The module has no diff to show; RV(actions) says what was done.
    support: none
"""

EXAMPLES = r"""
- name: Boot two machines
  llm_d.orchestrator.lab_machines:
    name: try
    hosts:
      - {name: m1, groups: [orchestrator_postgres]}
      - {name: m2, groups: [orchestrator_api]}

- name: Remove them
  llm_d.orchestrator.lab_machines:
    name: try
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode.
  type: list
  elements: str
  returned: success
network:
  description: The lab's network; this host has the first address of it.
  type: str
  returned: when O(state) is not V(absent)
addresses:
  description: Machine to address.
  type: dict
  returned: when O(state) is not V(absent)
inventory:
  description: Path of the lab's inventory.
  type: str
  returned: when O(state) is not V(absent)
ssh_config:
  description: Path of a configuration by which C(ssh -F) reaches the machines by name.
  type: str
  returned: when O(state) is not V(absent)
state_dir:
  description: The lab's folder.
  type: str
  returned: when O(state) is not V(absent)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine_lab import MachineLab


def run(params: dict, check_mode: bool) -> dict:
    """Return the module's result; raises OrchestratorError."""
    lab = MachineLab(params["name"])
    if params["state"] == "verified":
        return lab.verified()
    with lab.lock():
        return lab.absent(check_mode) if params["state"] == "absent" else lab.present(params, check_mode)


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode))


if __name__ == "__main__":
    main()
