#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Work out a cluster's stack from its variables, and find every mistake before anything is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_info
short_description: Work out a cluster's stack and find every mistake in it
version_added: 0.1.0
description:
  - Turns models, pools, routes and their values files into the releases and routes that the roles deploy.
  - Checks them against one another and against the cluster, and reports all mistakes at once, each with where it stands
    (variable, or file and line) and what to write instead. It changes nothing.
  - Values are data; Jinja found in a values file stays text.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Runs as ever.
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  components:
    description: Components that are deployed; what only others need is not asked of the cluster.
    type: list
    elements: str
    choices: [modelservice, gaie, gateway, httproute]
    default: [modelservice, gaie, gateway, httproute]
  namespace:
    description: Namespace of the stack.
    type: str
    required: true
  models:
    description:
      - List of models, each with a release, a pool and a route; the variable C(llm_d_models). See
        C(docs/reference/variables.md).
    type: raw
  gateway:
    description:
      - Settings of the role P(llm_d.orchestrator.gateway#role), without the prefix C(gateway_). Likewise the three
        below.
    type: dict
    required: true
  gaie:
    description: Settings of the role P(llm_d.orchestrator.gaie#role).
    type: dict
    required: true
  modelservice:
    description: Settings of the role P(llm_d.orchestrator.modelservice#role).
    type: dict
    required: true
  httproute:
    description: Settings of the role P(llm_d.orchestrator.httproute#role).
    type: dict
    required: true
  pool_charts:
    description: For each chart that makes pools its C(ref), C(version) and C(image), where the settings do not say.
    type: dict
    required: true
  records_dir:
    description: Folder that has to be writable.
    type: path
  search_paths:
    description: Folders that relative values files are looked up in, in order.
    type: list
    elements: str
    default: []
  providers_dir:
    description: Folder of the gateway providers' files.
    type: path
    required: true
  helm_binary:
    description: Helm, by default the one on C(PATH).
    type: str
  check_values:
    description: Check all values against their charts too, as M(llm_d.orchestrator.chart_values) does.
    type: bool
    default: false
  unknown_keys:
    description: Whether keys that a chart without a schema never reads are errors or warnings.
    type: str
    choices: [error, warn]
    default: error
  check_rules:
    description:
      - Whether to render the charts of a whole stack and check all consistency rules, see C(docs/reference/rules.md).
      - With V(warn) the findings are warnings; with V(error) those of the severity error are mistakes like all others.
      - Releases that are settled already are not rendered; where all are, nothing is checked. A chart that Helm cannot
        render is a mistake in either case.
    type: str
    choices: ["off", warn, error]
    default: "off"
  access:
    description:
      - With O(check_rules), whether to ask if all that the plan needs is permitted, and whether the pods are admitted.
      - V(warn) makes warnings of what is not; V(off) does not ask.
    type: str
    choices: [block, warn, "off"]
    default: block
  lock:
    description:
      - How a deployment locks its namespaces, see M(llm_d.orchestrator.stack_lock).
      - Unless O(approval=off), a lock that is held is waited for or refused here too; else it is noted.
    type: str
    choices: [refuse, wait, "off"]
    default: refuse
  lock_timeout:
    description: Seconds to wait with O(lock=wait).
    type: int
    default: 600
  on_failure:
    description:
      - What a deployment does with the other components once one has failed, see M(llm_d.orchestrator.release_jobs).
      - It is only checked here, before anything is begun.
    type: str
    choices: [finish, cancel]
    default: finish
  capacity:
    description:
      - With O(check_rules), whether to ask if the nodes have room for the pods, and if quotas and limits allow them.
      - V(warn) makes warnings of what lacks, for clusters whose autoscaler adds nodes; V(off) does not ask.
    type: str
    choices: [block, warn, "off"]
    default: block
  adopt:
    description: With O(find_settled=true), accept releases and routes that this collection did not make.
    type: bool
    default: false
  find_settled:
    description:
      - Find the components whose releases are as wanted and ready already, and return in RV(settled) what
        M(llm_d.orchestrator.component_parts) would return for them, so that nothing has to be started for them.
      - Releases and routes of the stack's names that this collection did not make are mistakes then.
    type: bool
    default: false
  chart_cache:
    description: Folder in which fetched charts are kept, by default below the user's cache directory.
    type: path
  plain_http:
    description:
      - Reach OCI registries without TLS. Registries on this machine's loopback addresses are tried both ways anyway.
    type: bool
    default: false
  bundle:
    description:
      - Bundle that the module M(llm_d.orchestrator.stack_bundle) wrote. All charts come out of it, and none is fetched.
      - A relative path is looked up in O(search_paths).
    type: str
    default: ""
  image_registry:
    description: As O(llm_d.orchestrator.component_parts#module:image_registry).
    type: str
    default: ""
  registry_logins:
    description: Logins for OCI registries of charts, beside those of C(helm registry login).
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The registry, as C(HOST[:PORT]).
        type: str
        required: true
      username:
        description: Name of the user.
        type: str
        required: true
      password:
        description: Password or token.
        type: str
        required: true
  registry_ca:
    description: File of certificate authorities that OCI registries of charts are trusted by, beside the system's.
    type: path
  prepare:
    description:
      - Settings of the role P(llm_d.orchestrator.prepare#role), without the prefix C(prepare_) and without the token.
        What the role makes is part of the plan.
    type: dict
    default: {}
  monitoring:
    description:
      - Settings of the role P(llm_d.orchestrator.monitoring#role), without the prefix C(monitoring_), and with
        C(dashboard_files), the dashboards' JSON by their files' names.
    type: dict
    default: {}
  hf_token:
    description: The token that the role prepare keeps in a secret.
    type: str
  cluster_name:
    description: Name of the cluster in the inventory, by which its records are found.
    type: str
    default: ""
  approval:
    description:
      - What becomes of consents that the plan lacks and questions that it leaves open.
      - V(enforce) makes mistakes of them; V(ask) does so only beside other mistakes, since somebody is asked next;
        V(off) leaves them in the plan.
      - With V(off) neither O(plan_file) nor O(environment) is heeded.
    type: str
    choices: ["off", ask, enforce]
    default: "off"
  environment:
    description: With V(production) nothing is deployed without a plan and its approved digest.
    type: str
    default: ""
  plan_file:
    description: A plan made before; inputs or live objects that are not as it saw them are mistakes.
    type: str
    default: ""
  approved_digest:
    description:
      - The digest of the plan that was approved, or a map of clusters, by O(cluster_name), to such digests.
      - Without O(plan_file) it is held against the plan that is made now.
    type: raw
    default: ""
  consent:
    description: To what consent is given.
    type: list
    elements: str
    choices: [delete, replace, scale]
    default: []
  decisions:
    description: Answers to the plan's questions, by their ids.
    type: dict
    default: {}
  scale_threshold:
    description: How many pods with accelerators, or of model servers, may be added at once without consent.
    type: int
    default: 32
  findings_file:
    description: A file for the findings, ending in .sarif, .xml (JUnit) or .json; written also after mistakes.
    type: str
    default: ""
  created_claims:
    description: Names of PersistentVolumeClaims that are made before the releases.
    type: list
    elements: str
    default: []
  created_secrets:
    description: Secrets that are made before the releases, as keys by name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Work out a stack of one model
  llm_d.orchestrator.stack_info:
    namespace: llm-d
    providers_dir: roles/gateway/files/providers
    models:
      - name: qwen3-32b
        values_files: [ms/qwen3-32b.yaml]
    gateway: "{{ lookup('llm_d.orchestrator.role_settings', 'gateway') }}"
    gaie: "{{ lookup('llm_d.orchestrator.role_settings', 'gaie') }}"
    modelservice: "{{ lookup('llm_d.orchestrator.role_settings', 'modelservice') }}"
    httproute: "{{ lookup('llm_d.orchestrator.role_settings', 'httproute') }}"
    pool_charts:
      inferencepool:
        ref: oci://registry.k8s.io/gateway-api-inference-extension/charts/inferencepool
        version: v1.3.0
        image: ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0
  register: planned
"""

RETURN = r"""
settled:
  description:
    - By component what M(llm_d.orchestrator.component_parts) would return for releases that are as wanted and ready.
      Empty unless O(find_settled=true).
  returned: success
  type: dict
  sample: {}
stack:
  description: The stack, its releases per component in the form that M(llm_d.orchestrator.component_parts) takes.
  returned: success
  type: dict
  sample:
    namespace: llm-d
    gateway: {name: infra-llm-d-inference-gateway, namespace: llm-d, provider: istio, adopted: false}
    models: [{name: qwen3-32b, model: Qwen/Qwen3-32B, release: ms-qwen3-32b, pool: gaie-qwen3-32b, path_prefix: /}]
    started: 20261121T083000Z
adopted:
  description: Components whose objects may be taken over, because O(decisions) says so.
  returned: success
  type: list
  elements: str
  sample: []
plan:
  description:
    - What a deployment would do, see C(docs/operate/plan.md) and C(docs/operate/plan.schema.json).
    - Only of a whole stack with O(find_settled=true); empty else.
  returned: success
  type: dict
  sample: {}
findings:
  description: All mistakes and warnings. On failure too.
  returned: success
  type: list
  elements: dict
  sample:
    - rule: LLMD104
      severity: error
      file: /home/me/inventory/gaie/qwen.yaml
      line: 9
      column: 0
      path: inferencePool.targetPorts
      message: pool gaie-qwen3-32b sends to port 8001, on which nothing listens
      hint: make the pool's target port, routing.servicePort and the server's --port the same
      chart: inferencepool
      source: InferencePool v1, spec.targetPorts
      objects: [InferencePool llm-d/gaie-qwen3-32b spec.targetPorts]
      keys: ["gaie-qwen3-32b: inferencePool.targetPorts"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.registry import LOGINS, registry_access
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import cluster_argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import COMPONENTS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.decisions import CONSENTS, DEFAULT_THRESHOLD
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.planning import run
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas.check_all import UNKNOWN_KEYS


def argument_spec() -> dict:
    """Return the module's options."""
    sections = {name: {"type": "dict", "required": True} for name in (*COMPONENTS, "pool_charts")}
    return cluster_argument_spec(
        components={"type": "list", "elements": "str", "choices": list(COMPONENTS), "default": list(COMPONENTS)},
        namespace={"type": "str", "required": True},
        models={"type": "raw"},
        **sections,
        search_paths={"type": "list", "elements": "str", "default": []},
        providers_dir={"type": "path", "required": True},
        records_dir={"type": "path"},
        helm_binary={"type": "str"},
        check_values={"type": "bool", "default": False},
        unknown_keys={"type": "str", "choices": list(UNKNOWN_KEYS), "default": "error"},
        access={"type": "str", "choices": ["block", "warn", "off"], "default": "block"},
        lock={"type": "str", "choices": ["refuse", "wait", "off"], "default": "refuse"},
        lock_timeout={"type": "int", "default": 600},
        on_failure={"type": "str", "choices": ["finish", "cancel"], "default": "finish"},
        capacity={"type": "str", "choices": ["block", "warn", "off"], "default": "block"},
        adopt={"type": "bool", "default": False},
        find_settled={"type": "bool", "default": False},
        chart_cache={"type": "path"},
        plain_http={"type": "bool", "default": False},
        bundle={"type": "str", "default": ""},
        image_registry={"type": "str", "default": ""},
        registry_logins=LOGINS,
        registry_ca={"type": "path"},
        check_rules={"type": "str", "choices": ["off", "warn", "error"], "default": "off"},
        **approval_spec(),
        created_claims={"type": "list", "elements": "str", "default": []},
        created_secrets={"type": "dict", "default": {}, "no_log": False},
    )


def approval_spec() -> dict:
    """Return the options of the plan and its approval."""
    return {
        "prepare": {"type": "dict", "default": {}},
        "monitoring": {"type": "dict", "default": {}},
        "hf_token": {"type": "str", "no_log": True},
        "cluster_name": {"type": "str", "default": ""},
        "approval": {"type": "str", "choices": ["off", "ask", "enforce"], "default": "off"},
        "environment": {"type": "str", "default": ""},
        "plan_file": {"type": "str", "default": ""},
        "approved_digest": {"type": "raw", "default": ""},
        "consent": {"type": "list", "elements": "str", "choices": list(CONSENTS), "default": []},
        "decisions": {"type": "dict", "default": {}},
        "scale_threshold": {"type": "int", "default": DEFAULT_THRESHOLD},
        "findings_file": {"type": "str", "default": ""},
    }


def carry_out(module: AnsibleModule) -> None:
    """Run with a module's parameters and end it with the result."""
    try:
        with registry_access(module.params):
            result = run(module.params, module.check_mode, getattr(module, "say", module.warn))
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc), **exc.result)
    for note in result["stack"]["notes"]:
        module.warn(note)
    module.exit_json(**result)


def main() -> None:
    """Run the module."""
    carry_out(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
