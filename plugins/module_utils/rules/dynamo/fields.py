# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what a graph is written as: fields by version, images, variables that nobody has filled."""

from __future__ import annotations

import re
import typing as t

from ...base.data import dicts, leaves, mapping
from ...base.findings import NOTE, WARNING, Finding, show_path
from ...base.images import Image, parse_image
from ...base.names import did_you_mean
from ...model.graphs import GraphItem
from ...model.model import StackModel
from ...objects.graphs import Service
from ...programs.versions import Version, show_version
from ..base import Path, Side, finding, rule_factory
from .workers import budget, runtime

# Claims stand in a service up to 0.5 (0.6 drops them without a word), in the graph from 0.6 on.
_CLAIMS_OF_GRAPHS: Version = (0, 6)
_NO_CLAIMS_OF_SERVICES: Version = (0, 7)
# The first whose graphs are a list of components.
BETA: Version = (1, 2)
# Workers find each other by Kubernetes from here on, and by etcd before.
_BY_KUBERNETES: Version = (0, 8)
_NO_ETCD: Version = (1, 0)
_VARIABLE = re.compile(r"\$\{(\w+)(?::?-[^}]*)?\}")
_DEVELOPMENT = re.compile(r"(?:^|[-.+])(?:dev|rc|nightly|main|snapshot|post)[-.]?\d*", re.IGNORECASE)
# Registries of NVIDIA's own, and what is to be replaced.
_INTERNAL = re.compile(r"nvcr\.io/nvidian/|gitlab-master\.nvidia\.com|nvcr\.io/nvstaging/|urm\.nvidia\.com")
_PLACEHOLDER = re.compile(
    r"(?i)(?:^|[/.:_-])(?:your|my)[-_](?:registry|image|tag|repo|org|company)|<[^>]*>|replace[-_]?me"
)
_PUBLIC = "nvcr.io/nvidia/ai-dynamo/"


def empty(model: StackModel) -> t.Iterator[Finding]:
    """Graphs that make nothing."""
    for one in model.graphs:
        spec = one.graph.body.get("spec")
        wanted = "components" if one.graph.api.startswith("v1beta") else "services"
        other = "services" if wanted == "components" else "components"
        if not isinstance(spec, dict) or not one.graph.services or (other in spec and wanted not in spec):
            held = f"spec.{other}, which {one.graph.api} does not have" if other in mapping(spec) else "no service"
            text = f"{one.item.name} has {held}"
            path = ("spec", other) if other in mapping(spec) else ("spec",)
            yield finding(text, (Side(one.item, path),), ("empty", one.item.title), f"spec.{wanted}")


def no_image(model: StackModel) -> t.Iterator[Finding]:
    """Services whose container has no image."""
    for one, service in _services(model):
        if not service.container.get("image"):
            side = Side(one.item, service.where("image"))
            text = f"{service.name} of {one.item.name} has no image"
            yield finding(
                text, (side,), ("no image", one.item.title, service.name), f"for example {_PUBLIC}vllm-runtime"
            )


def _services(model: StackModel) -> t.Iterator[tuple[GraphItem, Service]]:
    for one in model.graphs:
        for service in one.graph.services:
            yield one, service


def _image(service: Service) -> Image | None:
    try:
        return parse_image(str(service.container.get("image") or ""))
    except ValueError:
        return None


def tagless(model: StackModel) -> t.Iterator[Finding]:
    """Images whose tag is what is left of a variable that was empty."""
    for one, service in _services(model):
        image = str(service.container.get("image") or "")
        if image.endswith((":", "@", "/", "-")) and "$" not in image:
            path = service.where("image")
            text = f"the image {image!r} of {service.name} in {one.item.name} has no tag: a variable was empty"
            same = (("image", one.item.title, path),)
            yield finding(
                text,
                (Side(one.item, path),),
                ("tag", one.item.title, path),
                f"{image.rstrip(':@-')}:{one.version}",
                same,
            )


def unfilled(model: StackModel) -> t.Iterator[Finding]:
    """${VARIABLES} that nobody fills: envsubst was not run, or not with these."""
    for one in model.graphs:
        for path, value in leaves(one.graph.body):
            if isinstance(value, str) and path[:1] in (("metadata",), ("spec",)):
                known = _known(model, one, path)
                names = [name for name in _VARIABLE.findall(value) if known is not None and name not in known]
                if names:
                    text = f"${{{names[0]}}} in {show_path(path)} of {one.item.name} has no value"
                    same = (("image", one.item.title, path), ("name", one.item.name), ("long", one.item.name))
                    yield finding(text, (Side(one.item, path),), ("unfilled", one.item.title, path), "", same)


