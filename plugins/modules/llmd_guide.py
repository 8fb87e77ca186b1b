#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Turn a guide of llm-d into a host's variables."""

from __future__ import annotations

DOCUMENTATION = r"""
module: llmd_guide
short_description: Turn a guide of llm-d into an inventory
version_added: 0.1.0
description:
  - Reads a guide's folder in a checkout of llm-d and writes the variables of a host, which the playbooks of this
    collection deploy. The guide's own kustomizations and values files are used where they are.
  - Guides from June 2026 on have model servers by kustomize and a router; those of spring 2026 have a helmfile.
  - Pages, C(guide.yaml), C(env.sh) and templates are read, never executed. What cannot be translated is reported with
    its file and line.
  - Files that this module did not write, or that were edited since, are left alone unless O(force=true).
  - A token is never written; it is taken from the environment's C(HF_TOKEN).
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
  guide:
    description: The guide's folder, as C(llm-d/guides/optimized-baseline).
    type: path
    required: true
  variant:
    description:
      - Which of the guide's model servers, as the folder below C(modelserver), for example C(gpu/vllm/base); of a
        helmfile the environment. By default the one that the guide's page deploys; RV(variants) has all.
    type: str
  mode:
    description:
      - Whether the router stands alone or is behind a Gateway. By default V(standalone) where the guide has it.
    type: str
    choices: [standalone, gateway]
  provider:
    description: The gateway provider, by default the one that the guide's page sets.
    type: str
  inventory_dir:
    description:
      - Folder of the inventory. C(hosts.yml) is written where there is none, and C(host_vars/HOST.yml). Without it
        nothing is written, and paths in RV(variables) are absolute.
    type: path
  host:
    description: Name of the inventory's host, which is a cluster; by default that of the guide's folder.
    type: str
  variables:
    description:
      - Variables of the environment, as you would export them before following the guide, for example
        C(ROUTER_CHART_VERSION) or C(NAMESPACE). They win over the guide's.
    type: dict
    default: {}
  force:
    description: Write over files that this module did not write, or that were edited since.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Import what a guide deploys by default as the cluster east
  llm_d.orchestrator.llmd_guide:
    guide: llm-d/guides/optimized-baseline
    inventory_dir: inventory
    host: east

- name: Import its SGLang servers behind a Gateway of Istio
  llm_d.orchestrator.llmd_guide:
    guide: llm-d/guides/optimized-baseline
    variant: gpu/sglang/base
    mode: gateway
    provider: istio
    inventory_dir: inventory
    host: east

- name: See which variants there are, and write nothing
  llm_d.orchestrator.llmd_guide:
    guide: llm-d/guides/pd-disaggregation
  register: guide
"""

RETURN = r"""
files:
  description: The files, whether each is changed, and what it holds.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /home/me/inventory/host_vars/east.yml
      summary: variables of east
      changed: true
variables:
  description: The host's variables.
  returned: success
  type: dict
  sample: {llm_d_namespace: llm-d-optimized-baseline, gaie_chart: llm-d-router-standalone}
variants:
  description: The guide's variants, the one that was taken first.
  returned: success
  type: list
  elements: str
  sample: [gpu/vllm/base, gpu/sglang/base, amd/vllm/base]
variant:
  description: The variant that was taken.
  returned: success
  type: str
  sample: gpu/vllm/base
mode:
  description: The mode that was taken.
  returned: success
  type: str
  sample: standalone
report:
  description:
    - What became of the guide's commands and settings, each entry with C(file), C(line), C(what) and C(why).
      C(untranslated) has no counterpart here, C(notes) are written otherwise than they stand, C(ignored) are no part
      of this stack, C(translated) has in C(why) the variables that it went to.
  returned: success
  type: dict
  sample:
    untranslated:
      - file: guides/flow-control/README.md
        line: 301
        what: kubectl apply -f objectives.yaml
        why: nothing takes objects beside a stack's own yet
summary:
  description: The report in lines for people.
  returned: success
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.run import import_guide
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.written import differences, write


def run(params: dict, check_mode: bool = False) -> dict:
    """Return the module's result; raises OrchestratorError where nothing can be imported."""
    imported = import_guide(
        params["guide"],
        os.path.abspath(params["inventory_dir"]) if params["inventory_dir"] else "",
        variant=params["variant"] or "",
        mode=params["mode"] or "",
        provider=params["provider"] or "",
        host=params["host"] or "",
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
        "variants": imported.variants,
        "variant": imported.variant,
        "mode": imported.mode,
        "report": imported.report,
        "summary": imported.summary,
    }


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode))


if __name__ == "__main__":
    main()
