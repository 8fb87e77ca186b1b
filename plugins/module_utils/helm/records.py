# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm's release records: read from their Secrets, compared with what is wanted, shown as a diff.

Helm keeps each revision in a Secret `sh.helm.release.v1.NAME.vREVISION` whose `data.release` is JSON,
gzipped, in base64 (Helm) and in base64 once more (the Secret).
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import functools
import gzip
import hashlib
import json
import typing as t
import zlib

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.mask import mask
from ..base.ours import MANAGED_LABEL, SECRET_TYPE, object_key
from ..base.plain_yaml import YAMLError, load_all
from ..cluster.client import Cluster
from ..objects.shape import Misshapen, objects_in
from ..values.yaml11 import dump_all

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
HIDDEN, HIDDEN_CHANGED = "(hidden)", "(hidden, changed)"


@dataclasses.dataclass(frozen=True)
class Release:
    """One revision of a release. values: what the user supplied; manifest: YAML text, hooks left out."""

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    chart_version: str
    values: Object
    manifest: str
    labels: dict[str, str]
    hooks: int = 0
    modified: float = 0.0
    secret: str = ""

    @property
    def managed(self) -> bool:
        """Whether this collection made it."""
        return self.labels.get(MANAGED_LABEL) == "true"

    @property
    def pending(self) -> bool:
        """Whether a Helm command has begun on it and not ended."""
        return self.status in PENDING


def decode_payload(data: str) -> Object:
    """Return the JSON of a release from a Secret's `data.release`."""
    inner = base64.b64decode(base64.b64decode(data))
    return json.loads(gzip.decompress(inner) if inner[:2] == b"\x1f\x8b" else inner)


def encode_payload(payload: Object) -> str:
    """Return what decode_payload reads."""
    packed = gzip.compress(json.dumps(payload, separators=(",", ":")).encode())
    return base64.b64encode(base64.b64encode(packed)).decode()


def release_from_payload(payload: Object, labels: dict[str, str] | None = None, secret: str = "") -> Release:
    """Return the release that Helm's JSON describes (a Secret's payload, or `helm upgrade --output json`)."""
    metadata = (payload.get("chart") or {}).get("metadata") or {}
    labels = dict(labels or {})
    return Release(
        name=payload["name"],
        namespace=payload.get("namespace") or "",
        revision=int(payload.get("version") or 0),
        status=(payload.get("info") or {}).get("status") or "unknown",
        chart=metadata.get("name") or "",
        chart_version=str(metadata.get("version") or ""),
        values=payload.get("config") or {},
        manifest=payload.get("manifest") or "",
        labels=labels,
        hooks=len(payload.get("hooks") or []),
        modified=float(labels.get("modifiedAt") or labels.get("createdAt") or 0),
        secret=secret,
    )


def current_releases(secrets: t.Iterable[Object], names: t.Container[str] | None = None) -> dict[str, Release]:
    """Return the newest revision of each release by name; names: those to decode (None: all)."""
    newest: dict[str, tuple[int, Object]] = {}
    for secret in secrets:
        labels = secret["metadata"].get("labels") or {}
        name = labels.get("name")
        if secret.get("type") != SECRET_TYPE or not name or (names is not None and name not in names):
            continue
        revision = int(labels.get("version") or 0)
        if name not in newest or revision > newest[name][0]:
            newest[name] = (revision, secret)
    return {
        name: release_from_payload(_payload(secret, name), secret["metadata"].get("labels"), secret["metadata"]["name"])
        for name, (_revision, secret) in newest.items()
    }


def _payload(secret: Object, name: str) -> Object:
    """Return the JSON of a release's Secret; of one without content only what its labels say."""
    content, metadata = (secret.get("data") or {}).get("release"), secret["metadata"]
    if content:
        try:
            return decode_payload(content)
        except (ValueError, OSError, EOFError, zlib.error) as exc:
            raise OrchestratorError(
                f"Helm's record {metadata['name']} of the release {name} cannot be read: {exc}",
                hint=f"Delete that Secret, or the release with: helm uninstall {name} -n {metadata.get('namespace')}",
            ) from exc
    labels = metadata.get("labels") or {}
    info = {"status": labels.get("status")}
    return {"name": name, "namespace": metadata.get("namespace"), "version": labels.get("version"), "info": info}


