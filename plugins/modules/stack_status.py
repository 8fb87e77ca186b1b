#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Say what is deployed, whether it is healthy, and how it differs from its record."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_status
short_description: Say what is deployed, whether it is healthy, and how it differs from its record
version_added: 0.1.0
description:
  - Compares what is in a namespace with the newest record of a deployment that succeeded. The record is read from the
    namespace, else from this machine's files. Without any, the Helm releases of this collection and their manifests
    say what was deployed.
  - Objects are compared in the fields that the deployment set. What the cluster fills in, and what controllers and
    others add, is not drift. Replicas that an autoscaler sets are ignored.
  - What may not be read is skipped and listed.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: It only reads.
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  namespaces:
    description: The stack's namespace, and that of its Gateway where it is another.
    type: list
    elements: str
    required: true
  records:
    description: Folder with the records of this cluster's deployments, C(RECORDS/CLUSTER), used beside the cluster's.
    type: path
  file:
    description: Write the result there as JSON.
    type: path
  fail_on:
    description: What to fail on.
    type: list
    elements: str
    choices: [unhealthy, drift, leftovers]
    default: []
  mending:
    description: Whether drift and failures are going to be repaired, so that nothing fails for O(fail_on).
    type: bool
    default: false
  fix:
    description: Command that repairs, shown if something must be repaired; by default derived from the running one.
    type: str
    default: ""
  prune:
    description: Command that deletes what is left over, shown where something is; by default as O(fix).
    type: str
    default: ""
  show:
    description: Whether to print the status, which the module's action plugin does.
    type: bool
    default: false
seealso:
  - module: llm_d.orchestrator.stack_rollback
  - module: llm_d.orchestrator.stack_diagnosis
"""

EXAMPLES = r"""
- name: Say what is deployed
  llm_d.orchestrator.stack_status:
    namespaces: [llm-d]
    show: true
  register: status
"""

RETURN = r"""
namespace:
  description: The stack's namespace.
  returned: always
  type: str
deployed:
  description: Whether anything of this collection exists, or should exist.
  returned: always
  type: bool
healthy:
  description: Whether all that was deployed exists and is ready.
  returned: always
  type: bool
drifted:
  description: Whether anything differs from what was deployed, except what is left over.
  returned: always
  type: bool
record:
  description:
    - The record compared with (time, started, outcome, by, cluster, models, versions, charts); empty where there is
      none.
  returned: always
  type: dict
last:
  description: The newest record, which may be of a deployment that failed.
  returned: always
  type: dict
rows:
  description: One entry for each release and object.
  returned: always
  type: list
  elements: dict
  contains:
    component: {description: The component., type: str, sample: modelservice}
    release: {description: The Helm release if there is one., type: str, sample: ms-qwen}
    kind: {description: The object's kind or V(Helm release)., type: str, sample: Deployment}
    namespace: {description: Its namespace., type: str, sample: llm-d}
    name: {description: Its name., type: str, sample: ms-qwen-decode}
    ready: {description: Whether it is ready; null where it may not be read., type: bool}
    state: {description: Its state in words., type: str, sample: "0 of 1 pods ready; pod a-0: OOMKilled"}
    brief: {description: The same without the names of pods., type: str, sample: 0 of 1 pods ready; OOMKilled}
    drift: {description: "V(changed), V(deleted), V(added), V(leftover), or empty.", type: str, sample: changed}
    detail: {description: What differs., type: str, sample: "spec.replicas: 3, deployed with 1"}
leftovers:
  description: Releases and objects of this collection that the last deployment does not have any more.
  returned: always
  type: list
  elements: dict
  contains:
    component: {description: The component., type: str, sample: modelservice}
    kind: {description: The object's kind or V(Helm release)., type: str, sample: Helm release}
    namespace: {description: Its namespace., type: str, sample: llm-d}
    name: {description: Its name., type: str, sample: ms-old}
    pods: {description: Its pods that run., type: int, sample: 2}
    devices: {description: "What these hold, by resource.", type: dict, sample: {nvidia.com/gpu: 8}}
unseen:
  description: What could not be read, and why.
  returned: always
  type: list
  elements: str
screen:
  description: The status as lines to read.
  returned: always
  type: list
  elements: str
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.files import write_atomic
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.status.screen import left_over, screen
from ansible_collections.llm_d.orchestrator.plugins.module_utils.status.status import Status


def failures(result: dict, fail_on: list[str]) -> list[str]:
    """Return what of a status is to fail the run."""
    found = []
    if "unhealthy" in fail_on and not result["healthy"]:
        found.append("it is not healthy" if result["deployed"] else "nothing is deployed")
    if "drift" in fail_on and result["drifted"]:
        found.append("it has drifted from what was deployed")
    if "leftovers" in fail_on and result["leftovers"]:
        found.append(left_over(result))
    return found


def run(params: dict, cluster: Cluster) -> dict:
    """Return the module's result; raise OrchestratorError."""
    result = Status(cluster, params["namespaces"], params["records"] or "").run()
    if params["file"]:
        write_atomic(params["file"], json.dumps(result, indent=2, default=str) + "\n")
    return {**result, "screen": screen(result, params["fix"], params.get("prune") or "")}


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    result = run(module.params, Cluster(module.params))
    found = failures(result, module.params["fail_on"]) if not module.params["mending"] else []
    if found:
        return {**result, "failed": True, "msg": f"Namespace {result['namespace']}: {' and '.join(found)}."}
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
