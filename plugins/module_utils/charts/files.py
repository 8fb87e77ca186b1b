# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A chart's own files, read from a folder or a .tgz without unpacking anything to disk.

Bounds follow Helm's loader (pkg/chart/loader/archive: 100 MiB in all, 5 MiB a file), so that a chart which Helm
would refuse is refused here, with the file named.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import io
import itertools
import os
import posixpath
import stat
import tarfile
import typing as t
import zlib

from ..base.errors import OrchestratorError, require
from ..base.files import read_regular
from ..base.findings import short
from ..base.plain_yaml import IMPORT_ERROR
from ..values.reader import load_yaml, to_plain

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_CHART_BYTES = 100 * 1024 * 1024
MAX_MEMBERS = 10_000
# Subcharts of subcharts of ...: Helm has no bound, real charts stay below 4.
MAX_SUBCHART_DEPTH = 8
TEMPLATE_ENDS = (".yaml", ".yml", ".tpl", ".txt")
OWN_FILES = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md", "README.md.gotmpl")
Files = dict[str, bytes]


class _Budget:
    """What a chart and all charts packed in it may still hold, unpacked."""

    def __init__(self) -> None:
        self.left, self.members = MAX_CHART_BYTES, MAX_MEMBERS

    def take(self, size: int, path: str, name: str) -> None:
        """Take one file of a size in bytes; raise OrchestratorError where it is too much."""
        self.left, self.members = self.left - size, self.members - 1
        if self.left < 0 or self.members < 0 or size > MAX_FILE_BYTES:
            raise OrchestratorError(
                f"The chart {path} is too large at {short(name)!r}: at most {MAX_FILE_BYTES} bytes a file, "
                f"{MAX_CHART_BYTES} bytes and {MAX_MEMBERS} files in all, including subcharts.",
                hint="Use the folder that contains Chart.yaml, or package it with: helm package FOLDER",
            )


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

    @property
    def dependencies(self) -> list[dict[str, t.Any]]:
        """The entries of Chart.yaml's dependencies, packed or not."""
        return self.metadata.get("dependencies") or []

    def entries(self) -> list[tuple[dict[str, t.Any], ChartFiles]]:
        """Return each packed subchart with its entry of Chart.yaml, {} where it has none."""
        named = {entry.get("name") for entry in self.dependencies}
        found = [(entry, sub) for entry in self.dependencies for sub in self.subcharts if sub.name == entry.get("name")]
        return found + [({}, sub) for sub in self.subcharts if sub.name not in named]

    def named_subcharts(self) -> list[tuple[str, ChartFiles]]:
        """Return (name or alias, chart) of every subchart that can be in use."""
        return [(str(entry.get("alias") or sub.name), sub) for entry, sub in self.entries()]

    def missing(self) -> list[str]:
        """Return the names or aliases of dependencies that are not packed into the chart."""
        present = {sub.name for sub in self.subcharts}
        return [str(one.get("alias") or one.get("name")) for one in self.dependencies if one.get("name") not in present]


def read_chart(path: str) -> ChartFiles:
    """Return the files of a chart folder or .tgz; raise OrchestratorError for what is not a sound chart."""
    return _load(path)[0]


def chart_digest(path: str) -> str:
    """Return sha256 in hex: of the .tgz itself, or of a folder's sorted file names and contents."""
    return _load(path)[1]


