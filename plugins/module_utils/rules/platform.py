# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the platform: its version, what it admits of pods, its classes and definitions."""

from __future__ import annotations

import collections
import typing as t

from ..base.data import Object, dicts, mapping
from ..base.findings import ERROR, WARNING, Finding, show_path
from ..model.items import Item
from ..model.model import StackModel, pod_specs
from ..model.platform import OPENSHIFT
from ..objects import pod_security as pod_security_of
from ..objects import scc as scc_of
from ..programs.compatibility import KUBERNETES_SINCE
from ..programs.versions import version
from .base import Check, Rule, Side, finding, listed
from .provider import class_side

ENFORCE = "pod-security.kubernetes.io/enforce"
_SHOWN = 12


def _pods(model: StackModel) -> t.Iterator[tuple[Item, tuple[str, ...], Object, Object]]:
    """Yield each planned pod: its object, the path of its spec, the spec, and its namespace's metadata."""
    for item in model.planned:
        for path, spec in pod_specs(item):
            space = model.find("Namespace", item.namespace)
            yield item, path, spec, mapping(space.body.get("metadata")) if space else {}


def _told(found: t.Sequence[pod_security_of.Refusal]) -> str:
    """Return refusals as 'name (field: what it is, field ...)', those of one name together."""
    names: dict[str, list[str]] = collections.defaultdict(list)
    for one in found:
        names[one.name.rstrip("?")].append(f"{show_path(one.path)}: {one.text}")
    texts = []
    for name, places in names.items():
        more = f", and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        texts.append(f"{name} ({', '.join(places[:_SHOWN])}{more})")
    return "; ".join(texts)


def _sides(item: Item, path: tuple[str, ...], found: t.Sequence[pod_security_of.Refusal]) -> tuple[Side, ...]:
    role = next((role for role in ("decode", "prefill") if item.name.endswith(role)), "")
    first = found[0].path
    # In the chart's values the role has the containers as the pod has them.
    return (Side(item, (*path, *first), role, first if role else ()),)


def pod_security(model: StackModel) -> t.Iterator[Finding]:
    """Pods that the namespace's Pod Security Admission refuses."""
    for item, path, spec, space in _pods(model):
        level = str(mapping(space.get("labels")).get(ENFORCE) or "")
        found = pod_security_of.refusals(spec, level)
        if found:
            text = f"namespace {item.namespace} enforces Pod Security {level!r}, which refuses pods of {item.name}"
            yield finding(f"{text}: {_told(found)}", _sides(item, path, found), ("psa", item.title, path))


def _refused(
    model: StackModel,
) -> t.Iterator[tuple[Item, tuple[str, ...], str, list[pod_security_of.Refusal], set[str]]]:
    """Yield each pod that no usable SCC admits, with its account, what the nearest SCC refuses, and what would do."""
    platform = model.facts.platform
    if platform is None or platform.name != OPENSHIFT:
        return
    sccs = platform.sccs or (scc_of.RESTRICTED_V2,)
    planned = [item.body for item in model.items("RoleBinding", planned_only=True)]
    bindings = [*(platform.bindings or ()), *planned]
    for item, path, spec, space in _pods(model):
        account = str(spec.get("serviceAccountName") or "default")
        usable = scc_of.usable(sccs, bindings, item.namespace, account)
        by_name = {str(mapping(scc.get("metadata")).get("name")): scc for scc in sccs}
        notes = mapping(space.get("annotations"))
        found = {name: scc_of.refusals(scc, spec, notes) for name, scc in by_name.items()}
        mine = [found[name] for name in usable if name in found]
        if mine and all(mine):
            yield item, path, account, min(mine, key=len), {name for name, refused in found.items() if not refused}


def _unread(model: StackModel, namespace: str, account: str) -> bool:
    """Return whether an account has a role of somebody else, which may allow it more SCCs than their names say."""
    bindings = (model.facts.platform.bindings if model.facts.platform else None) or ()
    roles = scc_of.other_roles(bindings, namespace, account)
    planned = [model.find(kind, name, namespace) for kind, name in roles]
    return any(item is None or item.live for item in planned)


def constraints(model: StackModel) -> t.Iterator[Finding]:
    """Pods that OpenShift refuses."""
    return _constrained(model, certain=True)


def constraints_unknown(model: StackModel) -> t.Iterator[Finding]:
    """Pods of which it cannot be said whether OpenShift refuses them."""
    return _constrained(model, certain=False)


def _constrained(model: StackModel, certain: bool) -> t.Iterator[Finding]:
    platform = model.facts.platform
    known = platform is not None and platform.sccs is not None and platform.bindings is not None
    for item, path, account, found, others in _refused(model):
        sure = known and not _unread(model, item.namespace, account) and not all(scc_of.depends(one) for one in found)
        if sure is not certain:
            continue
        text = f"no SCC that ServiceAccount {account} of {item.namespace} may use admits pods of {item.name}"
        text += f": {_told(found)}" + (f"; {listed(others)} would" if others else "")
        choice = next((name for name in ("nonroot-v2", "anyuid", *sorted(others)) if name in others), "")
        grant = f"oc adm policy add-scc-to-user {choice} -z {account} -n {item.namespace}" if choice else ""
        remedy = f"remove the field, or ask an administrator to run: {grant}" if grant else ""
        yield finding(text, _sides(item, path, found), ("scc", item.title, path), remedy)


