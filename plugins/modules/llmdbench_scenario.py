#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Turn a scenario of llm-d-benchmark into a host's variables and values files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: llmdbench_scenario
short_description: Turn a scenario of llm-d-benchmark into an inventory
version_added: 0.1.0
description:
  - Reads a C(scenarios/*.sh) file of llm-d-benchmark (v0.2 to v0.5) and writes the variables of a host and the values
    files of its models and pools, which the playbooks of this collection deploy.
  - The file is parsed, never executed. What only running it could tell is reported with its line, and not guessed.
  - Files that this module did not write, or that were edited since, are left alone unless O(force=true).
  - A token is never written; the report says where it belongs.
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: full
    description: Shows what differs in each file.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  scenario:
    description: The scenario's file. Templates that it names are looked for beside it and in the repository around it.
    type: path
    required: true
  inventory_dir:
    description: Folder of the inventory. C(hosts.yml) is written where there is none, and C(host_vars/HOST.yml).
    type: path
    required: true
  host:
    description: Name of the inventory's host, which is a cluster; by default made from the scenario's file name.
    type: str
  values_dir:
    description:
      - Folder of the values files, by default C(values/HOST) beside O(inventory_dir), since Ansible reads every YAML
        file inside an inventory's folder as inventory.
    type: path
  variables:
    description: Variables that are set before the scenario is read, as C(LLMDBENCH_NAME) by name. The scenario's win.
    type: dict
    default: {}
  force:
    description: Write over files that this module did not write, or that were edited since.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Import a scenario as the cluster east
  llm_d.orchestrator.llmdbench_scenario:
    scenario: llm-d-benchmark/scenarios/guides/inference-scheduling.sh
    inventory_dir: inventory
    host: east

- name: See what a scenario asks for, and write nothing
  llm_d.orchestrator.llmdbench_scenario:
    scenario: llm-d-benchmark/scenarios/guides/pd-disaggregation.sh
    inventory_dir: inventory
    variables:
      LLMDBENCH_VLLM_COMMON_NAMESPACE: llm-d
  check_mode: true
"""

RETURN = r"""
files:
  description: The files, whether each is changed, and what it holds.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /home/me/values/east/qwen3-32b.yaml
      summary: llm-d-modelservice values of Qwen/Qwen3-32B
      changed: true
variables:
  description: The host's variables.
  returned: success
  type: dict
  sample: {llm_d_namespace: llmdbench, gateway_provider: istio}
report:
  description:
    - What became of the scenario, each entry with its C(line). C(translated) has the C(keys) that a variable went to;
      C(ignored) the reason; C(unknown) variables that nothing knows; C(untranslatable) statements and the C(variables)
      that they affect; C(changed) settings that are dropped or written otherwise, and why; C(defaults) the benchmark's
      own defaults that were taken.
  returned: success
  type: dict
  sample:
    translated: [{line: 12, variable: LLMDBENCH_DEPLOY_MODEL_LIST, keys: [llm_d_models]}]
    untranslatable: [{line: 30, what: "$(date)", why: a command's output is known only where it runs, variables: [A]}]
summary:
  description: The report in lines for people.
  returned: success
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.scenarios.run import import_scenario
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.written import differences, write


def run(params: dict, check_mode: bool = False) -> dict:
    """Return the module's result; raises OrchestratorError where nothing can be imported."""
    imported = import_scenario(
        os.path.abspath(params["scenario"]),
        os.path.abspath(params["inventory_dir"]),
        host=params["host"] or "",
        values_dir=params["values_dir"] or "",
        variables={str(key): str(value) for key, value in params["variables"].items()},
        force=params["force"],
    )
    if not check_mode:
        write(imported.files)
    changed = [file for file in imported.files if file.changed]
    return {
        "changed": bool(changed),
        "diff": differences(imported.files),
        "files": [{"path": file.path, "summary": file.summary, "changed": file.changed} for file in imported.files],
        "variables": imported.variables,
        "report": imported.report,
        "summary": imported.summary,
    }


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode))


if __name__ == "__main__":
    main()
