# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about dynamic resource allocation: claims and their templates, device classes, and the devices there are."""

from __future__ import annotations

import collections
import dataclasses
import re
import typing as t

from ...base.data import Object, dicts, dig, mapping, number
from ...base.findings import Finding
from ...base.names import did_you_mean
from ...model.items import Item
from ...model.model import StackModel, pod_specs
from ..base import Rule, Side, finding, listed, rule_factory

CLASS, SLICE, CLAIM, TEMPLATE = "DeviceClass", "ResourceSlice", "ResourceClaim", "ResourceClaimTemplate"
# The only selector that says a class's driver for certain; anything else is CEL, which the scheduler evaluates.
_DRIVER = re.compile(r"\s*device\.driver\s*==\s*(['\"])(?P<driver>[^'\"]+)\1\s*\Z")


@dataclasses.dataclass(frozen=True)
class Request:
    """What a claim asks for. classes: any of these device classes; count: devices, 0 where that is not a number."""

    classes: tuple[str, ...]
    count: int
    side: Side


@dataclasses.dataclass(frozen=True)
class PodClaim:
    """A claim of a planned workload's pods. kind, name: of the object that it refers to; pods: how many there are."""

    kind: str
    name: str
    pods: int
    side: Side


def asks_for_devices(body: Object) -> bool:
    """Return whether an object's pods have resource claims: only then is the cluster asked about them."""
    spec = mapping(body.get("spec"))
    group = mapping(spec.get("leaderWorkerTemplate"))
    templates = [spec.get("template"), group.get("leaderTemplate"), group.get("workerTemplate")]
    return any(mapping(mapping(one).get("spec")).get("resourceClaims") for one in templates)


def _claims(model: StackModel) -> t.Iterator[PodClaim]:
    for item in model.planned:
        group = mapping(item.spec.get("leaderWorkerTemplate"))
        size = (number(group.get("size")) or 1) if group else 1
        replicas = number(item.spec.get("replicas", 1))
        for path, spec in pod_specs(item):
            leader = "leaderTemplate" in path
            own = 1 if leader else size - 1 if "leaderTemplate" in group else size
            for index, ref in enumerate(dicts(spec.get("resourceClaims"))):
                side = _side(item, (*path, "resourceClaims", index))
                for kind, field in ((TEMPLATE, "resourceClaimTemplateName"), (CLAIM, "resourceClaimName")):
                    if ref.get(field):
                        yield PodClaim(kind, str(ref[field]), own * (1 if replicas is None else replicas), side)


def _side(item: Item, path: tuple, *more: t.Any) -> Side:
    """Return the place of a claim: the role's own where the user has written one, else the accelerator's type."""
    role = next((role for role in ("decode", "prefill") if item.name.endswith(role)), "")
    written = any(mapping(layer.values.get(role)).get("resourceClaims") for layer in item.layers)
    if written and not more:
        return Side(item, path, role, ("resourceClaims",))
    own = any(mapping(mapping(layer.values.get(role)).get("accelerator")) for layer in item.layers)
    return Side(item, path, "values", (role, "accelerator", "type") if own else ("accelerator", "type"))


def _requests(item: Item) -> t.Iterator[Request]:
    """Yield what a claim or a claim template asks for, in any version of the API."""
    inner = mapping(item.spec.get("spec")) if item.kind == TEMPLATE else item.spec
    where = ("spec", "spec") if item.kind == TEMPLATE else ("spec",)
    for index, one in enumerate(dicts(mapping(inner.get("devices")).get("requests"))):
        exact = mapping(one.get("exactly")) or one
        options = dicts(one.get("firstAvailable")) or [exact]
        classes = tuple(str(option["deviceClassName"]) for option in options if option.get("deviceClassName"))
        counted = len(options) == 1 and exact.get("allocationMode", "ExactCount") == "ExactCount"
        count = number(options[0].get("count", 1)) if counted and not exact.get("adminAccess") else None
        yield Request(classes, count or 0, _side(item, (*where, "devices", "requests", index), True))


def _used(model: StackModel) -> dict[tuple[str, str, str], list[PodClaim]]:
    users: dict[tuple[str, str, str], list[PodClaim]] = collections.defaultdict(list)
    for claim in _claims(model):
        users[(claim.kind, claim.name, claim.side.item.namespace)].append(claim)
    return users


def claims_exist(model: StackModel) -> t.Iterator[Finding]:
    for (kind, name, namespace), users in _used(model).items():
        if model.exists(kind, name, namespace) is False:
            known = [item.name for item in model.items(kind) if item.namespace == namespace]
            who = listed(one.side.item.name for one in users)
            text = f"{kind} {name} not found in namespace {namespace}; {who} needs it."
            yield finding(text + did_you_mean(name, known), tuple(u.side for u in users), (kind, namespace, name))


def classes_exist(model: StackModel) -> t.Iterator[Finding]:
    for (kind, name, namespace), users in _used(model).items():
        item = model.find(kind, name, namespace)
        for request in _requests(item) if item else ():
            missing = [one for one in request.classes if model.exists(CLASS, one) is False]
            if missing and len(missing) == len(request.classes):
                known = [one.name for one in model.items(CLASS)]
                has = f"it has {listed(known)}" if known else "it has none"
                who = listed(one.side.item.name for one in users)
                text = f"DeviceClass {' or '.join(missing)} not found; {who} claims devices of it; {has}."
                sides = (request.side, *(one.side for one in users))
                yield finding(text, sides, (CLASS, *missing))


