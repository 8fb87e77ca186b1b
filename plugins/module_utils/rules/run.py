# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The consistency rules over a stack that is about to be deployed: its charts rendered, the cluster's objects read."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import typing as t

from ..access.of_stack import ACCESS_RULES, add_access
from ..base.data import Object, nest
from ..base.errors import OrchestratorError
from ..base.findings import WARNING, Finding
from ..capacity.read import CAPACITY_RULES, add_capacity
from ..components.base import Stack
from ..components.gaie import CHARTS
from ..helm.command import LocalHelm, template_arguments
from ..helm.deployed import HelmRecords
from ..helm.image_check import checked_render
from ..helm.records import manifest_objects
from ..helm.wanted import HELM_PROCESSES, Wanted, prepare
from ..model.facts import facts_of
from ..model.items import RenderedRelease
from ..model.model import StackModel, build_model
from ..model.platform import istiod
from ..values.layers import Layer
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


Objects = dict[str, list[Object]]


# Seconds for one `helm template`.
RENDER_TIMEOUT = 60


GATEWAY_API = "gateway.networking.k8s.io"


CLUSTER_WIDE = (
    (f"{GATEWAY_API}/v1", "GatewayClass"),
    (f"{GATEWAY_API}/v1", "HTTPRoute"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
)


IN_NAMESPACES = (
    ("v1", "ServiceAccount"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Service"),
    (f"{GATEWAY_API}/v1", "Gateway"),
    (f"{GATEWAY_API}/v1beta1", "ReferenceGrant"),
    ("inference.networking.k8s.io/v1", "InferencePool"),
    ("inference.networking.x-k8s.io/v1alpha2", "InferencePool"),
)


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

    def findings(self, parts: list[RenderedRelease], created: Objects) -> list[Finding]:
        """Return what the rules find. created: objects that are made before the releases, by kind."""
        objects = self._objects()
        for kind, bodies in created.items():
            if kind in objects:
                objects[kind] = objects[kind] + bodies
        models = [{**row, "hostnames": tuple(row["hostnames"])} for row in self.result["models"]]
        gateway = self.result["route_gateway"]
        facts = facts_of(objects, self._served(), istiod(self.cluster, self.result["gateway"]["provider"]))
        place = (gateway["name"], gateway["namespace"], gateway["section_name"])
        model = build_model(parts, self.result["routes"], models, facts, place)
        add_platform(model, self.cluster, self.inventory.version)
        if self.access != "off":
            add_access(model, self.cluster, self.inventory, self.result, created, self.present)
        if self.capacity != "off":
            add_capacity(model, self.cluster)
        self.model = model
        return capacity_weighed(weighed(check(model), self.access), self.capacity)

    @property
    def unread(self) -> list[str]:
        """What could not be read of the cluster's room, and is not checked for that."""
        capacity = self.model.facts.capacity if self.model else None
        texts = capacity.unread if capacity else ()
        return [f"{text} Room on nodes and quotas are checked without it." for text in texts]

    def render(self, manifests: dict[tuple[str, str], str]) -> Rendered:
        """Return the objects of all releases. manifests: by component and release those that need no rendering."""
        helm = LocalHelm(self.fetching["helm"], self.stack.params.get("image_registry") or "")
        try:
            wanted = self._wanted(helm, manifests)
            with concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as pool:
                tasks = {key: pool.submit(self._rendered, helm, key[0], one) for key, one in wanted.items()}
                concurrent.futures.wait(tasks.values())
            errors = [(key[1], str(error)) for key, task in tasks.items() if (error := task.exception()) is not None]
            if errors:
                return Rendered([], errors)
            texts = {**manifests, **{key: task.result() for key, task in tasks.items()}}
            return Rendered([self._part(key, text, wanted.get(key)) for key, text in texts.items()], [])
        finally:
            helm.close()

    def _wanted(self, helm: LocalHelm, manifests: dict[tuple[str, str], str]) -> dict[tuple[str, str], Wanted]:
        keys, releases = [], []
        for component, rows in self.result["releases"].items():
            for row in rows:
                if (component, row["name"]) not in manifests:
                    keys.append((component, row["name"]))
                    releases.append(row)
        found = prepare(releases, helm, self.fetching["cache_dir"], plain_http=self.fetching["plain_http"])
        return dict(zip(keys, found, strict=True))

    def _rendered(self, helm: LocalHelm, component: str, wanted: Wanted) -> str:
        arguments = template_arguments(
            wanted.name,
            wanted.chart.path,
            self._namespace(component),
            wanted.files,
            kube_version=self.inventory.version,
            apis=self.inventory.apis,
            upgrade=(component, wanted.name) in self.existing,
        )
        return checked_render(helm, arguments, wanted.chart.path, RENDER_TIMEOUT)

    def _namespace(self, component: str) -> str:
        return self.stack.gateway.namespace if component == "gateway" else self.result["namespace"]

    def _part(self, key: tuple[str, str], text: str, wanted: Wanted | None) -> RenderedRelease:
        component, release = key
        known = self.stack.pool_chart if component == "gaie" else ""
        chart = (wanted.chart.name, wanted.chart.version) if wanted else (known, "")
        objects = manifest_objects(text)
        return RenderedRelease(component, release, self._namespace(component), objects, *chart, self._layers(key))

    def _layers(self, key: tuple[str, str]) -> list[Layer]:
        component, release = key
        if component == "gateway":
            return self.stack.gateway.layers
        entries: t.Sequence[t.Any] = self.stack.pools if component == "gaie" else self.stack.models
        own: list[Layer] = next((entry.layers for entry in entries if entry.release == release), [])
        return self._token_layers() + own if component == "gaie" else own

    def _token_layers(self) -> list[Layer]:
        """Return the variable that puts the token's secret into every picker's environment, where it is set."""
        given = self.stack.params["gaie"].get("hf_token_secret")
        values = nest((*CHARTS[self.stack.pool_chart].extension, "env"), [])
        return [Layer(values, "gaie_hf_token_secret")] if given else []

    def _objects(self) -> Objects:
        """Return the cluster's objects by kind; a kind that may not be listed is left out, and so unknown."""
        found: Objects = {}
        for api_version, kind in CLUSTER_WIDE:
            with contextlib.suppress(OrchestratorError):
                found[kind] = self.cluster.list(api_version, kind)
        namespaces = [self.result["namespace"], self.stack.gateway.namespace, self.result["route_gateway"]["namespace"]]
        names = list(dict.fromkeys(name for name in namespaces if name))
        for api_version, kind in IN_NAMESPACES:
            with contextlib.suppress(OrchestratorError):
                bodies = [body for name in names for body in self.cluster.list(api_version, kind, name)]
                found[kind] = found.get(kind, []) + bodies
        with contextlib.suppress(OrchestratorError):
            secrets = [body for name in names for body in self.cluster.list("v1", "Secret", name, None, SECRETS)]
            found["Secret"] = [_without_values(secret) for secret in secrets]
        with contextlib.suppress(OrchestratorError):
            found["Namespace"] = [self.cluster.get("v1", "Namespace", name) or _namespace(name) for name in names]
        return found

    def _served(self) -> dict[str, list[str]]:
        served: dict[str, list[str]] = {}
        for api in self.inventory.apis:
            if api.count("/") == 2:
                version, _slash, kind = api.rpartition("/")
                served.setdefault(version, []).append(kind)
        return served


def _without_values(secret: Object) -> Object:
    """Return a secret's names and keys; its values and annotations, which may repeat them, are dropped at once."""
    metadata = {name: secret["metadata"].get(name) for name in ("name", "namespace")}
    return {"kind": "Secret", "metadata": metadata, "data": dict.fromkeys(secret.get("data") or {}, "")}


def _namespace(name: str) -> Object:
    """Return a namespace that is made before the releases."""
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}


def created_objects(namespace: str, secrets: dict[str, list[str]], claims: list[str]) -> Objects:
    """Return what is made before the releases, by kind. secrets: keys by name; claims: names."""
    made = [
        {"kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": dict.fromkeys(keys, "")}
        for name, keys in secrets.items()
    ]
    volumes = [{"kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": namespace}} for name in claims]
    return {"Secret": made, "PersistentVolumeClaim": volumes}
