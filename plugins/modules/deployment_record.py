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
  - Writes C(record.json), C(record.md) and C(record.html) into a folder of the deployment's own, with inputs, chart
    versions, timed steps, verification results and outcome, after a failure too.
  - Keeps C(record.json) in a Secret of the stack's namespace as well, so that other machines find it.
  - What cannot be written is a warning. It never hides how the deployment ended.
  - Tokens, passwords, keys and the data of Secrets are masked.
  - It returns C(changed=false), since a record is not managed state.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Writes nothing; O(state=prepared) still finds a folder that cannot be written.
  diff_mode:
    support: none
    description: A record has nothing before it.
requirements:
  - Jinja2 >= 3.1, which ansible-core brings along, for the pages
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
    description: The cluster's variables; by default those of the host that are this collection's.
    type: dict
    default: {}
  planned:
    description:
      - What M(llm_d.orchestrator.stack_info) returned, of it C(stack), C(settled), and of C(plan) C(digest),
        C(inputs) and C(leftovers).
    type: dict
    default: {}
  removed:
    description: What was no longer wanted and was deleted, as RV(llm_d.orchestrator.stack_teardown#module:removed).
    type: list
    elements: str
    default: []
  pruned:
    description: Whether what is no longer wanted was deleted; C(leftovers) of the plan are recorded as such else.
    type: bool
    default: false
  diagnosis:
    description: What M(llm_d.orchestrator.stack_diagnosis) said of the failure.
    type: dict
    default: {}
  by:
    description: Who runs the deployment, by default as a job's variables have it; the rest is taken from the process.
    type: dict
    default: {}
    suboptions:
      user:
        description: Name of the user, by default the one of the process.
        type: str
      job:
        description: Job of AWX or Automation Controller, by default E(JOB_ID) where one of them runs it.
        type: str
  history:
    description:
      - How many records are kept in the stack's namespace; the oldest go. V(0) keeps none there.
      - The last success stays, in place of the oldest, where all newer ones failed.
    type: int
    default: 10
  collected:
    description: By component what its module returned, as C(results) of M(llm_d.orchestrator.release_jobs).
    type: dict
    default: {}
  verification:
    description: What M(llm_d.orchestrator.serving_info) returned.
    type: dict
    default: {}
  versions:
    description: Versions of more tools by name, beside those of this collection, Python, Helm and Kubernetes.
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
kept:
  description: The Secret that keeps the record, as NAMESPACE/NAME, empty where none does.
  returned: always
  type: str
  sample: llm-d/llm-d-orchestrator-record-20261121t083000z
summary:
  description:
    - How the deployment ended, for other jobs. Where AWX runs this one, it is left to later jobs of a workflow as the
      artifact C(llm_d_deployed), by cluster.
  returned: with O(state=present), except in check mode
  type: dict
  sample: {outcome: succeeded, started: 20261121T083000Z, namespace: llm-d, models: [qwen3-32b], record: records/east/1}
"""

import datetime
import os
import platform

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.files import prepare_directory
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.build import author, build
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.write import keep, write_files
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.write import VERSION


def run(params: dict, check_mode: bool = False) -> tuple[dict, list[str]]:
    """Return the module's result and what is to be warned of.

    Raises OrchestratorError where state=prepared or check mode finds a folder that cannot be written, and for a time
    that is none.
    """
    path = os.path.abspath(params["path"])
    if check_mode or params["state"] == "prepared":
        prepare_directory(path, dry=check_mode)
        return {"changed": False, "path": path, "files": [], "kept": ""}, []
    params = described(params, path)
    events = read_events(params["events_file"] or os.path.join(path, "events.jsonl"))
    try:
        record = build(params, events, datetime.datetime.now(datetime.timezone.utc))
    except ValueError as exc:
        raise OrchestratorError(f"started is {params['started']!r}, not a time as 20261121T083000Z.") from exc
    files, problems = write_files(record, path)
    kept, more = keep(record, params["started"], params.get("history") or 0, lambda: Cluster(params))
    result = {"changed": False, "path": path, "files": files, "kept": kept}
    return {**result, "summary": summary(params, result)}, problems + more


def described(params: dict, path: str) -> dict:
    """Return the options with what follows from others: all that a record is built of."""
    above, started = os.path.split(path)
    planned = params["planned"]
    stack, plan = planned.get("stack") or {}, planned.get("plan") or {}
    releases = [result.get("parts") or [] for result in params["collected"].values()]
    releases += (planned.get("settled") or {}).values()
    tools = {name: stack.get(name) or "unknown" for name in ("helm", "kubernetes")}
    versions = {"llm_d.orchestrator": VERSION, **tools, **(params.get("versions") or {})}
    return {
        **params,
        "cluster": params["cluster"] or os.path.basename(above),
        "started": params["started"] or started,
        "by": author(params.get("by") or {}, os.environ),
        "stack": stack,
        "plan_digest": plan.get("digest") or "",
        "approved_inputs": plan.get("inputs") or {},
        "removed": params.get("removed") if params.get("pruned") else [],
        "leftovers": [] if params.get("pruned") else plan.get("leftovers") or [],
        "releases": [row for rows in releases for row in rows if row.get("kind", "release") == "release"],
        "versions": {**versions, "python": platform.python_version()},
    }


def summary(params: dict, result: dict) -> dict:
    """Return how a deployment ended, for other jobs. params: as described() returns them."""
    stack = params["stack"]
    return {
        "outcome": params["outcome"],
        "started": stack.get("started") or "",
        "namespace": stack.get("namespace") or "",
        "models": [model["name"] for model in stack.get("models") or []],
        "plan_digest": params["plan_digest"],
        "leftovers": [f"{row['kind']} {row['namespace']}/{row['name']}" for row in params["leftovers"]],
        "record": f"Secret {result['kept']}" if result["kept"] else result["path"],
    }


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    result, warnings = run(module.params, module.check_mode)
    for warning in warnings:
        module.warn(warning)
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
