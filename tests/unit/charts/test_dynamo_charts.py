# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's Dynamo charts as charts of other versions, and their definitions."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest
import yaml
from test_charts import CHARTS, HELM, HERE, KUBE_VERSION, helm

sys.path.insert(0, str(HERE.parents[1]))
import dynamo_crds

pytestmark = pytest.mark.skipif(not HELM, reason="needs helm on PATH, or its path in HELM")
GRAPHS = "CustomResourceDefinition/dynamographdeployments.nvidia.com"
LATE = "dynamo-platform-1.x"
EARLY = {"dynamographdeployments", "dynamocomponentdeployments"}


def rendered(chart: str, version: str, folder: pathlib.Path) -> dict[str, Any]:
    """The objects of a chart that was packed as another version of itself."""
    done = helm("package", str(CHARTS / chart), "--version", version, "--app-version", version, "-d", str(folder))
    assert done.returncode == 0, done.stderr
    archive = str(folder / f"{chart}-{version}.tgz")
    done = helm("template", "dynamo-platform", archive, "--namespace", "demo", *KUBE_VERSION)
    assert done.returncode == 0, done.stderr
    return {f"{item['kind']}/{item['metadata']['name']}": item for item in yaml.safe_load_all(done.stdout) if item}


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("0.5.1", set()),
        ("0.6.1", {"dynamographdeploymentrequests"}),
        ("0.7.1", {"dynamographdeploymentrequests", "dynamomodels"}),
        (
            "0.9.1",
            {
                "dynamographdeploymentrequests",
                "dynamomodels",
                "dynamoworkermetadatas",
                "dynamographdeploymentscalingadapters",
            },
        ),
    ],
)
def test_definitions_by_version(version: str, more: set[str], tmp_path: pathlib.Path) -> None:
    found = rendered("dynamo-crds", version, tmp_path)
    assert set(found) == {f"CustomResourceDefinition/{name}.nvidia.com" for name in EARLY | more}
    schema = found[GRAPHS]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    service = schema["properties"]["spec"]["properties"]["services"]["additionalProperties"]["properties"]
    late = version >= "0.7"
    assert ("globalDynamoNamespace" in service, "pvc" in service) == (late, not late)


@pytest.mark.parametrize(
    ("version", "present", "absent"),
    [
        ("0.5.0", "--restrictedNamespace=demo", "--discovery-backend=kubernetes"),
        ("0.5.1", "--leader-elect", "--restrictedNamespace=demo"),
        ("0.9.1", "--discovery-backend=kubernetes", "--restrictedNamespace=demo"),
    ],
)
def test_arguments_by_version(version: str, present: str, absent: str, tmp_path: pathlib.Path) -> None:
    found = rendered("dynamo-platform", version, tmp_path)
    manager = found["Deployment/dynamo-platform-dynamo-operator-controller-manager"]["spec"]["template"]["spec"]
    assert present in manager["containers"][1]["args"]
    assert absent not in manager["containers"][1]["args"]
    assert manager["containers"][1]["image"].endswith(f":{version}")


def test_chart_of_1_x_lints_and_carries_the_version_it_stands_in_for() -> None:
    done = helm("lint", "--strict", str(CHARTS / LATE), *KUBE_VERSION)
    assert done.returncode == 0, done.stdout + done.stderr
    about = yaml.safe_load((CHARTS / LATE / "Chart.yaml").read_text())
    assert (about["name"], about["version"]) == ("dynamo-platform", "1.0.1")


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("etcd.enabled=true", "etcd.enabled is no value of this chart any more: set global.etcd.install"),
        ("grove.enabled=false", "grove.enabled is no value of this chart any more: set global.grove.install"),
        ("kai-scheduler.enabled=true", "kai-scheduler.enabled is no value of this chart any more"),
        ("global.grove.install=true", "global.grove: the lab's chart has no stand-in for it"),
        ("dynamo-operator.discoveryBackend=consul", 'discoveryBackend must be kubernetes or etcd, not "consul"'),
    ],
)
def test_chart_of_1_x_refuses(pair: str, message: str) -> None:
    done = helm("template", "dynamo-platform", str(CHARTS / LATE), *KUBE_VERSION, "--set", pair)
    assert done.returncode != 0
    assert message in done.stderr


def test_etcd_and_nats_are_the_same_in_both_charts() -> None:
    for name in ("etcd.tpl", "nats.tpl"):
        early, late = ((CHARTS / chart / "templates" / name).read_text("utf-8") for chart in ("dynamo-platform", LATE))
        assert early.partition("\n")[2] == late.partition("\n")[2]


def test_definitions_are_as_their_tables_say() -> None:
    for path, text in dynamo_crds.files().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run tests/dynamo_crds.py"
