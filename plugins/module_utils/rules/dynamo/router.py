# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the LLM Router's release: its configuration's place, its classifier's volume, its Ingress."""

from __future__ import annotations

import math
import posixpath
import typing as t

from ...base.data import Object, dicts, dig, mapping, number, texts
from ...base.findings import WARNING, Finding
from ...base.names import did_you_mean
from ...capacity.workloads import share
from ...model.items import Item
from ...model.model import StackModel
from ...objects.servers import flag
from ..base import Path, Side, finding, listed, made, rule_factory

CHART = "llm-router"
PART = "app.kubernetes.io/component"
# Where the image's command reads its configuration, and what its file is called.
PLACE, FILE = "/app", "config.yaml"
SNIPPETS = ("nginx.ingress.kubernetes.io/configuration-snippet", "nginx.ingress.kubernetes.io/server-snippet")
_ONE_NODE = {"ReadWriteOnce", "ReadWriteOncePod"}


def deployments(model: StackModel, part: str) -> list[Item]:
    """Return the planned Deployments of a part of routers: router-controller, router-server or app."""
    found = model.items("Deployment", planned_only=True)
    return [item for item in found if item.chart == CHART and item.labels.get(PART) == part]


def container_of(item: Item) -> Object:
    """Return the first container of a Deployment's pods."""
    return next(iter(dicts(dig(item.spec, ("template", "spec", "containers")))), {})


CONTAINER: Path = ("spec", "template", "spec", "containers", 0)


def config_volume(item: Item) -> tuple[str, int]:
    """Return the config map that a controller mounts, and which of the pod's volumes it is; ('', 0) for none."""
    for index, volume in enumerate(dicts(dig(item.spec, ("template", "spec", "volumes")))):
        name = mapping(volume.get("configMap")).get("name")
        if name:
            return str(name), index
    return "", 0


def mount_path(model: StackModel) -> t.Iterator[Finding]:
    """A configuration mounted where nobody reads it."""
    for item in deployments(model, "router-controller"):
        for index, mount in enumerate(dicts(container_of(item).get("volumeMounts"))):
            if "config" in str(mount.get("name")) and str(mount.get("mountPath")).rstrip("/") != PLACE:
                text = f"{item.name} mounts its configuration at {mount.get('mountPath')}, but reads {PLACE}/{FILE}"
                key: Path = ("routerController", "config", "mountPath")
                side = Side(item, (*CONTAINER, "volumeMounts", index, "mountPath"), "values", key)
                yield finding(text, (side,), ("mount", item.title), f"set routerController.config.mountPath: {PLACE}")


def config_key(model: StackModel) -> t.Iterator[Finding]:
    """A config map without the file that the controller reads."""
    for item in deployments(model, "router-controller"):
        name, index = config_volume(item)
        held = model.find("ConfigMap", name, item.namespace) if name else None
        keys = {str(key) for part in ("data", "binaryData") for key in mapping(held.body.get(part))} if held else set()
        if keys and FILE not in keys:
            text = f"ConfigMap {name}, which {item.name} mounts, has no key {FILE}; its keys are {listed(keys)}."
            key: Path = ("routerController", "config", "existingConfigMap")
            side = Side(item, ("spec", "template", "spec", "volumes", index), "values", key)
            yield finding(text + did_you_mean(FILE, keys), (side,), ("key", item.title))


def surges(model: StackModel) -> t.Iterator[Finding]:
    """Classifiers of which more than one runs, or is started while another runs, with a claim for one node."""
    for item in deployments(model, "router-server"):
        replicas = number(item.spec.get("replicas", 1)) or 0
        strategy = mapping(item.spec.get("strategy"))
        surge = mapping(strategy.get("rollingUpdate")).get("maxSurge")
        more = 0 if strategy.get("type") == "Recreate" else share(surge, replicas, math.ceil)
        for volume in dicts(dig(item.spec, ("template", "spec", "volumes"))):
            name = mapping(volume.get("persistentVolumeClaim")).get("claimName")
            claim = model.find("PersistentVolumeClaim", str(name), item.namespace) if name else None
            modes = set(texts(claim.spec.get("accessModes"))) if claim else set()
            if claim and modes and modes <= _ONE_NODE and (replicas > 1 or more):
                what = (
                    f"{replicas} pods" if replicas > 1 else f"an update starts {more} before the old pod ends, and both"
                )
                text = f"{item.name}: {what} mount {claim.title}, which is {listed(modes)}"
                key: Path = ("routerServer", "replicas") if replicas > 1 else ("routerServer", "strategy")
                place: Path = ("spec", "replicas") if replicas > 1 else ("spec", "strategy")
                sides = (Side(item, place, "values", key), Side(claim))
                yield finding(text, sides, ("shared", claim.title))


