# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a cluster is, beyond its objects: plain Kubernetes or OpenShift, its version, and what admits pods there."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster


KUBERNETES, OPENSHIFT = "kubernetes", "openshift"
# Groups that OpenShift's API server has; route.openshift.io alone may be a definition on another cluster.
SECURITY = "security.openshift.io"
_MARKS = frozenset([SECURITY, "config.openshift.io"])


@dataclasses.dataclass(frozen=True)
class Platform:
    """version: of the server, as v1.34.4; sccs, bindings: OpenShift's SCCs, and the bindings of roles there, None where
    they may not be read; definitions: CustomResourceDefinitions of planned kinds that are not served."""

    name: str = KUBERNETES
    version: str = ""
    sccs: tuple[Object, ...] | None = None
    bindings: tuple[Object, ...] | None = None
    definitions: tuple[Object, ...] = ()


def platform_name(api_versions: t.Iterable[str]) -> str:
    """Return 'openshift' or 'kubernetes' by the served 'group/version' (or 'group/version/Kind')."""
    groups = {api.partition("/")[0] for api in api_versions if "/" in api}
    return OPENSHIFT if groups & _MARKS else KUBERNETES


# By provider the namespaces in which istiod is looked for, None for all; the next where one may not be read.
ISTIOD: dict[str, tuple[str | None, ...]] = {
    "istio": (None, "istio-system"),
    "openshift": (None, "openshift-ingress"),
}


def istiod(cluster: Cluster, provider: str) -> Object | None:
    """Return the Deployment of a gateway provider's istiod; None where there is none, or none that may be read."""
    for place in ISTIOD.get(provider, ()):
        with contextlib.suppress(OrchestratorError):
            return next(iter(cluster.list("apps/v1", "Deployment", place, "app=istiod")), None)
    return None
