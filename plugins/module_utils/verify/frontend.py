# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A shared frontend: its Service and pods, which models each pod lists, and why one does not list a model."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pools import Check, failed, is_ready, labels_of, matches
from . import routes, tally, verdict, workers
from .commands import Ask, WayIn, completion
from .http import Http, HttpTarget, PodTarget, TransportError
from .prober import METRICS_TIMEOUT, Options
from .verdict import Answer
from .workers import Worker

# lib/llm/src/namespace.rs: a frontend in one of these sees the workers of all Dynamo namespaces.
GLOBAL_SPACES = ("", "dynamo")


@dataclasses.dataclass
class FrontedModel:
    """A model of a frontend, and what was seen of it. spec: name, model, graph, namespace, roles."""

    spec: Object
    workers: list[Worker] = dataclasses.field(default_factory=list)
    answer: Answer = dataclasses.field(default_factory=lambda: Answer(0, error="it was not called"))
    kind: str = "completions"
    seconds: list[float] = dataclasses.field(default_factory=list)
    first_token: float | None = None
    extra: list[Check] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """The model's short name."""
        return self.spec["name"]

    @property
    def serves(self) -> bool:
        """Whether the last answer was the right one."""
        return self.answer.status == 200 and self.answer.model == self.spec["model"]

    @property
    def owner(self) -> tally.Owner:
        """The model with its workers."""
        return tally.Owner(self.name, self.workers)

    @property
    def prefills(self) -> bool:
        """Whether it has workers that prefill."""
        return any(one.prefill for one in self.workers)


