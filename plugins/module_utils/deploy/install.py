# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm releases made as wanted: what each needs is decided first, then all are installed side by side."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, FINGERPRINT_LABEL, MANAGED_LABEL
from ..base.process import runs
from ..cluster.client import Cluster
from ..cluster.watch import Watches
from ..helm.command import Helm, HelmError, template_arguments, uninstall_arguments, upgrade_arguments
from ..helm.deployed import HelmRecords
from ..helm.records import Release, digest, manifest_objects, release_from_payload, same_manifest, same_values
from ..helm.recovery import RECOVERING, Recovery, outlived
from ..helm.wanted import Wanted
from .replacing import mend, remove

# Together half a minute of pauses: an API server that is restarted is back by then.
ATTEMPTS, LONGEST_PAUSE = 7, 8


CREATED, UPGRADED, REPAIRED, UNCHANGED = "created", "upgraded", "repaired", "unchanged"


@dataclasses.dataclass
class ReleasePlan:
    """What a release needs.

    after: the manifest that it shall have, None where it was not rendered; known: whether the release's fingerprint
    says so already.
    """

    wanted: Wanted
    action: str
    why: str
    current: Release | None
    after: str | None = None
    known: bool = True

    @property
    def before(self) -> str:
        """The manifest that it has."""
        return self.current.manifest if self.current and self.current.status != "uninstalled" else ""


