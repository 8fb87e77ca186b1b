# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about model servers: their roles, their sidecars, and the accelerators that their parallelism needs."""

from __future__ import annotations

import re
import typing as t

from ..base.data import dicts, mapping, number
from ..base.findings import WARNING, Finding
from ..model.items import InferencePool, Workload
from ..model.model import StackModel
from ..objects.profiles import parts_prefill
from ..objects.servers import Server, flag, flags_given
from .base import Side, container_side, finding, given, listed, rule_factory
from .pickers import config_of
from .pools import label_side, selected, selector_side

ROLES = ("decode", "prefill")
# Flags of tensor, pipeline, data and local data parallel sizes: vllm/engine/arg_utils.py, sglang/srt/server_args.py.
_SIZES = {
    "vllm": (
        ("tensor-parallel-size", "tp"),
        ("pipeline-parallel-size", "pp"),
        ("data-parallel-size", "dp"),
        ("data-parallel-size-local", "dpl"),
    ),
    "sglang": (
        ("tensor-parallel-size", "tp-size", "tp"),
        ("pipeline-parallel-size", "pp-size", "pp"),
        ("data-parallel-size", "dp-size", "dp"),
        (),
    ),
}
# By the node label of GKE, how many cores that count as devices a TPU chip has; those not named may have one or two.
# Google Cloud, TPU versions: TPU7x has two, v5e and v6e one.
_TPU, _TPU_LABEL = "google.com/tpu", "cloud.google.com/gke-tpu-accelerator"
_CORES = {"tpu7x": (2,), "tpu-v6e-slice": (1,), "tpu-v5-lite-podslice": (1,), "tpu-v5-lite-device": (1,)}


def _splitting(model: StackModel) -> t.Iterator[tuple[InferencePool, Side, list[Workload]]]:
    """Yield each planned pool whose picker parts prefill from decode, that configuration, and its running pods."""
    for pool in (pool for pool in model.pools if not pool.item.live):
        picker = model.picker_of(pool)
        found = config_of(picker, model) if picker else None
        running = [w for w in selected(pool, model) if w.replicas != 0]
        if found and parts_prefill(found[0]) and running:
            yield pool, found[1], running


def both_roles(model: StackModel) -> t.Iterator[Finding]:
    for pool, config, running in _splitting(model):
        roles = {w.role or "decode" for w in running}
        for role in ROLES:
            if role in roles or "both" in roles:
                continue
            units = {w.item.unit for w in running}
            idle = [w for w in model.workloads if w.role == role and w.item.unit in units]
            why = "are not selected by the pool" if idle and idle[0].replicas != 0 else "do not exist"
            text = f"the picker of pool {pool.item.name} separates prefill from decode, but {role} pods {why}"
            missing = [label_side(w) for w in idle] or [Side(running[0].item, (), role)]
            labels = idle[0].labels if idle else {}
            label = next((key for key, value in pool.selector.items() if idle and labels.get(key) != value), "")
            explained = tuple(("answers", unit) for unit in units if role == "decode")
            yield finding(
                text, (config, selector_side(pool, label), *missing), ("roles", pool.item.title), "", explained
            )


def sidecars(model: StackModel) -> t.Iterator[Finding]:
    for pool, config, running in _splitting(model):
        bare = [w for w in running if w.role != "prefill" and not w.sidecars]
        if bare and any(w.role == "prefill" for w in running):
            names = listed(w.item.name for w in bare)
            text = f"the picker of pool {pool.item.name} separates prefill from decode, {names} has no routing sidecar"
            sides = (config, *(Side(w.item, w.path, "sidecar") for w in bare))
            explained = tuple(("probe", w.item.title) for w in bare)
            yield finding(text, sides, ("sidecar", pool.item.title), explains=explained)


def forwards(model: StackModel) -> t.Iterator[Finding]:
    """The sidecar passes requests on to a port that the model server listens on."""
    for workload in _planned(model):
        ports = [server.ports for server in workload.models]
        known = [port for group in ports for port in group or ()]
        for sidecar in workload.sidecars:
            if None in ports or sidecar.forward is None or sidecar.forward in known:
                continue
            text = f"the routing sidecar passes requests on to {sidecar.forward}, the server listens on {listed(known)}"
            sides = (_container(workload, sidecar, "forward"), container_side(workload, workload.models[0], "args"))
            yield finding(text, sides, ("forward", workload.item.title), explains=(("probe", workload.item.title),))