class Frontend:
    """A frontend with its models. told: as a stack tells of it."""

    def __init__(self, cluster: t.Any, options: Options, told: Object) -> None:
        self.cluster, self.options, self.told = cluster, options, told
        self.name, self.namespace, self.port = told["name"], told["namespace"], int(told.get("port") or 8000)
        specs = ({"namespace": self.namespace, **model} for model in told.get("models") or [])
        self.models = [FrontedModel({**spec, "model": spec.get("model") or spec["name"]}) for spec in specs]
        # What each pod of the frontend lists, and why one does not say.
        self.listing: dict[str, list[str]] = {}
        self.mute: dict[str, str] = {}
        self._https: dict[str, Http] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the Service and the pods."""
        spaces = dict.fromkeys([self.namespace, *(one.spec["namespace"] for one in self.models)])
        self.service = routes.service_named(self.cluster, self.namespace, self.told["service"])
        self.pods = [
            pod for space in spaces for pod in self.cluster.list("v1", "Pod", space, label_selector=workers.GRAPH_LABEL)
        ]
        self.workers = workers.workers_of(self.pods)
        for one in self.models:
            place = (one.spec["namespace"], one.spec["graph"])
            one.workers = [worker for worker in self.workers if worker.owner == place]

    @property
    def title(self) -> str:
        """The frontend for a message."""
        return f"Service {self.namespace}/{self.told['service']} port {self.port}"

    def targets(self) -> list[HttpTarget]:
        """Return the ways to the frontend's ready pods, or its address."""
        if self.service is None:
            return []
        if self.options.via == "address":
            return [HttpTarget("http", routes.service_address(self.service), self.port)]
        return [
            PodTarget(self.cluster.client, self.namespace, *found)
            for found in routes.forward_targets(self.service, self.port, self.pods)
        ]

    def shown(self, one: FrontedModel) -> Ask:
        """Return a request for a model that people can send."""
        way = WayIn(self.namespace, self.told["service"], self.port)
        if self.service is not None and self.options.via == "address":
            way = WayIn(address=f"http://{routes.service_address(self.service)}:{self.port}")
        chat = one.kind == "chat"
        path = "/v1/chat/completions" if chat else "/v1/completions"
        return Ask(way, path, completion(one.spec["model"], chat))

    def check(self) -> Check:
        """Judge the frontend's Service and pods."""
        subject = {"name": self.name}
        if self.service is None:
            hint = "The operator creates it: check the frontend's DynamoGraphDeployment and the operator's log."
            return failed(subject, "frontend", f"{self.title} does not exist", hint, claim=False)
        if not self.targets():
            hint = "Check the events and logs of the frontend's pod."
            return failed(subject, "frontend", f"{self.title} has no ready pod behind it", hint, claim=False)
        if not self.listing:
            name, why = min(self.mute.items())
            hint = "Check the log of the frontend's pod."
            return failed(subject, "frontend", f"GET /v1/models of {name} failed: {why}", hint, claim=False)
        return Check(self.name, "frontend", True, f"{self.title} answers")

    def list_models(self) -> None:
        """Ask each pod of the frontend which models it has."""
        self.listing, self.mute = {}, {}
        for target in self.targets():
            http = self._https.setdefault(target.text, Http(target))
            try:
                reply = http.request("GET", "/v1/models", timeout=METRICS_TIMEOUT)
            except TransportError as exc:
                self.mute[target.host] = str(exc)
                continue
            value = reply.json()
            entries = value.get("data") if isinstance(value, dict) else None
            if reply.status == 200 and isinstance(entries, list):
                self.listing[target.host] = [str(item.get("id")) for item in entries if isinstance(item, dict)]
            else:
                self.mute[target.host] = f"{reply.status} {reply.text()[: verdict.EXCERPT]}"

    def missing(self, one: FrontedModel) -> list[str]:
        """Return the frontend's pods that do not list a model."""
        return [pod for pod, names in self.listing.items() if one.spec["model"] not in names]

    def cause(self, one: FrontedModel) -> tuple[str, str]:
        """Return why a frontend may not see a model's workers, "" where the objects do not tell, and what to do."""
        if not any(worker.ready for worker in one.workers):
            return "none of its workers is ready", "See the finding on pods below."
        selector = self.service["spec"].get("selector") or {} if self.service else {}
        seeing = {workers.space_of(pod) for pod in self.pods if is_ready(pod) and matches(labels_of(pod), selector)}
        spaces = {worker.space for worker in one.workers}
        if seeing and spaces and not seeing & (spaces | set(GLOBAL_SPACES)):
            detail = (
                f"the frontend looks for workers only in Dynamo namespace {listed(sorted(seeing))}, but this model's "
                f"register in {listed(sorted(spaces))}"
            )
            hint = (
                "Let the frontend see all of them: dynamoNamespace: dynamo on its service up to 0.6, "
                "globalDynamoNamespace: true since 0.7."
            )
            return detail, hint
        elsewhere = {worker.namespace for worker in one.workers} - {self.namespace}
        if elsewhere:
            detail = (
                f"its workers are in namespace {listed(sorted(elsewhere))}, but the frontend is in {self.namespace}"
            )
            return detail, "With discovery by Kubernetes (since 0.8) a frontend sees the workers of its own namespace."
        return "", (
            "Its workers are ready, but not registered: read their logs and the frontend's (model card, discovery "
            "backend; frontend and workers need the same one)."
        )

    def check_list(self, one: FrontedModel) -> Check:
        """Judge that each pod of the frontend lists a model."""
        missing = self.missing(one)
        if self.listing and not missing:
            return Check(one.name, "model_list", True, "/v1/models lists it")
        names = {name for listing in self.listing.values() for name in listing}
        detail = f"/v1/models of {listed(missing) or self.title} does not list {one.spec['model']}"
        detail += f"; it lists {listed(sorted(names), 6) or 'nothing'}"
        why, hint = self.cause(one)
        return Check(one.name, "model_list", False, f"{detail}; {why}" if why else detail, hint)

    def hint(self, one: FrontedModel) -> str:
        """Return what to do about a model that does not answer."""
        status = one.answer.status
        if self.missing(one) or not self.listing:
            return "See the findings on frontend, model_list and pods below."
        if status == 404:
            return "The frontend listed the model and lost it: its workers come and go, or its card was rejected."
        if status == 200:
            return (
                "Another model's workers answered: see served_by, and use a separate Dynamo namespace for each model."
            )
        if status in (401, 403):
            return "The frontend requires credentials: allow this client."
        return "Read the logs of the frontend's pod and of the model's workers."

    def close(self) -> None:
        """Close what is open."""
        for http in self._https.values():
            http.close()
