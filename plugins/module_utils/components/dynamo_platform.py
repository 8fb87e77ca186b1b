# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The platform of NVIDIA Dynamo: its definitions and its operator, or one that is in the cluster already.

Labels, arguments and names are those of the charts dynamo-crds and dynamo-platform, 0.5.0 to 1.0.0.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base import formats, plain_yaml
from ..base.apis import CRD_API
from ..base.data import Object, Values, dicts, dig, mapping, texts
from ..base.errors import OrchestratorError
from ..base.findings import Findings
from ..base.formats import Problem
from ..base.ours import MANAGED_LABEL
from ..charts.defaults import has_path
from ..objects.conditions import object_state
from ..objects.graphs import GROUP
from ..objects.graphs import KIND as GRAPH
from ..values.layers import Layer, locate, merge, merge_all
from .base import DYNAMO, RELEASE, Component, Part, named
from .dynamo_lines import API, COMPONENT, DEFAULT_VERSION, Line, platform_values

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

DEFINITIONS = "dynamo-crds"
DEFINITION = f"dynamographdeployments.{GROUP}"
FINALIZER = f"{GROUP}/finalizer"
EXISTING = ("auto", "true", "false")
_OPERATOR = "dynamo-operator"
_SCOPE = ("dynamo-operator", "namespaceRestriction")
_RESTRICTED = re.compile(r"--?restricted-?[nN]amespace=(\S*)")


def release_version(value: t.Any) -> Problem | None:
    """Return why a text is no released version."""
    if isinstance(value, str) and re.fullmatch(r"\d+\.\d+\.\d+([-.+]?[0-9A-Za-z.]+)?", value):
        return None
    return Problem(f"{value!r} is no version of Dynamo", "a released version such as 0.5.0")


@dataclasses.dataclass(frozen=True)
class LiveOperator:
    """An operator that is in the cluster. scope: the only namespace that it works for, "" for all; release: Helm's."""

    name: str
    namespace: str
    version: str
    scope: str
    release: str
    managed: bool
    available: bool = True

    def covers(self, namespace: str) -> bool:
        """Return whether it works for a namespace."""
        return self.scope in ("", namespace)

    @property
    def title(self) -> str:
        """Its name for a reader."""
        where = f"namespace {self.scope}" if self.scope else "all namespaces"
        return f"the operator {self.namespace}/{self.name} (version {self.version or 'unknown'}, {where})"


class Operators(t.NamedTuple):
    """What is in the cluster of Dynamo. definition: that of graphs, None where it is not there."""

    operators: list[LiveOperator]
    definition: Object | None


