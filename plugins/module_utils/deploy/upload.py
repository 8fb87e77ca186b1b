# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts that are folders of this machine on a claim: a pod takes the content, and is gone when that is there, or fails.

Spec of a part: source (the folder), digest (of its content), claim, path (in the claim), pod (the manifest; its only
container is in the claim). The claim carries the digest as a mark once it holds the content, so that nothing is sent
twice. A pod that a run left behind is removed by the next, and ends by itself after its own deadline.
"""

from __future__ import annotations

import functools
import time
import typing as t

from ..base.cancel import Cancelled
from ..base.data import Object, dig
from ..base.errors import OrchestratorError
from ..base.images import rewrite_object
from ..base.ours import UPLOADED_ANNOTATION
from ..charts.fetch import default_cache_dir
from ..cluster.commands import CommandFailed, PodCommands
from ..helm.image_check import registry_of
from ..upload import remote
from ..upload.content import Archive, FolderContent, read_content
from . import objects
from .base import CREATED, UNCHANGED, PartsFailed, Result, Work
from .removal import find_targets, gone, left_line

KIND = "upload"
CLAIM = "PersistentVolumeClaim"
# How often a connection may break off; each time it goes on with what is missing.
TRIES = 4
# Seconds for what is not a transfer: digests of what is there, and putting it into its place.
QUICK = 900


def render(work: Work, parts: t.Sequence[Object]) -> dict[str, list[Object]]:
    """Return by part the pod that it needs, none where the claim holds the content."""
    return objects.render(work, _as_objects(work, parts))


def settled(work: Work, parts: t.Sequence[Object]) -> list[Object] | None:
    """Return the rows of a component's parts where all claims hold their content, None where one does not."""
    uploads = [Upload(work, part) for part in parts]
    return [one.row(UNCHANGED) for one in uploads] if all(one.is_done() for one in uploads) else None


def present(work: Work, parts: t.Sequence[Object]) -> Result:
    """Send what the claims do not hold yet; raise PartsFailed for what could not be sent."""
    outcome = Result()
    for part in parts:
        upload = Upload(work, part)
        if upload.is_done():
            outcome.rows.append(upload.row(UNCHANGED))
            continue
        outcome.changed = True
        outcome.rows.append(upload.row(CREATED) if work.check else upload.carry_out())
    if any(row.get("error") for row in outcome.rows):
        raise PartsFailed(outcome.rows, outcome.changed)
    return outcome


def absent(work: Work, parts: t.Sequence[Object]) -> Result:
    """Remove pods that a run left behind; the claims and what they hold stay."""
    rows = objects.absent(work, [{**part, "objects": [part["pod"]]} for part in parts])
    return Result(rows.changed, [{**row, "kind": KIND, "objects": []} for row in rows.rows], rows.diff)


def recorded(part: Object, items: t.Sequence[Object]) -> Object:
    """Return what a record keeps of a part besides its row: which content, and no object, since none stays."""
    return {"objects": [], "manifests": [], "digest": part.get("digest")}


def laid_out(work: Work, part: Object) -> objects.Objects:
    """Return the pod that a part needs, none where the claim holds the content."""
    return objects.Objects(work, _as_objects(work, [part])[0])


def restored(work: Work, parts: t.Sequence[Object]) -> Result:
    """Leave everything as it is: a claim holds what was sent last."""
    return Result(False, [{**part, "kind": KIND, "action": UNCHANGED} for part in parts])


def _as_objects(work: Work, parts: t.Sequence[Object]) -> list[Object]:
    uploads = [(part, Upload(work, part)) for part in parts]
    return [{**part, "kind": objects.KIND, "objects": [] if one.is_done() else [one.pod]} for part, one in uploads]


