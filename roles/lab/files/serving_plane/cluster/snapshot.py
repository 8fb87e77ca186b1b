# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The plane's memory of the cluster: every watched object, by kind, namespace and name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str]
REMEMBERED_DEAD = 2000


def key_of(obj: Object) -> Key:
    """(namespace, name); the namespace is "" for cluster-scoped objects."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def version_of(obj: Object) -> int:
    """The resourceVersion as a number; 0 where there is none."""
    text = obj["metadata"].get("resourceVersion", "0")
    return int(text) if text.isdigit() else 0


class Snapshot:
    """Objects as last seen; an older copy never replaces a newer one."""

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._kinds: dict[str, dict[Key, Object]] = {}
        self._dead: dict[str, None] = {}
        self.served: set[str] = set()
        for obj in objects:
            self.put(obj)

    def put(self, obj: Object) -> bool:
        """Remember an object; True if that is news. One that was dropped never comes back."""
        if obj["metadata"].get("uid") in self._dead:
            return False
        known = self._kinds.setdefault(obj["kind"], {})
        old = known.get(key_of(obj))
        if old is not None and version_of(obj) <= version_of(old) and version_of(obj) > 0:
            return False
        obj["metadata"].pop("managedFields", None)
        known[key_of(obj)] = obj
        return True

    def drop(self, obj: Object) -> bool:
        """Forget an object, unless another of the same name has taken its place."""
        known = self._kinds.get(obj["kind"], {})
        old = known.get(key_of(obj))
        if old is None or old["metadata"].get("uid") != obj["metadata"].get("uid"):
            return False
        del known[key_of(obj)]
        if "uid" in obj["metadata"]:
            self._dead[obj["metadata"]["uid"]] = None
        while len(self._dead) > REMEMBERED_DEAD:
            del self._dead[next(iter(self._dead))]
        return True

    def replace(self, kind: str, objects: list[Object], started_at: int) -> bool:
        """Take a full list as the truth; objects newer than `started_at` (a resourceVersion) are kept. True if news."""
        listed = {key_of(obj) for obj in objects}
        gone = [
            obj for key, obj in self._kinds.get(kind, {}).items() if key not in listed and version_of(obj) <= started_at
        ]
        changed = [self.drop(obj) for obj in gone] + [self.put(obj) for obj in objects]
        return any(changed)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._kinds.get(kind, {}).get((namespace, name))

    def need(self, kind: str, namespace: str, name: str) -> Object:
        """One object that is known to be there. Raises KeyError where it is not."""
        return self._kinds[kind][namespace, name]

    def all(self, kind: str) -> list[Object]:
        """Every object of a kind, in the order of namespace and name."""
        return [obj for _unused, obj in sorted(self._kinds.get(kind, {}).items())]

    def within(self, kind: str, namespace: str) -> list[Object]:
        """The objects of a kind in one namespace."""
        return [obj for obj in self.all(kind) if obj["metadata"].get("namespace", "") == namespace]


def labels_of(obj: Object) -> dict[str, str]:
    """The labels of an object; empty where it has none."""
    return obj["metadata"].get("labels") or {}


def is_deleted(obj: Object) -> bool:
    """True once deletion of the object was asked for."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def matches(labels: dict[str, str], wanted: dict[str, str] | None) -> bool:
    """True if all `wanted` labels are there; an empty selector selects nothing."""
    return bool(wanted) and all(labels.get(name) == value for name, value in wanted.items())


def is_ready(pod: Object) -> bool:
    """True for a running pod whose Ready condition is True and which is not being deleted."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
    return ready and not is_deleted(pod)
