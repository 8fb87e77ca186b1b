# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Gathers what an expert would look at in a namespace: lists in parallel, each bounded; what is refused is noted."""

from __future__ import annotations

import concurrent.futures
import json
import time
import typing as t

from ..base.apis import GATEWAY_API, LWS_API, POOL_APIS
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.mask import is_secret_key
from ..base.ours import COMPONENT_LABEL, SECRET_TYPE
from ..cluster.client import Cluster, api_error
from ..helm.records import decode_payload, manifest_objects, release_from_payload
from ..objects.pods import condition, container_states, waiting
from ..objects.pools import is_ready
from ..objects.servers import servers
from ..verify.once import Way, ask, served, told
from .base import missed, refusals
from .dynamo import gathering
from .dynamo.router import router_configs
from .evidence import Asked, Evidence, Log, clean, ref
from .logs import known_secrets, log_of, wanted
from .rules_gateways import NAME_LABEL
from .rules_pools import selected
from .rules_routing import backends, leads_to, parents, rule_leads_to
from .rules_volumes import claims_of

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


THREADS = 8
LIMIT, EVENT_LIMIT, GATEWAYS, VOLUMES, POOLS, LOOKED_UP = 1000, 2000, 10, 10, 16, 10
MISSED_READ = 10
# Seconds for the answer to a request.
ANSWER = 20.0
TIMEOUT = (5.0, 20.0)
SLICES = ("discovery.k8s.io/v1", "EndpointSlice")
HELM = "owner=helm,status notin (superseded,uninstalled)"
NAMESPACED = (
    ("v1", "Pod"), ("v1", "Event"), ("v1", "PersistentVolumeClaim"), ("v1", "Service"), ("v1", "ResourceQuota"),
    ("v1", "LimitRange"), SLICES,
    ("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"), ("batch/v1", "Job"), (LWS_API, "LeaderWorkerSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"), ("keda.sh/v1alpha1", "ScaledObject"),
    ("networking.istio.io/v1", "DestinationRule"), ("networking.k8s.io/v1", "NetworkPolicy"),
    (GATEWAY_API, "Gateway"), (GATEWAY_API, "HTTPRoute"), *((api, "InferencePool") for api in POOL_APIS),
    *gathering.KINDS,
)  # fmt: skip
CLUSTER_WIDE = (("v1", "Node"), (GATEWAY_API, "GatewayClass"), ("storage.k8s.io/v1", "StorageClass"))


