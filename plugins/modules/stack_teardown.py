#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Remove what this collection put into namespaces, and count what is left."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_teardown
short_description: Remove what this collection put into namespaces, and count what is left
version_added: 0.1.0
author: llm_d.orchestrator contributors (@llm-d)
description:
  - Finds Helm releases and objects by this collection's ownership label, never by parts of their names.
  - Removes routes first, then what only a release's controller can let go, as graphs of NVIDIA Dynamo, then all
    releases in parallel, then the other objects; waits by watches until everything of them, pods included, is gone.
  - A release whose controller is needed by objects that stay, because they belong to others, stays too.
  - Fails if anything is left, and lists it with the reason.
  - Custom resource definitions stay unless O(delete_crds), as do objects that a chart tells Helm to keep.
options:
  namespaces:
    description: Namespaces of the stack.
    type: list
    elements: str
    required: true
  only:
    description:
      - What alone goes, each with C(kind), which is C(Helm release) for a release, C(namespace) and C(name), as
        C(leftovers) of RV(llm_d.orchestrator.stack_info#module:plan) has them; everything where it is empty.
      - Namespaces stay then.
    type: list
    elements: dict
    default: []
  release_names:
    description:
      - Names of releases known to be this collection's. Objects that name one of them as their Helm release, although
        Helm no longer has a record of it, count as left.
    type: list
    elements: str
    default: []
  delete_pvcs:
    description: Whether to delete PersistentVolumeClaims, and the data in them.
    type: bool
    default: false
  delete_crds:
    description:
      - Whether to delete the definitions that came with releases of this collection, where no object of their kinds is
        left in the cluster.
    type: bool
    default: false
  delete_namespace:
    description: Whether to delete the namespaces that this collection created and that hold nothing else.
    type: bool
    default: false
  force_namespace:
    description: Whether to delete such a namespace though it holds other objects, which are lost.
    type: bool
    default: false
  wait_timeout:
    description: Seconds for the whole call.
    type: int
    default: 600
  helm_binary:
    description: Path of Helm; the one on PATH by default.
    type: path
  events_file:
    description: File to which timed steps are appended as JSON lines.
    type: path
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Lists what would go and what would stay.
  diff_mode:
    support: full
    description: Shows what goes.
"""

EXAMPLES = r"""
- name: Remove the stack
  llm_d.orchestrator.stack_teardown:
    namespaces: [llm-d]
"""

RETURN = r"""
removed:
  description: What was removed, or would be in check mode, in this order.
  returned: success
  type: list
  elements: str
  sample: [HTTPRoute llm-d-qwen in llm-d, Helm release ms-qwen in llm-d]
kept:
  description: What stays, and why.
  returned: success
  type: list
  elements: dict
  contains:
    object: {description: Kind and name., type: str, sample: Namespace llm-d}
    why: {description: The reason., type: str}
report:
  description: What goes and what stays, to be shown.
  returned: success
  type: dict
left:
  description: What should be gone and is not, with the reason; nothing where the module succeeds.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import PATIENCE, Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.base import Work
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import Helm
from ansible_collections.llm_d.orchestrator.plugins.module_utils.teardown.run import Teardown, describe


def removed(params: dict, work: Work) -> dict:
    """Return the module's result; left holds what should be gone and is not."""
    check, teardown = work.check, Teardown(work, params)
    plan = teardown.plan()
    removed = plan.lines()
    if not check:
        teardown.run(plan)
    for namespace in teardown.namespaces:
        goes, why = teardown.namespace_fate(namespace, plan)
        plan.kept += [(f"Namespace {namespace}", why)] if why else []
        removed += [f"Namespace {namespace}"] if goes else []
        if goes and not check:
            teardown.delete_namespace(namespace)
    left = [] if check else teardown.left(plan)
    text = "".join(f"{line}\n" for line in removed)
    return {
        "changed": bool(removed),
        "removed": removed,
        "kept": describe(plan),
        "left": left,
        "report": {
            "Would be removed" if check else "Removed": removed or ["nothing"],
            "Stays": [f"{name}: {why}" for name, why in plan.kept] or ["nothing"],
        },
        "diff": {"before_header": "in the cluster", "after_header": "in the cluster", "before": text, "after": ""},
    }


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError, with the result, where something is left."""
    params = module.params

    def make_helm() -> Helm:
        return Helm(module, params, params["helm_binary"])

    try:
        with Work(Cluster(params, PATIENCE), params, make_helm, check=module.check_mode) as work:
            result = removed(params, work)
    except OrchestratorError as exc:
        exc.result = {"left": []}
        raise
    if result["left"]:
        error = OrchestratorError(f"{len(result['left'])} left behind by the teardown:", details=result["left"])
        error.result = result
        raise error
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
