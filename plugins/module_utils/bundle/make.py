# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One cluster's part of a bundle: its stack worked out and rendered, with a cluster or without one."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tempfile
import types
import typing as t

from ..base.apis import GATEWAY_API, LWS_API, MONITORING_API, POOL_API
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import write_atomic
from ..base.findings import ERROR, Findings
from ..base.mask import mask
from ..charts.fetch import Chart, default_cache_dir, fetch_chart
from ..cluster.client import Cluster
from ..components.base import RELEASE, Facts, Part, Stack, idle
from ..components.registry import COMPONENTS
from ..helm.command import LocalHelm
from ..helm.deployed import HelmRecords
from ..helm.image_check import images_of
from ..helm.records import dump_objects
from ..rules.run import StackRules
from ..schemas.check_all import UNKNOWN_KEYS, check_charts
from ..stack.facts import helm_version, looked_up, read_charts, read_facts
from ..stack.resolve import resolve
from ..stack.result import as_result, chart_inputs
from ..stack.settings import checked_settings, places
from .archive import gzip_bytes, tar_bytes

# What charts are rendered for where no cluster answers: the lab's release, and the APIs that charts ask about.
KUBE_VERSION = "v1.34.0"

KUBE_APIS = [
    GATEWAY_API,
    POOL_API,
    LWS_API,
    MONITORING_API,
    f"{GATEWAY_API}/Gateway",
    f"{GATEWAY_API}/HTTPRoute",
    f"{POOL_API}/InferencePool",
    f"{LWS_API}/LeaderWorkerSet",
    f"{MONITORING_API}/PodMonitor",
    f"{MONITORING_API}/ServiceMonitor",
    "networking.istio.io/v1/DestinationRule",
]


class RenderTarget(t.NamedTuple):
    """What is rendered for. cluster: its address, "" for none."""

    version: str
    apis: list[str]
    cluster: str
    facts: Facts


def make_part(params: Object) -> Object:
    """Return {host, namespace, kubernetes, cluster, releases, objects, notes}; raise with every mistake.

    params: those of the module stack_bundle_info. A release is {component, name, namespace, chart, manifest, values,
    images}, of objects all but chart and values; texts are YAML without secrets; images are {image: places}.
    """
    findings, notes = Findings(), t.cast("list[str]", [])
    params = {**checked_settings(params, findings), "image_registry": "", "secrets": {}}
    helm_version(params["helm_binary"], findings)
    target = find_target(params, notes)
    fetching = {key: params[name] for key, name in (("cache_dir", "chart_cache"), ("plain_http", "plain_http"))}
    fetching["helm"] = params["helm_binary"] or "helm"
    stack, result = _resolve(params, target, fetching, findings, notes)
    inventory = t.cast(HelmRecords, types.SimpleNamespace(version=target.version, apis=target.apis))
    rules = StackRules(t.cast(Cluster, None), inventory, stack, result, fetching)
    rendered = rules.render({})
    if rendered.errors:
        details = [f"{name}: {text}" for name, text in rendered.errors]
        raise OrchestratorError("Cannot render charts:", details=details)
    objects = {(part.component, part.release): list(part.manifests) for part in rendered.parts}
    parts = [part for component in stack.at_work for part in component.parts()]
    applied = [part for part in parts if part.kind != RELEASE]
    return {
        "host": params["cluster_name"],
        "namespace": result["namespace"],
        "kubernetes": target.version,
        "cluster": bool(target.cluster),
        "releases": [_release(part, objects[part.key], fetching) for part in parts if part.kind == RELEASE],
        "objects": [
            _applied(part, [item for item in objects[part.component, ""] if _is_said(item)]) for part in applied
        ],
        "notes": list(dict.fromkeys([*notes, *stack.notes])),
    }


def _is_said(item: Object) -> bool:
    """Return whether an object says something of a stack: its namespaces are named beside its parts."""
    return item["kind"] != "Namespace"