class Upload:
    """The content of one folder on one claim."""

    def __init__(self, work: Work, part: Object) -> None:
        self.work, self.part = work, part
        self.namespace, self.digest = part["namespace"], part["digest"]
        registry = registry_of(work.params)
        self.pod: Object = rewrite_object(part["pod"], registry) if registry else part["pod"]

    @property
    def mark(self) -> str:
        """The mark of a claim that holds the content where it is wanted."""
        return remote.mark(self.part["path"], self.digest)

    @functools.cached_property
    def claim(self) -> Object | None:
        """The claim as it is, None where it is not there."""
        return self.work.cluster.get("v1", CLAIM, self.part["claim"], self.namespace)

    def is_done(self) -> bool:
        """Return whether the claim holds the content."""
        return dig(self.claim, ("metadata", "annotations", UPLOADED_ANNOTATION)) == self.mark

    def row(self, action: str, begin: float | None = None) -> Object:
        """Return the part's row."""
        return {
            "component": self.part["component"],
            "kind": KIND,
            "name": self.part["name"],
            "namespace": self.namespace,
            "action": action,
            "reason": "",
            "seconds": round(time.monotonic() - begin, 2) if begin is not None else 0.0,
            **recorded(self.part, []),
        }

    def carry_out(self) -> Object:
        """Send the content and mark the claim; return the row. The pod is gone afterwards, whatever came of it."""
        begin, component = time.monotonic(), self.part["component"]
        content = read_content(self.part["source"], self.work.params["chart_cache"] or default_cache_dir())
        if content.digest != self.digest:
            raise OrchestratorError(
                f"{self.part['source']} has changed since the plan.", hint="Run it again when it is complete."
            )
        problem: Object = {}
        try:
            self._remove()
            with self.work.events.step(component, "upload", name=self.part["name"]):
                objects.present(self.work, [{**self.part, "kind": objects.KIND, "objects": [self.pod]}])
                self._send(content)
                self._keep_mark()
        except Cancelled as exc:
            problem = {"error": str(exc), "cancelled": True}
        except (PartsFailed, CommandFailed) as exc:
            problem = {"error": str(exc)}
        finally:
            left = self._remove()
        return {**self.row(CREATED, begin), **({"error": left} if left else {}), **problem}

    def _send(self, content: FolderContent) -> None:
        container = self.pod["spec"]["containers"][0]["name"]
        commands = PodCommands(self.work.cluster, self.namespace, self.pod["metadata"]["name"], container)
        for attempt in range(TRIES):
            try:
                lacking = remote.missing(content, commands.run(remote.look(self.digest), QUICK))
                if lacking is None:
                    commands.run(remote.place(self.digest, self.part["path"]), QUICK)
                    return
                archive = Archive(content, lacking)
                command = remote.take(self.digest, archive.size)
                commands.run(command, self.work.left(), archive.chunks(), self._check)
            except CommandFailed as exc:
                if not exc.broken or attempt == TRIES - 1:
                    raise
        raise CommandFailed(f"the files on the claim {self.part['claim']} differ from those sent", broken=False)

    def _check(self) -> None:
        self.work.check_owner()
        if self.work.cancellation.is_set():
            raise Cancelled

    def _keep_mark(self) -> None:
        body = {"metadata": {"annotations": {UPLOADED_ANNOTATION: self.mark}}}
        self.work.inventory.change(
            f"label the claim {self.part['claim']}", "patch", "v1", CLAIM, self.part["claim"], self.namespace, body
        )

    def _remove(self) -> str:
        """Remove the pod, where it is ours, and wait until it is gone; return what is left."""
        where = ("v1", "Pod", self.pod["metadata"]["name"], self.namespace)
        live = self.work.cluster.get(*where)
        if live is None or not objects.owned(live):
            return ""
        targets = find_targets(self.work.watches, [live])
        self.work.inventory.change(f"delete {objects.title(self.pod)}", "delete", *where)
        left = gone(self.work.watches, targets, time.monotonic() + self.work.left(60))
        return "left behind: " + "; ".join(left_line(item) for item in left) if left else ""
