#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Work out a cluster's stack from its variables, and find every mistake before anything is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Work out a cluster's stack and find every mistake in it
version_added: 0.1.0
description:
  - Turns models, pools, routes and their values files into the releases and routes that the roles deploy.
  - Checks them against one another and against the cluster, and reports all mistakes at once, each with where it stands
    (variable, or file and line) and what to write instead. It changes nothing.
  - Values are data; Jinja found in a values file stays text.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
  - llm_d.orchestrator.stack
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
  only:
    description:
      - The components that are deployed, by default all; what only others need is not asked of the cluster. An empty
        list only derives names.
    type: list
    elements: str
  table:
    description: The rows of the component table, each with C(name), C(wave) and C(needs).
    type: list
    elements: dict
    default: []
  secrets:
    description: Values of secret settings, by the name of their variable. They go into Secrets and nowhere else.
    type: dict
    default: {}
  records_dir:
    description: Folder that must be writable.
    type: path
  check_values:
    description: Check all values against their charts too, as M(llm_d.orchestrator.chart_values) does.
    type: bool
    default: false
  check_rules:
    description:
      - Whether to render the charts of a whole stack and check all consistency rules, see C(docs/reference/rules.md).
      - With V(warn) the findings are warnings; with V(error) those of the severity error are mistakes like all others.
      - Releases that are settled already are not rendered; where all are, nothing is checked. A chart that Helm cannot
        render is a mistake in either case.
    type: str
    choices: ["off", warn, error]
    default: "off"
  access:
    description:
      - With O(check_rules), whether to ask if all that the plan needs is permitted, and whether the pods are admitted.
      - V(warn) makes warnings of what is not; V(off) does not ask.
    type: str
    choices: [block, warn, "off"]
    default: block
  lock:
    description:
      - How a deployment locks its namespaces, see M(llm_d.orchestrator.stack_lock).
      - Unless O(approval=off), a lock that is held is waited for or refused here too; else it is noted.
    type: str
    choices: [refuse, wait, "off"]
    default: refuse
  lock_timeout:
    description: Seconds to wait with O(lock=wait).
    type: int
    default: 600
  on_failure:
    description:
      - What a deployment does with the other components once one has failed, see M(llm_d.orchestrator.release_jobs).
      - It is only checked here, before anything is begun.
    type: str
    choices: [finish, cancel]
    default: finish
  capacity:
    description:
      - With O(check_rules), whether to ask if the nodes have room for the pods, and if quotas and limits allow them.
      - V(warn) makes warnings of what lacks, for clusters whose autoscaler adds nodes; V(off) does not ask.
    type: str
    choices: [block, warn, "off"]
    default: block
  adopt:
    description: With O(find_settled=true), accept releases and routes that this collection did not make.
    type: bool
    default: false
  find_settled:
    description:
      - Find the components whose releases are already up to date and ready, and return in RV(settled) what
        M(llm_d.orchestrator.component_parts) would return for them, so that nothing has to be started for them.
      - Releases and routes of the stack's names that this collection did not make are mistakes then.
    type: bool
    default: false
  bundle:
    description:
      - Bundle that the module M(llm_d.orchestrator.stack_bundle) wrote. All charts come out of it, and none is fetched.
      - A relative path is looked up in O(search_paths).
    type: str
    default: ""
  image_registry:
    description: As O(llm_d.orchestrator.component_parts#module:image_registry).
    type: str
    default: ""
  approval:
    description:
      - What becomes of consents that the plan lacks and questions that it leaves open.
      - V(enforce) makes mistakes of them; V(ask) does so only beside other mistakes, since the user is asked next;
        V(off) leaves them in the plan.
      - With V(off) neither O(plan_file) nor O(environment) is heeded, nor in check mode O(environment=production) where
        there is neither O(plan_file) nor O(approved_digest).
    type: str
    choices: ["off", ask, enforce]
    default: "off"
  approve:
    description: With V(prompt) the user must be asked whenever something changes, not only if consent is missing.
    type: str
    choices: [auto, prompt]
    default: auto
  environment:
    description: With V(production) nothing is deployed without a plan and its approved digest.
    type: str
    default: ""
  plan_file:
    description: A plan made before; inputs or live objects that are not as it saw them are mistakes.
    type: str
    default: ""
  approved_digest:
    description:
      - The digest of the plan that was approved, or a map of clusters, by O(cluster_name), to such digests.
      - Without O(plan_file) it is compared with the plan that is made now.
    type: raw
    default: ""
  consent:
    description: To what consent is given.
    type: list
    elements: str
    choices: [delete, replace, scale]
    default: []
  prune:
    description:
      - What becomes of releases and objects of this collection that no part of the stack has any more.
      - V(ask) has them deleted where somebody at a terminal, or an approved plan, consents; V(true) deletes them;
        V(false) only names them.
    type: str
    choices: [ask, "true", "false"]
    default: ask
  accept:
    description:
      - Ids of mistakes that are accepted and become warnings; see RV(findings).
      - What planning cannot go on past, and what O(consent), O(adopt) or O(approved_digest) allow, cannot be accepted.
    type: list
    elements: str
    default: []
  places:
    description:
      - By the name of each variable that a user has set, and by the path of what is in it, the file and line where it
        stands. Messages name them, and only these variables are checked against their types.
      - The action plugin of this module fills it in.
    type: dict
    default: {}
  mistakes:
    description: Findings that were made before, as RV(findings) has them. The action plugin of this module fills it in.
    type: list
    elements: dict
    default: []
  decisions:
    description: Answers to the plan's questions, by their ids.
    type: dict
    default: {}
  scale_threshold:
    description: How many pods with accelerators, or of model servers, may be added at once without consent.
    type: int
    default: 32
  findings_file:
    description: A file for the findings, ending in .sarif, .xml (JUnit) or .json; written also after mistakes.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Work out a stack of one model
  llm_d.orchestrator.stack_info:
    namespace: llm-d
    providers_dir: roles/gateway/files/providers
    models:
      - name: qwen3-32b
        values_files: [ms/qwen3-32b.yaml]
    components: "{{ lookup('llm_d.orchestrator.components', 'settings') }}"
    options: "{{ lookup('llm_d.orchestrator.components', 'options') }}"
    table: "{{ lookup('llm_d.orchestrator.components', 'table') }}"
  register: planned
"""

RETURN = r"""
settled:
  description:
    - By component what M(llm_d.orchestrator.component_parts) would return for releases that are up to date and ready.
      Empty unless O(find_settled=true).
  returned: success
  type: dict
  sample: {}
stack:
  description: The stack, its C(parts) in the form that M(llm_d.orchestrator.component_parts) takes.
  returned: success
  type: dict
  sample:
    namespace: llm-d
    gateway: {name: infra-llm-d-inference-gateway, namespace: llm-d, provider: istio, adopted: false}
    models: [{name: qwen3-32b, model: Qwen/Qwen3-32B, release: ms-qwen3-32b, existing: false,
             pool: gaie-qwen3-32b, path_prefix: /}]
    started: 20261121T083000Z
waves:
  description: The components that have something to do, by the waves of the component table.
  returned: success
  type: list
  elements: list
  sample: [[modelservice, gaie, gateway], [httproute]]
needs:
  description: For each of these components, those of them that must be ready before it starts.
  returned: success
  type: dict
  sample: {gaie: [], gateway: [], httproute: [gateway, gaie, modelservice], modelservice: []}
hidden:
  description: Whether Ansible hides the result, because a user's values brought secrets into it.
  returned: when it does
  type: bool
to_approve:
  description: Whether the user must be asked before RV(plan) is deployed; only with O(approval=ask).
  returned: success
  type: bool
pruned:
  description: Whether what is no longer wanted, C(leftovers) of RV(plan), is deleted.
  returned: success
  type: bool
prune_first:
  description: Whether that is deleted before the rest is deployed, since there is no room for both.
  returned: success
  type: bool
adopted:
  description: Components whose objects may be taken over, because O(decisions) says so.
  returned: success
  type: list
  elements: str
  sample: []
plan:
  description:
    - What a deployment would do, see C(docs/operate/plan.md) and C(docs/operate/plan.schema.json).
    - Only of a whole stack with O(find_settled=true); empty else.
  returned: success
  type: dict
  sample: {}
findings:
  description: All mistakes and warnings. On failure too.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: LLMD104
      severity: error
      file: /home/me/inventory/gaie/qwen.yaml
      line: 9
      column: 0
      path: inferencePool.targetPorts
      message: pool gaie-qwen3-32b sends to port 8001, on which nothing listens
      hint: make the pool's target port, routing.servicePort and the server's --port the same
      chart: inferencepool
      source: InferencePool v1, spec.targetPorts
      objects: [InferencePool llm-d/gaie-qwen3-32b spec.targetPorts]
      keys: ["gaie-qwen3-32b: inferencePool.targetPorts"]
      place: /home/me/inventory/gaie/qwen.yaml:9 (inferencePool.targetPorts)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.registry import registry_access
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.findings import PlanningFailed
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.planning import run
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.options import STACK_OPTIONS


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise PlanningFailed with every mistake."""
    try:
        with registry_access(module.params):
            result = run(module.params, module.check_mode, getattr(module, "say", module.warn))
    except PlanningFailed as exc:
        for text in exc.warnings:
            module.warn(text)
        raise
    for note in result["stack"]["notes"]:
        module.warn(note)
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out, {"secrets": True, "password": True}, [STACK_OPTIONS])


if __name__ == "__main__":
    main()