def _known(model: StackModel, one: GraphItem, path: Path) -> set[str] | None:
    """Return the names that a shell, or the kubelet, knows where a text stands; None where they are not known."""
    if not any(step in ("args", "command") or "Probe" in str(step) for step in path):
        return set()
    service = next((s for s in one.graph.services if path[: len(s.path)] == s.path), None)
    if service is None:
        return set()
    names = {str(entry.get("name")) for entry in dicts(service.container.get("env"))}
    for source in dicts(service.container.get("envFrom")):
        for kind, key in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
            name = mapping(source.get(key)).get("name")
            item = model.find(kind, str(name), one.graph.namespace) if name else None
            data = mapping(item.body.get("data")) if item else {}
            if name and not data:
                return None
            names |= set(data)
    # Set by the operator, or by the container's own shell.
    return names | {"HOME", "PATH", "HOSTNAME", "PWD", "POD_NAME", "POD_NAMESPACE", "POD_UID"}


def registries(model: StackModel) -> t.Iterator[Finding]:
    """Images of registries that only their makers reach, or that are still to be filled in."""
    for one, service in _services(model):
        image = str(service.container.get("image") or "")
        inner, left = _INTERNAL.search(image), _PLACEHOLDER.search(image)
        if inner or left:
            path = service.where("image")
            why = "is in an internal registry of NVIDIA" if inner else "is a placeholder"
            text = f"the image {image} of {service.name} in {one.item.name} {why}"
            same = (("image", one.item.title, path),)
            right = f"{_PUBLIC}{_runtime(service)}-runtime:{one.version}, or your own registry"
            yield finding(text, (Side(one.item, path),), ("registry", one.item.title, path), right, same)


def _runtime(service: Service) -> str:
    return {"trtllm": "tensorrtllm"}.get(service.engine, service.engine or "vllm")


def development(model: StackModel) -> t.Iterator[Finding]:
    """Tags of versions in development, which nobody publishes."""
    for one, service in _services(model):
        image = _image(service)
        tag = image.tag if image else ""
        if image and f"{image.host}/{image.path}".startswith(_PUBLIC) and _DEVELOPMENT.search(tag):
            text = f"the image of {service.name} in {one.item.name} has the tag {tag}, of a version in development"
            yield finding(text, (Side(one.item, service.where("image")),), ("dev", one.item.title, service.name))


def _minor(number: Version) -> Version:
    return (*number, 0, 0)[:2]


def newer(model: StackModel) -> t.Iterator[Finding]:
    """Runtimes of a later release line than the platform's."""
    for one, service in _services(model):
        has = runtime(one, service)
        if _minor(has) > _minor(one.line):
            text = f"{service.name} of {one.item.name} runs Dynamo {show_version(has)} on a platform of {one.version}"
            yield finding(text, (Side(one.item, service.where("image")),), ("line", one.item.title, service.name))


def older(model: StackModel) -> t.Iterator[Finding]:
    """Runtimes that ask an etcd for each other, on platforms that bring none."""
    for one, service in _services(model):
        has = runtime(one, service)
        if _minor(one.line) >= _NO_ETCD and _minor(has) < _BY_KUBERNETES:
            text = (
                f"{service.name} of {one.item.name} runs Dynamo {show_version(has)}, which needs etcd and NATS, on a "
            )
            text += f"platform of {one.version}, which brings no etcd by itself"
            yield finding(text, (Side(one.item, service.where("image")),), ("older",))


def mixed(model: StackModel) -> t.Iterator[Finding]:
    """Frontends and workers of different release lines."""
    rows = [(one, s, _minor(runtime(one, s))) for one, s in _services(model) if s.kind == "frontend" or s.is_worker]
    fronts = [row for row in rows if row[1].kind == "frontend"]
    for front_item, front, line in fronts[:1]:
        for one, service, other in rows:
            if other != line and service.is_worker and other <= _minor(one.line):
                text = f"{service.name} of {one.item.name} runs Dynamo {show_version(other)}, the frontend of "
                text += f"{front_item.item.name} {show_version(line)}"
                sides = (Side(one.item, service.where("image")), Side(front_item.item, front.where("image")))
                yield finding(text, sides, ("line", one.item.title, service.name), "use images of one version for all")


