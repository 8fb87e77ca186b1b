# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import ChartFiles
from ansible_collections.llm_d.orchestrator.plugins.module_utils.templates.syntax import TemplateError, parse
from ansible_collections.llm_d.orchestrator.plugins.module_utils.templates.walk import read_templates, user_paths


def chart(templates: dict[str, str], values: str = "", **more: object) -> ChartFiles:
    metadata = {"name": "small", "version": "1.0.0", **more.pop("metadata", {})}
    files = {f"templates/{name}": text for name, text in templates.items()}
    subcharts = more.pop("subcharts", ())
    return ChartFiles(metadata["name"], "1.0.0", "", metadata, values, None, files, subcharts, **more)


def uses(templates: dict[str, str] | str, **more: object) -> dict[str, set[str]]:
    """Return {path in dots: kinds of use}."""
    files = templates if isinstance(templates, dict) else {"a.yaml": templates}
    return {".".join(path): set(node.uses) for path, node in read_templates(chart(files, **more)).root.below()}


# id, template, what it reads: {path: kinds of use that must be among those found}
READS = [
    ("plain", "{{ .Values.a.b }}", {"a": {"field"}, "a.b": {"text"}}),
    ("pipe", '{{ .Values.a | default "x" | quote }}', {"a": {"default", "text"}}),
    ("trimmed", "{{- .Values.a -}}", {"a": {"text"}}),
    ("comment", "{{/* .Values.no {{ */}}{{- /* .Values.no */ -}}{{ .Values.a }}", {"a": {"text"}}),
    ("braces in text", '{{ print "}}" .Values.a }}{{ `}} "` }}', {"a": {"text"}}),
    (
        "if",
        "{{ if and .Values.a (not .Values.b) }}{{ else if .Values.c }}{{ end }}",
        {"a": set(), "b": set(), "c": set()},
    ),
    (
        "with",
        "{{ with .Values.a }}{{ .b }}{{ $.Values.c }}{{ else }}{{ .Values.d }}{{ end }}",
        {"a.b": {"text"}, "c": {"text"}, "d": {"text"}},
    ),
    ("else with", "{{ with .Values.a }}{{ else with .Values.b }}{{ .c }}{{ end }}", {"b.c": {"text"}}),
    ("range", "{{ range .Values.a }}{{ .b }}{{ end }}", {"a": {"range"}, "a.*.b": {"text"}}),
    (
        "range keys",
        "{{ range $k, $v := .Values.a }}{{ $k }}{{ $v.b }}{{ end }}",
        {"a": {"range-map"}, "a.*.b": {"text"}},
    ),
    (
        "variable",
        "{{ $x := .Values.a }}{{ $x.b }}{{ $y := $x.c }}{{ with $y }}{{ .d }}{{ end }}",
        {"a.b": {"text"}, "a.c.d": {"text"}},
    ),
    (
        "assigned",
        "{{ $x := .Values.a }}{{ if .Values.z }}{{ $x = .Values.b }}{{ end }}{{ $x.c }}",
        {"a.c": {"text"}, "b.c": {"text"}},
    ),
    (
        "assigned in a loop",
        "{{ $x := .Values.a }}{{ range .Values.l }}{{ $x.c }}{{ $x = . }}{{ end }}",
        {"a.c": {"text"}, "l.*.c": {"text"}},
    ),
    ("parentheses", "{{ (.Values.a | default dict).b }}{{ ((.Values.c).d).e }}", {"a.b": {"text"}, "c.d.e": {"text"}}),
    ("index", '{{ index .Values "a" "b-c" }}{{ (index .Values.l 0).n }}', {"a.b-c": {"text"}, "l.*.n": {"text"}}),
    ("index by variable", "{{ index .Values.a .Values.k }}", {"a": {"dynamic"}, "a.*": {"text"}, "k": {"text"}}),
    (
        "index by constants",
        '{{ range $k := list "b" "c" }}{{ index $.Values.a $k }}{{ end }}',
        {"a.b": {"text"}, "a.c": {"text"}},
    ),
    ("index by a made key", '{{ index .Values.a (printf "%s-%s" "x" "y") }}', {"a.x-y": {"text"}}),
    ("get", '{{ get .Values.a "b" }}{{ dig "c" "d" "z" .Values.a }}', {"a.b": {"text"}, "a.c.d": {"default"}}),
    ("hasKey", '{{ if hasKey .Values.a "b" }}{{ end }}', {"a.b": {"condition"}}),
    ("required", '{{ required "give it" .Values.a.b }}', {"a.b": {"required", "text"}}),
    ("dump", "{{ toYaml .Values.a | nindent 2 }}", {"a": {"free-form"}}),
    ("dump in with", "{{ with .Values.a }}{{ . | toYaml }}{{ end }}", {"a": {"free-form"}}),
    ("dump of parts", '{{ toYaml (pick .Values.a "b") }}', {"a.b": {"free-form"}}),
    ("dump of a made map", '{{ dict "x" .Values.a | toJson }}', {"a": {"free-form"}}),
    (
        "dump of a list",
        "{{ range $x := concat .Values.a .Values.b }}{{ toYaml $x }}{{ end }}",
        {"a.*": {"free-form"}, "b.*": {"free-form"}},
    ),
    ("dump through texts", '{{ join "," (list (toYaml .Values.a)) | b64enc | upper }}', {"a": {"free-form"}}),
    ("dump in lines", '{{ range splitList "," (toYaml .Values.a) }}{{ . }}{{ end }}', {"a": {"free-form"}}),
    ("tpl", "{{ tpl .Values.a $ }}{{ tpl (toYaml .Values.b) . }}", {"a": {"tpl"}, "b": {"tpl", "free-form"}}),
    ("numbers", "{{ range until (int .Values.n) }}{{ end }}{{ add .Values.m 1 }}", {"n": {"number"}, "m": {"number"}}),
    ("types", '{{ if kindIs "map" .Values.a }}{{ end }}', {"a": {"type"}}),
    ("list use", '{{ join "," .Values.a }}{{ has "x" .Values.b }}', {"a": {"range"}, "b": {"range"}}),
    ("first", "{{ (first .Values.a).b }}", {"a": {"range"}, "a.*.b": {"text"}}),
    ("coalesce", "{{ (coalesce .Values.a .Values.b).c }}", {"a.c": {"text"}, "b.c": {"text"}}),
    (
        "ternary",
        "{{ (ternary .Values.a .Values.b .Values.k).c }}",
        {"a.c": {"text"}, "b.c": {"text"}, "k": {"condition"}},
    ),
    ("merge", "{{ (merge (dict) .Values.a .Values.b).c }}", {"a.c": {"text"}, "b.c": {"text"}}),
    ("merged in place", "{{ $_ := merge .Values.a .Values.b }}{{ .Values.a.c }}", {"a.c": {"text"}, "b.c": {"text"}}),
    (
        "set into values",
        '{{ .Values.a.k.x }}{{ $_ := set .Values.a "k" .Values.b }}',
        {"a.k.x": {"text"}, "b.x": {"text"}},
    ),
    (
        "set into a copy",
        '{{ $c := deepCopy .Values.a }}{{ $_ := set $c "k" .Values.b }}{{ $c.k.x }}',
        {"b.x": {"text"}},
    ),
    ("method", '{{ if .Capabilities.APIVersions.Has "v1" }}{{ .Values.a }}{{ end }}', {"a": {"text"}}),
    ("through yaml", "{{ $x := toYaml .Values.a | fromYaml }}{{ $x.b }}", {"a.b": {"text"}}),
    ("hash", "{{ toYaml .Values.a | sha256sum }}", {"a": set()}),
    ("whole values", "{{ toYaml .Values }}", {}),
    ("block", '{{ block "x" .Values.a }}{{ .b }}{{ end }}', {"a.b": {"text"}}),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in READS], ids=[case[0] for case in READS])
