# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values files as Helm reads and merges them, with their places, within bounds."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.defaults import coalesce
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import read_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import load_file, load_values
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.reader import load_yaml, to_plain
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.yaml11 import scalar
from charts.factory import chart_files, write_chart

HELM = shutil.which("helm")

SCALARS = {
    "yes": True,
    "n": False,
    "~": None,
    "null": None,
    "0644": 420,
    "0o17": 15,
    "0x1F": 31,
    "0b11": 3,
    "1_000": 1000,
    "-5": -5,
    "1.5": 1.5,
    "1e3": 1000.0,
    ".5": 0.5,
    "10:30": "10:30",
    "2024-01-02": "2024-01-02",
    "v1.3.0": "v1.3.0",
    "1.2.3": "1.2.3",
    "08": 8.0,
    "nvidia.com/gpu": "nvidia.com/gpu",
    "_1": "_1",
    "100Gi": "100Gi",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars_mean_what_they_mean_to_helm(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 40)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 3000))

BAD_FILES = [
    ("tab", b"a: 1\n\tb: 2\n", 2, "yaml-syntax", "no tabs"),
    ("indentation", b"a:\n  b: 1\n c: 2\n", 3, "yaml-syntax", "indentation"),
    ("open-quote", b'a: "x\n', 2, "yaml-syntax", "quotes"),
    ("colon", b"a: b: c\n", 1, "yaml-syntax", "indentation"),
    ("duplicate", b"a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "yaml-duplicate", "line 2"),
    ("documents", b"a: 1\n---\nb: 2\n", 2, "yaml-documents", "only the first"),
    ("list", b"- a\n", 1, "yaml-map", "KEY: VALUE"),
    ("text", b"hello\n", 1, "yaml-map", "KEY: VALUE"),
    ("encoding", b"a: 1\nb: \xff\xfe\n", 2, "yaml-encoding", "UTF-8"),
    ("binary", b"\x7fELF\x00\x00\xff\xfe", 1, "yaml-encoding", "UTF-8"),
    ("nul", b"a: b\x00c\n", 1, "yaml-encoding", "remove"),
    ("jinja", b"a: {{ name }}\n", 1, "yaml-key", "templates are not"),
    ("jinja-block", b"{% if x %}\na: b\n", 1, "yaml-syntax", "templates are not"),
    ("go-template", b"{{- if x }}\na: b\n", 1, "yaml-key", "templates are not"),
    ("tag", b"a: !vault |\n  x\n", 1, "yaml-tag", "Kubernetes Secret"),
    ("infinite", b"a: .inf\n", 1, "yaml-number", "finite"),
    ("unknown-alias", b"a: *b\n", 1, "yaml-alias", "anchor"),
    ("boolean-key", b"a: {y: 1}\n", 1, "yaml-key", "quotes"),
    ("null-key", b"~: 1\n", 1, "yaml-key", ""),
    ("own-alias", b"a: &x\n  b: *x\n", 2, "yaml-alias", "anchor"),
    ("alias-bomb", BOMB.encode(), 6, "yaml-size", "aliases"),
    ("alias-chain", CHAIN.encode(), 99, "yaml-depth", "flatten"),
    ("deep-flow", b"a: " + b"[" * 100_000, 1, "yaml-depth", "flatten"),
    ("deep-block", "".join(" " * level + "a:\n" for level in range(1000)).encode(), 100, "yaml-depth", "flatten"),
    ("huge", b"a: b\n" * 1_000_000, 1, "yaml-size", "split"),
    ("many", "".join(f"k{number}: v\n" for number in range(110_000)).encode()[: 1024 * 1024], 1, None, ""),
]


@pytest.mark.parametrize(
    ("content", "line", "rule", "hint"), [case[1:] for case in BAD_FILES], ids=[c[0] for c in BAD_FILES]
)
def test_bad_files_are_named_with_their_line_and_soon(content, line, rule, hint):
    start = time.process_time()  # what else runs on the machine is not the file's doing
    _node, findings = load_yaml(content, "bad.yaml")
    assert time.process_time() - start < 5
    assert len(findings) == 1
    if rule:
        assert (findings[0].rule, findings[0].mark.line) == (rule, line)
        assert hint in findings[0].hint
        assert findings[0].text().startswith(f"bad.yaml:{line}:")


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"---\n", b"~\n", b"\xef\xbb\xbf{}\n"])
def test_empty_files_are_empty_values(content):
    node, findings = load_yaml(content, "empty.yaml")
    assert (to_plain(node), findings) == ({}, [])


