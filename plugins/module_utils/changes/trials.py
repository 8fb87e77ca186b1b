# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The API server asked whether it would make each object, and the pods that controllers would make of it.

Each is a server-side dry run with strict field validation. In a namespace that does not exist yet nothing can be tried,
so that another one stands in: what holds there alone (its quotas, limits and policies) is then not listened to. Where
objects may not be tried, the server's schemas say what they can.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import threading
import typing as t

from ..base.data import Object, dicts, mapping
from ..base.errors import Forbidden, OrchestratorError
from ..base.names import label_problem, name_problem
from ..base.ours import object_key
from ..cluster.live import LiveObjects
from ..cluster.openapi import Schemas
from ..cluster.refusals import DENIED, UNKNOWN, UNREADABLE, Objection, Path, absent_class, placed, without

# It is in every cluster.
STAND_IN = "default"
# A refusal may hide others; so often an object is tried again without what was refused.
ROUNDS = 4
# Kinds whose pods a controller makes, with the groups that have them; the API server itself validates the templates of
# its own.
OWN_GROUPS = ("apps", "batch")
GROUPS = (*OWN_GROUPS, "leaderworkerset.x-k8s.io")
CLAIMS = "volumeClaimTemplates"
# Lists and maps whose texts the server takes whatever they say.
_FREE_LISTS, _FREE_MAPS = ("args", "command"), ("annotations", "data", "stringData")
_LABELS = ("labels", "matchLabels", "selector")
# What is shorter stands in too many words to be taken for a release's name.
_SHORT = 3


class Trials:
    """Asks one cluster, of objects that differ in names and free texts alone only once. Safe for threads."""

    def __init__(self, live: LiveObjects, schemas: Schemas | None = None) -> None:
        self.live, self._schemas = live, schemas
        # Why objects could not be tried.
        self.unheard: set[str] = set()
        self._answers: dict[str, concurrent.futures.Future] = {}
        self._lock = threading.RLock()

    @property
    def schemas(self) -> Schemas:
        """The server's schemas, which most runs need not know."""
        with self._lock:
            self._schemas = self._schemas or Schemas(self.live.cluster)
            return self._schemas

    def refused(self, item: Object, release: str = "") -> tuple[Objection, ...]:
        """Return what the server refuses of a new object."""
        return self._once(item, release)

    def pods_refused(self, item: Object, release: str = "") -> tuple[Objection, ...]:
        """Return what the server refuses of the pods of a workload, with paths in the workload."""
        built_in = item["apiVersion"].partition("/")[0] in OWN_GROUPS
        found: list[Objection] = []
        for path, template in pod_templates(item):
            causes = self._once(self._pod(item, template), release)
            found += [
                dataclasses.replace(cause, path=(*path, *cause.path))
                for cause in causes
                if cause.how == DENIED or not built_in
            ]
        return tuple(found)

    def _once(self, item: Object, release: str) -> tuple[Objection, ...]:
        key = fingerprint(item, release)
        with self._lock:
            first = key not in self._answers
            answer = self._answers.setdefault(key, concurrent.futures.Future())
        if first:
            try:
                answer.set_result(tuple(self._asked(item)))
            except BaseException as exc:
                answer.set_exception(exc)
        return answer.result()

    def _exists(self, namespace: str) -> bool:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        try:
            return self.live.find(space) is not None
        except OrchestratorError:
            return True  # who may not look at it is given it

    def _pod(self, item: Object, template: Object) -> Object:
        """Return a pod as a controller makes it of a template."""
        _api, _kind, namespace, name = object_key(item)
        spec, metadata = dict(template["spec"]), mapping(template.get("metadata"))
        known = {"name": str(spec.get("serviceAccountName")), "namespace": namespace}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": known}
        if "serviceAccountName" in spec and not self._is_there(account):
            del spec["serviceAccountName"]  # it is made before the pods are
        claims = [mapping(claim.get("metadata")).get("name") for claim in dicts(item["spec"].get(CLAIMS))]
        if claims:
            spec["volumes"] = [*dicts(spec.get("volumes")), *({"name": claim, "emptyDir": {}} for claim in claims)]
        marks = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, **marks},
            "spec": spec,
        }

    def _is_there(self, item: Object) -> bool:
        try:
            return self.live.find(item) is not None
        except OrchestratorError:
            return False

    def _asked(self, item: Object) -> t.Iterator[Objection]:
        """Yield what is refused of an object, again and again without what was refused already."""
        _api, kind, wanted, _name = object_key(item)
        namespace = wanted if not wanted or self._exists(wanted) else STAND_IN
        if namespace != wanted:
            item = {**item, "metadata": {**item["metadata"], "namespace": namespace}}
        gone: list[Path] = []
        for _round in range(ROUNDS):
            try:
                refusal = self.live.refused(item, namespace)
            except Forbidden:
                self.unheard.add(f"Not permitted to dry-run creating a {kind} in {namespace or 'the cluster'}")
                yield from self.schemas.problems(item)
                return
            except OrchestratorError as exc:
                self.unheard.add(exc.message.rstrip("."))
                return
            if refusal is None or (refusal.local and namespace != wanted):
                return
            causes = self._complete([placed(cause, item) for cause in refusal.causes], item)
            yield from (cause for cause in causes if not _follows(cause, gone))
            gone += (mendable := [path for cause in causes if (path := _mendable(cause))])
            if not mendable:
                return
            for path in sorted(mendable, key=str, reverse=True):
                item = without(item, path)

    def _complete(self, causes: list[Objection], item: Object) -> list[Objection]:
        """Return causes with what the schema knows besides: the fields that cannot be read, and what was meant."""
        unread = [cause for cause in causes if cause.how == UNREADABLE]
        if unread:
            known = [cause for cause in self.schemas.problems(item) if cause.how == UNREADABLE]
            causes = [*(cause for cause in causes if cause.how != UNREADABLE), *(known or unread)]
        return [
            dataclasses.replace(cause, guess=self.schemas.guess(item, cause.path)) if cause.how == UNKNOWN else cause
            for cause in causes
        ]


