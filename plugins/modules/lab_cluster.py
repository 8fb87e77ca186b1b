#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Module lab_cluster: a local Kubernetes cluster to try a stack on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_cluster
short_description: Run a local Kubernetes cluster with simulated nodes
version_added: 0.1.0
author:
  - llm_d.orchestrator contributors (@llm-d)
description:
  - Runs etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK as processes of the user, and the
    lab's serving plane. Nodes and pods are simulated; everything above them is real.
  - A lab that crashed or was created only in part is repaired; what can be restarted keeps its data.
options:
  name:
    description: The lab's name, 1 to 40 lower-case letters, digits and hyphens.
    type: str
    default: lab
  state:
    description:
      - V(present) starts the lab, repairs it, or applies changed options.
      - V(verified) changes nothing and fails where the lab is not up.
      - V(absent) ends its processes and deletes its folder.
    type: str
    choices: [present, verified, absent]
    default: present
  state_dir:
    description: The folder that holds the labs; C(llm-d-orchestrator/labs) in E(XDG_STATE_HOME) unless set.
    type: path
  binaries:
    description: Tool to path, as M(llm_d.orchestrator.lab_binaries) returns.
    type: dict
    default: {}
  versions:
    description: Tool to version, as M(llm_d.orchestrator.lab_binaries) returns.
    type: dict
    default: {}
  crds:
    description: Folders of definitions that the lab installs.
    type: list
    elements: path
    default: []
  nodes:
    description: The lab's nodes.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of a single node.
        type: str
      prefix:
        description: The first part of the names of several nodes, which are numbered from 0.
        type: str
      count:
        description: How many nodes.
        type: int
        default: 1
      gpus:
        description: How many C(nvidia.com/gpu) each has.
        type: int
        default: 0
      gpu_product:
        description: The label C(nvidia.com/gpu.product).
        type: str
        default: NVIDIA-H100-80GB-HBM3
      cpu:
        description: Processors of each.
        type: str
        default: "64"
      memory:
        description: Memory of each.
        type: str
        default: 512Gi
      pods:
        description: How many pods each takes.
        type: int
        default: 110
      labels:
        description: Further labels.
        type: dict
        default: {}
      taints:
        description: Taints.
        type: list
        elements: dict
        default: []
        suboptions:
          key:
            description: The taint's key.
            type: str
            required: true
          value:
            description: The taint's value.
            type: str
          effect:
            description: The taint's effect.
            type: str
            choices: [NoSchedule, PreferNoSchedule, NoExecute]
            required: true
  ready_delays:
    description: How long the pods of a component run before they are ready, as Go durations (V(1m30s)).
    type: dict
    default: {}
    suboptions:
      gateway:
        description: Pods of a gateway.
        type: str
        default: 1s
      epp:
        description: Endpoint pickers.
        type: str
        default: 1s
      modelserver:
        description: Model servers.
        type: str
        default: 2s
      platform:
        description: The operator, etcd and NATS of NVIDIA Dynamo.
        type: str
        default: 1s
      frontend:
        description: Frontends of NVIDIA Dynamo.
        type: str
        default: 1s
      worker:
        description: Workers of NVIDIA Dynamo.
        type: str
        default: 2s
      router:
        description: The controller and the server of NVIDIA's LLM Router.
        type: str
        default: 1s
      other:
        description: All other pods.
        type: str
        default: 0s
  faults:
    description: Faults that chosen pods show.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The fault's name, a DNS label.
        type: str
        required: true
      fault:
        description:
          - V(ImagePullBackOff) and V(Pending) happen to pods that are started after the fault was set.
          - V(CrashLoopBackOff) and V(OOMKilled) happen to running pods too.
        type: str
        choices: [ImagePullBackOff, CrashLoopBackOff, OOMKilled, Pending]
        required: true
      namespace:
        description: Only pods of this namespace.
        type: str
      match:
        description: Labels that the pods carry.
        type: dict
        default: {}
      pod_prefix:
        description: How the pods' names begin.
        type: str
      container:
        description: The container that fails; the pod's first unless set.
        type: str
      log:
        description: What C(kubectl logs) shows of the container.
        type: str
      after:
        description: How long the pod runs before it fails, as a Go duration.
        type: str
        default: 1s
  gateway_classes:
    description: GatewayClass to controller name.
    type: dict
    default: {}
  python:
    description: The Python that runs the serving plane; that which runs the module unless set.
    type: path
  plane_files:
    description: The folder that holds the package of the serving plane and the lab's charts.
    type: path
  load_balancer:
    description: Whether Services of type LoadBalancer get an address.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says what would be done.
    support: full
  diff_mode:
    description: The module has no diff to show; RV(actions) says what was done.
    support: none
"""

EXAMPLES = r"""
- name: End the lab
  llm_d.orchestrator.lab_cluster:
    name: lab
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
kubeconfig:
  description: Path of the lab's kubeconfig.
  type: str
  returned: when the lab is up
context:
  description: Its only context.
  type: str
  returned: when the lab is up
server:
  description: URL of the API server.
  type: str
  returned: when the lab is up
helm:
  description: Path of Helm.
  type: str
  returned: when the lab is up
kubectl:
  description: Path of kubectl.
  type: str
  returned: when the lab is up
ports:
  description: Component to port on 127.0.0.1.
  type: dict
  returned: when the lab is up
pids:
  description: Component to process number.
  type: dict
  returned: when the lab is up
versions:
  description: Tool to version.
  type: dict
  returned: when the lab is up
memory_mib:
  description: Component to resident memory in MiB.
  type: dict
  returned: when the lab is up
state_dir:
  description: The lab's folder.
  type: str
  returned: when the lab is up
seconds:
  description: How long the module took.
  type: float
  returned: success
"""

import sys

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.cluster import Lab


def run(params: dict, check_mode: bool) -> dict:
    """Return the module's result; raises OrchestratorError."""
    lab = Lab({**params, "python": params.get("python") or sys.executable})
    with lab.state.lock():
        if params["state"] == "absent":
            return lab.absent(check_mode)
        return lab.verify() if params["state"] == "verified" else lab.present(check_mode)


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    # The key of a taint is a name, no secret.
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode), no_log={"key": False})


if __name__ == "__main__":
    main()
