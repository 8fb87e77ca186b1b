# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about values that the API server takes, and that kubelets, controllers or programs cannot use."""

from __future__ import annotations

import re
import typing as t

from ..base import plain_yaml
from ..base.data import Object, dicts, dig, mapping
from ..base.findings import WARNING, Finding
from ..base.formats import image
from ..base.names import did_you_mean
from ..base.quantities import parse
from ..kustomize.places import is_written, replacements
from ..model.items import Item
from ..model.model import StackModel, pod_specs
from .base import Path, finding, made, rule_factory

# Of variables before Kubernetes 1.32 let nearly everything pass (apimachinery, util/validation IsEnvVarName).
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
# $(NAME) as Kubernetes fills it in; $$(NAME) stays. Lower-case words may be a shell's commands.
_USED = re.compile(r"(?<!\$)(?:\$\$)*\$\(([A-Z_][A-Z0-9_]*)\)")
# What the kubelet adds for each Service, and what controllers and webhooks of Jobs, LeaderWorkerSets and TPUs add.
_ADDED = re.compile(
    r"(JOB_COMPLETION|LWS|TPU)_\w+\Z"
    r"|\w+_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)\Z"
)
# Prometheus' durations (prometheus/common, model.ParseDuration), and those of protobuf as Istio reads them.
_PROMETHEUS = re.compile(r"(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)\Z")
_GO = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+\Z")
_SCRAPES = dict.fromkeys(("interval", "scrapeTimeout"), (_PROMETHEUS, "30s"))
_CONNECTIONS = ("connectTimeout", "idleTimeout", "maxConnectionDuration", "time", "interval", "baseEjectionTime")
# By kind which keys hold durations.
DURATIONS: dict[str, dict[str, tuple[re.Pattern[str], str]]] = {
    "PodMonitor": _SCRAPES,
    "ServiceMonitor": _SCRAPES,
    "DestinationRule": dict.fromkeys(_CONNECTIONS, (_GO, "30s")),
}


def _containers(model: StackModel) -> t.Iterator[tuple[Item, Path, Object]]:
    """Yield (object, path, container) of each planned container."""
    for item in model.planned:
        for path, spec in pod_specs(item):
            for kind in ("initContainers", "containers"):
                held = spec.get(kind)
                for index, container in enumerate(held if isinstance(held, list) else []):
                    if isinstance(container, dict):
                        yield item, (*path, kind, index), container


def images(model: StackModel) -> t.Iterator[Finding]:
    """Images are references: HOST/PATH:TAG, without a scheme."""
    for item, path, container in _containers(model):
        problem = image(container["image"]) if container.get("image") else None
        if problem:
            text = f"container {container.get('name')} of {item.name}: {problem.what}"
            fix = replacements(item.layers, str(container["image"])) if is_written(item.layers) else ""
            yield finding(text, (made(item, (*path, "image")),), ("image", item.title, path), fix or problem.fix)


def variables(model: StackModel) -> t.Iterator[Finding]:
    """Names of environment variables that programs and shells can read."""
    for item, path, container in _containers(model):
        for index, entry in enumerate(dicts(container.get("env"))):
            name = entry.get("name")
            if isinstance(name, str) and name and not _VARIABLE.match(name):
                text = f"container {container.get('name')} of {item.name} sets the variable {name!r}"
                guess = re.sub(r"[^-._a-zA-Z0-9]+", "_", name).strip("_")
                side = made(item, (*path, "env", index, "name"))
                yield finding(text, (side,), ("variable", item.title, path, name), f"use a name such as {guess}")


