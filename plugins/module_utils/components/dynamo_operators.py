# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The operators of NVIDIA Dynamo that are in a cluster: version, scope, and whether they run.

Labels, arguments and names are those of the chart dynamo-platform, 0.5.0 to 1.0.0.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base import plain_yaml
from ..base.data import Object, dicts, dig, mapping, texts
from ..base.errors import OrchestratorError
from ..base.ours import MANAGED_LABEL
from ..objects.conditions import object_state
from ..objects.graphs import GROUP
from .dynamo_lines import Line

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

OPERATOR = "dynamo-operator"
FINALIZER = f"{GROUP}/finalizer"
SELECTOR = f"app.kubernetes.io/name={OPERATOR}"
_RESTRICTED = re.compile(r"--?restricted-?[nN]amespace=(\S*)")


@dataclasses.dataclass(frozen=True)
class LiveOperator:
    """An operator that is in the cluster. scope: the only namespace that it works for, "" for all; release: Helm's;
    labels: those of its pods."""

    name: str
    namespace: str
    version: str
    scope: str
    release: str
    managed: bool
    available: bool = True
    labels: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)

    def covers(self, namespace: str) -> bool:
        """Return whether it works for a namespace."""
        return self.scope in ("", namespace)

    def leaves(self, other: LiveOperator) -> bool:
        """Return whether one of the two leaves the other's namespace alone: a cluster-wide one does so for those that
        are restricted, from the version on that has leases."""
        leased = Line(self.version).leases and Line(other.version).leases
        return bool(self.scope) != bool(other.scope) and leased

    @property
    def title(self) -> str:
        """Its name for a reader."""
        where = f"namespace {self.scope}" if self.scope else "all namespaces"
        return f"the operator {self.namespace}/{self.name} (version {self.version or 'unknown'}, {where})"


class LiveOperators(t.NamedTuple):
    """Operators; everywhere: whether all namespaces were looked at."""

    operators: list[LiveOperator]
    everywhere: bool


def find(cluster: Cluster, *namespaces: str) -> LiveOperators:
    """Return the operators of a cluster, of these namespaces alone where the others' may not be listed."""
    try:
        items, everywhere = cluster.list("apps/v1", "Deployment", None, SELECTOR), True
    except OrchestratorError:
        spaces, everywhere = dict.fromkeys(namespaces), False
        items = [item for space in spaces for item in cluster.list("apps/v1", "Deployment", space, SELECTOR)]
    return LiveOperators([_operator(cluster, item) for item in items], everywhere)


def with_owners(cluster: Cluster, found: t.Iterable[LiveOperator]) -> list[LiveOperator]:
    """Return operators with whether their release is one that this collection has made."""
    return [dataclasses.replace(one, managed=_managed(cluster, one)) for one in found]


def _managed(cluster: Cluster, one: LiveOperator) -> bool:
    selector = f"owner=helm,name={one.release},{MANAGED_LABEL}=true"
    return bool(one.release) and bool(cluster.list("v1", "Secret", one.namespace, selector))


def _operator(cluster: Cluster, item: Object) -> LiveOperator:
    """Return what a Deployment of an operator says of it."""
    metadata, spec = item["metadata"], mapping(dig(item, ("spec", "template", "spec")))
    container = next((one for one in dicts(spec.get("containers")) if one.get("name") == "manager"), {})
    labels, notes = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
    tag = str(container.get("image") or "").rpartition(":")[2]
    version = tag if re.match(r"v?\d+\.\d+\.\d+", tag) else str(labels.get("app.kubernetes.io/version") or "")
    namespace = metadata["namespace"]
    release = str(notes.get("meta.helm.sh/release-name") or labels.get("app.kubernetes.io/instance") or "")
    return LiveOperator(
        metadata["name"],
        namespace,
        version.removeprefix("v"),
        _scope(cluster, container, spec, namespace),
        release,
        managed=False,
        available=object_state({**item, "kind": "Deployment"}).ready,
        labels=mapping(dig(item, ("spec", "selector", "matchLabels"))),
    )


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
