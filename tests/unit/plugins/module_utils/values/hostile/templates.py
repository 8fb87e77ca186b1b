# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Templates whose reading costs much."""

from __future__ import annotations

import typing as t

from values.hostile.base import Folder, case, charted


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
