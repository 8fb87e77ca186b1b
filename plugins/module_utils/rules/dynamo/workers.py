# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about Dynamo's workers: GPUs against models, time to start, roles and their arguments by version."""

from __future__ import annotations

import math
import typing as t

from ...base.data import Object, dicts, mapping, number
from ...base.findings import WARNING, Finding
from ...base.images import parse_image
from ...model.graphs import GraphItem
from ...model.model import StackModel
from ...objects.graphs import DECODE, PREFILL, Service
from ...objects.servers import flag, flags_given
from ...programs.model_sizes import GIGA, weight_bytes
from ...programs.versions import Version, version
from ..base import Side, finding, listed, rule_factory

TENSOR = ("tensor-parallel-size", "tp", "tp-size")
PIPELINE = ("pipeline-parallel-size", "pp", "pp-size")
DATA = ("data-parallel-size-local", "data-parallel-size", "dp", "dp-size")
# What one GPU holds, where no node says it.
USUAL_MEMORY = 80 * GIGA
# How much of a GPU's memory is for weights at most: the KV cache needs some.
_SHARE = 0.95
# A download and reading from a volume, bytes a second; what an engine does besides, seconds.
_DOWNLOAD, _READ, _BEGIN = 25 * 10**6, 250 * 10**6, 60
# The operator's own time from 0.6 on is taken for enough.
_LONG = 7200


def workers(model: StackModel) -> t.Iterator[tuple[GraphItem, Service]]:
    """Yield the workers of planned graphs that are to run."""
    for one in model.graphs:
        for service in one.graph.workers:
            if service.replicas:
                yield one, service


def _side(one: GraphItem, service: Service, *path: t.Any) -> Side:
    return Side(one.item, service.where(*path))


def _gpu_side(one: GraphItem, service: Service) -> Side:
    at = service.where("resources", "limits", "nvidia.com/gpu")
    return Side(one.item, at) if service.gpus else Side(one.item, (*service.path, "resources"))


def _size(line: list[str], names: tuple[str, ...]) -> int | None:
    given = flag(line, *names)
    return 1 if given is None else number(given)


def parallel(model: StackModel) -> t.Iterator[Finding]:
    """Tensor parallelism against the GPUs of a worker's pods."""
    for one, service in workers(model):
        tensor, pipeline = _size(service.line, TENSOR), _size(service.line, PIPELINE)
        if not service.engine or not tensor or not pipeline or not service.gpus:
            continue
        held, needed = service.gpus * service.nodes, tensor * pipeline
        if needed > held:
            text = f"{service.name} of {one.item.name} spreads the model over {needed} GPUs but requests {held}"
            sides = (_side(one, service, "args"), _gpu_side(one, service))
            yield finding(text, sides, ("parallel", one.item.title, service.name))


def idle_gpus(model: StackModel) -> t.Iterator[Finding]:
    """GPUs that a worker asks for and does not use."""
    for one, service in workers(model):
        sizes = [_size(service.line, names) for names in (TENSOR, PIPELINE)]
        ranks = next((number(word) for name in DATA if (word := flag(service.line, name))), 1)
        if not service.engine or None in sizes or not ranks or not service.gpus or service.engine == "trtllm":
            continue
        used = math.prod(size or 1 for size in sizes) * ranks
        held = service.gpus * service.nodes
        if used < held:
            text = f"{service.name} of {one.item.name} requests {held} GPUs but uses {used}"
            sides = (_gpu_side(one, service), _side(one, service, "args"))
            key = ("parallel", one.item.title, service.name)
            remedy = f"{'--tp' if service.engine == 'sglang' else '--tensor-parallel-size'} {held}, or {used} GPUs"
            yield finding(text, sides, key, remedy)


def no_gpus(model: StackModel) -> t.Iterator[Finding]:
    """Workers of engines that need GPUs and ask for none."""
    for one, service in workers(model):
        claims = dicts(mapping(service.container.get("resources")).get("claims"))
        if service.engine and not service.gpus and not claims and not _on_cpu(service):
            text = f"{service.name} of {one.item.name} requests no GPU"
            yield finding(text, (_gpu_side(one, service),), ("parallel", one.item.title, service.name))


def _on_cpu(service: Service) -> bool:
    return flag(service.line, "device") == "cpu" or "cpu" in str(service.container.get("image"))