def references(model: StackModel) -> t.Iterator[Finding]:
    """Each $(NAME) is a variable of its container, and of a variable's value one that stands before it."""
    for item, path, container in _containers(model):
        entries = dicts(container.get("env"))
        names = [str(entry.get("name")) for entry in entries]
        places: list[tuple[Path, str, list[str]]] = []
        for key in ("command", "args"):
            places += [((key, index), word, names) for index, word in _words(container, key)]
        places += [(("env", n, "value"), str(entry.get("value") or ""), names[:n]) for n, entry in enumerate(entries)]
        for place, word, known in places if not container.get("envFrom") else ():
            for name in dict.fromkeys(_USED.findall(word)):
                if name not in known and not _ADDED.match(name):
                    later = " before it" if name in names else ""
                    text = f"{place[0]} of container {container.get('name')} of {item.name} use $({name}), which its "
                    text += f"env does not set{later}.{'' if later else did_you_mean(name, known)}"
                    yield finding(text, (made(item, (*path, *place)),), ("reference", item.title, path, name))


def _words(container: Object, key: str) -> list[tuple[int, str]]:
    held = container.get(key)
    return [(index, word) for index, word in enumerate(held) if isinstance(word, str)] if isinstance(held, list) else []


def mounts(model: StackModel) -> t.Iterator[Finding]:
    """Paths of mounts begin with a slash."""
    # Samples of graphs write HOME/..., which a container's runtime takes for a path of the root.
    for item, path, container in (row for row in _containers(model) if row[0].by is None):
        for index, mount in enumerate(dicts(container.get("volumeMounts"))):
            place = str(mount.get("mountPath") or "/")
            # Of Windows' nodes they begin with a drive.
            if not place.startswith(("/", "\\")) and place[1:2] != ":":
                text = f"container {container.get('name')} of {item.name} mounts {mount.get('name')} at {place!r}"
                side = made(item, (*path, "volumeMounts", index, "mountPath"))
                yield finding(text, (side,), ("mountPath", item.title, path, index), f"/{place}")


def durations(model: StackModel) -> t.Iterator[Finding]:
    """Durations have a unit, and nothing else."""
    for item in model.planned:
        known = DURATIONS.get(item.kind, {})
        for path, value in _leaves(item.spec, ("spec",)) if known else ():
            form, example = known.get(str(path[-1]), (None, ""))
            if form and value not in (None, "") and not (isinstance(value, str) and form.match(value)):
                text = f"{path[-1]} of {item.title} is {value!r}, which is not a duration"
                yield finding(text, (made(item, path),), ("duration", item.title, path), f"use one such as {example}")


def overlays(model: StackModel) -> t.Iterator[Finding]:
    """Texts of ConfigMaps that a Gateway's controller lays over the objects that it makes hold quantities."""
    refs = [dig(item.spec, ("infrastructure", "parametersRef")) for item in model.items("Gateway", planned_only=True)]
    names = {str(mapping(ref).get("name")) for ref in refs}
    for item in model.items("ConfigMap", planned_only=True):
        for name, text in mapping(item.body.get("data")).items() if item.name in names else ():
            for path, value in _quantities(text) if isinstance(text, str) else ():
                if value is not None and parse(value) is None:
                    said = (
                        f"{'.'.join(map(str, path))} in {name} of {item.title} is {value!r}, which is not a valid "
                        "quantity"
                    )
                    side = made(item, ("data", name), (*path,), value)
                    yield finding(said, (side,), ("overlay", item.title, name, path), "use one such as 500m or 16Gi")


def _quantities(text: str) -> list[tuple[Path, t.Any]]:
    """Return (path, value) of what a YAML text says of resources, [] where it is none."""
    try:
        held = plain_yaml.load(text)
    except plain_yaml.YAMLError:
        return []
    return [
        (path, value)
        for path, value in _leaves(held, ())
        if len(path) > 2 and path[-3] == "resources" and path[-2] in ("limits", "requests")
    ]


def _leaves(value: t.Any, path: Path) -> t.Iterator[tuple[Path, t.Any]]:
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value


def topology(model: StackModel) -> t.Iterator[Finding]:
    """Topology keys are labels of nodes, where the nodes are known."""
    nodes = model.facts.capacity.nodes if model.facts.capacity else None
    labels = {str(key) for node in nodes or () for key in mapping(dig(node, ("metadata", "labels")))}
    for item in model.planned if labels else []:
        for path, spec in pod_specs(item):
            parts = {key: spec.get(key) for key in ("affinity", "topologySpreadConstraints")}
            for place, value in _leaves(parts, ()):
                if place[-1] == "topologyKey" and str(value) not in labels:
                    text = f"no node has the label {value}, which {item.name} is spread by."
                    side, key = made(item, (*path, *place)), ("topology", item.title, str(value))
                    yield finding(text + did_you_mean(str(value), labels), (side,), key)