def _planned(model: StackModel) -> list[Workload]:
    return [w for w in model.workloads if not w.item.live and w.replicas != 0]


def _container(workload: Workload, server: Server, fact: str, *more: str) -> Side:
    return Side(workload.item, (*workload.path, "spec", server.key, server.index), fact, more)


def answers(model: StackModel) -> t.Iterator[Finding]:
    """Each release of a model has pods that answer requests."""
    for unit in dict.fromkeys(w.item.unit for w in model.workloads if not w.item.live and w.item.unit):
        mine = [w for w in model.workloads if w.item.unit == unit and not w.item.live]
        if not any(w.role != "prefill" and w.replicas != 0 for w in mine):
            text = f"{mine[0].item.unit} has no decode pods to answer requests"
            sides = [Side(w.item, ("spec", "replicas"), "decode") for w in mine]
            yield finding(text, tuple(sides), ("answers", unit))


def side_channel(model: StackModel) -> t.Iterator[Finding]:
    """Pods that exchange KV blocks by NIXL say under which address."""
    for workload in _planned(model):
        for server in workload.models:
            nixl = workload.role in ROLES and any("NixlConnector" in word for word in server.line)
            names = {env.get("name") for env in dicts(server.container.get("env"))}
            if nixl and "VLLM_NIXL_SIDE_CHANNEL_HOST" not in names:
                text = f"{workload.item.name} exchanges KV blocks by NIXL without VLLM_NIXL_SIDE_CHANNEL_HOST"
                yield finding(text, (container_side(workload, server, "env"),), ("nixl", workload.item.unit))


def _accelerators(model: StackModel) -> t.Iterator[tuple[Workload, Server, int, int, str]]:
    """Yield (workload, server, accelerators needed, asked for, how that was worked out) where both are known."""
    for workload in _planned(model):
        for server in workload.models:
            found = _needed(workload, server) if server.program in _SIZES and server.devices else None
            asked = server.devices * workload.size
            if found and found[0] not in {asked * cores for cores in _cores(workload, server)}:
                yield workload, server, found[0], asked, found[1]


def _cores(workload: Workload, server: Server) -> tuple[int, ...]:
    """Return how many devices of parallelism one accelerator that a pod asks for may be."""
    resources = mapping(server.container.get("resources"))
    if not any(_TPU in mapping(resources.get(part)) for part in ("limits", "requests")):
        return (1,)
    return _CORES.get(str(mapping(workload.spec.get("nodeSelector")).get(_TPU_LABEL)), (1, 2))


def _needed(workload: Workload, server: Server) -> tuple[int, str] | None:
    """Return the accelerators that a group of pods needs, None where a size is not a plain number."""
    given = [flag(server.line, *names) if names else None for names in _SIZES[server.program]]
    if any(value is not None and number(value) is None for value in given):
        return None
    tensor, pipeline, data, local = (number(value) if value is not None else None for value in given)
    ranks = local * workload.size if local and data is None else data or 1
    # SGLang's attention runs data parallel on the devices of its tensor parallelism.
    if server.program == "sglang" and flags_given(server.line, "enable-dp-attention"):
        ranks = 1
    parts = [("tensor", tensor or 1), ("pipeline", pipeline or 1), ("data", ranks)]
    shown = " x ".join(f"{name} {size}" for name, size in parts if size > 1) or "one"
    return (tensor or 1) * (pipeline or 1) * ranks, shown


