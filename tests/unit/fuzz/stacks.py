# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound stacks and a cluster to be broken, and all of planning that reads them without asking a cluster."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.access.needs import Scope, needs
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.fit import capacity_report
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import Action, identity, owner_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.fingerprints import listed
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.compare import (
    differs,
    is_built_in,
    patch_of,
    same_after,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.image_check import hinted, images_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.facts import facts_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.platform import OPENSHIFT, Platform
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.room import Capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.serving import served
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.scc import RESTRICTED_V2
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.shape import objects_in
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import FAILED, check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer
from capacity import world as room
from rules import rendered

COMPONENTS = {"infra": "gateway", "gaie": "gaie", "ms": "modelservice"}
KINDS = {("", "Service"): ("services", True), ("apps", "Deployment"): ("deployments", True)}


@functools.cache
def stack(name: str) -> tuple[rendered.Stack, dict[str, list[Any]]]:
    """Return a sound stack and its rendered objects by release."""
    made = rendered.STACKS[name]()
    objects = {
        release: rendered.render(COMPONENTS[release.partition("-")[0]], release, rendered.NAMESPACE, values)
        for release, values in made.values.items()
    }
    return made, objects


def model_of(name: str, objects: dict[str, Any], live: dict[str, Any] | None = None) -> StackModel:
    """Return the model of a stack whose releases render to these objects, on a cluster with room, quotas and SCCs."""
    made = stack(name)[0]
    parts = []
    for release in made.values:
        documents = objects.get(release)
        found, misfits = objects_in(documents if isinstance(documents, list) else [documents])
        layer = Layer(made.values[release], f"values of {release}")
        component = COMPONENTS[release.partition("-")[0]]
        parts.append(RenderedRelease(component, release, rendered.NAMESPACE, found, layers=[layer], misfits=misfits))
    facts = facts_of(live if live is not None else made.objects, made.served)
    facts = dataclasses.replace(facts, inference_extension=True, gateway_version="1.28.1", gateway_api_version="v1.4.0")
    limits = [room.limit_range(default={"cpu": "1"}, max={"cpu": "64"})]
    quotas = [room.quota({"pods": "100", "requests.cpu": "64", "limits.memory": "1Ti"}, {"pods": "3"})]
    pods = [room.pod("other", "one", {"cpu": "1", room.GPU: "1"}, namespace="team")]
    nodes = [
        room.node("one", 8),
        room.node("two", 8, labels={"zone": "b"}, taints=[{"key": "a", "effect": "NoSchedule"}]),
    ]
    platform = Platform(OPENSHIFT, "v1.34.4", (RESTRICTED_V2,), ())
    capacity = Capacity(nodes=nodes, pods=pods, quotas=quotas, limits=limits)
    facts = dataclasses.replace(facts, capacity=capacity, platform=platform)
    return build_model(parts, list(made.routes.values()), list(made.expected.values()), facts)


def read_all(name: str, objects: dict[str, Any], live: dict[str, Any] | None = None) -> list[Finding]:
    """Let everything read a stack's rendered objects; return what the rules find. No rule may fail."""
    model = model_of(name, objects, live)
    found = check(model)
    failed = [one.message for one in found if one.key[:1] == (FAILED,)]
    assert not failed, failed
    assert all(one.text() and one.as_dict() for one in found)
    capacity_report(model)
    needs(model.planned, KINDS, Scope(rendered.NAMESPACE, rendered.NAMESPACE))
    rows = [{"name": "a", "model": "a", "release": "ms-a", "labels": {}, "port": 1, "roles": {}, "workloads": {}}]
    pools = [{"name": "gaie-a", "selector": {}, "target_ports": [], "endpoint_picker": ""}]
    served({"models": rows, "pools": pools}, model)
    bodies = [item.body for item in model.planned]
    images_of(bodies)
    hinted(bodies, "registry.example.com")
    listed(bodies)
    _changes(bodies, {identity(body): body for documents in stack(name)[1].values() for body in documents})
    return found


def _changes(bodies: list[dict[str, Any]], live: dict[Any, dict[str, Any]]) -> None:
    """Hold each object against the sound one of its name, both ways round."""
    for body in bodies:
        there = live.get(identity(body), body)
        if body == there:
            continue
        for wanted, found in ((body, there), (there, body)):
            differs(wanted, found)
            patch_of(found, wanted, found)
            same_after(found, wanted)
            is_built_in(wanted)
            action = Action("gaie", "gaie-a", wanted, "update", live=found)
            owner_of(wanted, found, "gaie-a", rendered.NAMESPACE)
            action.show(found, wanted)
            action.diff()
            action.as_dict()
