# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of each release in a return to a recorded deployment: nothing, Helm's history, or its chart anew."""

from __future__ import annotations

import dataclasses
import difflib
import json
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.mask import mask
from ..base.ours import FINGERPRINT_LABEL
from ..changes.drift import is_masked
from ..charts.fetch import differs_from
from ..helm.deployed import HelmRecords
from ..helm.records import Release, revision, same_manifest, same_values
from ..helm.recovery import RECOVERING
from ..record.parts import RELEASE, recorded_parts
from .chart import RecordedCharts

UNCHANGED, HISTORY, CHART = "unchanged", "history", "chart"
GONE = "Helm no longer has that revision"


@dataclasses.dataclass
class Step:
    """One release. row: the record's; wanted: a part of the kind release; after: the manifest that it shall have."""

    row: Object
    wanted: Object
    current: Release | None
    action: str = UNCHANGED
    why: str = ""
    values: Object = dataclasses.field(default_factory=dict)
    after: str = ""

    @property
    def name(self) -> str:
        """The release's name."""
        return self.row["name"]

    @property
    def namespace(self) -> str:
        """The release's namespace."""
        return self.row["namespace"]

    @property
    def before(self) -> str:
        """The manifest that it has."""
        return self.current.manifest if self.current and self.current.status != "uninstalled" else ""

    def line(self) -> str:
        """Return what becomes of the release, in one line."""
        old = f"{self.current.chart_version} revision {self.current.revision}" if self.current else "not installed"
        new = f"{self.row.get('chart_version')} revision {self.row.get('revision')}"
        how = {UNCHANGED: "stays", HISTORY: "from Helm's history", CHART: "from its chart"}[self.action]
        why = f" ({self.why})" if self.why else ""
        return f"Helm release {self.name}: {old} -> {new}, {how}{why}"

    def as_dict(self) -> Object:
        """Return the step as the module returns it."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "component": self.row.get("component") or "",
            "action": self.action,
            "why": self.why,
            "revision": self.current.revision if self.current else 0,
            "to_revision": self.row.get("revision") or 0,
            "chart_version": self.current.chart_version if self.current else "",
            "to_chart_version": self.row.get("chart_version") or "",
            "diff": self.diff(),
        }

    def diff(self) -> str:
        """Return a unified diff of the values, without secrets; "" where nothing of them changes."""
        if self.action == UNCHANGED:
            return ""
        now, then = _text(self.current.values if self.current else {}), _text(self.values)
        return "\n".join(difflib.unified_diff(now, then, "now", "then", n=2, lineterm=""))


def _text(values: Object) -> list[str]:
    return json.dumps(mask(values), indent=2, sort_keys=True, default=str).splitlines()


def plan_steps(
    record: Object, inventory: HelmRecords, current: t.Mapping[tuple[str, str], Release], charts: RecordedCharts
) -> list[Step]:
    """Return a step for each recorded release; raise OrchestratorError for all that cannot be restored.

    current: the newest revisions by (name, namespace).
    """
    wanted = {part["name"]: part for part in recorded_parts(record) if part["kind"] == RELEASE}
    steps, errors = [], []
    for row in record.get("releases") or []:
        step = Step(row, wanted.get(row["name"]) or {}, current.get((row["name"], row["namespace"])))
        problem = _judge(step, inventory, charts)
        steps.append(step)
        errors += [f"{step.name}: {problem}"] if problem else []
    if errors:
        raise OrchestratorError(
            "These releases cannot be restored:", details=errors,
            hint="Run site.yml with the inputs of that deployment; record.json has them, without secrets.",
        )  # fmt: skip
    return steps


def recorded_revision(step: Step, inventory: HelmRecords) -> Release | None:
    """Return the recorded revision from Helm's history, None where that has it no more."""
    number = int(step.row.get("revision") or 0)
    found = revision(inventory.cluster, step.namespace, step.name, number) if number else None
    recorded = str(step.row.get("chart_version") or "")
    if found is not None and found.manifest and differs_from(found.chart_version, recorded):
        return None  # the release was removed and made anew: its revisions are others
    return found


def _judge(step: Step, inventory: HelmRecords, charts: RecordedCharts) -> str:
    """Say what becomes of a release; return why it cannot be restored, "" where it can."""
    found = step.current
    if found is not None and not found.managed and found.status != "uninstalled":
        return "it was not created by this collection"
    target = recorded_revision(step, inventory)
    if target is not None:
        step.values, step.after, step.action = target.values, target.manifest, HISTORY
        step.why = difference(found, target, inventory)
    else:
        problem = not_remade(step.wanted)
        if problem:
            return f"{GONE}, and {problem}"
        step.values, step.action = step.wanted.get("values") or {}, CHART
        try:
            made = charts.rendered(step.row, step.wanted, upgrade=bool(step.before))
        except OrchestratorError as exc:
            return f"{GONE}, and {exc}"
        step.after = made.manifest
        why = difference(found, made, inventory)
        step.why = f"{GONE}; {why}" if why else ""
    if not step.why:
        step.action = UNCHANGED
    return ""


def not_remade(wanted: Object) -> str:
    """Return why a release cannot be made from what its record has of it, "" where it can."""
    if not wanted.get("chart_ref"):
        return "the record does not have its chart's source"
    if is_masked(wanted.get("values") or {}):
        return "secrets in its values were not recorded"
    if wanted.get("values_files"):
        return "its values files are not in the record: " + ", ".join(map(str, wanted["values_files"]))
    return ""


def difference(found: Release | None, target: Release, inventory: HelmRecords) -> str:
    """Return why a release is not as the target has it, "" where it is."""
    if found is None:
        return "it does not exist"
    if found.status != "deployed":
        return f"its status is {found.status}"
    if found.labels.get(FINGERPRINT_LABEL) == RECOVERING:
        return "its last repair was interrupted"
    if found.chart_version != target.chart_version:
        return "its chart differs"
    if not same_values(found.values, target.values):
        return "its values differ"
    if not same_manifest(found.manifest, target.manifest, found.namespace):
        return "its objects differ"
    objects = inventory.scoped(found.manifest, found.namespace)
    if inventory.missing(objects):
        return "some of its objects are missing"
    return "it was changed by hand" if inventory.drifted(objects) else ""
