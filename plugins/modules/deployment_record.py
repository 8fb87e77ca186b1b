#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Write the record of a deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_record
short_description: Write the record of a deployment
version_added: 0.1.0
description:
  - Writes C(record.json) and C(record.md) into a folder of the deployment's own, with inputs, chart versions, timed
    steps, verification results and outcome, after a failure too.
  - Tokens, passwords, keys and the data of Secrets are masked.
  - It says C(changed=false), since a record is no part of what is managed.
attributes:
  check_mode:
    support: full
    description: Writes nothing; O(state=prepared) still finds a folder that cannot be written.
  diff_mode:
    support: none
    description: A record has nothing before it.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  state:
    description: V(prepared) makes the folder and proves that it can be written, V(present) writes the record.
    type: str
    choices: [prepared, present]
    default: present
  path:
    description: Folder of this deployment, usually C(RECORDS/CLUSTER/TIME).
    type: path
    required: true
  cluster:
    description: Name of the cluster; by default the name of the folder above O(path).
    type: str
  started:
    description: When the deployment began, as C(20261121T083000Z); by default the last part of O(path).
    type: str
  outcome:
    description: How it ended.
    type: str
    choices: [succeeded, failed]
    default: succeeded
  failure:
    description: What failed.
    type: dict
    suboptions:
      component:
        description: Component that failed.
        type: str
      text:
        description: Its error.
        type: str
  inputs:
    description: The cluster's variables.
    type: dict
    default: {}
  stack:
    description: The stack that M(llm_d.orchestrator.stack_info) worked out.
    type: dict
    default: {}
  plan_digest:
    description: Digest of the plan that was deployed, by which its file is found again.
    type: str
    default: ""
  releases:
    description: Entries of what M(llm_d.orchestrator.helm_releases) returned as RV(ignore:releases).
    type: list
    elements: dict
    default: []
  verification:
    description: What M(llm_d.orchestrator.probe) returned.
    type: dict
    default: {}
  versions:
    description: Versions of the tools by name.
    type: dict
    default: {}
  events_file:
    description: Timed steps as JSON lines; by default C(events.jsonl) in O(path).
    type: path
"""

EXAMPLES = r"""
- name: Prove that the record can be written
  llm_d.orchestrator.deployment_record:
    state: prepared
    path: records/east/20261121T083000Z

- name: Write the record
  llm_d.orchestrator.deployment_record:
    path: records/east/20261121T083000Z
    outcome: failed
    failure:
      component: gaie
      text: Deployment llm-d/gaie-qwen3-32b-epp has no ready replica.
"""

RETURN = r"""
path:
  description: The folder of the record.
  returned: always
  type: str
  sample: /home/user/records/east/20261121T083000Z
files:
  description: The files that were written, in check mode none.
  returned: always
  type: list
  elements: str
"""

import datetime
import json
import os
import platform

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record import (
    build,
    markdown,
    prepare_directory,
    write_atomic,
)


def argument_spec() -> dict:
    """Return the module's options."""
    return {
        "state": {"type": "str", "choices": ["prepared", "present"], "default": "present"},
        "path": {"type": "path", "required": True},
        "cluster": {"type": "str"},
        "started": {"type": "str"},
        "outcome": {"type": "str", "choices": ["succeeded", "failed"], "default": "succeeded"},
        "failure": {"type": "dict", "options": {"component": {"type": "str"}, "text": {"type": "str"}}},
        "inputs": {"type": "dict", "default": {}},
        "stack": {"type": "dict", "default": {}},
        "plan_digest": {"type": "str", "default": ""},
        "releases": {"type": "list", "elements": "dict", "default": []},
        "verification": {"type": "dict", "default": {}},
        "versions": {"type": "dict", "default": {}},
        "events_file": {"type": "path"},
    }


def run(params: dict, check_mode: bool = False) -> dict:
    """Return the module's result; raises OrchestratorError where the folder cannot be written."""
    path = os.path.abspath(params["path"])
    prepare_directory(path, dry=check_mode)
    if check_mode or params["state"] == "prepared":
        return {"changed": False, "path": path, "files": []}
    above, started = os.path.split(path)
    params = {
        **params,
        "cluster": params["cluster"] or os.path.basename(above),
        "started": params["started"] or started,
        "versions": {**(params.get("versions") or {}), "python": platform.python_version()},
    }
    events = read_events(params["events_file"] or os.path.join(path, "events.jsonl"))
    try:
        record = build(params, events, datetime.datetime.now(datetime.timezone.utc))
    except ValueError as exc:
        raise OrchestratorError(f"started is {params['started']!r}, not a time as 20261121T083000Z.") from exc
    texts = {"record.json": json.dumps(record, indent=2, default=str) + "\n", "record.md": markdown(record)}
    files = [os.path.join(path, name) for name in texts]
    for file, text in zip(files, texts.values(), strict=True):
        write_atomic(file, text)
    return {"changed": False, "path": path, "files": files}


def carry_out(module: AnsibleModule) -> None:
    """Run with a module's parameters and end it with the result."""
    try:
        result = run(module.params, module.check_mode)
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


def main() -> None:
    """Run the module."""
    carry_out(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