class Installer:
    """Decides and installs the releases of one component in one namespace."""

    def __init__(
        self, cluster: Cluster, helm: Helm, inventory: HelmRecords, watches: Watches, params: Object, deadline: float
    ) -> None:
        """params: component, namespace, adopt, owner of the module; deadline: time.monotonic() seconds."""
        self.cluster, self.helm, self.inventory, self.watches = cluster, helm, inventory, watches
        self.component, self.namespace, self.adopt = params["component"], params["namespace"], params["adopt"]
        self.deadline, self.owner = deadline, params.get("owner") or {}

    def refusals(self, current: dict[str, Release], names: t.Iterable[str]) -> list[str]:
        """Return why releases of these names may not be touched."""
        lines = []
        for release in (current[name] for name in names if name in current):
            owner = release.labels.get(COMPONENT_LABEL)
            if self.adopt or release.status == "uninstalled":
                continue
            if not release.managed:
                lines.append(f"Helm release {release.name} in {self.namespace} was not made by this collection")
            elif owner and owner != self.component:
                lines.append(f"Helm release {release.name} in {self.namespace} belongs to the component {owner}")
        return lines

    def plan(self, wanted: Wanted, current: Release | None, *, render: bool = False) -> ReleasePlan:
        """Return what a release needs; render: render its manifest also where that is not needed to decide."""
        if current is None or current.status == "uninstalled":
            return ReleasePlan(
                wanted, CREATED, "it does not exist", current, self.render(wanted, current) if render else None
            )
        if current.status != "deployed" or current.labels.get(FINGERPRINT_LABEL) == RECOVERING:
            after = self.render(wanted, current) if render else None
            return ReleasePlan(wanted, REPAIRED, f"its status is {current.status}", current, after)
        after, known = current.manifest, True
        if current.labels.get(FINGERPRINT_LABEL) != fingerprint(wanted, current.revision, self.inventory):
            after, known = self.render(wanted, current), False
            why = self._difference(wanted, current, after)
            if why:
                return ReleasePlan(wanted, UPGRADED, why, current, after)
        objects = manifest_objects(current.manifest, self.namespace)
        missing = self.inventory.missing(objects)
        if missing:
            return ReleasePlan(wanted, REPAIRED, "the cluster lacks " + ", ".join(missing), current, after)
        drifted = [f"{item['kind']} {item['metadata']['name']}" for item in self.inventory.drifted(objects)]
        if drifted:
            return ReleasePlan(wanted, REPAIRED, "changed since: " + ", ".join(drifted), current, after)
        return ReleasePlan(wanted, UNCHANGED, "", current, after, known)

    def _difference(self, wanted: Wanted, current: Release, after: str) -> str:
        if not current.managed or current.labels.get(COMPONENT_LABEL) != self.component:
            return "it is taken over"
        if (current.chart, current.chart_version) != (wanted.chart.name, wanted.chart.version):
            old = f"{current.chart} {current.chart_version}"
            return f"its chart is {old}, not {wanted.chart.name} {wanted.chart.version}"
        if not same_values(current.values, wanted.values):
            return "its values differ"
        return "" if same_manifest(current.manifest, after, self.namespace) else "its objects differ"

    def render(self, wanted: Wanted, current: Release | None) -> str:
        """Return the manifest that Helm would install."""
        arguments = template_arguments(
            wanted.name,
            wanted.chart.path,
            self.namespace,
            wanted.files,
            kube_version=self.inventory.version,
            apis=self.inventory.apis,
            upgrade=current is not None and current.status != "uninstalled",
        )
        return self.helm.run(arguments, self._left())

    def apply(self, plan: ReleasePlan) -> tuple[ReleasePlan, Release]:
        """Carry out a plan; return it, or what another process made of it meanwhile, with the release."""
        for attempt in range(ATTEMPTS):
            self._check_owner()
            try:
                plan = self._settled(plan)
                if plan.action == UNCHANGED:
                    return plan, t.cast(Release, plan.current)
                return plan, self._recovered(plan)
            except HelmError as exc:
                pause = min(2**attempt, LONGEST_PAUSE)
                if not exc.transient or attempt == ATTEMPTS - 1 or time.monotonic() + pause > self.deadline:
                    raise
                time.sleep(pause)  # back-off after a failure: there is nothing to watch
            current = self.inventory.releases(self.namespace, [plan.wanted.name]).get(plan.wanted.name)
            plan = dataclasses.replace(plan, current=current)
        raise AssertionError("unreachable")

    def _check_owner(self) -> None:
        """Raise OrchestratorError where the playbook was killed: the next run must not meet this one's leavings."""
        if runs(self.owner) is False:
            raise OrchestratorError("Not installed: the playbook that wanted it has ended.", hint="Run it again.")

    def remember(self, plan: ReleasePlan) -> None:
        """Let an unchanged release's record say that it is, so that the next run need not render it."""
        current = t.cast(Release, plan.current)
        label = {FINGERPRINT_LABEL: fingerprint(plan.wanted, current.revision, self.inventory)}
        body = {"metadata": {"labels": label}}
        self.inventory.change(
            "label a release record", "patch", "v1", "Secret", current.secret, current.namespace, body
        )

    def _recovered(self, plan: ReleasePlan) -> Release:
        current = plan.current
        if plan.wanted.replace:
            remove(self.inventory, self.watches, plan.wanted.replace, self.deadline)
        if current is None or current.status in ("deployed", "uninstalled"):
            return self._upgrade(plan)
        recovery, done = Recovery(self.inventory, current), False
        try:
            release = self._upgrade(dataclasses.replace(plan, current=recovery.begin()))
            done = True
        finally:
            recovery.end(succeeded=done)
        return release

    def _upgrade(self, plan: ReleasePlan) -> Release:
        wanted, current = plan.wanted, plan.current
        labels = {
            MANAGED_LABEL: "true",
            COMPONENT_LABEL: self.component,
            FINGERPRINT_LABEL: fingerprint(wanted, (current.revision if current else 0) + 1, self.inventory),
        }
        timeout = max(30, int(self._left()))
        arguments = upgrade_arguments(
            wanted.name, wanted.chart.path, self.namespace, wanted.files, labels, timeout=timeout, adopt=self.adopt
        )
        release = release_from_payload(self.inventory.payload(self.helm.run(arguments, timeout + 30)), labels)
        if current is not None:
            mend(self.inventory, release)
        return release

    def _settled(self, plan: ReleasePlan) -> ReleasePlan:
        """Return the plan for a release that Helm can work on: no revision of it is pending any more."""
        current = plan.current
        if current is not None and current.pending:
            current = outlived(current, self.inventory, self.watches, self.deadline)
            if current is None or not current.pending:
                plan = self.plan(plan.wanted, current)
        if current is None or not (current.pending or current.status == "uninstalling"):
            return plan
        if current.status == "uninstalling" or (current.status == "pending-install" and current.hooks):
            # Its hooks would not run in an upgrade.
            self.helm.run(uninstall_arguments(current.name, self.namespace, 60), 90)
            return dataclasses.replace(plan, current=None)
        return dataclasses.replace(plan, current=current)

    def _left(self) -> float:
        return max(30.0, self.deadline - time.monotonic())


def fingerprint(wanted: Wanted, revision: int, inventory: HelmRecords) -> str:
    """Return what a revision's label must be for its manifest to be known without rendering.

    The revision is part of it: a revision that somebody else makes inherits the label, and shall not match.
    """
    return digest([wanted.chart.digest, wanted.values, wanted.registry, inventory.version, inventory.apis, revision])


def refuse(lines: list[str]) -> None:
    """Raise one error for all releases that are another's."""
    if lines:
        raise OrchestratorError(
            "Not everything by these names is this collection's to change:",
            hint="Choose other names, or set llm_d_adopt to true to take them over.",
            details=lines,
        )
