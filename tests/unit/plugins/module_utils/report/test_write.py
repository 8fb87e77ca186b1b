# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Findings as SARIF, JUnit and JSON, parsed back."""

from __future__ import annotations

import ast
import json
import os
import pathlib
import re
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding, Mark
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.write import (
    VERSION,
    report_problem,
    write_report,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules import texts as rules_texts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import RULES

ROOT = pathlib.Path(__file__).resolve().parents[5]
ODD = "a \x00 \x1b[31m <b> & \ud800 {{ 7 * 7 }} ü"


@pytest.fixture
def found(tmp_path):
    inside = str(tmp_path / "ms" / "q wen#1.yaml")
    return [
        Finding(Mark(inside, 12, 3), "routing.servicePrt", "unknown key", "did you mean it?", "unknown-key"),
        Finding(Mark(inside, 14, 1), "other", "unknown key", "", "unknown-key", source="the schema"),
        Finding(Mark("/elsewhere/b.yaml", 2, 1), "", ODD, "", "yaml-syntax"),
        Finding(Mark("llm_d_models[0].values"), "decode", "is a string", "a map", "input-type"),
        Finding(Mark("values of ms"), "x", "like y", "", "ignored-key", "warning"),
        Finding(Mark(inside), "", "no schema", "", "no-schema", "note"),
        Finding(Mark("Pod a/b"), "spec", "token hf_abcdefgh12345678", "", RULES[0].id, objects=("Pod a/b",)),
        Finding(Mark("cluster"), "", "new", "", "rule-of-tomorrow"),
    ]


def written(folder, name, findings):
    path = folder / name
    write_report(str(path), findings, "0.1.0", base=str(folder))
    assert path.stat().st_mode & 0o777 == 0o644
    assert [item for item in os.listdir(folder) if item.startswith(".findings")] == []
    return path.read_bytes()


def test_sarif_names_each_finding_with_its_place_and_rule(tmp_path, found):
    report = json.loads(written(tmp_path, "r.sarif", found))
    assert report["version"] == "2.1.0"
    (run,) = report["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [result["ruleId"] for result in run["results"]] == [finding.rule for finding in found]
    for result, finding in zip(run["results"], found, strict=True):
        assert rules[result["ruleIndex"]]["id"] == finding.rule
        assert result["level"] == finding.severity
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert (region["startLine"], region["startColumn"]) == (finding.mark.line or 1, finding.mark.column or 1)
    assert all(rule["helpUri"].startswith("https://") and rule["help"]["text"] for rule in rules)
    assert len({rule["id"] for rule in rules}) == len(rules)


def test_sarif_uris_are_relative_below_the_folder_and_quoted(tmp_path, found):
    report = json.loads(written(tmp_path, "r.sarif", found))
    artifacts = [item["locations"][0]["physicalLocation"]["artifactLocation"] for item in report["runs"][0]["results"]]
    assert artifacts[0] == {"uri": "ms/q%20wen%231.yaml", "uriBaseId": "SRCROOT"}
    assert artifacts[2] == {"uri": "file:///elsewhere/b.yaml"}
    assert all(re.fullmatch(r"[A-Za-z0-9:/%._~-]+", artifact["uri"]) for artifact in artifacts)
    root = urlparse(report["runs"][0]["originalUriBaseIds"]["SRCROOT"]["uri"]).path
    assert os.path.join(unquote(root), unquote(artifacts[0]["uri"])) == found[0].mark.file


def test_sarif_names_the_variable_of_a_finding_without_a_file(tmp_path, found):
    results = json.loads(written(tmp_path, "r.sarif", found))["runs"][0]["results"]
    assert results[3]["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "llm_d_models[0].values.decode"}]


def test_junit_has_a_case_for_each_file_and_rule(tmp_path, found):
    root = ElementTree.fromstring(written(tmp_path, "r.xml", found))
    (suite,) = root
    cases = {(case.get("classname"), case.get("name").split(":")[0]): case for case in suite}
    assert (suite.get("tests"), suite.get("failures")) == (str(len(suite)), "5") == ("7", "5")
    failure = cases["ms/q wen#1.yaml", "unknown-key"].find("failure")
    assert failure.text.count("unknown key") == 2
    assert "q wen#1.yaml:12:3: routing.servicePrt" in failure.text
    assert cases["values of ms", "ignored-key"].find("failure") is None
    assert "warning: " in cases["values of ms", "ignored-key"].find("system-out").text


def test_json_holds_what_the_module_returns(tmp_path, found):
    report = json.loads(written(tmp_path, "r.json", found))
    assert report["summary"] == {"error": 6, "warning": 1, "note": 1}
    assert report["findings"][0] == found[0].as_dict()
    assert report["findings"][6]["objects"] == ["Pod a/b"]


@pytest.mark.parametrize("name", ["r.sarif", "r.xml", "r.json"])
def test_no_report_holds_what_looks_like_a_token(tmp_path, found, name):
    content = written(tmp_path, name, found)
    assert b"hf_abcdefgh" not in content
    assert b"(masked)" in content
    assert b"{{ 7 * 7 }}" in content


@pytest.mark.parametrize("name", ["r.sarif", "r.xml", "r.json"])
def test_without_findings_a_report_is_whole(tmp_path, name):
    content = written(tmp_path, name, [])
    if name.endswith(".xml"):
        assert [case.get("name") for case in ElementTree.fromstring(content).iter("testcase")] == ["no findings"]
    else:
        json.loads(content)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("r.txt", "must end in one of"),
        ("r", "must end in one of"),
        ("no/r.sarif", "folder not found"),
        ("d.xml", "folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_error(tmp_path, name, wanted):
    (tmp_path / "d.xml").mkdir()
    path = str(tmp_path / name)
    assert wanted in report_problem(path)
    with pytest.raises(OrchestratorError, match=wanted):
        write_report(path, [], "0.1.0")


def test_a_report_is_replaced_whole(tmp_path):
    written(tmp_path, "r.json", [Finding(Mark("a"), "", "x" * 10_000, "", "input")])
    assert json.loads(written(tmp_path, "r.json", []))["findings"] == []


def test_every_rule_of_the_stack_has_its_place_in_the_docs():
    page = (ROOT / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.*)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    linked = {rules_texts.rule_text(rule.id).page.partition("#")[2] for rule in RULES}
    assert linked <= anchors


def test_the_version_is_the_collections():
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"] == VERSION


# By function which of its arguments is the rule's id.
PLACES = {"Finding": 4, "Refused": 3, "report": 3, "add": 3, "finding_at": 3, "Violation": 1, "note": 1}


def rule_ids():
    """Every rule id that the sources give to a finding: {id: file:line}."""
    found = {}
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for call in (
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        ):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            place = {"Finding": 4, "Refused": 3, "report": 3, "add": 3, "finding_at": 3, "Violation": 1, "note": 1}.get(
                name
            )
            given = [keyword.value for keyword in call.keywords if keyword.arg == "rule"]
            given += call.args[place : place + 1] if place else []
            texts = [item.value for item in given if isinstance(item, ast.Constant) and isinstance(item.value, str)]
            found |= {text: f"{path.name}:{call.lineno}" for text in texts if re.fullmatch("[a-z]+(-[a-z]+)*", text)}
    return found


def test_every_rule_id_has_a_text_and_a_row_in_the_docs():
    page = (ROOT / "docs" / "reference" / "values.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"`([a-z-]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    ids = rule_ids()
    assert len(ids) > 40
    known = {**rules_texts.VALUES, **rules_texts.VARIABLES}
    assert {rule: place for rule, place in ids.items() if rule not in known} == {}
    assert set(known) - rows == set()
