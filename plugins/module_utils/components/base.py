# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a stack is made of: components as things, the parts that they put on a cluster, and what they share."""

from __future__ import annotations

import abc
import base64
import dataclasses
import json
import typing as t

from ..base.data import KeyPath, Object, Values, dig, kind, plain
from ..base.findings import Finding, Findings, short
from ..base.formats import Format
from ..base.names import LABEL_LIMIT, name_problem
from ..values.layers import Layer, Loader, check_entry

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

DEFAULT_PORT = 8000
# The kinds of part: each is one file in deploy/.
RELEASE, OBJECTS, KUSTOMIZATION, UPLOAD = "release", "objects", "kustomization", "upload"
# Groups of components: each makes sense by itself, and a stack may have one of them or all.
LLM_D, DYNAMO, ROUTER, ORCHESTRATOR = "llm-d", "dynamo", "router", "orchestrator"
# What a component does in a deployment, in this order.
PREPARING, DEPLOYING, ROUTING = "preparing", "deploying", "routing"


@dataclasses.dataclass
class Facts:
    """What a cluster says. classes: {GatewayClass: controller}, None where unknown; secrets: {name: keys} of the
    namespace; gateways: the Gateways of the Gateway's namespace; namespace: its phase, None where it is absent."""

    classes: dict[str, str] | None = None
    secrets: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    gateways: list[dict] = dataclasses.field(default_factory=list)
    namespace: str | None = None
    reachable: bool = True
    # The own values of the charts in use, by component, where they are known.
    chart_values: dict[str, Values] = dataclasses.field(default_factory=dict)
    # What components have looked up by themselves, by their names.
    seen: dict[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Part:
    """What a component puts on a cluster as one unit. kind: which file of deploy/ handles it; spec: what that needs.

    where: the variable that asks for it; layers: the values that made it, for the file and line of a key; chart: the
    chart's name, where the values are of one chart only; chart_settings: those that name it and its version. These four
    are for planning and no part of the plain data.
    """

    component: str
    name: str
    namespace: str
    kind: str
    spec: Object = dataclasses.field(default_factory=dict)
    where: str = ""
    layers: t.Sequence[Layer] = ()
    chart: str = ""
    chart_settings: tuple[str, str] = ("chart_ref", "chart_version")

    @property
    def key(self) -> tuple[str, str]:
        """Component and name."""
        return self.component, self.name

    def as_dict(self) -> Object:
        """Return the part as plain data."""
        place = {"component": self.component, "name": self.name, "namespace": self.namespace, "kind": self.kind}
        return {**place, **self.spec}


class NeededKind(t.NamedTuple):
    """A kind of object that the cluster has to serve. why: what needs it; install: what to do, "" for the usual."""

    api_version: str
    kind: str
    why: str
    install: str = ""


class Component(abc.ABC):
    """One row of the component table: what its variables ask of a cluster.

    The methods are called in this order: checked (before a cluster is asked), resolve, check, then the others.
    """

    # Of the row, of its role, and the prefix of its variables.
    name: t.ClassVar[str]
    # The name of the chart that it installs, "" where it installs none.
    chart: t.ClassVar[str] = ""
    # The settings that name its chart and its version.
    chart_settings: t.ClassVar[tuple[str, str]] = ("chart_ref", "chart_version")
    # Whether its workloads are model servers.
    serves_models: t.ClassVar[bool] = False
    # The phase of a deployment in which it works, as a record's timeline has it.
    phase: t.ClassVar[str] = DEPLOYING
    # The variable that gives it something to do besides llm_d_models, "" where a stack is not empty without it.
    asks: t.ClassVar[str] = ""
    # The group that it works for, "" where it works for all; see idle().
    group: t.ClassVar[str] = ""
    # Whether it serves only stacks whose requests come in by a Gateway.
    by_gateway: t.ClassVar[bool] = False
    # Groups of APIs whose definitions come with its releases.
    groups: t.ClassVar[t.Collection[str]] = ()
    # What settings have to be besides their types, those of lists item by item; empty ones are not looked at.
    shapes: t.ClassVar[t.Mapping[str, Format]] = {}
    # Settings that are secrets, and whose names do not say so.
    hidden: t.ClassVar[t.Collection[str]] = ()

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.given: Values = stack.settings.get(self.name) or {}
        self._parts: list[Part] | None = None

    @classmethod
    def checked(cls, given: Values, findings: Findings) -> Values:
        """Return the settings with what follows from others filled in. given: of the right types."""
        return given

    @classmethod
    def place(cls, given: Values, namespace: str) -> str:
        """Return the namespace of its parts. namespace: the stack's."""
        return namespace

    @classmethod
    def asked(cls, given: Values) -> bool:
        """Return whether its settings ask for something to be served. given: its settings, checked."""
        return bool(cls.asks and given.get(cls.asks.removeprefix(f"{cls.name}_")))

    @classmethod
    def opened(cls, given: Values, name: str, findings: Findings) -> Values:
        """Return the settings as its chart has them, of which some may say otherwise. name: as Chart.yaml says it."""
        return given

    @classmethod
    def lets_in(cls, given: Values) -> bool:
        """Return whether its releases let requests in by themselves, so that no Gateway is asked for anything."""
        return False

    @classmethod
    def charted(cls, given: Values, params: Values) -> bool:
        """Return whether its chart is needed. given: its settings, checked; params: those of module stack_info."""
        return bool(cls.chart)

    @classmethod
    def look(cls, cluster: Cluster, given: Values, namespace: str) -> t.Any:
        """Return what it has to know of the cluster before it is resolved; see Facts.seen. namespace: the stack's."""
        return None

    @classmethod
    def dependants(cls, cluster: Cluster, release: str, namespace: str) -> list[Object]:
        """Return the objects that cannot be removed without a release of it: its controller has the last word."""
        return []

    @classmethod
    def why_held(cls, cluster: Cluster, item: Object) -> str:
        """Return why one of its controller's objects does not go away, "" where it may only take its time."""
        return ""

    @property
    def chosen(self) -> bool:
        """Whether this run deploys it; the others are only worked out for the names that they give."""
        return self.name in self.stack.chosen and not self.idle

    @property
    def idle(self) -> bool:
        """Whether nothing is asked of it, whatever its settings."""
        return self.name in self.stack.idle

    @property
    def namespace(self) -> str:
        """The namespace of its parts."""
        return self.place(self.given, self.stack.namespace)

    def secret(self, setting: str) -> str:
        """Return the name by which a secret setting's value travels apart from all others, "" where it is not set."""
        name = f"{self.name}_{setting}"
        return name if (self.stack.params.get("secrets") or {}).get(name) else ""

    @abc.abstractmethod
    def resolve(self) -> None:
        """Work out of the variables what the parts are made of; note what is wrong with them."""

    def check(self) -> None:
        """Note what does not fit to the other components, all of which are resolved."""
        return

    @abc.abstractmethod
    def make_parts(self) -> list[Part]:
        """Return what it puts on the cluster, [] where nothing is asked for; called once."""

    def parts(self) -> list[Part]:
        """Return what it puts on the cluster, once all components are resolved."""
        if self._parts is None:
            self._parts = [] if self.idle else self.make_parts()
        return self._parts

    def needs(self) -> list[NeededKind]:
        """Return the kinds that the cluster has to serve for it."""
        return []

    def brings(self) -> list[tuple[str, str]]:
        """Return the kinds, as (apiVersion, kind), that the cluster serves once its parts are there."""
        return []

    def outgrown(self, cluster: Cluster) -> list[Object]:
        """Return what its controller has made of its objects, keeps, and they do not ask for any more."""
        return []

    def check_cluster(self) -> None:
        """Note what the cluster's facts do not allow, or let a note be shown."""
        return

    def serves(self) -> list[Object]:
        """Return the objects, by apiVersion, kind and metadata, whose readiness says that the component is ready."""
        return []

    def tells(self) -> Object:
        """Return what is told of it in the stack's plain data besides its parts."""
        return {}

    def release(self, name: str, values: Values, where: str, layers: t.Sequence[Layer], chart: str = "") -> Part:
        """Return a Helm release of the component's chart as a part."""
        spec = {"chart_ref": self.given["chart_ref"], "chart_version": self.given.get("chart_version") or None}
        part = Part(self.name, name, self.namespace, RELEASE, {**spec, "values": values}, where, layers)
        part.chart, part.chart_settings = chart or self.chart, self.chart_settings
        return part


C = t.TypeVar("C", bound=Component)


class Stack:
    """What is being worked out: the inputs, what the cluster says, and the components, each by its name.

    params: the options of module stack_info, checked; findings: every mistake found on the way; notes: what an operator
    should know.
    """

    def __init__(self, params: Values, facts: Facts, classes: t.Iterable[type[Component]]) -> None:
        self.params, self.facts = plain(params), facts
        self.settings: dict[str, Values] = self.params["components"]
        self.chosen: list[str] = self.params["only"]
        self.idle = idle(self.params, classes := list(classes))
        self.namespace: str = self.params["namespace"]
        self.findings = Findings()
        self.loader = Loader(self.params.get("search_paths") or [], self.findings)
        self.notes: list[str] = []
        # What is there to be known unless a rule finds it too.
        self.absent: list[Finding] = []
        self._names: dict[tuple[str, str], str] = {}
        self.components: dict[str, Component] = {cls.name: cls(self) for cls in classes}

    def of(self, cls: type[C]) -> C:
        """Return a component by its class."""
        return t.cast(C, self.components[cls.name])

    @property
    def at_work(self) -> list[Component]:
        """The components that this run deploys."""
        return [component for component in self.components.values() if component.chosen]

    def parts(self) -> list[Part]:
        """Return the parts of all components, those too that this run does not deploy."""
        return [part for component in self.components.values() for part in component.parts()]

    def entries(
        self, raw: t.Sequence[t.Any], variable: str, schema: t.Mapping[str, type], *, limit: int = 0, space: str = ""
    ) -> t.Iterator[tuple[Values, str]]:
        """Yield the usable entries of a list in a variable with their places; note what is wrong with the others.

        limit: how long a Helm release's name may be made of theirs, 0 where none is named after it; space: entries of
        the same space have different names, by default those of the variable.
        """
        for index, item in enumerate(raw or []):
            where = f"{variable}[{index}]"
            entry = check_entry(item, schema, where, self.findings)
            if entry is None:
                continue
            if self._named(entry, where, limit, space or variable):
                yield entry, where
            else:
                # Its files are still looked at, but nothing is derived from a name that cannot be.
                self.loader.layers(entry, where)

    def _named(self, entry: Values, where: str, limit: int, space: str) -> bool:
        """Return whether an entry's name can be used; note why not."""
        name = entry.get("name")
        if not name:
            self.findings.add(
                f"{where}.name", "is missing", ("use a DNS label, for example qwen3-32b"), rule="input-name"
            )
            return False
        wrong = name_problem(name, limit or LABEL_LIMIT)
        first = self._names.setdefault((space, name), where)
        if wrong:
            derived = " (a Helm release is named after it)" if limit else ""
            self.findings.add(f"{where}.name", wrong + derived, "use a name such as qwen3-32b", rule="input-name")
        elif first != where:
            self.findings.add(
                f"{where}.name",
                (f"{name!r} is already the name of {first}"),
                "use a unique name",
                rule="input-name-taken",
            )
        return not wrong and first == where


def idle(params: Values, classes: t.Collection[type[Component]]) -> set[str]:
    """Return the names of components with nothing to do.

    Only components of other groups are asked for anything, or another lets requests in without a Gateway.

    params: the options of module stack_info, checked.
    """
    settings = {cls.name: params["components"].get(cls.name) or {} for cls in classes}
    asked = {cls.group for cls in classes if cls.group and cls.asked(settings[cls.name])}
    asked |= {LLM_D} if params.get("models") else set()
    unused = {cls.name for cls in classes if asked and cls.group and cls.group not in asked}
    alone = any(settings[cls.name] and cls.name not in unused and cls.lets_in(settings[cls.name]) for cls in classes)
    return unused | {cls.name for cls in classes if alone and cls.by_gateway}


def check_maps(layers: t.Iterable[Layer], paths: t.Iterable[KeyPath], findings: Findings) -> None:
    """Note values that are no maps at paths that are read as maps."""
    layers = list(layers)
    for path in paths:
        for layer in layers:
            value = dig(layer.values, path)
            where = layer.locate(path)
            if where and value is not None and not isinstance(value, dict):
                findings.add(where, f"is a {kind(value)}: {short(repr(value))}", "use a map", rule="input-type")


def unique(names: t.Iterable[tuple[str, str]], what: str, findings: Findings) -> None:
    """Note names that are given twice. names: each with the variable that gives it; what: what is named so."""
    first: dict[str, str] = {}
    for name, where in names:
        if name in first and first[name] != where:
            message = f"the {what} {name!r} is already used by {first[name]}"
            more: t.Any = {"about": [name], "covers": ["LLMD301", "LLMD302", "LLMD303"]}
            findings.add(where, message, "use a unique name", rule="input-name-taken", **more)
        first.setdefault(name, where)


def named(api_version: str, kind_: str, name: str, namespace: str) -> Object:
    """Return what an object is known by."""
    return {"apiVersion": api_version, "kind": kind_, "metadata": {"name": name, "namespace": namespace}}


def filled(objects: t.Iterable[Object], fill: t.Mapping[str, t.Mapping[str, t.Any]], secrets: Values) -> list[Object]:
    """Return objects with the data of their Secrets.

    fill: by Secret and key the name of a value in secrets, {secret, path} for what is inside of one, or {secret,
    registry, username} for a login to pull images.
    """
    found = []
    for item in objects:
        keys = fill.get(item["metadata"]["name"]) if item["kind"] == "Secret" else None
        if keys:
            texts = {key: _filling(source, secrets) for key, source in keys.items()}
            data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
            item = {**item, "data": {**(item.get("data") or {}), **data}}
        found.append(item)
    return found


def _filling(source: t.Any, secrets: Values) -> str:
    if isinstance(source, str):
        return str(secrets[source])
    if "path" in source:
        return str(dig(secrets[source["secret"]], source["path"]))
    user, password = source["username"], str(secrets[source["secret"]])
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    return json.dumps({"auths": {source["registry"]: {"username": user, "password": password, "auth": login}}})
