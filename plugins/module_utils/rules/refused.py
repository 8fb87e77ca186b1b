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
from ..base.suggest import NEAR, nearest
from ..cluster.definitions import objections
from ..cluster.refusals import DENIED, INVALID, UNKNOWN, WARNED, Objection, absent_class, is_security, quoted
from ..model.items import Item
from ..model.model import StackModel, pod_specs
from .base import Path, Side, finding, made, rule_factory
from .platform import constraints, constraints_unknown, pod_security

# Pod Security's and LimitRanges' words for a container; the field that has to be set.
_CONTAINER = re.compile(r'containers? (?:in pod )?"([^"]+)"|for: ([\w-]+)')
_FIELD = re.compile(r"must (?:not )?set (securityContext\.[\w.]+)")


def _causes(model: StackModel) -> t.Iterator[tuple[Objection, Side]]:
    """Yield each refused field of a planned object, with the key of the values that made it."""
    if "coming definitions" not in model.cache:
        model.cache["coming definitions"] = _by_definitions(model)
    coming = model.cache["coming definitions"]
    for item in model.planned:
        key = (item.kind, item.namespace, item.name)
        for cause in model.facts.refused.get(key) or coming.get(key, ()):
            yield cause, made(item, _pod_path(item, cause) if cause.how == DENIED else cause.path)


def _by_definitions(model: StackModel) -> dict[tuple[str, str, str], list[Objection]]:
    """Return what definitions that come with the stack do not take: the API server cannot be asked for these yet."""
    planned = [item.body for item in model.items("CustomResourceDefinition", planned_only=True)]
    definitions = [*model.facts.definitions, *planned]
    return {
        (item.kind, item.namespace, item.name): objections(item.body, definitions)
        for item in (model.planned if definitions else ())
        if item.by is None and "." in item.group
    }


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


def _found(side: Side, cause: Objection, text: str) -> Finding:
    title = side.item.title
    # A field that is not as meant (a misplaced ports:) is why others miss what it would have given.
    lost = (("probe", title), ("monitor", title, "")) if "ports" in side.path else ()
    return finding(text, (side,), ("refused", title, side.path, cause.text), explains=lost)


def invalid(model: StackModel) -> t.Iterator[Finding]:
    """Values that the API server does not take, and fields that it requires."""
    for cause, side in _causes(model):
        if cause.how not in (UNKNOWN, DENIED, WARNED) and not _misspelt(model, side, cause):
            yield _found(side, cause, f"the API server rejects {_where(side)}: {cause.text}{_near(side, cause)}")


def _misspelt(model: StackModel, side: Side, cause: Objection) -> bool:
    """Return whether a field is missing because it was misspelt, which is said of the other name."""
    if not cause.text.startswith("Required value") or not cause.path:
        return False
    *above, name = cause.path
    others = [one.path[-1] for one, other in _causes(model)
              if one.how == UNKNOWN and other.item is side.item and list(one.path[:-1]) == above]  # fmt: skip
    return nearest(str(name), map(str, others), NEAR) is not None


def _where(side: Side) -> str:
    named = next((str(step) for step in reversed(side.path) if not isinstance(step, int)), "")
    return f"{named} of {side.item.name}" if named else side.item.title


def _near(side: Side, cause: Objection) -> str:
    """Return what a name that is not found was probably meant to be: one of those that the pod has."""
    if cause.how != INVALID or not cause.text.startswith("Not found: "):
        return ""
    spec = next((spec for above, spec in pod_specs(side.item) if side.path[: len(above)] == above), {})
    names = [str(one.get("name")) for one in dicts(spec.get("volumes"))] if "volumeMounts" in side.path else []
    return did_you_mean(str(quoted(cause.text)), names)


def unknown(model: StackModel) -> t.Iterator[Finding]:
    """Fields of the user's values that the API server does not know."""
    return _unknown(model, given=True)


def unknown_of_chart(model: StackModel) -> t.Iterator[Finding]:
    """Fields that a chart writes by itself, and the API server does not know."""
    return _unknown(model, given=False)


def _unknown(model: StackModel, given: bool) -> t.Iterator[Finding]:
    for cause, side in _causes(model):
        if cause.how == UNKNOWN and given is _by_user(side):
            yield _found(side, cause, f"the field {_where(side)} {cause.text}.{cause.guess}")


def _by_user(side: Side) -> bool:
    """Return whether a user wrote a field: charts give it as it stands, so that the very field is among the values."""
    return not side.item.release or side.key[-1:] == side.path[-1:]


def warnings(model: StackModel) -> t.Iterator[Finding]:
    """What the API server warns of in what a user wrote: it takes the field, and does not do what it says."""
    for cause, side in _causes(model):
        if cause.how == WARNED and _by_user(side):
            yield _found(side, cause, f"the API server warns about {_where(side)}: {cause.text}")


def denied(model: StackModel) -> t.Iterator[Finding]:
    """What the cluster's admission refuses."""
    # What these say holds where pods may not be tried too, and llm_d_access weighs it.
    said = {one.key[1] for check in (pod_security, constraints, constraints_unknown) for one in check(model)}
    for cause, side in _causes(model):
        if cause.how == DENIED and not (is_security(cause.text) and side.item.title in said):
            what = f"pods of {side.item.name}" if cause.path else side.item.title
            yield _found(side, cause, f"the cluster rejects {what}: {cause.text}")


_rule = rule_factory("LLMD8")
_DRY_RUN = "Kubernetes, dry run with fieldValidation=Strict"

RULES = (
    _rule(
        1,
        "The API server accepts every value",
        invalid,
        "A dry run of each object that is new or changes succeeds: quantities, types, enums, ranges, required fields, "
        "duplicates. Where the namespace does not exist yet another one stands in; where objects may not be tried, the "
        "server's OpenAPI schemas are asked.",
        "The release fails halfway, with the API server's error, or its controller creates no pods.",
        "correct the value",
        f"{_DRY_RUN}; OpenAPI v3",
    ),
    _rule(
        2,
        "Fields are known to the API server",
        unknown,
        "The API server knows each field that values put into an object.",
        "It silently drops the field: no probe, no port, no limit.",
        "correct the field's name or place",
        _DRY_RUN,
    ),
    _rule(
        3,
        "Charts write fields that the API server knows",
        unknown_of_chart,
        "The API server knows each field that a chart writes by itself.",
        "It silently drops the field; the chart is made for a newer release of the CRD.",
        "install the release of the CRDs that the chart is made for",
        _DRY_RUN,
        WARNING,
    ),
    _rule(
        4,
        "The cluster admits the objects and their pods",
        denied,
        "Admission lets each object and a pod of each template pass: RuntimeClass, PriorityClass, Pod Security, "
        "LimitRanges, what quotas make pods specify, webhooks and policies. In a namespace that does not exist yet, "
        "only classes are reported.",
        "The object is refused, or no pod is created and only the ReplicaSet's events say why.",
        "change what is rejected, or ask for a change of the cluster's policy",
        "Kubernetes, Admission Control",
    ),
    _rule(
        13,
        "The API server gives no warnings",
        warnings,
        "A dry run of each object that is new gives no warning about a field of the user's values: variables and ports "
        "given twice, negative times, labels and annotations of earlier releases.",
        "The object is created; of two, the last one wins, and deprecated fields end with a later release.",
        "follow the warning",
        "Kubernetes, Warning headers: pkg/api/pod/warnings.go",
        WARNING,
    ),
)
