# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Graphs of NVIDIA Dynamo: made of a model's settings or of the frontend's, or read of a user's file.

A file's ${VARIABLES} are filled from given texts, never by a shell; what is in comments stays as it is.
"""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object, Values, mapping
from ..base.files import read_regular
from ..base.findings import Findings, Mark, Place
from ..objects.graphs import DECODE, GLOBAL, GRAPH_LABEL, HASHED, PREFILL, SERVICE_LABEL, Graph
from ..objects.graphs import KIND as GRAPH
from ..values.layers import Layer
from ..values.reader import MAX_BYTES, documents, load_yaml, to_plain
from .dynamo_lines import API, COMPONENT, DISAGG, ENGINES, Line

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

FRONTEND = "Frontend"
# What the operator calls a worker's port of health and metrics (internal/consts).
SYSTEM_PORT = "system"
PROBE_SECONDS = 10
# Where a claim is mounted; prepare's downloads are laid out so that this is HF_HOME.
MOUNT = "/model-cache"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def graph_object(name: str, services: Object, spec: Object | None = None) -> Object:
    """Return a graph of services."""
    body = {"apiVersion": API, "kind": GRAPH, "metadata": {"name": name}}
    return {**body, "spec": {**(spec or {}), "services": services}}


def frontend_graph(name: str, image: str, given: Values, line: Line) -> Object:
    """Return the graph of the frontend that all models share. given: replicas, env, resources, pull_secret."""
    where: Object = {"dynamoNamespace": GLOBAL} if line.own_namespaces else {"globalDynamoNamespace": True}
    pod: Object = {"mainContainer": {"image": image}, **_pull(given)}
    service = {**where, "componentType": "frontend", "replicas": given.get("replicas") or 1, "extraPodSpec": pod}
    more = {"envs": _env(given.get("env")), "resources": given.get("resources")}
    return graph_object(name, {FRONTEND: {**service, **{key: value for key, value in more.items() if value}}})


def model_graph(entry: Values, image: str, secret: str, namespace: str, line: Line) -> Object:
    """Return the graph of a model's workers.

    entry: of dynamo_models, complete; secret: the one with the Hugging Face token, "" for none.
    """
    engine, mode = ENGINES[entry["engine"]], entry["mode"]
    claim = mapping(entry.get("pvc"))
    services = {}
    for role in (DECODE, PREFILL) if mode == DISAGG else (DECODE,):
        settings = {**entry, **mapping(entry.get(role))}
        gpus = settings.get("gpus") or 1
        main: Object = {
            "image": image,
            "workingDir": engine.folder(line),
            "command": ["python3", "-m", engine.module],
            "args": _arguments(entry, settings, role, line),
        }
        if probe := _startup(entry, line):
            main["startupProbe"] = probe
        service: Object = {"envFromSecret": secret} if secret else {}
        if line.own_namespaces:
            # As later versions name it; models that share one get each other's requests.
            service["dynamoNamespace"] = f"{namespace}-{entry['name']}"
        service |= {"componentType": "worker"}
        if mode == DISAGG and line.sub_types:
            service["subComponentType"] = role
        service["replicas"] = settings.get("replicas", 1)
        service["resources"] = {"limits": {**mapping(mapping(entry.get("resources")).get("limits")), "gpu": str(gpus)}}
        if requests := mapping(entry.get("resources")).get("requests"):
            service["resources"]["requests"] = requests
        service |= _claimed(claim, line)
        service |= {f"{kind}Probe": probe for kind, probe in mapping(entry.get("probes")).items() if kind != "startup"}
        if env := _environment(settings, claim):
            service["envs"] = env
        if entry.get("shared_memory"):
            service["sharedMemory"] = {"size": entry["shared_memory"]}
        service["extraPodSpec"] = {"mainContainer": main, **_placed(settings), **_pull(entry)}
        services[f"{engine.title}{role.capitalize()}Worker"] = service
    spec: Object = {"backendFramework": entry["engine"]}
    if claim and line.shared_claims:
        spec["pvcs"] = [{"name": claim["name"], "create": False}]
    return graph_object(entry["name"], services, spec)


def _arguments(entry: Values, settings: Values, role: str, line: Line) -> list[str]:
    engine = ENGINES[entry["engine"]]
    found = [word for name in engine.names for word in (name, entry["model"])]
    size = settings.get("tensor_parallel_size") or settings.get("gpus") or 1
    if size > 1:
        found += [engine.parallel, str(size)]
    return [*found, *engine.roles(line, entry["mode"], role), *(str(word) for word in settings.get("args") or [])]


def _startup(entry: Values, line: Line) -> Object | None:
    """Return the startup probe of workers, which only the container may have; None where the operator's own does."""
    if given := mapping(entry.get("probes")).get("startup"):
        return given
    seconds = entry.get("startup_timeout") or (7200 if line.startup_seconds < 7200 else 0)
    if not seconds:
        return None
    request = {"path": "/live", "port": SYSTEM_PORT}
    times = max(1, -(-int(seconds) // PROBE_SECONDS))
    return {"httpGet": request, "periodSeconds": PROBE_SECONDS, "timeoutSeconds": 5, "failureThreshold": times}


def _claimed(claim: Values, line: Line) -> Object:
    if not claim:
        return {}
    name, path = claim["name"], claim.get("mount_path") or MOUNT
    if line.shared_claims:
        return {"volumeMounts": [{"name": name, "mountPoint": path}]}
    return {"pvc": {"create": False, "name": name, "mountPoint": path}}


def _placed(settings: Values) -> Object:
    names = {"node_selector": "nodeSelector", "tolerations": "tolerations"}
    return {field: settings[name] for name, field in names.items() if settings.get(name)}


def _pull(given: Values) -> Object:
    return {"imagePullSecrets": [{"name": given["pull_secret"]}]} if given.get("pull_secret") else {}


def _environment(settings: Values, claim: Values) -> list[Object]:
    """Return a worker's variables; on a claim the files of models lie where its downloads have put them."""
    env = _env(settings.get("env"))
    if claim and all(item.get("name") != "HF_HOME" for item in env):
        env.insert(0, {"name": "HF_HOME", "value": claim.get("mount_path") or MOUNT})
    return env


def _env(given: t.Any) -> list[Object]:
    """Return environment variables as Kubernetes has them; given: a map, or such a list."""
    if isinstance(given, dict):
        return [{"name": str(name), "value": str(value)} for name, value in given.items()]
    return list(given or [])


class GraphFile(t.NamedTuple):
    """The objects of a graph file, each with its values by lines."""

    objects: list[Object]
    layers: list[Layer]


def read_graph_file(path: str, variables: t.Mapping[str, t.Any], findings: Findings) -> GraphFile:
    """Return the objects of a file, its variables filled; note what is wrong with it, with its lines."""
    try:
        content, size = read_regular(path, MAX_BYTES + 1)
        text = content.decode("utf-8-sig") if size <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as exc:
        findings.add(path, f"cannot be read: {getattr(exc, 'strerror', None) or exc}", rule="yaml-file")
        return GraphFile([], [])
    text = filled(text, path, variables, findings)
    found = GraphFile([], [])
    for document in documents(text):
        root, mistakes = load_yaml(document.encode(), path)
        for mistake in mistakes:
            place = Place(f"{path}:{mistake.mark.line}" if mistake.mark.line else path, mistake.mark)
            findings.add(place, mistake.message, mistake.hint, mistake.rule)
        body = mapping(to_plain(root)) if root is not None else {}
        if not body:
            continue
        found.layers.append(Layer(body, path, root))
        found.objects.append(body)
    return found


def filled(text: str, path: str, variables: t.Mapping[str, t.Any], findings: Findings) -> str:
    """Return a file's text with its ${VARIABLES} filled; note each that nothing fills with its line."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for name in dict.fromkeys(_VARIABLE.findall(line)):
            if variables.get(name) in (None, ""):
                place = Place(f"{path}:{number}", Mark(path, number, line.index("${" + name) + 1))
                known = ", ".join(sorted(key for key, value in variables.items() if value not in (None, "")))
                fix = f"set it in dynamo_models_variables; known here: {known}"
                findings.add(place, f"${{{name}}} has no value", fix, rule="input-graph-variable")
        lines[number - 1] = _VARIABLE.sub(lambda found: str(variables.get(found[1]) or found[0]), line)
    return "\n".join(lines)


def outgrown(cluster: Cluster, graphs: t.Sequence[Graph]) -> list[Object]:
    """Return the live components of services that wanted graphs do not have: operators up to 0.9 delete none of them
    when a service is taken out of its graph (ai-dynamo/dynamo issue 3379)."""
    early = [one for one in graphs if one.line < HASHED]
    if not early or cluster.resource(API, COMPONENT) is None:
        return []
    services = {(one.namespace, one.name): {service.name for service in one.services} for one in early}
    live = [
        {**item, "apiVersion": API, "kind": COMPONENT}
        for namespace in dict.fromkeys(one.namespace for one in early)
        for item in cluster.list(API, COMPONENT, namespace)
    ]
    return [item for item in live if _is_outgrown(item, services)]


def _is_outgrown(item: Object, services: t.Mapping[tuple[str, str], set[str]]) -> bool:
    metadata = item["metadata"]
    labels = mapping(metadata.get("labels"))
    known = services.get((metadata["namespace"], str(labels.get(GRAPH_LABEL))))
    said = labels.get(SERVICE_LABEL)
    return bool(known and said and said not in known and not metadata.get("deletionTimestamp"))
