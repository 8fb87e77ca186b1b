# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Inputs made to exhaust or mislead whoever reads them; each builder gets a new folder and returns what to check."""

from __future__ import annotations

import gzip
import io
import json
import os
import pathlib
import tarfile
import typing as t

CHART = "apiVersion: v2\nname: demo\nversion: 1.0.0\n"
Folder = pathlib.Path
Case = t.Callable[[Folder], dict[str, t.Any]]

CASES: dict[str, tuple[Case, tuple[str, ...]]] = {}


def case(*wanted: str) -> t.Callable[[Case], Case]:
    """Register a builder; wanted: texts of which the messages hold each."""

    def register(builder: Case) -> Case:
        CASES[builder.__name__] = (builder, wanted)
        return builder

    return register


def values(folder: Folder, content: bytes | str) -> dict[str, t.Any]:
    """Return an entry whose only values file has this content, for a sound chart."""
    path = folder / "values.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {"chart_ref": chart(folder / "chart"), "values_files": [str(path)]}


def chart(folder: Folder, given: str = "", **files: str) -> str:
    """Write a chart's folder; keys of files are paths with __ for / and _dot_ for a dot."""
    (folder / "templates").mkdir(parents=True)
    named = {key.replace("__", "/").replace("_dot_", "."): text for key, text in files.items()}
    sound = {"Chart.yaml": CHART, "values.yaml": "a: 1\n", "templates/a.yaml": "{{ .Values.a }}\n"}
    for name, text in {**sound, **named}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def charted(folder: Folder, given: str = "a: 1\n", **files: str) -> dict[str, t.Any]:
    """Return an entry with these values for a chart with these files."""
    (folder / "values.yaml").write_text(given, encoding="utf-8")
    return {"chart_ref": chart(folder / "chart", **files), "values_files": [str(folder / "values.yaml")]}


def packed(folder: Folder, members: t.Iterable[tuple[tarfile.TarInfo, bytes]], level: int = 6) -> dict[str, t.Any]:
    """Return an entry whose chart is a .tgz of these members, after a sound Chart.yaml."""
    path = folder / "chart.tgz"
    with tarfile.open(path, "w:gz", compresslevel=level) as archive:
        for info, content in [member("demo/Chart.yaml", CHART.encode()), *members]:
            archive.addfile(info, io.BytesIO(content))
    return {"chart_ref": str(path), "values_files": []}


def member(name: str, content: bytes = b"", **fields: t.Any) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of an archive; fields: attributes of its TarInfo."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


# --- values files


@case("more than 1048576", "yaml-size")
def huge_file(folder: Folder) -> dict[str, t.Any]:
    path = folder / "values.yaml"
    with open(path, "wb") as stream:
        for _count in range(200):
            stream.write(b"key: value\n" * (1024 * 1024 // 11))
    return {"chart_ref": chart(folder / "chart"), "values_files": [str(path)]}


@case("once aliases are filled in", "yaml-size")
def billion_laughs(folder: Folder) -> dict[str, t.Any]:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return values(folder, "\n".join(lines))


@case("once aliases are filled in", "yaml-size")
def merge_bomb(folder: Folder) -> dict[str, t.Any]:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: *a{n - 1}}}" for n in range(1, 12)]
    return values(folder, "\n".join(lines))


