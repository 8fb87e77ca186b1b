# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a DynamoGraphDeployment is ready: by its children as it asks for them now, then by its own conditions.

Its state alone says too little: up to 0.9 it names no generation, and is `successful` while pods of the graph before
still count (ai-dynamo/dynamo issue 3567), or where nothing was made at all (ai-runway/airunway issue 23).
"""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, mapping
from .conditions import NOT_SEEN, State, object_state
from .graph_pods import MAIN
from .graphs import GRAPH_LABEL, SERVICE_LABEL, Graph, Service, graph, is_graph
from .pods import pod_state

Listed = t.Callable[[str, str, str], t.Iterable[Object]]
Judge = t.Callable[[Object], State]
DEPLOYMENT = ("apps/v1", "Deployment")
# What a container has to have as its graph says, so that it is of this graph and not of the one before.
_SAME = ("image", "command", "args")


def whole_state(item: Object, listed: Listed) -> State:
    """Return an object's readiness, of a graph with its children. listed: objects by apiVersion, kind and namespace."""
    if not is_graph(item):
        return object_state(item)
    namespace = item["metadata"].get("namespace") or ""
    children = [{**one, "kind": DEPLOYMENT[1]} for one in listed(*DEPLOYMENT, namespace)]
    return graph_state(item, children, listed("v1", "Pod", namespace), object_state)


def graph_state(item: Object, deployments: t.Iterable[Object], pods: t.Iterable[Object], judge: Judge) -> State:
    """Return a graph's readiness. deployments, pods: of its namespace; judge: says whether a Deployment is ready."""
    said = graph(item, "")
    own = object_state(item)
    if item["metadata"].get("deletionTimestamp") or own.head == NOT_SEEN:
        return own
    if not said.services:
        return State(False, "it has no services, so nothing is created", failed=True)
    mine, placed = [one for one in deployments if _of(one, said)], [one for one in pods if _of(one, said)]
    states = [(service, _service_state(service, mine, placed, judge)) for service in said.services]
    bad = [(service, state) for service, state in states if not state.ready]
    if not bad:
        return own
    details: list[tuple[str, str]] = []
    for service, state in bad:
        details += [(f"service {service.name}", state.head), *state.details]
    head = f"{len(states) - len(bad)} of {len(states)} services ready"
    if own.failed:
        details.append(("", own.text))
    found = [state for _service, state in bad]
    return State(
        False,
        head,
        failed=own.failed or any(state.failed for state in found),
        certain=any(state.certain for state in found),
        unplaced=any(state.unplaced for state in found),
        details=tuple(details),
    )


def _of(child: Object, said: Graph) -> bool:
    return _label(child, GRAPH_LABEL) == said.name


def _label(child: Object, name: str) -> str:
    return str(mapping(child["metadata"].get("labels")).get(name) or "")


def _service_state(service: Service, deployments: list[Object], pods: list[Object], judge: Judge) -> State:
    """Return the state of one service, by its Deployments or, where another controller makes them, by its pods."""
    mine = [one for one in deployments if _label(one, SERVICE_LABEL) == service.name]
    if not mine:
        return _pods_state(service, [one for one in pods if _label(one, SERVICE_LABEL) == service.name])
    now = [one for one in mine if _as_asked(one, service)]
    if not now:
        return State(False, "its Deployment is still that of the previous graph")
    waiting = next((state for one in now if not (state := judge(one)).ready), None)
    if waiting is not None:
        return waiting
    old = [one for one in mine if one not in now and mapping(one.get("spec")).get("replicas")]
    if old:
        return State(False, f"{len(old)} Deployment(s) of the previous graph are not yet deleted")
    return State(True)


def _pods_state(service: Service, pods: list[Object]) -> State:
    """Return the state of a service whose pods are made by another controller than of Deployments, as by Grove."""
    wanted = service.replicas * service.nodes
    if not wanted:
        return State(True)
    states = [pod_state(one) for one in pods if not one["metadata"].get("deletionTimestamp")]
    ready = sum(state.ready for state in states)
    if ready >= wanted:
        return State(True)
    if not pods:
        return State(False, "its operator has not created anything yet")
    stuck = next((state for state in states if state.stuck), None)
    text = f"{ready} of {wanted} pods ready" + (f"; {stuck.text}" if stuck else "")
    return State(False, text, failed=stuck is not None, certain=bool(stuck and stuck.certain))


def _as_asked(deployment: Object, service: Service) -> bool:
    """Return whether a Deployment is what the graph asks for now."""
    spec = mapping(deployment.get("spec"))
    scaled = service.body.get("scalingAdapter") or service.body.get("autoscaling")
    if not scaled and service.nodes == 1 and spec.get("replicas", 1) != service.replicas:
        return False
    main = _main(mapping(mapping(spec.get("template")).get("spec")).get("containers"))
    asked = mapping(mapping(service.body.get("extraPodSpec")).get("mainContainer")) or _main(
        mapping(mapping(service.body.get("podTemplate")).get("spec")).get("containers")
    )
    # Of several nodes, the operator writes other arguments for each.
    fields = _SAME if service.nodes == 1 else _SAME[:1]
    if any(asked.get(field) and asked[field] != main.get(field) for field in fields):
        return False
    there = {one.get("name"): one.get("value") for one in dicts(main.get("env"))}
    wanted = [one for one in (*dicts(asked.get("env")), *dicts(service.body.get("envs"))) if "value" in one]
    return all(one["value"] == there.get(one.get("name")) for one in {one.get("name"): one for one in wanted}.values())


def _main(containers: t.Any) -> Object:
    return next((one for one in dicts(containers) if one.get("name") == MAIN), {})
