#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Say why what is in a namespace does not serve."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_diagnosis
short_description: Say why what is in a namespace does not serve
version_added: 0.1.0
description:
  - Gathers, in one call for a whole namespace, what an expert would look at (pods with container states and last
    terminations, events, conditions of workloads, claims, Gateways, routes and pools, the last log lines of failing
    containers and of their previous runs, Helm's releases), and names the causes with what proves them and what to do.
  - Causes come before their consequences, and what fails for one reason is one cause. What no rule knows is shown as it
    is.
  - Where the objects show no failure, one short completion is sent to each InferencePool by its own route, through the
    API server's port-forward or to the Gateway's address; if that is not answered, the namespace is not healthy.
  - The namespace need not have been created by this collection. What may not be read is skipped and listed.
  - Log lines and messages are data. They are bounded, control characters are removed, and secrets are masked, by
    their looks and by the values of the Secrets that the pods use.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: It only reads, and sends requests that a model answers.
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  namespace:
    description: The namespace.
    type: str
    required: true
  besides:
    description:
      - Other namespaces of the same stack. What is wrong in them is listed too; one that does not exist is skipped.
    type: list
    elements: str
    default: []
  logs:
    description: Whether to read logs of failing containers.
    type: bool
    default: true
  probe:
    description: Whether to send those requests.
    type: bool
    default: true
  failure:
    description: What a failed run said. Texts of Helm and of the API server in it are looked at too.
    type: str
    default: ""
  ended:
    description: Whether no run works on the namespace any longer, so that a pending Helm release is stuck.
    type: bool
    default: false
  gateways:
    description: Gateways that belong to it and are in other namespaces, each as C(NAMESPACE/NAME). Those that the
      namespace's routes name are looked at anyway.
    type: list
    elements: str
    default: []
  strict:
    description: Whether to fail where the cluster cannot be asked; else that is what the result says.
    type: bool
    default: true
  components:
    description: The components of a run that failed, in order; what was left of each is shown.
    type: list
    elements: str
    default: []
  settled:
    description: Those of O(components) that were ready before the run, or became so in an earlier wave.
    type: list
    elements: str
    default: []
  failed:
    description: Those of O(components) that failed.
    type: list
    elements: str
    default: []
  events_file:
    description: The file of the run's timed steps.
    type: path
  command:
    description: The command that continues, shown with the diagnosis; by default the running one, if it deploys.
    type: str
    default: ""
  show:
    description: Whether to print the diagnosis, which the module's action plugin does.
    type: bool
    default: false
  fail_on_error:
    description: Whether to fail where a cause of failure is found.
    type: bool
    default: false
seealso:
  - module: llm_d.orchestrator.serving_info
"""

EXAMPLES = r"""
- name: Say what is wrong in a namespace
  llm_d.orchestrator.stack_diagnosis:
    namespace: llm-d
    show: true
  register: diagnosis
"""

RETURN = r"""
healthy:
  description: Whether no cause of failure was found, nor a request that is not answered.
  returned: always
  type: bool
causes:
  description: The causes, roots first.
  returned: always
  type: list
  elements: dict
  contains:
    id: {description: The rule's id., type: str, sample: DIAG101}
    title: {description: What is wrong., type: str, sample: The image does not exist}
    severity: {description: V(error) or V(warning)., type: str, sample: error}
    component: {description: Component or Helm release of the objects; empty where it is not known., type: str}
    objects: {description: What fails for it; at most 50., type: list, elements: str, sample: [Pod ms-qwen-decode-0]}
    count: {description: How many objects fail for it., type: int, sample: 1}
    explains: {description: What is not as it should be only because of it., type: list, elements: str}
    evidence: {description: Lines that prove it., type: list, elements: str}
    places:
      description: Files and lines of the user's variables and values files with the value that the evidence names.
      type: list
      elements: str
      sample: ["inventory/group_vars/all/stack.yml:24"]
    cause: {description: The rule's explanation., type: str}
    remedy: {description: What to do., type: str}
    source: {description: Where the rule comes from., type: str}
    seconds_since_first: {description: Since when it fails; null where that is not known., type: float}
evidence:
  description: Events and log lines of what no rule knows.
  returned: always
  type: list
  elements: dict
releases:
  description: The Helm releases, each with name, component, status, revision and chart.
  returned: always
  type: list
  elements: dict
requests:
  description: The requests that were sent, one for each pool; none where a cause was found in the objects.
  returned: always
  type: list
  elements: dict
  contains:
    pool: {description: The InferencePool., type: str}
    served: {description: Whether it was answered; null where it could not be sent or that cannot be told., type: bool}
    status: {description: Status of the HTTP answer; 0 for none., type: int}
    text: {description: What was asked and what came., type: str}
unseen:
  description: What could not be read, and why.
  returned: always
  type: list
  elements: str
namespace:
  description: The namespace.
  returned: always
  type: str
namespaces:
  description: All namespaces that were looked at, that one first.
  returned: always
  type: list
  elements: str
counts:
  description: How many objects of each kind were looked at.
  returned: always
  type: dict
state:
  description: What was left of O(components), a line for each that did something, and one for all others of each state.
  returned: always
  type: list
  elements: str
screen:
  description: The diagnosis as lines to read.
  returned: always
  type: list
  elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose, joined, unasked
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.gather import Gatherer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import component_states, screen


def run(params: dict, connect: t.Callable[[dict], Cluster] = Cluster) -> dict:
    """Return the module's result; raise OrchestratorError where the cluster cannot be asked and that is an error."""
    try:
        cluster = connect(params)
        gateways = [(place, name) for place, _sign, name in (text.partition("/") for text in params["gateways"])]
        options = {"failure": params["failure"], "ended": params["ended"], "gateways": gateways}
        result = _of_namespace(Gatherer(cluster, params["namespace"], **options), params)
        result = joined(result, list(_besides(cluster, params)))
    except OrchestratorError as exc:
        if params["strict"]:
            raise
        result = unasked(params["namespace"], str(exc))
    return {**result, "state": state(params), "screen": screen(result, state=state(params), command=params["command"])}


def _of_namespace(gatherer: Gatherer, params: dict) -> dict:
    ask = gatherer.ask if params["probe"] else None
    return diagnose(gatherer.run(logs=params["logs"]), gatherer.secrets, ask, home=params["namespace"])


def _besides(cluster: Cluster, params: dict) -> t.Iterator[dict]:
    """Yield what is found in each of the other namespaces; what may not be read is told, not raised."""
    for namespace in dict.fromkeys(params["besides"]):
        if namespace == params["namespace"]:
            continue
        try:
            if cluster.get("v1", "Namespace", namespace) is not None:
                yield _of_namespace(Gatherer(cluster, namespace, ended=params["ended"]), params)
        except OrchestratorError as exc:
            yield {**unasked(namespace, str(exc)), "healthy": True}


def state(params: dict) -> list[str]:
    """Return what was left of each component, one line each."""
    events = read_events(params["events_file"])
    return component_states(params["components"], params["settled"], events, params["failed"])


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    result = run(module.params)
    if module.params["fail_on_error"] and not result["healthy"]:
        return {**result, "failed": True, "msg": "\n".join(result["screen"])}
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
