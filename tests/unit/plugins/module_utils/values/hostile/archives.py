# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Archives and folders that are no sound charts."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import typing as t

from values.hostile.base import CHART, Folder, case, charted, member, packed


@case("outside the chart")
def traversal(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/../../evil", b"x")])


@case("outside the chart")
def backslashes(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo\\..\\..\\evil", b"x")])


@case("outside the chart")
def absolute(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("/etc/evil", b"x")])


@case("not a regular file or folder")
def symlink_member(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/values.yaml", type=tarfile.SYMTYPE, linkname="/etc/passwd")])


@case("not a regular file or folder")
def hard_link(folder: Folder) -> dict[str, t.Any]:
    return packed(folder, [member("demo/values.yaml", type=tarfile.LNKTYPE, linkname="../../etc/passwd")])


@case("not a regular file or folder")
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


@case("not a regular file or folder")
def sparse_members(folder: Folder) -> dict[str, t.Any]:
    sparse = tarfile.GNUTYPE_SPARSE
    return packed(folder, (member(f"demo/{n}", type=sparse) for n in range(10)))


@case("not a valid .tgz")
def not_gzip(folder: Folder) -> dict[str, t.Any]:
    (folder / "chart.tgz").write_bytes(b"no archive" * 1000)
    return {"chart_ref": str(folder / "chart.tgz"), "values_files": []}


@case("not a valid .tgz")
def cut_gzip(folder: Folder) -> dict[str, t.Any]:
    entry = packed(folder, [member("demo/values.yaml", os.urandom(200_000))])
    os.truncate(entry["chart_ref"], 100_000)
    return entry


@case("not a valid .tgz")
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


@case("not a regular file or folder")
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
