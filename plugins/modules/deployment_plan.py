#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Write the plan of a deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_plan
short_description: Write the plan of a deployment
version_added: 0.1.0
description:
  - Writes the plan that M(llm_d.orchestrator.stack_info) made as C(plan.json) and, to read, as C(plan.md) into a folder
    of the plan's own, C(DIRECTORY/CLUSTER/TIME), and points the link C(latest) beside it there.
  - Returns a summary for the screen, with the command that deploys the plan.
  - Tokens, passwords, keys and the data of Secrets are masked. The files are their owner's alone.
  - It returns C(changed=false), since a plan is not managed state.
attributes:
  check_mode:
    support: full
    description: Writes nothing, and says what it would write.
  diff_mode:
    support: none
    description: The plan itself holds the differences.
requirements:
  - Jinja2 >= 3.1, which ansible-core brings along, for the pages
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  state:
    description:
      - V(present) writes the plan, V(shown) only returns the summary.
      - V(answered) takes the answers to the plan's open questions, and fails where one lacks, naming the variable.
    type: str
    choices: [present, shown, answered]
    default: present
  plan:
    description: The plan that M(llm_d.orchestrator.stack_info) returned.
    type: dict
    required: true
  directory:
    description: Folder of all plans. Required with O(state=present).
    type: path
  cluster:
    description: Name of the cluster, usually the inventory's.
    type: str
    required: true
  environment:
    description: With V(production) the command names the digest that it approves.
    type: str
    default: ""
  answers:
    description:
      - With O(state=answered), what M(ansible.builtin.pause) returned for the questions of all clusters, each with its
        entry of RV(prompts) as C(item), and C(user_input).
    type: list
    elements: dict
    default: []
  approve:
    description: With V(prompt) the user must be asked whenever something changes, not only if consent is missing.
    type: str
    choices: [auto, prompt]
    default: auto
  artifacts:
    description: Whether RV(artifacts) are returned, by default where AWX runs the playbook in a job.
    type: bool
  arguments:
    description:
      - Arguments of the running C(ansible-playbook), of which the next command is made.
      - By default the running command's own; what looks secret in them is masked.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Write the plan
  llm_d.orchestrator.deployment_plan:
    plan: "{{ stack_plan.plan }}"
    directory: plans
    cluster: "{{ inventory_hostname }}"
  register: written
"""

RETURN = r"""
digest:
  description: The plan's digest, by which it is approved.
  returned: success
  type: str
  sample: sha256:3f786850e387550fdab836ed7e6dc881de23001b9c1b5a9d3c3f7b8a5b0a1f0c
path:
  description: The file plan.json, empty with O(state=shown).
  returned: success
  type: str
  sample: /home/user/plans/east/20261121T083000Z/plan.json
files:
  description: The files that were written, in check mode none.
  returned: success
  type: list
  elements: str
  sample: []
latest:
  description: The link to the folder of the newest plan, empty where nothing was written.
  returned: success
  type: str
  sample: /home/user/plans/east/latest
summary:
  description: The plan in lines for a screen.
  returned: success
  type: list
  elements: str
  sample: ["Plan for east: namespace llm-d on Kubernetes v1.34.4"]
changes:
  description: How many objects would change.
  returned: success
  type: int
  sample: 14
cluster:
  description: Name of the cluster.
  returned: success
  type: str
  sample: east
decisions:
  description: What was decided, with O(state=answered).
  returned: success
  type: dict
  sample: {Gateway/llm-d/gateway: reuse}
grants:
  description: The variables that give the consents that are missing.
  returned: success
  type: dict
  sample: {llm_d_consent: [replace]}
consents:
  description: The consents that are missing, as they are in the plan.
  returned: success
  type: list
  elements: dict
  sample: []
questions:
  description: The questions that are open, as they are in the plan.
  returned: success
  type: list
  elements: dict
  sample: []
prompts:
  description: The same questions as they are asked on a terminal, with C(cluster), C(id) and C(prompt).
  returned: success
  type: list
  elements: dict
  sample: []
