# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is said about values that a chart's schema, its subcharts' or known facts refuse."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import read_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas.check import ValuesCheck, check_values
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas.check_all import check_charts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import load_values
from charts.factory import MODEL_SCHEMA, chart_files, model_chart, pool_chart, write_chart

LAB_POOL = str(pathlib.Path(__file__).resolve().parents[5] / "roles" / "lab" / "files" / "charts" / "inferencepool")
FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "values"
HELM = shutil.which("helm")


def check(folder, files, values, *, strict=False, names=()):
    """Return the findings for values given inline, or in fixture files."""
    chart = read_chart(write_chart(folder / "chart", files))
    return check_values(chart, load_values([str(FIXTURES / name) for name in names], values, "inline"), strict=strict)


def brief(findings, severity="error"):
    """Return {path: hint} of the findings of a severity."""
    return {finding.path: finding.hint for finding in findings if finding.severity == severity}


def test_every_mistake_of_a_file_is_named_with_line_and_remedy(tmp_path):
    findings = check(tmp_path, model_chart(), None, names=["model_bad.yaml"])
    assert [(finding.mark.line, finding.path, finding.rule) for finding in findings] == [
        (2, "modelArtifact", "unknown-key"),
        (4, "model.nam", "unknown-key"),
        (5, "model.labels.app", "wrong-type"),
        (6, "tensor", "unknown-key"),
        (8, "routing.encoder", "not-a-choice"),
        (9, "routing.targetPort", "wrong-type"),
        (11, "decode.create", "wrong-type"),
        (12, "decode.replicas", "wrong-type"),
        (13, "decode.ports", "wrong-type"),
        (14, "gateway", "unknown-key"),
    ]
    hints = brief(findings)
    assert hints["model.nam"] == "did you mean model.name?"
    assert hints["tensor"] == "did you mean decode.parallelism.tensor (the same key, at another level)?"
    assert hints["routing.encoder"] == 'did you mean "json"?'
    assert hints["routing.targetPort"] == "write it without quotes"
    assert hints["model.labels.app"] == 'put it in quotes: "5"'
    assert hints["decode.create"] == "write true without quotes"
    assert hints["decode.ports"].startswith("write a list")
    assert "llm-d-infra" in hints["gateway"]
    text = findings[-1].text()
    assert text.startswith(str(FIXTURES / "model_bad.yaml") + ":14:1: gateway: unknown key; ")
    assert text.endswith("(chart llm-d-modelservice v0.4.5's schema says no such key)")


@pytest.mark.parametrize(("chart", "name"), [(model_chart, "model_good.yaml"), (pool_chart, "pool_good.yaml")])
@pytest.mark.parametrize("strict", [False, True])
def test_good_values_give_at_most_notes(tmp_path, chart, name, strict):
    findings = check(tmp_path, chart(), None, names=[name], strict=strict)
    assert {finding.rule for finding in findings} <= {"no-schema"}


VALUES = [
    ({"model": {"name": None}}, {"model.name": "give it a value"}),
    ({"model": {"name": 5}}, {"model.name": 'put it in quotes: "5"'}),
    ({"model": {"size": True}}, {"model.size": 'put it in quotes: "true"'}),
    ({"model": {"size": []}}, {"model.size": "write a string or an integer"}),
    ({"routing": {"targetPort": 70000}}, {"routing.targetPort": ""}),
    (
        {"decode": {"parallelism": {"tensr": 2}}},
        {"decode.parallelism.tensr": "did you mean decode.parallelism.tensor?"},
    ),
    ({"decode": {"replicas": None}}, {}),
    ({"decode": "none"}, {"decode": "write a map: KEY: VALUE lines, indented below the key"}),
    ({"decode": {"hostNetwork": True}}, {}),
    ({"model": {"labels": {"llm-d.ai/model": "x", "inferenceServing": "y"}}}, {}),
    ({"xyzzy": 1}, {"xyzzy": "remove it; known here: decode, global, model, prefill, routing"}),
]