class Gatherer:
    """One gathering. secrets: values that must not be shown, filled by logs()."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        *,
        failure: str = "",
        ended: bool = False,
        gateways: t.Iterable[tuple[str, str]] = (),
    ) -> None:
        """failure, ended: see Evidence; gateways: (namespace, name) of Gateways that may be in other namespaces."""
        self.cluster = cluster
        self.gateways = set(gateways)
        self.evidence = Evidence(namespace, failure=failure, ended=ended, now=time.time())
        self.secrets: set[str] = set()

    def run(self, *, logs: bool = True) -> Evidence:
        """Return the evidence; raise OrchestratorError only where the cluster cannot be reached."""
        try:
            return self._gather(logs=logs)
        except (ApiException, urllib3.exceptions.HTTPError) as exc:
            raise OrchestratorError(f"The cluster stopped answering: {exc}") from exc

    def _gather(self, *, logs: bool) -> Evidence:
        wide = [(api, kind, "") for api, kind in CLUSTER_WIDE]
        here = [(api, kind, self.evidence.namespace) for api, kind in NAMESPACED]
        # Discovery is not made for threads.
        tasks = [(task, resource) for task in (*here, *wide) if (resource := self._resource(*task[:2])) is not None]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            futures: list[concurrent.futures.Future] = [
                pool.submit(self._list, resource, *task) for task, resource in tasks
            ]
            futures += [pool.submit(self._helm), pool.submit(self._namespace)]
        for future in futures:
            future.result()
        self._served()
        self._others()
        if logs:
            self._logs()
        return self.evidence

    def _resource(self, api_version: str, kind: str) -> t.Any:
        found = self.cluster.resource(api_version, kind)
        if found is None and kind not in self.evidence.lists:
            self.evidence.unserved.add(kind)
        return found

    def _list(self, resource: t.Any, api_version: str, kind: str, namespace: str) -> None:
        """Read a kind for the rules."""
        items = self._read(resource, api_version, kind, namespace)
        if items is not None:
            self.evidence.lists.setdefault(kind, []).extend(items)
            self.evidence.unserved.discard(kind)

    def _read(
        self, resource: t.Any, api_version: str, kind: str, namespace: str, **options: t.Any
    ) -> list[Object] | None:
        """Return the objects of a kind, None where they may not be read, which is noted."""
        limit = EVENT_LIMIT if kind == "Event" else LIMIT
        try:
            reply = resource.get(
                namespace=namespace or None, serialize=False, limit=limit, _request_timeout=TIMEOUT, **options
            )
            body = json.loads(reply.data)
        except (urllib3.exceptions.HTTPError, ValueError) as exc:
            self._unseen(f"{kind}s", OrchestratorError(str(exc)))
            return None
        except ApiException as exc:
            self._unseen(f"{kind}s", api_error(exc, f"list {kind}"))
            return None
        items = body.get("items") or []
        for item in items:
            item.setdefault("apiVersion", api_version)
            item.setdefault("kind", kind)
        if (body.get("metadata") or {}).get("continue"):
            self.evidence.unseen.append(f"more than {limit} {kind}s: only the first {limit} were read")
        return items

    def _read_all(self, api_version: str, kind: str, namespace: str, **options: t.Any) -> list[Object] | None:
        """Return the objects of a kind as _read does, None where the cluster does not serve it."""
        resource = self._resource(api_version, kind)
        return self._read(resource, api_version, kind, namespace, **options) if resource is not None else None

    def _unseen(self, what: str, error: OrchestratorError) -> None:
        self.evidence.unseen.append(f"{what}: {error.message}")

    def _namespace(self) -> None:
        try:
            found = self.cluster.get("v1", "Namespace", self.evidence.namespace)
        except OrchestratorError as exc:
            self._unseen("Namespace", exc)
            return
        self.evidence.phase = found or {}
        self.evidence.lists["Namespace"] = [found] if found else []

    def _helm(self) -> None:
        resource = self.cluster.resource("v1", "Secret")
        options = {"label_selector": HELM, "field_selector": f"type={SECRET_TYPE}"}
        newest: dict[str, Object] = {}
        for secret in self._read(resource, "v1", "Secret", self.evidence.namespace, **options) or []:
            labels = secret["metadata"].get("labels") or {}
            name, version = str(labels.get("name")), int(labels.get("version") or 0)
            if name not in newest or version > newest[name]["revision"]:
                newest[name] = {"revision": version, "secret": secret}
        for name in sorted(newest):
            self.evidence.releases.append(self._release(name, newest[name]["secret"]))

    def _release(self, name: str, secret: Object) -> Object:
        labels = secret["metadata"].get("labels") or {}
        row: Object = {
            "name": name,
            "component": labels.get(COMPONENT_LABEL) or "",
            "status": str(labels.get("status")),
            "revision": int(labels.get("version") or 0),
            "modified": float(labels.get("modifiedAt") or labels.get("createdAt") or 0),
            "chart": "",
            "kinds": [],
            "objects": [],
        }
        try:
            payload = decode_payload(secret["data"]["release"])
            release = release_from_payload(payload, labels)
            objects = manifest_objects(release.manifest)
        except (KeyError, ValueError, TypeError, OSError) as exc:
            self.evidence.unseen.append(f"Helm release {name}: its record cannot be read ({type(exc).__name__})")
            return row
        row["chart"] = f"{release.chart}-{release.chart_version}"
        row["description"] = str((payload.get("info") or {}).get("description") or "")
        row["kinds"] = sorted({(str(item.get("apiVersion")), str(item["kind"])) for item in objects})
        row["objects"] = [(str(item["kind"]), str(item["metadata"].get("name"))) for item in objects]
        return row

    def ask(self) -> list[Asked]:
        """Send one request to each pool that a route leads to and that has a ready pod; return what came."""
        rows = [(pool, way) for pool in self.evidence.of("InferencePool") if (way := self._way(pool)) is not None]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(lambda row: self._ask(*row), rows[:POOLS]))

    def _way(self, pool: Object) -> Way | None:
        """Return how requests come to a pool, None where no Gateway that was read leads there."""
        evidence = self.evidence
        for route in evidence.of("HTTPRoute") if any(map(is_ready, selected(evidence, pool))) else ():
            for parent, namespace, _status in parents(route):
                gateway = evidence.find("Gateway", parent.get("name"), namespace)
                rules = [rule for rule in route["spec"].get("rules") or [] if rule_leads_to(rule, ref(route)[1], pool)]
                if gateway and rules:
                    return Way(gateway, route, rules[0], evidence.of("Service"), evidence.of("Pod"))
        return None

    def _ask(self, pool: Object, way: Way) -> Asked:
        names = [name for pod in selected(self.evidence, pool) for one in servers(pod["spec"])[0] for name in one.names]
        for _attempt in range(2):
            try:
                answer = ask(self.cluster.client, way, list(dict.fromkeys(names)), ANSWER)
            except OrchestratorError as exc:
                return Asked(ref(pool), None, exc.message)
            if served(answer) is not False:
                break
        return Asked(ref(pool), served(answer), clean(told(answer)), answer.status)

    def _served(self) -> None:
        """Note the kinds that releases hold and the cluster does not serve."""
        for release in self.evidence.releases:
            for api_version, kind in release["kinds"]:
                if self.cluster.resource(api_version, kind) is None:
                    self.evidence.missing.append((release["name"], api_version, kind))

    def _others(self) -> None:
        """Read what only some failures need: what is of other namespaces, and all pods where one has no node."""
        evidence = self.evidence
        self._routes_elsewhere()
        self._backends_elsewhere()
        self._missed()
        gathering.look(self.cluster, evidence, self._read_all)
        configs = [self._get("v1", "ConfigMap", name, evidence.namespace) for name in router_configs(evidence)]
        evidence.lists["ConfigMap"] = [body for body in configs if body]
        for namespace, name in sorted(self._gateways_elsewhere())[:GATEWAYS]:
            self._gateway(namespace, name)
        unplaced = [pod for pod in evidence.pods if condition(pod, "PodScheduled").get("status") == "False"]
        if unplaced and evidence.of("Node"):
            resource = self.cluster.resource("v1", "Pod")
            options = {"field_selector": "status.phase!=Succeeded,status.phase!=Failed"}
            everywhere = self._read(resource, "v1", "Pod", "", **options)
            evidence.everywhere = everywhere if len(everywhere or []) < LIMIT else None
        self._volumes(unplaced)

    def _volumes(self, unplaced: list[Object]) -> None:
        """Read the volumes that pods without a node are bound to."""
        names = {name for pod in unplaced for name in claims_of(pod)}
        claims = [item for item in self.evidence.of("PersistentVolumeClaim") if item["metadata"]["name"] in names]
        volumes = sorted({str(name) for item in claims if (name := (item.get("spec") or {}).get("volumeName"))})
        found = [self._get("v1", "PersistentVolume", name) for name in volumes[:VOLUMES]]
        self.evidence.lists["PersistentVolume"] = [body for body in found if body]

    def _get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Object | None:
        """Return an object, None where there is none or it may not be read, which is noted."""
        try:
            return self.cluster.get(api_version, kind, name, namespace or None)
        except OrchestratorError as exc:
            self._unseen(f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}", exc)
            return None

    def _backends_elsewhere(self) -> None:
        """Look up what routes refer to in other namespaces."""
        for route in self.evidence.of("HTTPRoute"):
            for entry in backends(route):
                kind, group = str(entry.get("kind") or "Service"), str(entry.get("group") or "")
                place = (kind, str(entry.get("namespace") or ref(route)[1]), str(entry.get("name")))
                apis = ["v1"] if kind == "Service" else [api for api in POOL_APIS if api.startswith(f"{group}/")]
                if place[1] == self.evidence.namespace or place in self.evidence.elsewhere:
                    continue
                before = len(self.evidence.unseen)
                found = any(self._get(api, kind, place[2], place[1]) for api in apis)
                if apis and len(self.evidence.unseen) == before:
                    self.evidence.elsewhere[place] = found

    def _missed(self) -> None:
        """Look up what the cluster has said not to exist: it may have been made since."""
        evidence = self.evidence
        texts = [entry.text for entry in refusals(evidence)]
        texts += [str(waiting(state).get("message")) for pod in evidence.pods for state in container_states(pod)]
        texts += [str(event.get("message")) for event in evidence.of("Event") if event.get("reason") == "FailedMount"]
        for api, kind, name in sorted({found for text in texts for found in missed(text)})[:LOOKED_UP]:
            resource = self.cluster.resource(api, kind)
            place = evidence.namespace if resource is not None and resource.namespaced else ""
            before = len(evidence.unseen)
            there = self._get(api, kind, name, place) is not None
            if len(evidence.unseen) == before:
                evidence.elsewhere[kind, evidence.namespace, name] = there

    def _routes_elsewhere(self) -> None:
        """Read the routes of other namespaces where none of this one leads to a pool."""
        evidence = self.evidence
        routes = evidence.of("HTTPRoute")
        alone = [pool for pool in evidence.of("InferencePool") if not any(leads_to(item, pool) for item in routes)]
        resource = self.cluster.resource(GATEWAY_API, "HTTPRoute") if alone else None
        if resource is None:
            return
        everywhere = self._read(resource, GATEWAY_API, "HTTPRoute", "")
        evidence.all_routes = everywhere is not None and len(everywhere) < LIMIT
        routes += [
            item
            for item in everywhere or []
            if ref(item)[1] != evidence.namespace and any(leads_to(item, pool) for pool in alone)
        ]

    def _gateways_elsewhere(self) -> set[tuple[str, str]]:
        named = {
            (str(parent.get("namespace") or ref(route)[1]), str(parent.get("name")))
            for route in self.evidence.of("HTTPRoute")
            for parent in (route.get("spec") or {}).get("parentRefs") or []
        }
        return {place for place in named | self.gateways if place[0] != self.evidence.namespace}

    def _gateway(self, namespace: str, name: str) -> None:
        """Read a Gateway of another namespace with its pods, its Service and its events."""
        found = self._get(GATEWAY_API, "Gateway", name, namespace)
        if found is None:
            return
        self.evidence.lists.setdefault("Gateway", []).append(found)
        mine = {"label_selector": f"{NAME_LABEL}={name}"}
        about = {"field_selector": f"involvedObject.name={name}"}
        for api, kind, options in (
            ("v1", "Pod", mine),
            ("v1", "Service", mine),
            # They carry the labels of their Service.
            (*SLICES, mine),
            ("v1", "Event", about),
        ):
            rows = self._read_all(api, kind, namespace, **options)
            if rows:
                self.evidence.lists.setdefault(kind, []).extend(rows)

    def _logs(self) -> None:
        rows = wanted(self.evidence)
        self.secrets = known_secrets(self.cluster, [pod for pod, _name, _failing in rows], is_secret_key)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(log_of, self.cluster, pod, name) for pod, name, _failing in rows]
        for (pod, name, failing), future in zip(rows, futures, strict=True):
            try:
                lines, previous = future.result()
            except OrchestratorError as exc:
                self._unseen(f"log of pod {pod['metadata']['name']}, container {name}", exc)
                continue
            self.evidence.logs.append(Log(pod, name, tuple(lines), failing, previous))
