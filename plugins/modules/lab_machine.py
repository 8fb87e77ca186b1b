#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Module lab_machine: faults of one machine of a lab."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_machine
short_description: Kill, boot or disconnect a machine of a lab
version_added: 0.1.0
author:
  - llm_d.orchestrator contributors (@llm-d)
description:
  - Gives a machine that M(llm_d.orchestrator.lab_machines) has made a fault, or takes it away. Needs root.
options:
  lab:
    description: The lab's name.
    type: str
    default: machines
  name:
    description: The machine's name.
    type: str
    required: true
  state:
    description:
      - V(killed) cuts its power, V(stopped) shuts it down in order, V(booted) switches it on and waits for ssh.
      - Left as it is unless set.
    type: str
    choices: [booted, killed, stopped]
  cut_from:
    description:
      - Machines that it does not reach, nor they it. This host still reaches it. C([]) connects it again.
      - Left as it is unless set.
    type: list
    elements: str
attributes:
  check_mode:
    description: Says what would be done.
    support: full
  diff_mode:
    description: The module has no diff to show; RV(actions) says what was done.
    support: none
"""

EXAMPLES = r"""
- name: Cut the power of a machine
  llm_d.orchestrator.lab_machine:
    lab: try
    name: m1
    state: killed
  delegate_to: localhost

- name: Boot it again, out of reach of another one
  llm_d.orchestrator.lab_machine:
    lab: try
    name: m1
    state: booted
    cut_from: [m2]
  delegate_to: localhost
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode.
  type: list
  elements: str
  returned: success
address:
  description: The machine's address.
  type: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine_lab import MachineLab
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.programs import require_machines


def run(params: dict, check_mode: bool) -> dict:
    """Return the module's result; raises OrchestratorError."""
    require_machines()
    lab = MachineLab(params["lab"])
    with lab.lock():
        return lab.set_machine(params["name"], params["state"], params["cut_from"], check_mode)


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode))


if __name__ == "__main__":
    main()
