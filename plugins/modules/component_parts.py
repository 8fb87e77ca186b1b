#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Bring the parts of a component to a cluster, or remove them, and wait for their objects."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component_parts
short_description: Bring the parts of a component to a cluster and wait until their objects are ready
version_added: 0.1.0
author: llm_d.orchestrator contributors (@llm-d)
description:
  - Brings all given parts to the wanted state in one call, in the order given. A part is a Helm release, a set of
    objects, a kustomization, or an upload. Parts of one kind that follow one another are worked on at once.
  - Waits by watches, for each object by the rules of its kind, and ends the wait early for what cannot become ready.
  - Every failure is reported in the same answer; one release that fails does not stop the others.
  - What this collection did not make is left alone, and is an error.
  - A Helm release is left alone if it is deployed with the same chart, the same values and the same manifest, and all
    its objects exist. One that lacks objects, failed, or was left pending by a killed Helm is repaired.
  - Objects are applied on the server by this collection's own field manager, with its labels. A namespace that exists
    is used as it is. A Job that exists is not changed.
  - HTTPRoutes are compared with those that are attached to their Gateway already, and nothing is applied if a request
    could match two of them equally well. They are ready once their parents report Accepted and ResolvedRefs.
  - A kustomization is rendered by kustomize and then handled as objects. It runs no plugins and no Helm.
  - An upload is a folder of this machine whose content is sent to a claim through a pod; what was cut off goes on where
    it was.
  - Runs in Ansible's own process where that makes no difference, and as any module with C(async).
