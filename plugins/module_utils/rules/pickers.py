# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about endpoint pickers: the Service a pool refers to, the pool a picker watches, its plugins file."""

from __future__ import annotations

import typing as t

from ..base.apis import POOL_GROUP
from ..base.data import Object, dicts, mapping, number
from ..base.findings import Finding
from ..base.names import did_you_mean
from ..model.items import InferencePool, Item, Picker
from ..model.model import StackModel
from ..values.nodes import ValueNode
from ..values.reader import load_yaml, to_plain
from .base import Side, finding, listed, rule_factory

# gateway-api-inference-extension, cmd/epp: --grpc-port.
GRPC_PORT = 9002


def config_of(picker: Picker, model: StackModel) -> tuple[Object, Side] | None:
    """Return a picker's plugins configuration and where it stands, None where it cannot be read."""
    found = config_text(picker, model)
    loaded = config_root(found[0], model)[1] if found else None
    return (loaded, found[1]) if found and loaded is not None else None


def config_root(text: str, model: StackModel) -> tuple[ValueNode | None, Object | None]:
    """Return a plugins file with its marks and as plain data, both None where it cannot be read."""
    return _load(text, model)[:2]


def config_problem(text: str, model: StackModel) -> str:
    """Return why a plugins file cannot be read, '' where it can."""
    return _load(text, model)[2]


def _load(text: str, model: StackModel) -> tuple[ValueNode | None, Object | None, str]:
    """Return a plugins file's map with and without marks, or None and what is wrong with it; each is read once."""
    if text not in model.cache:
        root, findings = load_yaml(text.encode(), "plugins")
        first = findings[0] if findings else None
        where = f"line {first.mark.line}: {first.message}" if first else ""
        model.cache[text] = (root, to_plain(root), "") if root else (None, None, where)
    return model.cache[text]


def config_text(picker: Picker, model: StackModel) -> tuple[str, Side] | None:
    """Return the text of the file that --config-file names, from the ConfigMap mounted there."""
    source = _config_map(picker)
    item = model.find("ConfigMap", source[0], picker.item.namespace) if source else None
    text = mapping(item.body.get("data")).get(source[1]) if item and source else None
    if item is None or source is None or not isinstance(text, str):
        return None
    return text, Side(item, ("data", source[1]), "plugins", (source[1],))


def _config_map(picker: Picker) -> tuple[str, str] | None:
    """Return (ConfigMap, key) of a picker's configuration file, None where it is not from one."""
    folder, _slash, file = (picker.flag("config-file") or "").rpartition("/")
    mounts = {m.get("mountPath"): m.get("name") for m in dicts(picker.container.get("volumeMounts"))}
    volume = next((v for v in dicts(picker.spec.get("volumes")) if v.get("name") == mounts.get(folder)), None)
    name = mapping(mapping(volume).get("configMap")).get("name")
    return (str(name), file) if name and file and mounts.get(folder) else None


def _pools(model: StackModel) -> list[tuple[InferencePool, Item | None]]:
    planned = [pool for pool in model.pools if not pool.item.live and pool.epp]
    return [(pool, model.find("Service", pool.epp, pool.item.namespace)) for pool in planned]


def service_exists(model: StackModel) -> t.Iterator[Finding]:
    for pool, service in _pools(model):
        if service is None and model.known("Service"):
            near = [item for item in model.items("Service") if item.namespace == pool.item.namespace]
            guess = did_you_mean(pool.epp, [item.name for item in near])
            text = (
                f"pool {pool.item.name} refers to endpoint picker {pool.epp}, but that Service does not exist.{guess}"
            )
            sides = [Side(pool.item, (*pool.epp_path, "name"))]
            sides += [Side(item) for item in near if pool.item.release and item.release == pool.item.release]
            yield finding(text, tuple(sides), ("epp", pool.item.title))


def service_port(model: StackModel) -> t.Iterator[Finding]:
    for pool, service in _pools(model):
        ports = [number(port.get("port")) for port in dicts(service.spec.get("ports"))] if service else []
        if service and pool.epp_port is not None and pool.epp_port not in ports:
            text = f"pool {pool.item.name} asks its picker on port {pool.epp_port}, the Service has {listed(ports)}"
            sides = (Side(pool.item, (*pool.epp_path, "port"), "epp_port"), Side(service, ("spec", "ports")))
            yield finding(text, sides, ("epp", pool.item.title))


def service_target(model: StackModel) -> t.Iterator[Finding]:
    """The Service's port leads to a picker that listens there."""
    for pool, service in _pools(model):
        entries = dicts(service.spec.get("ports")) if service else []
        entry = next((port for port in entries if number(port.get("port")) == pool.epp_port), None)
        wanted = mapping(service.spec.get("selector")) if service else {}
        near = [p for p in model.pickers if service and p.item.namespace == service.namespace]
        behind = [p for p in near if wanted and all(p.labels.get(k) == v for k, v in wanted.items())]
        if service is None or entry is None or (not near and not model.pickers):
            continue
        if not behind and not service.live:
            text = f"Service {service.name} of pool {pool.item.name} selects no endpoint picker"
            sides = (Side(service, ("spec", "selector")), *(Side(p.item) for p in near))
            yield finding(text, sides, ("epp", pool.item.title))
        for picker in behind:
            yield from _target(pool, service, entry, picker)


