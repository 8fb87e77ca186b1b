# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a DynamoGraphDeployment says, as the operator of a Dynamo version reads it: services, endpoints, models, pods.

Of v1alpha1 (a map of services) and v1beta1 (a list of components). Dynamo namespaces: the field dynamoNamespace up to
0.6, from 0.7 on the Kubernetes namespace and the graph's name, or the one that all share (globalDynamoNamespace).
ai-dynamo/dynamo, deploy/operator/internal/dynamo/graph.go; components/src/dynamo/{vllm,sglang,trtllm}/args.py.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..programs.versions import Version
from ..programs.versions import version as numbers
from .graph_pods import FRONTEND, FRONTEND_PORT, WORKERS, Made, Path, gpus, pod, source
from .servers import flag, flags, flags_given, words

KIND, GROUP = "DynamoGraphDeployment", "nvidia.com"
# The namespace of a frontend that sees the models of all.
GLOBAL = "dynamo"
# From here on the field dynamoNamespace is not read.
COMPUTED: Version = (0, 7)
# From here on the names of workers' Deployments end in a hash.
HASHED: Version = (1, 0)
# Of a graph's pods: its name, and that of the service.
GRAPH_LABEL, SERVICE_LABEL = "nvidia.com/dynamo-graph-deployment-name", "nvidia.com/dynamo-component"
DECODE, PREFILL, WORKER = "decode", "prefill", "worker"
ENGINES = ("vllm", "sglang", "trtllm")
_RECREATE = "nvidia.com/deployment-strategy"


def owner_by_labels(labels: t.Mapping[str, t.Any]) -> tuple[str, str] | None:
    """Return kind and name of the Deployment that a graph's pod is predicted to be of; real names may end in a hash."""
    if labels.get(GRAPH_LABEL) and labels.get(SERVICE_LABEL):
        return "Deployment", f"{labels[GRAPH_LABEL]}-{str(labels[SERVICE_LABEL]).lower()}"
    return None


@dataclasses.dataclass(frozen=True)
class Service:
    """One service of a graph.

    kind: frontend, prefill, decode or worker as it works, planner and others as written; written: its type in the
    file; path: in the graph; line: its command line; model: what --model names; names: the models it serves; component:
    of its endpoint; child: what its Deployment is called, but for the hash of workers from 1.0 on.
    """

    name: str
    kind: str
    written: str
    path: Path
    body: Object
    replicas: int
    nodes: int
    dynamo_namespace: str
    made: Made
    line: list[str]
    engine: str
    model: str
    names: tuple[str, ...]
    component: str
    child: str

    @property
    def container(self) -> Object:
        """Its container as the operator makes it."""
        return self.made.main

    @property
    def gpus(self) -> int:
        """GPUs of each of its pods."""
        return gpus(self.container)

    @property
    def endpoint(self) -> str:
        """The endpoint that its workers answer at, '' for what is no worker."""
        return f"{self.dynamo_namespace}.{self.component}.generate" if self.component else ""

    @property
    def is_worker(self) -> bool:
        """Whether it loads a model."""
        return self.kind in (DECODE, PREFILL, WORKER)

    def where(self, *path: t.Any) -> Path:
        """Return where the graph has a field of its container, or would have it."""
        return source(self.made.sources, (*self.made.main_path, *path))


