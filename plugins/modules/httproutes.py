#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Apply a stack's HTTPRoutes: find conflicts first, apply, wait until the Gateway has taken them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: httproutes
short_description: Apply the HTTPRoutes of a stack
version_added: 0.1.0
description:
  - Finds the Gateway, compares the routes with those that are attached to it already, and applies them only if no
    request could match two of them equally well.
  - Waits until the Gateway reports Accepted and ResolvedRefs for the routes' present generation.
  - Only routes with this collection's labels are changed or removed.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Applies on the server without persisting; where the namespace is still absent, only compares.
  diff_mode:
    support: full
    description: Shows the routes' labels and spec before and after.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  namespace:
    description: Namespace of the routes.
    type: str
    required: true
  routes:
    description: HTTPRoutes; one without C(spec.parentRefs) is attached to the Gateway.
    type: list
    elements: dict
    default: []
  state:
    description:
      - Whether O(routes) are to exist. V(absent) without O(routes) removes all routes of this collection in
        O(namespace).
    type: str
    choices: [present, absent]
    default: present
  gateway_name:
    description: The Gateway; by default the only one of O(gateway_namespace).
    type: str
  gateway_namespace:
    description: Namespace of the Gateway, by default O(namespace).
    type: str
  section_name:
    description: Listener of the Gateway, by default all of them.
    type: str
  prune:
    description: Also removes routes of this collection in O(namespace) that O(routes) does not name.
    type: bool
    default: false
  adopt:
    description: Allows taking over a route of the same name that lacks this collection's labels.
    type: bool
    default: false
  wait:
    description: Waits for Accepted and ResolvedRefs, or until removed routes are gone.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 120
  events_file:
    description: File to which timed steps are appended as JSON lines.
    type: path
"""

EXAMPLES = r"""
- name: Route all requests to one pool
  llm_d.orchestrator.httproutes:
    namespace: llm-d
    routes:
      - metadata: {name: llm-d-qwen3-32b}
        spec:
          rules:
            - matches: [{path: {type: PathPrefix, value: /}}]
              backendRefs:
                - {group: inference.networking.k8s.io, kind: InferencePool, name: gaie-qwen3-32b, port: 8000}
              timeouts: {request: 0s, backendRequest: 0s}

- name: Remove this collection's routes
  llm_d.orchestrator.httproutes:
    namespace: llm-d
    state: absent
"""

RETURN = r"""
routes:
  description: What became of each route.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: llm-d-qwen3-32b, namespace: llm-d, action: created, seconds: 0.4}
gateway:
  description: Namespace and name of the Gateway.
  returned: success
  type: str
  sample: llm-d/infra-llm-d-inference-gateway
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import (
    PATIENCE,
    Cluster,
    cluster_argument_spec,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.objects import RouteService


def argument_spec() -> dict:
    """Return the module's options."""
    return cluster_argument_spec(
        namespace={"type": "str", "required": True},
        routes={"type": "list", "elements": "dict", "default": []},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        gateway_name={"type": "str"},
        gateway_namespace={"type": "str"},
        section_name={"type": "str"},
        prune={"type": "bool", "default": False},
        adopt={"type": "bool", "default": False},
        wait={"type": "bool", "default": True},
        wait_timeout={"type": "int", "default": 120},
        events_file={"type": "path"},
    )


def run(params: dict, cluster: Cluster, check_mode: bool) -> dict:
    """Return {changed, diff, routes, gateway}; raise OrchestratorError."""
    service = RouteService(cluster, params, Events(params["events_file"]), check_mode)
    return service.present() if params["state"] == "present" else service.absent()


def carry_out(module: AnsibleModule) -> None:
    """Run with a module's parameters and end it with the result."""
    try:
        result = run(module.params, Cluster(module.params, PATIENCE), module.check_mode)
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


def main() -> None:
    """Run the module."""
    carry_out(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
