#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Work out what AWX is to have."""

from __future__ import annotations

DOCUMENTATION = r"""
module: awx_objects_info
short_description: Work out what AWX is to have
version_added: 0.1.0
description:
  - Joins descriptions of objects in AWX, checks them, and returns them as lists of arguments for the modules of the
    collection C(awx.awx).
  - Makes surveys from the argument specifications of roles, and workflows from short lists of nodes.
  - Reports all mistakes at once. AWX itself is not reached.
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
  objects:
    description:
      - Descriptions, each a map of kinds to maps of objects by their keys. The later is put over the earlier; null
        takes an object out.
    type: list
    elements: dict
    required: true
  prefix:
    description: Begins the name of each object.
    type: str
    default: ""
  roles_dir:
    description: Folder of the roles whose options surveys ask for.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Work out what AWX is to have
  llm_d.orchestrator.awx_objects_info:
    objects:
      - projects:
          playbooks: {scm_type: git, scm_url: https://git.example.com/llm-d.git}
    prefix: llm-d
    roles_dir: roles
  register: wanted
"""

RETURN = r"""
objects:
  description:
    - For each kind a list of arguments, with the object's C(key). Besides the kinds of O(objects) there are
      C(inventory_sources), C(nodes), C(links), C(removed_nodes) and C(grants).
  returned: success
  type: dict
  sample: {"projects": [{"key": "playbooks", "name": "llm-d playbooks", "scm_type": "git"}]}
"""

import glob
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.awx.objects import awx_objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.plain_yaml import load


def roles_options(folder: str) -> dict:
    """Return the options of the main entry of all roles of a folder, by name, with the roles' defaults."""
    found: dict = {}
    for role in sorted(glob.glob(os.path.join(folder, "*", "meta", "argument_specs.yml"))):
        options = _loaded(role)["argument_specs"].get("main", {}).get("options", {})
        # A specification has no default where that is an expression for a number.
        defaults = _loaded(os.path.join(os.path.dirname(role), "..", "defaults", "main.yml"))
        found.update({name: {"default": defaults.get(name), **option} for name, option in options.items()})
    return found


def _loaded(path: str) -> dict:
    """Return what a YAML file holds, {} where there is none."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return load(file) or {}


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    options = roles_options(module.params["roles_dir"])
    return {"objects": awx_objects(module.params["objects"], module.params["prefix"], options)}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
