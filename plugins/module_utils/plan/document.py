# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a plan says, grouped and counted as a reader wants it: for the screen and for the page."""

from __future__ import annotations

import collections
import dataclasses
import json
import typing as t

from ..base.data import Object
from ..capacity.held import held_text
from ..changes.actions import CREATE, DELETE, REPLACE, REUSE, UPDATE, Action
from ..helm.image_check import images_of
from .outlook import order
from .state import plan_digest, states

ACTIONS = ("create", "update", "replace", "delete", "reuse")
CHANGES = ("create", "update", "replace", "delete")
# By the kind of consent, what grants it.
GRANTS = {kind: f"llm_d_consent: [{kind}]" for kind in ("delete", "replace", "scale")} | {
    "adopt": "llm_d_adopt: true",
    "prune": "llm_d_prune: true",
}

# Consents that have a variable of their own.
ALONE = ("adopt", "prune")


def counts(plan: Object) -> dict[str, int]:
    """Return how many actions of each kind there are, in one order."""
    found = collections.Counter(action["action"] for action in plan.get("actions") or [])
    return {name: found.get(name, 0) for name in ACTIONS}


def changes(plan: Object) -> list[Object]:
    """Return the actions that change something."""
    return [action for action in plan.get("actions") or [] if action["action"] in CHANGES]


def missing_consents(plan: Object) -> list[Object]:
    """Return the consents that nobody has given, and without which nothing is deployed."""
    return [one for one in plan.get("consents") or [] if not one.get("granted") and not one.get("optional")]


def to_prune(plan: Object) -> list[Object]:
    """Return the consents to delete what is no longer wanted that nobody has given; the rest is deployed without."""
    return [one for one in plan.get("consents") or [] if not one.get("granted") and one.get("optional")]


def is_pruned(plan: Object) -> bool:
    """Return whether a deployment of the plan deletes what is no longer wanted."""
    rows = [one for one in plan.get("consents") or [] if one.get("kind") == "prune"]
    return bool(rows) and all(one.get("granted") for one in rows)


def open_questions(plan: Object) -> list[Object]:
    """Return the questions that nobody has answered."""
    return [question for question in plan.get("questions") or [] if question.get("answer") is None]


def prompts(plan: Object, cluster: str) -> list[Object]:
    """Return {id, prompt} of each open question of a cluster, as it is asked on a terminal."""
    rows = []
    for question in open_questions(plan):
        choices = question["choices"]
        lines = [f"{cluster}: {question['id']}: {question['text']}"]
        lines += [f"  {name}: {text}" for name, text in choices.items()]
        rows.append({"id": question["id"], "prompt": "\n".join([*lines, f"Type {' or '.join(choices)}"])})
    return rows


def grant(consent: Object) -> str:
    """Return the variable that gives a consent."""
    return GRANTS.get(str(consent.get("kind")), f"llm_d_consent: [{consent.get('kind')}]")


def grants(plan: Object) -> Object:
    """Return the variables that give all missing consents: {llm_d_consent: [...], llm_d_adopt: true, ...}."""
    kinds = list(dict.fromkeys(str(consent.get("kind")) for consent in missing_consents(plan)))
    lists = sorted(kind for kind in kinds if kind not in ALONE)
    given = sorted({str(item.get("kind")) for item in plan.get("consents") or [] if item.get("granted")} - {*ALONE})
    found: Object = {"llm_d_consent": sorted({*given, *lists})} if lists else {}
    return {**found, **{f"llm_d_{kind}": True for kind in ALONE if kind in kinds}}


def decisions(plan: Object) -> Object:
    """Return llm_d_decisions with the questions answered so far, and the open ones' choices as reuse|new|replace."""
    rows = plan.get("questions") or []
    return {row["id"]: row.get("answer") or "|".join(row.get("choices") or []) for row in rows}


def extra_vars(variables: Object) -> str:
    """Return variables as one -e argument takes them."""
    return json.dumps(variables)


