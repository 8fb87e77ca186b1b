# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The pod that the Dynamo operator makes of one service of a DynamoGraphDeployment, and where each field comes from.

After the operator's generation of pods: ai-dynamo/dynamo, deploy/cloud/operator (0.5 to 0.7) and deploy/operator,
internal/dynamo/graph.go and component_*.go, v0.5.0 to v1.0.1; deploy/operator/api/v1beta1.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..programs.versions import Version

# Keys (str) and indexes (int).
Path = tuple[t.Any, ...]
MAIN = "main"
GPU = "nvidia.com/gpu"
FRONTEND = "frontend"
WORKERS = ("worker", "prefill", "decode")
FRONTEND_PORT, SYSTEM_PORT = 8000, 9090
# From 0.6 on the startup probe lasts two hours; before, ten minutes.
LONG_STARTUP: Version = (0, 6)
# From 0.6 on a service's variables win over its main container's and the operator's own.
SERVICE_WINS: Version = (0, 6)


class Whole(tuple[t.Any, ...]):
    """A path in a graph from which all comes that lies below: the name of a secret, say."""


# Fields of a service's resources and the resources that they ask for.
_AMOUNTS = {"cpu": "cpu", "memory": "memory"}


@dataclasses.dataclass(frozen=True)
class Made:
    """A pod's spec. sources: of a path in it the path in the graph that it comes from; the longest that fits holds."""

    spec: Object
    sources: dict[Path, Path]

    @property
    def main(self) -> Object:
        """The container that runs the service."""
        return next(one for one in self.spec["containers"] if one.get("name") == MAIN)

    @property
    def main_path(self) -> Path:
        """Where that container is in the pod's spec."""
        return "containers", self.spec["containers"].index(self.main)


def source(sources: t.Mapping[Path, Path], path: Path) -> Path:
    """Return the path in the graph of a path in what is made of it; () where nothing of it is from the graph."""
    for end in range(len(path), -1, -1):
        found = sources.get(path[:end])
        if found is not None:
            return tuple(found) if isinstance(found, Whole) else (*found, *path[end:])
    return ()


def pod(body: Object, path: Path, shared: tuple[Object, Path], kind: str, line: Version, variables: Object) -> Made:
    """Return the pod of a service.

    body, path: of the service; shared: the graph's spec and its path; kind: frontend, worker, ...; line: Dynamo's
    version; variables: those that the operator sets.
    """
    template = mapping(mapping(body.get("podTemplate")).get("spec"))
    if "podTemplate" in body or "type" in body:
        return _of_template(body, path, template, shared, kind, line, variables)
    return _of_service(body, path, shared, kind, line, variables)


def _of_template(
    body: Object, path: Path, template: Object, shared: tuple[Object, Path], kind: str, line: Version, variables: Object
) -> Made:
    """Return the pod of a component of v1beta1: its template, with what the operator adds to the container main."""
    at: Path = (*path, "podTemplate", "spec")
    given = dicts(template.get("containers"))
    index = next((i for i, one in enumerate(given) if one.get("name") == MAIN), None)
    main = given[index] if index is not None else {}
    place: Path = (*at, "containers", len(given) if index is None else index)
    env = _env([*_set(variables), *_listed(shared, "env"), *_listed((main, place), "env")])
    container = {**_base(kind, line), **main, "name": MAIN, "env": [entry for entry, _path in env]}
    rest = [one for i, one in enumerate(given) if i != index]
    sources: dict[Path, Path] = {(): at, ("containers", 0): place, ("containers", 0, "env"): (*place, "env")}
    sources |= {("containers", 0, "env", i): where for i, (_entry, where) in enumerate(env) if where}
    sources |= {("containers", 1 + i): (*at, "containers", given.index(one)) for i, one in enumerate(rest)}
    return Made({**template, "containers": [container, *rest]}, sources)


def _of_service(
    body: Object, path: Path, shared: tuple[Object, Path], kind: str, line: Version, variables: Object
) -> Made:
    """Return the pod of a service of v1alpha1: the operator's container under extraPodSpec.mainContainer."""
    at: Path = (*path, "extraPodSpec")
    extra = mapping(body.get("extraPodSpec"))
    main, place = mapping(extra.get("mainContainer")), (*at, "mainContainer")
    given_to_all = [*_listed(shared, "envs"), *_listed((body, path), "envs")]
    own = [*_set(variables), *_listed((main, place), "env")]
    env = _env([*own, *given_to_all] if line >= SERVICE_WINS else [*given_to_all, *own])
    container = {**_base(kind, line), **main, "name": MAIN, "env": [entry for entry, _path in env]}
    sources: dict[Path, Path] = {(): at, ("containers",): (*at, "containers")}
    resources, their = _resources(mapping(main.get("resources")), (*place, "resources"), body, path)
    if resources:
        container["resources"] = resources
    for probe in ("livenessProbe", "readinessProbe"):
        if mapping(body.get(probe)):
            container[probe] = body[probe]
            their[probe,] = (*path, probe)
    if isinstance(body.get("envFromSecret"), str):
        container["envFrom"] = [*dicts(main.get("envFrom")), {"secretRef": {"name": body["envFromSecret"]}}]
        their["envFrom", len(container["envFrom"]) - 1] = Whole((*path, "envFromSecret"))
    claims = _claims(body, path)
    volumes = dicts(extra.get("volumes"))
    container["volumeMounts"] = [*dicts(main.get("volumeMounts")), *(one.mount for one in claims)]
    first = len(container["volumeMounts"]) - len(claims)
    for index, one in enumerate(claims):
        their["volumeMounts", first + index] = sources["volumes", len(volumes) + index] = Whole((*one.path, "name"))
        their["volumeMounts", first + index, "mountPath"] = (*one.path, "mountPoint")
    others = dicts(extra.get("containers"))
    head: Path = ("containers", len(others))
    sources[head] = place
    sources |= {(*head, *inner): where for inner, where in their.items()}
    sources |= {(*head, "env", i): where for i, (_entry, where) in enumerate(env) if where}
    spec = {key: value for key, value in extra.items() if key != "mainContainer"}
    spec |= {"containers": [*others, container], "volumes": [*volumes, *(one.volume for one in claims)]}
    return Made(spec, sources)


