# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a deployment would do: everything it touches found, classed and put into a plan."""

from __future__ import annotations

import contextlib
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL, labelled
from ..changes.actions import DELETE, REPLACE, REUSE, Action, ReleaseObjects
from ..changes.discover import Discovery
from ..charts.fetch import Chart, fetch_chart
from ..components.base import Facts
from ..components.prepare import objects as prepare_objects
from ..deploy.base import Work
from ..deploy.objects import Objects
from ..helm.records import Release
from ..model.items import RenderedRelease
from ..model.model import StackModel
from ..objects.routes import API_VERSION as ROUTE_API
from .decisions import consents, gateways, pools, unowned
from .document import PlanContents
from .outlook import leftovers, revisions
from .state import inputs

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster
    from ..helm.deployed import HelmRecords


PREPARE = {MANAGED_LABEL: "true", COMPONENT_LABEL: "prepare"}


class Planner:
    """Finds what a resolved stack touches on one cluster."""

    def __init__(
        self, cluster: Cluster, inventory: HelmRecords, params: Object, stack: Object, fetching: Object
    ) -> None:
        """params: the module's, checked; stack: the module's result; fetching: as of fetch_chart."""
        self.cluster, self.inventory, self.params, self.stack = cluster, inventory, params, stack
        self.fetching = fetching
        self.discovery = Discovery(inventory.live)
        self.prepared = self._prepared()
        self.routes: list[Object] = []
        self.stale: list[Object] = []
        self.notes: list[str] = []

    def actions(self, parts: t.Sequence[RenderedRelease], current: t.Mapping[tuple[str, str], Release]) -> list[Action]:
        """Return what becomes of every object. current: the releases that exist, by component and name."""
        with contextlib.suppress(OrchestratorError):
            routes = self._routes()
            self.routes, self.stale = routes.wanted, routes.stale(everywhere=False)
        found = self.discovery.applied("prepare", [*self._namespaces(), *self.prepared])
        found += self.discovery.releases([self._part(part, current) for part in parts])
        found += self.discovery.applied("httproute", self.routes)
        if self.params["httproute"]["prune"]:
            why = "it is no longer wanted, and httproute_prune is true"
            found += [
                Action(
                    "httproute", "", {"apiVersion": ROUTE_API, "kind": "HTTPRoute", **route}, DELETE, why, live=route
                )
                for route in self.stale
            ]
        return found

    def found(
        self,
        parts: t.Sequence[RenderedRelease],
        current: t.Mapping[tuple[str, str], Release],
        facts: Facts,
        model: StackModel | None,
    ) -> PlanContents:
        """Return all that a plan is made of. facts: of the cluster; model: of the stack, where rules were checked."""
        actions, charts, params = self.actions(parts, current), self.charts(), self.params
        questions = self.questions(actions, facts, model)
        self._replace(actions)
        self.notes = revisions(self.stack, charts, current, {one.release for one in actions if one.action != REUSE})
        return PlanContents(
            namespace=self.stack["namespace"],
            made=self.stack["started"],
            version=self.inventory.version,
            actions=actions,
            inputs=self.inputs(charts),
            charts=charts,
            consents=consents(actions, params["consent"], params["adopt"], params["scale_threshold"]),
            questions=questions,
            leftovers=leftovers(self.cluster, self.stack, [] if params["httproute"]["prune"] else self.stale),
            uid=self.cluster_uid(),
            apis=self.inventory.apis,
            host=params["cluster_name"],
            records_dir=params["records_dir"],
        )

    def questions(self, actions: list[Action], facts: Facts, model: StackModel | None) -> list[Object]:
        """Return what has to be decided about what is there already."""
        decisions, gateway = self.params["decisions"], self.stack["gateway"]
        found = unowned(actions, decisions) if not self.params["adopt"] else []
        classes, ours = facts.classes or {}, gateway["class_name"]
        found += gateways(actions, facts.gateways, classes, ours, self.stack["namespace"], decisions)
        return found + (pools(model, decisions) if model else [])

    def _replace(self, actions: list[Action]) -> None:
        """Let the releases know which of their objects are made anew."""
        for component, rows in self.stack["releases"].items():
            for row in rows:
                doomed = [
                    {key: action.item[key] for key in ("apiVersion", "kind")}
                    | {"metadata": {key: action.item["metadata"].get(key) or "" for key in ("namespace", "name")}}
                    for action in actions
                    if action.action == REPLACE and (action.component, action.release) == (component, row["name"])
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

    def _namespaces(self) -> list[Object]:
        names = [self.stack["namespace"]]
        if self.stack["releases"]["gateway"]:
            names.append(self.stack["gateway"]["namespace"])
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in dict.fromkeys(names)
            if name
        ]

    def _prepared(self) -> list[Object]:
        """Return what the role prepare makes besides the namespace."""
        if not self.params["prepare"]:
            return []
        settings = {
            **self.params["prepare"],
            "hf_token": self.params["hf_token"] or "",
            "namespace": self.stack["namespace"],
            "namespace_exists": True,
            "token": self.stack["token"],
            "image_registry": self.params["image_registry"],
            "monitoring": self.stack["monitoring"],
        }
        return [labelled(item, PREPARE) for item in prepare_objects(settings)]

    def _routes(self) -> Objects:
        stack, gateway = self.stack, self.stack["route_gateway"]
        place = {**dict.fromkeys(("component", "name"), "httproute"), "namespace": stack["namespace"]}
        parent = {**gateway, "section_name": self.params["httproute"]["section_name"]}
        part = {**place, "kind": "objects", "objects": stack["routes"], "gateway": parent}
        return Objects(Work(self.cluster, {}, check=True), part)

    def charts(self) -> list[Object]:
        """Return the chart of every release."""
        known: dict[tuple[str, str | None], Chart] = {}
        rows = []
        for component, releases in self.stack["releases"].items():
            for release in releases:
                key = (release["chart_ref"], release.get("chart_version") or None)
                if key not in known:
                    known[key] = fetch_chart(*key, **self.fetching)
                chart = known[key]
                rows.append(
                    {
                        "release": release["name"],
                        "component": component,
                        "namespace": self._namespace(component),
                        "name": chart.name,
                        "version": chart.version,
                        "digest": chart.digest,
                        "ref": self.params["bundled"].get(release["chart_ref"], release["chart_ref"]),
                    }
                )
        return rows

    def _namespace(self, component: str) -> str:
        return self.stack["gateway"]["namespace"] if component == "gateway" else self.stack["namespace"]

    def inputs(self, charts: list[Object]) -> dict[str, str]:
        """Return the hashes of what is wanted."""
        digests = {(row["component"], row["release"]): row["digest"] for row in charts}
        releases = [
            {
                "component": component,
                "name": release["name"],
                "namespace": self._namespace(component),
                "digest": digests[component, release["name"]],
                "values": release["values"],
            }
            for component, rows in self.stack["releases"].items()
            for release in rows
        ]
        routes = [self.stack["routes"], self.stack["route_gateway"], self.params["httproute"]["prune"]]
        return inputs(releases, routes, self.prepared, self.params["image_registry"])

    def cluster_uid(self) -> str:
        """Return the UID by which a cluster is known, "" where it may not be read."""
        with contextlib.suppress(OrchestratorError):
            space = self.cluster.get("v1", "Namespace", "kube-system")
            return str(((space or {}).get("metadata") or {}).get("uid") or "")
        return ""