@pytest.mark.parametrize(("values", "wanted"), VALUES)
def test_inline_values(tmp_path, values, wanted):
    assert brief(check(tmp_path, model_chart(), values)) == wanted


@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
@pytest.mark.parametrize("values", [case[0] for case in VALUES])
def test_helm_agrees_which_values_are_refused(tmp_path, values):
    errors = brief(check(tmp_path, model_chart(), values))
    given = tmp_path / "given.json"
    given.write_text(json.dumps(values))
    command = [HELM, "template", "x", str(tmp_path / "chart"), "-f", str(given)]
    assert (subprocess.run(command, capture_output=True, check=False).returncode != 0) == bool(errors)


def test_likely_misspellings_are_warnings_and_errors_when_strict(tmp_path):
    values = {"decode": {"replcas": 2}}
    assert brief(check(tmp_path, model_chart(), values), "warning") == {
        "decode.replcas": "did you mean decode.replicas?"
    }
    assert brief(check(tmp_path, model_chart(), values, strict=True)) == {
        "decode.replcas": "did you mean decode.replicas?"
    }


def test_a_key_that_the_chart_at_hand_reads_is_no_mistake(tmp_path):
    values = {"inferenceExtension": {"resources": {"requests": {"cpu": "1"}}}}
    older = check(tmp_path / "older", pool_chart(), values)
    assert "inferenceExtension.resources" in [item.path for item in older if item.rule == "chart-ignores-key"]
    newer = pool_chart() | {"templates/more.yaml": "a: {{ toYaml .Values.inferenceExtension.resources }}"}
    assert [item for item in check(tmp_path / "newer", newer, values) if "resources" in item.path] == []


def test_a_chart_of_another_kind_is_named_as_what_it_is(tmp_path):
    files = chart_files("llm-d-router-standalone", "v0.10.0", values="router: {}\n", template="a: b\n")
    entry = {"name": "a", "chart_ref": write_chart(tmp_path / "chart", files), "chart": "llm-d-router-gateway"}
    found = check_charts([{**entry, "chart_variable": "gaie_chart"}], cache_dir=str(tmp_path / "cache"))
    assert [(one.rule, one.where) for one in found.findings] == [("other-chart", "gaie_chart_ref")]
    assert "a proxy of its own" in found.findings[0].message


def test_facts_about_a_chart_without_schema(tmp_path):
    findings = check(tmp_path, pool_chart(), None, names=["pool_bad.yaml"])
    assert {(finding.mark.line, finding.path, finding.rule) for finding in findings if finding.severity == "error"} == {
        (2, "inferencePool.modelServers.matchLabels", "pool-selector"),
        (7, "matchLabels", "unread-key"),
        (4, "inferenceExtension.resources", "chart-ignores-key"),
        (5, "inferenceExtension.service", "chart-ignores-key"),
        (8, "routing", "chart-ignores-key"),
        (9, "gateway", "chart-ignores-key"),
    }
    assert all(finding.source for finding in findings)
    hints = brief(findings)
    # One replica is the chart's default: the misspelt key changes nothing.
    assert brief(findings, "warning")["inferenceExtension.replica"] == "did you mean inferenceExtension.replicas?"
    assert hints["matchLabels"] == (
        "did you mean inferencePool.modelServers.matchLabels (the same key, at another level)?"
    )
    # An image that may become another one serves for the time being.
    assert [(one.path, one.severity) for one in findings if one.rule == "image-tag"] == [
        ("inferenceExtension.image.tag", "warning")
    ]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ({"tag": "v1"}, ""),
        ({"hub": "mirror.example"}, ""),
        ({"name": "epp"}, "belongs to its own image"),
        ({"name": "epp", "tag": "v1"}, ""),
        ({"tag": "latest"}, "latest can change"),
        ({"tag": ""}, "is missing"),
        ({"tag": None}, "is missing"),
        ({"tag": 1.1}, "is a number"),
    ],
)
def test_image_tags(tmp_path, image, message):
    values = {"inferenceExtension": {"image": image}, "inferencePool": {"modelServers": {"matchLabels": {"a": "b"}}}}
    found = [finding for finding in check(tmp_path, pool_chart(), values) if finding.rule == "image-tag"]
    assert [message in finding.message for finding in found] == ([True] if message else [])


