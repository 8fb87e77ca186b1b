# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the LLM Router's policies, as the controller comes to read them: rendered, with its environment."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import typing as t
import urllib.parse

from ...base import plain_yaml
from ...base.data import Object, dicts, dig, mapping, number
from ...base.findings import Finding, show_path
from ...base.names import did_you_mean
from ...model.items import Item
from ...model.model import StackModel
from ...objects.policies import ConfigMistake, Policy, expanded, misfits, policies_of
from ..base import Path, Side, finding, listed, made, rule_factory
from .router import FILE, config_volume, container_of, deployments


@dataclasses.dataclass(frozen=True)
class Config:
    """What a controller reads: the config map's file as data, and the variables that it replaces in it."""

    controller: Item
    item: Item
    text: str
    data: t.Any
    environment: dict[str, str | None]

    @property
    def policies(self) -> list[Policy]:
        """Its policies, with variables replaced."""
        return policies_of(_expanded(self.data, self.environment))

    def side(self, path: Path) -> Side:
        """Return the place of what stands at a path of the file."""
        whole = made(self.item, ("data", FILE))
        return dataclasses.replace(whole, lines=_line(self.text, path)) if whole.key else whole


def _expanded(value: t.Any, environment: t.Mapping[str, str | None]) -> t.Any:
    if isinstance(value, dict):
        return {key: _expanded(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, environment) for inner in value]
    return expanded(value, environment) if isinstance(value, str) else value


def _line(text: str, path: Path) -> int:
    """Return the number of the line of a text at which a path of it begins, 0 where it is not found."""
    try:
        node: t.Any = plain_yaml.yaml.compose(text)
        for step in path:
            if isinstance(step, int):
                node = node.value[step]
            else:
                node = next(value for key, value in node.value if key.value == step)
    except (plain_yaml.YAMLError, AttributeError, IndexError, StopIteration, TypeError):
        return 0
    return int(node.start_mark.line) + 1


def configs(model: StackModel) -> list[Config]:
    """Return what the planned controllers read, as far as it is known."""
    if "router configs" not in model.cache:
        model.cache["router configs"] = list(_configs(model))
    return model.cache["router configs"]


def _configs(model: StackModel) -> t.Iterator[Config]:
    for controller in deployments(model, "router-controller"):
        name, _index = config_volume(controller)
        item = model.find("ConfigMap", name, controller.namespace) if name else None
        text = mapping(item.body.get("data")).get(FILE) if item else None
        if item and isinstance(text, str) and text:
            try:
                data = plain_yaml.load(text)
            except plain_yaml.YAMLError:
                data = None
            yield Config(controller, item, text, data, _environment(model, controller))


def _environment(model: StackModel, controller: Item) -> dict[str, str | None]:
    """Return a controller's variables, None for values that are not known."""
    found: dict[str, str | None] = {}
    for entry in dicts(container_of(controller).get("env")):
        ref = mapping(mapping(entry.get("valueFrom")).get("secretKeyRef"))
        value = (
            _secret(model, controller, ref) if ref else None if "valueFrom" in entry else str(entry.get("value") or "")
        )
        found[str(entry.get("name"))] = value
    return found


def _secret(model: StackModel, controller: Item, ref: Object) -> str | None:
    """Return what the plan gives a Secret's key; of live ones no values are read."""
    item = model.find("Secret", str(ref.get("name")), controller.namespace)
    if item is None or item.live:
        return None
    plain, coded = mapping(item.body.get("stringData")), mapping(item.body.get("data"))
    key = str(ref.get("key"))
    if key in plain:
        return str(plain[key])
    try:
        return base64.b64decode(str(coded[key])).decode() if key in coded else None
    except (binascii.Error, UnicodeDecodeError):
        return None


# By the field that a mistake is about the rule that has it.
def _topic(misfit: ConfigMistake) -> str:
    path = misfit.path
    if path and path[-1] in ("api_key", "api_base"):
        return str(path[-1])
    return "classes" if "llms" in path and path[-1] in ("llms", "name") else "fields"


def _check(topic: str) -> t.Callable[[StackModel], t.Iterator[Finding]]:
    def check(model: StackModel) -> t.Iterator[Finding]:
        for config in configs(model):
            for misfit in misfits(config.data, config.environment):
                if _topic(misfit) == topic:
                    text = f"{show_path(misfit.path)} of {config.item.name} {misfit.what}"
                    key = ("policy", config.item.title, misfit.path)
                    yield finding(text, (config.side(misfit.path),), key, misfit.fix)

    return check


def served(model: StackModel) -> t.Iterator[Finding]:
    """Models of policies that no frontend serves."""
    told = [
        str(row.get("model")) for one in dicts(model.facts.told.get("frontends")) for row in dicts(one.get("models"))
    ]
    names = {name for one in model.graphs for name in one.graph.models} | set(told)
    hosts = {one.name for one in model.items("Service") if one.by is not None}
    hosts |= {str(one.get("service")) for one in dicts(model.facts.told.get("frontends"))}
    for config in configs(model) if names else ():
        for place, policy in enumerate(config.policies):
            for index, llm in enumerate(policy.llms):
                host = (urllib.parse.urlsplit(llm.api_base).hostname or "").partition(".")[0]
                if host in hosts and llm.model and llm.model not in names:
                    path = ("policies", place, "llms", index, "model")
                    text = f"the class {llm.name} of {policy.name} goes to {llm.model}, which no frontend serves "
                    text += f"(they serve {listed(names)}).{did_you_mean(llm.model, names)}"
                    yield finding(text, (config.side(path),), ("policy", config.item.title, path))


