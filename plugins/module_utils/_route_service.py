# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTPRoutes on a cluster: applied, watched until a Gateway has taken them, removed."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster, api_error
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inputs import plain
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import FIELD_MANAGER, MANAGED_LABEL
from ansible_collections.llm_d.orchestrator.plugins.module_utils._route_waiter import RouteWaiter
from ansible_collections.llm_d.orchestrator.plugins.module_utils._routes import (
    API_VERSION,
    COMPONENT,
    LABELS,
    conflicts,
    key,
    parent_ref,
    with_parent,
)

try:
    import yaml
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - Cluster reports the missing package
    yaml = None  # type: ignore[assignment]
    ApiException = Exception  # type: ignore[assignment,misc]

Object = dict[str, t.Any]


class RouteService:
    """What the module httproutes does, with its parameters."""

    def __init__(self, cluster: Cluster, params: dict, events: Events, check_mode: bool) -> None:
        self.cluster, self.params, self.events, self.check_mode = cluster, params, events, check_mode
        self.namespace: str = params["namespace"]
        self.resource = cluster.resource(API_VERSION, "HTTPRoute")
        if self.resource is None:
            raise OrchestratorError(
                f"The cluster does not serve HTTPRoute ({API_VERSION}).",
                hint="Install the Gateway API (v1.4 or later, standard channel).",
            )

    def present(self) -> Object:
        """Apply the routes; return {changed, diff, routes, gateway}."""
        gateway = self._gateway()
        wanted, existing = self.wanted(gateway), self._existing()
        mine = {key(route): route for route in existing}
        stale = self._stale(wanted, existing) if self.params["prune"] else []
        self._refuse(wanted, [route for route in existing if route not in stale], gateway)
        if not self.params["adopt"]:
            self._refuse_foreign(wanted, mine)
        rows = [self._apply(route, mine.get(key(route))) for route in wanted]
        rows += [self._delete(route) for route in stale]
        if self.params["wait"] and not self.check_mode:
            self._waiter().ready(rows)
        return self._result(rows, f"{gateway[1]}/{gateway[0]}")

    def absent(self) -> Object:
        """Remove the routes named, or all of ours; return {changed, diff, routes, gateway}."""
        names = [route["metadata"]["name"] for route in self.params["routes"]]
        found = [route for route in self.cluster.list(API_VERSION, "HTTPRoute", self.namespace) if owned(route)]
        doomed = [route for route in found if not names or route["metadata"]["name"] in names]
        rows = [self._delete(route) for route in doomed]
        if self.params["wait"] and not self.check_mode:
            self._waiter().gone(doomed)
        return self._result(rows, "")

    def wanted(self, gateway: tuple[str, str]) -> list[Object]:
        """Return the routes as they are applied to a Gateway (name, namespace)."""
        parent = parent_ref(gateway[0], gateway[1], self.params.get("section_name"))
        return [with_parent(self._complete(route), parent) for route in plain(self.params["routes"])]

    def planned(self) -> tuple[list[Object], list[Object]]:
        """Return the routes as they are applied, and those of ours in the namespace that are wanted no longer."""
        wanted = self.wanted(self._gateway())
        return wanted, self._stale(wanted, self.cluster.list(API_VERSION, "HTTPRoute", self.namespace))

    def _complete(self, route: Object) -> Object:
        metadata = {"namespace": self.namespace, **route.get("metadata", {})}
        metadata["labels"] = {**(metadata.get("labels") or {}), **LABELS}
        return {"apiVersion": API_VERSION, "kind": "HTTPRoute", "metadata": metadata, "spec": route.get("spec") or {}}

    def _gateway(self) -> tuple[str, str]:
        namespace = self.params.get("gateway_namespace") or self.namespace
        name = self.params.get("gateway_name")
        known = sorted(item["metadata"]["name"] for item in self.cluster.list(API_VERSION, "Gateway", namespace))
        if not name and len(known) == 1:
            return known[0], namespace
        if name and (name in known or self.check_mode):
            # In check mode the Gateway may be one that would have been made before.
            return name, namespace
        listed = ", ".join(known) or "it has none"
        if name:
            raise OrchestratorError(f"No Gateway {name!r} in {namespace} ({listed}).", hint="Deploy it first.")
        raise OrchestratorError(
            f"Which Gateway of namespace {namespace} is meant ({listed})?", hint="Set httproute_gateway_name."
        )

    def _existing(self) -> list[Object]:
        """Return the routes of all namespaces, or of ours where only those may be read."""
        try:
            return self.cluster.list(API_VERSION, "HTTPRoute")
        except OrchestratorError:
            return self.cluster.list(API_VERSION, "HTTPRoute", self.namespace)

    def _stale(self, wanted: list[Object], existing: list[Object]) -> list[Object]:
        names = {key(route) for route in wanted}
        return [
            route
            for route in existing
            if owned(route) and route["metadata"]["namespace"] == self.namespace and key(route) not in names
        ]

    def _refuse(self, wanted: list[Object], existing: list[Object], gateway: tuple[str, str]) -> None:
        found = conflicts(wanted, existing, gateway)
        if found:
            raise OrchestratorError(
                f"Routes on Gateway {gateway[1]}/{gateway[0]} would collide; nothing was applied.",
                details=found,
                hint="Give one of them another path_prefix or hostnames; httproute_prune: true removes routes of ours"
                " that are no longer wanted.",
            )

    def _refuse_foreign(self, wanted: list[Object], existing: dict[tuple, Object]) -> None:
        foreign = [key(route) for route in wanted if key(route) in existing and not owned(existing[key(route)])]
        if foreign:
            names = ", ".join("/".join(name) for name in foreign)
            raise OrchestratorError(
                f"HTTPRoute {names} exists and was not made by this collection; nothing was applied.",
                hint="Give the route another name, or set llm_d_adopt: true to take it over.",
            )

    def _apply(self, route: Object, before: Object | None) -> Object:
        name = route["metadata"]["name"]
        start = time.monotonic()
        dry = {"dry_run": "All"} if self.check_mode else {}
        try:
            reply = self.resource.server_side_apply(
                body=route,
                name=name,
                namespace=route["metadata"]["namespace"],
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                field_validation="Strict",
                **dry,
            )
            after = reply.to_dict()
        except ApiException as exc:
            if not (self.check_mode and exc.status == 404):
                raise api_error(exc, f"apply HTTPRoute {name}") from exc
            after = route  # the namespace would have been made before
        action = "created" if before is None else "unchanged" if shown(before) == shown(after) else "updated"
        seconds = time.monotonic() - start
        if not self.check_mode:
            self.events.emit(COMPONENT, "apply", "done", name=name, seconds=seconds, detail=action)
        return {"name": name, "action": action, "before": before, "after": after, "start": start}

    def _delete(self, route: Object) -> Object:
        name = route["metadata"]["name"]
        if not self.check_mode:
            try:
                self.resource.delete(name=name, namespace=route["metadata"]["namespace"])
            except ApiException as exc:
                if exc.status != 404:
                    raise api_error(exc, f"delete HTTPRoute {name}") from exc
            self.events.emit(COMPONENT, "remove", "done", name=name)
        return {"name": name, "action": "removed", "before": route, "after": None, "start": time.monotonic()}

    def _waiter(self) -> RouteWaiter:
        return RouteWaiter(self.cluster, self.namespace, self.params["wait_timeout"], self.events)

    def _result(self, rows: list[Object], gateway: str) -> Object:
        changed = [row for row in rows if row["action"] != "unchanged"]
        before = {row["name"]: shown(row["before"]) for row in changed if row["before"]}
        after = {row["name"]: shown(row["after"]) for row in changed if row["after"]}
        routes = [
            {
                "name": row["name"],
                "namespace": self.namespace,
                "action": row["action"],
                "seconds": round(row.get("seconds", 0.0), 2),
            }
            for row in rows
        ]
        diff = {"before": yaml.safe_dump(before), "after": yaml.safe_dump(after)} if changed else {}
        return {"changed": bool(changed), "diff": diff, "routes": routes, "gateway": gateway}


def owned(route: Object) -> bool:
    """Return whether a route carries this collection's label."""
    return (route["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true"


def shown(route: Object) -> Object:
    """Return what counts as a route's content: labels and spec."""
    return {"labels": route["metadata"].get("labels") or {}, "spec": route.get("spec") or {}}