def numbers(model: StackModel) -> t.Iterator[Finding]:
    """Amounts of resources that are numbers where the definition has texts."""
    for one, service in _services(model):
        if "podTemplate" in service.body:
            continue
        for path, value in leaves(service.body.get("resources")):
            if path[:1] in (("limits",), ("requests",)) and isinstance(value, (int, float)):
                text = (
                    f"{show_path(path)} of {service.name} in {one.item.name} must be a string, not the number {value}"
                )
                side = Side(one.item, (*service.path, "resources", *path))
                yield finding(text, (side,), ("number", one.item.title, service.name, path), f'"{value}"')


def startup_probes(model: StackModel) -> t.Iterator[Finding]:
    """A startupProbe where the operator reads none."""
    for one, service in _services(model):
        for place in ((), ("extraPodSpec",)):
            held = service.body
            for step in place:
                held = mapping(held.get(step))
            if "startupProbe" in held and "podTemplate" not in service.body:
                meant = f" (it would be {budget(mapping(held['startupProbe'])) // 60} minutes)"
                text = f"the startupProbe of {service.name} in {one.item.name} has no effect there{meant}"
                lost = (("start", one.item.title, service.name),)
                side = Side(one.item, (*service.path, *place, "startupProbe"))
                yield finding(text, (side,), ("startup", one.item.title, service.name), explains=lost)


def claims(model: StackModel) -> t.Iterator[Finding]:
    """Claims in a field that this version does not have."""
    for one, service in _services(model):
        if one.line >= _NO_CLAIMS_OF_SERVICES and "pvc" in service.body:
            yield _claim(one, service, ("pvc",), "pvcs of the graph and volumeMounts of the service")
        if one.line < _CLAIMS_OF_GRAPHS and "volumeMounts" in service.body:
            yield _claim(one, service, ("volumeMounts",), "pvc: {name, mountPoint} of the service")


def _claim(one: GraphItem, service: Service, path: Path, right: str) -> Finding:
    text = f"{path[0]} of {service.name} in {one.item.name} is not read by Dynamo {one.version}"
    return finding(text, (Side(one.item, (*service.path, *path)),), ("claim", one.item.title, service.name), right)


def api_versions(model: StackModel) -> t.Iterator[Finding]:
    """Graphs of v1beta1 for an operator that has only v1alpha1."""
    for one in model.graphs:
        beta = one.graph.api.startswith("v1beta")
        if (beta and one.line < BETA) or one.graph.api not in ("v1alpha1", "v1beta1"):
            text = f"{one.item.name} is of {one.item.group}/{one.graph.api}, Dynamo {one.version} has v1alpha1"
            side = Side(one.item, ("apiVersion",))
            yield finding(
                text,
                (side,),
                ("kind", one.item.group, one.item.kind),
                ("use apiVersion: nvidia.com/v1alpha1 and spec.services"),
            )


def types(model: StackModel) -> t.Iterator[Finding]:
    """Types of components that the operator does not know, so that they get none of its probes and ports."""
    known = ("frontend", "worker", "prefill", "decode", "planner", "epp", "default", "main", "router", "encode")
    for one, service in _services(model):
        field = "type" if "podTemplate" in service.body or "type" in service.body else "componentType"
        if service.written not in known and (
            service.engine or not service.written or did_you_mean(service.written, known)
        ):
            held = repr(service.body.get(field)) if field in service.body else "missing"
            text = f"the {field} of {service.name} in {one.item.name} is {held}"
            text += did_you_mean(service.written, known) if service.written else ""
            lost = (("roles", one.item.title),)
            side = Side(one.item, (*service.path, field))
            yield finding(text, (side,), ("type", one.item.title, service.name), "frontend, worker, planner", lost)


_rule = rule_factory("LLMD8")
_SOURCE = "ai-dynamo/dynamo"
_API = f"{_SOURCE}, deploy/operator/api/v1alpha1"

