# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's charts, rendered by the real Helm: what comes out (cases/), how names are cut, what is refused."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from typing import Any

import pytest
import yaml

HERE = pathlib.Path(__file__).resolve().parent
CHARTS = HERE.parents[2] / "roles" / "lab" / "files" / "charts"
HELM = os.environ.get("HELM") or shutil.which("helm")
KUBE_VERSION = ["--kube-version", "1.34.0"]
VERSIONS = {
    "llm-d-infra": "v1.3.6",
    "inferencepool": "v1.3.0",
    "llm-d-router-standalone": "v0.10.0",
    "llm-d-modelservice": "v0.4.5",
    "dynamo-crds": "0.5.0",
    "dynamo-platform": "0.5.0",
}
CASES = {
    f"{path.stem}: {case['id']}": (path.stem, case)
    for path in sorted(HERE.glob("cases/*.yaml"))
    for case in yaml.safe_load(path.read_text())
}
REQUIRED = {
    "inferencepool": {"inferencePool.modelServers.matchLabels.app": "m"},
    "llm-d-router-standalone": {"router.modelServers.matchLabels.app": "m"},
}

pytestmark = pytest.mark.skipif(not HELM, reason="needs helm on PATH, or its path in HELM")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(HELM), *arguments], capture_output=True, text=True, check=False)


def render(chart: str, release: str, *arguments: str) -> dict[str, Any]:
    """Objects of the rendered chart by "Kind/name"."""
    done = helm("template", release, str(CHARTS / chart), "--namespace", "demo", *KUBE_VERSION, *arguments)
    assert done.returncode == 0, done.stderr
    objects = [item for item in yaml.safe_load_all(done.stdout) if item]
    by_name = {f"{item['kind']}/{item['metadata']['name']}": item for item in objects}
    assert len(by_name) == len(objects), "two objects of one kind and name"
    return by_name


def settings(pairs: dict[str, str]) -> list[str]:
    return [word for path, value in pairs.items() for word in ("--set", f"{path}={value}")]


def at(item: Any, path: str) -> Any:
    """What stands under a dotted path; numbers index lists, | stands for a dot within a key; None where nothing is."""
    for part in path.split("."):
        key = part.replace("|", ".")
        item = item[int(key)] if isinstance(item, list) else (item or {}).get(key)
    return item


def flat(names: list[Any]) -> set[str]:
    return {name for entry in names for name in (entry if isinstance(entry, list) else [entry])}


@pytest.mark.parametrize(("chart", "version"), VERSIONS.items())
def test_chart_lints_and_carries_the_version_it_stands_in_for(chart: str, version: str) -> None:
    done = helm("lint", "--strict", str(CHARTS / chart), *KUBE_VERSION, *settings(REQUIRED.get(chart, {})))
    assert done.returncode == 0, done.stdout + done.stderr
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert (about["name"], about["version"]) == (chart, version)
    assert "stand-in" in about["description"]


@pytest.mark.parametrize(("chart", "case"), CASES.values(), ids=CASES)
def test_rendered_objects(chart: str, case: dict[str, Any]) -> None:
    files = ["--values", str(HERE / "values" / f"{case['values']}.yaml")] if "values" in case else []
    objects = render(chart, case["release"], *files, *(f"--set={pair}" for pair in case.get("set", [])))
    if "objects" in case:
        assert set(objects) == flat(case["objects"])
    for name, facts in case.get("facts", {}).items():
        for path, expected in facts.items():
            assert at(objects[name], path) == expected, f"{name} {path}"


def test_istio_parameters_are_documents_that_istio_merges() -> None:
    values = str(HERE / "values" / "infra-istio.yaml")
    data = render("llm-d-infra", "i", "--values", values)["ConfigMap/i-inference-gateway"]["data"]
    container = yaml.safe_load(data["deployment"])["spec"]["template"]["spec"]["containers"][0]
    assert container["name"] == "istio-proxy"
    assert container["resources"]["limits"] == {"cpu": "16", "memory": "16Gi"}
    assert container["args"][-4:] == ["--proxyComponentLogLevel", "misc:error", "--log_output_level", "default:error"]
    assert yaml.safe_load(data["service"]) == {"spec": {"type": "ClusterIP"}}


