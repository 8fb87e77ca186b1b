# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's LLM Router: a controller that chooses a model by the class of each request, with its classifier."""

from __future__ import annotations

import base64
import re
import typing as t

from ..base import formats, plain_yaml
from ..base.data import Object, Values, dig, mapping, nest
from ..base.findings import WARNING, Findings
from ..base.names import did_you_mean, hostname_problem
from ..base.ours import MANAGED_LABEL
from ..objects import policies as policy_files
from ..objects.policies import CLASSES, RECIPE, Llm, Policy, base_misfit, class_misfits, ensemble_url
from ..values.layers import Layer, check_entry, locate, merge, merge_all
from . import router_values
from .base import OBJECTS, ROUTER, Component, Part, Stack, named
from .router_models import REPOSITORY_KEYS, RouterModels
from .router_values import CONFIG, CONTROLLER, KEY, REGISTRY, SERVER, RouterSettings

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

# Rules about policies as they are rendered.
RULES = ("LLMD892", "LLMD893", "LLMD895", "LLMD896")
# Backends that ask for no key take any; the controller takes no empty one.
NO_KEY = "none"
NVIDIA_KEY = "nvidia_api_key"
# By the setting that names a secret, its key and the setting that fills it.
SECRETS = {"api_key_secret": (KEY, "api_key"), "llm_api_key_secret": (NVIDIA_KEY, "llm_api_key")}
PULL_SECRET = "nvcr-secret"  # noqa: S105 - a name
LOGIN = ".dockerconfigjson"
POLICY_KEYS: dict[str, type] = {"classes": list, "url": str}
CLASS_KEYS: dict[str, type] = {"name": str, "model": str}
INGRESS_KEYS: dict[str, type] = {"host": str, "class": str, "path": str, "tls": str, "annotations": dict}
_PLACEHOLDER = re.compile(r"(?i)\byour[-_]|[<>]|change_?me|replace_?me")