# What kubelets mount for an emptyDir's medium (pkg/volume/emptydir).
_MEDIA = re.compile(r"(Memory|HugePages(-\w+)?)?\Z")


def media(model: StackModel) -> t.Iterator[Finding]:
    """The medium of an emptyDir is one that kubelets know."""
    for item in model.planned:
        for path, spec in pod_specs(item):
            for index, volume in enumerate(dicts(spec.get("volumes"))):
                medium = str(mapping(volume.get("emptyDir")).get("medium") or "")
                if not _MEDIA.match(medium):
                    name = f"volume {volume.get('name')} of {item.name}"
                    text = f"{name} is of medium {medium!r}, which kubelets do not know"
                    side = made(item, (*path, "volumes", index, "emptyDir", "medium"))
                    yield finding(text, (side,), ("medium", item.title, index), "use Memory, HugePages, or none")


_rule = rule_factory("LLMD8")

RULES = (
    _rule(
        5,
        "Images are references",
        images,
        "The image of each container is HOST/PATH:TAG or a digest, as container runtimes read it.",
        "InvalidImageName: the container never starts.",
        "use HOST/PATH:TAG, without a scheme",
        "distribution/reference, grammar",
    ),
    _rule(
        6,
        "Environment variables have names",
        variables,
        "Names of variables hold letters, digits, '-', '_' and '.', as every release of Kubernetes takes them.",
        "Kubernetes before 1.34 refuses the object; later ones set a variable that no shell can read.",
        "use a name of capitals and underscores",
        "Kubernetes, EnvVar name; KEP-4369",
    ),
    _rule(
        7,
        "Referenced variables are set",
        references,
        (
            "Each $(NAME) in command, args and values of variables is a variable of that container that is defined "
            "before it."
        ),
        "Kubernetes does not replace it: the program gets $(NAME) itself.",
        "add the variable to env, or correct its name",
        "Kubernetes, Define Dependent Environment Variables",
    ),
    _rule(
        8,
        "Mounts are at absolute paths",
        mounts,
        "mountPath begins with a slash.",
        "The kubelet puts one before it; other runtimes need not.",
        "begin it with a slash",
        "Kubernetes, VolumeMount mountPath; kubelet makeMounts",
        WARNING,
    ),
    _rule(
        9,
        "Durations are valid",
        durations,
        "Intervals and time-outs of monitors and DestinationRules have units that their controllers read.",
        "The controller ignores the object: no metrics, or connections by defaults.",
        "use a number with a unit",
        "Prometheus operator, Duration; Istio, networking.istio.io DestinationRule",
    ),
    _rule(
        10,
        "Overlays of objects contain quantities",
        overlays,
        "In texts of ConfigMaps, resources.limits and resources.requests hold quantities.",
        "The Gateway's controller cannot make its Deployment: it is never programmed.",
        "use a quantity such as 16Gi",
        "Istio, Gateway API, Automated Deployment; Kubernetes, Quantity",
    ),
    _rule(
        11,
        "Topology keys are labels of nodes",
        topology,
        "Some node has each label that affinity or spread constraints distinguish nodes by.",
        "A preferred constraint has no effect; a required one keeps pods Pending, or separates nothing.",
        "use a label that nodes have, such as kubernetes.io/hostname",
        "Kubernetes, Pod affinity topologyKey; Topology Spread Constraints",
        WARNING,
    ),
    _rule(
        12,
        "Media of volumes are known",
        media,
        "The medium of an emptyDir is empty, Memory or HugePages.",
        "The pod stays in ContainerCreating: FailedMount, unknown storage medium.",
        "use Memory, HugePages, or none",
        "Kubernetes, EmptyDirVolumeSource medium; kubelet, pkg/volume/emptydir",
    ),
)