@dataclasses.dataclass(frozen=True)
class Graph:
    """A graph. line: Dynamo's version; mode: agg or disagg, '' without workers."""

    body: Object
    name: str
    namespace: str
    api: str
    line: Version
    services: tuple[Service, ...]

    @property
    def mode(self) -> str:
        """Whether its workers share the work of a request."""
        kinds = {service.kind for service in self.services if service.is_worker}
        return "" if not kinds else "disagg" if PREFILL in kinds else "agg"

    @property
    def frontends(self) -> tuple[Service, ...]:
        """Its services that take requests."""
        return tuple(service for service in self.services if service.kind == FRONTEND)

    @property
    def workers(self) -> tuple[Service, ...]:
        """Its services that load a model."""
        return tuple(service for service in self.services if service.is_worker)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it serves, each once."""
        return tuple(dict.fromkeys(name for service in self.workers for name in service.names))


@dataclasses.dataclass(frozen=True)
class Predicted:
    """An object that the operator makes of a graph. service: None for a claim of the graph's; sources: of a path in it
    the path in the graph."""

    body: Object
    service: Service | None
    sources: dict[Path, Path]

    def source(self, path: Path) -> Path:
        """Return where the graph says what stands at a path, () where it does not."""
        return source(self.sources, path)


def is_graph(body: t.Any) -> bool:
    """Return whether an object is a DynamoGraphDeployment."""
    group = str(mapping(body).get("apiVersion") or "").partition("/")[0]
    return mapping(body).get("kind") == KIND and group == GROUP


def graph(body: Object, version: str, namespace: str = "") -> Graph:
    """Return what a graph says to the operator of a version ('0.5.0'); namespace: where it goes if it names none."""
    line = numbers(version) or (0, 5)
    metadata = mapping(body.get("metadata"))
    name = str(metadata.get("name") or "")
    namespace = str(metadata.get("namespace") or namespace)
    spec = mapping(body.get("spec"))
    rows = list(_rows(spec))
    place = (name, namespace, line, _shared_namespace(name, rows))
    made = [(title, path, row, _made(row, path, spec, place)) for title, path, row in rows]
    lines = [words(one.main, namespace, program=engine_of) for *_row, one in made]
    prefills = any(_is_prefill(row[2], command) for row, command in zip(made, lines, strict=True))
    framework = str(spec.get("backendFramework") or "")
    services = [_service(*row, command, place, framework, prefills) for row, command in zip(made, lines, strict=True)]
    api = str(body.get("apiVersion") or "").rpartition("/")[2]
    return Graph(body, name, namespace, api, line, tuple(services))


def _rows(spec: Object) -> t.Iterator[tuple[str, Path, Object]]:
    for key, row in mapping(spec.get("services")).items():
        yield str(key), ("spec", "services", key), mapping(row)
    for index, row in enumerate(dicts(spec.get("components"))):
        yield str(row.get("name") or ""), ("spec", "components", index), row


def _shared_namespace(name: str, rows: list[tuple[str, Path, Object]]) -> str:
    """Return the one namespace of all services of a graph, as operators up to 0.6 have it."""
    given = (str(row.get("dynamoNamespace") or "") for _name, _path, row in rows)
    return next(filter(None, given), f"dynamo-{name}")


Place = tuple[str, str, Version, str]


def _namespace(row: Object, place: Place) -> str:
    name, namespace, line, shared = place
    if line < COMPUTED:
        return shared
    return GLOBAL if row.get("globalDynamoNamespace") is True else f"{namespace}-{name}"


def _made(row: Object, path: Path, spec: Object, place: Place) -> Made:
    name, namespace, line, _shared = place
    variables = {
        "DYN_NAMESPACE": _namespace(row, place),
        "DYN_PARENT_DGD_K8S_NAME": name,
        "DYN_PARENT_DGD_K8S_NAMESPACE": namespace,
    }
    return pod(row, path, (spec, ("spec",)), _written(row), line, variables)


def _written(row: Object) -> str:
    return str(row.get("componentType") or row.get("type") or "").lower()


def engine_of(line: list[str]) -> str | None:
    """Return which of Dynamo's workers a command line starts, None for any other program."""
    module = next((line[at + 1] for at, word in enumerate(line[:4]) if word == "-m" and at + 1 < len(line)), "")
    package, _dot, engine = module.partition("dynamo.")
    engine = engine.partition(".")[0]
    return engine if not package and (engine in ENGINES or engine == FRONTEND) else None


def _is_prefill(row: Object, line: list[str]) -> bool:
    said = flag(line, "disaggregation-mode")
    typed = PREFILL in (_written(row), str(row.get("subComponentType") or "").lower())
    return flags_given(line, "is-prefill-worker") or said == PREFILL or (typed and said is None)


def _service(
    title: str, path: Path, row: Object, made: Made, command: list[str], place: Place, framework: str, prefills: bool
) -> Service:
    written = _written(row)
    engine = engine_of(command) or ""
    engine = engine if engine in ENGINES else framework if written in WORKERS and not command[1:] else ""
    kind = written
    if written in WORKERS:
        kind = PREFILL if _is_prefill(row, command) else DECODE if prefills or written == DECODE else WORKER
    elif written != FRONTEND and engine_of(command) == FRONTEND:
        kind = FRONTEND
    model = flag(command, "model", "model-path") or ""
    names = tuple(flags(command, "served-model-name")) or ((model,) if model else ())
    said = {str(one.get("name")): str(one.get("value") or "") for one in dicts(made.main.get("env"))}
    component, own = _component(engine, kind, command, place[2], said["DYN_NAMESPACE"] or GLOBAL)
    nodes = number(mapping(row.get("multinode")).get("nodeCount"))
    replicas = number(row.get("replicas")) if row.get("replicas") is not None else 1
    return Service(
        name=title,
        kind=kind,
        written=written,
        path=path,
        body=row,
        replicas=1 if replicas is None else replicas,
        nodes=nodes or (2 if "multinode" in row and row["multinode"] is not None else 1),
        dynamo_namespace=own,
        made=made,
        line=command,
        engine=engine,
        model=model,
        names=names if kind in (DECODE, PREFILL, WORKER) else (),
        component=component,
        child=f"{place[0]}-{title.lower()}",
    )