def _devices(model: StackModel, fewer: bool) -> t.Iterator[Finding]:
    for workload, server, needed, asked, shown in _accelerators(model):
        # A group of pods starts every rank that its size makes: more pods than ranks fail as fewer do.
        if (asked < needed or workload.size > 1) is fewer:
            group = f"{workload.size} pods x {server.devices} = {asked}" if workload.size > 1 else str(asked)
            text = f"{workload.item.name} requests {group} accelerators, but its parallelism ({shown}) needs {needed}"
            by_chart = _container(workload, server, workload.role or "decode", "parallelism")
            # The chart writes the sizes of parallelism; elsewhere they stand in the user's own arguments.
            sides = [container_side(workload, server, "args") if _own_sizes(workload, server) else by_chart]
            sides.append(container_side(workload, server, "resources"))
            twice = tuple(
                ("twice", workload.item.title, f"{size}-parallel-size") for size in ("tensor", "pipeline", "data")
            )
            yield finding(text, tuple(sides), ("devices", workload.item.title), explains=twice)


def _own_sizes(workload: Workload, server: Server) -> bool:
    """Return whether the user's own arguments say how parallel a server is."""
    words = given(workload.item, (workload.role or "decode", "containers", server.index, "args"))
    text = " ".join(map(str, words)) if isinstance(words, list) else ""
    return any(re.search(rf"(?<![\w-])--?{name}\b", text) for names in _SIZES[server.program] for name in names)


def too_few(model: StackModel) -> t.Iterator[Finding]:
    return _devices(model, fewer=True)


def too_many(model: StackModel) -> t.Iterator[Finding]:
    return _devices(model, fewer=False)


_rule = rule_factory("LLMD5")

RULES = (
    _rule(
        1,
        "Prefill and decode both exist",
        both_roles,
        "Where the picker's plugins separate prefill from decode, the pool selects running pods of both roles.",
        "Without prefill pods, decode serves requests alone, without an error; without decode they fail.",
        "create both roles with replicas above 0, or use a plugins file without prefill",
        "llm-d-inference-scheduler, pd-profile-handler; F10; llm-d/llm-d#1189",
    ),
    _rule(
        2,
        "Decode pods have a routing sidecar",
        sidecars,
        "Where the picker's plugins separate prefill from decode, decode pods run the routing sidecar.",
        "The prefill pod that the picker chose is ignored: requests get 200, prefill pods stay idle.",
        "set routing.proxy.enabled: true",
        "llm-d-inference-scheduler, cmd/pd-sidecar; F10",
    ),
    _rule(
        3,
        "The sidecar reaches its server",
        forwards,
        "The port that a routing sidecar passes requests on to is one that the pod's model server listens on.",
        "502 from the sidecar: 127.0.0.1:8200 connection refused, while all pods are Ready.",
        "start the server with --port equal to routing.proxy.targetPort",
        "llm-d-modelservice, routing.proxy.targetPort; F10",
    ),
    _rule(
        4,
        "A model has pods that answer",
        answers,
        "Each model has decode (or undivided) pods with replicas above 0.",
        "503: the pool has no endpoints.",
        "set decode.create: true and decode.replicas above 0",
        "llm-d-modelservice, decode.replicas",
    ),
    _rule(
        5,
        "NIXL has an address",
        side_channel,
        "Prefill and decode pods with NixlConnector set VLLM_NIXL_SIDE_CHANNEL_HOST, by default localhost.",
        "Decode pods cannot fetch KV blocks: errors in NIXL, or everything is computed twice.",
        "set VLLM_NIXL_SIDE_CHANNEL_HOST from the field status.podIP",
        "vLLM, docs/features/nixl_connector_usage; F10",
    ),
    _rule(
        6,
        "Enough accelerators for the parallelism",
        too_few,
        "Tensor x pipeline x data parallel sizes are the accelerators that a pod (of a group: all its pods) asks for. "
        "A chip of TPU7x is two devices.",
        "The server exits at start: fewer devices than the world size.",
        "raise the accelerators in resources, or lower decode.parallelism",
        "vLLM, --tensor-parallel-size; LeaderWorkerSet, spec.leaderWorkerTemplate.size",
    ),
    _rule(
        7,
        "Every accelerator is used",
        too_many,
        "A pod asks for no more accelerators than tensor, data and pipeline parallelism use in it.",
        "Accelerators are held and never used.",
        "lower the accelerators in resources, or raise decode.parallelism",
        "vLLM, --tensor-parallel-size; LeaderWorkerSet, spec.leaderWorkerTemplate.size",
        WARNING,
    ),
)
