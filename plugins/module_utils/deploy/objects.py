# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTPRoutes on a cluster: applied, watched until a Gateway has taken them, removed."""

from __future__ import annotations

import copy
import time
import typing as t

from ..base.data import Object, plain
from ..base.errors import OrchestratorError
from ..base.events import Events
from ..base.ours import COMPONENT_LABEL, FIELD_MANAGER, MANAGED_LABEL
from ..cluster.client import Cluster, api_error
from ..cluster.watch import Watches
from ..objects.conditions import object_state
from ..objects.routes import API_VERSION, COMPONENT, LABELS, conflicts, key, parent_ref, with_parent

try:
    import yaml
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - Cluster reports the missing package
    yaml = None  # type: ignore[assignment]
    ApiException = Exception  # type: ignore[assignment,misc]


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
                details=[conflict.text() for conflict in found],
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
        action = (
            "created" if before is None else "unchanged" if route_content(before) == route_content(after) else "updated"
        )
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
        before = {row["name"]: route_content(row["before"]) for row in changed if row["before"]}
        after = {row["name"]: route_content(row["after"]) for row in changed if row["after"]}
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


def route_content(route: Object) -> Object:
    """Return what counts as a route's content: labels and spec."""
    return {"labels": route["metadata"].get("labels") or {}, "spec": route.get("spec") or {}}


class OwnedObjects:
    """What the module owned_objects does, with its parameters."""

    def __init__(self, cluster: Cluster, params: dict, events: Events, check_mode: bool) -> None:
        self.cluster, self.params, self.events, self.check_mode = cluster, params, events, check_mode
        self.label = params.get("label") or MANAGED_LABEL
        labels = {self.label: "true", COMPONENT_LABEL: params["component"]}
        self.objects = [labelled(plain(item), labels) for item in params["objects"]]

    def present(self) -> Object:
        """Create what is missing and bring ours up to date; return {changed, diff, objects}."""
        found = [self._get(item) for item in self.objects]
        foreign = [
            title(item)
            for item, old in zip(self.objects, found, strict=True)
            # A namespace that exists is used as it is, whoever made it.
            if old is not None
            and not owned(old, self.label)
            and not self.params["adopt"]
            and item["kind"] != "Namespace"
        ]
        if foreign:
            raise OrchestratorError(
                f"{', '.join(foreign)} exists and was not made by this collection; nothing was changed.",
                hint="Give it another name, or set llm_d_adopt: true to take it over.",
            )
        rows = [self._apply(item, old) for item, old in zip(self.objects, found, strict=True)]
        if self.params["wait"] and not self.check_mode:
            self._wait([item for item in self.objects if item["kind"] in ("Job", "DaemonSet", "Pod")])
        return _result(rows)

    def absent(self) -> Object:
        """Delete those of the objects that are ours; return {changed, diff, objects}."""
        rows = []
        for item in self.objects:
            old = self._get(item)
            ours = old is not None and owned(old, self.label)
            if ours and not self.check_mode:
                self._resource(item).delete(
                    name=item["metadata"]["name"],
                    namespace=item["metadata"].get("namespace"),
                    body={"propagationPolicy": "Foreground"},
                )
            rows.append({"object": item, "action": "removed" if ours else "unchanged", "before": old, "after": None})
        return _result(rows)

    def _resource(self, item: Object) -> t.Any:
        resource = self.cluster.resource(item["apiVersion"], item["kind"])
        if resource is None:
            raise OrchestratorError(f"The cluster does not serve {item['kind']} ({item['apiVersion']}).")
        return resource

    def _get(self, item: Object) -> Object | None:
        metadata = item["metadata"]
        return self.cluster.get(item["apiVersion"], item["kind"], metadata["name"], metadata.get("namespace"))

    def _apply(self, item: Object, old: Object | None) -> Object:
        if old is not None and (item["kind"] == "Namespace" or (item["kind"] == "Job" and owned(old, self.label))):
            # A Job's template cannot be changed; a new one has another name.
            return {"object": item, "action": "unchanged", "before": old, "after": old}
        start = time.monotonic()
        new = self._send(item, old)
        action = "created" if old is None else "unchanged" if content(old) == content(new) else "updated"
        if not self.check_mode:
            facts = {"seconds": time.monotonic() - start, "detail": action}
            self.events.emit(self.params["component"], "apply", "done", name=title(item), **facts)
        return {"object": item, "action": action, "before": old, "after": new}

    def _send(self, item: Object, old: Object | None) -> Object:
        metadata = item["metadata"]
        options = {"dry_run": "All"} if self.check_mode else {}
        try:
            return (
                self._resource(item)
                .server_side_apply(
                    body=item,
                    name=metadata["name"],
                    namespace=metadata.get("namespace"),
                    field_manager=FIELD_MANAGER,
                    force_conflicts=True,
                    **options,
                )
                .to_dict()
            )
        except ApiException as exc:
            if self.check_mode and exc.status == 404 and old is None:
                return item  # its namespace would have been made before
            raise api_error(exc, f"apply {title(item)}") from exc

    def _wait(self, items: list[Object]) -> None:
        if not items:
            return
        deadline = time.monotonic() + self.params["wait_timeout"]
        watches = Watches(self.cluster)
        for item in items:
            watches.start(item["apiVersion"], item["kind"], item["metadata"]["namespace"])
        watches.synced(deadline)

        def states() -> list[tuple[Object, t.Any]]:
            found = []
            for item in items:
                metadata = item["metadata"]
                new = watches.find(item["apiVersion"], item["kind"], metadata["namespace"], metadata["name"])
                found.append((item, object_state({"kind": item["kind"], **new}) if new else None))
            return found

        def done() -> bool | None:
            now = states()
            failed = any(state and state.failed for _item, state in now)
            return True if failed or all(state and state.ready for _item, state in now) else None

        watches.wait(done, deadline)
        unready = [(item, state) for item, state in states() if not (state and state.ready)]
        bad = [f"{title(item)}: {state.text if state else 'is gone'}" for item, state in unready]
        watches.close()
        if bad:
            hint = "Look at its pods: kubectl describe pods shows why."
            raise OrchestratorError("Not ready: preparation has failed.", details=bad, hint=hint)