@dataclasses.dataclass(frozen=True)
class _Claim:
    volume: Object
    mount: Object
    path: Path


def _claims(body: Object, path: Path) -> list[_Claim]:
    """Return a service's claims: pvc up to 0.6, volumeMounts of the graph's pvcs from 0.7 on."""
    rows = [(mapping(body.get("pvc")), (*path, "pvc"))] if mapping(body.get("pvc")) else []
    rows += [(one, (*path, "volumeMounts", i)) for i, one in enumerate(dicts(body.get("volumeMounts")))]
    found = []
    for row, place in rows:
        name = str(row.get("name") or "")
        volume = {"name": name, "persistentVolumeClaim": {"claimName": name}}
        found.append(_Claim(volume, {"name": name, "mountPath": row.get("mountPoint") or ""}, place))
    return found


def _resources(given: Object, place: Path, body: Object, path: Path) -> tuple[Object, dict[Path, Path]]:
    """Return a container's resources: its own, under those of the service, whose GPUs have a key of their own."""
    sources: dict[Path, Path] = {("resources",): (*path, "resources") if body.get("resources") else place}
    found: Object = {key: dict(mapping(value)) for key, value in given.items() if key in ("limits", "requests")}
    for key in ("limits", "requests"):
        asked, at = mapping(mapping(body.get("resources")).get(key)), (*path, "resources", key)
        amounts = {name: (asked[field], (*at, field)) for field, name in _AMOUNTS.items() if asked.get(field)}
        if asked.get("gpu"):
            amounts[str(asked.get("gpuType") or GPU)] = (asked["gpu"], (*at, "gpu"))
        amounts |= {name: (value, (*at, "custom", name)) for name, value in mapping(asked.get("custom")).items()}
        for name, (value, where) in amounts.items():
            found.setdefault(key, {})[name] = str(value)
            sources["resources", key, name] = where
    return found, sources


_Entry = tuple[Object, Path]


def _listed(where: tuple[Object, Path], key: str) -> list[_Entry]:
    body, path = where
    return [(entry, (*path, key, i)) for i, entry in enumerate(dicts(body.get(key)))]


def _set(variables: Object) -> list[_Entry]:
    return [({"name": name, "value": value}, ()) for name, value in variables.items()]


def _env(entries: list[_Entry]) -> list[_Entry]:
    """Return variables, each once with the value that is given last; those that the operator sets stand last."""
    found = {str(entry.get("name")): (entry, path) for entry, path in entries}
    return sorted(found.values(), key=lambda row: not row[1])


def _base(kind: str, line: Version) -> Object:
    """Return what the operator's container has where the graph does not say otherwise."""
    if kind == FRONTEND:
        ask = {"httpGet": {"path": "/health", "port": "http"}}
        slow = {"initialDelaySeconds": 60, "periodSeconds": 60, "timeoutSeconds": 30, "failureThreshold": 10}
        return {
            "command": ["python3"],
            "args": ["-m", "dynamo.frontend"],
            "ports": [{"name": "http", "containerPort": FRONTEND_PORT, "protocol": "TCP"}],
            "livenessProbe": {**ask, **slow},
            "readinessProbe": {**ask, **slow},
        }
    if kind not in WORKERS:
        return {"command": ["/bin/sh", "-c"]}
    live = {"httpGet": {"path": "/live", "port": "system"}}
    health = {"httpGet": {"path": "/health", "port": "system"}}
    tries = 720 if line >= LONG_STARTUP else 60
    return {
        "command": ["/bin/sh", "-c"],
        "ports": [{"name": "system", "containerPort": SYSTEM_PORT, "protocol": "TCP"}],
        "livenessProbe": {**live, "periodSeconds": 5, "timeoutSeconds": 30, "failureThreshold": 1},
        "readinessProbe": {**health, "periodSeconds": 10, "timeoutSeconds": 30, "failureThreshold": 60},
        "startupProbe": {**live, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": tries},
    }


def gpus(container: Object) -> int:
    """Return how many GPUs a container asks for, of whatever kind its resources name."""
    resources = mapping(container.get("resources"))
    asked = {**mapping(resources.get("requests")), **mapping(resources.get("limits"))}
    plain = ("cpu", "memory", "ephemeral-storage")
    counts = [number(value) or 0 for name, value in asked.items() if name not in plain and "hugepages" not in name]
    return max(counts, default=0)
