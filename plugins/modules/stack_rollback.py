#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Return a stack's Helm releases to a recorded deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_rollback
short_description: Return a stack's Helm releases to a recorded deployment
version_added: 0.1.0
description:
  - Finds the record of a deployment, in the namespace or in files, says what a return to it would change, and restores
    its releases, all in parallel.
  - A release is restored from Helm's own history where the recorded revision is still there, since records hold no
    secrets. Else it is installed from the recorded chart, whose digest must be the same, with the recorded values, if
    nothing in them was masked, and with its images from the registry that the deployment took them from.
  - Objects that the API server does not allow to change are deleted and recreated. What a revision that was cut off or
    failed may have done is undone too.
  - Objects that were applied without Helm, such as routes, are applied as the record has them, and those that it does
    not have are removed. Secrets, claims and other objects with data are not changed.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Says what would change, as O(state=planned) does.
  diff_mode:
    support: full
    description: Shows the objects that change, with the data of Secrets hidden.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  state:
    description:
      - V(planned) says what would change, V(restored) restores the releases, V(removed) removes those releases of this
        collection that the record does not know. V(offered) only says whether there is a deployment to return to, and
        never fails.
    type: str
    choices: [planned, restored, removed, offered]
    default: planned
  namespace:
    description: The stack's namespace.
    type: str
    required: true
  to:
    description:
      - The deployment, as C(20261121T083000Z), V(previous) for the one before the newest, or V(last_good). That is the
        newest that succeeded, or where the newest did, the newest one before it with another state.
    type: str
    default: last_good
  records:
    description: Folder with the records of this cluster's deployments, C(RECORDS/CLUSTER), used beside the cluster's.
    type: path
  environment:
    description: V(production) asks for O(approved_digest).
    type: str
    default: ""
  approved_digest:
    description: The RV(digest) that was approved.
    type: str
    default: ""
  changing:
    description: With O(state=restored), the RV(changing) that was consented to; where more would change by now, nothing
      is done.
    type: list
    elements: str
    default: []
  confirm:
    description: Consent to the rollback, except for what RV(lacking) lists.
    type: bool
    default: false
  consent:
    description: V(replace) and V(delete) consent to the loss of objects, as RV(lacking) names them.
    type: list
    elements: str
    default: []
  cluster_name:
    description: Name of the cluster, for RV(artifacts).
    type: str
    default: ""
  artifacts:
    description: Whether RV(artifacts) are returned, by default where AWX runs the playbook in a job.
    type: bool
  owner:
    description: The process that runs the playbook, as M(llm_d.orchestrator.stack_lock) returns it; no release is begun
      once it has ended.
    type: dict
  wait_timeout:
    description: Seconds for all releases to become ready.
    type: int
    default: 1800
  helm_binary:
    description: Helm 3.17 or later; by default the one on PATH.
    type: path
  chart_cache:
    description: Folder that keeps fetched charts.
    type: path
  plain_http:
    description: Whether OCI registries of charts are reached without TLS.
    type: bool
    default: false
  events_file:
    description: File that timed steps are appended to.
    type: path
seealso:
  - module: llm_d.orchestrator.stack_status
  - module: llm_d.orchestrator.component_parts
"""

EXAMPLES = r"""
- name: Say what a return to the last good deployment would change
  llm_d.orchestrator.stack_rollback:
    namespace: llm-d
  register: plan

- name: Return its releases to it
  llm_d.orchestrator.stack_rollback:
    namespace: llm-d
    to: "{{ plan.to }}"
    changing: "{{ plan.changing }}"
    state: restored
"""

RETURN = r"""
to:
  description: The deployment's time; with O(state=offered) empty where there is none.
  returned: always
  type: str
from:
  description: The time of the newest recorded deployment.
  returned: except with O(state=offered)
  type: str
started:
  description: When this call began, in the same form.
  returned: except with O(state=offered)
  type: str
lines:
  description: The plan as lines to read.
  returned: except with O(state=offered)
  type: list
  elements: str
digest:
  description: What tells this return from any other; another state of the cluster makes another one.
  returned: except with O(state=offered)
  type: str
changing:
  description: The names of what would change.
  returned: except with O(state=offered)
  type: list
  elements: str
approved:
  description: Whether O(approved_digest) is the RV(digest).
  returned: except with O(state=offered)
  type: bool
confirmed:
  description: Whether the user need not be asked, because it is approved or O(confirm) and O(consent) suffice.
  returned: except with O(state=offered)
  type: bool
refused:
  description: Why it may not be carried out.
  returned: except with O(state=offered)
  type: list
  elements: str
lacking:
  description: What needs more than the consent to a return, and the variable that gives it.
  returned: except with O(state=offered)
  type: list
  elements: str
unconfirmed:
  description: What to print if consent is missing.
  returned: except with O(state=offered)
  type: str
artifacts:
  description: What later jobs of a workflow get as extra variables, empty unless O(artifacts).
  returned: except with O(state=offered)
  type: dict
to_change:
  description: Whether it would change anything.
  returned: with O(state=planned), and in check mode
  type: bool
objects:
  description: What becomes of the objects of releases that change.
  returned: except with O(state=offered)
  type: list
  elements: dict
releases:
  description: What becomes of each release, or with O(state=restored) what became of it.
  returned: except with O(state=offered)
  type: list
  elements: dict
applied:
  description: What is to become of each object without a release (kind, namespace, name, action).
  returned: except with O(state=offered)
  type: list
  elements: dict
removed:
  description: Releases that the record does not know.
  returned: except with O(state=offered)
  type: list
  elements: str
stack:
  description: The stack of the record.
  returned: except with O(state=offered)
  type: dict
inputs:
  description: The variables of the record, with rollback_to and rollback_from.
  returned: except with O(state=offered)
  type: dict
approved_inputs:
  description: The hashes of the record's inputs.
  returned: except with O(state=offered)
  type: dict
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import digest_artifacts, left
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import PATIENCE, Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import Helm, LocalHelm
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rollback.command import offer, run


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    params = module.params
    if params["state"] == "offered":
        return {"to": offer(params)}
    check = module.check_mode

    def make_helm(registry: str) -> Helm:
        if check or params["state"] == "planned":
            return LocalHelm(params["helm_binary"], registry)
        return Helm(module, params, params["helm_binary"], registry)

    result = run(params, Cluster(params, PATIENCE), make_helm, check=check, diff=module._diff)
    wanted = left(params["artifacts"], os.environ)
    return {**result, "artifacts": digest_artifacts(params["cluster_name"], result["digest"]) if wanted else {}}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
