# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what prefill hands to decode: profiles, connectors, roles and block sizes of the two agree."""

from __future__ import annotations

import json
import typing as t

from ...base.data import Object, dicts, mapping, number
from ...base.findings import WARNING, Finding
from ...model.items import InferencePool, Workload
from ...model.model import StackModel
from ...objects.profiles import DECODE, PREFILL, parts_prefill, profiles_of, role_profiles
from ...objects.servers import Server, flag
from ..base import Rule, Side, container_side, finding, listed, rule_factory
from ..pickers import config_of
from ..pools import selected

# vLLM, vllm/distributed/kv_transfer: the connector that does not look at kv_role, and the one that holds several.
NIXL, MULTI = "NixlConnector", "MultiConnector"
# What SGLang takes where no argument says it (server_args.py).
_SGLANG_BACKEND = "mooncake"
_WRONG = {PREFILL: "kv_consumer", DECODE: "kv_producer"}


class Pair(t.NamedTuple):
    """A pool that has prefill and decode pods: one server of each, with its workload."""

    pool: InferencePool
    prefill: tuple[Workload, Server]
    decode: tuple[Workload, Server]

    def sides(self, *path: str) -> tuple[Side, Side]:
        """Return the places of a field of both containers."""
        return container_side(*self.prefill, *path), container_side(*self.decode, *path)


def _parted(model: StackModel) -> list[InferencePool]:
    """Return the planned pools whose pickers are known to part prefill from decode."""
    found = []
    for pool in (pool for pool in model.pools if not pool.item.live):
        picker = model.picker_of(pool)
        config = config_of(picker, model) if picker else None
        if config and parts_prefill(config[0]):
            found.append(pool)
    return found


def _pairs(model: StackModel) -> t.Iterator[Pair]:
    for pool in _parted(model):
        taken = [w for w in selected(pool, model) if w.replicas != 0 and w.models]
        prefill = [(w, w.models[0]) for w in taken if w.role == PREFILL]
        decode = [(w, w.models[0]) for w in taken if w.role != PREFILL]
        if prefill and decode:
            yield Pair(pool, prefill[0], decode[0])


def profile_roles(model: StackModel) -> t.Iterator[Finding]:
    """The profile that a handler runs for a role takes pods of that role."""
    for pool in (pool for pool in model.pools if not pool.item.live):
        picker = model.picker_of(pool)
        found = config_of(picker, model) if picker else None
        wanted = role_profiles(found[0]) if found else {}
        for profile in profiles_of(found[0]) if found and wanted else ():
            role = wanted.get(profile.name)
            if role and found and profile.roles and role not in profile.roles:
                text = f"profile {profile.name} of pool {pool.item.name}'s picker takes {listed(profile.roles)} pods"
                key = ("profile", pool.item.title, profile.name)
                yield finding(text, (found[1],), key, explains=(("roles", pool.item.title),))


def _hands_over(workload: Workload) -> bool:
    """Return whether planned pods make KV blocks for others; each pod of a simulator answers by itself."""
    return not workload.item.live and any(server.program != "simulator" for server in workload.models)


def used_prefill(model: StackModel) -> t.Iterator[Finding]:
    """Prefill pods that a pool selects are used by its picker as such."""
    for pool in (pool for pool in model.pools if not pool.item.live):
        picker = model.picker_of(pool)
        config = config_of(picker, model) if picker else None
        idle = [w for w in selected(pool, model) if w.role == PREFILL and w.replicas != 0 and _hands_over(w)]
        if config and idle and not parts_prefill(config[0]) and picker:
            text = (
                f"pool {pool.item.name} has prefill pods ({listed(w.item.name for w in idle)}), its picker's profiles "
            )
            args = ("spec", "template", "spec", "containers", picker.index, "args")
            sides = (Side(picker.item, args, "plugins_file"), *(Side(w.item, (), PREFILL) for w in idle))
            yield finding(f"{text}do not separate them from decode", sides, ("roles", pool.item.title))