RULES = (
    _rule(
        60,
        "Graphs have services",
        empty,
        "A graph has at least one service: spec.services in v1alpha1, spec.components in v1beta1.",
        "The operator creates nothing, and reports success.",
        "add spec.services, each with componentType and extraPodSpec.mainContainer",
        "airunway issue 23; ai-dynamo/dynamo, issue 1449",
    ),
    _rule(
        66,
        "Services have a type",
        types,
        "Each service has a componentType (in v1beta1: type) that the operator knows.",
        "The pod gets no ports, no probes and no Service, and is Ready before its model is.",
        "set componentType: frontend or worker",
        f"{_API}; internal/dynamo/component_*.go",
    ),
    _rule(
        67,
        "Variables are filled",
        unfilled,
        "No ${VARIABLE} is left in a graph but those of a container's own shell, which its environment has.",
        "The API server refuses the name, the kubelet the image (InvalidImageName), or the model is not found.",
        "set it in dynamo_models_variables, or write the value itself",
        "GNU gettext, envsubst; the recipe of the LLM Router for Dynamo",
    ),
    _rule(
        68,
        "Images have a tag",
        tagless,
        "No image ends in a colon, as it does where its version was an empty variable.",
        "The pod stays in InvalidImageName.",
        "add the version, for example :0.5.0",
        "Kubernetes, Images",
    ),
    _rule(
        69,
        "Services have an image",
        no_image,
        "The main container of each service has an image.",
        "The operator cannot make the Deployment: image is required; the graph stays pending or failed.",
        "extraPodSpec.mainContainer.image",
        f"{_API} extraPodSpec.mainContainer",
    ),
    _rule(
        70,
        "Images can be pulled by others",
        registries,
        "No image is in an internal registry of NVIDIA, or in a placeholder.",
        "ImagePullBackOff.",
        "use nvcr.io/nvidia/ai-dynamo/*-runtime, or your own registry",
        f"{_SOURCE}, samples with nvcr.io/nvidian",
    ),
    _rule(
        71,
        "Runtimes are released",
        development,
        "Images of Dynamo have the tag of a release.",
        "ImagePullBackOff: versions in development are not published.",
        "use a released version, for example 0.5.0 or 1.0.1",
        f"{_SOURCE}, pull request 13596",
        WARNING,
    ),
    _rule(
        72,
        "Runtimes are not newer than the platform",
        newer,
        "The image of a service is of the platform's release line, or of an older one.",
        "The worker uses a discovery backend, or gets arguments, that the operator of that line does not know.",
        "use images and platform of one version",
        f"{_SOURCE}, docs, release notes (runtime and platform of one release)",
        WARNING,
    ),
    _rule(
        73,
        "Frontend and workers are of one release line",
        mixed,
        "The runtime of a frontend and of the workers that it sees are of one minor version.",
        "The frontend cannot read what a worker registers: no model is listed.",
        "use images of one version",
        f"{_SOURCE}, issue 9200; lib/llm/src/discovery",
        WARNING,
    ),
    _rule(
        74,
        "Old runtimes have an etcd",
        older,
        "From 1.0 on the platform brings no etcd of its own; runtimes before 0.8 need one.",
        "The worker exits at start: it cannot reach etcd.",
        "use images of the platform's version, or set global.etcd.install: true",
        f"{_SOURCE}, deploy/helm/charts/platform 1.0.1 values.yaml",
        NOTE,
    ),
    _rule(
        75,
        "Resource quantities are strings",
        numbers,
        'resources.limits and requests of a service are strings: gpu: "1".',
        "The API server refuses the graph: must be of type string.",
        "put the number in quotes",
        f"{_API} resources",
    ),
    _rule(
        76,
        "Startup probes are in the main container",
        startup_probes,
        "A startupProbe is in extraPodSpec.mainContainer: it is the only probe without its own field in the service.",
        "The API server drops it, and the operator's default applies: 10 minutes in 0.5.",
        "extraPodSpec.mainContainer.startupProbe",
        f"{_SOURCE}, deploy/cloud/operator/internal/dynamo/graph.go GenerateBasePodSpec",
    ),
    _rule(
        77,
        "Claims are where they are read",
        claims,
        "A service's claim is pvc up to 0.5; from 0.6 on the graph has pvcs and the service volumeMounts of these.",
        "The API server drops the field, and every pod downloads the model again.",
        "use the fields of the running Dynamo version",
        f"{_API}; v0.6.0",
    ),
    _rule(
        78,
        "The operator has the graph's version",
        api_versions,
        "Graphs are of nvidia.com/v1alpha1; v1beta1 exists from 1.2 on.",
        "The API server does not know the kind.",
        "use apiVersion: nvidia.com/v1alpha1",
        f"{_SOURCE}, pull request 12375",
    ),
)
