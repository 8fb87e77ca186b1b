# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The ways to and from LLM-Orchestrator's pods: Ingresses, their certificates, NetworkPolicies."""

from __future__ import annotations

import typing as t
import urllib.parse

from ...base.data import Object, Values, dig
from .objects import API, CACHE, DATABASE, INSTANCE, NAME, PROGRAM, QUEUE, OrchestratorSettings

CERTIFICATE_API = "cert-manager.io/v1"
NGINX = "nginx.ingress.kubernetes.io"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
# By the variable that says where it is, the port of a service that names none.
PORTS = {DATABASE: 5432, CACHE: 6379, QUEUE: 4222}
TLS_PORT = 443


def ingresses(wanted: OrchestratorSettings) -> list[Object]:
    """Return an Ingress for HTTP and one for gRPC: annotations count for all paths of an object.

    gRPC has a host of its own, since a request's path is its service's and method's name, which no prefix tells.
    """
    given: Values = wanted.given["ingress"]
    if not given.get("host"):
        return []
    rows = [("", given["host"], "http", given.get("annotations"))]
    if "grpc" in wanted.ports:
        rows.append(("grpc", grpc_host(given), "grpc", given.get("grpc_annotations")))
    found = []
    for suffix, host, port, notes in rows:
        secret = given.get("tls") and (f"{given['tls']}-{suffix}" if suffix and not _one(given) else given["tls"])
        spec: Object = {"rules": [{"host": host, "http": {"paths": [_path(wanted, port)]}}]}
        if given.get("class"):
            spec["ingressClassName"] = given["class"]
        if secret:
            spec["tls"] = [{"hosts": [host], "secretName": secret}]
        body = wanted.of("networking.k8s.io/v1", "Ingress", suffix, API, spec=spec)
        body["metadata"]["annotations"] = {**_annotations(wanted, given, port), **(notes or {})}
        found.append(body)
    return found + _certificates(wanted, given)


def grpc_host(given: Values) -> str:
    """Return the host name of gRPC."""
    return given.get("grpc_host") or f"grpc.{given['host']}"


def _one(given: Values) -> bool:
    """Return whether one Secret serves both Ingresses; cert-manager makes one for each Ingress that it is told of."""
    return not given.get("cluster_issuer")


def _path(wanted: OrchestratorSettings, port: str) -> Object:
    backend = {"service": {"name": wanted.name, "port": {"name": port}}}
    return {"path": "/", "pathType": "Prefix", "backend": backend}


def _annotations(wanted: OrchestratorSettings, given: Values, port: str) -> dict[str, str]:
    protocol = {"grpc": "GRPC", "http": "HTTP"}[port] + ("S" if wanted.tls else "")
    found = {f"{NGINX}/backend-protocol": protocol} if protocol != "HTTP" else {}
    if given.get("tls"):
        found[f"{NGINX}/ssl-redirect"] = "true"
    if given.get("cluster_issuer"):
        found["cert-manager.io/cluster-issuer"] = given["cluster_issuer"]
    return found


def _certificates(wanted: OrchestratorSettings, given: Values) -> list[Object]:
    """Return the Certificate of both hosts, where one is asked for rather than an annotation."""
    # Where the Secret's name is missing, the settings have a finding.
    if not (given.get("certificate_issuer") and given.get("tls")):
        return []
    kind = given.get("certificate_issuer_kind") or "ClusterIssuer"
    hosts = [given["host"], *([grpc_host(given)] if "grpc" in wanted.ports else [])]
    spec = {
        "secretName": given["tls"],
        "dnsNames": hosts,
        "issuerRef": {"name": given["certificate_issuer"], "kind": kind, "group": "cert-manager.io"},
    }
    return [wanted.of(CERTIFICATE_API, "Certificate", part=API, spec=spec)]


class StorePlace(t.NamedTuple):
    """Where a service is. namespace: of a name inside the cluster, "" for elsewhere."""

    host: str
    port: int
    namespace: str


def places(url: str, port: int, namespace: str) -> list[StorePlace]:
    """Return where a URL leads, each of its hosts; [] for what is no URL. namespace: of names without one."""
    _scheme, slashes, rest = url.partition("://")
    hosts = rest.partition("/")[0].rpartition("@")[2] if slashes else ""
    found = []
    for one in filter(None, hosts.split(",")):
        try:
            place = urllib.parse.urlsplit(f"//{one}")
            found.append(
                StorePlace(place.hostname or "", place.port or port, _namespace(place.hostname or "", namespace))
            )
        except ValueError:
            return []
    return found


