# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A chart's own files, read from a folder or a .tgz without unpacking anything to disk.

Bounds follow Helm's loader (pkg/chart/loader/archive: 100 MiB in all, 5 MiB a file), so that a chart which Helm
would refuse is refused here, with the file named.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import os
import posixpath
import tarfile
import typing as t
import zlib

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError

try:
    import yaml
except ImportError as exc:  # pragma: no cover - reported by read_chart()
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_CHART_BYTES = 100 * 1024 * 1024
MAX_MEMBERS = 10_000
# Subcharts of subcharts of ...: Helm has no bound, real charts stay below 4.
MAX_SUBCHART_DEPTH = 8
TEMPLATE_ENDS = (".yaml", ".yml", ".tpl", ".txt")
OWN_FILES = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md", "README.md.gotmpl")

Files = dict[str, bytes]


@dataclasses.dataclass(frozen=True)
class ChartFiles:
    """What a chart says about itself.

    metadata: Chart.yaml as a dict; values: text of values.yaml ("" where absent); schema: text of values.schema.json
    or None; subcharts: the charts packed under charts/, in name order; templates: {path: text} of templates/;
    files: {path: text} of other files that hold a template's action, which templates may load and run.
    """

    name: str
    version: str
    app_version: str
    metadata: dict[str, t.Any]
    values: str
    schema: str | None
    templates: dict[str, str]
    subcharts: tuple[ChartFiles, ...]
    files: dict[str, str] = dataclasses.field(default_factory=dict)


def read_chart(path: str) -> ChartFiles:
    """Return the files of a chart folder or .tgz; raise OrchestratorError for what is not a sound chart."""
    if IMPORT_ERROR is not None:
        raise OrchestratorError(
            f"The Python that runs the modules lacks a package: {IMPORT_ERROR}.",
            hint="Install this collection's requirements.txt into that Python.",
        )
    return _chart(_folder_files(path) if os.path.isdir(path) else _archive_files(path), path, 0)


