# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a server's pod reaches its database, its cache and its queue, by the objects that stand in between.

Services need a Ready pod on their port, NetworkPolicies have to let the pod out. A host outside of the cluster answers,
unless its name ends in `.invalid`, which never resolves (RFC 2606). The annotation `lab.llm-d.ai/down` of a namespace
names what is down for its servers: database, cache, queue.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from ..cluster.snapshot import Object, Snapshot, labels_of
from ..servers.endpoints import service_endpoints

DOWN = "lab.llm-d.ai/down"
NAMES = {"database": ("DATABASE_URL", 5432), "cache": ("REDIS_URL", 6379), "queue": ("NATS_URL", 4222)}
REFUSED, TIMED_OUT = "Connection refused (os error 111)", "Connection timed out (os error 110)"
UNKNOWN = "failed to lookup address information: Name or service not known"
IN_CLUSTER = (".svc", ".svc.cluster.local", ".invalid")


@dataclass(frozen=True)
class Store:
    """What an address means. key: the same for all that mean the same; problem: why it is not reached, "" if it is."""

    what: str
    place: str = ""
    key: str = ""
    problem: str = ""

    @property
    def text(self) -> str:
        """The problem as a server's log has it."""
        where = f"{self.place}: " if self.place else ""
        return f"failed to connect to {self.what}: {where}{self.problem}"


def store(what: str, pod: Object, env: dict[str, str], snapshot: Snapshot) -> Store:
    """What a pod's address of its database, cache or queue leads to."""
    name, default = NAMES[what]
    if not env.get(name):
        return Store(what, problem=f"{name} is not set")
    rest = env[name].partition("://")[2].partition("/")[0]
    login, _at, hosts = rest.rpartition("@")
    try:
        place = urlsplit(f"//{hosts.partition(',')[0]}")
        host, port = place.hostname or "", place.port or default
    except ValueError as exc:
        return Store(what, problem=f"invalid port number: {exc}")
    if not host:
        return Store(what, problem="relative URL without a base")
    service = _service(host, pod["metadata"]["namespace"], snapshot)
    database = env[name].partition("://")[2].partition("/")[2].partition("?")[0]
    # Each namespace has stores of its own outside of the cluster, as labs share none.
    own = service["metadata"]["uid"] if service else f"{pod['metadata']['namespace']} {host}"
    key = f"{own}:{port}/{database}"
    problem = _problem(what, pod, service, (host, port), snapshot) or _login(what, login, service, port, snapshot)
    return Store(what, f"{host}:{port}", key, problem)


def _service(host: str, namespace: str, snapshot: Snapshot) -> Object | None:
    """The Service that a host name or cluster IP means inside a namespace."""
    name, *rest = host.split(".")
    found = snapshot.get("Service", rest[0] if rest else namespace, name)
    if found and rest[1:] in ([], ["svc"], ["svc", "cluster", "local"]):
        return found
    return next((item for item in snapshot.all("Service") if item["spec"].get("clusterIP") == host), None)


def _problem(what: str, pod: Object, service: Object | None, place: tuple[str, int], snapshot: Snapshot) -> str:
    host, port = place
    namespace = pod["metadata"]["namespace"]
    of_namespace = ((snapshot.get("Namespace", "", namespace) or {}).get("metadata") or {}).get("annotations") or {}
    inside = "." not in host or host.endswith(IN_CLUSTER) or snapshot.get("Namespace", "", host.partition(".")[2])
    if service is None and inside:
        return UNKNOWN
    found = service_endpoints(service, port, snapshot) if service else []
    pods = [item.pod for item in found or []]
    ports = {item.port for item in found or []} or {port}
    if not all(_let_out(pod, one, pods[:1], host, snapshot) for one in ports):
        return TIMED_OUT
    if (service and not found) or what in of_namespace.get(DOWN, "").split(","):
        return REFUSED
    return ""


def _login(what: str, login: str, service: Object | None, port: int, snapshot: Snapshot) -> str:
    """What PostgreSQL in the cluster says to another password than the one in its container's environment."""
    if what != "database" or service is None:
        return ""
    user, _colon, password = login.partition(":")
    for item in service_endpoints(service, port, snapshot) or []:
        for container in item.pod["spec"]["containers"]:
            env = {one["name"]: one.get("value") for one in container.get("env") or []}
            if env.get("POSTGRES_PASSWORD") not in (None, unquote(password)):
                return f'password authentication failed for user "{user}"'
    return ""


def _let_out(pod: Object, port: int, targets: list[Object], host: str, snapshot: Snapshot) -> bool:
    """Whether NetworkPolicies let a pod send to a port: any of those that select it for Egress, or there is none."""
    mine = [
        item["spec"]
        for item in snapshot.within("NetworkPolicy", pod["metadata"]["namespace"])
        if "Egress" in (item["spec"].get("policyTypes") or []) and _selects(item["spec"].get("podSelector"), pod)
    ]
    rules = [rule for spec in mine for rule in spec.get("egress") or []]
    return not mine or any(_allows(rule, port, targets, host, pod, snapshot) for rule in rules)


def _selects(selector: Any, obj: Object) -> bool:
    """Whether a label selector, of matchLabels only, selects an object; an empty one selects all."""
    wanted = (selector or {}).get("matchLabels") or {}
    return all(labels_of(obj).get(name) == value for name, value in wanted.items())


def _allows(rule: Object, port: int, targets: list[Object], host: str, pod: Object, snapshot: Snapshot) -> bool:
    ports = rule.get("ports") or []
    if ports and not any(one.get("port") in (None, port) and one.get("protocol", "TCP") == "TCP" for one in ports):
        return False
    peers = rule.get("to") or []
    return not peers or any(_is_peer(peer, targets, host, pod, snapshot) for peer in peers)


def _is_peer(peer: Object, targets: list[Object], host: str, pod: Object, snapshot: Snapshot) -> bool:
    if peer.get("ipBlock"):
        return not targets and _within(host, peer["ipBlock"]["cidr"])
    for target in targets:
        space = target["metadata"]["namespace"]
        if "namespaceSelector" in peer:
            named = snapshot.get("Namespace", "", space)
            if named is None or not _selects(peer["namespaceSelector"], named):
                continue
        elif space != pod["metadata"]["namespace"]:
            continue
        if _selects(peer.get("podSelector"), target):
            return True
    return False


def _within(host: str, cidr: str) -> bool:
    """Whether a host outside of the cluster is in a range; what a name resolves to is only known to be somewhere."""
    network = ipaddress.ip_network(cidr, strict=False)
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return network.prefixlen == 0
