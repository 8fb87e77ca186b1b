# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Inputs made to exhaust or mislead whoever reads them; each builder gets a new folder and returns what to check."""

from __future__ import annotations

import io
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
