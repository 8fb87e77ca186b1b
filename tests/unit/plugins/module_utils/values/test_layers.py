# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values files: found, read, merged, located."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import dig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values import layers as values_layers
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer, Loader


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        ({}, {}, {}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": 3}, {"a": 3}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {"b": None}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_merge(base, over, expected):
    assert values_layers.merge(base, over) == expected


def test_merge_leaves_its_inputs_alone():
    base = {"a": {"b": [1]}}
    merged = values_layers.merge(base, {"a": {"c": 1}})
    merged["a"]["b"].append(2)
    assert base == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("values", "base"),
    [({"a": 1, "b": {"c": [1, 2], "d": 3}}, {"b": {"c": [1], "d": 3}}), ({}, {}), ({"a": {"b": 1}}, {"a": {"b": 1}})],
)
def test_remainder_gives_the_values_back(values, base):
    rest = values_layers.remainder(values, base)
    assert values_layers.merge(base, rest) == values


def test_remainder_is_no_more_than_needed():
    assert values_layers.remainder({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {}}) == {"b": {"c": 2}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [(("a", "b"), 1), (("l", 1), "y"), (("l", 5), None), (("a", "x"), None), (("l", "x"), None), ((), None)],
)
def test_dig(path, expected):
    values = {"a": {"b": 1}, "l": ["x", "y"]}
    assert (dig(values, path) if path else None) == expected


@pytest.fixture
def loader(tmp_path):
    (tmp_path / "good.yaml").write_text('a:\n  b: \'{{ lookup("env", "HOME") }}\'\n  c:\n    - x: 1\n    - x: 2\n')
    (tmp_path / "bad.yaml").write_text("a: 1\n b: 2\n")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    return Loader([str(tmp_path)], Findings())


def test_a_file_is_read_as_data_and_its_keys_have_lines(loader, tmp_path):
    layer = loader.file("good.yaml", "m.values_files[0]")
    assert layer.values["a"]["b"] == '{{ lookup("env", "HOME") }}'
    assert layer.locate(("a", "b")) == f"{tmp_path}/good.yaml:2 (a.b)"
    assert layer.locate(("a", "c", 1)) == f"{tmp_path}/good.yaml:5 (a.c[1])"
    assert layer.locate(("a", "z")) is None
    assert not loader.findings


@pytest.mark.parametrize(("name", "part"), [("bad.yaml", "bad.yaml:2: not valid YAML"), ("nope.yaml", "not found"),
                                            ("list.yaml", "list.yaml:1"), (7, "not a file name")])  # fmt: skip
def test_a_file_that_cannot_be_used_is_one_problem(loader, name, part):
    loader.file(name, "m.values_files[0]")
    loader.file(name, "m.values_files[0]")
    assert len(loader.findings.texts) == 1
    assert part in loader.findings.texts[0]


def test_an_empty_file_has_no_values(loader):
    layer = loader.file("empty.yaml", "m")
    assert layer is None or layer.values == {}
    assert not loader.findings


def test_layers_keep_their_order(loader):
    layers = loader.layers({"values_files": ["good.yaml"], "values": {"a": {"b": 2}}}, "m")
    assert [bool(layer.root) for layer in layers] == [True, False]
    assert values_layers.locate(layers, ("a", "b"), "?") == "m.values.a.b"
    assert values_layers.locate(layers, ("z",), "?") == "?"


@pytest.mark.parametrize(
    ("entry", "part"),
    [("text", "is a string"), ({"nmae": "x"}, "Did you mean name?"), ({"name": 3}, "is a number"),
     ({"n": {}}, "unknown key"),
     ({"count": True}, "is a boolean")],
)  # fmt: skip
def test_check_entry_notes(entry, part):
    findings = Findings()
    values_layers.check_entry(entry, {"name": str, "count": int}, "m[0]", findings)
    assert part in findings.texts[0]


def test_check_entry_keeps_what_is_good():
    findings = Findings()
    assert values_layers.check_entry(
        {"name": "x", "count": None, "z": 1}, {"name": str, "count": int}, "m", findings
    ) == {"name": "x"}


def test_a_layer_without_a_file_is_located_by_its_variable():
    assert Layer({"a": {"b.c": 1}}, "m.values").locate(("a", "b.c")) == 'm.values.a["b.c"]'


def test_mistakes_are_findings_with_their_places(tmp_path, loader):
    layer = loader.file("good.yaml", "llm_d_models[0].values_files[0]")
    findings = Findings()
    findings.add(layer.locate(("a", "c", 1, "x")), "is wrong", "another", rule="input-type")
    findings.add(Layer({"a": {"b": 1}}, "llm_d_models[0].values").locate(("a", "b")), "is wrong too")
    findings.add("gateway_name", "is a number", rule="input-type")
    findings.add("gateway_name", "is a number", rule="input-type")
    found = [(finding.mark.file, finding.mark.line, finding.path, finding.rule) for finding in findings]
    assert found == [
        (str(tmp_path / "good.yaml"), 5, "a.c[1].x", "input-type"),
        ("llm_d_models[0].values", 0, "a.b", "input"),
        ("gateway_name", 0, "", "input-type"),
    ]
    assert next(iter(findings)).mark.column == 7
    assert findings.texts[0] == f"{tmp_path}/good.yaml:5 (a.c[1].x): is wrong -> another"
    assert findings.has("gateway_name")
    assert not findings.has("gateway_class_name")


def test_a_files_own_mistakes_keep_rule_and_column(tmp_path, loader):
    assert loader.file("bad.yaml", "x") is None
    (finding,) = loader.findings
    assert (finding.rule, finding.mark.line, finding.mark.column) == ("yaml-syntax", 2, 3)


def test_an_entry_that_is_nothing_is_said_to_be_empty():
    findings = Findings()
    values_layers.check_entry(None, {"name": str}, "llm_d_models[0]", findings)
    assert findings.texts == ["llm_d_models[0]: is empty -> use a map with the keys name"]