def find_target(params: Object, notes: list[str]) -> RenderTarget:
    """Return what to render for: the cluster where it answers, else the defaults, which a note tells."""
    try:
        cluster = Cluster(params)
        inventory = HelmRecords(cluster)
        facts = read_facts(cluster, params["namespace"], places(params), notes)
        facts.seen = looked_up(cluster, params, notes)
        return RenderTarget(inventory.version, inventory.apis, cluster.host, facts)
    except OrchestratorError as exc:
        version = params["kube_version"] or KUBE_VERSION
        notes.append(f"No cluster is reachable ({exc.message.rstrip('.')}): rendered for Kubernetes {version}.")
        return RenderTarget(version, KUBE_APIS, "", Facts(reachable=False))


def _resolve(
    params: Object, target: RenderTarget, fetching: Object, findings: Findings, notes: list[str]
) -> tuple[Stack, Object]:
    unused = idle(params, COMPONENTS.values())
    given = params["components"]
    sections = {
        name: given[name] for name, cls in COMPONENTS.items() if name not in unused and cls.charted(given[name], params)
    }
    read_charts(params, target.facts, sections, fetching, findings)
    stack = resolve(params, target.facts)
    result = as_result(stack)
    checked = check_charts(
        chart_inputs(stack), unknown_keys=UNKNOWN_KEYS[params["unknown_keys"]], files_known=True, **fetching
    )
    findings.take([*stack.findings, *(finding for finding in checked.findings if finding.severity == ERROR)])
    notes += [finding.text() for finding in checked.findings if finding.severity != ERROR]
    if not any(part["kind"] == RELEASE for part in result["parts"]):
        findings.add("llm_d_models", "is empty: there is nothing to bundle", rule="input-empty")
    notes += [finding.text() for finding in findings if finding.severity != ERROR]
    if texts := [finding.text() for finding in findings if finding.severity == ERROR]:
        count = f"{len(texts)} mistake{'s' if len(texts) > 1 else ''} found"
        raise OrchestratorError(f"{count}; nothing was written.", details=texts)
    return stack, result


def _release(part: Part, objects: list[Object], fetching: Object) -> Object:
    chart = fetch_chart(part.spec["chart_ref"], part.spec["chart_version"], **fetching)
    path, digest = packed(chart, fetching)
    return {
        **_applied(part, objects),
        "chart": {
            "name": chart.name,
            "version": chart.version,
            "digest": digest,
            "path": path,
            "ref": part.spec["chart_ref"],
            "ref_version": part.spec["chart_version"] or "",
        },
        "values": dump_objects([mask(part.spec["values"])]),
    }


def _applied(part: Part, objects: list[Object]) -> Object:
    place = {"component": part.component, "name": part.name, "namespace": part.namespace}
    return {**place, "manifest": dump_objects([mask(item) for item in objects]), "images": images_of(objects)}


def packed(chart: Chart, fetching: Object) -> tuple[str, str]:
    """Return path and digest of a chart as a .tgz; a folder is packed, the same folder to the same bytes."""
    if not os.path.isdir(chart.path):
        return chart.path, chart.digest
    helm = LocalHelm(fetching["helm"])
    try:
        with tempfile.TemporaryDirectory(dir=helm.scratch) as folder:
            # Helm knows what .helmignore leaves out, and whether the dependencies are there.
            helm.run(["package", chart.path, "--destination", folder], 60)
            (name,) = os.listdir(folder)
            with open(os.path.join(folder, name), "rb") as stream:
                data = _timeless(stream.read())
    finally:
        helm.close()
    digest = hashlib.sha256(data).hexdigest()
    cache = os.path.abspath(os.path.expanduser(fetching["cache_dir"] or default_cache_dir()))
    path = os.path.join(cache, "charts", f"sha256-{digest}", name)
    write_atomic(path, data, 0o644)
    return path, digest


def _timeless(data: bytes) -> bytes:
    """Return a .tgz with the same files and without their times."""
    with tarfile.open(fileobj=io.BytesIO(gzip.GzipFile(fileobj=io.BytesIO(data)).read()), mode="r:") as archive:
        files = {
            member.name: t.cast("t.IO[bytes]", archive.extractfile(member)).read()
            for member in archive
            if member.isfile()
        }
    return gzip_bytes(tar_bytes(files))
