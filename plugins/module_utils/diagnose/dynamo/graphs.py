# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: graphs of NVIDIA Dynamo whose frontend, workers and models do not find each other or do not
start. What a plan's rules say of graphs is said of those that are there too, where no condition shows it."""

from __future__ import annotations

import typing as t

from ...base.data import Object, dicts, mapping, number
from ...base.words import duration, listed, sentence
from ...components.dynamo_lines import COMPONENT
from ...model.items import RenderedRelease, RuleFacts
from ...model.model import StackModel, build_model
from ...objects.conditions import object_state
from ...objects.graphs import FRONTEND, GRAPH_LABEL, SERVICE_LABEL, Graph
from ...objects.graphs import KIND as GRAPH
from ...objects.pods import condition, container_states, ended
from ...objects.servers import flag, words
from ...rules.dynamo import namespaces
from ..base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof, event_of, event_text, said
from ..evidence import Evidence, clean, ref
from ..log_rules import Rules, log_rule
from .operators import graphs, line_of

_SOURCE = "ai-dynamo/dynamo"
BACKEND = "DYN_DISCOVERY_BACKEND"
TYPE = "nvidia.com/dynamo-component-type"
_KILLED = (137, 143)

LOGS: Rules = (
    log_rule(
        865, "Dynamo downloads a loaded model a second time, and Hugging Face rejects the request",
        r"(?:dynamo_llm::hub|model[-_ ]?express).*(?:\b429\b|\b504\b|too many requests|gateway time-?out)",
        "The worker of 0.5.1 fetches the repository again when it registers the model, after the engine is up; the "
        "engines of all workers have already used up the limit.",
        "Put the model on a claim and set its folder (pvc and model of the entry in dynamo_models), which avoids the "
        "second download; or use 0.5.0.",
        f"{_SOURCE}#3643, #3644",
    ),
    log_rule(
        866, "The download of the model fails in Hugging Face's XET storage",
        r"content-range (?:header )?is missing|\.xethub\.hf\.co.*\b403\b|\b403\b.*\.xethub\.hf\.co",
        "The downloader of Dynamo up to 1.1 cannot read repositories that Hugging Face keeps in XET.",
        "Use a runtime of 1.2.1 or later, or put the model on a claim (pvc of the entry in dynamo_models).",
        "ai-dynamo/modelexpress#503",
    ),
)  # fmt: skip


def _model(evidence: Evidence) -> StackModel:
    """Return the live graphs as the model of a stack, as their operator reads them."""
    facts = RuleFacts(told={"dynamo": {"version": line_of(evidence)}})
    return build_model([RenderedRelease("", "", evidence.namespace, evidence.of(GRAPH))], facts=facts)


def read(evidence: Evidence) -> list[Graph]:
    """Return the namespace's graphs, [] where no operator is known that reads them."""
    if not line_of(evidence):
        return []
    return [one.graph for one in _model(evidence).graphs if one.graph.namespace == evidence.namespace]


def _by_plan(check: t.Callable[[StackModel], t.Iterable[t.Any]]) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() that says of live graphs what a rule of the plan says of planned ones."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        if not line_of(evidence):
            return
        for found in check(_model(evidence)):
            about = [ref(item) for item in evidence.of(GRAPH) if "{} {}/{}".format(*ref(item)) in found.about]
            remedy = sentence(found.hint)
            yield Proof(tuple(about), clean(found.message), found.message, remedy=remedy)

    return find


def _pods(evidence: Evidence) -> list[tuple[Object, Object, Object]]:
    """Return (pod, its labels, its main container) of graphs' pods."""
    rows = []
    for pod in evidence.pods:
        labels = mapping(pod["metadata"].get("labels"))
        if labels.get(GRAPH_LABEL):
            containers = dicts(mapping(pod.get("spec")).get("containers"))
            main = next((one for one in containers if one.get("name") == "main"), containers[0] if containers else {})
            rows.append((pod, labels, main))
    return rows


def _backend(container: Object) -> str:
    env = {str(one.get("name")): str(one.get("value") or "") for one in dicts(container.get("env"))}
    return flag(words(container), "discovery-backend") or env.get(BACKEND, "")


def _backends(evidence: Evidence) -> t.Iterator[Proof]:
    """Frontends and workers that look for each other in different places."""
    rows = [(pod, labels, _backend(container)) for pod, labels, container in _pods(evidence)]
    fronts = {backend for _pod, labels, backend in rows if labels.get(TYPE) == FRONTEND and backend}
    lost = [row for row in rows if row[1].get(TYPE) != FRONTEND and row[2] and fronts and row[2] not in fronts]
    for pod, labels, backend in lost:
        name = labels[GRAPH_LABEL]
        text = f"{BACKEND} of {labels.get(SERVICE_LABEL)} in graph {name} is {backend}, that of the frontend "
        text += listed(sorted(fronts))
        yield Proof(((GRAPH, evidence.namespace, name), ref(pod)), text, f"{backend} {sorted(fronts)}")


