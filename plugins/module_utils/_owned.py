# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects that this collection applies without Helm: labelled, never taken from others, waited for, removed."""

from __future__ import annotations

import copy
import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster, api_error
from ansible_collections.llm_d.orchestrator.plugins.module_utils._conditions import object_state
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inputs import plain
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import (
    COMPONENT_LABEL,
    FIELD_MANAGER,
    MANAGED_LABEL,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._watch import Watches

try:
    import yaml
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - Cluster reports the missing package
    yaml = None  # type: ignore[assignment]
    ApiException = Exception  # type: ignore[assignment,misc]

Object = dict[str, t.Any]


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
