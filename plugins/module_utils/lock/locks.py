# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes, keeps and gives back the locks of namespaces, so that two operators do not change one stack at once."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ..base.data import Object
from ..base.errors import Forbidden, OrchestratorError
from ..base.process import Process, runs
from ..cluster.client import Cluster, api_error
from ..cluster.watch import Watches
from .lease import (
    API,
    DURATION,
    KIND,
    NAME,
    RENEW,
    Observation,
    held_text,
    holder,
    process_of,
    released,
    taken,
    version,
)

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - Cluster reports the missing package
    ApiException = Exception  # type: ignore[assignment,misc]


REFUSE, WAIT, OFF = "refuse", "wait", "off"
FREE, ALIVE, EXPIRED = "free", "alive", "expired"
# How often a Lease is tried to be written that others write too.
TRIES = 20
# A holder renews every few seconds; that long after the lock should have expired nothing more is to be learned.
SLACK = 15
# Seconds after the taking for which nobody else can have the lock, renewed or not.
SURE = DURATION - RENEW


class LockHeld(OrchestratorError):
    """Somebody else holds the lock."""

    def __init__(self, lease: Object, namespace: str, mode: str) -> None:
        hint = "Run it again when that run has finished"
        hint += ", or set llm_d_lock_timeout to more seconds" if mode == WAIT else ", or set llm_d_lock to wait"
        hint += f". The lock of a run that is gone expires after {DURATION}s."
        super().__init__(f"{held_text(lease, namespace)} Nothing was changed.", hint=hint)


class Locks:
    """The locks of one run. identity: the holder's name; process: its playbook; say: shows a line at once."""

    def __init__(
        self, cluster: Cluster, identity: str, process: Process, purpose: str, say: t.Callable[[str], t.Any]
    ) -> None:
        self.cluster, self.identity, self.process = cluster, identity, process
        self.purpose, self.say = purpose, say
        self.waited = 0.0
        self.before: dict[str, str] = {}

    def read(self, namespace: str) -> Object | None:
        """Return a namespace's Lease, None where there is none."""
        try:
            return self.cluster.get(API, KIND, NAME, namespace)
        except Forbidden as exc:
            raise _not_permitted(exc) from exc

    def take(self, namespace: str, mode: str, timeout: float) -> None:
        """Take a namespace's lock; raise Held. mode: what to do where it is held; timeout: seconds to wait."""
        begin = time.monotonic()
        deadline = begin + (timeout if mode == WAIT else DURATION + SLACK)
        for _attempt in range(TRIES):
            lease = self.read(namespace)
            self.before.setdefault(namespace, version(lease))
            if not self._is_open(lease, namespace):
                lease = self._wait(t.cast(Object, lease), namespace, mode, deadline)
                self.waited = max(self.waited, time.monotonic() - begin)
            if self._write(lease, namespace):
                return
        raise OrchestratorError(
            (f"The lock of the namespace {namespace} changes its holder too often."), hint="Try again."
        )

    def quiet(self, namespace: str, mode: str, timeout: float) -> bool:
        """Wait or raise Held as take() does, and take nothing; return whether it was waited.

        A lock that has expired is freed.
        """
        deadline = time.monotonic() + (timeout if mode == WAIT else DURATION + SLACK)
        lease = self.read(namespace)
        if lease is None or self._is_open(lease, namespace):
            return False
        left = self._wait(lease, namespace, mode, deadline)
        if left is not None and holder(left) and runs(process_of(left)) is not False:
            self._send("replace", released(left), "free the expired lock")
        return True

    def _is_open(self, lease: Object | None, namespace: str) -> bool:
        """Return whether a lock may be taken at once: free, ours, or of a process of this machine that is gone."""
        if lease is None or holder(lease) in ("", self.identity):
            return True
        if runs(process_of(lease)) is not False:
            return False
        self.say(f"taking over the lock of {namespace}: {holder(lease)} is gone")
        return True

    def _wait(self, lease: Object, namespace: str, mode: str, deadline: float) -> Object | None:
        """Return the Lease once it may be taken; raise Held."""
        lives = runs(process_of(lease))
        if mode == REFUSE and lives:
            raise LockHeld(lease, namespace, mode)
        why = "waiting until it is free" if mode == WAIT else "checking whether its holder is still alive"
        self.say(f"{held_text(lease, namespace)} Now {why}, at most {max(0, deadline - time.monotonic()):.0f} s")
        watches, seen = Watches(self.cluster), Observation()
        watches.start(API, KIND, namespace)
        try:
            watches.synced(max(deadline, time.monotonic() + SLACK))

            def look() -> str | None:
                found = watches.find(API, KIND, namespace, NAME)
                if found is None or not holder(found) or runs(process_of(found)) is False:
                    return FREE
                now = time.monotonic()
                seen.look(found, now)
                if now >= seen.ends:
                    return EXPIRED
                return ALIVE if mode == REFUSE and seen.signs else None

            fate = watches.wait(look, deadline, lambda: seen.ends)
            found = watches.find(API, KIND, namespace, NAME)
        finally:
            watches.close()
        if fate in (FREE, EXPIRED):
            return found
        raise LockHeld(found or lease, namespace, mode)

    def _write(self, lease: Object | None, namespace: str) -> bool:
        """Take a Lease as it was seen; return False where somebody was quicker."""
        body = taken(lease, namespace, self.identity, self.process, self.purpose)
        return self._send("create" if lease is None else "replace", body, "take the lock")

    def _send(self, verb: str, body: Object, action: str) -> bool:
        """Create or replace; return False where the object is not as it was seen."""
        metadata = body["metadata"]
        where = {"namespace": metadata["namespace"], "body": body}
        try:
            getattr(self._resource(), verb)(**where, **({} if verb == "create" else {"name": NAME}))
        except ApiException as exc:
            if exc.status == 409 or (exc.status == 404 and verb == "replace"):
                return False
            error = api_error(exc, f"{action} of the namespace {metadata['namespace']}")
            raise _not_permitted(error) if isinstance(error, Forbidden) else error from exc
        return True

    def _resource(self) -> t.Any:
        resource = self.cluster.resource(API, KIND)
        if resource is None:
            raise OrchestratorError("The cluster does not serve Leases.", hint="Set llm_d_lock to off.")
        return resource

    def renew(self, namespace: str, renew_time: str) -> bool:
        """Renew a lock; return False where it is not ours any more."""
        for _attempt in range(TRIES):
            lease = self.read(namespace)
            if lease is None or holder(lease) != self.identity:
                return False
            lease["spec"]["renewTime"] = renew_time
            if self._send("replace", lease, "renew the lock"):
                return True
        return True

    def release(self, namespace: str, *, delete: bool = False) -> bool:
        """Give a lock back if it is ours, and delete it on request; return whether it was ours."""
        for _attempt in range(TRIES):
            lease = self.read(namespace)
            if lease is None or holder(lease) != self.identity:
                return False
            if (self._delete if delete else self._free)(lease):
                return True
        return False

    def _free(self, lease: Object) -> bool:
        return self._send("replace", released(lease), "release the lock")

    def _delete(self, lease: Object) -> bool:
        metadata = lease["metadata"]
        seen = {"preconditions": {key: metadata[key] for key in ("uid", "resourceVersion")}}
        try:
            self._resource().delete(name=NAME, namespace=metadata["namespace"], body=seen)
        except ApiException as exc:
            if exc.status == 409:
                return False
            if exc.status != 404:
                raise api_error(exc, "delete the lock") from exc
        return True

    def verify(self, namespace: str) -> None:
        """Raise OrchestratorError where a lock is not ours any more."""
        lease = self.read(namespace)
        if holder(lease) == self.identity:
            return
        if lease is None:
            text = f"The lock of the namespace {namespace} was deleted."
        elif holder(lease):
            text = f"The lock was lost: {held_text(lease, namespace)}"
        else:
            text = f"The lock of the namespace {namespace} was lost; another run has held it since."
        hint = f"The cluster was unreachable for {DURATION}s, or the lock was deleted. Run it again."
        raise OrchestratorError(text, hint=hint)


