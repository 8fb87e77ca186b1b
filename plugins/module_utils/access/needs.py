# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a plan needs to be permitted: derived from the objects it makes and from what the playbooks call."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.apis import ALPHA_POOL_GROUP, GATEWAY_GROUP, POOL_GROUP
from ..base.data import Object, dicts, mapping, texts
from ..base.ours import is_kept
from ..model.items import Item
from ..model.permissions import Permission

RBAC = "rbac.authorization.k8s.io"
# Helm looks before it creates or patches; readiness and teardown watch each kind; teardown deletes.
OBJECT_VERBS = ("get", "list", "watch", "create", "patch", "delete")
# Helm looks before it deletes what a release no longer has, and that is waited for.
LEAVING_VERBS = ("get", "list", "watch", "delete")
# helm.sh/helm, pkg/storage/driver/secrets.go; this collection patches labels of these records.
RECORD_VERBS = ("get", "list", "create", "update", "patch", "delete")
# The lock is looked at, waited for, taken, renewed, and deleted by a teardown.
LOCK_VERBS = ("get", "list", "watch", "create", "update", "delete")
Kinds = t.Mapping[tuple[str, str], tuple[str, bool]]


@dataclasses.dataclass(frozen=True)
class Scope:
    """Where a plan acts.

    gateway: namespace of the Gateway; absent: namespaces that do not exist yet; istio: whether the gateway's controller
    is looked at; adopted: whether the Gateway is another's, so that in its
    namespace nothing is made; routed: namespace of the Gateway of the routes, where it is a third; locked: whether
    a run locks the namespaces in which it makes something; more: further namespaces in which it does; fed: those in
    which a pod is sent what a claim is to hold.
    """

    namespace: str
    gateway: str
    absent: frozenset[str] = frozenset()
    istio: bool = False
    adopted: bool = False
    routed: str = ""
    locked: bool = True
    more: tuple[str, ...] = ()
    fed: tuple[str, ...] = ()

    @property
    def deploys(self) -> list[str]:
        """Return the namespaces in which something is made, each once."""
        gateway = self.namespace if self.adopted else self.gateway or self.namespace
        return list(dict.fromkeys([self.namespace, gateway, *self.more]))

    @property
    def places(self) -> list[str]:
        """Return all namespaces that are looked at, each once."""
        return list(dict.fromkeys(filter(None, [*self.deploys, self.gateway, self.routed])))


def kinds_of(documents: t.Iterable[Object]) -> dict[tuple[str, str], tuple[str, bool]]:
    """Return {(group, kind): (resource, whether namespaced)} of aggregated API discovery documents."""
    found: dict[tuple[str, str], tuple[str, bool]] = {}
    for document in documents:
        for group in dicts(document.get("items")):
            name = str(mapping(group.get("metadata")).get("name") or "")
            for version in dicts(group.get("versions")):
                for entry in dicts(version.get("resources")):
                    kind = str(mapping(entry.get("responseKind")).get("kind") or "")
                    found.setdefault((name, kind), (str(entry.get("resource")), entry.get("scope") == "Namespaced"))
    return found


def needs(
    items: t.Sequence[Item], kinds: Kinds, scope: Scope, present: t.Mapping[str, t.Sequence[Object]] | None = None
) -> list[Permission]:
    """Return every permission that a plan needs, each once: what it must have first, then what is optional.

    items: the objects to be made; kinds: what the cluster serves. Kinds it does not serve are another rule's matter.
    present: objects of releases as they are, by release; what is not made any more is deleted.
    """
    found = [*_namespaces(scope), *_releases(scope), *_objects(items, kinds, scope)]
    found += [*_leaving(present or {}, kinds), *_fed(scope)]
    found += [need for item in items for need in _held(item, items)]
    found += [*_verify(kinds, scope), *_reads(kinds, scope)]
    kept: dict[Permission, Permission] = {}
    for need in found:
        if need not in kept or _weight(need) < _weight(kept[need]):
            kept[need] = need
    return sorted(kept.values(), key=lambda need: need.optional)


