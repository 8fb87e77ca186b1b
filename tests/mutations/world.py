# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The world in which stacks are planned: charts, a running lab with what the stacks need, and the real planning."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(pathlib.Path(__file__).resolve().parent)]
__import__("conftest")  # makes the collection importable

import bases  # noqa: E402
import dynamo  # noqa: E402
import kubernetes  # noqa: E402
import values  # noqa: E402
from ansible._internal._datatag._tags import Origin  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader, lookup_loader  # noqa: E402
from ansible.template import Templar  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import command  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import call  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import read  # noqa: E402

# Seconds for a definition's change to show in what the server says it serves.
DISCOVERY_TIMEOUT = 60
LAB_CHARTS = ROOT / "roles" / "lab" / "files" / "charts"
WRITER = yaml.CSafeDumper if hasattr(yaml, "CSafeDumper") else yaml.SafeDumper


@dataclasses.dataclass(frozen=True)
class Charts:
    """Where a set of charts is: folders or archives. router: '' where the set has none; platforms: by the beginning of
    Dynamo's version the charts of the platform, of its definitions ('' for none) and of the LLM Router, {} for none."""

    name: str
    infra: str
    inferencepool: str
    modelservice: str
    router: str = ""
    platforms: dict[str, tuple[str, str, str]] = dataclasses.field(default_factory=dict)

    def refs(self, pool_chart: str, version: str = "") -> dict[str, dict[str, str]]:
        """Return each role's settings of its chart. version: of Dynamo."""
        if pool_chart == "dynamo":
            chart, crds, router = next(row for key, row in self.platforms.items() if version.startswith(key))
            return {"dynamo_platform": {"chart": chart, "crds_chart": crds}, "llm_router": {"chart": router}}
        pool = self.inferencepool if pool_chart == "inferencepool" else self.router
        found = {"gateway": self.infra, "gaie": pool, "modelservice": self.modelservice}
        return {role: {"chart_ref": path, "chart_version": ""} for role, path in found.items()}