def transfers(server: Server) -> list[Object] | None:
    """Return the settings of a server's KV connectors, [] where it has none, None where they cannot be read."""
    text = flag(server.line, "kv-transfer-config")
    if text is None:
        return []
    try:
        given = mapping(json.loads(text))
    except ValueError:
        return None
    inner = dicts(mapping(given.get("kv_connector_extra_config")).get("connectors"))
    return inner if given.get("kv_connector") == MULTI and inner else [given]


def connectors(model: StackModel) -> t.Iterator[Finding]:
    for pair in _pairs(model):
        backends = [_backend(server) for _workload, server in (pair.prefill, pair.decode)]
        if all(backends) and backends[0] != backends[1]:
            text = f"prefill pods hand over KV blocks by {backends[0]}, decode pods take them by {backends[1]}"
            yield finding(text, pair.sides("args"), ("connector", pair.pool.item.title))
        both = [transfers(server) for _workload, server in (pair.prefill, pair.decode)]
        if None in both or not all(server.program == "vllm" for _w, server in (pair.prefill, pair.decode)):
            continue
        given, taken = ({str(one.get("kv_connector")) for one in found or []} for found in both)
        if given & taken:
            continue
        if given or taken:
            text = f"prefill pods hand over KV blocks by {listed(given, 'no connector')}, decode pods take them by "
            text += listed(taken, "none")
        else:
            text = (
                f"the servers of pool {pair.pool.item.name} have no --kv-transfer-config: prefill's work is thrown away"
            )
        yield finding(text, pair.sides("args"), ("connector", pair.pool.item.title))


def _backend(server: Server) -> str:
    """Return by what SGLang hands KV blocks over, '' for other programs and where no plain word says it."""
    given = flag(server.line, "disaggregation-transfer-backend") or _SGLANG_BACKEND
    return given if server.program == "sglang" and "$" not in given else ""


def kv_roles(model: StackModel) -> t.Iterator[Finding]:
    """A producer prefills and a consumer decodes; NixlConnector does not look at the role."""
    for pair in _pairs(model):
        for role, (workload, server) in ((PREFILL, pair.prefill), (DECODE, pair.decode)):
            mode = flag(server.line, "disaggregation-mode") or "null"
            if server.program == "sglang" and mode != role and "$" not in mode:
                text = f"{workload.item.name} is to {role} with --disaggregation-mode {mode}"
                yield finding(text, (container_side(workload, server, "args"),), ("kv_role", workload.item.title))
            for one in transfers(server) or []:
                if one.get("kv_role") == _WRONG[role] and one.get("kv_connector") != NIXL:
                    text = f"{workload.item.name} is to {role} as {one['kv_role']} of {one.get('kv_connector')}"
                    yield finding(text, (container_side(workload, server, "args"),), ("kv_role", workload.item.title))


def _size(server: Server, *names: str) -> int | None:
    return number(flag(server.line, *names))


def block_sizes(model: StackModel) -> t.Iterator[Finding]:
    for pair in _pairs(model):
        sizes = [_size(server, "block-size", "page-size") for _workload, server in (pair.prefill, pair.decode)]
        if None not in sizes and sizes[0] != sizes[1]:
            text = f"prefill pods make KV blocks of {sizes[0]} tokens, decode pods of {sizes[1]}"
            yield finding(text, pair.sides("args"), ("block-size", pair.pool.item.title))


def tensor_sizes(model: StackModel) -> t.Iterator[Finding]:
    """Prefill is split over no more accelerators than decode: blocks are fanned out, never gathered."""
    for pair in _pairs(model):
        found = [_tensor(server) for _workload, server in (pair.prefill, pair.decode)]
        nixl = any(one.get("kv_connector") == NIXL for one in transfers(pair.prefill[1]) or [])
        if nixl and None not in found and t.cast(int, found[0]) > t.cast(int, found[1]):
            text = f"prefill has tensor parallel size {found[0]}, decode {found[1]}: too large for {NIXL}"
            sides = [
                Side(
                    workload.item, (*workload.path, "spec", "containers", server.index), role, ("parallelism", "tensor")
                )
                for role, (workload, server) in ((PREFILL, pair.prefill), (DECODE, pair.decode))
            ]
            yield finding(text, tuple(sides), ("tensor", pair.pool.item.title))