def _weight(need: Permission) -> int:
    return 2 * need.optional + need.held


def _namespaces(scope: Scope) -> t.Iterator[Permission]:
    for name in scope.places:
        if name not in scope.deploys:
            yield Permission(
                "get", "", "namespaces", name, name, why="labels of the Gateway's namespace", optional=True
            )
        elif name in scope.absent:
            yield Permission("create", "", "namespaces", why="the namespace does not exist")
            yield Permission("get", "", "namespaces", "", name, why="the namespace")
        else:
            yield Permission("get", "", "namespaces", name, name, why="the namespace")


def _releases(scope: Scope) -> t.Iterator[Permission]:
    for name in scope.deploys:
        if scope.locked:
            yield from _all(LOCK_VERBS, "coordination.k8s.io", "leases", name, "the lock of the namespace (llm_d_lock)")
        yield from _all(RECORD_VERBS, "", "secrets", name, "Helm's records of releases")
        yield from _all(("list", "watch"), "", "pods", name, "readiness of pods")
        yield from _all(("list", "watch"), "apps", "replicasets", name, "readiness of Deployments")


def _objects(items: t.Sequence[Item], kinds: Kinds, scope: Scope) -> t.Iterator[Permission]:
    for item in items:
        resource, namespaced = kinds.get((item.group, item.kind), ("", False))
        # A namespace is made at most, and used as it is otherwise; see _namespaces.
        if resource and (item.release or item.kind != "Namespace"):
            place = (item.namespace or scope.namespace) if namespaced else ""
            origin = "routes" if item.kind == "HTTPRoute" else "what is created before the releases"
            yield from _all(
                OBJECT_VERBS, item.group, resource, place, f"release {item.release}" if item.release else origin
            )


def _fed(scope: Scope) -> t.Iterator[Permission]:
    for name in scope.fed:
        yield from _all(("get", "create"), "", "pods/exec", name, "the content of a claim is sent to a pod")
        yield from _all(("get", "patch"), "", "persistentvolumeclaims", name, "the claim is labeled with its content")


def _leaving(present: t.Mapping[str, t.Sequence[Object]], kinds: Kinds) -> t.Iterator[Permission]:
    for release, bodies in present.items():
        for body in bodies:
            key = (str(body.get("apiVersion")).rpartition("/")[0], str(body.get("kind")))
            resource, _namespaced = kinds.get(key, ("", True))
            if resource and not is_kept(body):
                place = str(mapping(body.get("metadata")).get("namespace") or "")
                yield from _all(LEAVING_VERBS, key[0], resource, place, f"the current release {release}")


def _held(item: Item, items: t.Sequence[Item]) -> t.Iterator[Permission]:
    """What must be held, or be covered by escalate and bind, to create a Role or a binding."""
    if item.group != RBAC:
        return
    place = item.namespace if item.kind in ("Role", "RoleBinding") else ""
    if item.kind in ("Role", "ClusterRole"):
        for rule in dicts(item.body.get("rules")):
            yield from granted(rule, place, f"{item.kind} {item.name} grants it")
    elif item.kind in ("RoleBinding", "ClusterRoleBinding"):
        ref = mapping(item.body.get("roleRef"))
        kind, name = str(ref.get("kind")), str(ref.get("name"))
        bound = next((one for one in items if one.kind == kind and one.name == name), None)
        if bound is None:
            why = f"{item.kind} {item.name} binds the existing {kind} {name}"
            yield Permission("bind", RBAC, f"{kind.lower()}s", place, name, why=why)
        elif kind == "ClusterRole":
            for rule in dicts(bound.body.get("rules")):
                yield from granted(rule, place, f"{item.kind} {item.name} binds it")