def test_reads(text, expected):
    found = uses(text)
    assert set(expected) <= set(found)
    assert {path: kinds for path, kinds in expected.items() if not kinds <= found[path]} == {}
    assert not any("no" in path.split(".") for path in found)


# id, helpers and page, paths that must be read, paths that must not be
HELPERS = [
    ("dot", '{{ define "h" }}{{ .Values.a }}{{ end }}{{ include "h" . }}', ["a"], []),
    (
        "values as dot",
        '{{ define "h" }}{{ .b }}{{ end }}{{ include "h" .Values.a }}{{ template "h" .Values.c }}',
        ["a.b", "c.b"],
        ["b"],
    ),
    (
        "dict",
        '{{ define "h" }}{{ .ctx.Values.a }}{{ .v.b }}{{ end }}{{ include "h" (dict "ctx" $ "v" .Values.c) }}',
        ["a", "c.b"],
        ["c.a"],
    ),
    (
        "list",
        '{{ define "h" }}{{ (index . 0).Values.a }}{{ index . 1 }}{{ end }}{{ include "h" (list . .Values.b) }}',
        ["a", "b"],
        ["b.Values"],
    ),
    (
        "root",
        '{{ define "h" }}{{ $.Values.a }}{{ .root.Values.b }}{{ end }}{{ template "h" dict "root" $ "Values" .Values}}',
        ["a", "b"],
        [],
    ),
    (
        "with extra keys",
        '{{ define "h" }}{{ .Values.a }}{{ .x.b }}{{ end }}{{ include "h" (merge (dict "x" .Values.c) .) }}',
        ["a", "c.b"],
        [],
    ),
    (
        "document",
        '{{ define "h" }}{{ index .Values "a" | default dict | toYaml }}{{ end }}{{ (include "h" . | fromYaml).b }}',
        ["a.b"],
        [],
    ),
    (
        "recursive",
        '{{ define "h" }}{{ range $k, $v := . }}{{ include "h" $v }}{{ end }}{{ end }}{{ include "h" .Values.a }}',
        ["a.*.*"],
        [],
    ),
    (
        "dynamic name",
        '{{ define "h.x" }}{{ .Values.a }}{{ end }}{{ include (printf "h.%s" .Values.k) . }}',
        ["a", "k"],
        [],
    ),
    ("uncalled", '{{ define "h" }}{{ .Values.a }}{{ end }}{{ .Values.b }}', ["b"], ["a"]),
]