ROUTER = REQUIRED["llm-d-router-standalone"]
LONG = "r" * 47 + "-tail"
LONG_NAMES = [
    ("llm-d-infra", {}, f"Gateway/{LONG}-inference"),
    ("inferencepool", REQUIRED["inferencepool"], f"InferencePool/{LONG}"),
    ("inferencepool", REQUIRED["inferencepool"], f"Deployment/{'r' * 40}-epp"),
    ("inferencepool", REQUIRED["inferencepool"], f"Service/{'r' * 40}-epp"),
    ("llm-d-router-standalone", ROUTER, f"Deployment/{'r' * 40}-epp"),
    ("llm-d-modelservice", {}, f"Deployment/{LONG}-ll-decode"),
    ("llm-d-modelservice", {"multinode": "true"}, f"LeaderWorkerSet/{LONG}-ll-prefill"),
]


@pytest.mark.parametrize(("chart", "values", "expected"), LONG_NAMES)
def test_long_release_names_are_cut(chart: str, values: dict[str, str], expected: str) -> None:
    assert expected in render(chart, LONG, *settings(values))


def test_release_named_after_the_chart_is_not_doubled() -> None:
    assert "Deployment/my-llm-d-modelservice-decode" in render("llm-d-modelservice", "my-llm-d-modelservice")


REFUSED = [
    ("llm-d-infra", {"provider.name": "istio"}, "provider"),
    ("llm-d-infra", {"gateway.colour": "red"}, "colour"),
    ("llm-d-infra", {"gateway.gatewayParameters.logLevel": "loud"}, "logLevel"),
    ("llm-d-infra", {"gateway.service.type": "ExternalName"}, "type"),
    ("llm-d-infra", {"gateway.listeners[0].port": "http"}, "port"),
    ("inferencepool", {}, "inferencePool.modelServers.matchLabels is required"),
    ("inferencepool", REQUIRED["inferencepool"] | {"inferenceExtension.latencyPredictor.enabled": "true"}, "published"),
    ("llm-d-router-standalone", {}, "matchLabels is required"),
    ("llm-d-router-standalone", {"router.proxy.proxyType": "agentgateway"} | ROUTER, "inferencePool.create=false"),
    ("llm-d-router-standalone", {"router.proxy.mode": "apart"} | ROUTER, "sidecar or service"),
    ("llm-d-router-standalone", {"router.tokenizer.enabled": "true"} | ROUTER, "published"),
    ("llm-d-modelservice", {"modelName": "m"}, "modelName"),
    ("llm-d-modelservice", {"modelArtifacts.labeles.a": "b"}, "labeles"),
    ("llm-d-modelservice", {"decode.replicas": "two"}, "replicas"),
    ("llm-d-modelservice", {"multinode": "yes"}, "multinode"),
    ("llm-d-modelservice", {"decode.parallelism.pipeline": "2"}, "pipeline"),
    ("llm-d-modelservice", {"routing.port": "8000"}, "port"),
    ("llm-d-modelservice", {"modelArtifacts.uri": "oci://registry/model:1"}, "custom"),
    ("llm-d-modelservice", {"accelerator.dra": "true"}, "published"),
    ("llm-d-modelservice", {"decode.parallelism.dataLocal": "0", "decode.parallelism.workers": "2"}, "multiple"),
]


@pytest.mark.parametrize(("chart", "values", "word"), REFUSED)
def test_refused_values(chart: str, values: dict[str, str], word: str) -> None:
    done = helm("template", "x", str(CHARTS / chart), *KUBE_VERSION, *settings(values))
    assert done.returncode != 0
    assert word in done.stderr


OPEN = [
    ("llm-d-modelservice", {"decode.someday": "x", "routing.proxy.someday": "y", "decode.containers[0].image": "i"}),
    ("inferencepool", REQUIRED["inferencepool"] | {"inferenceExtension.someday": "x", "someday": "y"}),
]


@pytest.mark.parametrize(("chart", "values"), OPEN)
def test_keys_that_the_published_charts_leave_open_pass(chart: str, values: dict[str, str]) -> None:
    custom = {"decode.containers[0].command[0]": "run"} if chart == "llm-d-modelservice" else {}
    assert render(chart, "x", *settings(values | custom))


def test_only_the_pool_has_no_schema() -> None:
    schemas = {path.parent.name for path in CHARTS.glob("*/values.schema.json")}
    assert schemas == {"llm-d-infra", "llm-d-modelservice"}
