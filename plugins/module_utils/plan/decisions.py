# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What only a person can decide about what is there already: questions, each with its choices.

A question is {id: Kind/namespace/name, text, choices: {answer: what it means or what to set}, answer: one or None}.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.findings import Finding, finding_at
from ..base.ours import MANAGED_LABEL
from ..changes.actions import CREATE, DELETE, REPLACE, UPDATE, Action
from ..helm.deployed import owner_release
from ..model.items import RenderedRelease
from ..model.model import StackModel, build_model, pod_specs

REUSE_IT, NEW, REPLACE_IT = "reuse", "new", "replace"


def unowned(actions: t.Iterable[Action], decisions: t.Mapping[str, str]) -> list[Object]:
    """Return the questions about objects that are nobody's and as wanted; a decision to replace is taken at once."""
    rows = []
    for action in actions:
        if not action.asks:
            continue
        choices = {REUSE_IT: "adopt it unchanged"}
        if action.release:
            choices[REPLACE_IT] = "delete and recreate it; needs the consent replace"
        row = _question(action.id, f"{action.title} is up to date, but its owner is unknown", choices, decisions)
        if row["answer"] == REPLACE_IT:
            action.action, action.why, action.asks = REPLACE, "llm_d_decisions requires it", False
        rows.append(row)
    return rows


def gateways(
    actions: t.Iterable[Action],
    found: t.Iterable[Object],
    classes: t.Mapping[str, str],
    ours: str,
    route_namespace: str,
    decisions: t.Mapping[str, str],
) -> list[Object]:
    """Return a question for each Gateway of others that could serve, where the plan makes another one.

    found: Gateways of the namespace; classes: {GatewayClass: controller}; ours: the class of the planned Gateway;
    route_namespace: where the routes are.
    """
    planned = [action for action in actions if action.item["kind"] == "Gateway"]
    if not any(action.action == CREATE for action in planned):
        return []
    names = {action.item["metadata"]["name"] for action in planned}
    rows = []
    for gateway in found:
        name, spec = gateway["metadata"]["name"], gateway.get("spec") or {}
        if name in names or not _alike(str(spec.get("gatewayClassName")), ours, classes):
            continue
        if not any(_admits(listener, gateway, route_namespace) for listener in spec.get("listeners") or []):
            continue
        where = gateway["metadata"]["namespace"]
        choices = {
            REUSE_IT: f"set gateway_provider: none and gateway_existing_name: {name}",
            NEW: f"create {', '.join(sorted(names))} beside it",
        }
        text = (
            f"Gateway {where}/{name} of class {spec.get('gatewayClassName')} could be used, but the plan creates "
            "another one"
        )
        rows.append(_question(f"Gateway/{where}/{name}", text, choices, decisions))
    return rows


def _alike(one: str, other: str, classes: t.Mapping[str, str]) -> bool:
    return one == other or (bool(classes.get(one)) and classes.get(one) == classes.get(other))


def _admits(listener: Object, gateway: Object, namespace: str) -> bool:
    """Return whether routes of a namespace may use a listener; a selector of namespaces is not looked into."""
    if listener.get("protocol") not in ("HTTP", "HTTPS"):
        return False
    scope = (((listener.get("allowedRoutes") or {}).get("namespaces")) or {}).get("from", "Same")
    return scope == "All" or (scope == "Same" and gateway["metadata"]["namespace"] == namespace)


def pools(model: StackModel, decisions: t.Mapping[str, str]) -> list[Object]:
    """Return a question for each InferencePool of others that selects pods of the planned models."""
    rows = []
    for pool in model.pools:
        metadata = pool.item.body.get("metadata") or {}
        if not pool.item.live or not pool.selector or (metadata.get("labels") or {}).get(MANAGED_LABEL):
            continue
        own = [w for w in model.workloads if not w.item.live and w.item.namespace == pool.item.namespace]
        taken = [w for w in own if all(w.labels.get(key) == value for key, value in pool.selector.items())]
        if not taken:
            continue
        names = ", ".join(sorted({w.item.name for w in taken}))
        helm = owner_release(pool.item.body) if metadata.get("annotations") else None
        whose = f" of the Helm release {helm[0]}" if helm else ""
        choices = {
            NEW: "deploy beside it: both pools then send requests to these pods",
            REUSE_IT: "remove the model from the plan, and add a route in httproute_routes to this pool",
        }
        text = f"{pool.item.title}{whose} also selects the pods of {names}"
        rows.append(_question(f"InferencePool/{pool.item.namespace}/{pool.item.name}", text, choices, decisions))
    return rows