class LlmRouterComponent(Component):
    """The component `llm_router`: a release of the chart llm-router before a frontend that serves several models."""

    name = "llm_router"
    chart = "llm-router"
    chart_settings = ("chart", "version")
    asks = "llm_router_chart"
    group = ROUTER
    shapes = {
        "namespace": formats.dns_label,
        "pull_secret": formats.dns_name,
        "api_key_secret": formats.dns_name,
        "llm_api_key_secret": formats.dns_name,
    }

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.values: Values = {}
        self.policies: list[Policy] = []
        # What this run does not deploy is worked out for its names alone.
        self.findings = stack.findings if self.chosen else Findings()

    @classmethod
    def checked(cls, given: Values, findings: Findings) -> Values:
        if not given["enabled"]:
            return {**given, "chart_ref": ""}
        if not given["chart"]:
            fix = "set it to the chart's folder of a checkout, a .tgz, or oci://REGISTRY/PATH/llm-router"
            findings.add("llm_router_chart", "is empty, but llm_router_enabled is true", fix, rule="input-router")
        filled = {**given, "chart_ref": given["chart"], "chart_version": given["version"]}
        for setting, keys in (("model_repository", REPOSITORY_KEYS), ("ingress", INGRESS_KEYS)):
            entry = check_entry(given[setting] or {}, keys, f"llm_router_{setting}", findings)
            filled[setting] = entry or {}
        return filled

    @classmethod
    def place(cls, given: Values, namespace: str) -> str:
        return (given.get("namespace") if given.get("enabled") else "") or namespace

    @classmethod
    def look(cls, cluster: Cluster, given: Values, namespace: str) -> dict[str, dict[str, bool]]:
        """Return the secrets of ours that others made, each with its keys and whether they hold something."""
        found = {}
        for setting in SECRETS:
            secret = cluster.get("v1", "Secret", given[setting], cls.place(given, namespace))
            if secret and (secret["metadata"].get("labels") or {}).get(MANAGED_LABEL) != "true":
                found[given[setting]] = {key: bool(text) for key, text in (secret.get("data") or {}).items()}
        return found

    @classmethod
    def asked(cls, given: Values) -> bool:
        return bool(given.get("enabled") and super().asked(given))

    @property
    def enabled(self) -> bool:
        """Whether there is to be a router."""
        return bool(self.given["enabled"] and self.given["chart_ref"])

    def resolve(self) -> None:
        """Read the values files; what is made of them needs the other components."""
        self.layers = self.stack.loader.layers(self.given, f"{self.name}_") if self.enabled else []

    def make_parts(self) -> list[Part]:
        if not self.enabled:
            return []
        self._check_ingress()
        user = merge_all(layer.values for layer in self.layers)
        self.wanted = self._wanted(user)
        values = merge(router_values.base_values(self.wanted), user)
        registry = self._registry(values)
        values = merge(values, nest(REGISTRY, registry)) if registry else values
        values = router_values.with_environment(values, CONTROLLER, router_values.controller_environment(self.wanted))
        values = router_values.with_environment(values, SERVER, router_values.server_environment(self.wanted))
        self.full = router_values.fullname(self.given["release_name"], values)
        self.environment = router_values.known_environment(values)
        self.values = router_values.with_config(values, self._config(values))
        release = self.release(self.given["release_name"], self.values, "llm_router_release_name", self.layers)
        uploads = self.repository.uploads(self.name, self.namespace, self.values, self.wanted)
        self.repository.check_models(self.policies)
        return [self._objects(), *uploads, release]

    def _wanted(self, user: Values) -> RouterSettings:
        given = self.given
        registry = given["image_registry"]
        self.repository = RouterModels(given, user, self.stack, self.findings)
        self.repository.check(self.layers)
        return RouterSettings(
            registry=registry + "/" if registry and not registry.endswith("/") else registry,
            tag=given["image_tag"],
            pull_secret=self._pull_secret(),
            api_base=self._api_base(),
            api_key_secret=given["api_key_secret"],
            llm_api_key_secret=given["llm_api_key_secret"],
            claim=self.repository.claim,
            path=self.repository.path,
            models=self.repository.digest,
            gpu_resource=given["gpu_resource"],
            gpus=given["gpu_count"],
            ingress=given["ingress"] if given["ingress"].get("host") else {},
            own=self.stack.facts.chart_values.get(self.name) or {},
        )

    # Where requests go

    @property
    def frontends(self) -> list[Object]:
        """What the stack's other components tell of frontends that serve models."""
        others = [component for component in self.stack.components.values() if component is not self]
        return [row for component in others for row in component.tells().get("frontends") or []]

    def _api_base(self) -> str:
        given, frontends = self.given["api_base"], self.frontends
        if given:
            misfit = base_misfit(given)
            if misfit:
                self.findings.add("llm_router_api_base", *misfit, rule="input-router-base", covers=["LLMD895"])
            return given.rstrip("/")
        if frontends:
            row = frontends[0]
            return f"http://{row['service']}.{row['namespace']}.svc.cluster.local:{row['port']}"
        fix = "set dynamo_models, or the address of the models' server, for example http://SERVICE.NAMESPACE:8000"
        self.findings.add(
            "llm_router_api_base", "is empty, and the stack has no frontend", fix, rule="input-router-base"
        )
        return ""

    # Policies

    def _config(self, values: Values) -> str:
        """Return the controller's file: one of the user's as it is, or one made of the policies."""
        file = self.given["config_file"]
        if file and self.given["policies"]:
            text = f"conflicts with llm_router_config_file ({file}): both are set"
            self.findings.add("llm_router_policies", text, "set only one of them", rule="input-router-policy")
        if file:
            return self._config_of_file(file)
        custom = dig(values, (*CONFIG, "customConfig"))
        if custom and isinstance(custom, str):
            where = locate(self.layers, (*CONFIG, "customConfig"), "llm_router_values")
            return self._config_of_text(custom, where)
        self._note_unused()
        self.policies = self._made()
        text = policy_files.config_text(self.policies)
        self.policies = policy_files.parsed(text, self.environment)
        return text

    def _note_unused(self) -> None:
        """Say that a config map of the user's values is not used."""
        path = (*CONFIG, "existingConfigMap")
        for layer in self.layers:
            if dig(layer.values, path):
                text = "is not used: the role creates the config map from its policies"
                fix = "remove it, or set llm_router_config_file to its content"
                where = layer.locate(path) or layer.where
                self.findings.add(where, text, fix, rule="input-router-policy", severity=WARNING)

    def _config_of_file(self, name: str) -> str:
        layer = self.stack.loader.file(name, "llm_router_config_file")
        if layer is None:
            return ""
        with open(layer.where, encoding="utf-8") as stream:
            text = stream.read()
        self._check_config(layer)
        self.policies = policy_files.parsed(text, self.environment)
        return text

    def _config_of_text(self, text: str, where: str) -> str:
        try:
            data = plain_yaml.load(text)
            self.policies = policy_files.parsed(text, self.environment)
        except plain_yaml.YAMLError as exc:
            self.findings.add(where, f"is not valid YAML: {str(exc).splitlines()[0]}", rule="input-router-policy")
            return text
        self._check_config(Layer(mapping(data), where))
        return text

    def _check_config(self, layer: Layer) -> None:
        for path, what, fix in policy_files.misfits(layer.values, self.environment):
            # What is missing has no place of its own.
            what = what if not path or layer.locate(path) else f"{path[-1]} {what}"
            self.findings.add(self._place(layer, path), what, fix, rule="input-router-policy", covers=RULES)
        served, names = self._served()
        for one in policy_files.policies_of(layer.values):
            for llm in one.llms if served else ():
                if llm.model not in served:
                    path = _path_of(layer.values, one.name, llm.name)
                    self._unserved(self._place(layer, path), llm.model, served, names)

    @staticmethod
    def _place(layer: Layer, path: t.Sequence[t.Any]) -> str:
        while path:
            if where := layer.locate(path):
                return where
            path = path[:-1]
        return layer.where

    def _served(self) -> tuple[list[str], dict[str, str]]:
        """Return the served ids of the frontend's models, and those by the models' names; none where unknown."""
        rows = [] if self.given["api_base"] else [row for one in self.frontends for row in one.get("models") or []]
        return [row["model"] for row in rows], {row["name"]: row["model"] for row in rows}

    def _unserved(self, where: str, model: str, served: t.Sequence[str], names: t.Iterable[str], fix: str = "") -> None:
        near = did_you_mean(model, [*served, *names])
        text = f"{model!r} is not served by any model of dynamo_models.{near}"
        one_of = fix or "use one of: " + ", ".join(served)
        self.findings.add(where, text, one_of, rule="input-router-model", covers=["LLMD894"])

    def _made(self) -> list[Policy]:
        """Return the policies of the variable, by default the recipe's, their classes in the classifier's order."""
        given = self.given["policies"]
        tables = self._tables(given) if given else self._recipe()
        service = router_values.server_address(self.full, self.namespace)
        base, key = f"${{{router_values.BASE}}}", f"${{{KEY}}}"
        found = []
        for policy, (url, table) in tables.items():
            order = policy_files.classes_of(policy, url) or tuple(table)
            llms = tuple(Llm(name, base, key, table[name]) for name in order if name in table)
            found.append(Policy(policy, url or ensemble_url(service, policy), llms))
        return found

    def _recipe(self) -> dict[str, tuple[str, dict[str, str]]]:
        served, names = self._served()
        default = self._default(served, names)
        wanted = dict.fromkeys(model for table in RECIPE.values() for model in table.values())
        missing = [model for model in wanted if served and model not in served]
        if missing and not default:
            classes = sum(model in missing for table in RECIPE.values() for model in table.values())
            text = f"is not set, but {classes} classes of the recipe's policies use models that are not served"
            text += f" ({', '.join(missing)})"
            fix = f"set llm_router_default_model: {served[0]}, or your own policies in llm_router_policies"
            self.findings.add("llm_router_default_model", text, fix, rule="input-router-model")
        model_of = {model: default if model in missing else model for model in wanted}
        return {name: ("", {one: model_of[model] for one, model in table.items()}) for name, table in RECIPE.items()}

    def _default(self, served: list[str], names: dict[str, str]) -> str:
        default: str = self.given["default_model"]
        model = names.get(default, default)
        if default and served and model not in served:
            self._unserved("llm_router_default_model", default, served, names)
        return model

    def _tables(self, given: Values) -> dict[str, tuple[str, dict[str, str]]]:
        """Return by policy its classifier's address, "" for the release's own, and the model of each class."""
        found = {}
        for policy, raw in given.items():
            where = f"llm_router_policies.{policy}"
            entry = check_entry(raw, POLICY_KEYS, where, self.findings)
            if entry is None:
                continue
            url = entry.get("url") or ""
            if policy not in CLASSES and not url:
                text = f"is not one of the router's own policies.{did_you_mean(policy, CLASSES)}"
                fix = f"use one of: {', '.join(CLASSES)}; or set the url of its classifier"
                self.findings.add(where, text, fix, rule="input-router-policy")
                continue
            found[policy] = (
                url,
                self._classes(entry.get("classes") or [], where, policy_files.classes_of(policy, url)),
            )
        return found

    def _classes(self, raw: list[t.Any], where: str, wanted: tuple[str, ...]) -> dict[str, str]:
        served, names = self._served()
        table: dict[str, str] = {}
        for index, item in enumerate(raw):
            place = f"{where}.classes[{index}]"
            entry = check_entry(item, CLASS_KEYS, place, self.findings) or {}
            for key in ("name", "model"):
                if entry and not entry.get(key):
                    self.findings.add(
                        f"{place}.{key}", "is missing", (f"set the class's {key}"), rule="input-router-policy"
                    )
            model = entry.get("model") or ""
            if model and served and names.get(model, model) not in served:
                self._unserved(f"{place}.model", model, served, names)
            if entry.get("name"):
                table.setdefault(entry["name"], names.get(model, model))
        given = [str(mapping(item).get("name") or "").strip() for item in raw]
        for path, what, fix in class_misfits(given, wanted, ("classes",), ordered=False) if wanted else ():
            at = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            self.findings.add(f"{where}{at}", what, fix, rule="input-router-policy", covers=RULES)
        return table

    # Images, secrets, claim

    def _registry(self, values: Values) -> str:
        """Return the registry to set over the values, "" to leave theirs; note one that cannot be meant."""
        given, found = self.wanted.registry, dig(values, REGISTRY)
        where = locate(self.layers, REGISTRY, "llm_router_image_registry")
        text = str(found or "")
        if _PLACEHOLDER.search(text):
            if given and not _PLACEHOLDER.search(given):
                return given  # what stands in a file to be replaced gives way to the variable
            fix = (
                "set it to the registry that the router's images were pushed to, for example "
                "registry.example.com/llm-router/"
            )
            self.findings.add(where, f"{text!r} is a placeholder", fix, rule="input-image")
        elif not text and not self._elsewhere(values):
            fix = "set it to the registry that you pushed the router's images to: they are not published"
            self.findings.add("llm_router_image_registry", "is empty", fix, rule="input-image")
        elif text and (not text.endswith("/") or (problem := formats.image(f"{text}x"))):
            problem = formats.image(f"{text.rstrip('/')}/x")
            if problem:
                self.findings.add(where, f"{text!r} is not a valid registry", "HOST[:PORT]/PATH/", rule="input-image")
            elif not text.endswith("/"):
                return f"{text}/"
        return ""

    @staticmethod
    def _elsewhere(values: Values) -> bool:
        """Return whether the images' own names say where they are."""
        return all("/" in str(dig(values, (*part, "image", "repository")) or "") for part in (CONTROLLER, SERVER))

    def _pull_secret(self) -> str:
        return self.given["pull_secret"] or (PULL_SECRET if self.secret("ngc_api_key") else "")

    def _check_ingress(self) -> None:
        given = self.given["ingress"]
        if given and not given.get("host"):
            self.findings.add("llm_router_ingress.host", "is missing", "set it to a host name", rule="input-hostname")
        elif given and (wrong := hostname_problem(given["host"])):
            self.findings.add("llm_router_ingress.host", wrong, "set it to a host name", rule="input-hostname")
        path = given.get("path") or "/"
        if not path.startswith("/"):
            self.findings.add(
                "llm_router_ingress.path", (f"{path!r} is not a valid path"), f"/{path}", rule="input-value"
            )

    def _objects(self) -> Part:
        """Return the part with what the release's pods need: secrets, and the claim where one is to be made."""
        given, fill = self.given, dict[str, dict[str, t.Any]]()
        theirs: dict[str, dict[str, bool]] = self.stack.facts.seen.get(self.name) or {}
        made = []
        for where, (key, setting) in SECRETS.items():
            name, variable = given[where], self.secret(setting)
            if name in theirs and not variable:
                self._check_theirs(name, key, theirs[name], setting)
                continue
            made.append(self._secret(name, "Opaque", key, NO_KEY))
            fill.update({name: {key: variable}} if variable else {})
        if variable := self.secret("ngc_api_key"):
            name = self._pull_secret()
            made.append(self._secret(name, "kubernetes.io/dockerconfigjson", LOGIN, '{"auths": {}}'))
            login = {"secret": variable, "registry": given["pull_registry"], "username": given["pull_username"]}
            fill[name] = {LOGIN: login}
        made += self.repository.claims(self.namespace)
        spec: Object = {"objects": made, "keep": ["PersistentVolumeClaim"], "fill": fill}
        return Part(self.name, f"{given['release_name']}-needs", self.namespace, OBJECTS, spec)

    def _check_theirs(self, name: str, key: str, keys: dict[str, bool], setting: str) -> None:
        """Note a secret of others that is used and lacks its key, or has an empty one, at which the controller ends."""
        if not keys.get(key, False) and (key == KEY or key not in keys):
            text = (
                f"the Secret {name} in namespace {self.namespace}, which this collection did not create, has no key "
                f"{key!r}"
            )
            fix = f"add the key, or set llm_router_{setting}_secret to another name"
            self.findings.add(f"llm_router_{setting}_secret", text, fix, rule="input-secret")

    def _secret(self, name: str, kind: str, key: str, text: str) -> Object:
        data = {key: base64.b64encode(text.encode()).decode()}
        return {**named("v1", "Secret", name, self.namespace), "type": kind, "data": data}

    # What is told

    def serves(self) -> list[Object]:
        parts = ("router-controller", "router-server") if self.parts() else ()
        return [named("apps/v1", "Deployment", f"{self.full}-{part}", self.namespace) for part in parts]

    def tells(self) -> Object:
        if not self.parts():
            return {"routers": []}
        port = dig(self.values, (*CONTROLLER, "service", "port")) or router_values.CONTROLLER_PORT
        place = {"release": self.given["release_name"], "namespace": self.namespace}
        service = {"service": f"{self.full}-router-controller", "port": port}
        return {"routers": [{**place, **service, "policies": policy_files.told(self.policies)}]}


def _path_of(data: Values, policy: str, name: str) -> tuple[t.Any, ...]:
    """Return where a class of a policy has its model."""
    for index, one in enumerate(data["policies"]):
        for number, llm in enumerate(mapping(one).get("llms") or []):
            if mapping(one).get("name") == policy and mapping(llm).get("name") == name:
                return ("policies", index, "llms", number, "model")
    return ("policies",)
