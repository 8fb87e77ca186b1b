# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A planning run opens each values file and each file of a chart once, and says each mistake of a file once."""

from __future__ import annotations

import collections
import os
import pathlib
import sys

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.findings import PlanningFailed
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.planning import run
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.options import STACK_OPTIONS
from ansible_collections.llm_d.orchestrator.plugins.modules.stack_info import DOCUMENTATION
from stack.component_options import component_options

ROOT = pathlib.Path(__file__).resolve().parents[5]
CHARTS = ROOT / "roles/lab/files/charts"


@pytest.fixture
def opened(tmp_path):
    """How often each file of the test's folder and of the charts is read; an audit hook stays for ever."""
    counts: collections.Counter[str] = collections.Counter()

    def watch(event, args):
        if event == "open" and str(args[0]).startswith((str(tmp_path), str(CHARTS))) and not args[2] & os.O_ACCMODE:
            counts[str(args[0])] += 1

    sys.addaudithook(watch)
    return counts


def planned(folder, models, shared):
    def chart(name):
        return {"chart_ref": str(CHARTS / name)}

    given = {
        "namespace": "demo",
        "search_paths": [str(folder)],
        "providers_dir": str(ROOT / "roles/gateway/files/providers"),
        "chart_cache": str(folder / "cache"),
        "kubeconfig": str(folder / "nothing"),
        "models": models,
        "check_values": True,
        "options": component_options(),
        "components": {
            "gateway": {"provider": "istio", "name": "demo", **chart("llm-d-infra")},
            "gaie": {"chart": "inferencepool", "image": "ghcr.io/llm-d/epp:v0.6.0", **chart("inferencepool")},
            "modelservice": {**chart("llm-d-modelservice"), "values_files": [shared]},
        },
    }
    checked = ArgumentSpecValidator(argument_spec(DOCUMENTATION, shared=[STACK_OPTIONS])).validate(given)
    assert not checked.error_messages
    with pytest.raises(PlanningFailed) as failed:  # there is no cluster
        run(checked.validated_parameters)
    return failed.value


def test_each_values_file_is_opened_once_and_its_mistakes_are_said_once(tmp_path, opened):
    (tmp_path / "shared.yaml").write_text("routing:\n  servicePort: 8000\n")
    (tmp_path / "pool.yaml").write_text("inferenceExtension:\n  replicas: 1\n")
    names = ["a", "b"]
    for name in names:
        (tmp_path / f"{name}.yaml").write_text("decode:\n  replicas: 1\n  replicas: 2\n")
    models = [
        {
            "name": name,
            "model": f"org/{name}",
            "values_files": [f"{name}.yaml"],
            "pool": {"values_files": ["pool.yaml"]},
        }
        for name in names
    ]
    failure = planned(tmp_path, models, "shared.yaml")
    own = [finding for finding in failure.result["findings"] if finding["rule"].startswith("yaml-")]
    assert [(finding["file"], finding["line"]) for finding in own] == [(f"{tmp_path}/{name}.yaml", 3) for name in names]
    charts = {path for path in opened if path.startswith(str(CHARTS))}
    assert {opened[path] for path in charts} <= {1}
    values = {pathlib.Path(path).name: opened[path] for path in opened.keys() - charts if path.endswith(".yaml")}
    assert values == {"a.yaml": 1, "b.yaml": 1, "shared.yaml": 1, "pool.yaml": 1}