def repositories(model: StackModel) -> t.Iterator[Finding]:
    """A model repository that is not where the classifier's volume is."""
    for item, path, at in _repositories(model):
        mounts = [str(mount.get("mountPath")).rstrip("/") for mount in dicts(container_of(item).get("volumeMounts"))]
        inside = any(path == mount or path.startswith(f"{mount}/") for mount in mounts)
        if "://" not in path and not inside:
            text = f"{item.name} reads models of {path}; its volumes are mounted at {listed(mounts, 'nowhere')}"
            key: Path = ("routerServer", "modelRepository", "path")
            yield finding(text, (Side(item, at, "values", key),), ("repository", item.title))


def levels(model: StackModel) -> t.Iterator[Finding]:
    """A model repository that is a claim itself, where copying a folder makes one in it."""
    for item, path, at in _repositories(model):
        claims = {
            str(volume.get("name"))
            for volume in dicts(dig(item.spec, ("template", "spec", "volumes")))
            if "persistentVolumeClaim" in volume
        }
        mounts = dicts(container_of(item).get("volumeMounts"))
        roots = [str(mount.get("mountPath")).rstrip("/") for mount in mounts if str(mount.get("name")) in claims]
        if path in roots:
            text = f"{item.name} reads models of {path}, the claim itself; copying the folder routers to it makes "
            text += f"{path}/routers"
            key: Path = ("routerServer", "modelRepository", "path")
            remedy = posixpath.join(path, "routers")
            yield finding(text, (Side(item, at, "values", key),), ("repository", item.title), remedy)


def _repositories(model: StackModel) -> t.Iterator[tuple[Item, str, Path]]:
    for item in deployments(model, "router-server"):
        for field in ("command", "args"):
            words = texts(container_of(item).get(field))
            path = flag(words, "model-repository", "model-store")
            if path:
                index = next((i for i, word in enumerate(words) if path in word), 0)
                yield item, path.rstrip("/"), (*CONTAINER, field, index)


def demo_app(model: StackModel) -> t.Iterator[Finding]:
    """The demo's web interface, whose image nobody publishes."""
    for item in deployments(model, "app"):
        side = Side(item, (*CONTAINER, "image"), "values", ("app", "enabled"))
        text = f"the demo {item.name} uses the image {container_of(item).get('image')}, which is not published"
        yield finding(text, (side,), ("app", item.title), "set app.enabled: false, unless you have built the image")


def backends(model: StackModel) -> t.Iterator[Finding]:
    """Ingress paths to Services or ports that are not there."""
    for item in model.items("Ingress", planned_only=True):
        for number_, rule in enumerate(dicts(item.spec.get("rules"))):
            for index, path in enumerate(dicts(mapping(rule.get("http")).get("paths"))):
                service = mapping(mapping(path.get("backend")).get("service"))
                name, wrong = str(service.get("name") or ""), ""
                held = model.find("Service", name, item.namespace)
                near = [one.name for one in model.items("Service") if one.namespace == item.namespace]
                if not service.get("port"):
                    wrong = f"the Service {name or '(none)'} without a port"
                elif held is None and model.exists("Service", name, item.namespace) is False:
                    wrong = f"the Service {name or '(none)'}, which does not exist.{did_you_mean(name, near)}"
                if wrong:
                    text = f"the path {path.get('path')} of {item.title} leads to {wrong}"
                    key: Path = ("ingress", "hosts", number_, "paths", index)
                    place: Path = ("spec", "rules", number_, "http", "paths", index, "backend")
                    side = Side(item, place, "values", key) if item.chart == CHART else made(item, place)
                    yield finding(text, (side,), ("backend", item.title, number_, index))


