# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One call's means to bring parts to a state. What costs something is made when it is first used."""

from __future__ import annotations

import dataclasses
import functools
import time
import typing as t

from ..base.cancel import Cancellation, cancel_path
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.events import Events
from ..base.process import runs
from ..cluster.client import Cluster
from ..cluster.watch import Watches
from ..helm.command import Helm
from ..helm.deployed import HelmRecords
from ..helm.records import Release
from .readiness import Readiness

CREATED, UPGRADED, UPDATED, REPAIRED = "created", "upgraded", "updated", "repaired"
REMOVED, UNCHANGED = "removed", "unchanged"

# What a call may be told; these hold where it is not.
DEFAULTS: Object = {
    "wait": True,
    "wait_timeout": 1800,
    "fail_fast": True,
    "fail_fast_grace": 10,
    "adopt": False,
    "create_namespace": True,
    "label": None,
    "helm_binary": None,
    "chart_cache": None,
    "plain_http": False,
    "image_registry": "",
    "kustomize_binary": None,
    "events_file": None,
    "owner": None,
    "secrets": {},
}


@dataclasses.dataclass
class Result:
    """What was done to parts: a row for each, in their order, Ansible's diff, and what the user is to know."""

    changed: bool = False
    rows: list[Object] = dataclasses.field(default_factory=list)
    diff: list[Object] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def join(self, other: Result) -> None:
        """Add what was done to further parts."""
        self.changed = self.changed or other.changed
        self.rows += other.rows
        self.diff += other.diff
        self.warnings += other.warnings


class PartsFailed(OrchestratorError):
    """At least one part failed: its row has error. rows: of all that was begun; changed: whether anything was."""

    def __init__(self, rows: list[Object], changed: bool, noun: str = "parts") -> None:
        self.rows, self.changed, self.noun = rows, changed, noun
        details = [f"{row['name']}: {row['error']}" for row in rows if row.get("error")]
        if len(details) == 1:
            super().__init__(details[0])
        else:
            super().__init__(f"{len(details)} of {len(rows)} {noun} failed:", details=details)
        self.result = {"parts": rows, "changed": changed}


class Work:
    """A cluster, the options of a call, and what is needed to carry it out. Safe for threads once it is in use."""

    def __init__(
        self,
        cluster: Cluster,
        params: Object,
        make_helm: t.Callable[[], Helm] | None = None,
        *,
        check: bool = False,
        diff: bool = False,
    ) -> None:
        """params: as DEFAULTS; make_helm: called once, at the first release; check: nothing is to be changed."""
        self.cluster, self.check, self.diff = cluster, check, diff
        self.params: Object = {**DEFAULTS, **{key: value for key, value in params.items() if value is not None}}
        self.deadline = time.monotonic() + self.params["wait_timeout"]
        self.events = Events(self.params["events_file"])
        self.owner: Object = self.params["owner"] or {}
        self._make_helm, self._helm = make_helm, t.cast("Helm | None", None)
        # Of planning, by component and release: what is there, and the manifests of what needs nothing.
        self.current: dict[tuple[str, str], Release] = {}
        self.manifests: dict[tuple[str, str], str] = {}
        # By component and part, what kustomizations have been rendered to.
        self.built: dict[tuple[str, str], list[Object]] = {}
        # Whether some releases could not be read, so that whose an object is cannot be told.
        self.unread = False

    @functools.cached_property
    def inventory(self) -> HelmRecords:
        """What the cluster has of Helm's."""
        return HelmRecords(self.cluster)

    @functools.cached_property
    def watches(self) -> Watches:
        """The live copies of objects."""
        return Watches(self.cluster)

    @functools.cached_property
    def readiness(self) -> Readiness:
        """What waits for objects, until the call is cancelled."""
        waiting = Readiness(
            self.cluster, self.watches, fail_fast=self.params["fail_fast"], grace=self.params["fail_fast_grace"]
        )
        waiting.cancelled = self.cancellation.is_set
        return waiting

    @functools.cached_property
    def cancellation(self) -> Cancellation:
        """Whether the call is told to stop."""
        return Cancellation(cancel_path(self.params["events_file"]), self.watches.tell, self.params["owner"])

    @property
    def helm(self) -> Helm:
        """Helm; raise OrchestratorError where it is not there."""
        if self._helm is None:
            if self._make_helm is None:
                raise AssertionError("this call has no Helm")
            self._helm = self._make_helm()
        return self._helm

    def left(self, least: float = 30.0) -> float:
        """Return the seconds until the deadline, at least so many."""
        return max(least, self.deadline - time.monotonic())

    def check_owner(self) -> None:
        """Raise OrchestratorError where the playbook was killed: the next run must not meet this one's leavings."""
        if runs(self.owner) is False:
            raise OrchestratorError("Not installed: its playbook has ended.", hint="Run it again.")

    def close(self) -> None:
        """End the watches, and remove Helm's values files."""
        for name in ("cancellation", "watches"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if self._helm is not None:
            self._helm.close()

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def difference(header: str, before: str, after: str) -> Object:
    """Return one entry of Ansible's diff."""
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def refuse(lines: list[str]) -> None:
    """Raise one error for all that is another's."""
    if lines:
        raise OrchestratorError(
            "Some of these objects do not belong to this collection:",
            hint="Use other names, or set llm_d_adopt to true to adopt them.",
            details=lines,
        )
