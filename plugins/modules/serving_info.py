#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Say whether the models of a stack are served: through their Gateway, their frontend, their router."""

from __future__ import annotations

DOCUMENTATION = r"""
module: serving_info
short_description: Say whether the models of a stack are served
version_added: 0.1.0
description:
  - Judges pods, pool selectors and ports, endpoint pickers and conditions, sends real completions to each model through
    the Gateway, and compares which pods' request counters moved.
  - A model passes when it answers 200 under the requested name, from one of its own pods, and all its pods are ready.
    A condition that is not true on a path that serves is a warning.
  - Models with prefill pods pass only when a prefill pod took part, see O(pd).
  - The model's own endpoint picker must have counted the requests, if its metrics can be read.
  - Models behind a frontend of NVIDIA Dynamo must be in its C(/v1/models), answer under the requested name, and be
    answered by the workers of their own graph, whose counters are read; with prefill workers, one of those took part.
  - Of an LLM Router, C(/config) must be as expected; each class of each policy is requested by its name, and the
    classifier once for each policy. The header has to name the class, the body the class's model.
  - LLM-Orchestrator must be healthy, reach its database, cache and queue, have its metrics, and run a workflow by one
    of its workers; it is told as a row of RV(models) that the worker served.
  - It changes nothing, and reports what does not hold without failing.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Runs as ever; where nothing is deployed yet, that is a warning and no failure, see O(pending).
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  namespace:
    description: Namespace of the models.
    type: str
    required: true
  gateway:
    description: The Gateway; by default the only one of the namespace, or the one that its routes name.
    type: dict
    default: {}
    suboptions:
      name:
        description: Name of the Gateway.
        type: str
      namespace:
        description: Namespace of the Gateway, by default that of the models.
        type: str
  stack:
    description:
      - The stack as M(llm_d.orchestrator.stack_info) returns it. Its models that have a pool are verified where
        O(models) is empty, through its Gateway where O(gateway) is empty, and its frontends, routers and orchestrators.
    type: dict
    default: {}
  models:
    description: The models to verify.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Short name, for messages and derived names.
        type: str
        required: true
      model:
        description: Name under which it is served; by default O(models[].name).
        type: str
      path_prefix:
        description: Path before C(/v1); by default what the model's HTTPRoute matches.
        type: str
      hostname:
        description: Host header; by default the first hostname of the model's HTTPRoute.
        type: str
      pool:
        description:
          - InferencePool; by default C(gaie-) and the name, else the one that selects the model's pods (by their
            labels, or by the names that their servers serve), else the only one.
        type: str
      service:
        description: Service of a standalone router that lets requests in by its port C(http), else a Gateway does.
        type: str
      labels:
        description: Labels of the model's pods; by default what the pool selects.
        type: dict
      port:
        description: Port of the pods that has C(/metrics); by default the pool's target port.
        type: int
  via:
    description:
      - How Gateway, frontend and router are reached. V(auto) takes a port-forward to a Ready pod behind the Service,
        or the Gateway's address where it has no such pod. V(address) takes the load balancer's address of a frontend's
        or router's Service, or its name inside of the cluster.
    type: str
    choices: [auto, port_forward, address]
    default: auto
  prompt:
    description: Start of the prompt; a random word goes before it, so that no cache knows it.
    type: str
    default: The capital of France is
  max_tokens:
    description: Tokens to generate for each request.
    type: int
    default: 8
  requests:
    description:
      - Requests for each model and round; models with prefill pods get 3 at least, those behind a frontend one more
        than they have workers, and 4 at least.
    type: int
    default: 1
  chat:
    description:
      - Also asks C(/v1/chat/completions), which needs a model with a chat template. Behind a frontend that is asked
        anyway; where it fails, that is a warning without this option.
    type: bool
    default: false
  stream:
    description: Also asks for a streamed completion and reports the time to its first token.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that a model may take to answer. Only answers that may pass are asked again (no connection, 429, 502,
        503, 504), and for at most 5 seconds where the objects already show why.
    type: float
    default: 60.0
  pd:
    description:
      - Whether a model with prefill pods fails where no prefill pod took part. V(auto) demands that proof unless the
        endpoint picker's plugins are known not to part prefill from decode; V(required) demands it always; V(warn) only
        warns. Behind a frontend, V(auto) demands it.
    type: str
    choices: [auto, required, warn]
    default: auto
  token:
    description: Bearer token for the servers of LLM-Orchestrator, where they ask for one.
    type: str
    default: ""
  pending:
    description:
      - Whether changes are pending that a run without check mode would make. In check mode, what does not hold is then
        a warning.
    type: bool
    default: false
  events_file:
    description: File to which timed steps are appended as JSON lines.
    type: path
"""

EXAMPLES = r"""
- name: Ask one model
  llm_d.orchestrator.serving_info:
    namespace: llm-d
    models:
      - name: qwen3-32b
        model: Qwen/Qwen3-32B
        path_prefix: /qwen3-32b

- name: Ask through a Gateway of another namespace, with streaming
  llm_d.orchestrator.serving_info:
    namespace: llm-d
    gateway: {name: shared, namespace: gateways}
    models: [{name: qwen3-32b, model: Qwen/Qwen3-32B}]
    stream: true
  register: serving

- name: Assert that it is served
  ansible.builtin.assert:
    that: serving.failures | length == 0
    fail_msg: "{{ serving.failure }}"
"""