def test_what_may_stand_in_an_unreadable_file_is_not_missed(tmp_path):
    findings = check(tmp_path, pool_chart(), {"inferencePool": {"modelServers": None}}, names=["nothing.yaml"])
    assert [finding.rule for finding in findings if finding.severity == "error"] == ["yaml-file"]


def test_secrets_are_not_shown(tmp_path):
    schema = {"properties": {"token": {"type": "object"}, "apiKey": {"enum": ["a"]}, "authSecretName": {"enum": ["a"]}}}
    values = {"token": "hunter2", "apiKey": "hunter2", "authSecretName": "shown"}
    findings = check(tmp_path, chart_files("demo", schema=schema), values)
    text = "\n".join(finding.text() for finding in findings)
    assert len(findings) == 3
    assert "hunter2" not in text
    assert "shown" in text


DRAFTS = [
    ("http://json-schema.org/draft-04/schema#", {"exclusiveMinimum": True, "minimum": 5}, 5),
    ("http://json-schema.org/draft-06/schema#", {"exclusiveMinimum": 5}, 5),
    ("http://json-schema.org/draft-07/schema#", {"if": {"minimum": 5}, "then": {"const": 6}}, 5),
    ("https://json-schema.org/draft/2019-09/schema", {"exclusiveMinimum": 5}, 5),
    ("https://json-schema.org/draft/2020-12/schema", {"$ref": "#/$defs/x", "$defs": {"x": {"maximum": 4}}}, 5),
    (None, {"multipleOf": 2}, 5),
]


@pytest.mark.parametrize(("draft", "rule", "value"), DRAFTS)
def test_drafts_that_helm_accepts(tmp_path, draft, rule, value):
    schema = {"properties": {"a": rule if "$defs" not in rule else {"$ref": "#/$defs/x"}}}
    schema.update({"$defs": rule["$defs"]} if "$defs" in rule else {}, **({"$schema": draft} if draft else {}))
    files = chart_files("demo", schema=schema)
    assert list(brief(check(tmp_path, files, {"a": value}))) == ["a"]
    assert brief(check(tmp_path, files, {"b": value})) == {}


def test_remote_references_are_noted_and_never_fetched(tmp_path):
    remote = "https://127.0.0.1:1/definitions.json#/definitions/Pod"
    schema = {
        "$schema": MODEL_SCHEMA["$schema"],
        "properties": {"pod": {"$ref": remote}, "port": {"$ref": "#/definitions/port"}},
        "definitions": {"port": {"type": "integer"}},
    }
    findings = check(tmp_path, chart_files("demo", schema=schema), {"pod": 5, "port": "x"})
    assert [(finding.rule, finding.severity) for finding in findings] == [
        ("remote-ref", "note"),
        ("wrong-type", "error"),
    ]
    assert remote in findings[0].message


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        "[]",
        json.dumps({"type": "strin"}),
        json.dumps({"properties": {"a": {"$ref": "#/definitions/none"}}}),
        json.dumps({"properties": 5}),
        json.dumps({"properties": {"a": {"pattern": "["}}}),
        json.dumps({"$ref": "#"}),
    ],
)
def test_a_broken_schema_is_said_to_be_broken(tmp_path, schema):
    findings = check(tmp_path, chart_files("demo", schema=schema), {"a": "x"})
    assert [finding.rule for finding in findings] == ["broken-schema"]


def test_subcharts_are_checked_by_their_own_schemas(tmp_path):
    schema = {"additionalProperties": False, "properties": {"global": {}, "port": {"type": "integer"}}}
    files = chart_files(
        "top", dependencies=[{"name": "sub", "version": "1.0.0", "condition": "sub.enabled", "alias": "web"}]
    )
    files.update({f"charts/sub/{name}": text for name, text in chart_files("sub", schema=schema).items()})
    assert brief(check(tmp_path, files, {"web": {"prt": 1, "port": 2}})) == {"web.prt": "did you mean web.port?"}
    assert brief(check(tmp_path, files, {"sub": {"prt": 1}})) == {}
    assert list(brief(check(tmp_path, files, {"web": "x"}))) == ["web"]