def server_version(model: StackModel) -> t.Iterator[Finding]:
    """The cluster is not older than what pods of such stacks need."""
    running = model.facts.platform.version if model.facts.platform else ""
    number = version(running)
    if number and number < (version(KUBERNETES_SINCE) or ()):
        pods = list(_pods(model))
        sidecars = [(item, path) for item, path, spec, _space in pods if _sidecar(spec)]
        sides = tuple(Side(item, (*path, "initContainers")) for item, path in sidecars)
        text = f"the cluster is Kubernetes {running}, but {KUBERNETES_SINCE} or later is needed"
        yield finding(text + (" for sidecar containers" if sides else ""), sides, ("kubernetes",))


def _sidecar(spec: Object) -> bool:
    return any(container.get("restartPolicy") == "Always" for container in dicts(spec.get("initContainers")))


def class_accepted(model: StackModel) -> t.Iterator[Finding]:
    """The controller of each planned Gateway's class has accepted it."""
    for gateway in model.items("Gateway", planned_only=True):
        found = model.find("GatewayClass", str(gateway.spec.get("gatewayClassName") or ""))
        if found is None or "status" not in found.body:
            continue
        conditions = dicts(mapping(found.body["status"]).get("conditions"))
        accepted: dict[str, t.Any] = next((one for one in conditions if one.get("type") == "Accepted"), {})
        if accepted.get("status") != "True":
            controller = found.spec.get("controllerName")
            said = f"{accepted.get('reason')}: {accepted.get('message')}" if accepted else "it has no status"
            text = f"GatewayClass {found.name} is not accepted by its controller {controller} ({said})"
            yield finding(text, (class_side(gateway), Side(found)), ("accepted", found.name))


def established(model: StackModel) -> t.Iterator[Finding]:
    """Definitions that are installed serve their kind."""
    for body in model.facts.platform.definitions if model.facts.platform else ():
        conditions = dicts(mapping(body.get("status")).get("conditions"))
        bad = [one for one in conditions if one.get("type") in ("Established", "NamesAccepted")]
        bad = [one for one in bad if one.get("status") != "True"]
        spec, name = mapping(body.get("spec")), str(mapping(body.get("metadata")).get("name"))
        if mapping(body.get("metadata")).get("deletionTimestamp"):
            why = "it is being deleted"
        elif bad or not conditions:
            said = [f"{one.get('type')}={one.get('status')}, {one.get('reason')}: {one.get('message')}" for one in bad]
            why = "; ".join(said) or "it is not Established yet"
        else:
            continue
        kind = mapping(spec.get("names")).get("kind")
        users = [
            Side(item, ("apiVersion",))
            for item in model.planned
            if (item.group, item.kind) == (spec.get("group"), kind)
        ]
        text = f"CustomResourceDefinition {name} is installed, but the cluster does not serve {kind}: {why}"
        yield finding(text, tuple(users), ("kind", spec.get("group"), kind))


def _rule(
    number: int, title: str, severity: str, check: Check, meaning: str, failure: str, remedy: str, source: str
) -> Rule:
    return Rule(f"LLMD7{number:02d}", title, severity, check, meaning, failure, remedy, source)


_SCC = "OpenShift, Managing security context constraints"

RULES = (
    _rule(
        61,
        "The namespace admits the pods (Pod Security)",
        ERROR,
        pod_security,
        "Each pod is within the level that its namespace enforces (label pod-security.kubernetes.io/enforce).",
        "No pod is created; only the ReplicaSet's events say why: violates PodSecurity.",
        "set the field as the standard requires, or use a namespace with another level",
        "Kubernetes, Pod Security Standards",
    ),
    _rule(
        62,
        "OpenShift admits the pods",
        ERROR,
        constraints,
        "An SCC that each pod's ServiceAccount may use allows its users, volumes, capabilities and host access.",
        "No pod is created; only the ReplicaSet's events say why: unable to validate against any constraint.",
        "remove the field, or ask an administrator to let the ServiceAccount use an SCC that allows it",
        _SCC,
    ),
    _rule(
        63,
        "OpenShift's admission of the pods can be checked",
        WARNING,
        constraints_unknown,
        "The SCCs, who may use them (also by roles of other names) and the namespace's openshift.io/sa.scc annotations "
        "can be read.",
        "Pods may be refused: restricted-v2, which everybody may use, does not allow what they ask for.",
        "ask an administrator which SCC the ServiceAccount may use; a namespace gets its ranges when it is created",
        _SCC,
    ),
    _rule(
        64,
        "The cluster is new enough",
        WARNING,
        server_version,
        "The cluster's version supports what the pods use.",
        "The API server drops the field: a sidecar runs as an init container that never ends, so the pod never starts.",
        "upgrade the cluster to Kubernetes 1.29 or later",
        "kubernetes-sigs/gateway-api-inference-extension, prerequisites; Kubernetes, Sidecar Containers",
    ),
    _rule(
        65,
        "The GatewayClass is accepted",
        ERROR,
        class_accepted,
        "The controller that a Gateway's class names runs, and has accepted the class.",
        "The Gateway is never programmed and gets no address; every request fails to connect.",
        "install or start the class's controller, or use a class that is accepted",
        "Gateway API, GatewayClass status; F7",
    ),
    _rule(
        66,
        "Installed definitions are established",
        ERROR,
        established,
        "A CustomResourceDefinition that is installed serves its kind.",
        "helm install fails: no matches for kind, although the definition exists.",
        "fix the definition (its names may conflict with another), or wait until it is established",
        "Kubernetes, CustomResourceDefinition status; F3",
    ),
)