LAB = Charts(
    "lab",
    *(str(LAB_CHARTS / name) for name in ("llm-d-infra", "inferencepool", "llm-d-modelservice")),
    platforms={
        "1.": (str(LAB_CHARTS / "dynamo-platform-1.x"), "", str(LAB_CHARTS / "llm-router")),
        "": tuple(str(LAB_CHARTS / name) for name in ("dynamo-platform", "dynamo-crds", "llm-router")),
    },
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What planning said. refused: it ended in failure; text: all it said; changed: it claims to have changed."""

    refused: bool
    text: str
    findings: list[dict[str, Any]]
    changed: bool


def component_inputs() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the components' settings as an inventory without variables gives them, and what planning takes beside."""
    init_plugin_loader([str(ROOT / "playbooks" / "collections")])
    loader = DataLoader()
    templar = Templar(loader=loader, variables={})
    lookup = lookup_loader.get("llm_d.orchestrator.components", loader=loader, templar=templar)
    settings, options, table = lookup.run(["settings", "options", "table"], {})
    return settings, {"options": options, "table": table}


class Planner:
    """Plans stacks as the role stack does for site.yml, in this process."""

    def __init__(self, charts: Charts) -> None:
        self.charts = charts
        self.defaults, self.inputs = component_inputs()
        share_renderings()

    def plan(self, base: bases.Base) -> Outcome:
        """Run stack_info for a stack, whose values files are written to a folder of its own."""
        with tempfile.TemporaryDirectory(prefix="llm-d-mutation-") as folder:
            for name, content in base.files.items():
                text = content if isinstance(content, str) else yaml.dump(content, Dumper=WRITER, sort_keys=False)
                pathlib.Path(folder, f"{name}.yaml").write_text(text, encoding="utf-8")
            return self._run(self._arguments(base, folder))

    def _arguments(self, base: bases.Base, folder: str) -> dict[str, Any]:
        given = dict(base.vars)
        refs = self.charts.refs(base.chart, str(base.vars.get("dynamo_platform", {}).get("version") or ""))
        settings = {
            name: {**defaults, **refs.get(name, {}), **given.pop(name, {})} for name, defaults in self.defaults.items()
        }
        return {
            "kubeconfig": os.environ["LAB_KUBECONFIG"],
            "providers_dir": str(ROOT / "roles/gateway/files/providers"),
            "components": settings,
            **self.inputs,
            **self._told(given.pop("user", {}), base.vars),
            "search_paths": [folder],
            "check_values": True,
            "check_rules": "error",
            "find_settled": True,
            **given,
        }

    def _told(self, user: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """Return what the action plugin tells the module of a user's own variables, which the inventory has."""
        if not user:
            return {}
        place = Origin(path="/inventories/cluster/group_vars/all.yml", line_num=1)
        tagged = {place.tag(name): place.tag(value) for name, value in user.items()}
        loader = DataLoader()
        found = read(loader, Templar(loader=loader, variables=tagged), tagged)
        return {"places": found.places, "mistakes": [one.as_dict() for one in found.mistakes]}

    def _run(self, arguments: dict[str, Any]) -> Outcome:
        try:
            result = call("stack_info", arguments, check_mode=False, diff=False)
            failed = bool(result.get("failed"))
            text = str(result.get("msg", "")) if failed else "\n".join(str(note) for note in result["warnings"])
            if "internal error" in text:
                return Outcome(False, f"CRASHED {text}", [], False)
            findings = [item for item in result.get("findings", []) if item["severity"] != "note"]
            return Outcome(failed, text, findings, bool(result.get("changed")))
        except Exception:  # a crash is what the page counts as a miss, and shows
            return Outcome(False, "CRASHED " + traceback.format_exc(limit=-3), [], False)
        raise AssertionError("planning ended without a result")


_renderings: dict[str, str] = {}
_guard = threading.Lock()


def share_renderings() -> None:
    """Let this process render the same chart with the same values once: Helm's answer depends on nothing else."""
    real = command.LocalHelm.run

    def run(helm: Any, arguments: list[str], *more: Any, **others: Any) -> str:
        if arguments[:1] != ["template"]:
            return real(helm, arguments, *more, **others)
        key = repr([_content(word) for word in arguments])
        if key not in _renderings:
            text = real(helm, arguments, *more, **others)
            with _guard:
                _renderings[key] = text
        return _renderings[key]

    command.LocalHelm.run = run  # type: ignore[method-assign]


def _content(word: str) -> str:
    """Return a values file's text for its name, and any other word as it is."""
    path = pathlib.Path(word)
    return path.read_text(encoding="utf-8") if word.startswith("/") and path.is_file() else word


class World:
    """The objects in the lab that correct stacks need."""

    def __init__(self) -> None:
        self.api = kubernetes.config.new_client_from_config(os.environ["LAB_KUBECONFIG"])
        self.core = kubernetes.client.CoreV1Api(self.api)
        self.custom = kubernetes.client.CustomObjectsApi(self.api)
        # Versions that a definition served at first.
        self.kept: dict[str, list[str]] = {}

    def prepare(self) -> None:
        """Make namespaces, secrets, the claim and the adopted Gateway, which stay: the lab is the tests' own."""
        for name in (values.NAMESPACE, bases.GATEWAYS, bases.BARE, dynamo.ROUTER):
            self._make(self.core.create_namespace, {"metadata": {"name": name}})
        secret = {"metadata": {"name": values.SECRET}, "stringData": {"HF_TOKEN": "hf_x"}}
        self._make(self.core.create_namespaced_secret, secret, values.NAMESPACE)
        pair = {"tls.crt": "Y2VydGlmaWNhdGU=", "tls.key": "a2V5"}
        secret = {"metadata": {"name": "front-door"}, "type": "kubernetes.io/tls", "data": pair}
        self._make(self.core.create_namespaced_secret, secret, values.NAMESPACE)
        size = {"requests": {"storage": "1Gi"}}
        claim = {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteMany"], "resources": size}}
        self._make(self.core.create_namespaced_persistent_volume_claim, claim, values.NAMESPACE)
        claim = {"metadata": {"name": dynamo.CLAIM}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": size}}
        self._make(self.core.create_namespaced_persistent_volume_claim, claim, dynamo.ROUTER)
        listener = {"name": "default", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
        gateway = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "adopted"},
            "spec": {"gatewayClassName": "istio", "listeners": [listener]},
        }
        place = ("gateway.networking.k8s.io", "v1", values.NAMESPACE, "gateways")
        self._make(lambda body: self.custom.create_namespaced_custom_object(*place, body), gateway)

    def _make(self, create: Any, body: dict[str, Any], namespace: str | None = None) -> None:
        try:
            create(*([namespace] if namespace else []), body)
        except kubernetes.client.ApiException as exc:
            if exc.status != 409:
                raise

    @contextlib.contextmanager
    def without(self, definition: str, version: str) -> Iterator[None]:
        """Let the cluster not serve one version of a CustomResourceDefinition, or none where it is ''."""
        self._serve(definition, lambda entry: entry["name"] != version and bool(version))
        try:
            yield
        finally:
            self._serve(definition, lambda entry: True)

    def _serve(self, definition: str, served: Callable[[dict[str, Any]], bool]) -> None:
        api = kubernetes.client.ApiextensionsV1Api(self.api)
        body = self.api.sanitize_for_serialization(api.read_custom_resource_definition(definition))
        self.kept.setdefault(definition, [entry["name"] for entry in body["spec"]["versions"] if entry["served"]])
        for entry in body["spec"]["versions"]:
            entry["served"] = entry["name"] in self.kept[definition] and served(entry)
        api.replace_custom_resource_definition(definition, body)
        wanted = {entry["name"] for entry in body["spec"]["versions"] if entry["served"]}
        group, plural = body["spec"]["group"], body["spec"]["names"]["plural"]
        end = time.monotonic() + DISCOVERY_TIMEOUT
        # What is served is told by no watch.
        while any((plural in self._plurals(group, v)) is not (v in wanted) for v in self.kept[definition]):
            if time.monotonic() > end:
                raise TimeoutError(f"{definition} is not served as told")
            time.sleep(0.1)

    def _plurals(self, group: str, version: str) -> set[str]:
        """Return the resources that the server says it serves."""
        try:
            reply = self.custom.get_api_resources(group, version)
        except kubernetes.client.ApiException as exc:
            if exc.status != 404:
                raise
            return set()
        return {resource.name for resource in reply.resources}
