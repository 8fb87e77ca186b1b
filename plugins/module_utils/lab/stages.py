# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How the lab's nodes, healthy pods and volumes behave: KWOK Stage objects (kwok.x-k8s.io/v1alpha1).

A pod is started once it is scheduled (Running, not ready), becomes ready after its component's delay, and is gone
soon after it is deleted. The moment it becomes ready is kept in a condition of its status, so that neither a change
of the pod nor a restart of KWOK begins the delay anew. Selectors are jq expressions on the object.
"""

from __future__ import annotations

import json
import typing as t

from ..base.data import Object
from . import templates

# Labels by which a component's pods are known; a pod that several rows fit belongs to the first.
GATEWAY_LABELS = ("gateway.networking.k8s.io/gateway-name",)
EPP_LABELS = ("inferencepool", "llm-d.ai/epp")
EPP_CONTAINERS = ("epp", "endpoint-picker")
MODEL_LABELS = ("llm-d.ai/role", "llm-d.ai/inference-serving", "llm-d.ai/inferenceServing", "llm-d.ai/model")
# The operator, etcd and NATS of NVIDIA Dynamo's platform, by app.kubernetes.io/name.
PLATFORM_NAMES = ("dynamo-operator", "etcd", "nats")
DYNAMO_TYPE = '.metadata.labels["nvidia.com/dynamo-component-type"]'
COMPONENTS = ("gateway", "epp", "modelserver", "platform", "frontend", "worker", "router", "other")
NAME = '(.metadata.labels["app.kubernetes.io/name"] // "")'
DELETED = ".metadata.deletionTimestamp != null"
FINISHED = '.status.phase == "Succeeded" or .status.phase == "Failed"'
HELD = f'.metadata.annotations["{templates.CONFIG_ERROR}"] != null'
# Whether the status of a pod that is held says so already, with the same reason and message.
SAID = (
    f'(.metadata.annotations["{templates.WAITING_REASON}"] // "CreateContainerConfigError") as $reason'
    f' | (.metadata.annotations["{templates.CONFIG_ERROR}"]) as $message'
    " | [(.status.initContainerStatuses[]?, .status.containerStatuses[]?).state.waiting | select(. != null)]"
    ' | any(.reason == $reason and (.message // "") == $message)'
)
ENDED = f'.metadata.annotations["{templates.KUBELET}"] == "crashed"'
# Pods that the serving plane looks at before they start: roles/lab/files/serving_plane/kubelet/needs.py has the same
# conditions.
PLAYED = ("router-controller", "router-server")
UNUSUAL_IMAGE = "[A-Z_]|:$|:@|/kube-rbac-proxy|bitnami/"
READY_AT = f'.status.conditions[]? | select(.type == "{templates.STARTING}") | .message'
STARTED: Object = {"event": {"type": "Normal", "reason": "Started", "message": "Started container"}}


def condition_is(kind: str) -> str:
    """Return the jq expression that is true where the status has the condition as True."""
    return f'[.status.conditions[]? | select(.type == "{kind}") | .status] | any(. == "True")'


def stage(name: str, kind: str, select: dict[str, bool], steps: list[Object], delay: Object | None = None) -> Object:
    """Return a Stage of a core kind. select: jq expression -> whether it has to be true; null counts as false."""
    expressions = [
        {"key": f"({key}) // false", "operator": "In" if wanted else "NotIn", "values": ["true"]}
        for key, wanted in select.items()
    ]
    spec: Object = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": expressions},
        "steps": steps,
    }
    if delay:
        spec["delay"] = delay
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name}, "spec": spec}


def unseen_expression() -> str:
    """Return the jq expression that is true for a pod which the serving plane has to look at, and has not yet."""
    component = '.metadata.labels["app.kubernetes.io/component"]'
    played = " or ".join(f'{component} == "{name}"' for name in PLAYED)
    volumes = "[.spec.volumes[]? | .configMap, .secret, .persistentVolumeClaim] | any(. != null)"
    containers = "[.spec.containers[], .spec.initContainers[]?]"
    asks = "([.env[]?.valueFrom] | any(. != null)) or ((.envFrom // []) | length > 0)"
    image = f"(.image | test({json.dumps(UNUSUAL_IMAGE)}))"
    needs = f"{played} or ({volumes}) or ({containers} | any({asks} or {image}))"
    return f'(.metadata.annotations["{templates.KUBELET}"] == null) and ({needs})'


def status_patch(template: str) -> Object:
    """Return the step that merges a rendered status into the object's."""
    return {"patch": {"subresource": "status", "root": "status", "template": template}}


