# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What every consistency rule is made of: the rule as data, what a check finds, and how that is said.

A check yields findings. Each names the places that disagree as Sides: an object, a path in its manifest, and the key of
the chart's values that sets it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import dig, nest
from ..base.findings import ERROR, Finding, Mark, show_path
from ..components.pools.charts import CHARTS
from ..components.prepare import PrepareComponent
from ..kustomize.places import is_written, place_of
from ..model.items import Item, Workload
from ..model.model import StackModel
from ..objects.graphs import KIND as GRAPH
from ..objects.servers import Server
from ..values.origin import origin
from .dynamo.keys import graph_key

# Keys (str) and indexes (int).
Path = tuple[t.Any, ...]
_SHOWN = 4


@dataclasses.dataclass(frozen=True)
class Side:
    """One place that takes part: path in the object's manifest; fact: the name of a values key in KEYS,
    'values' for the very key in more, or ''; lines: the line of the key's text that it is, 0 for the key itself.

    The place of what a controller makes of an object is that object's, as nobody writes it anywhere else.
    """

    item: Item
    path: Path = ()
    fact: str = ""
    more: Path = ()
    lines: int = 0

    def __post_init__(self) -> None:
        """Go from what a controller makes to what it is made of."""
        if self.item.by is not None and self.item.made is not None:
            place = {"item": self.item.by, "path": self.item.made.source(self.path), "fact": "", "more": ()}
            for name, value in place.items():
                object.__setattr__(self, name, value)

    @property
    def key(self) -> Path:
        """The key of the chart's values that sets this place, () where it is not known."""
        if self.item.kind == GRAPH and self.fact != "values":
            return graph_key(self.item, self.path)
        if self.fact == "values":
            return self.more
        found = KEYS.get(self.item.chart, {}).get(self.fact, ())
        return (*found, *self.more) if found else ()

    @property
    def names(self) -> tuple[str, ...]:
        """By what a finding of this place is joined with others: its object, kind, name and release."""
        return self.item.title, self.item.kind, self.item.name, self.item.release

    def text(self) -> str:
        """Return 'InferencePool demo/gaie-a spec.selector (release gaie-a, values inferencePool...)'."""
        text = self.item.title + (f" {show_path(self.path)}" if self.path else "")
        notes = [f"release {self.item.release}"] if self.item.release else []
        notes += ["live"] if self.item.live else []
        notes += [f"values {show_path(self.key)}"] if self.key else []
        where, line = self.place()
        notes += [f"{where}:{line}" if line else where] if where else []
        return f"{text} ({', '.join(notes)})" if notes else text

    def place(self) -> tuple[str, int]:
        """Return the values file (or variable) and line that set the key, ('', 0) where none is known."""
        written = place_of(self.item.layers, self.item.body, self.path)
        if written is not None:
            return written.file, written.line
        path = self.key
        while path:
            for layer in reversed(self.item.layers):
                if layer.locate(path):
                    # A text of several lines begins below its key.
                    return layer.where, layer.mark(path).line + (self.lines if layer.root and path == self.key else 0)
            path = path[:-1]
        return "", 0


def container_side(workload: Workload, server: Server, *path: str) -> Side:
    """Return the place of a model server's container, or of a field in it."""
    place = (*workload.path, "spec", server.key, server.index, *path)
    if server.key != "containers":
        return Side(workload.item, place, "sidecar")
    return Side(workload.item, place, workload.role or "decode", ("containers", server.index, *path))


def made(item: Item, path: Path, within: Path = (), value: t.Any = None) -> Side:
    """Return the place of a field with the key of the values that looks like what made it.

    within, value: what stands at a path inside the field's text.
    """
    if item.kind == GRAPH or item.by is not None or is_written(item.layers):
        return Side(item, path)
    body = nest(within, value) if within else item.body
    key = origin(item.layers, body, within or path, item.name)
    return Side(item, path, "values", key) if key else Side(item, path)


def claim_variables(item: Item) -> str:
    """Return how the variables begin that a claim is made of, '' where it is not made of variables."""
    return "prepare_pvc_" if item.component == PrepareComponent.name else ""


def given(item: Item, path: Path) -> t.Any:
    """Return what the user's values say at a path, None where they say nothing."""
    return next((v for layer in reversed(item.layers) if (v := dig(layer.values, path)) is not None), None)


