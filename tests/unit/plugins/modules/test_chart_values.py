# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The module's result for several charts at once."""

from __future__ import annotations

import json
import pathlib
import sys

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.modules import chart_values

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures" / "values"
sys.path.insert(0, str(HERE.parent / "module_utils"))

from charts.factory import model_chart, pool_chart, write_chart  # noqa: E402


def params(*charts, **others):
    """Return the module's parameters, defaults included."""
    spec = argument_spec(chart_values.DOCUMENTATION)
    entry = {name: option.get("default") for name, option in spec["charts"]["options"].items()}
    top = {name: option.get("default") for name, option in spec.items()}
    return {**top, "charts": [{**entry, **chart} for chart in charts], **others}


@pytest.fixture
def model(tmp_path):
    return write_chart(tmp_path / "model", model_chart())


@pytest.fixture
def pool(tmp_path):
    return write_chart(tmp_path / "pool", pool_chart())


def test_good_values_of_two_charts_pass(model, pool):
    result = chart_values.run(
        params(
            {"name": "ms", "chart_ref": model, "values_files": [str(FIXTURES / "model_good.yaml")]},
            {"name": "gaie", "chart_ref": pool, "values_files": [str(FIXTURES / "pool_good.yaml")]},
        )
    )
    assert "msg" not in result
    assert (result["changed"], result["warnings"]) == (False, [])
    assert [(row["name"], row["version"], row["has_schema"]) for row in result["charts"]] == [
        ("ms", "v0.4.5", True),
        ("gaie", "v1.3.0", False),
    ]
    assert [finding["rule"] for finding in result["findings"]] == ["no-schema"]


def test_all_errors_of_all_charts_come_at_once(model, pool, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: 1\n\tb: 2\n")
    result = chart_values.run(
        params(
            {"name": "ms", "chart_ref": model, "values_files": [str(FIXTURES / "model_bad.yaml"), str(broken)]},
            {"name": "gaie", "chart_ref": pool, "values_files": [str(FIXTURES / "pool_bad.yaml")]},
            {"name": "infra", "chart_ref": "/no/chart", "values_files": ["/no/values.yaml"]},
        )
    )
    errors = [finding for finding in result["findings"] if finding["severity"] == "error"]
    assert result["msg"].startswith(f"The values hold {len(errors)} mistakes; nothing was changed.\n  - ")
    for part in (
        "model_bad.yaml:4:3: model.nam",
        "broken.yaml:2:1",
        "pool_bad.yaml:8:1",
        "/no/chart",
        "/no/values.yaml",
    ):
        assert part in result["msg"]
    assert len(result["msg"].splitlines()) == len(errors) + 1


def test_a_mistake_of_a_shared_file_is_told_once(model, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [\n")
    entry = {"chart_ref": model, "values_files": [str(broken)], "values": {"model": {"name": "x"}}}
    result = chart_values.run(params({**entry, "name": "one"}, {**entry, "name": "two"}))
    assert len(result["findings"]) == 1
    assert result["msg"].startswith("The values hold 1 mistake;")


def test_strict_turns_warnings_into_errors(model):
    entry = {"name": "ms", "chart_ref": model, "values": {"decode": {"replcas": 2}}}
    relaxed, strict = chart_values.run(params(entry)), chart_values.run(params(entry, strict=True))
    assert "msg" not in relaxed
    assert relaxed["warnings"] == [
        "values of ms: decode.replcas: the chart does not seem to read this key; did you mean decode.replicas? "
        "(chart llm-d-modelservice v0.4.5's values.yaml and templates)"
    ]
    assert "decode.replcas" in strict["msg"]


def test_documentation_agrees_with_the_options():
    documented = yaml.safe_load(chart_values.DOCUMENTATION)["options"]
    spec = argument_spec(chart_values.DOCUMENTATION)
    assert documented.keys() == spec.keys()
    assert documented["charts"]["suboptions"].keys() == spec["charts"]["options"].keys()
    for name, option in spec["charts"]["options"].items():
        assert documented["charts"]["suboptions"][name].get("default") == option.get("default")
    assert yaml.safe_load(chart_values.EXAMPLES)
    returned = yaml.safe_load(chart_values.RETURN)
    assert returned["findings"]["sample"][0].keys() == returned["findings"]["contains"].keys()


def test_a_findings_file_is_written_of_a_failure_too(model, tmp_path):
    report = tmp_path / "found.json"
    entry = {"name": "ms", "chart_ref": model, "values_files": [str(FIXTURES / "model_bad.yaml")]}
    result = chart_values.run(params(entry, findings_file=str(report)))
    assert "msg" in result
    assert json.loads(report.read_text(encoding="utf-8"))["findings"] == result["findings"]


def test_a_findings_file_that_cannot_be_written_fails_before_anything_is_read(tmp_path):
    with pytest.raises(OrchestratorError, match="findings_file: .*folder not found"):
        chart_values.run(params({"chart_ref": "/no/chart"}, findings_file=str(tmp_path / "no" / "x.sarif")))