class DynamoPlatformComponent(Component):
    """The component `dynamo_platform`. adopted: the operator that is there already and is used."""

    name = "dynamo_platform"
    group = DYNAMO
    chart_settings = ("chart", "version")
    chart = "dynamo-platform"
    groups = (GROUP,)
    shapes = {
        "namespace": formats.dns_label,
        "release_name": formats.dns_label,
        "crds_release_name": formats.dns_label,
        "version": release_version,
    }

    @classmethod
    def checked(cls, given: Values, findings: Findings) -> Values:
        line = Line(given.get("version") or DEFAULT_VERSION)
        existing = str(given.get("existing") or "auto").lower()
        if existing not in EXISTING:
            fix = "one of: " + ", ".join(EXISTING)
            findings.add("dynamo_platform_existing", f"{existing!r} is not known", fix, rule="input-choice")
        filled = {**given, "version": line.version, "existing": existing}
        for setting, chart in (("chart", cls.chart), ("crds_chart", DEFINITIONS)):
            if setting == "crds_chart" and not line.crds_chart:
                filled["crds_chart_ref"] = ""
                continue
            filled[f"{setting}_ref"] = given.get(setting) or line.chart(chart)
            filled[f"{setting}_version"] = line.version
        return filled

    @classmethod
    def place(cls, given: Values, namespace: str) -> str:
        return given.get("namespace") or namespace

    @classmethod
    def asked(cls, given: Values) -> bool:
        return bool(given.get("enabled"))

    @classmethod
    def look(cls, cluster: Cluster, given: Values, namespace: str) -> Operators:
        """Return the operators of Dynamo; those of other namespaces are left out where they may not be listed."""
        found = _operators(cluster, namespace, cls.place(given, namespace))
        return Operators(found, cluster.get(CRD_API, "CustomResourceDefinition", DEFINITION))

    @classmethod
    def dependants(cls, cluster: Cluster, release: str, namespace: str) -> list[Object]:
        """Return the graphs of the namespaces that a release's operator works for, and what it has made of them."""
        found = [one for one in _operators(cluster, namespace) if (one.release, one.namespace) == (release, namespace)]
        scopes = [one.scope for one in found]
        return [
            {**item, "apiVersion": API, "kind": kind}
            for kind in (GRAPH, COMPONENT)
            if scopes and cluster.resource(API, kind) is not None
            for item in cluster.list(API, kind, None if "" in scopes else scopes[0])
        ]

    @classmethod
    def why_held(cls, cluster: Cluster, item: Object) -> str:
        """Return whether the operator is there that alone takes the finalizers of graphs."""
        if FINALIZER not in texts(item["metadata"].get("finalizers")):
            return ""
        namespace = item["metadata"].get("namespace") or ""
        mine = [one for one in _operators(cluster, namespace) if one.covers(namespace)]
        if not mine:
            what = f"{item['kind'].lower()} {item['metadata']['name']} -n {namespace}"
            patch = f"""kubectl patch {what} --type merge -p '{{"metadata":{{"finalizers":null}}}}'"""
            text = f"no operator of Dynamo works for namespace {namespace}, which alone takes its finalizer"
            return f"{text}: install it again, or take it yourself: {patch}"
        if not any(one.available for one in mine):
            return f"{mine[0].title}, which alone takes its finalizer, is not available"
        if not item["metadata"].get("deletionTimestamp"):
            return ""
        return f"{mine[0].title} has not taken its finalizer (up to 0.9 it needs its etcd for that); its log says why"

    def resolve(self) -> None:
        given = self.given
        self.adopted: LiveOperator | None = None
        self.layers: list[Layer] = []
        self.values: Values = {}
        self.own: Values = self.stack.facts.chart_values.get(self.name) or {}
        self.line = Line(given.get("version") or DEFAULT_VERSION)
        if self.idle:
            return
        self.layers = self.stack.loader.layers(given, self.name)
        self.values = merge_all([self._base(self.own), *(layer.values for layer in self.layers)])
        if given.get("enabled"):
            self._adopt()

    @property
    def release_name(self) -> str:
        """The name of its Helm release."""
        return self.given.get("release_name") or self.chart

    def _base(self, own: Values) -> Values:
        """Return what lies below the user's values: only what the chart at hand has, where that is known."""
        base = platform_values(self.line)
        if self.namespace != self.stack.namespace and self._restricted(own):
            base = merge(base, {_SCOPE[0]: {_SCOPE[1]: {"targetNamespace": self.stack.namespace}}})
        return _known(base, own) if own else base

    @property
    def seen(self) -> Operators:
        """What is in the cluster."""
        return self.stack.facts.seen.get(self.name) or Operators([], None)

    def _adopt(self) -> None:
        """Find whether a platform is there that serves the stack's namespace, and what speaks against another one."""
        existing, findings = self.given["existing"], self.stack.findings
        others = [one for one in self.seen.operators if not self._mine(one)]
        serving = [one for one in others if one.covers(self.stack.namespace)]
        if existing != "false" and serving:
            self._use(serving[0])
        elif existing == "true" and self.stack.facts.reachable and self.chosen:
            there = "; ".join(one.title for one in others) or "the cluster has no operator of Dynamo"
            text = f"is true, but no operator of Dynamo works for namespace {self.stack.namespace}: {there}"
            findings.add("dynamo_platform_existing", text, "auto, to install one", rule="input-platform")
        elif self.chosen:
            self._check_others(others)

    def _mine(self, one: LiveOperator) -> bool:
        """Return whether an operator is the one of this stack, made by this collection."""
        return one.managed and (one.release, one.namespace) == (self.release_name, self.namespace)

    def _use(self, one: LiveOperator) -> None:
        self.adopted = one
        asked, there = self.line, Line(one.version or self.line.version)
        given = (self.stack.params.get("places") or {}).get("dynamo_platform_version")
        if given and asked.numbers[:2] != there.numbers[:2]:
            text = f"is {asked.version}, but {one.title} already works for namespace {self.stack.namespace}"
            fix = (
                f"{there.version}, or dynamo_platform_enabled: false and an operator of your own for another namespace"
            )
            self.stack.findings.add("dynamo_platform_version", text, fix, rule="input-platform")
        self.line = there
        self.stack.notes.append(f"The Dynamo platform is used as it is: {one.title}.")

    def _check_others(self, others: t.Sequence[LiveOperator]) -> None:
        """Note operators that would work for the same namespaces as the one that is to be installed."""
        mine = self.scope
        for one in others:
            apart = mine and one.scope and mine != one.scope
            # A cluster-wide operator leaves restricted ones their namespaces, from the version on that has leases.
            leased = bool(mine) != bool(one.scope) and mine != one.scope
            leased = leased and self.line.leases and Line(one.version).leases
            if apart or leased or (mine and not one.covers(mine)):
                continue
            where = locate(self.layers, (*_SCOPE, "enabled"), "dynamo_platform_existing")
            both = one.scope or mine or "all namespaces"
            text = f"two operators would work for {both}: the one of this stack, and {one.title}"
            fix = "auto, to use the one that is there; or dynamo-operator.namespaceRestriction.enabled: true in"
            self.stack.findings.add(where, text, f"{fix} dynamo_platform_values", rule="input-platform")

    @property
    def scope(self) -> str:
        """The only namespace that its operator works for, "" for all."""
        values = merge(self.own, self.values)
        if not self._restricted(values):
            return ""
        return dig(values, (*_SCOPE, "targetNamespace")) or self.namespace

    def _restricted(self, values: Values) -> t.Any:
        """Return whether by some values its operator works for one namespace alone."""
        said = dig(values, (*_SCOPE, "enabled"))
        return self.line.restricted if said is None else said

    @property
    def installed(self) -> bool:
        """Whether this stack has a platform of its own."""
        return bool(self.given.get("enabled")) and self.adopted is None and not self.idle

    def check(self) -> None:
        """Note a platform whose operator does not work for the stack's namespace."""
        if self.installed and self.chosen and self.scope not in ("", self.stack.namespace):
            where = locate(self.layers, (*_SCOPE, "targetNamespace"), "dynamo_platform_namespace")
            text = f"its operator would work for namespace {self.scope} only, not for {self.stack.namespace}"
            fix = "the stack's namespace, or dynamo-operator.namespaceRestriction.enabled: false in its values"
            self.stack.findings.add(where, text, fix, rule="input-platform")

    def make_parts(self) -> list[Part]:
        if not self.installed:
            return []
        platform = self.release(self.release_name, self.values, "dynamo_platform_release_name", self.layers)
        if not self.line.crds_chart:
            return [platform]
        if self._others:
            text = f"The definitions of Dynamo are there, made by {self._others}; they are used as they are."
            self.stack.notes.append(text)
            return [platform]
        spec = {"chart_ref": self.given["crds_chart_ref"], "chart_version": self.given["crds_chart_version"]}
        name = self.given.get("crds_release_name") or DEFINITIONS
        crds = Part(self.name, name, self.namespace, RELEASE, {**spec, "values": {}}, f"{self.name}_crds_release_name")
        crds.chart, crds.chart_settings = DEFINITIONS, ("crds_chart", "version")
        platform.spec["after"] = True
        return [crds, platform]

    @property
    def _others(self) -> str:
        """Whose the definitions are where they are there and another's, "" otherwise: they belong to the cluster."""
        live = self.seen.definition
        if live is None or not self.line.crds_chart:
            return ""
        notes = mapping(live["metadata"].get("annotations"))
        owner = notes.get("meta.helm.sh/release-name"), notes.get("meta.helm.sh/release-namespace")
        if owner == (self.given.get("crds_release_name") or DEFINITIONS, self.namespace):
            return ""
        return f"Helm release {owner[0]} in {owner[1]}" if owner[0] else "nobody that is known"

    def tells(self) -> Object:
        if self.idle:
            return {}
        place = {"namespace": self.namespace, "release": self.release_name, "scope": self.scope}
        if self.adopted:
            one = self.adopted
            place = {"namespace": one.namespace, "release": one.release, "scope": one.scope}
        return {"dynamo": {"version": self.line.version, **place, "adopted": self.adopted is not None}}

    def brings(self) -> list[tuple[str, str]]:
        if not self.installed or self._others:
            return []
        return [(api, kind) for api in (API, f"{GROUP}/v1beta1") for kind in (GRAPH, COMPONENT)]

    def serves(self) -> list[Object]:
        if self.adopted:
            return [named("apps/v1", "Deployment", self.adopted.name, self.adopted.namespace)]
        if not self.installed:
            return []
        base = self.release_name if _OPERATOR in self.release_name else f"{self.release_name}-{_OPERATOR}"
        found = [named("apps/v1", "Deployment", f"{base[:63].rstrip('-')}-controller-manager", self.namespace)]
        values = merge(self.own, self.values)
        for store in ("etcd", "nats"):
            # From 1.0 on the switch is a global one.
            if True in (dig(values, (store, "enabled")), dig(values, ("global", store, "install"))):
                found.append(named("apps/v1", "StatefulSet", f"{self.release_name}-{store}", self.namespace))
        definition = {"apiVersion": CRD_API, "kind": "CustomResourceDefinition", "metadata": {"name": DEFINITION}}
        return [definition, *found]