RETURN = r"""
checks:
  description: Every check of every model. One whose C(level) is warning did not hold, yet the model is served.
  returned: always
  type: list
  elements: dict
  sample:
    - {model: qwen3-32b, name: pods, ok: true, detail: 2 of 2 pods are ready, hint: "", level: ok, seconds: 0.0}
models:
  description: What each model answered, how fast, and which pods counted it.
  returned: always
  type: list
  elements: dict
  sample:
    - name: qwen3-32b
      model: Qwen/Qwen3-32B
      url_path: POST /qwen3-32b/v1/completions
      status: 200
      ok: true
      latency_ms: 210.4
      served_by: [ms-qwen3-32b-llm-d-modelservice-decode-7d9f-abcde]
      answer: " Paris."
classes:
  description:
    - What each class of a router's policies answered. C(strategy) is manual where the class was asked for, and triton
      for the classifier's own choice, which has no C(class); C(chosen) is the class that the header named,
      C(answered_by) the model that the body named.
  returned: always
  type: list
  elements: dict
  sample:
    - router: llm-router
      policy: task_router
      strategy: manual
      class: Code Generation
      model: meta-llama/Llama-3.1-70B-Instruct
      status: 200
      ok: true
      latency_ms: 310.2
      chosen: Code Generation
      answered_by: meta-llama/Llama-3.1-70B-Instruct
failures:
  description: What has to hold and does not, one line each.
  returned: always
  type: list
  elements: str
failure:
  description: All of them as one text, empty where all models are served.
  returned: always
  type: str
notes:
  description: What does not hold although the model is served; shown as warnings too.
  returned: always
  type: list
  elements: str
endpoints:
  description: How Gateway, frontends and routers were reached.
  returned: always
  type: list
  elements: str
  sample:
    - Service llm/vllm-frontend-frontend port 8000 (port-forward to pod llm/vllm-frontend-frontend-5c8-x2x port 8000)
endpoint:
  description: All of RV(endpoints) as one text.
  returned: always
  type: str
  sample: port-forward to pod llm-d/infra-llm-d-inference-gateway-istio-5c8-x2x port 80
commands:
  description: Commands by which the models can be asked from a shell, without those that do not answer.
  returned: always
  type: list
  elements: str
asks:
  description: The requests of RV(commands), as data.
  returned: always
  type: list
  elements: dict
gateway:
  description: The Gateway's namespace and name, empty where no model is behind one.
  returned: always
  type: str
  sample: llm-d/infra-llm-d-inference-gateway
seconds:
  description: Time that the whole call took.
  returned: always
  type: float
  sample: 1.2
"""

import dataclasses
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import PATIENCE, Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.commands import commands
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import Options
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.stack import Targets, verify


def has_pool(model: dict) -> bool:
    """Return whether a model of a stack is meant to be reached through the Gateway."""
    return bool(model.get("pool"))


def stack_spec(model: dict) -> dict:
    """Return the spec of a model of a stack."""
    names = ("name", "model", "pool", "labels", "path_prefix", "service")
    return {**{name: model.get(name) for name in names}, "hostname": next(iter(model.get("hostnames") or []), None)}


def wanted_of(models: list[dict], stack: dict) -> Targets:
    """Return what to verify: the models given, else all that the stack tells of."""
    specs = models or [stack_spec(model) for model in stack.get("models") or [] if has_pool(model)]
    named = [{**spec, "model": spec.get("model") or spec["name"]} for spec in specs]
    told = [stack.get(name) or [] for name in ("frontends", "routers", "orchestrators")]
    return Targets(named, *told)


def run(params: dict, cluster: Cluster, check_mode: bool = False) -> dict:
    """Return the module's result; raises OrchestratorError where nothing can be asked."""
    begin = time.monotonic()
    names = ("namespace", "via", "prompt", "max_tokens", "requests", "timeout", "chat", "stream", "pd")
    stack = {} if params["models"] else params["stack"]
    # A Gateway of which nothing is given has all its options, unset.
    given = params.get("gateway") or {}
    gateway = given if any(given.values()) else stack.get("gateway") or {}
    options = Options(
        gateway=gateway.get("name"),
        gateway_namespace=gateway.get("namespace"),
        **{name: params[name] for name in names},
    )
    wanted = dataclasses.replace(wanted_of(params["models"], stack), token=params.get("token") or "")
    if not wanted:
        hint = "Set verify_models, or give the stack models: llm_d_models, or a frontend with models."
        raise OrchestratorError("No models to verify.", hint=hint)
    events = Events(params.get("events_file"))

    def emit(name: str, step: str, status: str, **facts: object) -> None:
        if not check_mode:
            events.emit("verify", step, status, name=name, **facts)

    result = verify(cluster, options, wanted, emit, lenient=check_mode)
    summary, asks = result.pop("summary"), result.pop("asks")
    if check_mode and result["failures"]:
        if not any(row["status"] for row in [*result["models"], *result["classes"]]):
            result.update(notes=["Nothing is served yet: verification is left to the real run."], failures=[])
        elif params["pending"]:
            notes = [f"Before the changes of a real run: {text}" for text in result["failures"]]
            result.update(notes=[*result["notes"], *notes], failures=[])
    failure = str(OrchestratorError(summary, details=result["failures"])) if result["failures"] else ""
    return {
        "changed": False,
        "gateway": "",
        **result,
        "failure": failure,
        "asks": [dataclasses.asdict(ask) for ask in asks],
        "commands": commands(asks, ["kubectl"]),
        "seconds": round(time.monotonic() - begin, 3),
    }


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    result = run(module.params, Cluster(module.params, PATIENCE), module.check_mode)
    for note in result["notes"]:
        module.warn(note)
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out, no_log={"max_tokens": False, "token": True})


if __name__ == "__main__":
    main()