def addresses(model: StackModel) -> t.Iterator[Finding]:
    """Addresses of policies that name a Service, namespace or port that is not there."""
    for config in configs(model):
        done = set()
        for place, policy in enumerate(config.policies):
            rows: list[tuple[Path, str]] = [(("policies", place, "url"), policy.url)]
            rows += [(("policies", place, "llms", i, "api_base"), llm.api_base) for i, llm in enumerate(policy.llms)]
            for path, url in rows:
                wrong = _wrong(model, url, config.controller.namespace)
                if wrong and (path[-1], url) not in done:
                    done.add((path[-1], url))
                    text = f"{show_path(path)} of {config.item.name}, {url}, has {wrong}"
                    yield finding(text, (config.side(path),), ("policy", config.item.title, path, "address"))


def _wrong(model: StackModel, url: str, home: str) -> str:
    """Return what is wrong with the address of a Service, '' where nothing is or nothing is known."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    labels = host.removesuffix(".").removesuffix(".svc.cluster.local").removesuffix(".svc").split(".")
    services = [one for one in model.items("Service") if not one.live]
    named = len(labels) == 1 or any(one.name == labels[0] for one in services)
    inside = named or host.endswith((".svc", ".svc.cluster.local")) or _known(model, labels[1])
    if not host or "$" in url or len(labels) > 2 or not inside:
        return ""
    name, namespace = labels[0], labels[1] if len(labels) == 2 else home
    item = model.find("Service", name, namespace)
    if item:
        ports = [number(row.get("port")) for row in dicts(item.spec.get("ports"))]
        return "" if port in ports or not ports else f"port {port}, but {item.title} has {listed(ports)}"
    elsewhere = [one.namespace for one in services if one.name == name]
    if elsewhere:
        return f"the namespace {namespace}, but the Service {name} is in {listed(elsewhere)}"
    if not _known(model, namespace) or model.exists("Service", name, namespace) is None:
        return ""
    near = did_you_mean(name, [one.name for one in services if one.namespace == namespace])
    return f"the Service {name} of {namespace}, which does not exist.{near}"


def _known(model: StackModel, namespace: str) -> bool:
    """Return whether the Services of a namespace are known: it is one of the stack's."""
    spaces = {dig(body, ("metadata", "name")) for body in model.facts.objects.get("Namespace", ())}
    return namespace in spaces | {item.namespace for item in model.planned}


_rule = rule_factory("LLMD8")
_SOURCE = "NVIDIA-AI-Blueprints/llm-router, src/router-controller/src/config.rs and proxy.rs"

RULES = (
    _rule(
        92,
        "Policies are complete",
        _check("fields"),
        "Each policy has a unique name, a url and llms; each of these has a name, api_base, api_key and model, none "
        "empty. ${VARIABLES} are in the controller's environment.",
        "The controller exits at start: Missing field; an unset variable is not replaced, and is requested literally.",
        "add the field, or an entry of routerController.env",
        _SOURCE,
    ),
    _rule(
        93,
        "Policies have all classes in the classifier's order",
        _check("classes"),
        "A policy's llms are the classes of its classifier, each once, in the order of its outputs: the position "
        "decides, not the name.",
        "Requests go to another class's model; beyond the last one the connection is closed without an answer.",
        "list all classes in the classifier's order",
        _SOURCE,
    ),
    _rule(
        94,
        "Policies use models that are served",
        served,
        "The model of each class is served by the frontend of its api_base.",
        "404 for each request of the class: model not found.",
        "use a model of dynamo_models, by its served name",
        "ai-dynamo/dynamo, lib/llm/src/http/service (404 Model not found)",
    ),
    _rule(
        95,
        "Addresses of models have no /v1",
        _check("api_base"),
        "api_base is an address without /v1: the controller appends the request's path, which begins with it.",
        "404: requests go to /v1/v1/chat/completions.",
        "http://SERVICE.NAMESPACE.svc.cluster.local:8000",
        _SOURCE,
    ),
    _rule(
        96,
        "No key is empty",
        _check("api_key"),
        "api_key, with its variable replaced, is not empty; any text works if no key is required.",
        "The controller ends at start: Missing field 'api_key'; CrashLoopBackOff.",
        "use any text, for example none",
        _SOURCE,
    ),
    _rule(
        97,
        "Addresses of policies exist",
        addresses,
        "The Services, namespaces and ports in api_base and url are those of the frontend and the classifier.",
        "Requests are answered with 503 (the classifier), or the connection is closed without an answer (a model).",
        "use the Service's name, namespace and port",
        "Kubernetes, DNS for Services",
    ),
)
