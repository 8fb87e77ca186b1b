# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for HTTPRoutes: until a Gateway has taken them, or until they are gone."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils._conditions import object_state
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils._routes import API_VERSION, COMPONENT, key
from ansible_collections.llm_d.orchestrator.plugins.module_utils._watch import Watches

Object = dict[str, t.Any]

# A condition that stays False this long after the route was applied is not a passing state of its controller.
GRACE = 15.0


class RouteWaiter:
    """Waits for routes of one namespace, for at most timeout seconds."""

    def __init__(self, cluster: Cluster, namespace: str, timeout: int, events: Events) -> None:
        self.cluster, self.namespace, self.timeout, self.events = cluster, namespace, timeout, events

    def ready(self, rows: list[Object]) -> None:
        """Wait until every route that was applied is accepted and resolved at its present generation."""
        pending = {key(row["after"]): row for row in rows if row["after"]}
        if self._settle(pending, [row["after"] for row in pending.values()]):
            return
        deadline = time.monotonic() + self.timeout
        watches = self._watch(deadline)

        def done() -> bool | None:
            self._settle(pending, watches.objects(API_VERSION, "HTTPRoute", self.namespace))
            stuck = [
                row for row in pending.values() if time.monotonic() - row.get("false_since", time.monotonic()) > GRACE
            ]
            return True if not pending or stuck else None

        def wake() -> float:
            return time.monotonic() + 1

        settled = watches.wait(done, deadline, wake)
        watches.close()
        if pending:
            when = f"{GRACE:.0f} s after a condition turned False" if settled else f"within {self.timeout} s"
            raise self._not_ready(pending, when)

    def _watch(self, deadline: float) -> Watches:
        watches = Watches(self.cluster)
        watches.start(API_VERSION, "HTTPRoute", self.namespace)
        watches.synced(deadline)
        return watches

    def _settle(self, pending: dict[tuple, Object], routes: list[Object]) -> bool:
        """Take note of routes' states; return whether none is pending any more."""
        for route in routes:
            row = pending.get(key(route))
            if row is None:
                continue
            state = object_state({"kind": "HTTPRoute", **route})
            row["state"] = state.text
            if state.ready:
                seconds = row["seconds"] = time.monotonic() - row["start"]
                self.events.emit(COMPONENT, "accepted", "done", name=row["name"], seconds=seconds)
                del pending[key(route)]
            elif "=False" in state.text:
                row.setdefault("false_since", time.monotonic())
            else:
                row.pop("false_since", None)
        return not pending

    def _not_ready(self, pending: dict[tuple, Object], when: str) -> OrchestratorError:
        details = []
        for (namespace, name), row in pending.items():
            details.append(f"HTTPRoute {namespace}/{name}: {row.get('state') or 'no status'}")
            self.events.emit(COMPONENT, "accepted", "failed", name=name, detail=row.get("state"))
        return OrchestratorError(
            f"The Gateway has not taken {len(pending)} route(s) {when}.",
            details=details,
            hint="NoMatchingParent: check the Gateway's listeners; BackendNotFound: the pool; InvalidKind: whether the"
            " gateway implementation has the inference extension turned on; not reported: whether its controller runs.",
        )

    def gone(self, routes: list[Object]) -> None:
        deadline = time.monotonic() + self.timeout
        doomed = {key(route) for route in routes}
        if not doomed:
            return
        watches = self._watch(deadline)

        def left() -> set:
            return doomed & {key(route) for route in watches.objects(API_VERSION, "HTTPRoute", self.namespace)}

        if watches.wait(lambda: None if left() else True, deadline) is None:
            names = ", ".join("/".join(name) for name in sorted(left()))
            raise OrchestratorError(f"HTTPRoute {names} is still there: a finalizer holds it.")
        watches.close()
