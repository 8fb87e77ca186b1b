# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How requests get in to models: by a Gateway and its routes, or by the Service of a router that stands alone."""

from __future__ import annotations

import abc
import typing as t

from ..base.data import Object
from ..objects.pools import Check, failed, is_ready, labels_of, matches, name_of, namespace_of, trouble
from . import conditions, routes
from .commands import Ask, WayIn, completion
from .http import HttpTarget, PodTarget, TransportError

# The port of a standalone router's Service that its proxy listens on; the others are the picker's.
PORT = "http"


class Entrance(abc.ABC):
    """A way in. cluster, options: of the prober; snapshot: the objects as read last, see Prober.refresh."""

    # Checks of it that may fail for as long as a controller is at work.
    slow: t.ClassVar[t.Collection[str]] = ()

    def __init__(self, cluster: t.Any, options: t.Any, snapshot: Object) -> None:
        self.cluster, self.options = cluster, options
        self.see(snapshot)

    def see(self, snapshot: Object) -> None:
        """Take objects that were read again."""
        self.snapshot = snapshot

    @property
    @abc.abstractmethod
    def place(self) -> str:
        """The Gateway, as namespace/name, "" for none."""

    @property
    @abc.abstractmethod
    def title(self) -> str:
        """What it is, for a message."""

    @abc.abstractmethod
    def checks(self, spec: Object) -> list[Check | None]:
        """Return what its objects say about a model."""

    @abc.abstractmethod
    def request(self, spec: Object) -> tuple[str, dict[str, str]]:
        """Return the path before /v1 and the headers for a model."""

    @abc.abstractmethod
    def target(self, spec: Object) -> HttpTarget:
        """Return where to send a model's requests; raise TransportError where there is no way yet."""

    @abc.abstractmethod
    def way(self, spec: Object) -> WayIn | None:
        """Return how people get in as this does, None where there is no way any more."""

    def shown(self, spec: Object) -> Ask | None:
        """Return a request that people can send, None where there is no way any more."""
        found = self.way(spec)
        if found is None:
            return None
        prefix, headers = self.request(spec)
        return Ask(found, f"{prefix}/v1/completions", completion(spec["model"]), headers)

    def misleads(self, spec: Object) -> bool:
        """Return whether another picker than the model's own may be asked."""
        return False


class GatewayEntrance(Entrance):
    """By a Gateway, whose routes lead to the pools."""

    slow = ("gateway", "pool")

    def see(self, snapshot: Object) -> None:
        super().see(snapshot)
        namespace = self.options.gateway_namespace or self.options.namespace
        self.gateway = routes.find_gateway(snapshot, self.options.gateway, namespace)

    @property
    def place(self) -> str:
        return f"{namespace_of(self.gateway)}/{name_of(self.gateway)}"

    @property
    def title(self) -> str:
        return f"Gateway {self.place}"

    def checks(self, spec: Object) -> list[Check | None]:
        snapshot, gateway = self.snapshot, self.gateway
        route = conditions.check_route(spec, snapshot, gateway)
        return [conditions.check_gateway(spec, gateway), route, conditions.check_pool(spec, snapshot, gateway)]

    def _way(self, spec: Object) -> tuple[Object, Object | None, tuple[str, int] | None]:
        """Return a model's listener, the Gateway's Service, and the pod and port behind it where one is to be used."""
        found = routes.find_route(spec, self.snapshot, self.gateway)
        listener = routes.listener_for(self.gateway, found[0] if found else None)
        if self.options.via == "address":
            return listener, None, None
        service = routes.find_service(self.gateway, self.snapshot["services"])
        pods = self.snapshot["gateway_pods"]
        return listener, service, routes.forward_target(service, listener["port"], pods) if service else None

    def target(self, spec: Object) -> HttpTarget:
        listener, service, way = self._way(spec)
        scheme = "https" if listener.get("protocol") == "HTTPS" else "http"
        via, why = self.options.via, "the Gateway has no address that is reachable from outside the cluster"
        if via in ("auto", "port_forward"):
            if way:
                return PodTarget(self.cluster.client, namespace_of(self.gateway), *way, scheme)
            why = "the Gateway has no Service"
            if service:
                why = f"no Ready pod behind Service {name_of(service)} for port {listener['port']} of the Gateway"
        address = routes.gateway_address(self.gateway)
        if via in ("auto", "address") and address:
            return HttpTarget(scheme, address, listener["port"])
        raise TransportError(f"cannot reach Gateway {name_of(self.gateway)}: {why}")

    def way(self, spec: Object) -> WayIn | None:
        listener, service, way = self._way(spec)
        scheme = "https" if listener.get("protocol") == "HTTPS" else "http"
        address = routes.gateway_address(self.gateway)
        if service and way:
            return WayIn(namespace_of(service), name_of(service), listener["port"], scheme)
        return WayIn(address=f"{scheme}://{address}:{listener['port']}", scheme=scheme) if address else None

    def request(self, spec: Object) -> tuple[str, dict[str, str]]:
        route, rule = routes.find_route(spec, self.snapshot, self.gateway) or (None, None)
        return routes.request_of(spec, rule, route)

    def misleads(self, spec: Object) -> bool:
        return routes.shares_rule_name(spec, self.snapshot, self.gateway)


