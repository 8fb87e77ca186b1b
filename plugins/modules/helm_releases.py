#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Install, upgrade, repair or remove several Helm releases at once and wait for their objects."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_releases
short_description: Install several Helm releases at once and wait until their objects are ready
version_added: 0.1.0
author: llm_d.orchestrator contributors (@llm-d)
description:
  - Brings all given releases of one namespace to the wanted state in one call, in parallel threads, in the order given.
  - A release is left alone if it is deployed with the same chart, the same values and the same manifest, and all its
    objects exist. One that lacks objects, failed, or was left pending by a killed Helm is repaired.
  - Waits by watches, for each object by its own rules, and ends the wait early for pods that cannot become ready.
  - Every release failure is reported in the same answer; one that fails does not stop the others.
  - Has no action plugin, unlike M(kubernetes.core.helm), so that a task may run it with C(async).
options:
  component:
    description: Component that the releases belong to; it is written on them as a label, and into events.
    type: str
    required: true
  namespace:
    description: Namespace of all the releases.
    type: str
    required: true
  releases:
    description: The releases. For O(state=absent) only their names matter.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the release.
        type: str
        required: true
      chart_ref:
        description: A folder, a .tgz, V(oci://REGISTRY/PATH/CHART), or V(https://REPOSITORY#CHART).
        type: str
      chart_version:
        description: Exact version; needed for OCI and repositories.
        type: str
      values:
        description: Values, merged after O(releases[].values_files).
        type: dict
        default: {}
      values_files:
        description: Values files on the host that runs the module, merged in this order.
        type: list
        elements: path
        default: []
      replace:
        description:
          - Objects of the release that are deleted before it is upgraded, because they cannot be changed; each with
            C(apiVersion), C(kind) and C(metadata). Nothing is deleted where the release needs nothing.
        type: list
        elements: dict
        default: []
  state:
    description:
      - V(present) installs; V(absent) removes those of the names that this collection made, and waits until their
        objects and pods are gone.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: Whether to wait until the objects are ready, or gone.
    type: bool
    default: true
  wait_timeout:
    description: Seconds for the whole call.
    type: int
    default: 1800
  fail_fast:
    description: Whether to end the wait for an object that cannot become ready without a change.
    type: bool
    default: true
  fail_fast_grace:
    description: Seconds for which an object must look so before it counts as failed.
    type: int
    default: 10
  adopt:
    description: Whether releases and objects that this collection did not make may be taken over.
    type: bool
    default: false
  create_namespace:
    description: Whether to create the namespace, with this collection's labels, where it does not exist.
    type: bool
    default: true
  helm_binary:
    description: Path of Helm 3.17 or later; the one on PATH by default.
    type: path
  chart_cache:
    description: Folder in which fetched charts are kept; below the user's cache directory by default.
    type: path
  plain_http:
    description:
      - Reach OCI registries without TLS. Registries on this machine's loopback addresses are tried both ways anyway.
    type: bool
    default: false
  image_registry:
    description:
      - Site's registry, as C(HOST[:PORT][/PATH]), that all images of the releases come from; each is rewritten to
        C(HOST[:PORT][/PATH]/ITS-OWN-HOST/ITS-PATH) after the chart is rendered. Images of hooks are not.
    type: str
    default: ""
  events_file:
    description:
      - File to which timed steps are appended as JSON lines. The calls of one deployment share it, and by a file beside
        it they are told to stop, see O(llm_d.orchestrator.release_jobs#module:on_failure).
    type: path
  owner:
    description:
      - The playbook's process, as RV(llm_d.orchestrator.stack_lock#module:held.process) tells it. A background job
        installs nothing more once that is gone, so that it is not in the way of the next run.
    type: dict
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Renders the manifests and changes nothing.
  diff_mode:
    support: full
    description: Shows the manifests before and after, the data of Secrets hidden.
  async:
    support: full
    description: May run with C(async).
"""

EXAMPLES = r"""
- name: Deploy two models
  llm_d.orchestrator.helm_releases:
    component: modelservice
    namespace: llm-d
    releases:
      - name: ms-qwen
        chart_ref: https://llm-d-incubation.github.io/llm-d-modelservice#llm-d-modelservice
        chart_version: v0.4.5
        values_files: [qwen.yaml]
      - name: ms-llama
        chart_ref: ./charts/llm-d-modelservice
        values:
          modelArtifacts: {name: meta-llama/Llama-3.1-8B-Instruct}
"""

RETURN = r"""
releases:
  description: One entry for each release, in the order given. On failure too; a failed one has RV(releases[].error).
  returned: always
  type: list
  elements: dict
  contains:
    name: {description: Name of the release., type: str, sample: ms-qwen}
    namespace: {description: Its namespace., type: str, sample: llm-d}
    action:
      description: V(created), V(upgraded), V(repaired), V(unchanged), V(removed), or null where it failed.
      type: str
      sample: created
    reason: {description: Why it was changed., type: str, sample: its values differ}
    chart: {description: Name of the chart., type: str, sample: llm-d-modelservice}
    chart_version: {description: Version of the chart., type: str, sample: v0.4.5}
    chart_digest: {description: SHA-256 of the chart., type: str}
    revision: {description: Helm's revision of the release., type: int, sample: 1}
    seconds: {description: Time from the start of the install until it was ready., type: float, sample: 61.3}
    error: {description: Why it failed., type: str}
    cancelled: {description: Whether it was stopped because another component failed., type: bool}
    objects:
      description: Objects of the manifest.
      type: list
      elements: dict
      contains:
        api_version: {description: API version., type: str, sample: apps/v1}
        kind: {description: Kind., type: str, sample: Deployment}
        namespace: {description: Its namespace; empty for cluster-wide kinds., type: str}
        name: {description: Name., type: str}
        ready: {description: Whether it is ready; null where that was not asked for., type: bool}
        seconds: {description: Time for which it was waited., type: float}
        action:
          description: In check mode V(create), V(reuse), V(update), V(replace) or V(delete).
          type: str
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import Cancellation, cancel_path
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import refusals
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.discover import Discovery
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import (
    PATIENCE,
    Cluster,
    cluster_argument_spec,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.watch import Watches
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.install import UNCHANGED, Installer, refuse
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.readiness import Readiness
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.releases import (
    Deploy,
    ReleasesFailed,
    describe,
    diffs,
    foreseen,
    foreseen_diffs,
    parts,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.removal import Removal, removal_diff
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import Helm
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.deployed import HelmRecords
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.image_check import registry_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.wanted import prepare


def argument_spec() -> dict:
    """Return the module's options."""
    release = {
        "name": {"type": "str", "required": True},
        "chart_ref": {"type": "str"},
        "chart_version": {"type": "str"},
        "values": {"type": "dict", "default": {}},
        "values_files": {"type": "list", "elements": "path", "default": []},
        "replace": {"type": "list", "elements": "dict", "default": []},
    }
    return cluster_argument_spec(
        component={"type": "str", "required": True},
        namespace={"type": "str", "required": True},
        releases={"type": "list", "elements": "dict", "required": True, "options": release},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        wait={"type": "bool", "default": True},
        wait_timeout={"type": "int", "default": 1800},
        fail_fast={"type": "bool", "default": True},
        fail_fast_grace={"type": "int", "default": 10},
        adopt={"type": "bool", "default": False},
        create_namespace={"type": "bool", "default": True},
        helm_binary={"type": "path"},
        chart_cache={"type": "path"},
        plain_http={"type": "bool", "default": False},
        image_registry={"type": "str", "default": ""},
        events_file={"type": "path"},
        owner={"type": "dict"},
    )


def check_names(params: dict) -> None:
    """Refuse releases that Helm could not tell apart, or that lack a chart."""
    names = [release["name"] for release in params["releases"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    errors = [f"{name} is given more than once" for name in twice]
    errors += [f"{name} is longer than Helm's 53 characters" for name in names if len(name) > 53]
    if params["state"] == "present":
        errors += [f"{one['name']} has no chart_ref" for one in params["releases"] if not one.get("chart_ref")]
    if errors:
        raise OrchestratorError("The releases cannot be used:", details=errors)


def run_present(params: dict, cluster: Cluster, helm: Helm, *, check: bool, diff: bool) -> dict:
    """Install and wait; return the module's result."""
    deadline = time.monotonic() + params["wait_timeout"]
    namespace, inventory, watches = params["namespace"], HelmRecords(cluster), Watches(cluster)
    installer = Installer(cluster, helm, inventory, watches, params, deadline)
    wanted = prepare(params["releases"], helm, params["chart_cache"], plain_http=params["plain_http"])
    current = inventory.releases(namespace, [one.name for one in wanted])
    refuse(installer.refusals(current, [one.name for one in wanted]))
    readiness = Readiness(cluster, watches, fail_fast=params["fail_fast"], grace=params["fail_fast_grace"])
    cancellation = Cancellation(cancel_path(params["events_file"]), watches.tell, params.get("owner"))
    readiness.cancelled = cancellation.is_set
    deploy = Deploy(installer, inventory, readiness, Events(params["events_file"]), params["wait"])
    plans = deploy.plan(wanted, current, render=check)
    changed = any(plan.action != UNCHANGED for plan in plans)
    if check:
        discovery = Discovery(inventory.live)
        actions = discovery.releases(parts(plans, installer))
        refuse([one.text() for one in refusals(actions, params["adopt"])])
        if changed and params["create_namespace"]:
            # Shown with the first release.
            actions = discovery.namespace(params["component"], plans[0].wanted.name, namespace) + actions
        results = [{**describe(plan, namespace), "objects": foreseen(plan, actions)} for plan in plans]
        return {"changed": changed, "releases": results, "diff": foreseen_diffs(plans, actions)}
    if changed and params["create_namespace"]:
        inventory.ensure_namespace(namespace, params["component"])
    results = deploy.carry_out(plans)
    return {"changed": changed, "releases": results, "diff": diffs(plans, namespace) if diff else []}


def run_absent(params: dict, cluster: Cluster, helm: Helm, *, check: bool) -> dict:
    """Remove and wait; return the module's result."""
    inventory = HelmRecords(cluster)
    removal = Removal(cluster, helm, inventory, Watches(cluster), Events(params["events_file"]))
    names = [release["name"] for release in params["releases"]]
    found = inventory.releases(params["namespace"], names)
    mine = removal.ours(found, params["component"], names)
    results = removal.run(mine, params["wait_timeout"] if params["wait"] else 0, check=check)
    return {"changed": bool(mine), "releases": results, "diff": removal_diff(mine)}


def shown(params: dict) -> dict:
    """Return what a result tells of its options: no values, which may hold secrets and would be kept by async."""
    releases = [{**release, "values": sorted(release.get("values") or {})} for release in params["releases"]]
    return {"invocation": {"module_args": {**params, "releases": releases}}}


def run(params: dict, cluster: Cluster, helm: Helm, *, check: bool = False, diff: bool = False) -> dict:
    """Return the module's result; raise OrchestratorError."""
    check_names(params)
    if params["state"] == "absent":
        return run_absent(params, cluster, helm, check=check)
    return run_present(params, cluster, helm, check=check, diff=diff)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    helm = None
    try:
        helm = Helm(module, module.params, module.params["helm_binary"], registry_of(module.params))
        result = run(module.params, Cluster(module.params, PATIENCE), helm, check=module.check_mode, diff=module._diff)
    except ReleasesFailed as exc:
        module.fail_json(msg=str(exc), releases=exc.results, changed=exc.changed, **shown(module.params))
    except OrchestratorError as exc:
        module.fail_json(msg=str(exc), releases=[], **shown(module.params))
    finally:
        if helm:
            helm.close()
    module.exit_json(**result, **shown(module.params))


if __name__ == "__main__":
    main()
