# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The consistency rules over a stack that is about to be deployed: its charts rendered, the cluster's objects read."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import typing as t

from ..access.of_stack import ACCESS_RULES, add_access
from ..base.apis import GATEWAY_API, GATEWAY_GROUP, POOL_APIS
from ..base.data import Object, mapping
from ..base.errors import OrchestratorError
from ..base.findings import WARNING, Finding, show_path
from ..base.ours import object_key
from ..capacity.read import CAPACITY_RULES, add_capacity
from ..changes.actions import Action
from ..components.base import RELEASE, Part, Stack
from ..helm.command import HelmError, LocalHelm
from ..helm.culprit import culprit
from ..helm.deployed import HelmRecords
from ..helm.image_check import checked_render
from ..helm.records import manifest_objects, misshapen
from ..helm.wanted import HELM_PROCESSES, Wanted, prepare
from ..model.facts import facts_of, served_kinds
from ..model.items import RenderedRelease
from ..model.model import StackModel, build_model
from ..model.platform import istiod
from ..objects.shape import objects_in
from ..values.layers import locate
from .agree.claims import CLAIM, CLASS, SLICE, TEMPLATE, asks_for_devices
from .read_platform import add_platform
from .registry import check

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster


def weighed(findings: t.Iterable[Finding], access: str) -> list[Finding]:
    """Return findings; with access 'warn' those about permissions and platform are warnings, with 'off' gone."""
    found = []
    for finding in findings:
        concerned = finding.rule.startswith(ACCESS_RULES)
        if concerned and access == "warn":
            finding = dataclasses.replace(finding, severity=WARNING)
        if not (concerned and access == "off"):
            found.append(finding)
    return found


def capacity_weighed(findings: t.Iterable[Finding], capacity: str) -> list[Finding]:
    """Return findings; with capacity 'warn' those about room are warnings."""
    return [
        dataclasses.replace(finding, severity=WARNING)
        if capacity == "warn" and finding.rule.startswith(CAPACITY_RULES)
        else finding
        for finding in findings
    ]


def refused_key(action: Action) -> tuple[str, str, str]:
    """Return kind, namespace and name of an action's object."""
    _api, kind, namespace, name = object_key(action.item)
    return kind, namespace, name


