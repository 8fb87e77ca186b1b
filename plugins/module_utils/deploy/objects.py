# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts that are objects: applied on the server under our field manager, waited for by the rule of each kind.

Spec of a part: objects, and where they are wanted: gateway (name, namespace, section_name: the parent of HTTPRoutes
that name none), going (objects of ours that are removed once the part's own are applied), prune (whether what the
component no longer has goes), keep (kinds that absent leaves), label (by which they are known as ours), fill (of
Secrets, by name and key, the name of a value in the call's secrets).
"""

from __future__ import annotations

import dataclasses
import functools
import time
import typing as t

from ..base.apis import GATEWAY_API, GATEWAY_GROUP
from ..base.cancel import Cancelled
from ..base.data import Object, plain
from ..base.errors import OrchestratorError
from ..base.mask import mask
from ..base.ours import COMPONENT_LABEL, FIELD_MANAGER, MANAGED_LABEL, RECORD_TYPE, SECRET_TYPE, labelled, object_key
from ..changes.actions import identity
from ..changes.fingerprints import listed
from ..changes.stale import stale_claim
from ..cluster.client import api_error
from ..cluster.compare import content, differs, left_to_scalers, same_after
from ..cluster.sweep import Sweep
from ..components.base import filled
from ..objects.conditions import CHECKS, State, object_state
from ..objects.graph_state import whole_state
from ..objects.graphs import is_graph
from ..objects.routes import conflicts, key, parent_ref, with_parent
from . import secret_readers
from .base import CREATED, REMOVED, UNCHANGED, UPDATED, PartsFailed, Result, Work
from .nudge import touch
from .readiness import NotReady, Readiness
from .removal import find_targets, gone, left_line

try:
    import yaml
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - Cluster reports the missing package
    yaml = None  # type: ignore[assignment]
    ApiException = Exception  # type: ignore[assignment,misc]

KIND, ROUTE = "objects", "HTTPRoute"
# Made before what may need them.
FIRST = ("Namespace", "CustomResourceDefinition")
# A claim becomes bound when its first pod comes, or its provisioner gets to it: who needs it waits for it.
NOT_AWAITED = ("PersistentVolumeClaim",)
# They hold data or others' objects: nobody who leaves them out of a list wants them gone for that.
NOT_PRUNED = ("PersistentVolumeClaim", "Namespace", "CustomResourceDefinition")
# A condition that stays False this long after a route was applied is not a passing state of its controller.
ROUTE_GRACE = 15.0
UNTAKEN = (
    "NoMatchingParent: check the Gateway's listeners; BackendNotFound: the pool; InvalidKind: whether the gateway"
    " implementation has the inference extension turned on; not reported: whether its controller runs."
)


def render(work: Work, parts: t.Sequence[Object]) -> dict[str, list[Object]]:
    """Return the objects that each part shall have, by its name, as they are applied."""
    return {part["name"]: Objects(work, part).wanted for part in parts}


def settled(work: Work, parts: t.Sequence[Object]) -> list[Object] | None:
    """Return the rows of a component's parts where all are as wanted and ready, None where one needs something."""
    try:
        sets = [Objects(work, part) for part in parts]
        work.inventory.live.preload(item for one in sets for item in one.wanted)
        if not all(one.is_settled() for one in sets):
            return None
    except OrchestratorError:
        return None
    return [one.row([Applied(item, UNCHANGED, item, item) for item in one.wanted], ready=True) for one in sets]


def present(work: Work, parts: t.Sequence[Object]) -> Result:
    """Apply what differs, remove what is no longer wanted, and wait; raise PartsFailed for what is not ready.

    Nothing is applied where anything is another's, or routes would collide.
    """
    sets = [Objects(work, part) for part in parts]
    for one in sets:
        one.check()
    outcome, applied = Result(), [(one, one.apply()) for one in sets]
    for one, done in applied:
        outcome.join(one.finish(*done))
    if any(row.get("error") for row in outcome.rows):
        raise PartsFailed(outcome.rows, outcome.changed)
    return outcome


def absent(work: Work, parts: t.Sequence[Object]) -> Result:
    """Remove those of the parts' objects that are ours, and wait until they are gone; the last first."""
    outcome = Result()
    for part in reversed(parts):
        outcome.join(Objects(work, part).absent())
    return outcome


def recorded(part: Object, objects: t.Sequence[Object]) -> Object:
    """Return what a record keeps of a part besides its row: its manifests, without secrets."""
    keys = ("prune", "keep", "label")
    return {
        "objects": listed(objects),
        "manifests": mask(list(objects)),
        **{key: part[key] for key in keys if part.get(key)},
    }


def laid_out(work: Work, part: Object) -> Objects:
    """Return a part's objects with what can be asked of them; raise OrchestratorError where there are none."""
    return Objects(work, part)


def restored(work: Work, parts: t.Sequence[Object]) -> Result:
    """Apply recorded manifests, and remove what they do not have. What a record does not hold stays as it is."""
    return present(work, [restorable(part) for part in parts])


def restorable(part: Object) -> Object:
    """Return a recorded part as one that can be applied.

    What holds data that a record does not stays as it is: Secrets, and the kinds that are kept when a part is removed.
    """
    kept = {"Secret", *NOT_PRUNED, *(part.get("keep") or [])}
    spared = [*(part.get("spared") or []), *(item for item in part["manifests"] if item["kind"] in kept)]
    objects = [item for item in part["manifests"] if item["kind"] not in kept]
    return {
        **part,
        "kind": KIND,
        "objects": objects,
        "prune": part.get("prune") is not False,
        "spared": spared,
        "fill": {},
    }


@dataclasses.dataclass
class Applied:
    """What became of an object."""

    item: Object
    action: str
    before: Object | None
    after: Object | None
    seconds: float = 0.0


class Objects:
    """The objects of one part on one cluster."""

    def __init__(self, work: Work, part: Object) -> None:
        self.work, self.part, self.cluster = work, part, work.cluster
        self.component, self.namespace = part["component"], part["namespace"]
        self.label = part.get("label") or MANAGED_LABEL
        items = filled(plain(part["objects"]), part.get("fill") or {}, work.params["secrets"])
        self.given = sorted((self._complete(item) for item in items), key=lambda item: item["kind"] not in FIRST)
        self.found: dict[tuple, Object | None] = {}

    def _complete(self, item: Object) -> Object:
        """Return an object with its namespace and our labels."""
        item = labelled(item, {self.label: "true", COMPONENT_LABEL: self.component})
        metadata = item["metadata"]
        if not metadata.get("namespace") and self._namespaced(item):
            metadata["namespace"] = self.namespace
        return item

    def _namespaced(self, item: Object) -> bool:
        resource = self.cluster.resource(item["apiVersion"], item["kind"])
        if resource is not None:
            return bool(resource.namespaced)
        definition = self._definition(item)
        return definition is None or definition["spec"].get("scope") != "Cluster"

    def _definition(self, item: Object) -> Object | None:
        """Return the definition of an object's kind where the part itself has it."""
        for other in self.part["objects"]:
            spec = other.get("spec") or {}
            group, kind = spec.get("group"), (spec.get("names") or {}).get("kind")
            if other["kind"] == "CustomResourceDefinition" and kind == item["kind"]:
                return other if group == item["apiVersion"].rpartition("/")[0] else None
        return None

    @functools.cached_property
    def wanted(self) -> list[Object]:
        """The objects as they are applied; raise OrchestratorError where it is not clear which Gateway is meant."""
        if not any(item["kind"] == ROUTE and not item["spec"].get("parentRefs") for item in self.given):
            return self.given
        name, namespace = self.gateway
        parent = parent_ref(name, namespace, (self.part.get("gateway") or {}).get("section_name"))
        return [with_parent(item, parent) if item["kind"] == ROUTE else item for item in self.given]

    @functools.cached_property
    def gateway(self) -> tuple[str, str]:
        """Name and namespace of the Gateway of routes that name none."""
        options = self.part.get("gateway") or {}
        name, namespace = options.get("name"), options.get("namespace") or self.namespace
        known = sorted(item["metadata"]["name"] for item in self.cluster.list(GATEWAY_API, "Gateway", namespace))
        if not name and len(known) == 1:
            return known[0], namespace
        if name and (name in known or self.work.check):
            # In check mode the Gateway may be one that would have been made before.
            return name, namespace
        listing = ", ".join(known) or "it has none"
        if name:
            raise OrchestratorError(f"Gateway {name!r} not found in {namespace} ({listing}).", hint="Deploy it first.")
        raise OrchestratorError(
            f"Namespace {namespace} has several Gateways ({listing}).", hint="Set httproute_gateway_name."
        )

    def is_settled(self) -> bool:
        """Return whether all objects are ours, as wanted and ready, and none is to go."""
        for item in self.wanted:
            live = self.work.inventory.live.find(item)
            if live is None or not self._as_wanted(item, live):
                return False
            if item["kind"] not in NOT_AWAITED and not whole_state(_typed(live, item), self.cluster.list).ready:
                return False
        return not self.going

    def _as_wanted(self, item: Object, live: Object) -> bool:
        if item["kind"] == "Namespace":
            return True
        if not owned(live, self.label):
            return False
        if item["kind"] == "Job" or not differs(item, live):
            return True
        trial = self.work.inventory.live.applied(left_to_scalers(item, live), FIELD_MANAGER)
        return trial.after is not None and same_after(live, trial.after)

    def check(self) -> None:
        """Raise OrchestratorError where anything is another's, or routes would collide; nothing is changed."""
        for item in self.wanted:
            served = self.cluster.resource(item["apiVersion"], item["kind"]) is not None or self._definition(item)
            # In check mode it may be a component before that would have brought its definition; planning has looked.
            if not served and not self.work.check:
                raise _unserved(item)
        self.found = {object_key(item): self.cluster.get(*_place(item)) for item in self.wanted}
        foreign = [
            title(item)
            for item in self.wanted
            # A namespace that exists is used as it is, whoever made it.
            if (live := self.found[object_key(item)]) and not owned(live, self.label) and item["kind"] != "Namespace"
        ]
        if foreign and not self.work.params["adopt"]:
            raise OrchestratorError(
                f"{', '.join(foreign)} exists and was not created by this collection. Nothing was changed.",
                hint="Use another name, or set llm_d_adopt: true to adopt it.",
            )
        self._check_routes()

    def _check_routes(self) -> None:
        routes = [item for item in self.wanted if item["kind"] == ROUTE]
        if not routes:
            return
        going = {identity(item) for item in self.going}
        existing = [route for route in self._all_routes() if identity(route) not in going]
        for name, namespace in dict.fromkeys(_gateway_of(ref, route) for route in routes for ref in _parents(route)):
            found = conflicts(routes, existing, (name, namespace))
            if found:
                raise OrchestratorError(
                    f"Routes on Gateway {namespace}/{name} would conflict. Nothing was applied.",
                    details=[conflict.text() for conflict in found],
                    hint="Give one of them another path_prefix or hostnames; llm_d_prune: true removes routes of ours"
                    " that are no longer wanted.",
                )

    def _all_routes(self) -> list[Object]:
        """Return the routes of all namespaces, or of ours where only those may be read."""
        try:
            return self.cluster.list(GATEWAY_API, ROUTE)
        except OrchestratorError:
            return self.cluster.list(GATEWAY_API, ROUTE, self.namespace)

    @functools.cached_property
    def going(self) -> list[Object]:
        """What is removed once the rest is applied: of ours what is named, and with prune all that is stale."""
        named = [(item, self.cluster.get(*_place(item))) for item in self.part.get("going") or []]
        found = [_typed(live, item) for item, live in named if live is not None and owned(live, self.label)]
        known = {identity(item) for item in found}
        return found + [
            item for item in (self.stale() if self.part.get("prune") else []) if identity(item) not in known
        ]

    def stale(self) -> list[Object]:
        """Return what carries the component's labels and is not wanted any more."""
        known = {identity(item) for item in self.given}
        known |= {identity(self._complete(item)) for item in self.part.get("spared") or []}
        spaces = sorted({self.namespace, *(item["metadata"].get("namespace") or self.namespace for item in self.given)})
        selector = f"{self.label}=true,{COMPONENT_LABEL}={self.component}"
        return [
            item
            for item in Sweep(self.cluster, self.work.inventory.discovery).objects(spaces, selector)
            if identity(item) not in known
            and item["kind"] not in NOT_PRUNED
            and item.get("type") not in (SECRET_TYPE, RECORD_TYPE)
            and not item["metadata"].get("ownerReferences")
        ]

    def apply(self) -> tuple[list[Applied], list[Object]]:
        """Apply, and return what became of the objects with those that are to go."""
        applied: list[Applied] = []
        for item in self.wanted:
            if item["kind"] not in FIRST:
                # Definitions are established before what they define is made.
                self._ready([one for one in applied if one.action == CREATED and one.item["kind"] in FIRST])
            applied.append(self._apply(item, self.found[object_key(item)]))
            if is_graph(item) and self.work.params["wait"] and not self.work.check:
                # Its pods take long: who looks on sees what is waited for.
                self.work.events.emit(self.component, "ready", "started", name=title(item))
        return applied, self.going

    def finish(self, applied: list[Applied], stale: list[Object]) -> Result:
        """Prune and wait; what is not ready is in the row's error."""
        done = [*applied, *(self._delete(item) for item in stale)]
        row = self.row(done)
        if self.work.params["wait"] and not self.work.check:
            try:
                error = self._wait(applied, row) or self._gone(stale)
                row.update({"error": error} if error else {})
            except Cancelled as exc:
                row.update(error=str(exc), cancelled=True)
        changed = [
            one.item for one in done if one.action == UPDATED and one.item["kind"] == "Secret" and _new_data(one)
        ]
        warnings = [] if self.work.check else secret_readers.told(self.cluster, changed)
        return Result(row["action"] != UNCHANGED, [row], _diff(self.part["name"], done), warnings)

    def absent(self) -> Result:
        """Remove what is ours; raise OrchestratorError for what does not go."""
        keep = self.part.get("keep") or []
        doomed = self.stale() if self.part.get("prune") else []
        for item in reversed(self.given):
            live = self.cluster.get(*_place(item)) if item["kind"] not in keep else None
            if live is not None and owned(live, self.label):
                doomed.append({**live, "apiVersion": item["apiVersion"], "kind": item["kind"]})
        done = [self._delete(item) for item in doomed]
        error = self._gone(doomed) if self.work.params["wait"] and not self.work.check else ""
        if error:
            raise OrchestratorError(error)
        row = self.row(done)
        return Result(bool(done), [{**row, "action": REMOVED if done else UNCHANGED}], _diff(self.part["name"], done))

    def row(self, done: t.Sequence[Applied], *, ready: bool | None = None) -> Object:
        """Return the part's row, with what a record keeps of it."""
        actions = {one.action for one in done}
        action = next(iter(actions)) if len(actions) == 1 else UPDATED if actions else UNCHANGED
        kept = recorded(self.part, [one.item for one in done if one.action != REMOVED])
        states = {identity(one.item): {"action": one.action, "seconds": round(one.seconds, 2)} for one in done}
        rows = listed([one.item for one in done], ready=ready)
        objects = [{**row, **states[identity(one.item)]} for row, one in zip(rows, done, strict=True)]
        return {
            "component": self.component,
            "kind": KIND,
            "name": self.part["name"],
            "namespace": self.namespace,
            "action": action,
            "reason": "",
            "seconds": round(sum(one.seconds for one in done), 2),
            **kept,
            "objects": objects,
        }

    def _apply(self, item: Object, old: Object | None) -> Applied:
        if old is not None and (item["kind"] == "Namespace" or (item["kind"] == "Job" and owned(old, self.label))):
            # A Job's template cannot be changed; a new one has another name.
            return Applied(item, UNCHANGED, old, old)
        begin = time.monotonic()
        new = self._send(item, old)
        action = CREATED if old is None else UNCHANGED if same_after(old, new) else UPDATED
        if action == UNCHANGED and stale_claim(self.work.inventory.live, item):
            action = UPDATED
            if not self.work.check:
                touch(self.work.inventory, item, f"annotate {title(item)}")
        seconds = time.monotonic() - begin
        self._emit("apply", "done", item, seconds, action)
        return Applied(item, action, old, new, seconds)

    def _emit(self, step: str, status: str, item: Object, seconds: float, detail: str | None = None) -> None:
        if not self.work.check:
            self.work.events.emit(self.component, step, status, name=title(item), seconds=seconds, detail=detail)

    def _send(self, item: Object, old: Object | None) -> Object:
        self.work.check_owner()
        metadata, resource = item["metadata"], self.cluster.resource(item["apiVersion"], item["kind"])
        if resource is None and self.work.check:
            return item  # its definition would have been made before
        if resource is None:
            raise _unserved(item)
        sent = left_to_scalers(item, old)
        options: Object = {"dry_run": "All"} if self.work.check else {}
        options.update(field_manager=FIELD_MANAGER, force_conflicts=True, field_validation="Strict")
        where = {"name": metadata["name"], "namespace": metadata.get("namespace")}
        for attempt in (1, 2):
            try:
                return resource.server_side_apply(body=sent, **where, **options).to_dict()
            except ApiException as exc:
                missing = exc.status == 404 and old is None and bool(metadata.get("namespace"))
                if missing and self.work.check:
                    return item  # its namespace would have been made before
                if not missing or attempt == 2 or not self.work.params["create_namespace"]:
                    raise api_error(exc, f"apply {title(item)}") from exc
                self.work.inventory.ensure_namespace(metadata["namespace"], self.component)
        raise AssertionError("unreachable")

    def _delete(self, item: Object) -> Applied:
        if not self.work.check:
            self.work.check_owner()
            _version, _kind, name, namespace = _place(item)
            try:
                self.cluster.resource(item["apiVersion"], item["kind"]).delete(
                    name=name, namespace=namespace, body={"propagationPolicy": "Foreground"}
                )
            except ApiException as exc:
                if exc.status != 404:
                    raise api_error(exc, f"delete {title(item)}") from exc
            self.work.events.emit(self.component, "remove", "done", name=title(item))
        return Applied(item, REMOVED, item, None)

    def _wait(self, applied: t.Sequence[Applied], row: Object) -> str:
        """Wait until what was applied is ready, and note in the row what is; return why something is not."""
        begin, states, error = time.monotonic(), {}, ""
        try:
            states = self._ready(applied)
        except NotReady as exc:
            states, error = {_row_key(one): one for one in exc.objects}, self._not_ready(exc)
        for one in row["objects"]:
            state = states.get(_row_key(one))
            if state is not None:
                one.update(ready=state["ready"], seconds=round(one["seconds"] + state["seconds"], 2))
            elif one["action"] != REMOVED:
                one["ready"] = True
        row["seconds"] = round(row["seconds"] + time.monotonic() - begin, 2)
        return error

    def _ready(self, applied: t.Sequence[Applied]) -> dict[tuple, Object]:
        """Return the states of what had to be waited for; raise NotReady."""
        pending = [one.item for one in applied if not _is_ready(one)]
        if not pending or self.work.check:
            return {}
        routes = any(item["kind"] == ROUTE for item in pending)
        grace = ROUTE_GRACE if routes else self.work.params["fail_fast_grace"]
        waiting = Waiting(self.cluster, self.work.watches, fail_fast=self.work.params["fail_fast"], grace=grace)
        waiting.cancelled = self.work.readiness.cancelled
        begin = time.monotonic()
        try:
            rows = waiting.wait(pending, self.work.deadline)
        except NotReady as exc:
            self._tell(pending, exc.objects, time.monotonic() - begin)
            raise
        self._tell(pending, rows, 0.0)
        return {_row_key(one): one for one in rows}

    def _tell(self, items: t.Sequence[Object], rows: t.Sequence[Object], seconds: float) -> None:
        for item, row in zip(items, rows, strict=True):
            status = "done" if row["ready"] else "failed"
            self._emit("ready", status, item, row["seconds"] or seconds)

    @staticmethod
    def _not_ready(exc: NotReady) -> str:
        routes = [one for one in exc.objects if one["kind"] == ROUTE and not one["ready"]]
        if routes:
            text = f"The Gateway has not accepted {len(routes)} route(s)."
            return OrchestratorError(text, details=exc.lines, hint=UNTAKEN).render()
        hint = "Check its pods with kubectl describe pods."
        return OrchestratorError("Not ready:", details=exc.lines, hint=hint).render()

    def _gone(self, items: t.Sequence[Object]) -> str:
        """Wait until objects are gone; return why some are not."""
        if not items:
            return ""
        left = gone(self.work.watches, find_targets(self.work.watches, items), self.work.deadline)
        return "left behind: " + "; ".join(left_line(item) for item in left) if left else ""


class Waiting(Readiness):
    """Waits for objects; a route that a Gateway denies counts as failed after the grace."""

    def judge(self, item: Object) -> State:
        """Return the present state of a manifest's object."""
        state = super().judge(item)
        return dataclasses.replace(state, failed=True) if state.denied else state


def _new_data(one: Applied) -> bool:
    """Return whether an object holds other data than before."""
    return (one.before or {}).get("data") != (one.after or {}).get("data")


def _is_ready(one: Applied) -> bool:
    """Return whether what the API server returned says already that there is nothing to wait for."""
    if one.item["kind"] in NOT_AWAITED or one.item["kind"] not in CHECKS or one.after is None:
        return True
    # What is made of a graph follows it.
    return not is_graph(one.item) and object_state(_typed(one.after, one.item)).ready


def _typed(live: Object, item: Object) -> Object:
    """Return a live object with its kind, which lists leave out."""
    return {**live, "apiVersion": item["apiVersion"], "kind": item["kind"]}


def _row_key(row: Object) -> tuple:
    return tuple(row[name] for name in ("api_version", "kind", "namespace", "name"))


def _place(item: Object) -> tuple[str, str, str, str | None]:
    metadata = item["metadata"]
    return item["apiVersion"], item["kind"], metadata["name"], metadata.get("namespace") or None


def _parents(route: Object) -> list[Object]:
    return [ref for ref in route["spec"].get("parentRefs") or [] if ref.get("kind", "Gateway") == "Gateway"]


def _gateway_of(ref: Object, route: Object) -> tuple[str, str]:
    return ref["name"], ref.get("namespace") or key(route)[0]


def _unserved(item: Object) -> OrchestratorError:
    text = f"The cluster does not serve {item['kind']} ({item['apiVersion']})."
    gateways = item["apiVersion"].startswith(GATEWAY_GROUP + "/")
    what = "the Gateway API (v1.4 or later, standard channel)" if gateways else "its CustomResourceDefinition"
    return OrchestratorError(text, hint=f"Install {what}.")


def title(item: Object) -> str:
    """Return 'Kind namespace/name'."""
    metadata = item["metadata"]
    return f"{item['kind']} " + "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)


def owned(item: Object, label: str = MANAGED_LABEL) -> bool:
    """Return whether an object carries this collection's label."""
    return (item["metadata"].get("labels") or {}).get(label) == "true"


def shown(item: Object | None) -> Object | None:
    """Return an object's content as it may be printed: a Secret's data hidden."""
    if item is None:
        return None
    body = content(item)
    for field in ("data", "stringData"):
        if item.get("kind") == "Secret" and body.get(field):
            body[field] = dict.fromkeys(body[field], "(hidden)")
    return body


def _diff(name: str, done: t.Sequence[Applied]) -> list[Object]:
    """Return Ansible's diff of what changed."""
    changed = [one for one in done if one.action != UNCHANGED]
    if not changed:
        return []
    before = {title(one.item): shown(one.before) for one in changed if one.before}
    after = {title(one.item): shown(one.after) for one in changed if one.after}
    texts = {"before": yaml.safe_dump(before), "after": yaml.safe_dump(after)}
    return [{"before_header": name, "after_header": name, **texts}]