Check = t.Callable[[StackModel], t.Iterable[Finding]]


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule as data. id: stable; meaning: what it demands; failure: how its breach shows in production;
    remedy: what to do; source: the API, chart or note that it comes from."""

    id: str
    title: str
    severity: str
    check: Check
    meaning: str
    failure: str
    remedy: str
    source: str


def finding(
    text: str, sides: t.Sequence[Side] = (), key: tuple = (), remedy: str = "", explains: tuple[tuple, ...] = ()
) -> Finding:
    """Return what a check found: its mark is the values file where that is known, else the first object.

    remedy: instead of the rule's; key, explains: see Finding. The rule itself is filled in by ruled().
    """
    first = sides[0] if sides else None
    file, line = first.place() if first else ("stack", 0)
    path = show_path((first.key if file else ()) or first.path) if first else ""
    # An overlay's key is the variable's, not the object's.
    path = "" if first and file and not line and is_written(first.item.layers) else path
    place = f"{file}:{line}" if line else file
    about = {name for side in sides for name in side.names}
    return Finding(
        mark=Mark(file or (first.item.title if first else "stack"), line),
        path=path,
        message=text,
        hint=remedy,
        rule="",
        chart=first.item.chart if first else "",
        objects=tuple(side.text() for side in sides),
        keys=tuple(dict.fromkeys(f"{side.item.release}: {show_path(side.key)}" for side in sides if side.key)),
        place=place + (f" ({path})" if path and line else ""),
        about=frozenset(about | {part for part in key if isinstance(part, str)}),
        key=key,
        explains=explains,
        spots=frozenset((side.item.title, side.path) for side in sides),
    )


def joined(one: Finding, other: Finding) -> Finding:
    """Return a finding with the places of another one of the same key."""
    objects = tuple(dict.fromkeys([*one.objects, *other.objects]))
    keys = tuple(dict.fromkeys([*one.keys, *other.keys]))
    about, spots = one.about | other.about, one.spots | other.spots
    return dataclasses.replace(one, objects=objects, keys=keys, about=about, spots=spots)


def ruled(rule: Rule, found: Finding) -> Finding:
    """Return what a rule's check found with what the rule says, and the places that disagree in its message."""
    shown = "; ".join(found.objects[:_SHOWN])
    shown += f"; and {len(found.objects) - _SHOWN} more" if len(found.objects) > _SHOWN else ""
    return dataclasses.replace(
        found,
        message=found.message + (f" [{shown}]" if shown else ""),
        hint=found.hint or rule.remedy,
        rule=rule.id,
        severity=rule.severity,
        source=rule.source,
        where=f"{rule.id} {found.place}".strip(),
    )


def rule_factory(prefix: str) -> t.Callable[..., Rule]:
    """Return what makes rules: (number, title, check, meaning, failure, remedy, source, severity)."""

    def rule(
        number: int,
        title: str,
        check: Check,
        meaning: str,
        failure: str,
        remedy: str,
        source: str,
        severity: str = ERROR,
    ) -> Rule:
        return Rule(f"{prefix}{number:02d}", title, severity, check, meaning, failure, remedy, source)

    return rule


def listed(names: t.Iterable[t.Any], empty: str = "none") -> str:
    """Return names for a message: sorted, each once."""
    return ", ".join(sorted({str(name) for name in names})) or empty


def _pool_keys(chart: str, root: str, config: str) -> dict[str, Path]:
    facts = CHARTS[chart]
    epp = tuple(facts.extension)
    return {
        "selector": tuple(facts.selector),
        "ports": tuple(facts.ports),
        "api": (root, "apiVersion"),
        "epp": epp,
        "epp_port": (*epp, "extProcPort"),
        "epp_env": (*epp, "env"),
        "epp_image": (*epp, "image"),
        "epp_flags": (*epp, "flags"),
        "epp_volumes": (*epp, "volumes"),
        "plugins_file": (*epp, "pluginsConfigFile"),
        "plugins": (*epp, config),
        "service_ports": tuple(facts.service_ports),
        "provider": ("provider", "name"),
        "destination_host": ("provider", "istio", "destinationRule", "host"),
    }


# By chart the values key that sets a fact; from the charts' values.yaml and templates at the versions named in _pools.
KEYS: dict[str, dict[str, Path]] = {
    "inferencepool": _pool_keys("inferencepool", "inferencePool", "pluginsCustomConfig"),
    "llm-d-router-gateway": _pool_keys("llm-d-router-gateway", "router", "pluginsCustomConfig"),
    "llm-d-router-standalone": _pool_keys("llm-d-router-standalone", "router", "pluginsCustomConfig"),
    "llm-d-modelservice": {
        "labels": ("modelArtifacts", "labels"),
        "served": ("modelArtifacts", "name"),
        "uri": ("modelArtifacts", "uri"),
        "secret": ("modelArtifacts", "authSecretName"),
        "port": ("routing", "servicePort"),
        "sidecar": ("routing", "proxy"),
        "forward": ("routing", "proxy", "targetPort"),
        "account": ("serviceAccountOverride",),
        "decode": ("decode",),
        "decode_volumes": ("decode", "volumes"),
        "prefill_volumes": ("prefill", "volumes"),
        "objects": ("extraObjects",),
        "prefill": ("prefill",),
        "scheduler": ("schedulerName",),
        "multinode": ("multinode",),
        "fullname": ("fullnameOverride",),
    },
    "llm-d-infra": {
        "class": ("gateway", "gatewayClassName"),
        "listeners": ("gateway", "listeners"),
        "fullname": ("gateway", "fullnameOverride"),
        "parameters": ("gateway", "gatewayParameters"),
    },
}