def _quantized(service: Service) -> list[str]:
    return [word for name in ("quantization", "dtype", "load-format") if (word := flag(service.line, name))]


def memory(model: StackModel) -> t.Iterator[Finding]:
    """Weights against the memory of the GPUs, by the model's name."""
    largest = _gpu_memory(model)
    for one, service in workers(model):
        weights = weight_bytes(service.model, _quantized(service))
        if weights is None or not service.gpus or not service.engine:
            continue
        spread = min(
            service.gpus * service.nodes, (_size(service.line, TENSOR) or 1) * (_size(service.line, PIPELINE) or 1)
        )
        room = int(spread * (largest or USUAL_MEMORY) * _SHARE)
        if weights > room:
            each = (largest or USUAL_MEMORY) // GIGA
            named = "from the nodes' labels" if largest else "an assumption"
            text = f"{service.model} has about {weights // GIGA} GB of weights, by its name; {service.name} of "
            text += f"{one.item.name} has {spread} GPU{'s' if spread > 1 else ''} of {each} GB ({named}) for them"
            sides = (_gpu_side(one, service), _side(one, service, "args"))
            wanted = next((n for n in (2, 4, 8, 16, 32) if n * each * GIGA * _SHARE >= weights), 64)
            remedy = f"about {wanted} GPUs with tensor parallelism of {wanted}, or a quantized model"
            yield finding(text, sides, ("memory", one.item.title, service.name), remedy)


def _gpu_memory(model: StackModel) -> int:
    """Return the memory of the largest GPU of the cluster, 0 where no node tells (gpu-feature-discovery's label)."""
    capacity = model.facts.capacity
    nodes = (capacity.nodes if capacity else None) or ()
    labels = [mapping(mapping(node.get("metadata")).get("labels")) for node in nodes]
    return max((number(one.get("nvidia.com/gpu.memory")) or 0 for one in labels), default=0) * 2**20


def budget(probe: Object) -> int:
    """Return how many seconds a probe leaves a container until it is killed."""
    values = {"initialDelaySeconds": 0, "periodSeconds": 10, "failureThreshold": 3}
    delay, period, tries = (
        value if (value := number(probe.get(key, default))) is not None else default for key, default in values.items()
    )
    return delay + period * tries


def start_time(model: StackModel) -> t.Iterator[Finding]:
    """The time that a worker has to load its model, against what that is likely to take."""
    for one, service in workers(model):
        weights = weight_bytes(service.model, _quantized(service)) if service.engine else None
        probe = mapping(service.container.get("startupProbe"))
        if weights is None or not probe:
            continue
        seconds, kept = budget(probe), _kept(service)
        needed = _BEGIN + weights // (_READ if kept else _DOWNLOAD)
        if needed > seconds and seconds < _LONG:
            own = mapping(mapping(service.body.get("extraPodSpec")).get("mainContainer")).get("startupProbe")
            whose = "" if own else f" by Dynamo {one.version} itself"
            how = "reading" if kept else "downloading and reading"
            text = (
                f"{service.name} of {one.item.name} has {_minutes(seconds)}{whose} until it is killed, and {how} about "
            )
            text += f"{weights // GIGA} GB takes {_minutes(needed)} or so"
            yield finding(text, (_side(one, service, "startupProbe"),), ("start", one.item.title, service.name))


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} minutes"


def _kept(service: Service) -> bool:
    """Return whether a worker has a volume that may hold the model already."""
    volumes = dicts(service.made.spec.get("volumes"))
    return any("persistentVolumeClaim" in one or "hostPath" in one or "nfs" in one for one in volumes)


def roles(model: StackModel) -> t.Iterator[Finding]:
    """Prefill without decode, and decode without prefill."""
    for one in model.graphs:
        running = [service for service in one.graph.workers if service.replicas]
        prefills = [service for service in running if service.kind == PREFILL]
        decodes = [service for service in running if service.kind != PREFILL]
        said = [service for service in decodes if _decodes_only(service)]
        if prefills and not decodes:
            text = f"{one.item.name} has workers for prefill but none for decode"
            yield finding(text, [Side(one.item, service.path) for service in prefills], ("roles", one.item.title))
        elif said and not prefills and not _prefilled_elsewhere(model, said):
            text = f"{listed(s.name for s in said)} of {one.item.name} only decodes, but there is no prefill worker"
            yield finding(text, [_side(one, service, "args") for service in said], ("roles", one.item.title))