def test_keys_are_text():
    node, findings = load_yaml(b"5: a\n1.5: b\n08: c\n", "x.yaml")
    assert (to_plain(node), findings) == ({"5": "a", "1.5": "b", "8": "c"}, [])


def test_templates_in_values_stay_text():
    node, findings = load_yaml(b"a: \"{{ lookup('pipe', 'id') }}\"\nb: \"{% raw %}\"\n", "x.yaml")
    assert findings == []
    assert to_plain(node) == {"a": "{{ lookup('pipe', 'id') }}", "b": "{% raw %}"}


def test_aliases_and_merge_keys():
    node, findings = load_yaml(b"x: &x {a: 1, b: 2}\nw: {<<: *x, b: 3}\nz: [*x]\n", "x.yaml")
    assert findings == []
    assert to_plain(node) == {"x": {"a": 1, "b": 2}, "w": {"b": 3, "a": 1}, "z": [{"a": 1, "b": 2}]}


@pytest.mark.parametrize("name", ["nothing.yaml", "."])
def test_missing_file_is_a_finding(tmp_path, name):
    node, findings = load_file(str(tmp_path / name))
    assert node is None
    assert [finding.rule for finding in findings] == ["yaml-file"]


def test_later_files_win_and_every_value_keeps_its_place(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("a: {b: 1, c: 2}\nlist: [1, 2]\n")
    second.write_text("\na:\n  c: 3\nlist: [4]\ngone: null\n")
    loaded = load_values([str(first), str(second)], {"a": {"d": 5}}, "values of demo")
    assert loaded.values == {"a": {"b": 1, "c": 3, "d": 5}, "list": [4], "gone": None}
    marks = [loaded.mark(path) for path in [("a", "b"), ("a", "c"), ("list", 0), ("a", "d")]]
    assert [(mark.file, mark.line, mark.column) for mark in marks] == [
        (str(first), 1, 8),
        (str(second), 3, 6),
        (str(second), 4, 8),
        ("values of demo", 0, 0),
    ]


MERGES = [
    ("a: {b: 1, c: null}\nd: [1]\n", {"a": {"b": None, "x": None}, "e": None}),
    ("a: {b: {c: 1}}\n", {"a": None}),
    ("a: {b: {c: 1}}\n", {"a": {"b": None}}),
    ("a: {b: {c: 1}}\n", {"a": {"b": "text"}}),
    ("a: text\n", {"a": {"b": 1}}),
    ("a: null\n", {}),
    ("a: null\n", {"a": {"b": 1}}),
    (
        "global: {x: 1, y: {z: 1}}\nsub: {one: 2, m: {q: 1}}\n",
        {"sub": {"m": None, "two": None}, "global": {"y": {"w": 2}}},
    ),
    ("sub: {flag: null}\n", {"sub": {"m": {"p": None}}}),
    ("sub: {global: {x: 5}}\nglobal: {x: 1}\n", {"sub": {"global": {"y": {"k": 1}}}}),
    ("tags: {back: false}\n", {}),
    ("tags: {back: false}\n", {"off": {"enabled": True}}),
    ("a: 1\n", {"off": {"enabled": False}, "sub": {}}),
]


@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
@pytest.mark.parametrize(("defaults", "values"), MERGES)
def test_coalesced_values_are_helms_own(tmp_path, defaults, values):
    template = "values: {{ .Values | toJson }}\n"
    dependencies = [
        {"name": "sub", "version": "1.0.0"},
        {"name": "off", "version": "1.0.0", "condition": "off.enabled", "tags": ["back"]},
    ]
    path = write_chart(
        tmp_path / "top", chart_files("top", values=defaults, template=template, dependencies=dependencies)
    )
    write_chart(tmp_path / "top/charts/sub", chart_files("sub", values="one: 1\ntwo: 2\nm: {p: 1}\nflag: true\n"))
    write_chart(tmp_path / "top/charts/off", chart_files("off", values="three: 3\n"))
    given = tmp_path / "given.json"
    given.write_text(json.dumps(values))
    command = [HELM, "template", "x", path, "-f", str(given), "--show-only", "templates/all.yaml"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wanted = json.loads(output[output.index("values: ") + len("values: ") :])
    assert coalesce(read_chart(path), values) == wanted
