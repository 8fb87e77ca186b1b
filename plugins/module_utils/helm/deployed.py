# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a cluster has of Helm's: release records, the objects of their manifests, its version and APIs."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, KEEP_ANNOTATION, MANAGED_LABEL, SECRET_TYPE, is_kept
from ..cluster.client import Cluster, api_error
from ..cluster.compare import differs, is_built_in, patch_of, same_after
from ..cluster.live import LiveObjects
from ..values.layers import merge
from .records import (
    Release,
    current_releases,
    decode_payload,
    dump_objects,
    encode_payload,
    manifest_objects,
)

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
HELM_OBJECTS = "app.kubernetes.io/managed-by=Helm"


def api_versions(documents: list[Object]) -> list[str]:
    """Return 'group/version' and 'group/version/Kind' of discovery documents, as Helm's .Capabilities has them."""
    found: set[str] = set()
    for document in documents:
        for group in document.get("items") or []:
            prefix = group["metadata"].get("name")
            for version in group.get("versions") or []:
                name = f"{prefix}/{version['version']}" if prefix else version["version"]
                found.add(name)
                found.update(
                    f"{name}/{resource['responseKind']['kind']}"
                    for resource in version.get("resources") or []
                    if (resource.get("responseKind") or {}).get("kind")
                )
    return sorted(found)