def _load(path: str) -> tuple[ChartFiles, str]:
    """Return a chart's files and its digest; one that has not changed is read once in a process."""
    require(IMPORT_ERROR)
    try:
        found = _walk(path) if os.path.isdir(path) else iter([(path, os.stat(path))])
        state = tuple(
            (name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            for name, status in itertools.islice(found, MAX_MEMBERS + 1)
        )
    except (OSError, ValueError) as exc:  # ValueError: a name that no file can have
        reason = getattr(exc, "strerror", None) or exc
        raise OrchestratorError(f"The chart {path} cannot be read: {path}: {reason}") from exc
    return _loaded(path, state)


@functools.lru_cache(maxsize=32)
def _loaded(path: str, _state: tuple[t.Any, ...]) -> tuple[ChartFiles, str]:
    budget, digest = _Budget(), hashlib.sha256()
    if os.path.isdir(path):
        files = _folder_files(path, budget)
        for name, content in sorted(files.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    else:
        packed = _read(path, path)
        digest.update(packed)
        files = _members(packed, path, budget)
    return _chart(files, path, 0, budget), digest.hexdigest()


def _chart(files: Files, path: str, depth: int, budget: _Budget) -> ChartFiles:
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
        subcharts=_subcharts(files, path, depth + 1, budget),
        files={
            name: content.decode("utf-8", "replace")
            for name, content in sorted(files.items())
            if b"{{" in content and not name.startswith(("templates/", "charts/", "crds/")) and name not in OWN_FILES
        },
    )


def _no_chart(path: str) -> OrchestratorError:
    if os.path.isfile(os.path.join(path, "kustomization.yaml")):
        fix = "Set kustomization to it in an entry of llm_d_models, and leave the chart as it is."
        return OrchestratorError(f"{path} is a kustomization, not a Helm chart.", hint=fix)
    return OrchestratorError(
        f"{path} is not a Helm chart: it has no Chart.yaml.", hint="Use the folder or .tgz that contains Chart.yaml."
    )


def _metadata(content: bytes, path: str) -> dict[str, t.Any]:
    root, findings = load_yaml(content, "Chart.yaml")
    if root is None:
        raise OrchestratorError(f"Chart.yaml of {path} cannot be read: {findings[0].text()}")
    metadata = to_plain(root)
    if not all(isinstance(metadata.get(key), (str, int, float)) and metadata[key] for key in ("name", "version")):
        raise OrchestratorError(f"Chart.yaml of {path} has no name and version.")
    _check_dependencies(metadata.get("dependencies") or [], path)
    return metadata


def _check_dependencies(entries: t.Any, path: str) -> None:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise OrchestratorError(f"Chart.yaml of {path}: dependencies must be a list of maps.")
    for place, entry in enumerate(entries):
        wrong = [key for key in ("name", "alias", "condition") if not isinstance(entry.get(key) or "", str)]
        tags = entry.get("tags") or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            wrong.append("tags")
        if wrong or not entry.get("name"):
            what = (
                "must have a name"
                if not wrong
                else (f"{wrong[0]} must be {'a list of strings' if tags else 'a string'}")
            )
            raise OrchestratorError(f"Chart.yaml of {path}: dependencies[{place}]: {what}.")


def _subcharts(files: Files, path: str, depth: int, budget: _Budget) -> tuple[ChartFiles, ...]:
    folders: dict[str, Files] = {}
    charts: list[ChartFiles] = []
    for name, content in sorted(files.items()):
        parts = name.split("/", 2)
        # Helm skips names that begin with _ or . under charts/.
        if parts[0] != "charts" or len(parts) < 2 or parts[1].startswith(("_", ".")):
            continue
        if len(parts) == 2 and parts[1].endswith(".tgz"):
            inside = _members(content, f"{path}/{name}", budget)
            charts.append(_chart(inside, f"{path}/{name}", depth, budget))
        elif len(parts) == 3:
            folders.setdefault(parts[1], {})[parts[2]] = content
    folders = {name: inner for name, inner in folders.items() if "Chart.yaml" in inner}
    charts += [_chart(inner, f"{path}/charts/{name}", depth, budget) for name, inner in folders.items()]
    return tuple(sorted(charts, key=lambda chart: chart.name))


def _text(content: bytes, path: str, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise OrchestratorError(f"{name} of the chart {path} is not UTF-8 text: {exc}") from exc


def _read(path: str, chart: str) -> bytes:
    try:
        content, size = read_regular(path, MAX_CHART_BYTES + 1)
    except OSError as exc:
        raise OrchestratorError(f"The chart {chart} cannot be read: {path}: {exc.strerror or exc}") from exc
    if size > MAX_CHART_BYTES:
        raise OrchestratorError(f"The chart {chart} is too large: {path} has more than {MAX_CHART_BYTES} bytes.")
    return content


def _members(packed: bytes, path: str, budget: _Budget) -> Files:
    """Return {path below the chart's folder: content} of a .tgz; members that leave that folder are refused."""
    files: Files = {}
    try:
        # Not tarfile's own gzip stream: it misreads the extra header field that Helm writes.
        content = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(budget.left + 1)
        if len(content) > budget.left:
            raise OrchestratorError(f"The chart {path} is too large: it unpacks to more than {MAX_CHART_BYTES} bytes.")
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                name = _checked_name(member, path)
                budget.take(member.size, path, member.name)
                if member.isfile() and name:
                    files[name] = t.cast("t.IO[bytes]", archive.extractfile(member)).read()
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as exc:
        raise OrchestratorError(
            f"The chart {path} is not a valid .tgz archive: {exc}", hint="Package it again with: helm package FOLDER"
        ) from exc
    return files


def _checked_name(member: tarfile.TarInfo, path: str) -> str:
    shown = short(member.name)
    # A sparse file of a few bytes may call itself any number of bytes long.
    if not (member.isfile() or member.isdir()) or member.issparse():
        raise OrchestratorError(f"The chart {path} contains {shown!r}, which is not a regular file or folder.")
    name = member.name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if posixpath.isabs(name) or ".." in parts or (parts and ":" in parts[0]):
        raise OrchestratorError(f"The chart {path} contains {shown!r}, a path outside the chart.")
    return "/".join(parts[1:])


def _folder_files(path: str, budget: _Budget) -> Files:
    files: Files = {}
    for full, status in _walk(path):
        if not stat.S_ISREG(status.st_mode):
            raise OrchestratorError(f"The chart {path} contains {full!r}, which is not a regular file or folder.")
        budget.take(status.st_size, path, full)
        files[os.path.relpath(full, path).replace(os.sep, "/")] = _read(full, path)
    return files


def _walk(path: str) -> t.Iterator[tuple[str, os.stat_result]]:
    """Yield the files of a chart's folder; raise OrchestratorError for another one, before a whole home is read."""
    if not os.path.isfile(os.path.join(path, "Chart.yaml")):
        raise _no_chart(path)
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != ".git")
        for full in sorted(os.path.join(folder, name) for name in names):
            if os.path.exists(full):  # not a link that leads nowhere, as editors leave them
                yield full, os.stat(full)