def chart_digest(path: str) -> str:
    """Return sha256 in hex: of the .tgz itself, or of a folder's sorted file names and contents."""
    digest = hashlib.sha256()
    if not os.path.isdir(path):
        with open(path, "rb") as stream:
            digest.update(stream.read())
        return digest.hexdigest()
    for name, content in sorted(_folder_files(path).items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _chart(files: Files, path: str, depth: int) -> ChartFiles:
    if "Chart.yaml" not in files:
        raise _no_chart(path)
    if depth > MAX_SUBCHART_DEPTH:
        raise OrchestratorError(f"The chart {path} nests more than {MAX_SUBCHART_DEPTH} levels of subcharts.")
    metadata = _metadata(files["Chart.yaml"], path)
    schema = files.get("values.schema.json")
    return ChartFiles(
        name=str(metadata["name"]),
        version=str(metadata["version"]),
        app_version=str(metadata.get("appVersion") or ""),
        metadata=metadata,
        values=_text(files.get("values.yaml", b""), path, "values.yaml"),
        schema=_text(schema, path, "values.schema.json") if schema is not None else None,
        templates={
            name: _text(content, path, name) if name.endswith(TEMPLATE_ENDS) else content.decode("utf-8", "replace")
            for name, content in sorted(files.items())
            if name.startswith("templates/")
        },
        subcharts=_subcharts(files, path, depth + 1),
        files={
            name: content.decode("utf-8", "replace")
            for name, content in sorted(files.items())
            if b"{{" in content and not name.startswith(("templates/", "charts/", "crds/")) and name not in OWN_FILES
        },
    )


def _no_chart(path: str) -> OrchestratorError:
    return OrchestratorError(
        f"{path} is not a Helm chart: it has no Chart.yaml.", hint="Give the folder or .tgz that holds Chart.yaml."
    )


def _metadata(content: bytes, path: str) -> dict[str, t.Any]:
    try:
        metadata = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        raise OrchestratorError(f"Chart.yaml of {path} cannot be read: {exc}") from exc
    if not isinstance(metadata, dict) or not metadata.get("name") or not metadata.get("version"):
        raise OrchestratorError(f"Chart.yaml of {path} gives no name and version.")
    return metadata


def _subcharts(files: Files, path: str, depth: int) -> tuple[ChartFiles, ...]:
    folders: dict[str, Files] = {}
    charts: list[ChartFiles] = []
    for name, content in sorted(files.items()):
        parts = name.split("/", 2)
        # Helm skips names that begin with _ or . under charts/.
        if parts[0] != "charts" or len(parts) < 2 or parts[1].startswith(("_", ".")):
            continue
        if len(parts) == 2 and parts[1].endswith(".tgz"):
            charts.append(_chart(_members(io.BytesIO(content), f"{path}/{name}"), f"{path}/{name}", depth))
        elif len(parts) == 3:
            folders.setdefault(parts[1], {})[parts[2]] = content
    folders = {name: inner for name, inner in folders.items() if "Chart.yaml" in inner}
    charts += [_chart(inner, f"{path}/charts/{name}", depth) for name, inner in folders.items()]
    return tuple(sorted(charts, key=lambda chart: chart.name))


def _text(content: bytes, path: str, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise OrchestratorError(f"{name} of the chart {path} is not UTF-8 text: {exc}") from exc


def _archive_files(path: str) -> Files:
    try:
        with open(path, "rb") as stream:
            return _members(stream, path)
    except OSError as exc:
        raise OrchestratorError(f"The chart {path} cannot be read: {exc.strerror or exc}") from exc


def _members(stream: t.IO[bytes], path: str) -> Files:
    """Return {path below the chart's folder: content} of a .tgz; members that leave that folder are refused."""
    files: Files = {}
    try:
        # Not tarfile's own gzip stream: it misreads the extra header field that Helm writes.
        content = gzip.GzipFile(fileobj=stream).read(MAX_CHART_BYTES + 1)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for count, member in enumerate(archive):
                name = _checked_name(member, path, count, len(content))
                if member.isfile() and name:
                    files[name] = t.cast("t.IO[bytes]", archive.extractfile(member)).read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as exc:
        raise OrchestratorError(
            f"The chart {path} is not a sound .tgz archive: {exc}", hint="Package it again with: helm package FOLDER"
        ) from exc
    return files


def _checked_name(member: tarfile.TarInfo, path: str, count: int, total: int) -> str:
    if count >= MAX_MEMBERS or total > MAX_CHART_BYTES or member.size > MAX_FILE_BYTES:
        raise OrchestratorError(
            f"The chart {path} is too large at {member.name!r}: at most {MAX_FILE_BYTES} bytes a file, "
            f"{MAX_CHART_BYTES} bytes and {MAX_MEMBERS} files in all."
        )
    if not (member.isfile() or member.isdir()):
        raise OrchestratorError(f"The chart {path} holds {member.name!r}, which is neither a file nor a folder.")
    name = member.name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if posixpath.isabs(name) or ".." in parts or (parts and ":" in parts[0]):
        raise OrchestratorError(f"The chart {path} holds {member.name!r}, a path outside of the chart.")
    return "/".join(parts[1:])


def _folder_files(path: str) -> Files:
    if not os.path.isfile(os.path.join(path, "Chart.yaml")):
        raise _no_chart(path)  # before a whole home folder is read
    files: Files = {}
    total = 0
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            full = os.path.join(folder, name)
            if not os.path.isfile(full):
                continue
            size = os.path.getsize(full)
            total += size
            if size > MAX_FILE_BYTES or total > MAX_CHART_BYTES or len(files) >= MAX_MEMBERS:
                raise OrchestratorError(
                    f"The chart {path} is too large at {full}: at most {MAX_FILE_BYTES} bytes a file, "
                    f"{MAX_CHART_BYTES} bytes and {MAX_MEMBERS} files in all.",
                    hint="Give the folder that holds Chart.yaml, or package it with: helm package FOLDER",
                )
            with open(full, "rb") as stream:
                files[os.path.relpath(full, path).replace(os.sep, "/")] = stream.read()
    return files