class HelmRecords:
    """Reads for one module call; what does not change is read once. Safe for threads."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.version = cluster.version()
        self.discovery = self._discovery()
        self.apis = api_versions(self.discovery)
        self.live = LiveObjects(cluster)

    def _discovery(self) -> list[Object]:
        documents = []
        for path in ("/api", "/apis"):
            reply = self.cluster.client.request(
                "get", path, serialize=False, header_params={"Accept": DISCOVERY}, _request_timeout=30
            )
            documents.append(json.loads(reply.data))
        return documents

    def releases(self, namespace: str, names: t.Container[str] | None = None) -> dict[str, Release]:
        """Return the namespace's releases by name with one list call; names: those to decode."""
        found = self.cluster.list(
            "v1",
            "Secret",
            namespace,
            label_selector="owner=helm,status!=superseded",
            field_selector=f"type={SECRET_TYPE}",
        )
        return current_releases(found, names)

    def history(self, namespace: str, name: str) -> list[Release]:
        """Return a release's revisions but the superseded ones, oldest first."""
        found = self.cluster.list(
            "v1", "Secret", namespace, label_selector=f"owner=helm,name={name},status!=superseded"
        )
        releases = [current_releases([secret])[name] for secret in found if secret.get("type") == SECRET_TYPE]
        return sorted(releases, key=lambda release: release.revision)

    def rewrite(self, release: Release, *, labels: Object | None = None, **fields: t.Any) -> None:
        """Change a revision's record: labels, and fields of Helm's JSON (manifest, info ...), dicts merged."""
        secret = self.cluster.get("v1", "Secret", release.secret, release.namespace)
        if secret is None:
            return
        payload = merge(decode_payload(secret["data"]["release"]), fields)
        body = {"metadata": {"labels": labels or {}}, "data": {"release": encode_payload(payload)}}
        name = release.secret
        self.change("change a release record", "patch", "v1", "Secret", name, release.namespace, body)

    @staticmethod
    def payload(output: str) -> Object:
        """Return the release that `helm upgrade --output json` printed, whatever a chart printed before it."""
        return json.loads(output[output.index("{") :])

    def namespaced(self, item: Object) -> bool | None:
        """Return whether the kind lives in namespaces, None where the cluster does not serve it."""
        return self.live.namespaced(item)

    def scoped(self, manifest: str, namespace: str) -> list[Object]:
        """Return a manifest's objects, without a namespace where their kind has none."""
        return self.placed(manifest_objects(manifest), namespace)

    def placed(self, objects: t.Iterable[Object], namespace: str) -> list[Object]:
        """Return objects with their namespace written out, without one where their kind has none."""
        found = []
        for item in objects:
            metadata = {"namespace": namespace, **{key: value for key, value in item["metadata"].items() if value}}
            if self.namespaced(item) is False:
                metadata.pop("namespace")
            found.append({**item, "metadata": metadata})
        return found

    def missing(self, objects: list[Object]) -> list[str]:
        """Return 'Kind name' of objects that the cluster does not have, or has scaled to 0 where they ask for more."""
        self.live.preload(objects)
        names = [(item, f"{item['kind']} {item['metadata']['name']}") for item in objects]
        absent = [name for item, name in names if self.live.find(item) is None]
        stopped = [name for item, name in names if self._is_stopped(item)]
        return absent + [f"pods of {name}, which was scaled to 0" for name in stopped]

    def _is_stopped(self, item: Object) -> bool:
        wanted = (item.get("spec") or {}).get("replicas")
        live = self.live.find(item)
        # No number in the manifest leaves it to an autoscaler.
        return bool(wanted) and live is not None and (live.get("spec") or {}).get("replicas") == 0

    def drifted(self, objects: t.Iterable[Object], known: LiveObjects | None = None) -> list[Object]:
        """Return the objects that the cluster has otherwise than their manifests say; absent ones are not among them.

        Where the two seem to differ, the API server is asked what applying the manifest would change. known: live
        objects that were read later than this inventory's.
        """
        known = known or self.live
        found = []
        for item in objects:
            live = known.find(item)
            if live is None or not differs(item, live):
                continue
            trial = known.patched(live, patch_of(None, item, live), strategic=is_built_in(item))
            if trial.after is None or not same_after(live, trial.after):
                found.append(item)
        return found

    def ready_to_remove(self, release: Release, keep_claims: bool) -> Release:
        """Return the release with a manifest that Helm can uninstall, changed in the cluster where it has to be.

        Helm refuses a manifest with a kind that the cluster no longer serves, and deletes PersistentVolumeClaims
        unless they are annotated; keep_claims annotates them, and labels them as ours. Definitions stay: with them
        everything of their kinds would go, in the whole cluster. So does what another release has taken over.
        """
        objects = self.scoped(release.manifest, release.namespace)
        served = [item for item in objects if self.namespaced(item) is not None and not self._is_others(item, release)]
        claims = [
            item for item in served if keep_claims and item["kind"] == "PersistentVolumeClaim" and not is_kept(item)
        ]
        definitions = [item for item in served if item["kind"] == "CustomResourceDefinition" and not is_kept(item)]
        if len(served) == len(objects) and not claims and not definitions:
            return release
        for item in (*claims, *definitions):
            metadata = item["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), KEEP_ANNOTATION: "keep"}
        for item in claims:
            metadata = item["metadata"]
            body = {"metadata": {"labels": {MANAGED_LABEL: "true"}}}
            self.change("label the claim", "patch", "v1", item["kind"], metadata["name"], metadata["namespace"], body)
        manifest = dump_objects(served)
        self.rewrite(release, manifest=manifest)
        return dataclasses.replace(release, manifest=manifest)

    def _is_others(self, item: Object, release: Release) -> bool:
        try:
            live = self.live.find(item)
        except OrchestratorError:
            return False  # Helm is going to say that it may not be deleted
        return live is not None and owner_release(live) not in (None, (release.name, release.namespace))

    def ensure_namespace(self, name: str, component: str) -> bool:
        """Create the namespace with our labels where it does not exist; return whether it did not."""
        return ensure_namespace(self.cluster, name, component)

    def change(
        self,
        action: str,
        verb: str,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        body: Object | None = None,
    ) -> None:
        resource = self.cluster.resource(api_version, kind)
        try:
            if verb == "patch":
                resource.patch(body=body, name=name, namespace=namespace, content_type="application/merge-patch+json")
            else:
                resource.delete(name=name, namespace=namespace, propagation_policy="Background")
        except ApiException as exc:
            if exc.status != 404:
                raise api_error(exc, action) from exc


def ensure_namespace(cluster: Cluster, name: str, component: str) -> bool:
    """Create a namespace with our labels where it does not exist; return whether it did not."""
    if cluster.get("v1", "Namespace", name) is not None:
        return False
    labels = {MANAGED_LABEL: "true", COMPONENT_LABEL: component}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    try:
        cluster.resource("v1", "Namespace").create(body=body)
    except ApiException as exc:
        if exc.status != 409:  # another call was first
            raise api_error(exc, f"create the namespace {name}") from exc
        return False
    return True


def owner_release(item: Object) -> tuple[str, str] | None:
    """Return (name, namespace) of the Helm release that an object says it belongs to, or None."""
    annotations = item["metadata"].get("annotations") or {}
    name = annotations.get("meta.helm.sh/release-name")
    return (name, annotations.get("meta.helm.sh/release-namespace") or "") if name else None
