# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values files made to exhaust or mislead whoever reads them."""

from __future__ import annotations

import json
import os
import typing as t

from values.hostile.base import Folder, case, chart, charted, values


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


@case("has no anchor", "yaml-alias")
def cyclic_anchor(folder: Folder) -> dict[str, t.Any]:
    return values(folder, "a: &a\n  b: *a\n")


@case("has no anchor", "yaml-alias")
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


@case("must be true or false", "as a number")
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