def labels_expression(labels: t.Iterable[str]) -> str:
    """Return the jq expression that is true for a pod with any of the labels."""
    return " or ".join(f'(.metadata.labels["{label}"] != null)' for label in labels)


def component_expressions() -> dict[str, str]:
    """Return the jq expression that recognises each component's pods, in order; `other` is what remains."""
    picker = " or ".join(f'. == "{name}"' for name in EPP_CONTAINERS)
    contained = f"([.spec.containers[].name] | any({picker}))"
    # The endpoint picker's charts name its objects after the release, with this suffix.
    named = f'({NAME} | endswith("-epp"))'
    return {
        "gateway": labels_expression(GATEWAY_LABELS),
        "epp": f"{labels_expression(EPP_LABELS)} or {contained} or {named}",
        "modelserver": labels_expression(MODEL_LABELS),
        "platform": " or ".join(f'({NAME} == "{name}")' for name in PLATFORM_NAMES),
        "frontend": f'{DYNAMO_TYPE} == "frontend"',
        "worker": f"{DYNAMO_TYPE} != null",
        "router": f'{NAME} == "llm-router"',
    }


def pod_stages(delays: dict[str, str], faulty: str) -> list[Object]:
    """Return the stages of healthy pods.

    delays: component -> Go duration. faulty: jq expression that is true for pods which a fault keeps down.
    """
    down = condition_is(templates.FAULT)
    waiting = f"({HELD}) or ({ENDED}) or ({unseen_expression()})"
    unstarted = {DELETED: False, FINISHED: False, waiting: False, faulty: False}
    unstarted[f'((.status.podIP // "") == "") or ({down})'] = True
    known = component_expressions()
    stages = []
    for index, name in enumerate(COMPONENTS):
        earlier = dict.fromkeys(list(known.values())[:index], False)
        mine = {known[name]: True} if name in known else {}
        steps = [STARTED, status_patch(templates.started(delays[name]))]
        stages.append(stage(f"pod-start-{name}", "Pod", {**unstarted, **earlier, **mine}, steps))
    return [*stages, *_later_pod_stages(faulty)]


def _later_pod_stages(faulty: str) -> list[Object]:
    starting = condition_is(templates.STARTING)
    ready = {DELETED: False, FINISHED: False, HELD: False, ENDED: False, faulty: False, starting: True}
    owned_by_job = '[.metadata.ownerReferences[]?.kind] | any(. == "Job")'
    complete = {DELETED: False, FINISHED: False, faulty: False, condition_is("Ready"): True, owned_by_job: True}
    held = {DELETED: False, FINISHED: False, faulty: False, HELD: True, condition_is("Ready"): False}
    # Of a pod that somebody else holds back the status is told once, and may be changed by hand.
    by_plane = f'(.metadata.annotations["{templates.KUBELET}"] == "held")'
    held[f"({by_plane} and ({SAID})) or (({by_plane} | not) and ({condition_is(templates.FAULT)}))"] = False
    # A pod that finalizers keep is deleted once only; it goes when they are gone.
    gone = {DELETED: True, "(.metadata.deletionGracePeriodSeconds // 1) > 0": True}
    at_ready = {"durationMilliseconds": 0, "durationFrom": {"expressionFrom": READY_AT}}
    return [
        stage("pod-ready", "Pod", ready, [status_patch(templates.READY)], at_ready),
        stage("pod-complete", "Pod", complete, [status_patch(templates.COMPLETE)], {"durationMilliseconds": 500}),
        stage("pod-config-error", "Pod", held, [status_patch(templates.HELD)]),
        stage("pod-delete", "Pod", gone, [{"delete": True}]),
    ]


def node_and_volume_stages() -> list[Object]:
    """Return the stages that make nodes Ready and give each claim of the lab's storage class a volume at once."""
    provisioner = templates.STORAGE_PROVISIONER
    annotation = '.metadata.annotations["{}"] == "{}"'
    ours = annotation.format("volume.kubernetes.io/storage-provisioner", provisioner)
    claim = {DELETED: False, ours: True, '.status.phase == "Pending"': True}
    made_here = annotation.format("pv.kubernetes.io/provisioned-by", provisioner)
    released = {DELETED: False, made_here: True, '.status.phase == "Released"': True}
    unready = {DELETED: False, condition_is("Ready"): False}
    return [
        stage("node-ready", "Node", unready, [status_patch(templates.NODE_READY)]),
        stage("claim-provision", "PersistentVolumeClaim", claim, [{"apply": {"template": templates.VOLUME}}]),
        stage("volume-delete", "PersistentVolume", released, [{"delete": True}]),
    ]
