# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a deployment would do: everything it touches found, classed and put into a plan."""

from __future__ import annotations

import contextlib
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.mask import mask
from ..changes.actions import DELETE, REPLACE, REUSE, Action, ReleaseObjects
from ..changes.discover import Discovery
from ..charts.fetch import Chart, fetch_chart
from ..components.base import KUSTOMIZATION, RELEASE, Facts, Part, Stack
from ..deploy import kinds, kustomization
from ..deploy.base import Work
from ..deploy.objects import ROUTE, Objects
from ..helm.records import Release
from ..model.items import RenderedRelease
from ..model.model import StackModel
from .decisions import consents, gateways, pools, unowned
from .document import PlanContents
from .outlook import revisions
from .state import inputs
from .unwanted import Unwanted, in_the_way

NO_ROOM = "there is no room for the new pods beside its own, so that it is deleted first and does not serve meanwhile"


class Planner:
    """Finds what a resolved stack touches on one cluster."""

    def __init__(self, work: Work, params: Object, stack: Stack, result: Object, fetching: Object) -> None:
        """params: the module's, checked; result: the stack as plain data; fetching: as of fetch_chart."""
        self.work, self.cluster, self.inventory = work, work.cluster, work.inventory
        self.params, self.stack, self.result = params, stack, result
        self.fetching = fetching
        self.discovery = Discovery(self.inventory.live)
        self.parts = [part for component in stack.at_work for part in component.parts()]
        # By part, the objects of those that are applied without Helm.
        self.laid: dict[tuple[str, str], list[Object]] = {}
        self.notes: list[str] = []
        # Kinds, as (apiVersion, kind), whose definitions the deployment brings or changes.
        self.redefined: set[tuple[str, str]] = set()
        # What no part has any more.
        self.unwanted: list[Unwanted] = []
        # Whether that goes before the rest is deployed.
        self.first = False

    def actions(
        self, rendered: t.Sequence[RenderedRelease], current: t.Mapping[tuple[str, str], Release]
    ) -> list[Action]:
        """Return what becomes of every object. current: the releases that exist, by component and name."""
        releases = self.discovery.releases([self._part(part, current) for part in rendered if part.release])
        objects = [(part, self._applied(part)) for part in self.parts if part.kind != RELEASE]
        first, wave = min((row["wave"] for row in self.params["table"]), default=0), self._waves()
        before = [action for part, found in objects if wave[part.component] == first for action in found]
        after = [action for part, found in objects if wave[part.component] != first for action in found]
        return before + releases + after + self._unwanted([*before, *after])

    def _unwanted(self, actions: t.Sequence[Action]) -> list[Action]:
        """Return what becomes of what no part has any more; routes in the way go when the new ones are applied."""
        going = {action.id for action in actions if action.action == DELETE}
        self.unwanted = [one for one in self.unwanted if not {"/".join(key) for key in one.keys} & going]
        if self.params["prune"] == "false":
            return []
        for part in self.parts:
            routes = [item for item in self.laid.get(part.key) or [] if item["kind"] == ROUTE]
            if routes and (found := in_the_way(self.unwanted, routes)):
                self._row(part)["going"] = [_named(item) for item in found]
        return [action for one in self.unwanted for action in one.actions()]

    def make_room(self, *, fits_later: bool) -> None:
        """Note that what is no longer wanted has to go first. fits_later: the new pods have no room before that."""
        self.first = fits_later and bool(self.unwanted)
        for one in self.unwanted if self.first else ():
            one.why_now = one.why_now or (NO_ROOM if one.held.pods else "")

    def _waves(self) -> dict[str, int]:
        return {row["name"]: row["wave"] for row in self.params["table"]}

    def _applied(self, part: Part) -> list[Action]:
        """Return what becomes of the objects of a part that is applied without Helm."""
        plain = part.as_dict()
        items, stale, former = [], t.cast("list[Object]", []), t.cast("list[Object]", [])
        try:
            made = t.cast(Objects, kinds.laid_out(self.work, plain))
            items = self.laid[part.key] = made.wanted
            if "objects" not in plain:
                # A record is to say what a folder was rendered to.
                self._row(part)["objects"] = mask(items)
            if plain.get("prune"):
                stale = made.stale()
            if part.kind == KUSTOMIZATION and (former := kustomization.former(made)):
                self._row(part)["going"] = [_named(item) for item in former]
        except OrchestratorError:
            # Which Gateway is meant may be known only once it is there.
            if not plain.get("gateway"):
                raise
        found = self.discovery.applied(part.component, items)
        for action in found:
            if (action.item["apiVersion"], action.item["kind"]) in self.redefined:
                # The API server goes by the definition that is there now, not by the one that comes.
                action.refused = ()
        why = f"it is no longer part of the stack, and {part.component}_prune is true"
        found += [Action(part.component, "", item, DELETE, why, live=item) for item in stale]
        why = "another one with its present content takes its place"
        return found + [Action(part.component, "", item, DELETE, why, live=item, replaced=True) for item in former]

    def _row(self, part: Part) -> Object:
        return next(row for row in self.result["parts"] if (row["component"], row["name"]) == part.key)

    def found(
        self,
        actions: list[Action],
        current: t.Mapping[tuple[str, str], Release],
        facts: Facts,
        model: StackModel | None,
    ) -> PlanContents:
        """Return all that a plan is made of.

        actions: of every object; facts: of the cluster; model: of the stack, where rules were checked.
        """
        charts, params = self.charts(), self.params
        questions = self.questions(actions, facts, model)
        self._replace(actions)
        self.notes = [f"{text}; it is checked without the API server." for text in self.discovery.unheard]
        self.notes += revisions(self.result, charts, current, {one.release for one in actions if one.action != REUSE})
        return PlanContents(
            namespace=self.result["namespace"],
            made=self.result["started"],
            version=self.inventory.version,
            actions=actions,
            inputs=self.inputs(charts),
            charts=charts,
            consents=self._consents(actions),
            questions=questions,
            leftovers=[one.row() for one in self.unwanted],
            uid=self.cluster_uid(),
            apis=self.inventory.apis,
            host=params["cluster_name"],
            table=params["table"],
            records_dir=params["records_dir"],
        )

    def _consents(self, actions: list[Action]) -> list[Object]:
        """Return the consents that the plan needs."""
        params = self.params
        found = consents(actions, params["consent"], params["adopt"], params["scale_threshold"])
        pruned = self.unwanted if params["prune"] != "false" else []
        return found + [one.consent(params["prune"] == "true") for one in pruned]

    def questions(self, actions: list[Action], facts: Facts, model: StackModel | None) -> list[Object]:
        """Return what has to be decided about what is there already."""
        decisions, gateway = self.params["decisions"], self.result["gateway"]
        found = unowned(actions, decisions) if not self.params["adopt"] else []
        classes, ours = facts.classes or {}, gateway["class_name"]
        found += gateways(actions, facts.gateways, classes, ours, self.result["namespace"], decisions)
        return found + (pools(model, decisions) if model else [])

    def _replace(self, actions: list[Action]) -> None:
        """Let the releases know which of their objects are made anew."""
        for row in self.result["parts"]:
            doomed = [
                _named(action.item)
                for action in actions
                if action.action == REPLACE and (action.component, action.release) == (row["component"], row["name"])
            ]
            if doomed:
                row["replace"] = doomed

    def _part(self, part: RenderedRelease, current: t.Mapping[tuple[str, str], Release]) -> ReleaseObjects:
        release = current.get((part.component, part.release))
        there = release is not None and release.status != "uninstalled"
        before = self.inventory.scoped(release.manifest, part.namespace) if release and there else []
        after = self.inventory.placed(part.manifests, part.namespace)
        managed = release is not None and there and release.managed
        return ReleaseObjects(part.component, part.release, part.namespace, before, after, managed)

    def charts(self) -> list[Object]:
        """Return the chart of every release."""
        known: dict[tuple[str, str | None], Chart] = {}
        rows = []
        for part in self.parts:
            if part.kind != RELEASE:
                continue
            key = (part.spec["chart_ref"], part.spec["chart_version"])
            if key not in known:
                known[key] = fetch_chart(*key, **self.fetching)
            chart = known[key]
            rows.append(
                {
                    "release": part.name,
                    "component": part.component,
                    "namespace": part.namespace,
                    "name": chart.name,
                    "version": chart.version,
                    "digest": chart.digest,
                    "ref": self.params["bundled"].get(part.spec["chart_ref"], part.spec["chart_ref"]),
                }
            )
        return rows

    def inputs(self, charts: list[Object]) -> dict[str, str]:
        """Return the hashes of what is wanted."""
        digests = {(row["component"], row["release"]): row["digest"] for row in charts}
        rows = []
        for part in self.parts:
            row = part.as_dict()
            if part.kind != RELEASE:
                row["objects"] = self.laid.get(part.key) or row.get("objects")
            rows.append((row, digests.get(part.key, "")))
        return inputs(rows, self.params["image_registry"])

    def cluster_uid(self) -> str:
        """Return the UID by which a cluster is known, "" where it may not be read."""
        with contextlib.suppress(OrchestratorError):
            space = self.cluster.get("v1", "Namespace", "kube-system")
            return str(((space or {}).get("metadata") or {}).get("uid") or "")
        return ""


def _named(item: Object) -> Object:
    """Return what an object is known by."""
    metadata = {key: item["metadata"].get(key) or "" for key in ("namespace", "name")}
    return {**{key: item[key] for key in ("apiVersion", "kind")}, "metadata": metadata}
