# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about a Gateway's listeners: protocols, ports, certificates, and whom they admit."""

from __future__ import annotations

import collections
import typing as t

from ...base.apis import GATEWAY_GROUP
from ...base.data import Object, dicts, mapping, number
from ...base.findings import WARNING, Finding
from ...base.names import did_you_mean
from ...model.items import Item
from ...model.model import StackModel
from ..base import Rule, Side, finding, listed, rule_factory

HTTP, HTTPS, TLS = "HTTP", "HTTPS", "TLS"
PROTOCOLS = (HTTP, HTTPS, TLS, "TCP", "UDP")
_CERTIFICATE = ("tls.crt", "tls.key")
# Listeners of one port share it where each of these groups stands alone: hostnames then part them.
_SHARING = ({HTTP}, {HTTPS, TLS})
_USUAL = {80: HTTP, 443: HTTPS}


class Listener(t.NamedTuple):
    """gateway: whose it is; place: its index in spec.listeners; body: what it says."""

    gateway: Item
    place: int
    body: Object

    @property
    def title(self) -> str:
        """What a message calls it."""
        return f"listener {self.body.get('name')} of Gateway {self.gateway.name}"

    def side(self, *field: t.Any) -> Side:
        """Return the place of one of its fields."""
        return Side(self.gateway, ("spec", "listeners", self.place, *field), "listeners", (self.place, *field))


def _listeners(model: StackModel) -> list[Listener]:
    return [
        Listener(gateway, index, body)
        for gateway in model.items("Gateway", planned_only=True)
        for index, body in enumerate(dicts(gateway.spec.get("listeners")))
    ]


def protocols(model: StackModel) -> t.Iterator[Finding]:
    for one in _listeners(model):
        given = str(one.body.get("protocol") or "")
        # Controllers may have protocols of their own, with a domain before them.
        if given in PROTOCOLS or "/" in given:
            continue
        known = " (gRPC is served by HTTP and HTTPS)" if given.upper() == "GRPC" else did_you_mean(given, PROTOCOLS)
        text = f"{one.title} has protocol {given!r}, the Gateway API has {', '.join(PROTOCOLS)}.{known}"
        yield finding(text, (one.side("protocol"),), ("protocol", one.title))


def _ends_tls(one: Listener) -> bool:
    return one.body.get("protocol") == HTTPS or (
        one.body.get("protocol") == TLS and mapping(one.body.get("tls")).get("mode", "Terminate") == "Terminate"
    )


def certificates(model: StackModel) -> t.Iterator[Finding]:
    """A listener that ends TLS has a certificate, or settings of its controller's own that say where it is."""
    for one in _listeners(model):
        tls = mapping(one.body.get("tls"))
        if one.body.get("protocol") == HTTPS and tls.get("mode") == "Passthrough":
            text = (
                f"{one.title} is HTTPS with tls.mode Passthrough: only TLS passes connections through, to no HTTPRoute"
            )
            yield finding(text, (one.side("tls", "mode"),), ("tls", one.title))
        elif _ends_tls(one) and not dicts(tls.get("certificateRefs")) and not tls.get("options"):
            what = "no tls.certificateRefs" if tls else "no tls"
            text = f"{one.title} has protocol {one.body.get('protocol')} and {what}: it has no certificate to serve"
            yield finding(text, (one.side("tls") if tls else one.side("protocol"),), ("tls", one.title))


def _references(model: StackModel) -> t.Iterator[tuple[Listener, int, str, str]]:
    """Yield each reference of a listener to a Secret: its place, and the Secret's namespace and name."""
    for one in _listeners(model):
        refs = dicts(mapping(one.body.get("tls")).get("certificateRefs")) if _ends_tls(one) else []
        for place, ref in enumerate(refs):
            if ref.get("kind", "Secret") == "Secret" and not ref.get("group"):
                yield one, place, str(ref.get("namespace") or one.gateway.namespace), str(ref.get("name"))


def certificate_secrets(model: StackModel) -> t.Iterator[Finding]:
    for one, place, namespace, name in _references(model):
        side = one.side("tls", "certificateRefs", place, "name")
        secret = model.find("Secret", name, namespace)
        seen = any(item.name == namespace for item in model.items("Namespace")) or namespace == one.gateway.namespace
        if secret is None and seen and model.exists("Secret", name, namespace) is False:
            near = did_you_mean(name, [item.name for item in model.items("Secret") if item.namespace == namespace])
            text = f"{one.title} serves the certificate of Secret {namespace}/{name}, which does not exist.{near}"
            yield finding(text, (side,), ("Secret", namespace, name))
        elif secret:
            kind, keys = (
                secret.body.get("type"),
                {**mapping(secret.body.get("data")), **mapping(secret.body.get("stringData"))},
            )
            lacks = [key for key in _CERTIFICATE if key not in keys]
            if (kind and kind != "kubernetes.io/tls") or (keys and lacks):
                what = f"is of type {kind}" if kind and kind != "kubernetes.io/tls" else f"has no key {listed(lacks)}"
                text = f"{one.title} serves the certificate of Secret {namespace}/{name}, which {what}"
                yield finding(text, (side, Side(secret)), ("Secret", namespace, name))


def certificate_grants(model: StackModel) -> t.Iterator[Finding]:
    for one, place, namespace, name in _references(model):
        grants = [item for item in model.items("ReferenceGrant") if item.namespace == namespace]
        if namespace == one.gateway.namespace or not model.known("ReferenceGrant"):
            continue
        if not any(_grants(grant, one.gateway, name) for grant in grants):
            text = f"{one.title} serves the certificate of Secret {namespace}/{name} without a ReferenceGrant there"
            side = one.side("tls", "certificateRefs", place, "namespace")
            yield finding(text, (side,), ("grant", one.gateway.namespace, namespace, "Secret"))