def _target(pool: InferencePool, service: Item, entry: Object, picker: Picker) -> t.Iterator[Finding]:
    listens = number(picker.flag("grpc-port") or GRPC_PORT)
    target = entry.get("targetPort", entry.get("port"))
    ports = dicts(picker.container.get("ports"))
    named = {str(port.get("name")): number(port.get("containerPort")) for port in ports}
    reached = number(target) if number(target) is not None else named.get(str(target))
    if listens is not None and reached != listens:
        text = (
            f"Service {service.name} sends the gateway's questions to port {target}, "
            f"the endpoint picker listens on {listens}"
        )
        args = Side(picker.item, ("spec", "template", "spec", "containers", picker.index, "args"), "epp_flags")
        yield finding(text, (Side(service, ("spec", "ports"), "epp_port"), args), ("epp", pool.item.title))


def watched_pool(model: StackModel) -> t.Iterator[Finding]:
    """A picker's --pool-name, --pool-namespace and --pool-group name a pool that there is."""
    for picker in (p for p in model.pickers if not p.item.live and p.pool_name is not None):
        name, namespace = picker.flag("pool-name") or "", picker.flag("pool-namespace") or picker.item.namespace
        args = Side(picker.item, ("spec", "template", "spec", "containers", picker.index, "args"), "epp_flags")
        pools = [p for p in model.pools if (p.item.name, p.item.namespace) == (name, namespace)]
        if not pools and model.known("InferencePool"):
            near = [p for p in model.pools if p.item.release == picker.item.release or p.item.name == name]
            text = f"{picker.item.title} watches the pool {namespace}/{name}, which does not exist"
            yield finding(text, (args, *(Side(p.item) for p in near)), ("watches", picker.item.title))
        group = picker.flag("pool-group") or POOL_GROUP
        if pools and "$" not in group and all(p.item.group != group for p in pools):
            text = f"{picker.item.title} watches pools of group {group}, its pool is of {pools[0].item.group}"
            yield finding(text, (args, Side(pools[0].item, ("apiVersion",), "api")), ("watches", picker.item.title))


def config_file(model: StackModel) -> t.Iterator[Finding]:
    """The file that a picker reads is a key of the ConfigMap mounted there."""
    for picker in (p for p in model.pickers if not p.item.live):
        source = _config_map(picker)
        item = model.find("ConfigMap", source[0], picker.item.namespace) if source else None
        if item and source and source[1] not in mapping(item.body.get("data")):
            known = mapping(item.body.get("data"))
            guess = did_you_mean(source[1], known)
            text = f"{picker.item.title} reads {source[1]}, its ConfigMap has {listed(known)}.{guess}"
            args = ("spec", "template", "spec", "containers", picker.index, "args")
            yield finding(text, (Side(picker.item, args, "plugins_file"), Side(item, ("data",), "plugins")))


_rule = rule_factory("LLMD1")

RULES = (
    _rule(
        10,
        "A pool's endpoint picker exists",
        service_exists,
        "The Service that a pool names as its endpoint picker is in the plan or the cluster, in the pool's namespace.",
        "The pool reports ResolvedRefs=False/InvalidExtensionRef, the route stays green, requests fail.",
        "name the picker's Service in the pool",
        "InferencePool v1, spec.endpointPickerRef",
    ),
    _rule(
        11,
        "A pool asks its picker on a port of the Service",
        service_port,
        "The port of a pool's endpoint picker is one of the Service's ports.",
        "All conditions stay True; the gateway cannot ask the picker, requests fail with 500.",
        "use the Service's port for ext-proc (9002 in the charts) in the pool",
        "InferencePool v1, spec.endpointPickerRef.port; F10",
    ),
    _rule(
        12,
        "The picker's Service reaches the picker",
        service_target,
        "The Service selects the picker's pods, and its port leads to the one that the picker listens on.",
        "All conditions stay True; the gateway cannot ask the picker, requests fail with 500.",
        "leave inferenceExtension.extProcPort at 9002, or set the flag grpc-port to the same number",
        "gateway-api-inference-extension, charts/inferencepool v1.3.0: the container's port is fixed; F10",
    ),
    _rule(
        13,
        "A picker watches its pool",
        watched_pool,
        "The name, namespace and API group that a picker is started with are those of its pool.",
        "The picker never becomes Ready, or picks among pods that it does not know; requests fail with 500 or 503.",
        "start the picker with the pool's own name, namespace and group",
        "gateway-api-inference-extension, cmd/epp --pool-name, --pool-namespace, --pool-group; F1",
    ),
    _rule(
        14,
        "The picker's configuration file exists",
        config_file,
        "The file named by pluginsConfigFile is one of those in the picker's ConfigMap.",
        "The picker crashes at start (no such file); requests fail with 500.",
        "name a file that pluginsCustomConfig has, or default-plugins.yaml",
        "gateway-api-inference-extension, charts/inferencepool v1.3.0, epp-config.yaml",
    ),
)
