# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks a cluster what whoever plans may do: one SelfSubjectRulesReview for each namespace, more only where it must."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import typing as t

from ..base.data import Object
from ..model.permissions import Access, Permission, escalates, refused
from .roles import role_yaml

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException

    FAILURES: tuple[type[Exception], ...] = (ApiException, urllib3.exceptions.HTTPError, ValueError, KeyError)
except ImportError:  # pragma: no cover - reported by Cluster
    FAILURES = (ValueError, KeyError)


# A namespace that is no one's: of its rules only those of ClusterRoleBindings are left, which hold cluster-wide.
NOWHERE = "llm-d-orchestrator-cluster-wide"
# Single questions at most, where a cluster's authorizer cannot list its rules, and how many at once.
QUESTIONS, THREADS, TIMEOUT = 200, 8, 10


@dataclasses.dataclass
class Rules:
    """The rules for a namespace; complete: whether what they do not grant is refused."""

    rules: list[Object]
    complete: bool


def read_access(cluster: Cluster, needs: t.Sequence[Permission], absent: t.Iterable[str] = ()) -> Access:
    """Return which of the needs are refused. absent: namespaces that do not exist yet."""
    places = list(dict.fromkeys(need.namespace for need in needs))
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        whoami = pool.submit(_user, cluster)
        reviews = dict(zip(places, pool.map(lambda place: _rules(cluster, place), places), strict=True))
        granted = {place: review.rules for place, review in reviews.items()}
        lacking = [need for need in needs if refused([need], granted[need.namespace])]
        lacking = [need for need in lacking if not (need.held and escalates(need, granted[need.namespace]))]
        open_needs = [need for need in lacking if not reviews[need.namespace].complete]
        asked = open_needs[:QUESTIONS]
        answers = dict(zip(asked, pool.map(lambda need: _ask(cluster, need), asked), strict=True))
    missing = tuple(need for need in lacking if answers.get(need) is False or reviews[need.namespace].complete)
    unknown = tuple(need for need in open_needs if answers.get(need) is None)
    user = whoami.result()
    return Access(user, missing, unknown, role_yaml(needs, user, frozenset(missing), absent))


def _post(cluster: Cluster, group: str, kind: str, spec: Object) -> Object:
    """Return the status of a review. It is asked by its path: looking up its kind would be another call."""
    body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    path = f"/apis/{group}/v1/{kind.lower()}s"
    reply = cluster.client.request("post", path, body=body, serialize=False, _request_timeout=TIMEOUT)
    return json.loads(reply.data)["status"]


def _rules(cluster: Cluster, namespace: str) -> Rules:
    try:
        status = _post(cluster, "authorization.k8s.io", "SelfSubjectRulesReview", {"namespace": namespace or NOWHERE})
    except FAILURES:
        return Rules([], False)
    rules = (status.get("resourceRules") or []) + (status.get("nonResourceRules") or [])
    return Rules(rules, not status.get("incomplete"))


def _ask(cluster: Cluster, need: Permission) -> bool | None:
    """Return whether a single permission is granted, None where the cluster does not say."""
    if need.url:
        spec: Object = {"nonResourceAttributes": {"path": need.url, "verb": need.verb}}
    else:
        head, _slash, sub = need.resource.partition("/")
        values = (need.verb, need.group, head, sub, need.namespace, need.name)
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        spec = {"resourceAttributes": {name: value for name, value in zip(names, values, strict=True) if value}}
    try:
        return bool(_post(cluster, "authorization.k8s.io", "SelfSubjectAccessReview", spec).get("allowed"))
    except FAILURES:
        return None


def _user(cluster: Cluster) -> str:
    try:
        return str(_post(cluster, "authentication.k8s.io", "SelfSubjectReview", {})["userInfo"]["username"])
    except FAILURES:  # Kubernetes before 1.28
        return ""
