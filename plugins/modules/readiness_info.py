#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Say whether objects are ready, naming each that is not and the condition that says so."""

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_info
short_description: Say whether objects are ready
version_added: 0.1.0
description:
  - Reads objects and returns a reason for each that is absent or not ready, naming the object and the condition.
  - Workloads count as ready when their present revision is rolled out, Gateways when they are Programmed, HTTPRoutes
    when their parents have accepted them and resolved their references; other kinds when they exist.
  - It waits for nothing, changes nothing, and does not fail for what is not ready.
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
  objects:
    description: The objects, each with C(apiVersion), C(kind), C(metadata.name) and C(metadata.namespace).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Ask whether a Gateway is Programmed
  llm_d.orchestrator.readiness_info:
    objects:
      - apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: infra-llm-d-inference-gateway, namespace: llm-d}
  register: gateway

- name: Assert that it is
  ansible.builtin.assert:
    that: gateway.ready
    fail_msg: "{{ gateway.reasons | join('\n') }}"
"""

RETURN = r"""
ready:
  description: Whether all of them are ready.
  returned: success
  type: bool
reasons:
  description: Why some are not, one text for each.
  returned: success
  type: list
  elements: str
  sample: ["Gateway llm-d/infra-llm-d-inference-gateway: Programmed is not reported yet"]
objects:
  description: Each object with its state.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: Gateway, name: infra-llm-d-inference-gateway, namespace: llm-d, ready: true, detail: ""}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.graph_state import whole_state


def carry_out(module: AnsibleModule) -> dict:
    """Return {ready, reasons, objects}; raise OrchestratorError where the cluster cannot be asked."""
    cluster = Cluster(module.params)
    objects = [_state(cluster, wanted) for wanted in module.params["objects"]]
    unready = [row for row in objects if not row["ready"]]
    reasons = [f"{row['kind']} {row['namespace']}/{row['name']}: {row['detail']}" for row in unready]
    return {"ready": not reasons, "reasons": reasons, "objects": objects}


def _state(cluster: Cluster, wanted: dict) -> dict:
    name, namespace = wanted["metadata"]["name"], wanted["metadata"].get("namespace")
    found = cluster.get(wanted["apiVersion"], wanted["kind"], name, namespace)
    row = {"kind": wanted["kind"], "name": name, "namespace": namespace}
    if found is None:
        return {**row, "ready": False, "detail": "does not exist"}
    state = whole_state(found, cluster.list)
    return {**row, "ready": state.ready, "detail": state.text}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
