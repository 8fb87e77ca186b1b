# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The permissions that a stack's model needs, read from the cluster and added to the model's facts."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..components.base import UPLOAD
from ..components.gateway import gateway_of
from ..model.model import StackModel
from ..model.permissions import Access, compact
from ..model.platform import ISTIOD
from .needs import Scope, kinds_of, needs
from .read import read_access

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster
    from ..helm.deployed import HelmRecords


# Rules that the variable llm_d_access is about.
ACCESS_RULES = ("LLMD74", "LLMD76")


def add_access(
    model: StackModel,
    cluster: Cluster,
    inventory: HelmRecords,
    result: Object,
    present: t.Mapping[str, t.Sequence[Object]],
) -> None:
    """Add to the model's facts what it needs and is not permitted.

    result: the stack as plain data; present: objects of releases as they are, by release.
    """
    told = gateway_of(result)
    namespace, gateway = result["namespace"], told["namespace"] or result["namespace"]
    spaces = model.facts.objects.get("Namespace")
    live = {body["metadata"]["name"] for body in spaces or [] if body["metadata"].get("uid")}
    parts = result.get("parts") or []
    more = tuple(sorted({part["namespace"] for part in parts}))
    fed = tuple(sorted({part["namespace"] for part in parts if part["kind"] == UPLOAD}))
    unseen = sorted({namespace, namespace if told["adopted"] else gateway, *more} - live)
    # A namespace that may not be looked at may be absent too: an administrator is given it as well.
    absent = frozenset(unseen if spaces is not None else ())
    istio, adopted = told["provider"] in ISTIOD, told["adopted"]
    scope = Scope(namespace, gateway, absent, istio, adopted, result["route_gateway"]["namespace"])
    scope = dataclasses.replace(scope, more=more, fed=fed, locked=bool((result.get("lock") or {}).get("namespaces")))
    applied = [item for item in model.planned if item.by is None]
    wanted = needs(applied, kinds_of(inventory.discovery), scope, present)
    model.facts = dataclasses.replace(model.facts, access=read_access(cluster, wanted, unseen))


def access_report(model: StackModel | None) -> Object:
    """Return {user, missing, unknown, role_yaml} for a plan; missing, unknown: one permission a line."""
    access = (model.facts.access if model else None) or Access()
    lines = {name: [compact([need]) for need in getattr(access, name)] for name in ("missing", "unknown")}
    return {"user": access.user, **lines, "role_yaml": access.role}