def by_release(actions: list[Object]) -> dict[tuple[str, str, str], dict[str, list[Object]]]:
    """Return actions as {(action, component, release): {kind: [action]}}, in the order of ACTIONS."""
    found: dict[tuple[str, str, str], dict[str, list[Object]]] = {}
    for action in sorted(actions, key=lambda item: ACTIONS.index(item["action"])):
        key = (action["action"], str(action.get("component") or ""), str(action.get("release") or ""))
        found.setdefault(key, {}).setdefault(action["kind"], []).append(action)
    return found


def object_text(action: Object) -> str:
    """Return an action's object as Kind namespace/name."""
    where = "/".join(filter(None, [action.get("namespace"), action.get("name")]))
    return f"{action.get('kind')} {where}"


def left_text(row: Object) -> str:
    """Return what is no longer wanted in one line, with what it holds."""
    found = held_text(row)
    return object_text(row) + (f" ({found})" if found else "")


def finding_line(finding: Object) -> str:
    """Return one line: rule, place (where the objects do not say it), what is wrong -> what to do."""
    file, line, path = finding.get("file") or "", finding.get("line") or 0, finding.get("path") or ""
    place = f"{file}:{line}" if line else file
    place += f" ({path})" if path and line else ""
    place = finding.get("place", place)
    start = f" {place}" if place else ""
    hint = finding.get("hint")
    return f"{finding.get('rule')}{start}: {finding.get('message')}" + (f" -> {hint}" if hint else "")


def order_text(plan: Object) -> str:
    """Return the order of work in one line."""
    parts = []
    for wave in plan.get("order") or []:
        names = (" + " if wave.get("parallel") else ", ").join(wave.get("components") or [])
        seconds = wave.get("seconds")
        parts.append(names + (f" (about {seconds:.0f} s)" if (seconds or 0) >= 1 else ""))
    return ", then ".join(parts)


def cluster_text(plan: Object) -> str:
    """Return the cluster in a few words."""
    cluster = plan.get("cluster") or {}
    platform = {"openshift": "OpenShift", "kubernetes": "Kubernetes"}.get(cluster.get("platform") or "", "Kubernetes")
    return " ".join(filter(None, [platform, cluster.get("server_version")]))


FORMAT = 1
COUNTED = (CREATE, REUSE, UPDATE, REPLACE, DELETE)
OPENSHIFT = ("config.openshift.io/v1", "security.openshift.io/v1")


@dataclasses.dataclass
class PlanContents:
    """What a plan is made of. inputs: hashes by name; charts: of all releases; the rest as in the plan."""

    namespace: str
    made: str
    version: str | None
    actions: list[Action]
    inputs: dict[str, str]
    charts: list[Object]
    consents: list[Object]
    questions: list[Object]
    leftovers: list[Object]
    uid: str = ""
    apis: t.Container[str] = ()
    host: str = ""
    table: t.Sequence[Object] = ()
    records_dir: str | None = None


def build(found: PlanContents, findings: list[Object], notes: list[str], capacity: Object) -> Object:
    """Return the plan."""
    state = states(found.actions)
    platform = "openshift" if any(api in found.apis for api in OPENSHIFT) else "kubernetes"
    busy = {action.component for action in found.actions if action.action != REUSE and not action.unwanted}
    counts = collections.Counter(action.action for action in found.actions)
    wanted = [action.item for action in found.actions if action.action != DELETE]
    return {
        "format": FORMAT,
        "cluster": {"host": found.host, "uid": found.uid, "server_version": found.version, "platform": platform},
        "namespace": found.namespace,
        "made": found.made,
        "digest": plan_digest(found.inputs, state, found.namespace),
        "inputs": found.inputs,
        "state": state,
        "charts": found.charts,
        "actions": [action.as_dict() for action in found.actions],
        "order": order(found.table, busy, found.records_dir, found.host),
        "findings": findings,
        "notes": notes,
        "capacity": capacity,
        "images": sorted(images_of(wanted)),
        "consents": found.consents,
        "questions": found.questions,
        "leftovers": found.leftovers,
        "summary": {name: counts.get(name, 0) for name in COUNTED},
    }