def _grants(grant: Item, gateway: Item, name: str) -> bool:
    given = any(
        (one.get("group"), one.get("kind"), one.get("namespace")) == (GATEWAY_GROUP, "Gateway", gateway.namespace)
        for one in dicts(grant.spec.get("from"))
    )
    targets = [one for one in dicts(grant.spec.get("to")) if one.get("kind") == "Secret" and not one.get("group")]
    return given and any(one.get("name") in (None, "", name) for one in targets)


def ports(model: StackModel) -> t.Iterator[Finding]:
    """Listeners of one port have protocols that can share it, and differ in their hostnames."""
    groups: dict[tuple[str, int | None], list[Listener]] = collections.defaultdict(list)
    for one in _listeners(model):
        groups[(one.gateway.title, number(one.body.get("port")))].append(one)
    for (_title, port), group in groups.items():
        given = {str(one.body.get("protocol")) for one in group}
        hosts = collections.Counter(str(one.body.get("hostname") or "") for one in group)
        sides = tuple(one.side("port") for one in group)
        names = listed(one.body.get("name") for one in group)
        if len(given) > 1 and given <= set(PROTOCOLS) - {"UDP"} and not any(given <= shared for shared in _SHARING):
            text = (
                f"listeners {names} of Gateway {group[0].gateway.name} share port {port} with protocols {listed(given)}"
            )
            yield finding(text, sides, ("port", group[0].gateway.title, str(port)))
        elif len(given) == 1 and max(hosts.values()) > 1:
            text = f"listeners {names} of Gateway {group[0].gateway.name} have the same port {port} and hostname"
            yield finding(text, sides, ("port", group[0].gateway.title, str(port)))


def usual_ports(model: StackModel) -> t.Iterator[Finding]:
    for one in _listeners(model):
        usual, given = _USUAL.get(number(one.body.get("port")) or 0), one.body.get("protocol")
        if usual and given in (HTTP, HTTPS) and given != usual:
            text = f"{one.title} serves {given} on port {one.body['port']}, where clients speak {usual}"
            yield finding(text, (one.side("protocol"),), ("usual", one.title))


def admits_some(model: StackModel) -> t.Iterator[Finding]:
    for one in _listeners(model):
        namespaces = mapping(mapping(one.body.get("allowedRoutes")).get("namespaces"))
        if namespaces.get("from") == "Selector" and not namespaces.get("selector"):
            text = f"{one.title} admits routes by a selector, but the selector is missing: it admits none"
            yield finding(text, (one.side("allowedRoutes", "namespaces", "selector"),), ("admits", one.title))


_rule = rule_factory("LLMD2")
_API = "Gateway API v1, Gateway spec.listeners[]"
_UNPROGRAMMED = "The listener is not programmed: connections to its port are refused"

RULES: tuple[Rule, ...] = (
    _rule(
        20,
        "Protocols of listeners are known",
        protocols,
        "A listener's protocol is HTTP, HTTPS, TLS, TCP or UDP, or a controller's own with a domain before it.",
        f"{_UNPROGRAMMED} (UnsupportedProtocol).",
        "use HTTP, or HTTPS with a certificate",
        f"{_API}.protocol",
    ),
    _rule(
        21,
        "A listener that ends TLS has a certificate",
        certificates,
        "Listeners of HTTPS, and of TLS in mode Terminate, have tls.certificateRefs or options of their controller.",
        f"{_UNPROGRAMMED}, or the API server refuses the Gateway.",
        "add tls.certificateRefs with a Secret of type kubernetes.io/tls, or use HTTP",
        f"{_API}.tls",
    ),
    _rule(
        22,
        "The certificate's Secret can be used",
        certificate_secrets,
        "The Secret of each certificateRef is there, is of type kubernetes.io/tls, and has tls.crt and tls.key.",
        f"{_UNPROGRAMMED}: ResolvedRefs=False/InvalidCertificateRef.",
        "create it in that namespace: kubectl create secret tls, or correct the name",
        f"{_API}.tls.certificateRefs",
    ),
    _rule(
        23,
        "A certificate of another namespace is granted",
        certificate_grants,
        "A certificateRef to another namespace needs a ReferenceGrant there, from Gateways to Secrets.",
        f"{_UNPROGRAMMED}: ResolvedRefs=False/RefNotPermitted.",
        "put the Secret into the Gateway's namespace, or add a ReferenceGrant",
        f"{_API}.tls.certificateRefs",
    ),
    _rule(
        24,
        "Listeners can share their port",
        ports,
        "Listeners of one port have one protocol (HTTPS and TLS may share it) and different hostnames.",
        "Conflicted=True (ProtocolConflict, HostnameConflict): one or all of them are not programmed.",
        "give each protocol its own port, and listeners of one port different hostnames",
        f"{_API}: distinct listeners",
    ),
    _rule(
        25,
        "Ports have their usual protocol",
        usual_ports,
        "Port 80 is HTTP and port 443 HTTPS.",
        "Clients that follow the usual ports fail in the handshake.",
        "use port 80 for HTTP and 443 for HTTPS",
        "RFC 9110, http and https URIs",
        WARNING,
    ),
    _rule(
        26,
        "A listener's selector selects",
        admits_some,
        "A listener with allowedRoutes.namespaces.from: Selector has a selector.",
        "Accepted=False/NotAllowedByListeners, requests get 404.",
        "give the selector, label the namespace, or use from: Same or All",
        f"{_API}.allowedRoutes",
    ),
)