def _namespace(host: str, own: str) -> str:
    parts = host.split(".")
    if len(parts) == 1:
        return own
    return parts[1] if len(parts) == 2 or parts[2] == "svc" else ""


def without_password(url: str) -> str:
    """Return a URL without its password."""
    scheme, slashes, rest = url.partition("://")
    login, at, where = rest.rpartition("@")
    return f"{scheme}{slashes}{login.partition(':')[0]}{at}{where}" if slashes else ""


def policies(wanted: OrchestratorSettings, urls: t.Mapping[str, str]) -> list[Object]:
    """Return the NetworkPolicies: one for all pods' ways out, one for the ways in to API servers, one for metrics.

    urls: those that are known, by the variable; of others only the port is.
    """
    if not wanted.given["network_policies"]:
        return []
    everyone, ports = {NAME: PROGRAM, INSTANCE: wanted.name}, wanted.ports
    given: Values = wanted.given["network"]
    clients = [{"podSelector": {}}, *map(_space, given.get("clients") or [])]
    callers = clients + [_space(name) for name in given.get("ingress_namespaces") or []]
    served = [{"port": ports[name], "protocol": "TCP"} for name in ("http", "grpc") if name in ports]
    found = [
        _policy(wanted, "egress", everyone, egress=_egress(wanted, urls)),
        _policy(wanted, API, wanted.labels(API), ingress=[{"from": callers, "ports": served}]),
    ]
    if "metrics" in ports:
        watchers = [_space(name) for name in given.get("monitoring_namespaces") or []]
        rule = {"from": [{"podSelector": {}}, *watchers], "ports": [{"port": ports["metrics"], "protocol": "TCP"}]}
        found.append(_policy(wanted, "metrics", everyone, ingress=[rule]))
    return found


def _policy(wanted: OrchestratorSettings, suffix: str, selector: t.Mapping[str, str], **rules: t.Any) -> Object:
    kinds = [name.capitalize() for name in rules]
    spec = {"podSelector": {"matchLabels": dict(selector)}, "policyTypes": kinds, **rules}
    return wanted.of("networking.k8s.io/v1", "NetworkPolicy", suffix, spec=spec)


def _space(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: name}}}


def _egress(wanted: OrchestratorSettings, urls: t.Mapping[str, str]) -> list[Object]:
    given: Values = wanted.given["network"]
    # Some clusters have a cache of DNS on each node, outside of any namespace.
    rules: list[Object] = [{"ports": [{"port": 53, "protocol": one} for one in ("UDP", "TCP")]}]
    for key, default in PORTS.items():
        if key in wanted.keys:
            for place in places(urls.get(key, ""), default, wanted.namespace) or [StorePlace("", default, "")]:
                rule: Object = {"ports": [{"port": place.port, "protocol": "TCP"}]}
                rules.append({**rule, "to": [_space(place.namespace)]} if place.namespace else rule)
    rules += [_outside(wanted, url) for url in _endpoints(wanted.config)]
    blocks = [{"ipBlock": {"cidr": cidr}} for cidr in given.get("providers") or ("0.0.0.0/0", "::/0")]
    rules.append({"to": blocks, "ports": [{"port": TLS_PORT, "protocol": "TCP"}]})
    rules += given.get("egress") or []
    return [rule for index, rule in enumerate(rules) if rule not in rules[:index]]


def _endpoints(config: Values) -> list[str]:
    """Return the addresses in a configuration that servers call besides their stores."""
    tracing = dig(config, ("observability", "tracing")) or {}
    services = dig(config, ("integrations",)) or {}
    found = [row.get("endpoint") for row in services.values() if isinstance(row, dict)]
    found += [tracing.get("endpoint")] if tracing.get("enabled") else []
    return [str(one) for one in found if one]


def _outside(wanted: OrchestratorSettings, url: str) -> Object:
    default = TLS_PORT if url.startswith("https:") else 80
    place = next(iter(places(url, default, wanted.namespace)), StorePlace("", default, ""))
    rule: Object = {"ports": [{"port": place.port, "protocol": "TCP"}]}
    return {**rule, "to": [_space(place.namespace)]} if place.namespace else rule
