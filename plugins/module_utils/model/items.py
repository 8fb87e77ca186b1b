# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the model of a stack: its inputs, and the objects that the consistency rules compare."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ..base.data import Object, mapping
from ..cluster.refusals import Objection
from ..components.registry import COMPONENTS
from ..objects.graphs import Predicted
from ..objects.servers import Server, flag
from ..objects.set_labels import labels_met
from ..objects.shape import Misshapen
from ..values.layers import Layer
from .permissions import Access
from .platform import Platform
from .room import Capacity

CLUSTER_KINDS = frozenset(
    [
        "Namespace",
        "GatewayClass",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "PriorityClass",
        "IngressClass",
        "PersistentVolume",
        "Node",
        "DeviceClass",
        "ResourceSlice",
    ]
)


@dataclasses.dataclass(frozen=True)
class RenderedRelease:
    """One release's rendered manifests. layers: the values that made them, for the file and line of a key; defaults:
    the chart's own values, {} where they are not known; misfits: what of them is no object, or not of its kind's shape,
    and so is left out; part: the name of what is applied without Helm, "" for a release."""

    component: str
    release: str
    namespace: str
    manifests: t.Sequence[Object]
    chart: str = ""
    chart_version: str = ""
    layers: t.Sequence[Layer] = ()
    misfits: t.Sequence[Misshapen] = ()
    part: str = ""


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A model that is to be served: name, the served model name, its release and pool, and where requests go.

    service: the Service that lets them in, "" where a Gateway and a route do; existing: whether its servers run before.
    """

    name: str
    model: str = ""
    release: str = ""
    pool: str = ""
    path_prefix: str = ""
    hostnames: tuple[str, ...] = ()
    service: str = ""
    existing: bool = False


@dataclasses.dataclass(frozen=True)
class RuleFacts:
    """What the cluster says; None and absent kinds are unknown.

    objects: {kind: live objects}; served: {apiVersion: kinds}; inference_extension: the gateway controller's switch;
    gateway_version, gateway_api_version, pool_api_version: as '1.28.1'; access: permissions; platform: see Platform;
    capacity: its room; refused: by kind, namespace and name what the API server does not take of planned objects;
    chart_values: the charts' own values by component; told: the stack as plain data; definitions: of kinds that come
    with the stack (CustomResourceDefinitions).
    """

    objects: t.Mapping[str, t.Sequence[Object]] = dataclasses.field(default_factory=dict)
    served: t.Mapping[str, t.Sequence[str]] | None = None
    inference_extension: bool | None = None
    gateway_version: str | None = None
    gateway_api_version: str | None = None
    pool_api_version: str | None = None
    access: Access | None = None
    platform: Platform | None = None
    capacity: Capacity | None = None
    refused: t.Mapping[tuple[str, str, str], t.Sequence[Objection]] = dataclasses.field(default_factory=dict)
    chart_values: t.Mapping[str, Object] = dataclasses.field(default_factory=dict)
    definitions: t.Sequence[Object] = ()
    told: Object = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Item:
    """One object with where it comes from. live: it exists and nothing in the plan renders it; by, made: the planned
    object of which a controller makes it, and how; None for what is applied itself."""

    body: Object
    kind: str
    group: str
    version: str
    name: str
    namespace: str
    component: str = ""
    release: str = ""
    chart: str = ""
    chart_version: str = ""
    layers: t.Sequence[Layer] = ()
    part: str = ""
    live: bool = False
    by: Item | None = None
    made: Predicted | None = None

    @property
    def unit(self) -> str:
        """What it is deployed with: its release, or its part where it is applied without Helm."""
        return self.release or self.part

    @property
    def serves_models(self) -> bool:
        """Whether it is of a component whose workloads are model servers."""
        component = COMPONENTS.get(self.component)
        return component is not None and component.serves_models

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def spec(self) -> Object:
        return mapping(self.body.get("spec"))

    @property
    def labels(self) -> Object:
        return mapping(mapping(self.body.get("metadata")).get("labels"))


@dataclasses.dataclass(frozen=True)
class Workload:
    """A workload that serves models. path: of the pod template in the manifest; replicas: None where autoscaled."""

    item: Item
    path: tuple[str, ...]
    labels: dict[str, t.Any]
    spec: Object
    replicas: int | None
    size: int
    models: tuple[Server, ...]
    sidecars: tuple[Server, ...]

    @property
    def role(self) -> str:
        return str(self.labels.get("llm-d.ai/role", ""))

    def carried(self, selector: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return the labels of its pods, those of a selector that its controller sets included."""
        return labels_met(self.labels, selector, self.item.kind, self.item.name, self.size)

    @property
    def served(self) -> tuple[str, ...]:
        return tuple(name for server in self.models for name in server.names)


@dataclasses.dataclass(frozen=True)
class Picker:
    """An endpoint picker's Deployment. line: the command line of its container, index: where that stands."""

    item: Item
    spec: Object
    labels: Object
    container: Object
    line: list[str]
    index: int

    def flag(self, name: str) -> str | None:
        return flag(self.line, name)

    @functools.cached_property
    def pool_name(self) -> str | None:
        """The pool that it watches; asked of each picker for each pool."""
        return self.flag("pool-name")


@dataclasses.dataclass(frozen=True)
class InferencePool:
    """An InferencePool of either API. port_path, epp_path: where the manifest has its ports and its picker."""

    item: Item
    selector: dict[str, t.Any]
    ports: tuple[int, ...]
    epp: str
    epp_port: int | None
    selector_path: tuple[str, ...]
    ports_path: tuple[str, ...]
    epp_path: tuple[str, ...]