def verify_held(cluster: Cluster, held: Object) -> None:
    """Raise OrchestratorError where a lock was lost. held: as the module stack_lock returns it, {} for none."""
    if not held or 0 <= time.monotonic() - held["taken"] < SURE:
        return
    locks = Locks(cluster, held["identity"], held["process"], "", str)
    for name in held["namespaces"]:
        locks.verify(name)


def _not_permitted(exc: OrchestratorError) -> Forbidden:
    hint = (
        "Grant get, list, watch, create, update and delete of leases (coordination.k8s.io), or set llm_d_lock to off."
    )
    return Forbidden(exc.message, hint=hint)


def locked_namespaces(stack: Object) -> list[str]:
    """Return the namespaces in which a deployment makes something. stack: as planning returns it."""
    return list(dict.fromkeys([stack["namespace"], *(part["namespace"] for part in stack["parts"])]))


def await_locks(cluster: Cluster | None, stack: Object, params: Object, say: t.Callable[[str], t.Any]) -> bool:
    """Wait until nobody changes the stack, or raise Held: what is half made looks like mistakes.

    Returns whether it was waited, so that what was read before is old. params: lock and lock_timeout of the module;
    say: shows a line at once.
    """
    names = locked_namespaces(stack) if params["lock"] != OFF else []
    waited = False
    for name in names if cluster is not None else []:
        locks = Locks(t.cast("Cluster", cluster), "", {}, "", say)
        with contextlib.suppress(Forbidden):  # that is another rule's matter
            waited = locks.quiet(name, params["lock"], params["lock_timeout"]) or waited
    return waited


def seen_locks(cluster: Cluster | None, stack: Object, mode: str, notes: list[str]) -> Object:
    """Return {mode, namespaces, versions}; add to the notes who has locked a namespace.

    versions: by namespace what changes when somebody takes or returns its lock; none that may not be read.
    """
    names = locked_namespaces(stack) if mode != OFF else []
    versions = {}
    for name in names if cluster is not None else []:
        try:
            lease = t.cast("Cluster", cluster).get(API, KIND, NAME, name)
        except OrchestratorError:
            continue  # whether it may be read is another rule's matter
        versions[name] = version(lease)
        if lease and holder(lease):
            notes.append(f"{held_text(lease, name)} A deployment waits for it or fails, see llm_d_lock.")
    return {"mode": mode, "namespaces": names, "versions": versions}