@functools.lru_cache(64)
def _read(manifest: str) -> tuple[list[Object], list[Misshapen]]:
    """Return a manifest's objects, and what is none: planning looks at those of a release four times."""
    try:
        return objects_in(load_all(manifest))
    except YAMLError as exc:
        raise OrchestratorError(f"What Helm rendered cannot be read as YAML: {' '.join(str(exc).split())}") from exc


def manifest_objects(manifest: str, namespace: str = "") -> list[Object]:
    """Return the objects of a manifest, lists opened up; namespace is given to those without one.

    Cluster-scoped objects get it too: only a cluster knows its scopes, see Scopes in _watch. They have the shapes of
    their kinds; see misshapen.
    """
    found = copy.deepcopy(_read(manifest)[0])
    for item in found:
        if namespace and not item["metadata"].get("namespace"):
            item["metadata"]["namespace"] = namespace
    return found


def misshapen(manifest: str) -> list[Misshapen]:
    """Return what in a manifest does not fit its kind, or is no object at all, and so is not among its objects."""
    return _read(manifest)[1]


def same_manifest(one: str, other: str, namespace: str = "") -> bool:
    """Return whether two manifests hold the same objects, whatever their order and comments."""
    if one == other:
        return True
    sides = [{object_key(item): item for item in manifest_objects(text, namespace)} for text in (one, other)]
    return sides[0] == sides[1]


def union(one: t.Any, other: t.Any) -> t.Any:
    """Return all that either of two values holds: dicts deeply, lists of named dicts by name, else other's.

    As the `original` of Helm's three-way merge it makes Helm drop whatever of either the new manifest lacks.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: union(one[key], other[key]) for key in one if key in other}
        return {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list):
        named = [{entry["name"]: entry for entry in side if _is_named(entry)} for side in (one, other)]
        if len(named[0]) == len(one) and len(named[1]) == len(other):
            return list(union(*named).values())
    return other


def _is_named(entry: t.Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def digest(value: t.Any) -> str:
    """Return 32 hex digits for a JSON-like value: fits a label, whatever the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]


def same_values(one: Object, other: Object) -> bool:
    """Return whether two sets of values are the same to Helm, which stores numbers as JSON does."""
    return json.dumps(_plain(one), sort_keys=True) == json.dumps(_plain(other), sort_keys=True)


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def diff_texts(before: str, after: str, namespace: str = "") -> tuple[str, str]:
    """Return two manifests as YAML texts to show: objects in one order, Secret data and what looks secret hidden."""
    sides = [{object_key(item): item for item in manifest_objects(text, namespace)} for text in (before, after)]
    for key, new in sides[1].items():
        if new["kind"] == "Secret":
            _hide(new, sides[0].get(key) or {})
    for old in sides[0].values():
        if old["kind"] == "Secret":
            _hide(old, old)
    return _dump(sides[0]), _dump(sides[1])


def _hide(secret: Object, before: Object) -> None:
    """Replace a Secret's values, saying only whether each differs from before."""
    for field in ("data", "stringData"):
        old = before.get(field) or {}
        for key, value in (secret.get(field) or {}).items():
            secret[field][key] = HIDDEN if old.get(key, value) == value else HIDDEN_CHANGED


def _dump(objects: dict) -> str:
    shown = {key: item if item["kind"] == "Secret" else mask(item) for key, item in objects.items()}
    return dump_objects([shown[key] for key in sorted(shown)])


def dump_objects(objects: list[Object]) -> str:
    """Return objects as YAML documents, '' for none."""
    return dump_all(objects) if objects else ""


def revision(cluster: Cluster, namespace: str, name: str, number: int) -> Release | None:
    """Return a revision of a release from Helm's history, None where that has it no more."""
    secret = cluster.get("v1", "Secret", f"sh.helm.release.v1.{name}.v{number}", namespace)
    if secret is None or not (secret.get("data") or {}).get("release"):
        return None
    metadata = secret["metadata"]
    return release_from_payload(decode_payload(secret["data"]["release"]), metadata.get("labels"), metadata["name"])