def _component(engine: str, kind: str, line: list[str], version: Version, namespace: str) -> tuple[str, str]:
    """Return a worker's component and the namespace of its endpoint; '' as component for what has no endpoint."""
    given = (flag(line, "endpoint") or "").removeprefix("dyn://").split(".")
    if len(given) == 3 and kind != FRONTEND:
        return given[1], given[0]
    if kind not in (DECODE, PREFILL, WORKER) or not engine:
        return "", namespace
    if engine != "trtllm":
        return ("prefill" if kind == PREFILL else "backend"), namespace
    if version >= COMPUTED:
        return ("prefill" if kind == PREFILL else "tensorrt_llm"), namespace
    # Up to 0.6 the worker that requests come to first has the plain name, whichever the strategy makes that.
    second = DECODE if flag(line, "disaggregation-strategy") == "prefill_first" else PREFILL
    return ("tensorrt_llm_next" if kind == second else "tensorrt_llm"), namespace


def predicted(body: Object, version: str, namespace: str = "") -> list[Predicted]:
    """Return the Deployments that the operator makes of a graph, the Services of its frontends, and its claims.

    A service of several nodes has all their pods in one Deployment here: room and images are the same.
    """
    found = []
    said = graph(body, version, namespace)
    for service in said.services:
        found.append(_deployment(said, service))
        if service.kind == FRONTEND:
            found.append(_front(said, service))
    return found + list(_claims(said))


def _claims(said: Graph) -> t.Iterator[Predicted]:
    """Yield the claims that a graph has made: of a service up to 0.5, of the graph from 0.6 on."""
    spec = mapping(said.body.get("spec"))
    rows = [(mapping(one.body.get("pvc")), (*one.path, "pvc")) for one in said.services]
    rows += [(row, ("spec", "pvcs", index)) for index, row in enumerate(dicts(spec.get("pvcs")))]
    for row, path in rows:
        if row.get("create") is True and row.get("name"):
            wanted = {"accessModes": [row.get("volumeAccessMode")], "storageClassName": row.get("storageClass")}
            size = {"resources": {"requests": {"storage": row.get("size")}}}
            body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {**wanted, **size}}
            body["metadata"] = {"name": str(row["name"]), "namespace": said.namespace}
            sources: dict[Path, Path] = {(): path, ("spec", "storageClassName"): (*path, "storageClass")}
            yield Predicted(body, None, sources)


def _metadata(said: Graph, service: Service) -> Object:
    """Return what the operator writes of a child: its name, namespace and labels."""
    labels = {
        GRAPH_LABEL: said.name,
        SERVICE_LABEL: service.name,
        "nvidia.com/dynamo-namespace": service.dynamo_namespace,
        "nvidia.com/dynamo-component-type": service.written,
        "nvidia.com/selector": service.child,
    }
    return {"name": service.child, "namespace": said.namespace, "labels": {k: v for k, v in labels.items() if v}}


def _deployment(said: Graph, service: Service) -> Predicted:
    metadata, body = _metadata(said, service), service.body
    more = mapping(body.get("extraPodMetadata") or mapping(body.get("podTemplate")).get("metadata"))
    labels = {**mapping(body.get("labels")), **mapping(more.get("labels")), **metadata["labels"]}
    spec: Object = {
        "replicas": service.replicas * service.nodes,
        "selector": {"matchLabels": {"nvidia.com/selector": service.child}},
        "template": {
            "metadata": {"labels": labels, "annotations": mapping(more.get("annotations"))},
            "spec": _said_spec(service.made),
        },
    }
    if mapping(body.get("annotations")).get(_RECREATE) == "Recreate":
        spec["strategy"] = {"type": "Recreate"}
    sources: dict[Path, Path] = {(): service.path, ("spec", "replicas"): (*service.path, "replicas")}
    sources |= {("spec", "template", "spec", *inner): place for inner, place in service.made.sources.items()}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    return Predicted(deployment, service, sources)


def _said_spec(made: Made) -> Object:
    """Return a pod's spec without the variables that the operator sets: what they come to is its own matter."""
    index = made.main_path[1]
    env = enumerate(dicts(made.main.get("env")))
    kept = [entry for at, entry in env if (*made.main_path, "env", at) in made.sources]
    containers = list(made.spec["containers"])
    containers[index] = {**made.main, "env": kept}
    return {**made.spec, "containers": containers}


def _front(said: Graph, service: Service) -> Predicted:
    spec = {
        "selector": {"nvidia.com/selector": service.child},
        "ports": [{"name": "http", "port": FRONTEND_PORT, "targetPort": "http", "protocol": "TCP"}],
    }
    body = {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(said, service), "spec": spec}
    return Predicted(body, service, {(): service.path})