def _tensor(server: Server) -> int | None:
    given = flag(server.line, "tensor-parallel-size", "tp", "tp-size")
    return 1 if given is None and server.program else number(given)


def empty_profiles(model: StackModel) -> t.Iterator[Finding]:
    """A configuration that declares plugins and an empty list of profiles leaves their use to the picker."""
    for picker in (p for p in model.pickers if not p.item.live):
        found = config_of(picker, model)
        if found is None or found[0].get("schedulingProfiles") != [] or not dicts(found[0].get("plugins")):
            continue
        names = listed(one.get("name") or one.get("type") for one in dicts(found[0].get("plugins")))
        text = f"schedulingProfiles of {picker.item.title} is empty: no profile weighs the declared plugins ({names})"
        yield finding(text, (found[1],), ("profiles", picker.item.title))


_rule = rule_factory("LLMD5")
_ROUTER = "llm-d-inference-scheduler and llm-d-router, docs/architecture.md"

RULES: tuple[Rule, ...] = (
    _rule(
        30,
        "Profiles take pods of their role",
        profile_roles,
        "The profile that a profile handler runs for prefill, decode or encode has a filter for pods of that role.",
        "Requests are prefilled by decode pods or the other way round: prefill pods stay idle, or answer requests.",
        "use the filter of the profile's own role: prefill-filter, decode-filter or encode-filter",
        _ROUTER,
    ),
    _rule(
        31,
        "Prefill pods have a picker that uses them",
        used_prefill,
        "Where a pool selects prefill pods, a profile of its picker takes them.",
        "A picker without roles sends whole requests to prefill pods, or they get no requests.",
        "name a plugins file with a prefill profile (pluginsConfigFile), or set prefill.create: false",
        f"{_ROUTER}; F10",
        WARNING,
    ),
    _rule(
        32,
        "Prefill and decode have the same connector",
        connectors,
        "vLLM's servers of both roles have --kv-transfer-config with a kv_connector in common, SGLang's the same "
        "--disaggregation-transfer-backend.",
        "KV blocks never arrive: requests fail, or decode computes all of it again.",
        "use one kv_connector (SGLang: transfer backend) in the args of both roles",
        "vLLM, docs/features/disagg_prefill; SGLang, PD disaggregation",
    ),
    _rule(
        33,
        "KV roles are those of their pods",
        kv_roles,
        "Prefill pods are not kv_consumer and decode pods are not kv_producer, except with NixlConnector, which has "
        "no roles; SGLang's --disaggregation-mode is the role.",
        "KV blocks are never sent, or never requested.",
        "use kv_producer (prefill), kv_consumer (decode) or kv_both",
        "vLLM, KVTransferConfig.kv_role; SGLang, server_args.py disaggregation_mode",
    ),
    _rule(
        34,
        "Prefill and decode have one block size",
        block_sizes,
        "--block-size (SGLang: --page-size) of prefill and decode pods are equal where both give one.",
        "The handshake fails, or blocks are copied one by one.",
        "use one block size in the args of both roles",
        "vLLM, docs/features/nixl_connector_usage",
        WARNING,
    ),
    _rule(
        35,
        "Prefill is split no further than decode",
        tensor_sizes,
        "With NixlConnector the tensor parallel size of prefill is at most that of decode.",
        "For most models decode fails when the first request comes, with all conditions green.",
        "set prefill.parallelism.tensor to at most decode.parallelism.tensor, with more prefill replicas instead",
        "vLLM, docs/features/nixl_connector_usage: heterogeneous tensor parallelism",
        WARNING,
    ),
    _rule(
        36,
        "Declared plugins are in a profile",
        empty_profiles,
        "A plugins file that declares plugins has a scheduling profile that uses them.",
        "The picker creates its own profile from them, without weights.",
        "add a profile to schedulingProfiles with a pluginRef and weight for each scorer, or leave the key out",
        "EndpointPickerConfig, schedulingProfiles; gateway-api-inference-extension, pkg/epp/config/loader/defaults.go",
        WARNING,
    ),
)