def _driver(model: StackModel, name: str) -> str:
    """Return the driver whose devices a class selects, '' where its selectors do not say that alone."""
    item = model.find(CLASS, name)
    selectors = dicts(item.spec.get("selectors")) if item else []
    found = [_DRIVER.match(str(mapping(one.get("cel")).get("expression"))) for one in selectors]
    return found[0]["driver"] if len(found) == 1 and found[0] else ""


def _devices(model: StackModel) -> t.Counter[str]:
    """Return how many devices of each driver the cluster's slices have, those of the newest generation of a pool."""
    newest: dict[tuple[str, str], int] = {}
    slices = [item.spec for item in model.items(SLICE)]
    for spec in slices:
        pool = mapping(spec.get("pool"))
        key = (str(spec.get("driver")), str(pool.get("name")))
        newest[key] = max(newest.get(key, 0), number(pool.get("generation")) or 0)
    found: t.Counter[str] = collections.Counter()
    for spec in slices:
        pool = mapping(spec.get("pool"))
        if (number(pool.get("generation")) or 0) == newest[(str(spec.get("driver")), str(pool.get("name")))]:
            found[str(spec.get("driver"))] += len(dicts(spec.get("devices")))
    return found


def _allocated(model: StackModel) -> t.Counter[str]:
    """Return how many devices of each driver others have, claims of the plan's own pods left out."""
    named = {(namespace, name) for kind, name, namespace in _used(model) if kind == CLAIM}
    owners = {(item.namespace, item.name) for item in model.planned}
    found: t.Counter[str] = collections.Counter()
    for claim in (item for item in model.items(CLAIM) if item.live and (item.namespace, item.name) not in named):
        pods = [str(one.get("name")) for one in dicts(mapping(claim.body.get("metadata")).get("ownerReferences"))]
        # Pods are named after what makes them: NAME-HASH-ID, NAME-0.
        if any(home == claim.namespace and pod.startswith(f"{name}-") for pod in pods for home, name in owners):
            continue
        results = dig(claim.body, ("status", "allocation", "devices", "results"))
        found.update(str(one.get("driver")) for one in dicts(results) if not one.get("adminAccess"))
    return found


def devices_enough(model: StackModel) -> t.Iterator[Finding]:
    """All pods of the plan together claim no more devices of a driver than the cluster has."""
    if SLICE not in model.facts.objects:
        return
    wanted: t.Counter[str] = collections.Counter()
    sides: dict[str, list[Side]] = collections.defaultdict(list)
    for (kind, name, namespace), users in _used(model).items():
        item = model.find(kind, name, namespace)
        pods = sum(one.pods for one in users) if kind == TEMPLATE else 1
        for request in _requests(item) if item and pods else ():
            driver = _driver(model, request.classes[0]) if len(request.classes) == 1 else ""
            wanted[driver] += pods * request.count
            sides[driver] += [one.side for one in users]
    there, taken = _devices(model), _allocated(model)
    for driver in sorted(filter(None, wanted)):
        if wanted[driver] > there[driver] - taken[driver]:
            text = f"the plan's pods claim {wanted[driver]} devices of driver {driver}, "
            text += f"the cluster's ResourceSlices have {there[driver]}"
            text += f", of which {taken[driver]} are in use by others" if taken[driver] else ""
            remedy = "" if there[driver] else f"run the driver {driver} on the nodes with such devices"
            yield finding(text, tuple(sides[driver]), ("devices", driver), remedy)


_rule = rule_factory("LLMD6")
_SOURCE = "Kubernetes, Dynamic Resource Allocation; llm-d-modelservice, accelerator.dra"
_PENDING = "The pod stays Pending"

RULES: tuple[Rule, ...] = (
    _rule(
        8,
        "Resource claims exist",
        claims_exist,
        "Each ResourceClaim and ResourceClaimTemplate that pods name is in the cluster or made by the plan.",
        f"{_PENDING}: its claim is never created; only the pod's events show why.",
        "create the claim or its template in that namespace, or correct its name in resourceClaims",
        _SOURCE,
    ),
    _rule(
        9,
        "Device classes exist",
        classes_exist,
        "The DeviceClass of each claim is in the cluster.",
        f"{_PENDING}: the scheduler finds no such DeviceClass. The device's driver brings it.",
        "install the device's DRA driver, which makes the class, or set accelerator.dra: false where nodes have a "
        "device plugin instead",
        _SOURCE,
    ),
    rule_factory("LLMD7")(
        10,
        "There are as many devices as are claimed",
        devices_enough,
        "Where a DeviceClass selects only a driver's devices, its ResourceSlices have as many as the pods of the plan "
        "claim, without those allocated to other claims, as far as these may be read.",
        f"{_PENDING}: cannot allocate all claims.",
        "use fewer replicas or devices, or llm_d_capacity: warn where nodes with such devices are added when needed",
        _SOURCE,
    ),
)
