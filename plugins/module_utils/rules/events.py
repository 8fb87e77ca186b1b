# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about KV-cache events: where the picker's plugins use them, both ends agree on address, topic and block size.

One end binds its ZMQ socket, the other connects. Central: the picker binds (zmqEndpoint tcp://*:PORT) and servers
connect to its Service. By pod: each server binds and the picker connects to the pods it finds (discoverPods).
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..base.findings import Finding
from ..model.items import InferencePool, Workload
from ..model.model import StackModel
from ..objects.servers import Server, flag
from .base import Side, container_side, finding, rule_factory
from .pickers import config_of
from .pools import selected

# llm-d-kv-cache, pkg/kvevents: the defaults of podDiscoveryConfig.socketPort and of vLLM's KVEventsConfig.endpoint.
EVENT_PORT = 5557
_TCP = re.compile(r"tcp://(?P<host>.+):(?P<port>[^:]+)\Z")
_ANY = ("*", "0.0.0.0", "[::]", "::")


@dataclasses.dataclass(frozen=True)
class Link:
    """A pool whose picker listens for events, and one server of its pods with its own settings ({} where none)."""

    pool: InferencePool
    config: Side
    wanted: Object
    workload: Workload
    server: Server
    events: Object

    @property
    def server_side(self) -> Side:
        return container_side(self.workload, self.server, "args")


def _links(model: StackModel) -> t.Iterator[Link]:
    for pool in (pool for pool in model.pools if not pool.item.live):
        picker = model.picker_of(pool)
        found = config_of(picker, model) if picker else None
        wanted = _wanted(found[0]) if found else None
        if picker is None or found is None or wanted is None:
            continue
        for workload in selected(pool, model):
            for server in workload.models:
                events = _events(server)
                if workload.replicas != 0 and events is not None:
                    yield Link(pool, found[1], wanted, workload, server, events)


def _wanted(config: Object) -> Object | None:
    """Return the parameters of the plugin that listens for events, None where none does."""
    for plugin in dicts(config.get("plugins")):
        parameters = mapping(plugin.get("parameters"))
        if parameters.get("kvEventsConfig"):
            return parameters
    return None


def _events(server: Server) -> Object | None:
    """Return a server's event settings, {} where it has none, None where its command line is not known."""
    if not server.program:
        return None
    text = flag(server.line, "kv-events-config")
    if text is None:
        return {}
    try:
        loaded = json.loads(text)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _endpoint(text: t.Any) -> tuple[str, int | None]:
    found = _TCP.match(str(text or ""))
    return (found["host"], number(found["port"])) if found else ("", None)


def _central(wanted: Object) -> bool | None:
    """Return whether servers come to the picker; None where the configuration leaves it to the picker's version."""
    config = mapping(wanted.get("kvEventsConfig"))
    if config.get("discoverPods") is True:
        return False
    return True if config.get("zmqEndpoint") and config.get("discoverPods") is False else None


def published(model: StackModel) -> t.Iterator[Finding]:
    for link in _links(model):
        if not link.events or link.events.get("enable_kv_cache_events") is False:
            text = f"the picker of pool {link.pool.item.name} waits for KV events, {link.workload.item.name} sends none"
            yield finding(text, (link.config, link.server_side), ("events", link.pool.item.title))


def addresses(model: StackModel) -> t.Iterator[Finding]:
    for link in _links(model):
        if not link.events or _central(link.wanted) is None:
            continue
        config = mapping(link.wanted.get("kvEventsConfig"))
        wrong = _to_picker(link, config, model) if _central(link.wanted) else _to_pods(link, config)
        if wrong:
            service = model.find("Service", link.pool.epp, link.pool.item.namespace)
            more = (Side(service, ("spec", "ports"), "service_ports"),) if service else ()
            yield finding(wrong, (link.config, link.server_side, *more), ("events", link.pool.item.title))


def _to_picker(link: Link, config: Object, model: StackModel) -> str:
    """Return what keeps a server's events from the picker's socket, '' where nothing is known to."""
    name, home = link.workload.item.name, link.pool.item.namespace
    host, port = _endpoint(link.events.get("endpoint", f"tcp://*:{EVENT_PORT}"))
    bound = _endpoint(config.get("zmqEndpoint"))[1]
    if host in _ANY:
        return f"{name} and the picker of pool {link.pool.item.name} both wait for the other to connect (tcp://*)"
    services = (link.pool.epp, f"{link.pool.epp}.{home}", f"{link.pool.epp}.{home}.svc")
    if host and "$" not in host and host not in services and not host.startswith(services[2] + "."):
        return f"{name} sends its KV events to {host}, the picker of pool {link.pool.item.name} is {services[2]}"
    service = model.find("Service", link.pool.epp, home)
    entries = dicts(service.spec.get("ports")) if service else []
    entry = next((item for item in entries if number(item.get("port")) == port), None)
    if port is None or service is None:
        return ""
    if entry is None:
        return f"{name} sends its KV events to port {port}, which Service {service.name} does not have"
    target = number(entry.get("targetPort", port))
    if bound is not None and target is not None and target != bound:
        return f"{name}'s KV events reach port {target} of the picker, which waits for them on {bound}"
    return ""


def _to_pods(link: Link, config: Object) -> str:
    host, port = _endpoint(link.events.get("endpoint", f"tcp://*:{EVENT_PORT}"))
    name = link.workload.item.name
    if host and host not in _ANY:
        return f"the picker of pool {link.pool.item.name} connects to its pods, but {name} connects to {host} itself"
    wanted = number(mapping(config.get("podDiscoveryConfig")).get("socketPort", EVENT_PORT))
    if port is not None and wanted is not None and port != wanted:
        return (
            f"the picker of pool {link.pool.item.name} looks for KV events on port {wanted}, {name} has them on {port}"
        )
    return ""


def topics(model: StackModel) -> t.Iterator[Finding]:
    for link in _links(model):
        prefix = mapping(link.wanted.get("kvEventsConfig")).get("topicFilter")
        topic = str(link.events.get("topic") or "")
        if not link.events or not prefix:
            continue
        model_name = topic.rsplit("@", maxsplit=1)[-1] if topic.count("@") > 1 else ""
        text = ""
        if not topic.startswith(str(prefix)):
            text = f"{link.workload.item.name} sends KV events as {topic!r}, but the picker accepts those of {prefix!r}"
        elif model_name and "$" not in model_name and link.server.names and model_name not in link.server.names:
            text = f"{link.workload.item.name} sends KV events for {model_name!r}, it serves {link.server.names[0]!r}"
        if text:
            named = model_name and topic.startswith(str(prefix))
            key = ("topic", link.workload.item.title) if named else ("events", link.pool.item.title)
            yield finding(text, (link.config, link.server_side), key)


def block_sizes(model: StackModel) -> t.Iterator[Finding]:
    for link in _links(model):
        wanted = number(mapping(link.wanted.get("tokenProcessorConfig")).get("blockSize"))
        given = number(flag(link.server.line, "block-size"))
        if wanted and given and wanted != given:
            text = f"the picker counts blocks of {wanted} tokens, {link.workload.item.name} makes them of {given}"
            yield finding(text, (link.config, link.server_side), ("blocks", link.pool.item.title))


_rule = rule_factory("LLMD5")
_SILENT = "Requests are served, but the picker's index stays empty: there are no prefix-cache hits, and no error."

RULES = (
    _rule(
        20,
        "Servers send the KV events that the picker waits for",
        published,
        "Where a plugin has a kvEventsConfig, the pool's servers run with --kv-events-config enabled.",
        _SILENT,
        "start the servers with --kv-events-config (publisher zmq), or use a plugin without KV events",
        "llm-d-kv-cache, kvEventsConfig; vLLM, KVEventsConfig",
    ),
    _rule(
        21,
        "KV events arrive",
        addresses,
        "Address and port of the KV events agree: servers connect to the picker's Service and a port that leads to its "
        "socket, or, with discoverPods, bind the port on which it looks for them.",
        _SILENT,
        "let the servers' endpoint be tcp://<picker's Service>:5557 with that port on the Service (extraServicePorts), "
        "or set discoverPods: true and the endpoint tcp://*:5557",
        "llm-d-kv-cache, kvEventsConfig.zmqEndpoint and discoverPods; vLLM, KVEventsConfig.endpoint",
    ),
    _rule(
        22,
        "KV events have the topic that the picker accepts",
        topics,
        "The servers' topic starts with topicFilter and ends with the name that they serve.",
        _SILENT,
        "set the topic to kv@<pod address>@<served model name>",
        "llm-d-kv-cache, kvEventsConfig.topicFilter",
    ),
    _rule(
        23,
        "Block sizes agree",
        block_sizes,
        "tokenProcessorConfig.blockSize of the picker is the servers' --block-size.",
        "Hashes never match: there are no prefix-cache hits, and no error.",
        "use one block size in both",
        "llm-d-kv-cache, tokenProcessorConfig.blockSize; vLLM, --block-size",
    ),
)