def _prefilled_elsewhere(model: StackModel, decodes: list[Service]) -> bool:
    spaces = {service.dynamo_namespace for service in decodes}
    return any(s.kind == PREFILL and s.dynamo_namespace in spaces for _one, s in workers(model))


def _decodes_only(service: Service) -> bool:
    return flag(service.line, "disaggregation-mode") == DECODE or flags_given(service.line, "is-decode-worker")


def pairs(model: StackModel) -> t.Iterator[Finding]:
    """Workers of one graph that decode another model than is prefilled."""
    for one in model.graphs:
        if one.graph.mode != "disagg":
            continue
        named = {service.model for service in one.graph.workers if service.model}
        if len(named) > 1:
            text = f"workers of {one.item.name} that share the work of a request load different models: {listed(named)}"
            sides = [_side(one, service, "args") for service in reversed(one.graph.workers)]
            gone = (("crosstalk", one.graph.workers[0].dynamo_namespace),)
            yield finding(text, sides, ("pairs", one.item.title), explains=gone)


def runtime(one: GraphItem, service: Service) -> Version:
    """Return the version of the runtime that a service runs: of its image's tag, else of Dynamo."""
    try:
        tag = parse_image(str(service.container.get("image") or "")).tag
    except ValueError:
        tag = ""
    return version(tag) or one.line


# Of vLLM's workers: from which version on an argument is known, until when, and what stands for it else.
_ARGUMENTS: tuple[tuple[str, Version, Version, str], ...] = (
    ("is-prefill-worker", (0,), (1, 2), "--disaggregation-mode prefill"),
    ("is-decode-worker", (0, 6), (1, 2), "--disaggregation-mode decode"),
    ("disaggregation-mode", (1, 0), (99,), "--is-prefill-worker for prefill, nothing for decode"),
)
# Runtimes that know both ways, and warn of the older one.
_OLD_SINCE: Version = (1, 0)


def _arguments(model: StackModel) -> t.Iterator[tuple[GraphItem, Service, str, str, bool]]:
    for one, service in workers(model):
        has = runtime(one, service)
        for name, since, until, instead in _ARGUMENTS if service.engine == "vllm" else ():
            if flags_given(service.line, name):
                yield one, service, name, instead, since <= has < until


def unknown_arguments(model: StackModel) -> t.Iterator[Finding]:
    for one, service, name, instead, known in _arguments(model):
        if not known:
            text = f"{service.name} of {one.item.name} has --{name}, unknown to the runtime {_shown(one, service)}"
            yield finding(text, (_side(one, service, "args"),), ("role", one.item.title, service.name), instead)


def old_arguments(model: StackModel) -> t.Iterator[Finding]:
    for one, service, name, instead, known in _arguments(model):
        if known and name.startswith("is-") and runtime(one, service) >= _OLD_SINCE:
            text = f"--{name} of {service.name} in {one.item.name} is deprecated in the runtime {_shown(one, service)}"
            yield finding(text, (_side(one, service, "args"),), ("role", one.item.title, service.name), instead)


def _shown(one: GraphItem, service: Service) -> str:
    return ".".join(map(str, runtime(one, service)))


# The folder of the backends' files in the images, before and after 0.7.
_FOLDERS = ("/workspace/components/backends/", "/workspace/examples/backends/")
_MOVED: Version = (0, 7)


def folders(model: StackModel) -> t.Iterator[Finding]:
    """A working directory that images of this version do not have."""
    for one, service in workers(model):
        late = one.line >= _MOVED
        folder = str(service.container.get("workingDir") or "")
        # The image's own version may be right where the platform's is not.
        both = runtime(one, service) >= _MOVED
        if late == both and folder.startswith(_FOLDERS[0 if late else 1]):
            right = folder.replace(*(_FOLDERS if late else _FOLDERS[::-1]))
            text = (
                f"the workingDir {folder} of {service.name} in {one.item.name} is not in images of Dynamo {one.version}"
            )
            yield finding(text, (_side(one, service, "workingDir"),), ("folder", one.item.title, service.name), right)


