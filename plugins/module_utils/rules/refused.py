# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what the API server itself refuses: planned objects, and the pods that controllers make of them.

It was asked by dry runs (changes/trials.py); here is said which key of the values its refusals are about.
"""

from __future__ import annotations

import re
import typing as t

from ..base.data import dicts
from ..base.findings import WARNING, Finding
from ..base.names import did_you_mean
from ..cluster.refusals import DENIED, INVALID, UNKNOWN, Objection, absent_class, is_security, quoted
from ..model.items import Item
from ..model.model import StackModel, pod_specs
from ..values.origin import origin
from .base import Path, Side, finding, rule_factory
from .platform import constraints, constraints_unknown, pod_security

# Pod Security's and LimitRanges' words for a container; the field that has to be set.
_CONTAINER = re.compile(r'containers? (?:in pod )?"([^"]+)"|for: ([\w-]+)')
_FIELD = re.compile(r"must (?:not )?set (securityContext\.[\w.]+)")


def _causes(model: StackModel) -> t.Iterator[tuple[Item, Objection, Path, Path]]:
    """Yield each refused field of a planned object with its path there, and the key of the values that made it."""
    for item in model.planned:
        for cause in model.facts.refused.get((item.kind, item.namespace, item.name), ()):
            path = _pod_path(item, cause) if cause.how == DENIED else cause.path
            yield item, cause, path, origin(item.layers, item.body, path, item.name)


def _pod_path(item: Item, cause: Objection) -> Path:
    """Return which field of a workload a refusal of its pods is about, as far as the words say it."""
    if not cause.path:
        return ()
    field, _name = absent_class(cause.text)
    specs = dict(pod_specs(item))
    path = next((path for path in specs if path[: len(cause.path)] == cause.path), cause.path)
    if field:
        return (*path, field)
    named = _CONTAINER.search(cause.text)
    wanted = (named[1] or named[2]) if named else ""
    for key in ("containers", "initContainers"):
        for index, container in enumerate(dicts(specs.get(path, {}).get(key))):
            if container.get("name") == wanted:
                within = _FIELD.search(cause.text)
                return (*path, key, index, *(within[1].split(".") if within else ("resources",)))
    return path


def _found(item: Item, cause: Objection, path: Path, key: Path, text: str) -> Finding:
    side = Side(item, path, "values", key) if key else Side(item, path)
    # A field that is not as meant (a misplaced ports:) is why others miss what it would have given.
    lost = (("probe", item.title), ("monitor", item.title, "")) if "ports" in path else ()
    return finding(text, (side,), ("refused", item.title, path, cause.text), explains=lost)


def invalid(model: StackModel) -> t.Iterator[Finding]:
    """Values that the API server does not take, and fields that it requires."""
    for item, cause, path, key in _causes(model):
        if cause.how not in (UNKNOWN, DENIED):
            text = f"the API server refuses {_where(item, path)}: {cause.text}{_near(item, cause, path)}"
            yield _found(item, cause, path, key, text)


def _where(item: Item, path: Path) -> str:
    named = next((str(step) for step in reversed(path) if not isinstance(step, int)), "")
    return f"{named} of {item.name}" if named else item.title


def _near(item: Item, cause: Objection, path: Path) -> str:
    """Return what a name that is not found was probably meant to be: one of those that the pod has."""
    if cause.how != INVALID or not cause.text.startswith("Not found: "):
        return ""
    spec = next((spec for above, spec in pod_specs(item) if path[: len(above)] == above), {})
    names = [str(one.get("name")) for one in dicts(spec.get("volumes"))] if "volumeMounts" in path else []
    return did_you_mean(str(quoted(cause.text)), names)


def unknown(model: StackModel) -> t.Iterator[Finding]:
    """Fields of the user's values that the API server does not know."""
    return _unknown(model, given=True)


def unknown_of_chart(model: StackModel) -> t.Iterator[Finding]:
    """Fields that a chart writes by itself, and the API server does not know."""
    return _unknown(model, given=False)


def _unknown(model: StackModel, given: bool) -> t.Iterator[Finding]:
    for item, cause, path, key in _causes(model):
        # Charts give what a user wrote as it stands: the very field is then among the values.
        if cause.how == UNKNOWN and given is (bool(key) and key[-1] == path[-1] or not item.release):
            yield _found(item, cause, path, key, f"the field {_where(item, path)} {cause.text}.{cause.guess}")


def denied(model: StackModel) -> t.Iterator[Finding]:
    """What the cluster's admission refuses."""
    # What these say holds where pods may not be tried too, and llm_d_access weighs it.
    said = {one.key[1] for check in (pod_security, constraints, constraints_unknown) for one in check(model)}
    for item, cause, path, key in _causes(model):
        if cause.how == DENIED and not (is_security(cause.text) and item.title in said):
            what = f"pods of {item.name}" if cause.path else item.title
            yield _found(item, cause, path, key, f"the cluster does not admit {what}: {cause.text}")


_rule = rule_factory("LLMD8")
_DRY_RUN = "Kubernetes, dry run with fieldValidation=Strict"

RULES = (
    _rule(
        1,
        "The API server takes every value",
        invalid,
        "A dry run of each object that is new or changes succeeds: quantities, types, enums, ranges, required fields, "
        "duplicates. Where the namespace does not exist yet another one stands in; where objects may not be tried, the "
        "server's OpenAPI schemas are asked.",
        "The release fails half way, in the API server's words, or its controller makes no pods.",
        "correct the value",
        f"{_DRY_RUN}; OpenAPI v3",
    ),
    _rule(
        2,
        "Fields are known to the API server",
        unknown,
        "The API server knows each field that values put into an object.",
        "It drops the field without a word: no probe, no port, no limit.",
        "correct the name, or the place",
        _DRY_RUN,
    ),
    _rule(
        3,
        "Charts write fields that the API server knows",
        unknown_of_chart,
        "The API server knows each field that a chart writes by itself.",
        "It drops the field without a word; the chart is made for a newer release of the kind's definition.",
        "install the release of the definitions that the chart is made for",
        _DRY_RUN,
        WARNING,
    ),
    _rule(
        4,
        "The cluster admits the objects and their pods",
        denied,
        "Admission lets each object and a pod of each template pass: RuntimeClass, PriorityClass, Pod Security, "
        "LimitRanges, what quotas make pods specify, webhooks and policies. In a namespace that does not exist yet "
        "only classes are said.",
        "The object is refused, or no pod is created and only the ReplicaSet's events say why.",
        "change what is refused, or have the cluster's policy changed",
        "Kubernetes, Admission Control",
    ),
)
