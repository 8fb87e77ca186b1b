# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The platform of NVIDIA Dynamo: its definitions and its operator, or one that is in the cluster already.

Labels, arguments and names are those of the charts dynamo-crds and dynamo-platform, 0.5.0 to 1.0.0.
"""

from __future__ import annotations

import re
import typing as t

from ..base import formats
from ..base.apis import CRD_API
from ..base.data import Object, Values, dig, mapping, texts
from ..base.findings import Findings
from ..base.formats import Problem
from ..charts.defaults import has_path
from ..objects import graph_definitions
from ..objects.graphs import GROUP
from ..objects.graphs import KIND as GRAPH
from ..programs.versions import show_version
from ..values.layers import Layer, locate, merge, merge_all
from .base import DYNAMO, RELEASE, Component, Part, named
from .dynamo_lines import API, COMPONENT, DEFAULT_VERSION, Line, platform_values
from .dynamo_operators import FINALIZER, OPERATOR, LiveOperator, find, with_owners

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

DEFINITIONS = "dynamo-crds"
EXISTING = ("auto", "true", "false")
# Answers 404 (ai-dynamo/dynamo issue 12372).
_NO_OCI = "oci://helm.ngc.nvidia.com/"
_SCOPE = ("dynamo-operator", "namespaceRestriction")


def release_version(value: t.Any) -> Problem | None:
    """Return why a text is no released version."""
    if isinstance(value, str) and re.fullmatch(r"\d+\.\d+\.\d+([-.+]?[0-9A-Za-z.]+)?", value):
        return None
    return Problem(f"{value!r} is not a valid version of Dynamo", "use a released version such as 0.5.0")


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
            fix = "use one of: " + ", ".join(EXISTING)
            findings.add("dynamo_platform_existing", f"{existing!r} is not a valid choice", fix, rule="input-choice")
        filled = {**given, "version": line.version, "existing": existing}
        for setting, chart in (("chart", cls.chart), ("crds_chart", DEFINITIONS)):
            if setting == "crds_chart" and not line.crds_chart:
                filled["crds_chart_ref"] = ""
                continue
            filled[f"{setting}_ref"] = given.get(setting) or line.chart(chart)
            if filled[f"{setting}_ref"].startswith(_NO_OCI):
                text = f"{filled[f'{setting}_ref']!r}: NVIDIA publishes no OCI charts of Dynamo there"
                findings.add(f"dynamo_platform_{setting}", text, f"use {line.chart(chart)}", rule="input-platform")
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
        found = with_owners(cluster, find(cluster, namespace, cls.place(given, namespace)).operators)
        return Operators(found, cluster.get(CRD_API, "CustomResourceDefinition", graph_definitions.NAME))

    @classmethod
    def dependants(cls, cluster: Cluster, release: str, namespace: str) -> list[Object]:
        """Return the graphs of the namespaces that a release's operator works for, and what it has made of them."""
        found = [
            one for one in find(cluster, namespace).operators if (one.release, one.namespace) == (release, namespace)
        ]
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
        mine = [one for one in find(cluster, namespace).operators if one.covers(namespace)]
        if not mine:
            what = f"{item['kind'].lower()} {item['metadata']['name']} -n {namespace}"
            patch = f"""kubectl patch {what} --type merge -p '{{"metadata":{{"finalizers":null}}}}'"""
            text = f"no Dynamo operator watches namespace {namespace}, and only the operator removes its finalizer"
            return f"{text}: reinstall the operator, or remove the finalizer yourself: {patch}"
        if not any(one.available for one in mine):
            return f"{mine[0].title}, which must remove its finalizer, is not available"
        if not item["metadata"].get("deletionTimestamp"):
            return ""
        return f"{mine[0].title} has not removed its finalizer (up to 0.9 it needs its etcd for that); see its log"

    def resolve(self) -> None:
        given = self.given
        self.adopted: LiveOperator | None = None
        self.layers: list[Layer] = []
        self.values: Values = {}
        self.own: Values = self.stack.facts.chart_values.get(self.name) or {}
        self.line = Line(given.get("version") or DEFAULT_VERSION)
        if self.idle:
            return
        self.layers = self.stack.loader.layers(given, f"{self.name}_")
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
            there = "; ".join(one.title for one in others) or "the cluster has no Dynamo operator"
            text = f"is true, but no Dynamo operator watches namespace {self.stack.namespace}: {there}"
            findings.add("dynamo_platform_existing", text, "set it to auto to install one", rule="input-platform")
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
            text = f"is {asked.version}, but {one.title} already watches namespace {self.stack.namespace}"
            fix = (
                f"set it to {there.version}, or set dynamo_platform_enabled: false and run your own operator for "
                "another namespace"
            )
            self.stack.findings.add("dynamo_platform_version", text, fix, rule="input-platform")
        self.line = there
        self.stack.notes.append(f"The existing Dynamo platform is used: {one.title}.")

    def _check_others(self, others: t.Sequence[LiveOperator]) -> None:
        """Note operators that would work for the same namespaces as the one that is to be installed."""
        mine = self.scope
        for one in others:
            own = LiveOperator(self.release_name, self.namespace, self.line.version, mine, "", managed=True)
            apart = mine and one.scope and mine != one.scope
            if apart or own.leaves(one):
                continue
            where = locate(self.layers, (*_SCOPE, "enabled"), "dynamo_platform_existing")
            both = one.scope or mine or "all namespaces"
            text = f"two operators would watch {both}: this stack's, and {one.title}"
            fix = "set it to auto to use the existing one; or set dynamo-operator.namespaceRestriction.enabled: true in"
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
        """Note a platform whose operator does not work for the stack's namespace, and definitions that do not fit."""
        self._check_definition()
        if self.installed and self.chosen and self.scope not in ("", self.stack.namespace):
            where = locate(self.layers, (*_SCOPE, "targetNamespace"), "dynamo_platform_namespace")
            text = f"its operator would watch only namespace {self.scope}, not {self.stack.namespace}"
            fix = "use the stack's namespace, or set dynamo-operator.namespaceRestriction.enabled: false in its values"
            self.stack.findings.add(where, text, fix, rule="input-platform")

    def _check_definition(self) -> None:
        """Note definitions that are used as they are and lack, or have dropped, what the operator reads."""
        found = graph_definitions.span(self.seen.definition or {})
        if found is None or not self.chosen or not (self._others or self.adopted):
            return
        name, numbers = graph_definitions.NAME, self.line.numbers
        fix = f"{DEFINITIONS} {self.line.version} in the cluster, or a dynamo_platform_version that fits what is there"
        if found.older_than(numbers):
            text = (
                f"the definition {name} has no field {found.lacks}: it is of before {show_version(found.before or ())}"
            )
        elif found.newer_than(numbers):
            text = (
                f"the definition {name} has the field {found.has}: it is of {show_version(found.since or ())} or later"
            )
        else:
            return
        text += f", and the operator of {self.line.version}; the API server drops the fields that it does not know"
        self.stack.findings.add("dynamo_platform_version", text, fix, rule="input-platform")

    def make_parts(self) -> list[Part]:
        if not self.installed:
            return []
        platform = self.release(self.release_name, self.values, "dynamo_platform_release_name", self.layers)
        if not self.line.crds_chart:
            return [platform]
        if self._others:
            text = f"The Dynamo CRDs already exist, created by {self._others}; they are used unchanged."
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
        return f"Helm release {owner[0]} in {owner[1]}" if owner[0] else "an unknown owner"

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
        base = self.release_name if OPERATOR in self.release_name else f"{self.release_name}-{OPERATOR}"
        found = [named("apps/v1", "Deployment", f"{base[:63].rstrip('-')}-controller-manager", self.namespace)]
        values = merge(self.own, self.values)
        for store in ("etcd", "nats"):
            # From 1.0 on the switch is a global one.
            if True in (dig(values, (store, "enabled")), dig(values, ("global", store, "install"))):
                found.append(named("apps/v1", "StatefulSet", f"{self.release_name}-{store}", self.namespace))
        definition = {
            "apiVersion": CRD_API,
            "kind": "CustomResourceDefinition",
            "metadata": {"name": graph_definitions.NAME},
        }
        return [definition, *found]


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