def snippets(model: StackModel) -> t.Iterator[Finding]:
    """Annotations that ingress-nginx refuses by default."""
    for item in model.items("Ingress", planned_only=True):
        notes = mapping(mapping(item.body.get("metadata")).get("annotations"))
        for name in SNIPPETS:
            if notes.get(name):
                text = f"{item.title} has the annotation {name}, which ingress-nginx refuses by default since 1.9"
                side = Side(item, ("metadata", "annotations", name), "values", ("ingress", "annotations", name))
                yield finding(text, (side,), ("snippet", item.title, name))


_rule = rule_factory("LLMD8")
_SOURCE = "NVIDIA-AI-Blueprints/llm-router, deploy/helm/llm-router 0.1.0"

RULES = (
    _rule(
        84,
        "The router's configuration is mounted where it is read",
        mount_path,
        "routerController.config.mountPath is /app: the image's command reads /app/config.yaml, whatever CONFIG_PATH "
        "says.",
        "The controller runs with the configuration in its image, without an error: other policies, NVIDIA's cloud.",
        "set routerController.config.mountPath: /app",
        f"{_SOURCE}; src/router-controller main.rs",
    ),
    _rule(
        85,
        "The router's config map has config.yaml",
        config_key,
        "The config map of routerController.config.existingConfigMap has the key config.yaml.",
        "The controller exits at start: it cannot read its configuration.",
        "run kubectl create configmap NAME --from-file=config.yaml=FILE",
        f"{_SOURCE}, templates/router-controller-deployment.yaml",
    ),
    _rule(
        86,
        "One pod at a time mounts the classifier's claim",
        surges,
        "A classifier whose claim is ReadWriteOnce has one replica, and the strategy Recreate.",
        "A second pod on another node stays in ContainerCreating (Multi-Attach error), or an update waits forever for "
        "a second GPU.",
        "set routerServer.replicas: 1 and routerServer.strategy.type: Recreate, or use a claim that is ReadWriteMany",
        f"{_SOURCE}, values.yaml routerServer",
    ),
    _rule(
        87,
        "The model repository is on the classifier's volume",
        repositories,
        "routerServer.modelRepository.path is at or below a mount of its pods, or the address of a bucket.",
        "Triton exits at start: failed to stat file.",
        "use a path below routerServer.volumes.modelRepository.mountPath, such as /model_repository/routers",
        f"{_SOURCE}, templates/router-server-deployment.yaml",
    ),
    _rule(
        88,
        "The model repository is the folder of the models",
        levels,
        "Where the models are copied to a claim as a folder, that folder is the repository's path.",
        "Triton treats the folder as a model: it serves none, or fails to stat it.",
        "set routerServer.modelRepository.path: /model_repository/routers",
        "NVIDIA-AI-Blueprints/llm-router, README; kubectl cp",
        WARNING,
    ),
    _rule(
        89,
        "The demo's image exists",
        demo_app,
        "app.enabled is true only where the image of the demo has been built and pushed.",
        "ImagePullBackOff; helm --wait times out.",
        "set app.enabled: false",
        f"{_SOURCE}, values.yaml app",
        WARNING,
    ),
    _rule(
        90,
        "Ingresses lead to Services",
        backends,
        "The backend of each path of an Ingress is a Service of the namespace, with a port.",
        "The API server refuses the Ingress, or requests are answered with 503.",
        "set service: router-controller for each of ingress.hosts[].paths[]",
        f"{_SOURCE}, templates/ingress.yaml",
    ),
    _rule(
        91,
        "Ingresses have no snippets",
        snippets,
        "No Ingress has an annotation with a snippet of nginx's configuration.",
        "ingress-nginx refuses the Ingress: annotation group ConfigurationSnippet contains risky annotation.",
        "set the annotation to null in ingress.annotations, or allow snippets in the controller",
        "ingress-nginx, allow-snippet-annotations (1.9)",
        WARNING,
    ),
)