unwanted:
  description: What is no longer wanted and is deleted where somebody consents, in lines for a screen.
  returned: success
  type: list
  elements: str
  sample: []
to_approve:
  description: Whether the user must be asked.
  returned: success
  type: bool
refusal:
  description: What to say where the plan is not approved.
  returned: success
  type: str
artifacts:
  description: What later jobs of a workflow get as extra variables, empty unless O(artifacts).
  returned: success
  type: dict
  sample: {}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import next_command
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, digest_artifacts, in_job, left
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.approval import answered, refusal, to_approve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.document import (
    changes,
    grants,
    missing_consents,
    open_questions,
    prompts,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.file import (
    PAGE,
    PLAN,
    check_writable,
    link_latest,
    masked_plan,
    plan_text,
    write_files,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.page import plan_page
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.screen import summary, unwanted_lines

PRODUCTION = "production"


def run(params: dict, check_mode: bool = False) -> dict:
    """Return the module's result; raises OrchestratorError where the plan cannot be written, or an answer lacks."""
    plan = {**params["plan"], "cluster": {**(params["plan"].get("cluster") or {}), "host": params["cluster"]}}
    decisions = answered(plan, _typed(params)) if params["state"] == "answered" else {}
    folder = _folder(params, plan)
    command = _command(params, plan, folder)
    files: list[str] = []
    if folder and check_mode:
        check_writable(folder)
    elif folder:
        texts = {PLAN: plan_text(plan), PAGE: plan_page(plan, name=params["cluster"], command=command)}
        files = write_files(folder, texts)
    where = {"path": os.path.join(folder, PLAN), "page": os.path.join(folder, PAGE), "written": bool(files)}
    reachable = folder and not in_job(os.environ)
    shown = masked_plan(plan)
    return {
        "changed": False,
        "digest": plan["digest"],
        "path": where["path"] if folder else "",
        "files": files,
        "latest": link_latest(folder) if files else "",
        "summary": summary(shown, name=params["cluster"], files=where if reachable else None, command=command),
        "cluster": params["cluster"],
        "decisions": decisions,
        "changes": len(changes(plan)),
        "grants": grants(plan),
        "consents": missing_consents(shown),
        "questions": open_questions(shown),
        "prompts": [{"cluster": params["cluster"], **row} for row in prompts(shown, params["cluster"])],
        "unwanted": unwanted_lines(shown, params["cluster"]),
        "to_approve": to_approve(plan, prompt=params["approve"] == "prompt"),
        "refusal": refusal(plan),
        "artifacts": digest_artifacts(params["cluster"], plan["digest"])
        if left(params["artifacts"], os.environ)
        else {},
    }


def _typed(params: dict) -> dict:
    """Return what was typed for this cluster, by question."""
    own = [row for row in params["answers"] if row["item"]["cluster"] == params["cluster"]]
    return {row["item"]["id"]: row.get("user_input") for row in own}


def _folder(params: dict, plan: dict) -> str:
    """Return the plan's own folder, "" where nothing is to be written."""
    if params["state"] != "present":
        return ""
    if not params["directory"]:
        raise OrchestratorError("A plan cannot be written without a folder.", hint="Set directory.")
    return os.path.join(os.path.abspath(params["directory"]), params["cluster"].replace(os.sep, "_"), plan["made"])


def _command(params: dict, plan: dict, folder: str) -> str:
    """Return the command that deploys the plan, in a job of AWX what to do; "" where there is no file or no change."""
    if not folder or not changes(plan):
        return ""
    if in_job(os.environ):
        return f"approve it, or {advice('deploy', llm_d_approved_digest=plan['digest'])}"
    variables = {"llm_d_plan": os.path.join(folder, PLAN)}
    if params["environment"] == PRODUCTION:
        variables["llm_d_approved_digest"] = plan["digest"]
    return next_command(params["arguments"], variables)


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode))


if __name__ == "__main__":
    main()