def labelled(item: Object, labels: dict[str, str]) -> Object:
    """Return a copy of an object with labels added."""
    item = copy.deepcopy(item)
    metadata = item.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    return item


def title(item: Object) -> str:
    """Return 'Kind namespace/name'."""
    metadata = item["metadata"]
    return f"{item['kind']} " + "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)


def owned(item: Object, label: str = MANAGED_LABEL) -> bool:
    """Return whether an object carries this collection's label."""
    return (item["metadata"].get("labels") or {}).get(label) == "true"


def content(item: Object) -> Object:
    """Return what counts as an object's content; a Secret's data counts, but see shown()."""
    body = {key: value for key, value in item.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    return {"labels": item["metadata"].get("labels") or {}, **body}


def shown(item: Object | None) -> Object | None:
    """Return an object's content as it may be printed: a Secret's data hidden."""
    if item is None:
        return None
    body = content(item)
    for field in ("data", "stringData"):
        if item.get("kind") == "Secret" and body.get(field):
            body[field] = dict.fromkeys(body[field], "(hidden)")
    return body


def _result(rows: list[Object]) -> Object:
    changed = [row for row in rows if row["action"] != "unchanged"]
    before = {title(row["object"]): shown(row["before"]) for row in changed if row["before"]}
    after = {title(row["object"]): shown(row["after"]) for row in changed if row["after"]}
    objects = [{"object": title(row["object"]), "action": row["action"]} for row in rows]
    diff = {"before": yaml.safe_dump(before), "after": yaml.safe_dump(after)} if changed else {}
    return {"changed": bool(changed), "diff": diff, "objects": objects}


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