@case("once aliases are filled in", "yaml-size")
def many_aliases_of_one_list(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: &a [" + "1, " * 90_000 + "]\nb: [" + "*a, " * 100_000 + "]\n")


@case("names no finished anchor", "yaml-alias")
def cyclic_anchor(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: &a\n  b: *a\n")


@case("names no finished anchor", "yaml-alias")
def cyclic_merge(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: &a\n  <<: *a\n")


@case("levels deep", "yaml-depth")
def deep_lists(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: " + "[" * 100_000)


@case("levels deep", "yaml-depth")
def deep_maps(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: " + "{a: " * 100_000)


@case("levels deep", "yaml-depth")
def deep_block(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "\n".join(" " * n + "a:" for n in range(1400)))


@case("levels deep", "yaml-depth")
def deep_dashes(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a:\n" + "- " * 100_000 + "x\n")


@case("not UTF-8", "yaml-encoding")
def binary(folder: Folder) -> dict[str, t.Any]:
    return values(folder, os.urandom(300_000) + b"\xff")


@case("not UTF-8", "yaml-encoding")
def utf16(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: 1\n".encode("utf-16"))


@case("character", "yaml-encoding")
def nul(folder: Folder) -> dict[str, t.Any]:
    return values(folder, b"a: 1\nb: \x00\n")


@case("not UTF-8", "yaml-encoding")
def invalid_utf8(folder: Folder) -> dict[str, t.Any]:
    return values(folder, b"a: 1\nb: caf\xe9\n")


@case("not UTF-8", "yaml-encoding")
def surrogate(folder: Folder) -> dict[str, t.Any]:
    return values(folder, b"a: \xed\xa0\x80\n")


@case("given twice", "yaml-duplicate", "more")
def duplicates(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: 1\n" * 40_000)


@case("!!python/object", "yaml-tag")
def python_tag(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: !!python/object/apply:os.system ['touch here']\nb: !vault x\nc: !!set {x}\n")


@case("yaml-tag")
def custom_tag(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: !include /etc/passwd\nb: !unsafe '{{ x }}'\nc: !<tag:x,2000:y> z\n")


@case("never reads it", "unread-key")
def long_key(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: 1\n? " + "k" * 1_000_000 + "\n: 1\n")


@case("never reads it", "unread-key")
def long_value(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "b: " + "v" * 1_000_000 + "\n")


@case("unread-key", "more")
def many_unknown_keys(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "".join(f"key{n}: 1\n" for n in range(45_000)))


@case("must be true or false", "is no number")
def long_numbers(folder: Folder) -> dict[str, t.Any]:
    text = "".join(f"{key}: {number}\n" for key, number in HUGE_NUMBERS.items())
    schema = {"properties": {key: {"type": "boolean"} for key in HUGE_NUMBERS}}
    return charted(folder, text, values_dot_schema_dot_json=json.dumps(schema))


HUGE_NUMBERS = {"a": "0x" + "f" * 60_000, "b": "0" + "7" * 60_000, "c": "9" * 60_000, "d": "1e" + "9" * 9_000}
HUGE_NUMBERS |= {"e": "0b" + "1" * 60_000, "f": "-.inf", "g": "1." + "1" * 60_000}


@case("yaml-file")
def fifo(folder: Folder) -> dict[str, t.Any]:
    os.mkfifo(folder / "values.yaml")
    return {"chart_ref": chart(folder / "chart"), "values_files": [str(folder / "values.yaml")]}


@case("yaml-file")
def device(folder: Folder) -> dict[str, t.Any]:
    return {"chart_ref": chart(folder / "chart"), "values_files": ["/dev/zero"]}


@case("yaml-file")
def proc(folder: Folder) -> dict[str, t.Any]:
    return {"chart_ref": chart(folder / "chart"), "values_files": ["/proc/self/mem"]}


@case("not a file", "yaml-file")
def directory(folder: Folder) -> dict[str, t.Any]:
    return {"chart_ref": chart(folder / "chart"), "values_files": [str(folder)]}


@case("yaml-file")
def dangling_link(folder: Folder) -> dict[str, t.Any]:
    (folder / "values.yaml").symlink_to(folder / "gone")
    return {"chart_ref": chart(folder / "chart"), "values_files": [str(folder / "values.yaml")]}


@case("yaml-file")
def link_to_itself(folder: Folder) -> dict[str, t.Any]:
    (folder / "values.yaml").symlink_to(folder / "values.yaml")
    return {"chart_ref": chart(folder / "chart"), "values_files": [str(folder / "values.yaml")]}


@case("yaml-file")
def nul_in_name(folder: Folder) -> dict[str, t.Any]:
    return {"chart_ref": chart(folder / "chart"), "values_files": ["a\0b", "x" * 5_000]}


@case("levels deep")
def deep_inline(folder: Folder) -> dict[str, t.Any]:
    deep: dict[str, t.Any] = {}
    for _level in range(5_000):
        deep = {"a": deep}
    return {"chart_ref": chart(folder / "chart"), "values": deep}


# --- archives


@case("outside of the chart")
def traversal(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/../../evil", b"x")])


@case("outside of the chart")
def backslashes(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo\\..\\..\\evil", b"x")])


@case("outside of the chart")
def absolute(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("/etc/evil", b"x")])


@case("neither a file nor a folder")
def symlink_member(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/values.yaml", type=tarfile.SYMTYPE, linkname="/etc/passwd")])


@case("neither a file nor a folder")
def hard_link(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/values.yaml", type=tarfile.LNKTYPE, linkname="../../etc/passwd")])


@case("neither a file nor a folder")
def device_member(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/values.yaml", type=tarfile.CHRTYPE, devmajor=1, devminor=5)])


@case("too large")
def huge_member(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/values.yaml", b"\0" * (60 * 1024 * 1024))])


@case("too large")
def decompression_bomb(folder: Folder) -> dict[str, t.Any]:
    path = folder / "chart.tgz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _count in range(150):
            stream.write(b"\0" * 1024 * 1024)
    return {"chart_ref": str(path), "values_files": []}


@case("too large")
def many_large_members(folder: Folder) -> dict[str, t.Any]:
    content = b"a: 1\n" * 900_000
    return packed(folder, (member(f"demo/templates/{n}.yaml", content) for n in range(30)), level=1)


@case("have more than")
def many_templates(folder: Folder) -> dict[str, t.Any]:
    content = b"{{ .Values.a }} {{ .Values.b }}\n" * 150_000
    return packed(folder, (member(f"demo/templates/{n}.yaml", content) for n in range(20)), level=1)


@case("too large")
def many_members(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, (member(f"demo/t/{n}") for n in range(60_000)), level=1)


@case("neither a file nor a folder")
def sparse_members(folder: Folder) -> dict[str, t.Any]:
    sparse = tarfile.GNUTYPE_SPARSE
    return packed(folder, (member(f"demo/{n}", type=sparse) for n in range(10)))


@case("not a sound .tgz")
def not_gzip(folder: Folder) -> dict[str, t.Any]:
    (folder / "chart.tgz").write_bytes(b"no archive" * 1000)
    return {"chart_ref": str(folder / "chart.tgz"), "values_files": []}


@case("not a sound .tgz")
def cut_gzip(folder: Folder) -> dict[str, t.Any]:
    entry = packed(folder, [member("demo/values.yaml", os.urandom(200_000))])
    os.truncate(entry["chart_ref"], 100_000)
    return entry


@case("not a sound .tgz")
def gzip_of_noise(folder: Folder) -> dict[str, t.Any]:
    (folder / "chart.tgz").write_bytes(gzip.compress(os.urandom(100_000)))
    return {"chart_ref": str(folder / "chart.tgz"), "values_files": []}


@case("levels of subcharts")
def nested_subcharts(folder: Folder) -> dict[str, t.Any]:
    inner = b""
    for level in range(40):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for info, content in [member("demo/Chart.yaml", CHART.encode()), member("demo/charts/x.tgz", inner)]:
                if content or level:
                    archive.addfile(info, io.BytesIO(content))
        inner = buffer.getvalue()
    (folder / "chart.tgz").write_bytes(inner)
    return {"chart_ref": str(folder / "chart.tgz"), "values_files": []}


@case("too large")
def bombs_in_subcharts(folder: Folder) -> dict[str, t.Any]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for n in range(16):
            info, content = member(
                f"sub/{n}" if n else "sub/Chart.yaml", b" " * 1024 * 1024 * 4 if n else CHART.encode()
            )
            archive.addfile(info, io.BytesIO(content))
    return packed(folder, [member(f"demo/charts/s{n}.tgz", buffer.getvalue()) for n in range(60)])


@case("no Chart.yaml")
def no_chart_yaml(folder: Folder) -> dict[str, t.Any]:
    (folder / "chart").mkdir()
    return {"chart_ref": str(folder / "chart"), "values_files": []}


@case("Chart.yaml")
def bomb_in_chart_yaml(folder: Folder) -> dict[str, t.Any]:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    return charted(folder, Chart_dot_yaml="\n".join([*lines, "name: *a39", "version: *a39"]))


@case("Chart.yaml")
def large_chart_yaml(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, Chart_dot_yaml=CHART + "x: [" + "{a: b}, " * 500_000 + "]\n")


@case("Chart.yaml")
def hostile_dependencies(folder: Folder) -> dict[str, t.Any]:
    text = CHART + "dependencies: [{name: sub, alias: {a: b}, condition: [1], tags: [[1], {}]}, 5, {name: [1]}]\n"
    return charted(folder, "tags: {a: true}\n", Chart_dot_yaml=text, charts__sub__Chart_dot_yaml=CHART)


@case("Chart.yaml")
def dependencies_no_list(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, Chart_dot_yaml=CHART + "dependencies: 5\n")


@case("Chart.yaml")
def name_no_text(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, Chart_dot_yaml="name: [a]\nversion: {}\n")


@case("neither a file nor a folder")
def fifo_in_chart(folder: Folder) -> dict[str, t.Any]:
    entry = charted(folder)
    os.mkfifo(folder / "chart" / "templates" / "pipe.yaml")
    return entry


@case("chart-fetch")
def chart_is_device(folder: Folder) -> dict[str, t.Any]:
    return {"chart_ref": "/dev/zero", "values_files": []}


@case("chart-fetch")
def chart_is_fifo(folder: Folder) -> dict[str, t.Any]:
    os.mkfifo(folder / "chart.tgz")
    return {"chart_ref": str(folder / "chart.tgz"), "values_files": []}


@case("no-schema")
def folder_links_to_itself(folder: Folder) -> dict[str, t.Any]:
    entry = charted(folder)
    (folder / "chart" / "loop").symlink_to(folder / "chart")
    return entry


# --- templates


@case("no-schema")
def template_of_spaces(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, templates__b_dot_yaml="{{" + " " * 1_000_000 + "x")


@case("no-schema")
def template_of_braces(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, templates__b_dot_yaml="{{" * 300_000)


@case("no-schema")
def template_of_quotes(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, templates__b_dot_yaml='{{ "' + "\\\\" * 300_000)


@case("no-schema")
def template_of_parentheses(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, templates__b_dot_yaml="{{ " + "(" * 200_000 + "}}")


@case("no-schema")
def template_of_words(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, templates__b_dot_yaml="{{ " + ".Values.a | " * 100_000 + "quote }}")


@case("no-schema")
def template_of_blocks(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, templates__b_dot_yaml="{{ if .Values.a }}" * 50_000)


@case("no-schema")
def template_of_elses(folder: Folder) -> dict[str, t.Any]:
    return charted(
        folder, templates__b_dot_yaml="{{ if .Values.a }}" + "{{ else if .Values.b }}" * 20_000 + "{{ end }}"
    )


@case("no-schema")
def template_of_ranges(folder: Folder) -> dict[str, t.Any]:
    text = "{{ range $k, $v := .Values }}{{ range $k, $v := $v }}" * 20 + "{{ $v.x }}" + "{{ end }}{{ end }}" * 20
    return charted(folder, templates__b_dot_yaml=text)


@case("no-schema")
def template_that_includes_itself(folder: Folder) -> dict[str, t.Any]:
    text = '{{ define "a" }}{{ include "a" . }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}'
    return charted(folder, templates___helpers_dot_tpl=text, templates__b_dot_yaml='{{ include "a" . }}')


@case("no-schema")
def include_bomb(folder: Folder) -> dict[str, t.Any]:
    text = '{{ define "n0" }}{{ .x }}{{ end }}'
    for n in range(1, 40):
        calls = "".join(f'{{{{ include "n{n - 1}" .{part} }}}}' for part in "abcdefgh")
        text += f'{{{{ define "n{n}" }}}}{calls}{{{{ end }}}}'
    return charted(folder, templates___helpers_dot_tpl=text, templates__b_dot_yaml='{{ include "n39" .Values }}')


@case("no-schema")
def many_defines(folder: Folder) -> dict[str, t.Any]:
    text = "".join(f'{{{{ define "n{n}" }}}}{{{{ include "n{n + 1}" . }}}}{{{{ end }}}}' for n in range(20_000))
    return charted(folder, templates___helpers_dot_tpl=text, templates__b_dot_yaml='{{ include "n0" . }}')


@case("no-schema")
def many_paths(folder: Folder) -> dict[str, t.Any]:
    text = "".join(f"{{{{ .Values.a{n}.b.c.d.e.f }}}}\n" for n in range(30_000))
    return charted(folder, "a1: 5\n", templates__b_dot_yaml=text)


@case("no-schema")
def comments_in_values(folder: Folder) -> dict[str, t.Any]:
    return charted(folder, values_dot_yaml="a: 1\n" + "#" * 300_000 + "\n" + "#   x: 1\n" * 60_000)


# --- schemas


def with_schema(folder: Folder, schema: t.Any, given: str = "a: 1\n") -> dict[str, t.Any]:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return charted(folder, given, values_dot_schema_dot_json=text)


@case("broken-schema")
def schema_refers_to_itself(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"$ref": "#"})


@case("broken-schema")
def schema_refers_in_a_ring(folder: Folder) -> dict[str, t.Any]:
    ring = {
        "x": {"$ref": "#/definitions/y"},
        "y": {"allOf": [{"$ref": "#/definitions/x"}, {"$ref": "#/definitions/x"}]},
    }
    return with_schema(folder, {"definitions": ring, "$ref": "#/definitions/x"})


@case("schema-cost")
def schema_of_exponential_cost(folder: Folder) -> dict[str, t.Any]:
    levels: dict[str, t.Any] = {"n0": {"type": "object"}}
    levels |= {f"n{n}": {"allOf": [{"$ref": f"#/definitions/n{n - 1}"}] * 2} for n in range(1, 40)}
    return with_schema(folder, {"definitions": levels, "$ref": "#/definitions/n39"})


@case("schema-cost")
def schema_with_a_catastrophic_pattern(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"properties": {"a": {"pattern": "^(a+)+$"}}}, "a: " + "a" * 60 + "b\n")


@case("schema-cost")
def schema_with_a_catastrophic_key_pattern(folder: Folder) -> dict[str, t.Any]:
    schema = {"patternProperties": {"^(a|a)*$": {}}, "additionalProperties": False}
    return with_schema(folder, schema, "a" * 60 + "b: 1\n")


@case("broken-schema")
def schema_nested_deep(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, '{"not":' * 100_000 + "{}" + "}" * 100_000)


@case("broken-schema")
def schema_nested_just_so(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, '{"not":' * 900 + "{}" + "}" * 900)


@case("must be one of")
def schema_with_a_huge_enum(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"properties": {"a": {"enum": [f"v{n}" for n in range(200_000)]}}}, "a: w7\n")


@case("broken-schema")
def schema_with_huge_numbers(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, '{"properties": {"a": {"minimum": ' + "9" * 100_000 + "}}}")


@case("broken-schema")
def schema_that_is_no_json(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, "{" * 1_000_000)


@case("broken-schema")
def schema_of_wrong_types(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"properties": 5, "required": 7, "$id": "http://[", "patternProperties": {"(": 1}})


@case("remote-ref")
def schema_with_remote_references(folder: Folder) -> dict[str, t.Any]:
    refs = ["http://10.255.255.1/s.json", "https://localhost:1/x", "file:///etc/passwd", "other.json", "http://[::1"]
    return with_schema(folder, {"allOf": [{"$ref": ref} for ref in refs]})


@case("schema-cost")
def schema_of_unique_items(folder: Folder) -> dict[str, t.Any]:
    given = "a: [" + ", ".join(f"{{x: {n}}}" for n in range(20_000)) + "]\n"
    return with_schema(folder, {"properties": {"a": {"uniqueItems": True, "maxItems": 1}}}, given)
