# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A cloud's load balancer: an address of this machine for every Service of a Gateway that asks for one."""

from __future__ import annotations

import hashlib

from ..cluster.snapshot import Object, Snapshot
from .classes import ManagedGateway
from .statuses import Wanted


def address_of(gateway: ManagedGateway) -> str:
    """A loopback address of its own for a Gateway, always the same one."""
    digest = hashlib.sha256(gateway.uid.encode()).digest()
    return f"127.{64 + digest[0] % 128}.{digest[1]}.{1 + digest[2] % 254}"


def balanced(gateway: ManagedGateway, snapshot: Snapshot) -> Object | None:
    """The Gateway's Service, where its type is LoadBalancer."""
    service = snapshot.get("Service", gateway.namespace, gateway.workload)
    return service if service and service["spec"].get("type") == "LoadBalancer" else None


def balancer_status(gateway: ManagedGateway, snapshot: Snapshot) -> list[Wanted]:
    """The status that the load balancer gives to the Gateway's Service."""
    service = balanced(gateway, snapshot)
    if service is None:
        return []
    given = {"loadBalancer": {"ingress": [{"ip": address_of(gateway), "ipMode": "VIP"}]}}
    return [Wanted(service, given)]