def _question(name: str, text: str, choices: Object, decisions: t.Mapping[str, str]) -> Object:
    answer = decisions.get(name)
    return {"id": name, "text": text, "choices": choices, "answer": answer if answer in choices else None}


def unanswered(questions: t.Iterable[Object]) -> list[Finding]:
    """Return a finding for each question without an answer, with the variable that answers it."""
    rows = []
    for row in questions:
        if row["answer"] is None:
            choices = "; ".join(f"{name}: {text}" for name, text in row["choices"].items())
            fix = f"set llm_d_decisions: {{{row['id']}: ...}} to one of {choices}"
            rows.append(finding_at(row["id"], row["text"], fix, "consent"))
    return rows


def not_carried_out(questions: t.Iterable[Object]) -> list[Finding]:
    """Return a finding for each answer that other variables have to carry out."""
    return [
        finding_at(row["id"], f"llm_d_decisions is {REUSE_IT}, but {row['text']}", row["choices"][REUSE_IT], "decision")
        for row in questions
        if row["answer"] == REUSE_IT and NEW in row["choices"]
    ]


WORKLOADS = ("Deployment", "StatefulSet", "LeaderWorkerSet")


def consents(actions: t.Sequence[Action], given: t.Container[str], adopt: bool, threshold: int) -> list[Object]:
    """Return the consents that a plan needs. given: kinds of llm_d_consent; adopt: llm_d_adopt."""
    rows = []
    for action in actions:
        if action.action in (DELETE, REPLACE) and not (action.unwanted or action.replaced):
            verb = {DELETE: "delete", REPLACE: "delete and recreate"}[action.action]
            lost = " and its data" if action.item["kind"] == "PersistentVolumeClaim" else ""
            what = f"{verb} {action.title}{lost}: {action.why}"
            rows.append(_row(action.action, action.id, what, action.action in given))
        if action.adopts and not action.mistake:
            rows.append(_row("adopt", action.id, f"adopt {action.title}, which this collection did not create", adopt))
    pods = sum(added_pods(action) for action in actions)
    if pods > threshold:
        what = f"add {pods} pods of model servers or with accelerators, more than the threshold of {threshold}"
        rows.append(_row("scale", "pods", what, "scale" in given))
    return rows


def _row(kind: str, name: str, what: str, granted: bool) -> Object:
    return {"id": f"{kind}:{name}", "kind": kind, "what": what, "granted": granted}


def added_pods(action: Action) -> int:
    """Return how many pods with accelerators, or of model servers, an action adds."""
    if action.action not in (CREATE, UPDATE, REPLACE) or action.item["kind"] not in WORKLOADS:
        return 0
    model = build_model([RenderedRelease(action.component, action.release, "", [action.item])])
    accelerated = any(_accelerators(spec) for item in model.planned for _path, spec in pod_specs(item))
    if not accelerated and not model.workloads:
        return 0
    return max(0, _pods(action.item) - (_pods(action.live) if action.live and action.action != REPLACE else 0))


def _pods(item: Object) -> int:
    spec = item.get("spec") or {}
    replicas = spec.get("replicas", 1)
    size = (spec.get("leaderWorkerTemplate") or {}).get("size", 1)
    return (replicas if isinstance(replicas, int) else 1) * (size if isinstance(size, int) else 1)


def _accelerators(spec: Object) -> bool:
    """Return whether a pod asks for devices: extended resources have a domain in their names."""
    containers = [entry for entry in spec.get("containers") or [] if isinstance(entry, dict)]
    wanted = [entry.get("resources") or {} for entry in containers]
    names = [name for one in wanted for part in ("requests", "limits") for name in one.get(part) or {}]
    return any("/" in name for name in names)
