# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One model of a stack: what its charts render, the routes to be applied, what is expected of it, and what is live.

Plain data in, look-ups out. A fact about the cluster that is not given is unknown: look-ups then say None.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..components.httproute import HttprouteComponent
from ..components.registry import COMPONENTS
from ..objects.dual_pod import serving_template
from ..objects.pools import is_picker, own_pool
from ..objects.routes import parent_ref, refers_to, with_parent
from ..objects.servers import Server, servers, words
from ..objects.shape import Misshapen
from .graphs import GraphItem, graphs_of, made_of
from .items import CLUSTER_KINDS, InferencePool, Item, Picker, RenderedRelease, RuleFacts, ServedModel, Workload

WORKLOADS = ("Deployment", "LeaderWorkerSet", "StatefulSet", "DaemonSet", "Job", "ReplicaSet", "Pod")
# The charts of components whose releases were not rendered here.
DEFAULT_CHARTS = {name: cls.chart for name, cls in COMPONENTS.items() if cls.chart}
_RELEASE = "meta.helm.sh/release-name"


@dataclasses.dataclass
class StackModel:
    """The whole stack; made by build_model."""

    planned: list[Item]
    live: list[Item]
    expected: list[ServedModel]
    facts: RuleFacts
    workloads: list[Workload] = dataclasses.field(default_factory=list)
    # Pods that run and serve models; they are read where something is meant for servers that already run.
    running: list[Workload] = dataclasses.field(default_factory=list)
    pools: list[InferencePool] = dataclasses.field(default_factory=list)
    pickers: list[Picker] = dataclasses.field(default_factory=list)
    graphs: list[GraphItem] = dataclasses.field(default_factory=list)
    index: dict[tuple[str, str, str], Item] = dataclasses.field(default_factory=dict)
    misfits: list[tuple[Item, Misshapen]] = dataclasses.field(default_factory=list)
    cache: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def items(self, kind: str, planned_only: bool = False) -> list[Item]:
        """Return all objects of a kind, those of the plan first."""
        return [item for item in (self.planned if planned_only else self.planned + self.live) if item.kind == kind]

    def find(self, kind: str, name: str, namespace: str = "") -> Item | None:
        """Return an object of the plan or the cluster."""
        return self.index.get((kind, "" if kind in CLUSTER_KINDS else namespace, name))

    def exists(self, kind: str, name: str, namespace: str = "") -> bool | None:
        """Return whether an object is planned or live; None where the cluster's objects of the kind are unknown."""
        if self.find(kind, name, namespace):
            return True
        return False if kind in self.facts.objects else None

    def known(self, kind: str) -> bool:
        """Return whether the plan makes such objects or the cluster's are known: absence then says something."""
        return kind in self.facts.objects or any(item.kind == kind for item in self.planned)

    def expected_of(self, pool: InferencePool) -> list[ServedModel]:
        """Return the models that a pool is for."""
        return [model for model in self.expected if model.pool == pool.item.name]

    def own(self, pool: InferencePool) -> list[Workload]:
        """Return the workloads of the models that a pool is for."""
        releases = {model.release for model in self.expected_of(pool)}
        return [w for w in self.workloads if w.item.unit in releases and not w.item.live]

    def picker_of(self, pool: InferencePool) -> Picker | None:
        """Return the endpoint picker that watches a pool, else the one in the pool's release."""
        near = [p for p in self.pickers if p.item.namespace == pool.item.namespace]
        named = [p for p in near if p.pool_name == pool.item.name]
        mine = [p for p in near if pool.item.release and p.item.release == pool.item.release]
        return next(iter(named + mine), None)

    def routes_to(self, gateway: Item) -> list[Item]:
        """Return the routes attached to a Gateway."""
        routes = [item for item in self.items("HTTPRoute") if isinstance(item.body.get("spec"), dict)]
        return [route for route in routes if refers_to(placed(route), gateway.name, gateway.namespace)]


def placed(item: Item) -> Object:
    """Return a route with its namespace written out, and without what the API server would refuse."""
    rules = []
    for rule in dicts(item.spec.get("rules")):
        matches = [{**match, **_conditions(match)} for match in dicts(rule.get("matches"))]
        rules.append({**rule, "matches": matches})
    spec = {**item.spec, "parentRefs": dicts(item.spec.get("parentRefs")), "rules": rules}
    return {**item.body, "metadata": {**mapping(item.body.get("metadata")), "namespace": item.namespace}, "spec": spec}