Objects = dict[str, list[Object]]
# Seconds for one `helm template`.
RENDER_TIMEOUT = 60
CLUSTER_WIDE = (
    (GATEWAY_API, "GatewayClass"),
    (GATEWAY_API, "HTTPRoute"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
)
IN_NAMESPACES = (
    ("v1", "ServiceAccount"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Service"),
    (GATEWAY_API, "Gateway"),
    (f"{GATEWAY_GROUP}/v1beta1", "ReferenceGrant"),
    *((api, "InferencePool") for api in POOL_APIS),
)
# Newest first.
DEVICE_APIS = ("resource.k8s.io/v1", "resource.k8s.io/v1beta2", "resource.k8s.io/v1beta1")
# Secrets of Helm's releases are large and no pod's.
SECRETS = "type!=helm.sh/release.v1,type!=orchestrator.llm-d.ai/record"


class Rendered(t.NamedTuple):
    """A stack's releases as objects; errors: those that cannot be rendered, with Helm's messages."""

    parts: list[RenderedRelease]
    errors: list[tuple[str, str]]


class StackRules:
    """Renders a stack's releases for one cluster and checks them."""

    def __init__(
        self,
        cluster: Cluster,
        inventory: HelmRecords,
        stack: Stack,
        result: Object,
        fetching: Object,
        access: str = "off",
        capacity: str = "off",
    ) -> None:
        """result: the stack as plain data; fetching: helm, cache_dir and plain_http; the others: block, warn or off."""
        self.cluster, self.inventory, self.stack, self.result = cluster, inventory, stack, result
        self.fetching, self.access, self.capacity = fetching, access, capacity
        self.model: StackModel | None = None
        # Releases that exist, by component and name: charts may render an upgrade otherwise.
        self.existing: t.Container[tuple[str, str]] = ()
        # Objects of those that change, by release.
        self.present: Objects = {}
        # Of parts that neither Helm renders nor have their objects themselves, those that they come to.
        self.laid_out: dict[tuple[str, str], list[Object]] = {}
        # Definitions of kinds that come with the stack, from templates and from folders crds/ of charts.
        self.definitions: list[Object] = []
        # Kind, namespace and name of what is there and goes with the deployment, since no part has it any more.
        self.unwanted: frozenset[tuple[str, str, str]] = frozenset()
        # What becomes of every object, with what the API server refuses of it; None where that is not asked.
        self.actions: concurrent.futures.Future[list[Action]] | None = None

    def findings(self, parts: list[RenderedRelease]) -> list[Finding]:
        """Return what the rules find. parts: of the components at work, rendered."""
        gateway = self.result["route_gateway"]
        there = {
            kind: [body for body in bodies if (kind, *_place(body)) not in self.unwanted]
            for kind, bodies in self._objects(parts).items()
        }
        facts = facts_of(there, self._served(), istiod(self.cluster, self.result["gateway"]["provider"]))
        facts = dataclasses.replace(facts, told=self.result)
        place = (gateway["name"], gateway["namespace"], gateway["section_name"])
        models = [{**row, "hostnames": tuple(row["hostnames"])} for row in self.result["models"]]
        model = build_model(parts, (), models, facts, place)
        add_platform(model, self.cluster, self.inventory.version)
        if self.access != "off":
            add_access(model, self.cluster, self.inventory, self.result, self.present)
        if self.capacity != "off":
            add_capacity(model, self.cluster, self.unwanted)
        own = self.stack.facts.chart_values
        model.facts = dataclasses.replace(model.facts, chart_values=own, definitions=self.definitions)
        self.model = model
        if self.actions is not None and self.actions.exception() is None:
            refused = {refused_key(action): action.refused for action in self.actions.result() if action.refused}
            model.facts = dataclasses.replace(model.facts, refused=refused)
        return capacity_weighed(weighed(check(model), self.access), self.capacity)

    @property
    def unread(self) -> list[str]:
        """What could not be read of the cluster's room, and is not checked for that."""
        capacity = self.model.facts.capacity if self.model else None
        texts = capacity.unread if capacity else ()
        return [f"{text} Room on nodes and quotas are checked without it." for text in texts]

    def render(self, manifests: dict[tuple[str, str], str]) -> Rendered:
        """Return the objects of all parts. manifests: by component and release those that need no rendering."""
        parts = [part for component in self.stack.at_work for part in component.parts()]
        helm = LocalHelm(self.fetching["helm"], self.stack.params.get("image_registry") or "")
        try:
            rows = [part for part in parts if part.kind == RELEASE and part.key not in manifests]
            releases = [{"name": part.name, "namespace": part.namespace, **part.spec} for part in rows]
            ready = prepare(releases, helm, self.fetching["cache_dir"], plain_http=self.fetching["plain_http"])
            wanted = {part.key: one for part, one in zip(rows, ready, strict=True)}
            with concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as pool:
                tasks = {part.key: pool.submit(self._rendered, helm, part, wanted[part.key]) for part in rows}
                concurrent.futures.wait(tasks.values())
            failed = [(part, error) for part in rows if (error := tasks[part.key].exception()) is not None]
            if failed:
                return Rendered([], [self._told(helm, part, wanted[part.key], error) for part, error in failed])
            texts = {**manifests, **{key: task.result() for key, task in tasks.items()}}
            found = [self._part(part, texts.get(part.key), wanted.get(part.key)) for part in parts]
            self.definitions = self._definitions(helm, found, wanted)
            return Rendered(found, [])
        finally:
            helm.close()

    def _definitions(
        self, helm: LocalHelm, parts: t.Sequence[RenderedRelease], wanted: t.Mapping[tuple[str, str], Wanted]
    ) -> list[Object]:
        """Return the definitions that the components bring which say that they do."""
        bring = {component.name for component in self.stack.at_work if component.brings()}
        found = [item for part in parts if part.component in bring for item in part.manifests]
        for (component, _name), one in wanted.items():
            if component in bring:
                found += manifest_objects(helm.run(["show", "crds", one.chart.path], RENDER_TIMEOUT))
        return [item for item in found if item.get("kind") == "CustomResourceDefinition"]

    def _told(self, helm: LocalHelm, part: Part, wanted: Wanted, error: BaseException) -> tuple[str, str]:
        """Return where a release that cannot be rendered is mended, and why: Helm names the template alone."""
        if not isinstance(error, HelmError):
            return part.name, str(error)

        def renders(values: Object) -> bool:
            trial = dataclasses.replace(wanted, files=[helm.values_file(values)])
            with contextlib.suppress(OrchestratorError):
                self._rendered(helm, part, trial)
                return True
            return False

        path = culprit(wanted.values, renders)
        if not path:
            return part.name, str(error)
        where = locate(part.layers, path, part.name)
        return where, f"release {part.name} cannot be rendered because of {show_path(path)}: {error.text}"

    def _part(self, part: Part, text: str | None, wanted: Wanted | None) -> RenderedRelease:
        """Return a part with its objects. text: what Helm makes of a release; others have their objects."""
        if part.kind != RELEASE:
            objects, misfits = objects_in(self.laid_out.get(part.key) or part.spec.get("objects") or [])
            more: t.Any = {"layers": part.layers, "misfits": misfits, "part": part.name}
            return RenderedRelease(part.component, "", part.namespace, objects, **more)
        chart = (wanted.chart.name, wanted.chart.version) if wanted else (part.chart, "")
        found = manifest_objects(text or ""), *chart, part.layers, misshapen(text or "")
        return RenderedRelease(part.component, part.name, part.namespace, *found)

    def _rendered(self, helm: LocalHelm, part: Part, wanted: Wanted) -> str:
        inventory = self.inventory
        arguments = wanted.template(inventory.version, inventory.apis, upgrade=part.key in self.existing)
        return checked_render(helm, arguments, wanted.chart.path, RENDER_TIMEOUT)

    def _objects(self, parts: t.Sequence[RenderedRelease] = ()) -> Objects:
        """Return the cluster's objects by kind; a kind that may not be listed is left out, and so unknown."""
        found: Objects = {}
        devices = self._devices_api(parts)
        # Who has no Ingress need not be allowed to list their classes.
        ingresses = any(mapping(body).get("kind") == "Ingress" for part in parts for body in part.manifests)
        wide = (*CLUSTER_WIDE, *([("networking.k8s.io/v1", "IngressClass")] if ingresses else []))
        for api_version, kind in (*wide, *((devices, kind) for kind in (CLASS, SLICE, CLAIM) if devices)):
            with contextlib.suppress(OrchestratorError):
                found[kind] = self.cluster.list(api_version, kind)
        namespaces = [component.namespace for component in self.stack.components.values()]
        namespaces.append(self.result["route_gateway"]["namespace"])
        names = list(dict.fromkeys(name for name in namespaces if name))
        # Claims of other namespaces have devices too; where these may not be listed, the stack's own are.
        claims = (kind for kind in (CLAIM, TEMPLATE) if devices and kind not in found)
        for api_version, kind in (*IN_NAMESPACES, *((devices, kind) for kind in claims)):
            with contextlib.suppress(OrchestratorError):
                bodies = [body for name in names for body in self.cluster.list(api_version, kind, name)]
                found[kind] = found.get(kind, []) + bodies
        if any(row["existing"] for row in self.result["models"]):
            with contextlib.suppress(OrchestratorError):
                found["Pod"] = self.cluster.list("v1", "Pod", self.stack.namespace)
        with contextlib.suppress(OrchestratorError):
            secrets = [body for name in names for body in self.cluster.list("v1", "Secret", name, None, SECRETS)]
            found["Secret"] = [_without_values(secret) for secret in secrets]
        with contextlib.suppress(OrchestratorError):
            found["Namespace"] = [self.cluster.get("v1", "Namespace", name) or _namespace(name) for name in names]
        return found

    def _devices_api(self, parts: t.Sequence[RenderedRelease]) -> str:
        """Return the version of the cluster's API of devices, '' where no pod claims any or the cluster has none."""
        if not any(asks_for_devices(mapping(body)) for part in parts for body in part.manifests):
            return ""
        return next((api for api in DEVICE_APIS if f"{api}/{CLASS}" in self.inventory.apis), "")

    def _served(self) -> dict[str, list[str]]:
        served: dict[str, list[str]] = {}
        for api in self.inventory.apis:
            if api.count("/") == 2 or api.startswith("v1/"):
                version, _slash, kind = api.rpartition("/")
                served.setdefault(version, []).append(kind)
        for version, kinds in served_kinds(self.definitions).items():
            served.setdefault(version, []).extend(kinds)
        return served


def _place(body: Object) -> tuple[str, str]:
    metadata = mapping(body.get("metadata"))
    return str(metadata.get("namespace") or ""), str(metadata.get("name"))


def _without_values(secret: Object) -> Object:
    """Return a secret's names, type and keys; values, and annotations that may repeat them, are dropped at once."""
    metadata = {name: secret["metadata"].get(name) for name in ("name", "namespace")}
    data = dict.fromkeys(secret.get("data") or {}, "")
    return {"kind": "Secret", "metadata": metadata, "type": secret.get("type"), "data": data}


def _namespace(name: str) -> Object:
    """Return a namespace that is made before the releases."""
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