def _budget(container: Object) -> int | None:
    probe = mapping(container.get("startupProbe"))
    if not probe:
        return None
    period, failures = number(probe.get("periodSeconds")) or 10, number(probe.get("failureThreshold")) or 3
    return (number(probe.get("initialDelaySeconds")) or 0) + period * failures


def _too_slow(evidence: Evidence) -> t.Iterator[Proof]:
    """Workers that their startup probe ends while they load."""
    for pod, labels, container in _pods(evidence):
        event = event_of(evidence, pod, "Unhealthy", pattern=r"^Startup probe") or event_of(
            evidence, pod, "Killing", pattern=r"failed startup probe"
        )
        died = [one for one in container_states(pod) if not one.get("ready") and ended(one).get("exitCode") in _KILLED]
        budget = _budget(container)
        if labels.get(TYPE) == FRONTEND or event is None or not died or budget is None:
            continue
        restarts = died[0].get("restartCount") or 0
        text = f"container {died[0].get('name')}: killed, {restarts} restarts; its startup probe allows"
        text += f" {duration(budget)}; {event_text(event)}"
        yield Proof((ref(pod),), text, labels[GRAPH_LABEL], evidence.since(pod), container=str(died[0].get("name")))


def _left(evidence: Evidence) -> t.Iterator[Proof]:
    """Components of services that their graph does not have any more."""
    wanted = {one.name: {service.name for service in one.services} for one in read(evidence)}
    for item in evidence.of(COMPONENT):
        labels = mapping(item["metadata"].get("labels"))
        graph, service = str(labels.get(GRAPH_LABEL)), labels.get(SERVICE_LABEL)
        if graph in wanted and service and service not in wanted[graph] and "deletionTimestamp" not in item["metadata"]:
            kind, namespace, name = ref(item)
            text = f"{kind} {name} belongs to service {service}, which graph {graph} does not have"
            remedy = f"kubectl delete {kind.lower()} {name} -n {namespace}; its Deployment and GPUs go with it."
            yield Proof((ref(item),), text, name, evidence.since(item), remedy=remedy)


def _at_zero(evidence: Evidence) -> t.Iterator[Proof]:
    """Models all of whose workers are scaled to zero, in their graph or in the Deployments of it."""
    for one in read(evidence):
        asked = [service for service in one.workers if service.kind != "prefill"]
        if not asked or "deletionTimestamp" in one.body["metadata"]:
            continue
        found = [item for item in evidence.of("Deployment") if _of(item, one.name, {s.name for s in asked})]
        wanted = [number(mapping(item.get("spec")).get("replicas")) for item in found]
        if all(service.replicas == 0 for service in asked) or (wanted and not any(wanted)):
            names = listed(name for service in asked for name in service.names)
            text = f"all workers of graph {one.name} ({names}) are scaled to 0"
            yield Proof(((GRAPH, one.namespace, one.name), *map(ref, found)), text, one.name)


def _of(item: Object, graph: str, services: set[str]) -> bool:
    labels = mapping(item["metadata"].get("labels"))
    return labels.get(GRAPH_LABEL) == graph and labels.get(SERVICE_LABEL) in services


def _empty(evidence: Evidence) -> t.Iterator[Proof]:
    """Graphs that are called successful and have nothing."""
    for item in graphs(evidence) if line_of(evidence) else ():
        spec = mapping(item.get("spec"))
        if not (spec.get("services") or spec.get("components")) and condition(item, "Ready").get("status") == "True":
            yield Proof((ref(item),), f"graph {ref(item)[2]} is Ready but has no services", ref(item)[2])


def _pending(evidence: Evidence) -> t.Iterator[Proof]:
    """Graphs that their operator has refused."""
    for item in graphs(evidence):
        status, ready = mapping(item.get("status")), condition(item, "Ready")
        if status.get("state") == "failed":
            text = f"state failed: {clean(ready.get('message')) or 'no message'}"
            because = [ref(one) for one in evidence.of(COMPONENT) if _of_graph(one, ref(item)[2])]
            because += [ref(one) for one in evidence.of("Deployment") if _of_graph(one, ref(item)[2])
                        and not object_state(one).ready]  # fmt: skip
            yield Proof((ref(item),), text, ref(item)[2], evidence.since(item), tuple(because))


def _of_graph(item: Object, graph: str) -> bool:
    return mapping(item["metadata"].get("labels")).get(GRAPH_LABEL) == graph