def _operators(cluster: Cluster, *namespaces: str) -> list[LiveOperator]:
    """Return the operators of a cluster, of these namespaces alone where the others' may not be listed."""
    selector = f"app.kubernetes.io/name={_OPERATOR}"
    try:
        found = cluster.list("apps/v1", "Deployment", None, selector)
    except OrchestratorError:
        found = [
            item
            for space in dict.fromkeys(namespaces)
            for item in cluster.list("apps/v1", "Deployment", space, selector)
        ]
    return [_operator(cluster, item) for item in found]


def _operator(cluster: Cluster, item: Object) -> LiveOperator:
    """Return what a Deployment of an operator says of it."""
    metadata, spec = item["metadata"], mapping(dig(item, ("spec", "template", "spec")))
    container = next((one for one in dicts(spec.get("containers")) if one.get("name") == "manager"), {})
    labels, notes = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
    tag = str(container.get("image") or "").rpartition(":")[2]
    version = tag if re.match(r"v?\d+\.\d+\.\d+", tag) else str(labels.get("app.kubernetes.io/version") or "")
    name, namespace = metadata["name"], metadata["namespace"]
    release = str(notes.get("meta.helm.sh/release-name") or labels.get("app.kubernetes.io/instance") or "")
    selector = f"owner=helm,name={release},{MANAGED_LABEL}=true"
    managed = bool(release) and bool(cluster.list("v1", "Secret", namespace, selector))
    scope = _scope(cluster, container, spec, namespace)
    available = object_state({**item, "kind": "Deployment"}).ready
    return LiveOperator(name, namespace, version.removeprefix("v"), scope, release, managed, available)


def _scope(cluster: Cluster, container: Object, spec: Object, namespace: str) -> str:
    """Return the only namespace that an operator works for: by its arguments, or from 1.0 on by its configuration."""
    for word in texts(container.get("args")):
        if found := _RESTRICTED.fullmatch(word):
            return found[1]
    for volume in dicts(spec.get("volumes")):
        name = mapping(volume.get("configMap")).get("name")
        content = mapping((cluster.get("v1", "ConfigMap", name, namespace) or {}).get("data")) if name else {}
        for text in content.values():
            if only := dig(plain_yaml.load(str(text)), ("namespace", "restricted")):
                return str(only)
    return ""


def _known(base: Values, own: Values, path: tuple[str, ...] = ()) -> Values:
    """Return those of our values that a chart has."""
    found: Values = {}
    for key, value in base.items():
        here = (*path, key)
        if isinstance(value, dict):
            if inner := _known(value, own, here):
                found[key] = inner
        elif has_path(own, ".".join(here)):
            found[key] = value
    return found