def test_a_large_schema_costs_little(tmp_path):
    schema = json.loads(json.dumps(MODEL_SCHEMA))
    container = {"type": "object", "properties": {f"key{number}": {"type": "string"} for number in range(3000)}}
    schema["properties"]["decode"] = {
        "type": "object",
        "properties": {"containers": {"type": "array", "items": container}},
    }
    files = chart_files("llm-d-modelservice", "v0.4.5", schema=schema)
    start = time.monotonic()
    findings = check(tmp_path, files, {"decode": {"containers": [{"key7": 5}] * 10}, "decod": 1})
    assert time.monotonic() - start < 1
    assert len(findings) == 11


UNREAD = [
    ({"inferenceExtension": {"replcas": 2}}, {"inferenceExtension.replcas": "inferenceExtension.replicas?"}),
    ({"matchLabels": {"a": "c"}}, {"matchLabels": "inferencePool.modelServers.matchLabels (the same key, at another"}),
    ({"inferenceExtension": {"resources": {}}}, {"inferenceExtension.resources": "remove it"}),
    ({"routing": {}}, {"routing": "llm-d-modelservice"}),
    ({"decode": {}}, {"decode": "llm-d-modelservice"}),
    ({"global": {"x": 1}, "x-anchors": {"y": 2}}, {}),
    ({"inferencePool": {"modelServers": {"matchLabels": {"any.example/key": "b"}}}}, {}),
]


@pytest.mark.parametrize(("values", "wanted"), UNREAD)
def test_a_key_that_a_chart_without_schema_never_reads_is_one_error(tmp_path, values, wanted):
    given = {"inferencePool": {"modelServers": {"matchLabels": {"a": "b"}}}, **values}
    findings = check_values(read_chart(LAB_POOL), load_values([], given, "inline"))
    found = [finding for finding in findings if finding.severity != "note" and finding.rule != "image-tag"]
    assert [finding.path for finding in found] == list(wanted)
    assert all(wanted[finding.path] in finding.hint for finding in found)
    assert all(finding.severity == "error" and "inferencepool" in finding.source for finding in found)


def test_unread_keys_are_warnings_on_request_but_refused_ones_stay_errors():
    values = {"inferenceExtension": {"replcas": 2, "resources": {}}, "provider": {"name": "istoi"}}
    values["inferencePool"] = {"modelServers": {"matchLabels": {"a": "b"}}}
    findings = check_values(read_chart(LAB_POOL), load_values([], values, "inline"), unknown_keys="warning")
    found = {finding.path: finding.severity for finding in findings if finding.rule not in ("no-schema", "image-tag")}
    assert found == {
        "inferenceExtension.replcas": "warning",
        "inferenceExtension.resources": "error",
        "provider.name": "error",
    }


def test_a_key_in_a_template_of_the_values_counts_as_read(tmp_path):
    text = "x: {{ tpl .Values.text . }}"
    chart = read_chart(write_chart(tmp_path / "c", chart_files("demo", values="text: a\n", template=text)))
    values = {"text": "{{ .Values.mine }}", "mine": 1}
    assert brief(check_values(chart, load_values([], values, "inline"))) == {}
    assert list(brief(check_values(chart, load_values([], {"mine": 1}, "inline")), "warning")) == ["mine"]


@pytest.mark.parametrize(
    ("values", "severity", "hint"),
    [
        ({"web": {"ports": 9090}}, "error", "did you mean web.port?"),
        ({"web": {"ports": 80}}, "warning", "did you mean web.port?"),
        ({"web": {"enabled": False}}, "error", "did you mean web.create?"),
        ({"source": {"uri": "hf://a/b"}}, "error", "read is artifacts.uri, not source.uri"),
        ({"legacy": {"label": "x"}}, "warning", "remove it"),
    ],
)
def test_a_dead_key_is_a_mistake_where_another_one_was_meant(tmp_path, values, severity, hint):
    text = "x: {{ .Values.web.port }}{{ .Values.web.create }}{{ .Values.artifacts.uri }}{{ .Values.artifacts.name }}"
    defaults = "web: {port: 80, create: true}\nartifacts: {uri: '', name: ''}\n"
    chart = read_chart(write_chart(tmp_path / "c", chart_files("demo", values=defaults, template=text)))
    found = [item for item in check_values(chart, load_values([], values, "inline")) if item.rule == "unread-key"]
    assert [(item.severity, item.hint.startswith(hint)) for item in found] == [(severity, True)]