@pytest.mark.parametrize(("text", "read", "unread"), [case[1:] for case in HELPERS], ids=[case[0] for case in HELPERS])
def test_helpers(text, read, unread):
    found = uses(text)
    assert set(read) <= set(found)
    assert not set(unread) & set(found)


def test_a_document_of_several_parts_is_free_form():
    # The key "b" stands below x: it is not a key of .Values.a.
    text = '{{ define "h" }}x:\n{{ toYaml .Values.a | indent 2 }}{{ end }}{{ (include "h" . | fromYaml).b }}'
    assert "free-form" in uses(text)["a"]


def test_endless_growth_is_free_form():
    text = '{{ $x := .Values.a }}{{ range splitList "." .Values.path }}{{ $x = index $x . }}{{ end }}{{ $x }}'
    assert "free-form" in uses(text)["a.*.*"]
    text = '{{ $x := .Values }}{{ range splitList "." "a.b" }}{{ $x = index $x . }}{{ end }}{{ $x }}'
    assert "a.b" in uses(text)


def test_details():
    text = '{{ if eq .Values.a "x" "y" }}{{ end }}{{ .Values.b | default 5 }}\n{{ required "say c" .Values.c }}'
    found = {".".join(path): node for path, node in read_templates(chart({"a.yaml": text})).root.below()}
    assert tuple(found["b"].defaults) == (5,)
    assert found["c"].uses["required"] == ("templates/a.yaml", 2)


def test_pages_and_helpers_of_subcharts():
    library = chart(
        {"_h.tpl": '{{ define "lib.h" }}{{ .Values.lib.x }}{{ end }}', "page.yaml": "{{ .Values.dead }}"},
        metadata={"name": "lib", "type": "library"},
    )
    engine = chart({"p.yaml": "{{ .Values.a }}{{ .Values.global.g }}"}, metadata={"name": "engine"})
    parent = {"p.yaml": '{{ include "lib.h" . }}{{ .Values.motor.b }}', "_no.yaml": "{{ .Values.helper }}"}
    more = {"dependencies": [{"name": "lib"}, {"name": "engine", "alias": "motor"}]}
    found = uses(parent, subcharts=(engine, library), metadata=more)
    assert {"lib.x", "motor.a", "motor.b", "motor.global.g", "global.g"} <= set(found)
    assert not {"lib.dead", "dead", "helper", "a"} & set(found)


def test_templates_in_values_and_files_are_run():
    found = uses(
        {"a.yaml": '{{ tpl (.Files.Get "x.conf") . }}'},
        values='a: "{{ .Values.b.c }}"\n',
        files={"x.conf": "{{ .Values.d }}"},
    )
    assert {"b.c", "d"} <= set(found)
    assert user_paths("http://{{ .Values.domain }}/") == [("domain",)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ if }}",
        "{{ if .a }}",
        "{{ end }}",
        "{{ else }}",
        '{{ "x }}',
        "{{ (.a }}",
        "{{ .a | }}",
        "{{/* x }}",
        "{{ define x }}{{ end }}",
        "{{ " + "(" * 99,
        "{{ ? }}",
        "{{ if .a }}" * 99,
    ],
)
def test_what_is_no_template(text):
    with pytest.raises(TemplateError, match="x.yaml"):
        parse(text, "x.yaml")
    assert read_templates(chart({"x.yaml": text + "{{ .Values.a }}"})).blind


@pytest.mark.parametrize(
    "text",
    [
        "{{ frobnicate .Values.a }}",
        '{{ define "h" }}'
        + "{{ range . }}" * 9
        + '{{ include "h" . }}{{ include "h" (list .) }}'
        + "{{ end }}" * 9
        + '{{ end }}{{ include "h" .Values.a }}',
        '{{ define "h" }}{{ include "h" (dict "x" .) }}{{ end }}{{ include "h" . }}',
        "{{ $a := list .Values.a }}" + "{{ $a = list $a $a }}" * 300,
        "{{/*" * 100_000,
        "{{ .Values" + ".a" * 5000 + " }}",
    ],
    ids=["unknown function", "recursion", "growing dot", "growing list", "comments", "long path"],
)
def test_hostile_templates_end_soon(text):
    start = time.monotonic()
    read_templates(chart({"x.yaml": text}))
    assert time.monotonic() - start < 5