_rule = rule_factory("LLMD8")
_SOURCE = "ai-dynamo/dynamo"

RULES = (
    _rule(
        55,
        "GPUs suffice for tensor parallelism",
        parallel,
        "Tensor times pipeline parallelism of a worker is at most the GPUs of its pods.",
        "The engine exits at start: fewer devices than the world size.",
        "request as many GPUs as --tensor-parallel-size (--tp) times pipeline parallelism",
        f"{_SOURCE}, components/src/dynamo; vLLM and SGLang, parallel configuration",
    ),
    _rule(
        56,
        "Workers use their GPUs",
        idle_gpus,
        "A worker that asks for several GPUs spreads its model over all of them.",
        "GPUs are held and not used, and a model that needs them does not fit.",
        "set --tensor-parallel-size (--tp) to the number of GPUs",
        "vLLM, --tensor-parallel-size; SGLang, --tp",
        WARNING,
    ),
    _rule(
        57,
        "Workers have a GPU",
        no_gpus,
        "A worker of vLLM, SGLang or TensorRT-LLM asks for GPUs in resources.limits.gpu.",
        "The pod runs on a node without one, and the engine exits: no CUDA device.",
        'set resources.limits.gpu: "1" (a string), or more',
        f"{_SOURCE}, deploy/operator/api/v1alpha1 resources.limits.gpu",
        WARNING,
    ),
    _rule(
        58,
        "Models fit their GPUs",
        memory,
        "The weights of a model, estimated from its name and quantization, fit the memory of the GPUs that it is "
        "spread over (by the nodes' labels, else 80 GB each).",
        "The engine exits at start: CUDA out of memory.",
        "use more GPUs with tensor parallelism, or a quantized model",
        "Hugging Face, model cards; nvidia.com/gpu.memory of gpu-feature-discovery",
        WARNING,
    ),
    _rule(
        59,
        "Workers have time to start",
        start_time,
        "The startup probe of a worker lasts longer than its model takes to be downloaded and read. The operator's own "
        "is 10 minutes in 0.5, two hours from 0.6 on.",
        "The kubelet kills the worker while it loads, again and again: it never becomes Ready.",
        "set a startupProbe with a higher failureThreshold in extraPodSpec.mainContainer (the only place for it), or "
        "put the model on a volume",
        f"{_SOURCE}, deploy/operator/internal/dynamo/component_worker.go; lib/runtime/src/system_status_server.rs",
        WARNING,
    ),
    _rule(
        61,
        "Prefill and decode come together",
        roles,
        "A graph with workers for prefill has some for decode, and one whose workers decode only has some for prefill.",
        "The model is not listed, or requests wait for a prefill that never comes.",
        "add workers of both roles, or of neither",
        f"{_SOURCE}, components/src/dynamo/vllm; docs of disaggregated serving",
    ),
    _rule(
        62,
        "Prefill and decode load one model",
        pairs,
        "All workers of a disaggregated graph have the same --model.",
        "KV blocks of another model are refused, or misread.",
        "use one model for both roles",
        f"{_SOURCE}, docs of disaggregated serving",
    ),
    _rule(
        63,
        "The runtime knows the role's argument",
        unknown_arguments,
        "--is-prefill-worker is known up to 1.1, --is-decode-worker from 0.6 to 1.1, --disaggregation-mode of vLLM's "
        "workers from 1.0 on.",
        "The worker exits at start: unrecognized arguments.",
        "use the argument of the runtime's version",
        f"{_SOURCE}, components/src/dynamo/vllm/backend_args.py at v0.5.0 to v1.0.1",
    ),
    _rule(
        64,
        "Roles are given by --disaggregation-mode",
        old_arguments,
        "From 1.0 on the role of vLLM's workers is --disaggregation-mode.",
        "Later releases do not start with the older arguments.",
        "use --disaggregation-mode prefill or decode",
        f"{_SOURCE}, components/src/dynamo/vllm/backend_args.py",
        WARNING,
    ),
    _rule(
        65,
        "The working directory is in the image",
        folders,
        "workingDir is below /workspace/components/backends up to 0.6, below /workspace/examples/backends from 0.7 on.",
        "The worker starts in an empty folder, and files named relative to it are not found.",
        "use the folder of the image's version",
        f"{_SOURCE}, pull request 3849",
        WARNING,
    ),
)