def granted(rule: Object, namespace: str, why: str) -> t.Iterator[Permission]:
    """Return what a rule of a Role grants, one by one."""
    for verb in texts(rule.get("verbs")):
        for url in texts(rule.get("nonResourceURLs")):
            yield Permission(verb, url=url, why=why, held=True)
        for group in texts(rule.get("apiGroups")):
            for resource in texts(rule.get("resources")):
                for name in texts(rule.get("resourceNames")) or [""]:
                    yield Permission(verb, group, resource, namespace, name, why=why, held=True)


def _verify(kinds: Kinds, scope: Scope) -> t.Iterator[Permission]:
    for name in scope.places:
        yield from _all(("get", "create"), "", "pods/portforward", name, "verification sends requests to pods")
        yield Permission("list", "", "pods", name, why="verification finds the Gateway's pods")
        yield Permission("list", "", "services", name, why="verification finds the Gateway's Service")
    for name in scope.places:
        for verb in ("get", "list"):
            yield from _served(verb, GATEWAY_GROUP, "Gateway", name, kinds, "verification and routes find the Gateway")
    why = "verification reads what serves the models"
    yield from _served("list", GATEWAY_GROUP, "HTTPRoute", scope.namespace, kinds, why)
    yield Permission("list", "apps", "deployments", scope.namespace, why=why)
    yield from _served("list", "leaderworkerset.x-k8s.io", "LeaderWorkerSet", scope.namespace, kinds, why)
    for group in (POOL_GROUP, ALPHA_POOL_GROUP):
        yield from _served("list", group, "InferencePool", scope.namespace, kinds, why)


# Optional reads: (group, kind, cluster-wide, what is not checked without).
_READS = (
    (GATEWAY_GROUP, "GatewayClass", True, "the GatewayClass and whether its controller runs"),
    (GATEWAY_GROUP, "HTTPRoute", True, "routes of other namespaces on the same Gateway"),
    ("", "Node", True, "whether the pods fit on the nodes"),
    ("", "Pod", True, "what other pods hold on the nodes"),
    ("storage.k8s.io", "StorageClass", True, "storage classes"),
    ("scheduling.k8s.io", "PriorityClass", True, "priority classes"),
    ("security.openshift.io", "SecurityContextConstraints", True, "which SCCs admit the pods"),
    ("", "ServiceAccount", False, "service accounts that pods use"),
    ("", "ConfigMap", False, "config maps that pods use, and the endpoint picker's plugins"),
    ("", "PersistentVolumeClaim", False, "volume claims that pods mount"),
    ("apps", "StatefulSet", False, "what other workloads count against the quota"),
    ("", "ResourceQuota", False, "the namespace's quota"),
    ("", "LimitRange", False, "the namespace's limits"),
    ("", "Event", False, "whether an autoscaler adds nodes for pending pods"),
    (GATEWAY_GROUP, "ReferenceGrant", False, "references into other namespaces"),
)


def _reads(kinds: Kinds, scope: Scope) -> t.Iterator[Permission]:
    for group, kind, wide, why in _READS:
        for place in [""] if wide else scope.places:
            yield from _served("list", group, kind, place, kinds, why, optional=True)
    why = "the release of the Gateway API, and definitions that are not established"
    yield Permission("get", "apiextensions.k8s.io", "customresourcedefinitions", why=why, optional=True)
    yield Permission("get", "", "namespaces", "", "kube-system", why="which cluster it is", optional=True)
    if scope.istio:
        why = "the gateway controller's version and its inference extension"
        yield Permission("list", "apps", "deployments", why=why, optional=True)


def _served(
    verb: str, group: str, kind: str, namespace: str, kinds: Kinds, why: str, optional: bool = False
) -> t.Iterator[Permission]:
    resource, _namespaced = kinds.get((group, kind), ("", False))
    if resource:
        yield Permission(verb, group, resource, namespace, why=why, optional=optional)


def _all(verbs: t.Iterable[str], group: str, resource: str, namespace: str, why: str) -> t.Iterator[Permission]:
    for verb in verbs:
        yield Permission(verb, group, resource, namespace, why=why)
