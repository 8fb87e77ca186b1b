# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a teardown removes, what it keeps and why: decided from labels and release records, never from names alone."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.apis import GATEWAY_GROUP
from ..base.data import Object
from ..base.given import is_given
from ..base.ours import MANAGED_LABEL, RECORD_TYPE, SECRET_TYPE, is_kept, object_key
from ..helm.records import Release

# As a plan names a release among what is no longer wanted.
HELM_RELEASE = "Helm release"
CLAIM = "PersistentVolumeClaim"
DEFINITION = "CustomResourceDefinition"


@dataclasses.dataclass
class TeardownPlan:
    """What goes, in this order, and what stays. kept: (object line, why).

    dependent: what cannot go without one of the releases, and so goes before them.
    """

    routes: list[Object] = dataclasses.field(default_factory=list)
    dependent: list[Object] = dataclasses.field(default_factory=list)
    releases: list[Release] = dataclasses.field(default_factory=list)
    objects: list[Object] = dataclasses.field(default_factory=list)
    claims: list[Object] = dataclasses.field(default_factory=list)
    definitions: list[Object] = dataclasses.field(default_factory=list)
    kept: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what goes, one line each, in order."""
        releases = [f"Helm release {release.name} in {release.namespace}" for release in self.releases]
        records = [item for item in self.objects if item.get("type") == RECORD_TYPE]
        others = [line(item) for item in self.objects if item.get("type") != RECORD_TYPE]
        others += [f"records of deployments: {len(records)}"] if records else []
        first = map(line, (*self.routes, *self.dependent))
        return [*first, *releases, *others, *map(line, (*self.claims, *self.definitions))]

    def put_first(self, dependants: t.Container[str]) -> None:
        """Let objects, by their uids, go before the releases."""
        self.dependent = [item for item in self.objects if item["metadata"].get("uid") in dependants]
        self.objects = [item for item in self.objects if item["metadata"].get("uid") not in dependants]

    def keep(self, release: Release, why: str) -> None:
        """Let a release stay."""
        self.releases.remove(release)
        self.kept.append((f"Helm release {release.name} in {release.namespace}", why))


def line(item: Object) -> str:
    """Return 'Kind name in namespace'."""
    _api_version, kind, namespace, name = object_key(item)
    return f"{kind} {name} in {namespace}" if namespace else f"{kind} {name}"


def is_ours(item: Object) -> bool:
    """Return whether an object carries this collection's label."""
    return (item["metadata"].get("labels") or {}).get(MANAGED_LABEL) == "true"


def is_derived(item: Object) -> bool:
    """Return whether the object belongs to another one, with which the cluster removes it."""
    return bool(item["metadata"].get("ownerReferences"))


def is_route(item: Object) -> bool:
    """Return whether the object is one of the Gateway API's routes."""
    return item["apiVersion"].startswith(f"{GATEWAY_GROUP}/") and item["kind"].endswith("Route")


def make_plan(
    releases: list[Release], labelled: list[Object], claims: list[Object], *, delete_claims: bool
) -> TeardownPlan:
    """Return what goes and what stays.

    releases: all of the namespaces; labelled: objects with our label; claims: those of our releases' workloads.
    """
    plan = TeardownPlan(releases=[release for release in releases if release.managed])
    plan.kept += [
        (f"Helm release {release.name} in {release.namespace}", "it was not created by this collection")
        for release in releases
        if not release.managed
    ]
    mine = {(release.name, release.namespace) for release in plan.releases}
    seen: set = set()
    for item in [*labelled, *claims]:
        key = object_key(item)
        if key in seen or is_derived(item) or item.get("type") == SECRET_TYPE or item["kind"] == "Namespace":
            continue
        seen.add(key)
        if item["kind"] == CLAIM:
            _claim(plan, item, delete_claims)
        elif owner(item) in mine:
            continue  # Helm removes it
        elif is_route(item):
            plan.routes.append(item)
        else:
            plan.objects.append(item)
    return plan


def _claim(plan: TeardownPlan, item: Object, delete: bool) -> None:
    if delete:
        plan.claims.append(item)
    else:
        plan.kept.append((line(item), "it contains data; set teardown_delete_pvcs to true to delete it"))


def owned(items: t.Iterable[Object], others: t.Iterable[Object]) -> list[Object]:
    """Return those of other objects that belong to some, or to what belongs to them: the cluster removes them too."""
    known, rest = {item["metadata"].get("uid") for item in items}, list(others)
    found: list[Object] = []
    while new := [item for item in rest if _owners(item) & known]:
        known |= {item["metadata"]["uid"] for item in new}
        found += new
        rest = [item for item in rest if item["metadata"]["uid"] not in known]
    return found


def apart(items: t.Sequence[Object], going: t.Collection[str]) -> list[Object]:
    """Return the objects that neither go, by their uids, nor belong to what goes."""
    gone = {*going, *(item["metadata"]["uid"] for item in owned([{"metadata": {"uid": uid}} for uid in going], items))}
    return [item for item in items if item["metadata"]["uid"] not in gone]


def _owners(item: Object) -> set[str]:
    return {one.get("uid") for one in item["metadata"].get("ownerReferences") or []}


def owner(item: Object) -> tuple[str, str] | None:
    """Return (release, namespace) that Helm wrote on the object, or None."""
    annotations = item["metadata"].get("annotations") or {}
    name = annotations.get("meta.helm.sh/release-name")
    return (name, annotations.get("meta.helm.sh/release-namespace") or "") if name else None


def orphans(
    helm_objects: list[Object], existing: t.Iterable[tuple[str, str]], ours: t.Iterable[tuple[str, str]]
) -> list[Object]:
    """Return objects of releases that are ours by (name, namespace), whose release record is gone.

    existing: the releases that Helm still knows, ours or not.
    """
    known, mine = set(existing), set(ours)
    return [
        item
        for item in helm_objects
        if owner(item) in mine
        and owner(item) not in known
        and item["kind"] not in (CLAIM, DEFINITION)
        and not is_derived(item)
        and not is_kept(item)
    ]


def foreign(objects: list[Object]) -> list[Object]:
    """Return what a namespace holds that would be lost with it: all but what every namespace has."""
    return [item for item in objects if not is_given(item) and not is_derived(item)]


def namespace_refusal(namespace: Object, others: list[Object], *, force: bool) -> str | None:
    """Return why a namespace is not deleted, or None where it may be."""
    if not is_ours(namespace):
        return "this collection did not create it"
    if others and not force:
        shown = ", ".join(f"{item['kind']} {item['metadata']['name']}" for item in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        return f"it still contains {shown}{more}"
    return None