RULES = (
    Diagnosis(
        "DIAG856", "Dynamo confuses the workers of two models", _by_plan(namespaces.crosstalk),
        "answers of another model under the requested name; no error anywhere",
        "Their workers register at the same namespace.component.endpoint, so requests are spread over all of them.",
        "Use a separate dynamoNamespace for each model, from 0.7 on a separate graph.",
        f"{_SOURCE}#3665, #7738, #4126",
    ),
    Diagnosis(
        "DIAG857", "The frontend of Dynamo does not look where the workers are", _by_plan(namespaces.blind_frontends),
        "frontend Ready, /v1/models is empty, 404 for each request",
        "A frontend sees its own Dynamo namespace, or all where it is in the one that is called dynamo. From 0.7 on"
        " dynamoNamespace is not read: the namespace is the graph's own.",
        "Put the frontend into the namespace that sees all: dynamoNamespace: dynamo up to 0.6, globalDynamoNamespace:"
        " true from 0.7 on.",
        f"{_SOURCE}, lib/llm/src/namespace.rs; #3008, #4126",
    ),
    Diagnosis(
        "DIAG858", "Frontend and workers of Dynamo are in different Kubernetes namespaces", _by_plan(namespaces.apart),
        "frontend Ready, /v1/models is empty",
        "From 0.8 on the frontend finds workers by the Kubernetes API, only in its own namespace.",
        "Put the frontend and its models into one namespace.",
        f"{_SOURCE}, lib/runtime/src/discovery/kube/daemon.rs",
    ),
    Diagnosis(
        "DIAG859", "Frontend and workers of Dynamo use different discovery backends", _backends,
        "frontend Ready, /v1/models is empty; DYN_DISCOVERY_BACKEND of frontend and workers differ",
        "Workers register in etcd and the frontend looks in Kubernetes, or the other way round.",
        "Set the same DYN_DISCOVERY_BACKEND for all services (or none, for the operator's).",
        f"{_SOURCE}#9200",
    ),
    Diagnosis(
        "DIAG863", "A worker of Dynamo takes longer to start than its startup probe allows", _too_slow,
        "exit code 137, event Unhealthy or Killing: startup probe; the worker restarts forever",
        "A worker is live only when its model is loaded; the probe of 0.5 gives it 10 minutes for download and load.",
        "Raise startup_timeout of the entry in dynamo_models, or in a graph extraPodSpec.mainContainer.startupProbe, "
        "its only place; or put the model on a claim (pvc).",
        f"{_SOURCE}, deploy/cloud/operator/internal/dynamo/graph.go; lib/runtime/src/system_status_server.rs",
    ),
    Diagnosis(
        "DIAG864", "A service that was removed from a Dynamo graph still runs", _left,
        "a DynamoComponentDeployment whose service is not in its graph; its pods keep their GPUs",
        "Operators up to 0.9 delete nothing when a service is removed from a graph, and requests still go to it.",
        "Delete the DynamoComponentDeployment.",
        f"{_SOURCE}#3379", WARNING,
    ),
    Diagnosis(
        "DIAG867", "A model of Dynamo has no worker", _at_zero,
        "all workers of a graph have 0 replicas; /v1/models does not list the model, 404",
        "A model is listed as long as one worker of it is registered.",
        "Scale at least one worker up, or remove the model.",
        f"{_SOURCE}#10753", WARNING,
    ),
    Diagnosis(
        "DIAG868", "A graph of Dynamo has no services", _empty,
        "DynamoGraphDeployment successful and Ready, but nothing was created",
        "The API server has dropped the fields that it does not know (another apiVersion's, or misspelt), and an "
        "operator reports a graph without services as successful.",
        "Write spec.services as the definition in the cluster has it: kubectl explain dynamographdeployment.spec.",
        "ai-runway/airunway#23; ai-dynamo/dynamo#1449",
    ),
    Diagnosis(
        "DIAG869", "The release is too large for Helm's record of it",
        said(r"(Too long: must (?:have at most|be no more than) 1048576)"),
        "helm: Secret sh.helm.release.v1... is invalid: data: Too long: must have at most 1048576 bytes",
        "Helm stores the whole chart in one Secret, and with Dynamo's CRDs in its templates that exceeds 1 MiB.",
        "Use the chart of 1.0 or later, which has them separately, or install the CRDs of 0.x only by "
        "dynamo_platform_crds_chart.",
        f"{_SOURCE}#6466",
    ),
    Diagnosis(
        "DIAG854", "The Dynamo operator rejects a graph", _pending,
        "DynamoGraphDeployment state failed, Ready=False: failed_to_reconcile_the_resources",
        "The condition's message has the operator's error.",
        "Correct the fields in the message.",
        f"{_SOURCE}, deploy/operator/internal/controller",
        ERROR, SYMPTOM,
    ),
)  # fmt: skip
