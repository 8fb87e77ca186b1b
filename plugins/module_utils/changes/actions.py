# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a deployment does to one object, and why: the entries of a plan."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

from ..base.data import Object
from ..base.findings import Finding, finding_at
from ..base.ours import MANAGED_LABEL, object_key
from ..cluster.compare import projected
from ..cluster.refusals import Objection
from ..helm.deployed import owner_release
from ..helm.records import diff_texts, dump_objects, union
from .fields import texts


@dataclasses.dataclass(frozen=True)
class ReleaseObjects:
    """One release. before: the objects that its record has; after: those that it shall have; managed: it is ours."""

    component: str
    release: str
    namespace: str
    before: t.Sequence[Object]
    after: t.Sequence[Object]
    managed: bool = False


CREATE, REUSE, UPDATE, REPLACE, DELETE = "create", "reuse", "update", "replace", "delete"
OURS, OTHER, UNKNOWN = "ours", "other", "unknown"
# The API server's words for a change that only a new object can make.
IMMUTABLE = re.compile(
    r"immutable|updates to \S+ spec for fields other than|may not be (changed|updated|modified)"
    r"|cannot (be changed|be updated|change roleRef)|may not change once set|Forbidden: .*updates? ",
    re.IGNORECASE,
)
MANAGER_LABELS = (
    *("app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "argocd.argoproj.io/instance"),
    *("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name", "olm.owner"),
)


@dataclasses.dataclass
class Action:
    """One object of a plan. before, after: what of it is shown, as manifests; live: the object itself.

    mistake: why the deployment cannot do it at all, "" where it can; refused: what the API server does not take of it;
    adopts: it is another's and would be taken over;
    asks: nobody's, and as wanted: whether it may be taken is a question;
    drifted: only the live object changed since it was deployed, not what is wanted; unwanted: no part of
    the stack has it any more; replaced: another object of generated content takes its place.
    """

    component: str
    release: str
    item: Object
    action: str = REUSE
    why: str = ""
    owner: str = OURS
    live: Object | None = None
    before: Object | None = None
    after: Object | None = None
    mistake: str = ""
    refused: tuple[Objection, ...] = ()
    adopts: bool = False
    asks: bool = False
    drifted: bool = False
    unwanted: bool = False
    replaced: bool = False

    @property
    def id(self) -> str:
        """Kind/namespace/name, as in consents, questions and states."""
        _api, kind, namespace, name = object_key(self.item)
        return f"{kind}/{namespace}/{name}"

    @property
    def title(self) -> str:
        """Kind namespace/name."""
        _api, kind, namespace, name = object_key(self.item)
        return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"

    def as_dict(self) -> Object:
        """Return the entry of the plan."""
        api_version, kind, namespace, name = object_key(self.item)
        return {
            "component": self.component,
            "release": self.release,
            "api_version": api_version,
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "action": self.action,
            "why": self.why,
            "drift": self.drifted,
            "changes": self.changes(),
            "diff": self.diff(),
            "owner": self.owner,
            **({"unwanted": True} if self.unwanted else {}),
        }

    def changes(self) -> list[str]:
        """Return the fields that an update or a replacement changes, each in its own words; none for other actions."""
        return texts(self.before, self.after) if self.action in (UPDATE, REPLACE) else []

    def diff(self) -> str:
        """Return a unified diff of what an update or a replacement changes, "" for other actions."""
        if self.action not in (UPDATE, REPLACE):
            return ""
        before, after = self.texts()
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "live", "wanted", lineterm="")
        return "".join(f"{line}\n" for line in lines)

    def texts(self) -> tuple[str, str]:
        """Return the object before and after as YAML, Secret data hidden."""
        sides = [dump_objects([item]) if item else "" for item in (self.before, self.after)]
        return diff_texts(sides[0], sides[1])

    def show(self, old: Object | None, after: Object | None) -> None:
        """Keep what of the live object and of what becomes of it the manifests name. old: the manifest it had."""
        pattern = union(old, self.item) if old else self.item
        self.before = projected(self.live, pattern) if self.live else None
        self.after = projected(after, pattern) if after else self.item


def owner_of(item: Object, live: Object, release: str = "", namespace: str = "", managed: bool = False) -> str:
    """Return whose a live object is.

    release, namespace: the Helm release that shall have it, "" for objects without one; managed: whether that release
    exists and is this collection's. An object with no sign of any owner is unknown.
    """
    metadata = live.get("metadata") or {}
    labels = metadata.get("labels") or {}
    helm = owner_release(live)
    if release and helm is not None:
        # What a chart tells Helm to keep outlives its release, and is taken up again by one of the same name.
        kept = (metadata.get("annotations") or {}).get("helm.sh/resource-policy") == "keep"
        return OURS if (managed or kept) and helm == (release, namespace) else OTHER
    if not release and labels.get(MANAGED_LABEL) == "true":
        return OURS
    wanted = (item.get("metadata") or {}).get("labels") or {}
    signs = [name for name in MANAGER_LABELS if labels.get(name) and labels[name] != wanted.get(name)]
    if helm is not None or signs or metadata.get("ownerReferences") or labels.get(MANAGED_LABEL):
        return OTHER
    return UNKNOWN


def identity(item: Object) -> tuple[str, str, str, str]:
    """Return (group, kind, namespace, name): an object stays the same through its API's versions."""
    api_version, kind, namespace, name = object_key(item)
    return api_version.rpartition("/")[0], kind, namespace, name


def refusals(actions: t.Iterable[Action], adopt: bool) -> list[Finding]:
    """Return the objects that the deployment may not or cannot touch."""
    rows = []
    for action in actions:
        if action.mistake:
            rows.append(finding_at(action.title, action.mistake, "remove it, or choose another name", "owner"))
        elif action.adopts and not adopt:
            said = "it exists and was not created by this collection"
            fix = "use another name, or set llm_d_adopt: true to adopt it"
            rows.append(finding_at(action.title, said, fix, "owner"))
    return rows