def _conditions(match: Object) -> Object:
    path = mapping(match.get("path"))
    whole = {
        key: [entry for entry in dicts(match.get(key)) if "name" in entry and "value" in entry]
        for key in ("headers", "queryParams")
    }
    return {**whole, "path": {**path, "value": str(path.get("value", "/"))}}


def build_model(
    components: t.Iterable[RenderedRelease | Object],
    routes: t.Iterable[Object] = (),
    models: t.Iterable[ServedModel | Object] = (),
    facts: RuleFacts | None = None,
    route_gateway: tuple[str, ...] | None = None,
) -> StackModel:
    """Return the model of a stack.

    components, models: RenderedRelease and ServedModel, or maps with their fields (others are ignored); routes:
    HTTPRoutes to be applied; route_gateway: name and namespace of the Gateway for routes that name no parent, and its
    listener if any.
    """
    facts = facts or RuleFacts()
    parts = [part if isinstance(part, RenderedRelease) else _from(RenderedRelease, part) for part in components]
    planned = [item for part in parts for body in part.manifests if (item := _planned(body, part, route_gateway))]
    # A namespace that exists is used as it is, and one that does not is among the facts as it will be.
    known = {str(mapping(body.get("metadata")).get("name")) for body in facts.objects.get("Namespace", ())}
    planned = [item for item in planned if item.kind != "Namespace" or item.release or item.name not in known]
    planned += [item for body in routes if (item := _route(body, route_gateway))]
    graphs = graphs_of(planned, facts)
    planned += [item for one in graphs for item in made_of(one)]
    keys = {(item.kind, item.namespace, item.name) for item in planned}
    releases = {(part.release, part.namespace) for part in parts if part.release}
    live = [item for item in _live(facts) if (item.kind, item.namespace, item.name) not in keys]
    live = [item for item in live if _owner(item) not in releases]
    wanted = [model if isinstance(model, ServedModel) else _from(ServedModel, model) for model in models]
    model = StackModel(planned, live, wanted, facts, graphs=graphs)
    model.misfits = [(_misfit(one, part), one) for part in parts for one in part.misfits]
    for item in planned + live:
        model.index.setdefault((item.kind, item.namespace, item.name), item)
        _classify(item, model)
    return model


T = t.TypeVar("T")


def _from(cls: type[T], data: Object) -> T:
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    return cls(**{key: value for key, value in data.items() if key in names and value is not None})


def _planned(body: Object, part: RenderedRelease, gateway: tuple[str, ...] | None) -> Item | None:
    """Return a planned object; a route without a parent of its own goes to the stack's Gateway."""
    if gateway and not part.release and mapping(body).get("kind") == "HTTPRoute":
        return _route(body, gateway)
    return _item(body, part)


def _misfit(one: Misshapen, part: RenderedRelease) -> Item:
    """Return the object that something is wrong with; it may have neither a kind nor a name."""
    metadata = {
        "name": "(no name)",
        **{key: value for key, value in mapping(one.body.get("metadata")).items() if value},
    }
    return t.cast(Item, _item({**one.body, "kind": one.body.get("kind") or "object", "metadata": metadata}, part))


def _route(body: Object, gateway: tuple[str, ...] | None) -> Item | None:
    if gateway and isinstance(body.get("spec"), dict):
        body = with_parent(body, parent_ref(*gateway))
    namespace = str(mapping(body.get("metadata")).get("namespace") or (gateway[1] if gateway else ""))
    return _item(body, RenderedRelease(HttprouteComponent.name, "", namespace, ()))


def _live(facts: RuleFacts) -> list[Item]:
    place = RenderedRelease("", "", "", ())
    found = []
    for kind, bodies in facts.objects.items():
        items = [_item({"kind": kind, **body}, place) for body in bodies]
        found += [dataclasses.replace(item, live=True) for item in items if item]
    return found


def _owner(item: Item) -> tuple[str, str]:
    return str(mapping(mapping(item.body.get("metadata")).get("annotations")).get(_RELEASE) or ""), item.namespace


def _item(body: t.Any, part: RenderedRelease) -> Item | None:
    metadata = mapping(mapping(body).get("metadata"))
    if not metadata.get("name") or not body.get("kind"):
        return None
    group, _slash, version = str(body.get("apiVersion") or "").rpartition("/")
    kind = str(body["kind"])
    namespace = "" if kind in CLUSTER_KINDS else str(metadata.get("namespace") or part.namespace)
    chart = part.chart or ("" if part.part else DEFAULT_CHARTS.get(part.component, ""))
    origin = (part.component, part.release, chart, part.chart_version, part.layers, part.part)
    return Item(body, kind, group, version, str(metadata["name"]), namespace, *origin)