def test_a_key_that_a_fact_forbids_names_its_successor():
    schema = {"properties": {}, "additionalProperties": False}
    schema["x-forbidden"] = {"old": {"message": "the chart rejects it: use new", "source": "a page"}}
    loaded = load_values([], {"old": 1}, "inline")
    chart = read_chart(LAB_POOL)
    found = ValuesCheck(chart, loaded).inferred(schema, {"old": 1})
    assert ("refused-key", "the chart rejects it: use new") in [(item.rule, item.message) for item in found]


@pytest.mark.parametrize(
    ("schema", "values", "expected"),
    [
        ({"properties": {"a": {"pattern": r"^\p{L}+$"}}}, {"a": "1"}, []),
        ({"properties": {"a": {"pattern": "[[:alpha:]]"}}}, {"a": "1"}, []),
        ({"patternProperties": {r"^\p{L}$": {}}, "additionalProperties": False}, {"b": 1}, []),
        ({"properties": {"a": {"const": {"pattern": r"\p{L}"}}}}, {"a": {"pattern": r"\p{L}"}}, []),
        ({"properties": {"a": {"pattern": "^b"}}}, {"a": "1"}, [("schema", "error")]),
        ({"properties": {"a": {"$dynamicRef": "http://127.0.0.1:1/x"}}}, {"a": "1"}, [("remote-ref", "note")]),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}, {"a": "1"}, [("remote-ref", "note")]),
        ({"properties": {"a": {"$ref": "defs.json"}}}, {"a": "1"}, [("remote-ref", "warning")]),
    ],
)
def test_patterns_of_go_and_references_elsewhere_are_left_alone(tmp_path, schema, values, expected):
    findings = check(tmp_path, chart_files("demo", schema=json.dumps(schema)), values)
    assert [(finding.rule, finding.severity) for finding in findings if finding.rule != "unread-key"] == expected


def test_a_key_that_only_a_helper_reads_is_not_taken_for_another_one(tmp_path):
    define = '{{- define "part" -}}{{ .env }}{{- end -}}'
    page = define + '{{ include "part" .Values.server }}{{ .Values.controller.env }}'
    files = chart_files("chart", values="server: {size: 1}\ncontroller: {env: []}\n", template=page)
    assert "ignored-key" not in [finding.rule for finding in check(tmp_path, files, {"server": {"env": "x"}})]
    assert brief(check(tmp_path, files, {"server": {"evn": "x"}}))["server.evn"] == "did you mean server.env?"


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"web": {"shm": "8G"}}, ["web.shm"]),
        ({"web": {"shm": "1G"}}, []),
        ({"web": {"port": 81}}, []),
        ({"spare": {"size": "1Gi"}}, ["spare"]),
        ({"global": {"storageClass": "fast"}}, ["global.storageClass"]),
        ({"global": {"other": "of another chart"}}, []),
    ],
)
def test_a_key_of_values_yaml_that_no_template_reads_is_named_where_it_is_changed(tmp_path, values, paths):
    text = "x: {{ .Values.web.port }}{{ .Values.global.registry }}"
    defaults = "web: {port: 80, shm: 1G}\nspare: {size: ''}\nglobal: {registry: '', storageClass: ''}\n"
    chart = read_chart(write_chart(tmp_path / "c", chart_files("demo", values=defaults, template=text)))
    found = [item for item in check_values(chart, load_values([], values, "inline")) if item.rule == "unread-key"]
    assert [item.path for item in found] == paths
    assert {item.severity for item in found} <= {"warning"}
