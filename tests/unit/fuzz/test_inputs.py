# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Variables, values, kubeconfigs and archives of any shape: a clear message, never an exception of Python's."""

from __future__ import annotations

import contextlib
import copy
import functools
import gzip
import io
import json
import pathlib
import subprocess
import tarfile
import tempfile
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle.archive import archive_bytes, read_bundle
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle.use import with_site
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import read_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import (
    client,
    contexts,
    credentials,
    kubeconfig,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet import targets
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.credentials import for_helm
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.records import manifest_objects, misshapen
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.policies import CLASSES as CLASSES_OF
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas.check_all import check_charts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.checks import needed_kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result, chart_inputs
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings, places
from hypothesis import given
from hypothesis import strategies as st
from rules import rendered
from stack.component_options import table
from stack.test_resolve import CLASSES, params

from fuzz.breaking import JUNK, fuzzed, slips
from fuzz.stacks import COMPONENTS, read_all, stack

# By component, or by the definitions of one, the lab's chart.
CHARTS = {
    "gateway": "llm-d-infra",
    "gaie": "inferencepool",
    "modelservice": "llm-d-modelservice",
    "dynamo_platform": "dynamo-platform",
    "dynamo_platform_crds": "dynamo-crds",
    "llm_router": "llm-router",
    "extra_releases": "llm-router",
}

needs_helm = pytest.mark.skipif(rendered.HELM is None, reason="needs helm")


@functools.cache
def variables() -> dict[str, Any]:
    """A whole stack's variables, each option of each role at its default or in use."""
    models = [
        {
            "name": name,
            "model": f"org/{name}",
            "release_name": f"ms-{name}",
            "values": rendered.model_values(name),
            "pool": {
                "values": rendered.pool_values(name),
                "selector": {"llm-d.ai/model": name},
                "target_ports": [8000],
            },
            "route": {"path_prefix": f"/{name}", "hostnames": ["a.example.com"], "timeouts": {"request": "5s"}},
        }
        for name in ("a", "b")
    ]
    sections = {
        "gateway": {"values": {"gateway": {"listeners": [{"name": "web", "port": 80, "protocol": "HTTP"}]}}},
        "gaie": {"pools": [{"name": "more", "selector": {"app": "x"}}], "values": {"inferenceExtension": {"env": []}}},
        "modelservice": {"values": {"decode": {"replicas": 1}}},
        "httproute": {"routes": [{"name": "again", "pool": "gaie-a", "port": 8000, "path_prefix": "/again"}]},
        "prepare": {"downloads": ["org/a"], "images": ["a:v1"], "pvc_name": "models", "pvc_size": "1Gi"},
        "extra_releases": {"charts": [{"name": "batch", "chart": "./batch", "values_files": [], "values": {}}]},
        "monitoring": {"enabled": True, "labels": {"release": "p"}},
        "dynamo_platform": {"enabled": True, "values": {"etcd": {"enabled": True}}},
        "dynamo_frontend": {"pull_secret": "", "env": {"LEVEL": "info"}},
        "dynamo_models": {
            "models": [
                {"name": "c", "model": "org/c", "gpus": 1, "env": {"A": "b"}, "args": ["--seed", "1"]},
                {"name": "d", "model": "org/d", "mode": "disagg", "decode": {"gpus": 2}, "prefill": {"replicas": 2}},
            ]
        },
        "llm_router": {
            "enabled": True,
            "chart": "router",
            "image_registry": "registry.example.com/",
            "policies": {
                "complexity_router": {
                    "classes": [{"name": name, "model": "d"} for name in CLASSES_OF["complexity_router"]]
                }
            },
            "default_model": "c",
            "ingress": {"host": "router.example.com"},
            "model_repository": {"size": "10Gi"},
        },
        "llm_orchestrator": {
            "enabled": True,
            "image": "registry.example.com/llm-orchestrator:1.0.0",
            "api_autoscaling": {"max": 10, "cpu": 70},
            "config": {"execution": {"scheduler": {"max_parallel_workflows": 200}}},
            "ingress": {"host": "o.example.com", "tls": "o-tls", "certificate_issuer": "ca"},
            "network": {"clients": ["apps"], "egress": [{"ports": [{"port": 8443}]}]},
            "env": {"RUST_LOG": "info"},
        },
    }
    given_ = params(models, **sections)
    for name, options in given_["options"].items():
        defaults = {key: option["default"] for key, option in options.items() if "default" in option}
        given_["components"][name] = {**defaults, **given_["components"].get(name, {}), **sections.get(name, {})}
    secrets = {
        "llm_orchestrator_database_url": "postgresql://u:p@postgres/o",
        "llm_orchestrator_redis_url": "redis://redis",
        "llm_orchestrator_nats_url": "nats://nats",
        "llm_orchestrator_secrets": {"JWT_SECRET": "s" * 32},
    }
    return {**given_, "table": table(), "secrets": secrets}


def planned(changed: dict[str, Any]) -> list[Any]:
    """Return what is found in a stack's variables and its values, as planning goes about it without a cluster."""
    findings = Findings()
    checked = checked_settings({**variables(), **copy.deepcopy(changed)}, findings)
    places(checked)
    with contextlib.suppress(OrchestratorError):
        with_site(checked)
    facts = Facts(classes=CLASSES, secrets={"hf": ["HF_TOKEN"]})
    worked_out = resolve(checked, facts)
    needed_kinds(worked_out)
    for component in worked_out.at_work:
        component.check_cluster()
    json.dumps(as_result(worked_out), default=str)
    rows = [{**row, "chart_ref": str(rendered.CHARTS / CHARTS[row["chart_variable"].removesuffix("_chart")])}
            for row in chart_inputs(worked_out)]  # fmt: skip
    found = [*findings, *worked_out.findings, *check_charts(rows).findings]
    assert all(one.text() for one in found)
    return found


def test_the_sound_variables_are_sound() -> None:
    assert [one.text() for one in planned({}) if one.severity == "error"] == []


@fuzzed(250)
@given(st.data())
def test_any_variables_can_be_planned(data: Any) -> None:
    keys = ("models", "components")
    planned(data.draw(slips({key: variables()[key] for key in keys})))


@needs_helm
@fuzzed(40)
@given(st.data())
def test_any_values_that_helm_renders_can_be_planned(data: Any) -> None:
    values = data.draw(slips(stack("pd")[0].values, most=1))
    objects = dict(stack("pd")[1])
    for release, changed in values.items():
        if changed == stack("pd")[0].values.get(release) or not isinstance(changed, dict):
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(changed, file)
            file.flush()
            chart = {"gateway": "llm-d-infra", "gaie": "inferencepool", "modelservice": "llm-d-modelservice"}
            name = chart.get(COMPONENTS.get(str(release).partition("-")[0], ""), "inferencepool")
            command = [str(rendered.HELM), "template", "x", str(rendered.CHARTS / name), "--values", file.name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and release in objects:
            with contextlib.suppress(OrchestratorError):
                misshapen(done.stdout)
                objects[release] = manifest_objects(done.stdout)
    read_all("pd", objects)


KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "n"}}, {"name": "d"}],
    "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1", "certificate-authority": "ca.crt"}}],
    "users": [
        {
            "name": "u",
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "no-such-program",
                    "args": ["a"],
                    "env": [{"name": "A", "value": "b" * 20}],
                    "provideClusterInfo": True,
                }
            },
        },
        {"name": "v", "user": {"token": "t", "auth-provider": {"name": "oidc", "config": {"id-token": "x"}}}},
    ],
}


