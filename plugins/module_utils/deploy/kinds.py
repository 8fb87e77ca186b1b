# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which file handles a kind of part. A part of another kind is an error that names it.

Each has render, settled, present, absent, recorded and restored; the first four and the last take the call's work and
parts of one component and of that kind.
"""

from __future__ import annotations

import itertools
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from . import kustomization, objects, release, upload
from .base import PartsFailed, Result, Work

KINDS: dict[str, t.Any] = {module.KIND: module for module in (release, objects, kustomization, upload)}


def check(parts: t.Iterable[Object]) -> None:
    """Raise OrchestratorError for parts whose kind nothing handles, and for names that stand twice."""
    parts = list(parts)
    keys = [(part["component"], part["kind"], part["namespace"], part["name"]) for part in parts]
    wrong = [
        f"the part {part['name']} of {part['component']} is of the kind {part['kind']!r}"
        for part in parts
        if part["kind"] not in KINDS
    ]
    wrong += [f"{name} of {component} is defined more than once" for component, _kind, _place, name in sorted(
        {key for key in keys if keys.count(key) > 1})]  # fmt: skip
    if wrong:
        kinds = ", ".join(KINDS)
        raise OrchestratorError("Invalid parts:", details=wrong, hint=f"Known kinds: {kinds}.")


def groups(parts: t.Iterable[Object]) -> t.Iterator[tuple[t.Any, list[Object]]]:
    """Yield what handles parts that follow one another, are of one kind and of one component, with those parts.

    A part that comes `after` those before it is not brought together with them.
    """
    parts = list(parts)
    check(parts)
    batches = itertools.accumulate(int(bool(part.get("after"))) for part in parts)
    rows = zip(batches, parts, strict=True)
    for (_batch, _component, kind), group in itertools.groupby(
        rows, lambda row: (row[0], row[1]["component"], row[1]["kind"])
    ):
        yield KINDS[kind], [part for _number, part in group]


def render(work: Work, parts: t.Iterable[Object]) -> dict[tuple[str, str], list[Object]]:
    """Return the objects that parts shall have, by component and name."""
    return {
        (group[0]["component"], name): items
        for module, group in groups(parts)
        for name, items in module.render(work, group).items()
    }


def laid_out(work: Work, part: Object) -> objects.Objects | None:
    """Return the objects of a part that is applied without Helm, None for one of another kind."""
    check([part])
    module = KINDS[part["kind"]]
    return module.laid_out(work, part) if hasattr(module, "laid_out") else None


def settled(work: Work, parts: t.Iterable[Object]) -> list[Object] | None:
    """Return the rows of a component's parts where all are as wanted and ready, None where one needs something."""
    # All are looked at: planning goes by what the look has found.
    found = [module.settled(work, group) for module, group in groups(sparing(work, list(parts), "objects"))]
    return None if None in found else [row for rows in found for row in rows or []]


def sparing(work: Work, parts: list[Object], field: str) -> list[Object]:
    """Return parts, of each component the first that prunes with the objects that the others have: those stay.

    field: where a part has its objects, or would have them once they are rendered.
    """
    others = [part for part in parts if part["kind"] != release.KIND]
    if len(others) < 2 or not any(part.get("prune") or field == "manifests" for part in others):
        return parts
    found = [(part, part.get(field) or KINDS[part["kind"]].render(work, [part])[part["name"]]) for part in others]
    # Which objects they are counts here, not what fills them, which a record does not tell.
    rendered = [(part, objects.Objects(work, {**part, "objects": items, "fill": {}}).given) for part, items in found]
    first: dict[str, Object] = {}
    for part in others:
        if part.get("prune") or field == "manifests":
            first.setdefault(part["component"], part)

    def spared(part: Object) -> list[Object]:
        return [item for other, items in rendered if other is not part for item in items]

    # One of them is enough to find what goes.
    return [
        {**part, "spared": spared(part), "prune": first.get(part["component"]) is part} if part in others else part
        for part in parts
    ]


def present(work: Work, parts: t.Iterable[Object]) -> Result:
    """Bring parts to the cluster in their order, those of one kind at once; raise PartsFailed for what failed."""
    return _each(work, sparing(work, list(parts), "objects"), "present")


def restored(work: Work, parts: t.Iterable[Object]) -> Result:
    """Bring parts back to what records have of them; raise PartsFailed for what failed."""
    return _each(work, sparing(work, list(parts), "manifests"), "restored")


def absent(work: Work, parts: t.Iterable[Object]) -> Result:
    """Remove parts, the last first."""
    outcome = Result()
    for module, group in reversed(list(groups(sparing(work, list(parts), "objects")))):
        outcome.join(module.absent(work, group))
    return outcome


def returning(work: Work, parts: t.Iterable[Object]) -> list[objects.Objects]:
    """Return what recorded parts come to that are applied without Helm; see restored."""
    found = sparing(work, [part for part in parts if part["kind"] != release.KIND], "manifests")
    return [objects.Objects(work, objects.restorable(part)) for part in found]


def _each(work: Work, parts: t.Iterable[Object], verb: str) -> Result:
    outcome = Result()
    for module, group in groups(parts):
        try:
            outcome.join(getattr(module, verb)(work, group))
        except OrchestratorError as exc:
            if not outcome.rows and not isinstance(exc, PartsFailed):
                raise
            raise _with_those_before(outcome, exc, group[0]) from exc
    return outcome


def _with_those_before(outcome: Result, error: OrchestratorError, part: Object) -> PartsFailed:
    if isinstance(error, PartsFailed):
        return PartsFailed(outcome.rows + error.rows, outcome.changed or error.changed, error.noun)
    place = {key: part[key] for key in ("component", "kind", "name", "namespace")}
    return PartsFailed([*outcome.rows, {**place, "action": None, "error": str(error)}], outcome.changed)
