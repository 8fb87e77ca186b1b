# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What came of a request through a router, why, and what to do: its controller's errors and silences, explained."""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.words import listed
from ..objects.pools import is_ready, labels_of, matches
from . import routes, verdict
from .policy_config import PLACEHOLDER, RESTART
from .verdict import Answer

MANUAL, CLASSIFIER = "manual", "triton"
HEADER = "x-chosen-classifier"


@dataclasses.dataclass
class ClassRequest:
    """A request for a class, or by the classifier (no class), and what came of it."""

    policy: Object
    wanted: Object | None
    answer: Answer = dataclasses.field(default_factory=lambda: Answer(0, error="it was not called"))
    chosen: str = ""
    closed: bool = False
    # No answer came, in time or at all. Some port-forwards do not pass on that a server hung up.
    silent: bool = False

    @property
    def name(self) -> str:
        """The class, "" for the classifier's choice."""
        return str(self.wanted["name"]) if self.wanted else ""

    @property
    def strategy(self) -> str:
        """How the class is chosen."""
        return MANUAL if self.wanted else CLASSIFIER

    @property
    def meant(self) -> Object | None:
        """The class that has to answer: the one asked for, or the one that the header names."""
        return self.wanted or next((llm for llm in self.policy["llms"] if llm["name"] == self.chosen), None)

    @property
    def ok(self) -> bool:
        """Whether the header names the class, and the body the class's model."""
        meant = self.meant
        right = bool(meant) and self.chosen == t.cast(Object, meant)["name"]
        return self.answer.status == 200 and right and self.answer.model == t.cast(Object, meant)["model"]


class Causes:
    """Explains requests through a router of a namespace; reads the Services on their way."""

    def __init__(self, cluster: t.Any, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self._troubles: dict[str, str] = {}

    def told(self, course: ClassRequest) -> str:
        """Return what came for a request that was not answered as wanted."""
        answer, meant = course.answer, course.meant
        if course.closed:
            return f"the controller closed the connection without an answer ({answer.target})"
        if answer.status != 200:
            return f"{answer.asked} failed: {verdict.came(answer)}"
        if meant is None:
            return f"200, but {HEADER} is {course.chosen or 'empty'}, which is not a class of the policy"
        if course.chosen != meant["name"]:
            return f"200 for class {meant['name']}, but {HEADER} is {course.chosen or 'empty'}"
        return f"200 for class {meant['name']} from model {answer.model!r}, not {meant['model']!r}"

    def hint(self, course: ClassRequest) -> str:
        """Return what to do about a request that was not answered as wanted."""
        status, trouble = course.answer.status, self.trouble(course)
        if trouble:
            return trouble
        if course.silent:
            if course.wanted:
                return (
                    f"A controller does this if its model does not answer: api_base {course.wanted['api_base']} must "
                    "be reachable from its pod (namespace, name and port of the frontend's Service, no network "
                    "policy)."
                )
            return (
                "A controller does this if its classifier chose a class that the policy does not have: the position "
                "counts, so each policy needs all classes of its classifier, in the classifier's order. Or the chosen "
                "class's model does not answer at its api_base."
            )
        if status == 0:
            return "Read the log of the controller's pod."
        if course.chosen:
            return self._model_hint(course)
        if status == 400:
            return (
                "The controller could not read nim-llm-router in the body, or does not know the strategy: this is "
                "another version than v1, or something in between changes the body."
            )
        if status == 404:
            return f"The controller does not know the policy, or the class in it. {RESTART}"
        if status == 503:
            return (
                f"The classifier (Triton) does not answer at {course.policy.get('url') or 'its url'}: check the "
                "router server's pod, and the namespace and release in the policy's url."
            )
        if status >= 500:
            return (
                "The classifier (Triton) answers with an error: is the ensemble of the policy's url loaded? Read the "
                "router server's log: its pod needs the model repository, and Hugging Face for the tokenizer."
            )
        return "Read the log of the controller's pod."

    def _model_hint(self, course: ClassRequest) -> str:
        """Return what to do where a model's server answered through the controller, as the header shows."""
        status, meant = course.answer.status, course.meant
        if status == 200:
            return (
                f"The controller's configuration has another model for the class. {RESTART}"
                if meant and course.chosen == meant["name"]
                else f"The controller's configuration has another order of classes. {RESTART}"
            )
        if status in (404, 405):
            base = str((meant or {}).get("api_base") or "")
            if base.rstrip("/").endswith("/v1"):
                return "Remove /v1 from api_base: the controller adds the whole path, so that it requests /v1/v1/..."
            return f"The frontend does not serve {(meant or {}).get('model')}: use a name that its /v1/models lists."
        if status in (401, 403):
            return "The model's server rejects the api_key: check the Secret from which the controller reads it."
        return "The answer is the model server's, passed through: read the frontend's log."

    def trouble(self, course: ClassRequest) -> str:
        """Return what the cluster says against a request's way: a Service that is not there, or has no ready pod."""
        if course.silent or course.answer.status in (404, 502, 504):
            bases = [course.wanted["api_base"]] if course.wanted else [one["api_base"] for one in course.policy["llms"]]
        elif course.answer.status == 503 and not course.chosen:
            bases = [str(course.policy.get("url") or "")]
        else:
            return ""
        return next((text for text in map(self._service_trouble, dict.fromkeys(bases)) if text), "")

    def _service_trouble(self, url: str) -> str:
        if url not in self._troubles:
            try:
                self._troubles[url] = self._read_trouble(url)
            except OrchestratorError:  # what may not be read explains nothing
                self._troubles[url] = ""
        return self._troubles[url]

    def _read_trouble(self, url: str) -> str:
        if PLACEHOLDER.search(url):
            return f"{url} has a variable without a value: the controller's pod needs it in its environment."
        place = service_of(url, self.namespace)
        if place is None:
            return ""
        name, namespace, port = place
        service = routes.service_named(self.cluster, namespace, name)
        if service is None:
            if (urllib.parse.urlsplit(url).hostname or "").count(".") == 1 and self.cluster.get(
                "v1", "Namespace", namespace
            ) is None:
                return ""  # name.namespace, or a host outside of the cluster
            return f"{url} uses Service {name} of namespace {namespace}, which does not exist."
        ports = [entry["port"] for entry in service["spec"].get("ports") or []]
        if port not in ports:
            return (
                f"{url} uses port {port} of Service {namespace}/{name}, which has {listed(map(str, ports)) or 'none'}."
            )
        selector = service["spec"].get("selector") or {}
        pods = self.cluster.list("v1", "Pod", namespace) if selector else []
        if selector and not any(is_ready(pod) and matches(labels_of(pod), selector) for pod in pods):
            return f"{url} uses Service {namespace}/{name}, which has no ready pod behind it."
        return ""


def service_of(url: str, namespace: str) -> tuple[str, str, int] | None:
    """Return name, namespace and port of the Service that a URL names, None for what is outside of the cluster."""
    try:
        parsed = urllib.parse.urlsplit(url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
    except ValueError:
        return None
    parts = (parsed.hostname or "").split(".")
    if not parts[0] or all(part.isdigit() for part in parts) or (len(parts) > 2 and parts[2] != "svc"):
        return None
    return parts[0], parts[1] if len(parts) > 1 else namespace, port