@fuzzed(300)
@given(st.data())
def test_any_kubeconfig_can_be_read(data: Any) -> None:
    broken = data.draw(slips(KUBECONFIG))
    text = yaml.safe_dump(broken)
    for attempt in (
        lambda: kubeconfig.secrets_in(kubeconfig.kubeconfig_in(text)),
        lambda: kubeconfig.text_of(kubeconfig.absolute(kubeconfig.kubeconfig_in(text), "/etc")),
        lambda: contexts.of_kubeconfig("x", kubeconfig.kubeconfig_in(text), [], []),
        lambda: for_helm(credentials.resolved(credentials.given({"kubeconfig": text}), {}), {}),
        lambda: client._configuration(credentials.resolved(credentials.given({"kubeconfig": text}), {})),
        lambda: targets.mistakes({"one": {"llm_d_kubeconfig": text}, "two": {"llm_d_kubeconfig": text}}),
        lambda: credentials.secrets({"kubeconfig": text}),
    ):
        with contextlib.suppress(OrchestratorError):
            attempt()


HOST: dict[str, Any] = {
    **{"llm_d_kubeconfig": "/none/config", "llm_d_context": "c", "llm_d_namespace": "llm-d", "llm_d_waves": [1, "50%"]},
    **{
        "llm_d_wave_failures": 1,
        "llm_d_findings_file": "a.json",
        "status_file": "b.json",
        "llm_d_api_host": "https://a",
    },
}


@fuzzed(150)
@given(st.data())
def test_any_hosts_variables_can_be_held_against_each_other(data: Any) -> None:
    broken = data.draw(slips({"one": HOST, "two": dict(HOST)}, most=3))
    targets.mistakes({str(name): one for name, one in broken.items() if isinstance(one, dict)})


@functools.cache
def packed() -> bytes:
    """A chart as an uncompressed tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(rendered.CHARTS / "inferencepool", "inferencepool")
    return stream.getvalue()


@functools.cache
def bundled() -> bytes:
    """A bundle with a chart, as an uncompressed tar archive."""
    chart = {"name": "a", "version": "1", "digest": "0" * 64, "file": f"charts/sha256/{'0' * 64}/a-1.tgz", "refs": []}
    return archive_bytes({"charts": [chart]}, {chart["file"]: b"chart"}, packed=False)


@fuzzed(200)
@given(st.sampled_from([packed, bundled]), st.data())
def test_any_archive_can_be_read(make: Any, data: Any) -> None:
    content = bytearray(make())
    for _count in range(data.draw(st.integers(1, 4))):
        # Most of what can be broken is in the headers of the first members.
        place = data.draw(st.one_of(st.integers(0, 4095), st.integers(0, len(content) - 1)))
        content[place] = data.draw(st.sampled_from([0, 32, 47, 48, 55, 57, 128, 255]))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "it.tgz")
        path.write_bytes(gzip.compress(bytes(content[:cut]), 1))
        for read in (read_chart, read_bundle):
            with contextlib.suppress(OrchestratorError):
                read(str(path))


@fuzzed(100)
@given(st.data())
def test_any_manifest_of_a_bundle_can_be_read(data: Any) -> None:
    chart = {
        "name": "a",
        "version": "1",
        "digest": "0" * 64,
        "file": "charts/a.tgz",
        "refs": [{"ref": "r", "version": "1"}],
    }
    broken = data.draw(slips({"charts": [chart], "made": "x"}))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "bundle.tar")
        # JSON's keys are texts.
        path.write_bytes(
            archive_bytes(json.loads(json.dumps(broken, default=str)), {"charts/a.tgz": b"chart"}, packed=False)
        )
        with contextlib.suppress(OrchestratorError):
            read_bundle(str(path))


@pytest.mark.parametrize("junk", [item for item in JUNK if isinstance(item, (dict, list, int, str, float))])
def test_a_manifest_may_be_any_document(junk: Any) -> None:
    assert manifest_objects(yaml.safe_dump(junk)) == []