def _classify(item: Item, model: StackModel) -> None:
    if item.kind == "InferencePool":
        model.pools.append(_pool(item))
    elif item.kind in WORKLOADS and item.by is None:
        for path, given in _templates(item):
            template = serving_template(given)
            spec = mapping(template.get("spec"))
            picker = _picker(item, template, spec)
            found = ([], []) if picker else servers(spec, item.namespace, _group(item))
            if picker:
                model.pickers.append(picker)
                model.pools += _own_pool(item, picker)
            elif item.live and item.kind == "Pod":
                model.running.append(_workload(item, path, template, *found))
            elif found[0] and item.kind != "Job" and not (item.live and item.component):
                model.workloads.append(_workload(item, path, template, *found))


def _templates(item: Item) -> list[tuple[tuple[str, ...], Object]]:
    """Return a workload's pod templates; of a group of pods the leader's, where it has one of its own."""
    if item.kind == "Pod":
        return [((), item.body)]
    if item.kind != "LeaderWorkerSet":
        return [(("spec", "template"), mapping(item.spec.get("template")))]
    group = mapping(item.spec.get("leaderWorkerTemplate"))
    key = "leaderTemplate" if mapping(group.get("leaderTemplate")).get("spec") else "workerTemplate"
    return [(("spec", "leaderWorkerTemplate", key), mapping(group.get(key)))]


def pod_specs(item: Item) -> list[tuple[tuple[str, ...], Object]]:
    """Return every pod's spec in an object with its path: a group of pods has a leader's and a worker's."""
    group = mapping(item.spec.get("leaderWorkerTemplate"))
    if item.kind == "LeaderWorkerSet":
        both = [key for key in ("leaderTemplate", "workerTemplate") if mapping(group.get(key)).get("spec")]
        return [(("spec", "leaderWorkerTemplate", key, "spec"), mapping(group[key]["spec"])) for key in both]
    found = _templates(item) if item.kind in WORKLOADS else []
    return [((*path, "spec"), mapping(template.get("spec"))) for path, template in found]


def _picker(item: Item, template: Object, spec: Object) -> Picker | None:
    for index, container in enumerate(dicts(spec.get("containers"))):
        line = words(container, item.namespace)
        if is_picker(line):
            labels = mapping(mapping(template.get("metadata")).get("labels"))
            return Picker(item, spec, labels, container, line, index)
    return None


def _own_pool(item: Item, picker: Picker) -> list[InferencePool]:
    """Return the pool that a picker has by its arguments alone; their place is that of all that it has."""
    body = own_pool(item.body)
    if body is None:
        return []
    found = _pool(dataclasses.replace(item, body=body, name=body["metadata"]["name"]))
    args = ("spec", "template", "spec", "containers", str(picker.index), "args")
    pool = dataclasses.replace(item, name=found.item.name)
    return [dataclasses.replace(found, item=pool, selector_path=args, ports_path=args, epp_path=args)]


def _group(item: Item) -> int:
    """Return how many pods a group has, 0 for what is no group."""
    return number(mapping(item.spec.get("leaderWorkerTemplate")).get("size")) or 0


def _workload(
    item: Item, path: tuple[str, ...], template: Object, models: list[Server], sidecars: list[Server]
) -> Workload:
    labels = mapping(mapping(template.get("metadata")).get("labels"))
    size = _group(item) or 1
    replicas = number(item.spec.get("replicas")) if "replicas" in item.spec else None
    return Workload(item, path, labels, mapping(template.get("spec")), replicas, size, tuple(models), tuple(sidecars))


def _pool(item: Item) -> InferencePool:
    spec = item.spec
    paths: list[tuple[str, ...]]
    if item.version.startswith("v1alpha"):
        ref, selector = mapping(spec.get("extensionRef")), mapping(spec.get("selector"))
        ports = [spec.get("targetPortNumber")]
        port = number(ref.get("portNumber", 9002))
        paths = [("spec", "selector"), ("spec", "targetPortNumber"), ("spec", "extensionRef")]
    else:
        ref = mapping(spec.get("endpointPickerRef"))
        selector = mapping(mapping(spec.get("selector")).get("matchLabels"))
        ports = [entry.get("number") for entry in dicts(spec.get("targetPorts"))]
        port = number(mapping(ref.get("port")).get("number"))
        paths = [("spec", "selector", "matchLabels"), ("spec", "targetPorts"), ("spec", "endpointPickerRef")]
    known = tuple(number(entry) or 0 for entry in ports)
    return InferencePool(item, dict(selector), known, str(ref.get("name") or ""), port, *paths)
