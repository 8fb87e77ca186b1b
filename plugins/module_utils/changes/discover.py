# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a deployment would do to every object that it touches, found out without changing one.

Wanted manifests are held against the live objects and against what Helm's records say was there before. Where the two
seem to differ, the API server is asked by a dry run: it knows its defaults and what it lets be changed.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import FIELD_MANAGER, is_kept
from ..cluster.compare import differs, is_built_in, left_to_scalers, patch_of, same_after
from ..cluster.live import THREADS, LiveObjects, Trial
from ..cluster.refusals import INVALID, WARNED
from ..cluster.refusals import UNKNOWN as UNKNOWN_FIELD
from .actions import (
    CREATE,
    DELETE,
    IMMUTABLE,
    OTHER,
    OURS,
    REPLACE,
    REUSE,
    UNKNOWN,
    UPDATE,
    Action,
    ReleaseObjects,
    identity,
    owner_of,
)
from .stale import stale_claim
from .trials import Trials


class Discovery:
    """Classes objects of one cluster, and finds what of the new and changed ones the API server would refuse."""

    def __init__(self, live: LiveObjects, trials: Trials | None = None) -> None:
        self.live, self.trials = live, trials or Trials(live)

    @property
    def unheard(self) -> list[str]:
        """Why objects could not be tried, each kind once."""
        return sorted(self.trials.unheard)

    def releases(self, parts: t.Sequence[ReleaseObjects]) -> list[Action]:
        """Return what becomes of the objects of releases, in their order."""
        self.live.preload([item for part in parts for item in (*part.before, *part.after)])
        jobs: list[t.Callable[[], Action | None]] = []
        for part in parts:
            old = {identity(item): item for item in part.before}
            new = {identity(item) for item in part.after}
            jobs += [self._job(self._tried, part, item, old.get(identity(item))) for item in part.after]
            jobs += [self._job(self._dropped, part, item) for item in part.before if identity(item) not in new]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            tasks = [pool.submit(job) for job in jobs]
        return [action for task in tasks if (action := task.result()) is not None]

    def applied(self, component: str, items: t.Sequence[Object]) -> list[Action]:
        """Return what becomes of objects that are applied without Helm; they carry this collection's labels."""
        self.live.preload(items)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(lambda item: self._refused(self._applied(component, item)), items))

    def namespace(self, component: str, release: str, name: str) -> list[Action]:
        """Return that a release makes its namespace, where it does."""
        item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        found = self.applied(component, [item])
        return [dataclasses.replace(action, release=release) for action in found if action.action == CREATE]

    @staticmethod
    def _job(method: t.Callable, *args: t.Any) -> t.Callable[[], Action | None]:
        return lambda: method(*args)

    def _tried(self, part: ReleaseObjects, item: Object, old: Object | None) -> Action:
        return self._refused(self._wanted(part, item, old))

    def _refused(self, action: Action) -> Action:
        """Return an action with what the API server refuses of a new object, and of the pods of a changed one."""
        if action.action == CREATE:
            action.refused = self.trials.refused(action.item, action.release)
        if action.action in (CREATE, UPDATE, REPLACE):
            action.refused += self.trials.pods_refused(action.item, action.release)
        return action

    def _wanted(self, part: ReleaseObjects, item: Object, old: Object | None) -> Action:
        action = Action(part.component, part.release, item)
        try:
            action.live = self.live.find(item)
        except OrchestratorError as exc:
            return dataclasses.replace(action, action=UPDATE if old else CREATE, why=exc.message, owner=UNKNOWN)
        if action.live is None:
            why = "it no longer exists" if old else "it does not exist"
            return dataclasses.replace(action, action=CREATE, why=why, after=item)
        action.owner = owner_of(item, action.live, part.release, part.namespace, part.managed)
        if old == item and not differs(item, action.live):
            return self._touched(action)
        self._judge(action, old, lambda live, strict: self.live.patched(
            live, patch_of(old, item, live), strategic=is_built_in(item), strict=strict
        ))  # fmt: skip
        if action.action == UPDATE and old == item:
            action.why, action.drifted = "it was changed since it was deployed", True
        return self._touched(action)

    def _touched(self, action: Action) -> Action:
        """Return the action of an object that is as wanted: its controller is made to look again where it is wrong."""
        why = stale_claim(self.live, action.item) if action.action == REUSE and action.owner == OURS else ""
        if why:
            action.action, action.why = UPDATE, f"{why}: it is annotated so that its controller reconciles it"
        return action

    def _judge(self, action: Action, old: Object | None, attempt: t.Callable[[Object, bool], Trial]) -> None:
        """Say what becomes of an object that exists, as the API server sees it."""
        live = t.cast(Object, action.live)
        try:
            trial = attempt(live, True)
            if trial.refused and not IMMUTABLE.search(trial.refused.text):
                found = self.trials.refused(action.item, action.release)
                action.refused = tuple(cause for cause in found if cause.how != WARNED)
                # Only a new object's content is looked at without what is live; all else holds for the change.
                action.refused = action.refused or tuple(c for c in trial.refused.causes if c.how != INVALID)
                if action.refused and all(cause.how == UNKNOWN_FIELD for cause in action.refused):
                    trial = attempt(live, False)  # it would be deployed, without these
        except OrchestratorError as exc:
            # It may not be tried; what both sides say has to do.
            same = not differs(action.item, live)
            action.action, action.why = (REUSE, "") if same else (UPDATE, f"it differs ({exc.message})")
            action.show(old, None)
            self._owned(action)
            return
        action.show(old, trial.after)
        if trial.after is not None:
            same = same_after(live, trial.after)
            action.action, action.why = (REUSE, "") if same else (UPDATE, "it differs from the desired state")
        elif trial.refused and (not action.refused or IMMUTABLE.search(trial.refused.text)):
            action.action = REPLACE
            action.why = f"the cluster refuses the change: {trial.refused.text}"
        self._owned(action)

    @staticmethod
    def _owned(action: Action) -> None:
        """Mark an object that is not ours: taking it over changes it in any case."""
        if action.owner == OURS:
            return
        action.asks = action.owner == UNKNOWN and action.action == REUSE
        action.adopts = not action.asks
        if action.owner == OTHER and action.action == REUSE:
            action.action, action.why = UPDATE, "it belongs to another owner and would be adopted"

    def _dropped(self, part: ReleaseObjects, item: Object) -> Action | None:
        """Return what Helm does to an object that a release no longer has: delete it, unless it is to be kept."""
        try:
            live = self.live.find(item)
        except OrchestratorError as exc:
            return Action(part.component, part.release, item, DELETE, exc.message, UNKNOWN)
        if live is None or is_kept(live) or is_kept(item):
            return None
        why = "it is no longer part of the release"
        return Action(part.component, part.release, item, DELETE, why, live=live, before=item)

    def _applied(self, component: str, item: Object) -> Action:
        action = Action(component, "", item)
        try:
            action.live = self.live.find(item)
        except OrchestratorError as exc:
            return dataclasses.replace(action, action=UPDATE, why=exc.message, owner=UNKNOWN)
        if action.live is None:
            return dataclasses.replace(action, action=CREATE, why="it does not exist", after=item)
        action.owner = owner_of(item, action.live)
        if item["kind"] == "Namespace":
            return action  # one that exists is used as it is, whoever made it
        if item["kind"] == "Job" and action.owner == OURS:
            return action  # a Job cannot be changed; a new one has another name
        sent = left_to_scalers(item, action.live)
        self._judge(action, None, lambda _live, strict: self.live.applied(sent, FIELD_MANAGER, strict=strict))
        if action.owner == UNKNOWN and action.action == UPDATE and not differs(_unlabelled(item), action.live):
            action.asks, action.adopts, action.action, action.why = True, False, REUSE, ""
        if action.action == REPLACE:
            action.action, action.mistake = REUSE, action.why
        return self._touched(action)


def _unlabelled(item: Object) -> Object:
    return {**item, "metadata": {**item["metadata"], "labels": {}}}