class ServiceEntrance(Entrance):
    """By the Services of routers that stand alone: a proxy beside the endpoint picker, or in pods of its own."""

    @property
    def place(self) -> str:
        return ""

    @property
    def title(self) -> str:
        return "standalone routers"

    def _service(self, spec: Object) -> Object | None:
        return next((item for item in self.snapshot["services"] if name_of(item) == spec["service"]), None)

    def checks(self, spec: Object) -> list[Check | None]:
        service = self._service(spec)
        title = f"Service {self.options.namespace}/{spec['service']}"
        if service is None:
            return [failed(spec, "router", f"{title} does not exist", "Install the gaie component.")]
        port = proxy_port(service)
        if port is None:
            ports = ", ".join(str(entry.get("name")) for entry in service["spec"].get("ports") or []) or "none"
            hint = f"Add a port {PORT} that leads to the proxy to router.extraServicePorts."
            return [failed(spec, "router", f"{title} has no port named {PORT}; it has {ports}", hint)]
        pods = [pod for pod in self.snapshot["pods"] if matches(labels_of(pod), service["spec"].get("selector") or {})]
        if not any(is_ready(pod) for pod in pods):
            states = "; ".join(f"pod {name_of(pod)}: {trouble(pod)}" for pod in pods[:2]) or "it has no pod"
            hint = "Look at the events of the router's pods, and at the logs of their containers."
            return [failed(spec, "router", f"{title} has no ready pod: {states}", hint)]
        return [Check(spec["name"], "router", True, f"{title} has ready pods")]

    def target(self, spec: Object) -> HttpTarget:
        title, service = f"Service {spec['service']}", self._service(spec)
        port = proxy_port(service) if service else None
        if service is None or port is None:
            raise TransportError(f"cannot reach {title}: it {'has no proxy port' if service else 'does not exist'}")
        if self.options.via == "address":
            return HttpTarget("http", routes.service_address(service), port)
        found = routes.forward_target(service, port, self.snapshot["pods"])
        if found is None:
            raise TransportError(f"cannot reach {title}: no Ready pod listens on its port {port}")
        return PodTarget(self.cluster.client, self.options.namespace, *found)

    def way(self, spec: Object) -> WayIn | None:
        service = self._service(spec)
        port = proxy_port(service) if service else None
        if service is None or port is None:
            return None
        if self.options.via == "address":
            return WayIn(address=f"http://{routes.service_address(service)}:{port}")
        return WayIn(self.options.namespace, name_of(service), port)

    def request(self, spec: Object) -> tuple[str, dict[str, str]]:
        return "", {}


def proxy_port(service: Object) -> int | None:
    """Return the port of a Service that leads to a router's proxy, None where there is none."""
    return next((entry["port"] for entry in service["spec"].get("ports") or [] if entry.get("name") == PORT), None)
