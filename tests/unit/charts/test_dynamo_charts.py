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


def test_definitions_are_as_their_tables_say() -> None:
    for path, text in dynamo_crds.files().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run tests/dynamo_crds.py"