options:
  component:
    description: Component that the parts belong to; it is written on them as a label, and into events.
    type: str
    required: true
  parts:
    description: The parts. For O(state=absent) of releases only their names and namespaces matter.
    type: list
    elements: dict
    required: true
    suboptions:
      component:
        description: The same as O(component), by which planning returns it.
        type: str
      name:
        description: Name of the part; of a release, Helm's.
        type: str
        required: true
      namespace:
        description: Namespace of the release, and of objects that name none.
        type: str
        required: true
      kind:
        description: What it is. One that nothing handles is an error.
        type: str
        required: true
      after:
        description: Whether it is brought only once the parts before it are ready.
        type: bool
        default: false
      chart_ref:
        description: Of a release, a folder, a .tgz, V(oci://REGISTRY/PATH/CHART), or V(https://REPOSITORY#CHART).
        type: str
      chart_version:
        description: Of a release, the exact version; needed for OCI and repositories.
        type: str
      values:
        description: Of a release, values, merged after O(parts[].values_files).
        type: dict
        default: {}
      values_files:
        description: Of a release, values files on the host that runs the module, merged in this order.
        type: list
        elements: path
        default: []
      replace:
        description:
          - Objects of a release that are deleted before it is upgraded, because they cannot be changed; each with
            C(apiVersion), C(kind) and C(metadata). Nothing is deleted where the release needs nothing.
        type: list
        elements: dict
        default: []
      objects:
        description: Of objects, the manifests.
        type: list
        elements: dict
        default: []
      fill:
        description: Of objects, for Secrets by name and key, the name of a value in O(secrets).
        type: dict
        default: {}
      gateway:
        description:
          - Of objects, the Gateway (C(name), C(namespace), C(section_name)) of HTTPRoutes without C(spec.parentRefs);
            without C(name) the only one of that namespace.
        type: dict
        default: {}
      going:
        description:
          - Of objects, others of this collection that are removed once these are applied, since they take the same
            requests; each with C(apiVersion), C(kind) and C(metadata).
        type: list
        elements: dict
        default: []
      keep:
        description: Of objects and kustomizations, kinds that O(state=absent) leaves.
        type: list
        elements: str
        default: []
      label:
        description:
          - Of objects and kustomizations, the label by which they are known as ours. With another than the default, a
            teardown leaves them alone.
        type: str
        default: orchestrator.llm-d.ai/managed
      prune:
        description:
          - Of objects and kustomizations, whether what carries the component's labels in these namespaces and is not
            in the part is removed too. Claims stay.
        type: bool
        default: false
      spared:
        description:
          - Of objects and kustomizations, objects of other parts that O(parts[].prune) leaves. Those of the same call
            need not be named.
        type: list
        elements: dict
        default: []
      path:
        description: Of a kustomization, its folder. Bases may lie outside of it. Of an upload, the folder in the claim.
        type: path
      overlay:
        description: Of a kustomization, fields of one that is laid over the folder, such as C(namespace) and C(images).
        type: dict
        default: {}
      remote:
        description: Of a kustomization, whether it may take in what is not on this machine.
        type: bool
        default: false
      source:
        description: Of an upload, the folder whose content is sent to a claim.
        type: path
      digest:
        description: Of an upload, the digest of that content. A claim that is marked with it gets nothing.
        type: str
      claim:
        description: Of an upload, the claim.
        type: str
      pod:
        description:
          - Of an upload, the manifest of the pod that receives the content. It is removed when the upload is complete
            or fails.
        type: dict
  secrets:
    description: Values for O(parts[].fill).
    type: dict
    default: {}
  state:
    description:
      - V(present) deploys them to the cluster; V(absent) removes what this collection created of them, and waits until
        their objects and pods are gone.
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
    description: Whether to create the namespaces, with this collection's labels, where they do not exist.
    type: bool
    default: true
  helm_binary:
    description: Path of Helm 3.17 or later; the one on PATH by default. Needed for releases only.
    type: path
  kustomize_binary:
    description: Path of kustomize or kubectl; the one on PATH by default. Needed for kustomizations only.
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
      - Site's registry, as C(HOST[:PORT][/PATH]), that all images of releases and kustomizations come from; each is
        rewritten to C(HOST[:PORT][/PATH]/ITS-OWN-HOST/ITS-PATH) after rendering. Images of Helm's hooks are not.
    type: str
    default: ""
  after:
    description:
      - Background jobs of other components, by component, that have to succeed first, each with its result C(file).
        Nothing is begun once a component of the deployment has failed.
    type: dict
    default: {}
  lock:
    description: >-
      What RV(llm_d.orchestrator.stack_lock#module:held) returned. After a wait for O(after) it is checked that the
      lock is still held.
    type: dict
    default: {}
  events_file:
    description:
      - File to which timed steps are appended as JSON lines. The calls of one deployment share it, and by a file beside
        it they are stopped, see O(llm_d.orchestrator.release_jobs#module:on_failure).
    type: path
  owner:
    description:
      - The playbook's process, as RV(llm_d.orchestrator.stack_lock#module:held.process) tells it. A background job
        makes nothing more once that is gone, so that it is not in the way of the next run.
    type: dict
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Renders, and applies on the server without persisting.
  diff_mode:
    support: full
    description: Shows manifests and objects before and after, the data of Secrets hidden.
  async:
    support: full
    description: May run with C(async).
"""

EXAMPLES = r"""
- name: Deploy two models
  llm_d.orchestrator.component_parts:
    component: modelservice
    parts:
      - name: ms-qwen
        namespace: llm-d
        kind: release
        chart_ref: https://llm-d-incubation.github.io/llm-d-modelservice#llm-d-modelservice
        chart_version: v0.4.5
        values_files: [qwen.yaml]
      - name: ms-llama
        namespace: llm-d
        kind: release
        chart_ref: ./charts/llm-d-modelservice
        values:
          modelArtifacts: {name: meta-llama/Llama-3.1-8B-Instruct}

- name: Apply the folder of a guide
  llm_d.orchestrator.component_parts:
    component: extras
    parts:
      - {name: extras, namespace: llm-d, kind: kustomization, path: ./extras, prune: true}
"""

RETURN = r"""
component:
  description: The component, which a failure names.
  returned: always
  type: str
  sample: modelservice
parts:
  description: One entry for each part, in the order given. On failure too; a failed one has RV(parts[].error).
  returned: always
  type: list
  elements: dict
  contains:
    component: {description: The component., type: str, sample: modelservice}
    name: {description: Name of the part., type: str, sample: ms-qwen}
    namespace: {description: Its namespace., type: str, sample: llm-d}
    kind: {description: Its kind., type: str, sample: release}
    action:
      description:
        - V(created), V(upgraded), V(updated), V(repaired), V(unchanged), V(removed), or null where it failed before
          anything was made.
      type: str
      sample: created
    reason: {description: Why a release was changed., type: str, sample: its values differ}
    chart: {description: "Of a release, name of the chart.", type: str, sample: llm-d-modelservice}
    chart_version: {description: "Of a release, version of the chart.", type: str, sample: v0.4.5}
    chart_digest: {description: "Of a release, SHA-256 of the chart.", type: str}
    revision: {description: "Of a release, Helm's revision.", type: int, sample: 1}
    manifests: {description: "Of objects and kustomizations, what was applied, without secrets.", type: list}
    seconds: {description: Time from the start until it was ready., type: float, sample: 61.3}
    error: {description: Why it failed., type: str}
    cancelled: {description: Whether it was stopped because another component failed., type: bool}
    objects:
      description: Its objects.
      type: list
      elements: dict
      contains:
        api_version: {description: API version., type: str, sample: apps/v1}
        kind: {description: Kind., type: str, sample: Deployment}
        namespace: {description: Its namespace; empty for cluster-wide kinds., type: str}
        name: {description: Name., type: str}
        ready: {description: Whether it is ready; null where that was not asked for., type: bool}
        seconds: {description: Time for which it was waited., type: float}
        fingerprint: {description: Hash of its manifest., type: str}
        action:
          description:
            - What became of an object without a release. In check mode, of a release's objects, V(create), V(reuse),
              V(update), V(replace) or V(delete).
          type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import PATIENCE, Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy import kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.base import Work
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.jobs import NotStarted, await_jobs
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import Helm
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.image_check import registry_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.locks import verify_held


def shown(params: dict) -> dict:
    """Return what a result tells of its options: what may hold secrets would be kept by async."""
    names = ("name", "namespace", "kind", "chart_ref", "chart_version", "path")
    parts = [{name: part[name] for name in names if part.get(name)} for part in params["parts"]]
    return {"invocation": {"module_args": {**params, "parts": parts, "secrets": sorted(params["secrets"])}}}


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError, of parts that failed with the rows of all."""
    params = module.params
    # Ansible would add all that a module was told; one that runs in its own process tells nothing.
    told = shown(params) if isinstance(module, AnsibleModule) else {}
    told["component"] = params["component"]
    parts = [{**part, "component": params["component"]} for part in params["parts"]]

    def make_helm() -> Helm:
        return Helm(module, params, params["helm_binary"], registry_of(params))

    cluster = Cluster(params, PATIENCE)
    try:
        if params["after"]:
            files = [job["file"] for job in params["after"].values()]
            if not await_jobs(files, params["events_file"], params["owner"]):
                raise NotStarted(params["component"], [part["name"] for part in parts])
            verify_held(cluster, params["lock"])
        with Work(cluster, params, make_helm, check=module.check_mode, diff=module._diff) as work:
            outcome = (kinds.present if params["state"] == "present" else kinds.absent)(work, parts)
    except OrchestratorError as exc:
        exc.result = {"parts": [], **exc.result, **told}
        raise
    for warning in outcome.warnings:
        module.warn(warning)
    return {"changed": outcome.changed, "parts": outcome.rows, "diff": outcome.diff if module._diff else [], **told}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out, no_log={"secrets": True})


if __name__ == "__main__":
    main()
