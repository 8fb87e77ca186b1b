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
      - List of models, each with a release, a pool and a route; the variable C(llm_d_models). See C(docs/variables.md).
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
      - Whether to render the charts of a whole stack and check all consistency rules, see C(docs/rules.md).
      - With V(warn) the findings are warnings; with V(error) those of the severity error are mistakes like all others.
      - Releases that are settled already are not rendered; where all are, nothing is checked. A chart that Helm cannot
        render is a mistake in either case.
    type: str
    choices: ["off", warn, error]
    default: "off"
  access:
    description:
      - With O(check_rules), whether to ask the cluster if all that the plan needs is permitted, and if it admits the pods.
      - V(warn) makes warnings of what is not; V(off) does not ask.
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
        M(llm_d.orchestrator.helm_releases) would return for them, so that nothing has to be started for them.
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
    description: As O(llm_d.orchestrator.helm_releases#module:image_registry).
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
    - By component what M(llm_d.orchestrator.helm_releases) would return for releases that are as wanted and ready.
      Empty unless O(find_settled=true).
  returned: success
  type: dict
  sample: {}
stack:
  description: The stack, its releases per component in the form that M(llm_d.orchestrator.helm_releases) takes.
  returned: success
  type: dict
  sample:
    namespace: llm-d
    gateway: {name: infra-llm-d-inference-gateway, namespace: llm-d, provider: istio, adopted: false}
    models: [{name: qwen3-32b, model: Qwen/Qwen3-32B, release: ms-qwen3-32b, pool: gaie-qwen3-32b, path_prefix: /}]
    started: 20261121T083000Z
findings:
  description: What the consistency rules found, see O(check_rules).
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

import datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils._bundle_use import with_site
from ansible_collections.llm_d.orchestrator.plugins.module_utils._chart_defaults import chart_defaults
from ansible_collections.llm_d.orchestrator.plugins.module_utils._chart_registry import LOGINS, registry_access
from ansible_collections.llm_d.orchestrator.plugins.module_utils._chart_values import UNKNOWN_KEYS, check_charts
from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster, cluster_argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils._consistency import (
    check_gateway,
    check_kinds,
    check_stack,
    needed_kinds,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._findings import ERROR, WARNING, Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils._foreign import foreign
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inputs import Problems
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inventory import Inventory
from ansible_collections.llm_d.orchestrator.plugins.module_utils._modelservice import secret_names
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import StackFinding
from ansible_collections.llm_d.orchestrator.plugins.module_utils._settings import check_writable, checked_settings
from ansible_collections.llm_d.orchestrator.plugins.module_utils._settled import Settled
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack import Resolver
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_cluster import (
    check_namespace,
    helm_version,
    read_facts,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_result import as_result
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_routes import stack_routes
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_rules import (
    StackRules,
    created_objects,
    finding_text,
    join_known,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_types import COMPONENTS, Facts, Stack

# The rule that a secret is missing, which a note says too.
SECRET = "LLMD601"
RELEASE_COMPONENTS = ("modelservice", "gaie", "gateway")


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
        adopt={"type": "bool", "default": False},
        find_settled={"type": "bool", "default": False},
        chart_cache={"type": "path"},
        plain_http={"type": "bool", "default": False},
        bundle={"type": "str", "default": ""},
        image_registry={"type": "str", "default": ""},
        registry_logins=LOGINS,
        registry_ca={"type": "path"},
        check_rules={"type": "str", "choices": ["off", "warn", "error"], "default": "off"},
        created_claims={"type": "list", "elements": "str", "default": []},
        created_secrets={"type": "dict", "default": {}, "no_log": False},
    )


def run(params: dict) -> dict:
    """Return {changed, stack}; raise OrchestratorError with every mistake in its details."""
    early, notes = Problems(), []
    params = with_site(checked_settings(params, early))
    check_writable(params["records_dir"], early)
    cluster, facts, version = _connect(params, early, notes)
    facts.secrets.update({name: list(keys) for name, keys in (params["created_secrets"] or {}).items()})
    helm = None
    if set(RELEASE_COMPONENTS) & set(params["components"]):
        helm = helm_version(params["helm_binary"], early)
    sections = {name: params[name] for name in RELEASE_COMPONENTS if name in params["components"]}
    facts.chart_values = chart_defaults(sections, _fetching(params))
    resolver = Resolver(params, facts)
    stack = resolver.resolve()
    routes, rules = stack_routes(stack, resolver.problems)
    check_stack(stack, resolver.problems)
    if cluster is not None:
        _check_cluster(cluster, stack, facts, resolver.problems)
        _note_secrets(stack, facts)
    _check_work(stack, routes, resolver.problems)
    started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    more = {"started": started, "kubernetes": version, "helm": helm, "namespace_exists": facts.namespace is not None}
    result = as_result(stack, routes, rules, more)
    texts = early.texts + resolver.problems.texts
    if params["check_values"]:
        texts += _check_values(params, result["inputs"], texts, stack.notes)
    if params["find_settled"] and cluster is not None and facts.namespace is not None and not params["adopt"]:
        texts += foreign(cluster, result)
    settled, finder = {}, None
    if params["find_settled"] and cluster is not None and facts.namespace is not None and not texts:
        finder = Settled(cluster, **_fetching(params), registry=params["image_registry"])
        settled = _settled(finder, result)
    findings = []
    if cluster is not None and _rules_wanted(params, result, settled, texts):
        findings, texts = _check_rules(params, cluster, finder, stack, result, texts)
    if texts:
        raise OrchestratorError(
            f"{len(texts)} mistake{'s' if len(texts) > 1 else ''} found; nothing was changed.", details=texts
        )
    result["notes"] = _notes(stack.notes + notes, findings)
    return {"changed": False, "stack": result, "settled": settled, "findings": [item.as_dict() for item in findings]}


def _rules_wanted(params: dict, stack: dict, settled: dict, texts: list[str]) -> bool:
    """Return whether to check the rules: of a whole stack with something to do, and if that can still be said."""
    if params["check_rules"] == "off" or set(COMPONENTS) - set(params["components"]):
        return False
    if texts:
        return params["check_rules"] == "error"
    return any(releases and component not in settled for component, releases in stack["releases"].items())


def _check_rules(
    params: dict, cluster: Cluster, finder: Settled | None, stack: Stack, result: dict, texts: list[str]
) -> tuple[list[StackFinding], list[str]]:
    """Return what the rules find beyond the mistakes known, and all mistakes."""
    inventory = finder.inventory if finder else Inventory(cluster)
    rules = StackRules(cluster, inventory, stack, result, _fetching(params), params["access"])
    try:
        rendered = rules.render(finder.manifests if finder else {})
    except OrchestratorError as exc:
        return [], texts or [str(exc)]
    if rendered.errors:
        # Where mistakes are known, a chart that does not render is most often one of them.
        return [], texts or rendered.errors
    created = created_objects(params["namespace"], params["created_secrets"] or {}, params["created_claims"])
    findings = rules.findings(rendered.parts, created)
    texts, findings = join_known(texts, findings)
    if params["check_rules"] == "error":
        texts += [finding_text(item) for item in findings if item.severity == ERROR]
    return findings, texts


def _notes(notes: list[str], findings: list[StackFinding]) -> list[str]:
    """Return the notes and findings, without notes about a missing secret that a finding names too."""
    missing = [item.message.partition("there is no Secret ")[2].split()[0] for item in findings if item.rule == SECRET]
    kept = [note for note in notes if not any(f"without the secret {name} " in note for name in missing)]
    return list(dict.fromkeys(kept + [finding_text(item) for item in findings]))


def _fetching(params: dict) -> dict:
    """Return how charts are fetched."""
    helm = params["helm_binary"] or "helm"
    return {"helm": helm, "cache_dir": params["chart_cache"], "plain_http": params["plain_http"]}


def _check_values(params: dict, inputs: list[dict], known: list[str], notes: list[str]) -> list[str]:
    """Return what is wrong with the values, without what is known already; warnings go to the notes."""
    checked = check_charts(inputs, unknown_keys=UNKNOWN_KEYS[params["unknown_keys"]], **_fetching(params))
    notes += [finding.text() for finding in checked.findings if finding.severity == WARNING]
    places = [text.split(": ", 1)[0].split(" (")[0] for text in known]
    errors = [finding for finding in checked.findings if finding.severity == ERROR]
    return [finding.text() for finding in errors if not _is_known(finding, places)]


def _is_known(finding: Finding, places: list[str]) -> bool:
    """Return whether a mistake was found at a finding's line, or at its key of a variable, already."""
    if finding.mark.line:
        return f"{finding.mark.file}:{finding.mark.line}" in places
    return any(finding.path and place.endswith(f"values.{finding.path}") for place in places)


def _settled(finder: Settled, stack: dict) -> dict[str, list[dict]]:
    """Return by component the results of releases that are as wanted and ready."""
    found = {}
    for component, releases in stack["releases"].items():
        namespace = stack["gateway"]["namespace"] if component == "gateway" else stack["namespace"]
        results = finder.results(component, namespace, releases) if releases else None
        if results is not None:
            found[component] = results
    return found


def _connect(params: dict, problems: Problems, notes: list[str]) -> tuple[Cluster | None, Facts, str | None]:
    try:
        cluster = Cluster(params)
        version = cluster.version()
        gateway_namespace = params["gateway"]["namespace"] or params["namespace"]
        facts = read_facts(cluster, params["namespace"], gateway_namespace, notes)
    except OrchestratorError as exc:
        problems.add("cluster", exc.message, exc.hint, rule="cluster-unreachable")
        return None, Facts(reachable=False), None
    check_namespace(params["namespace"], facts.namespace, problems)
    return cluster, facts, version


def _check_cluster(cluster: Cluster, stack: Stack, facts: Facts, problems: Problems) -> None:
    check_kinds(needed_kinds(stack), lambda api, kind: cluster.resource(api, kind) is not None, problems)
    if "gateway" in stack.params["components"]:
        check_gateway(stack, facts, problems)


def _note_secrets(stack: Stack, facts: Facts) -> None:
    if "modelservice" not in stack.params["components"]:
        return
    for model in stack.models:
        for name in secret_names(model):
            if name not in facts.secrets:
                stack.notes.append(
                    f"{model.where}: its pods cannot start without the secret {name} (modelArtifacts.authSecretName),"
                    f" which namespace {stack.params['namespace']} does not have; prepare_hf_token makes it."
                )


def _check_work(stack: Stack, routes: list, problems: Problems) -> None:
    have = {"modelservice": stack.models, "gaie": stack.pools, "httproute": routes, "gateway": [stack.gateway]}
    variables = {"modelservice": "modelservice_models", "gaie": "gaie_pools", "httproute": "httproute_routes"}
    components = stack.params["components"]
    empty = [name for name in components if not have[name]]
    if empty and not problems and not stack.params["models"]:
        names = " or ".join(variables[name] for name in empty)
        problems.add(
            "llm_d_models",
            "is empty: there is nothing to deploy",
            f"at least one model, or {names}",
            rule="input-empty",
        )


def carry_out(module: AnsibleModule) -> None:
    """Run with a module's parameters and end it with the result."""
    try:
        with registry_access(module.params):
            result = run(module.params)
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc))
    for note in result["stack"]["notes"]:
        module.warn(note)
    module.exit_json(**result)


def main() -> None:
    """Run the module."""
    carry_out(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
