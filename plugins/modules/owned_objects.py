#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Apply objects that belong to a stack but to no Helm release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: owned_objects
short_description: Apply objects that belong to a stack but to no Helm release
version_added: 0.1.0
description:
  - Applies objects with this collection's labels, and waits for its Jobs, DaemonSets and Pods.
  - An object that exists without those labels is left alone and is an error; a namespace is used as it is.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Applies on the server without persisting.
  diff_mode:
    support: full
    description: Shows content before and after, a Secret's data hidden.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  component:
    description: Component that the objects belong to; it becomes a label.
    type: str
    required: true
  objects:
    description: The objects.
    type: list
    elements: dict
    required: true
  state:
    description: Whether they are to exist. V(absent) removes only those with this collection's labels.
    type: str
    choices: [present, absent]
    default: present
  label:
    description: Label by which its objects are known. With another than the default, a teardown leaves them alone.
    type: str
    default: orchestrator.llm-d.ai/managed
  adopt:
    description: Allows taking over objects that lack this collection's labels.
    type: bool
    default: false
  wait:
    description: Waits until Jobs are complete, DaemonSets and Pods ready.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait.
    type: int
    default: 1800
  events_file:
    description: File to which timed steps are appended as JSON lines.
    type: path
"""

EXAMPLES = r"""
- name: Make a namespace
  llm_d.orchestrator.owned_objects:
    component: prepare
    objects:
      - {apiVersion: v1, kind: Namespace, metadata: {name: llm-d}}
"""

RETURN = r"""
objects:
  description: What became of each object.
  returned: success
  type: list
  elements: dict
  sample:
    - {object: Namespace llm-d, action: created}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.ours import MANAGED_LABEL
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import (
    PATIENCE,
    Cluster,
    cluster_argument_spec,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.objects import OwnedObjects


def argument_spec() -> dict:
    """Return the module's options."""
    return cluster_argument_spec(
        component={"type": "str", "required": True},
        objects={"type": "list", "elements": "dict", "required": True},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        label={"type": "str", "default": MANAGED_LABEL},
        adopt={"type": "bool", "default": False},
        wait={"type": "bool", "default": True},
        wait_timeout={"type": "int", "default": 1800},
        events_file={"type": "path"},
    )


def run(params: dict, cluster: Cluster, check_mode: bool) -> dict:
    """Return {changed, diff, objects}; raise OrchestratorError."""
    service = OwnedObjects(cluster, params, Events(params["events_file"]), check_mode)
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