def _mendable(cause: Objection) -> Path:
    """Return what to leave out of an object to hear of more, () where nothing can be."""
    if cause.how in (UNKNOWN, UNREADABLE):
        return cause.path
    field = absent_class(cause.text)[0] if cause.how == DENIED else ""
    return ("spec", field) if field else ()


def _follows(cause: Objection, gone: list[Path]) -> bool:
    """Return whether a cause is one only because something was left out."""
    return bool(cause.path) and any(path[: len(cause.path)] == cause.path for path in gone)


def pod_templates(item: Object) -> list[tuple[Path, Object]]:
    """Return (path, template) of each kind of pod that a workload makes; none where it makes no pods now."""
    spec = mapping(item.get("spec"))
    if item["apiVersion"].partition("/")[0] not in GROUPS or spec.get("replicas") == 0:
        return []
    return list(_templates(spec, ("spec",)))


def _templates(value: Object, path: Path) -> t.Iterator[tuple[Path, Object]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and dicts(mapping(inner.get("spec")).get("containers")):
            yield (*path, key), inner
        elif isinstance(inner, dict):
            yield from _templates(inner, (*path, key))


def fingerprint(item: Object, release: str = "") -> str:
    """Return a text that is the same for objects of which the API server says the same.

    Names of releases, labels and free texts are put aside, so that many models of one form are asked about once; that
    names are good is said by rules of their own.
    """
    metadata = {**item["metadata"], "name": ""}
    text = json.dumps(_masked({**item, "metadata": metadata}, "", {}), sort_keys=True, default=str)
    return text.replace(release, "\0") if len(release) >= _SHORT else text


def _masked(value: t.Any, key: str, seen: dict[str, str]) -> t.Any:
    """Return a value without its free texts; the same name stays the same: selectors and mounts have to match."""
    if isinstance(value, list):
        return ["" if key in _FREE_LISTS and isinstance(inner, str) else _masked(inner, key, seen) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        if not isinstance(inner, str):
            found[name] = _masked(inner, name, seen)
        elif key in _FREE_MAPS or (name == "value" and "name" in value):
            found[name] = ""
        elif _is_name(key, name) and (label_problem if key in _LABELS else name_problem)(inner) is None:
            found[name] = seen.setdefault(inner, f"#{len(seen)}")
        else:
            found[name] = inner
    return found


def _is_name(parent: str, key: str) -> bool:
    """Return whether a text is a label or a name, and all that are well formed are as good; classes have to exist."""
    return parent in _LABELS or (key.lower().endswith("name") and not key.endswith("ClassName") and parent != "ports")
