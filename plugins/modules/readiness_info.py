#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Assert that objects are ready, naming each that is not and the condition that says so."""

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_info
short_description: Assert that objects are ready
version_added: 0.1.0
description:
  - Reads objects and fails with one line for each that is absent or not ready, naming the object and the condition.
  - Workloads count as ready when their present revision is rolled out, Gateways when they are Programmed, HTTPRoutes
    when their parents have accepted them and resolved their references; other kinds when they exist.
  - It waits for nothing and changes nothing.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Reports what is not ready instead of failing, since nothing may have been deployed.
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
- name: Assert that a Gateway is Programmed
  llm_d.orchestrator.readiness_info:
    objects:
      - apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: infra-llm-d-inference-gateway, namespace: llm-d}
"""

RETURN = r"""
objects:
  description: Each object with its state.
  returned: always
  type: list
  elements: dict
  sample:
    - {kind: Gateway, name: infra-llm-d-inference-gateway, namespace: llm-d, ready: true, detail: ""}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster, cluster_argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.conditions import object_state


def argument_spec() -> dict:
    """Return the module's options."""
    return cluster_argument_spec(objects={"type": "list", "elements": "dict", "required": True})


def run(params: dict, cluster: Cluster) -> list[dict]:
    """Return each object's {kind, name, namespace, ready, detail}."""
    return [_state(cluster, wanted) for wanted in params["objects"]]


def _state(cluster: Cluster, wanted: dict) -> dict:
    name, namespace = wanted["metadata"]["name"], wanted["metadata"].get("namespace")
    found = cluster.get(wanted["apiVersion"], wanted["kind"], name, namespace)
    row = {"kind": wanted["kind"], "name": name, "namespace": namespace}
    if found is None:
        return {**row, "ready": False, "detail": "does not exist"}
    state = object_state(found)
    return {**row, "ready": state.ready, "detail": state.text}


def failure(objects: list[dict]) -> OrchestratorError | None:
    """Return the error that names every object that is not ready, None where all are."""
    bad = [f"{row['kind']} {row['namespace']}/{row['name']}: {row['detail']}" for row in objects if not row["ready"]]
    return OrchestratorError(f"{len(bad)} of {len(objects)} objects are not ready.", details=bad) if bad else None


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        objects = run(module.params, Cluster(module.params))
        error = failure(objects)
        if error and not module.check_mode:
            raise error
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, objects=objects)


if __name__ == "__main__":
    main()
