# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A bundle: one archive with all that a site without a network needs of a stack, written and read back.

Members: manifest.json (what is in it), SHA256SUMS (for `sha256sum -c`), images.txt and copies.txt (see _bundle_make),
charts/sha256/HEX/NAME-VERSION.tgz, and to read only manifests/HOST/... and values/HOST/...
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import posixpath
import re
import tarfile
import typing as t
import zlib

from ..base.data import Object
from ..base.errors import OrchestratorError

KIND, FORMAT = "llm-d-orchestrator-bundle", 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
# Far above any stack's charts and manifests: a bundle holds no image and no model.
MAX_BYTES = 1024 * 1024 * 1024
MAX_MEMBERS = 50_000
_CHART_FILE = re.compile(r"charts/sha256/([0-9a-f]{64})/[A-Za-z0-9][A-Za-z0-9._+-]*\.tgz")


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A bundle that was read and found whole. files: {name: content} without manifest.json and SHA256SUMS.

    charts: [{name, version, digest, file, refs: [{ref, version}]}] of its manifest.
    """

    path: str
    manifest: Object
    files: dict[str, bytes]

    @property
    def charts(self) -> list[Object]:
        """The charts that it holds."""
        return self.manifest["charts"]


def archive_bytes(manifest: Object, files: dict[str, bytes], *, packed: bool) -> bytes:
    """Return a bundle's bytes, the same for the same content; packed: compress it."""
    members = {**files, MANIFEST: as_json({**manifest, "kind": KIND, "format": FORMAT})}
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(members.items())]
    data = tar_bytes({**members, SUMS: "".join(sums).encode()})
    return gzip_bytes(data) if packed else data


def as_json(value: t.Any) -> bytes:
    """Return JSON to read, the same for the same value."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def tar_bytes(files: dict[str, bytes]) -> bytes:
    """Return a tar archive of files, without times and owners, in the order of their names."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(files[name]), 0o644, 0
            tar.addfile(entry, io.BytesIO(files[name]))
    return stream.getvalue()


def gzip_bytes(data: bytes) -> bytes:
    """Return data compressed, without time and name; gzip.compress writes another header from Python 3.11 on."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=stream, mtime=0) as packed:
        packed.write(data)
    return stream.getvalue()


def read_bundle(path: str) -> Bundle:
    """Return a bundle; raise OrchestratorError unless every byte of it is as it was written."""
    files = _members(path)
    sums = _sums(files.get(SUMS), path)
    if set(sums) != set(files) - {SUMS}:
        odd = sorted(set(sums) ^ (set(files) - {SUMS}))
        raise broken(path, f"{odd[0]} is {'missing' if odd[0] in sums else 'not in ' + SUMS}")
    for name, wanted in sums.items():
        if hashlib.sha256(files[name]).hexdigest() != wanted:
            raise broken(path, f"{name} was modified: its SHA-256 differs")
    manifest = _manifest(files.get(MANIFEST), path)
    for chart in manifest["charts"]:
        _check_chart(chart, files, path)
    return Bundle(path, manifest, {name: content for name, content in files.items() if name not in (MANIFEST, SUMS)})


def broken(path: str, what: str) -> OrchestratorError:
    """Return the error for a bundle that cannot be used."""
    return OrchestratorError(
        f"The bundle {path} is invalid: {what}.",
        hint="Copy it again, or recreate it with the playbook bundle, and compare: sha256sum BUNDLE",
    )


def _members(path: str) -> dict[str, bytes]:
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise OrchestratorError(
            f"The bundle {path} cannot be read: {exc.strerror or exc}.", hint="Set llm_d_bundle to a bundle's path."
        ) from exc
    files: dict[str, bytes] = {}
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise broken(path, f"it is larger than {MAX_BYTES} bytes")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for count, member in enumerate(archive):
                _check_member(member, files, count, path)
                files[member.name] = t.cast("t.IO[bytes]", archive.extractfile(member)).read()
    except (tarfile.TarError, EOFError, OSError, zlib.error, UnicodeError) as exc:
        raise broken(path, f"it is not a valid .tar or .tgz archive ({exc})") from exc
    return files


def _check_member(member: tarfile.TarInfo, files: dict[str, bytes], count: int, path: str) -> None:
    name = member.name
    if not member.isfile():
        raise broken(path, f"it contains {name!r}, which is not a regular file")
    parts = name.split("/")
    if posixpath.isabs(name) or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise broken(path, f"it contains {name!r}, which is not a valid path")
    if name in files:
        raise broken(path, f"it contains {name!r} twice")
    if count >= MAX_MEMBERS:
        raise broken(path, f"it contains more than {MAX_MEMBERS} files")


def _sums(content: bytes | None, path: str) -> dict[str, str]:
    if content is None:
        raise broken(path, f"it contains no {SUMS}, so it is not a bundle of this collection")
    lines = [line.partition("  ") for line in content.decode("utf-8", "replace").splitlines()]
    return {name: digest for digest, _separator, name in lines}


def _manifest(content: bytes | None, path: str) -> Object:
    try:
        manifest = json.loads(content or b"")
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise broken(path, f"its {MANIFEST} is not of a bundle of this collection")
    if manifest.get("format") != FORMAT:
        raise broken(path, f"its format is {manifest.get('format')!r}, but this release reads only format {FORMAT}")
    charts = manifest.get("charts")
    if not isinstance(charts, list) or not all(isinstance(chart, dict) for chart in charts):
        raise broken(path, f"its {MANIFEST} lists no charts")
    return manifest


def _check_chart(chart: Object, files: dict[str, bytes], path: str) -> None:
    name, digest, refs = str(chart.get("file")), chart.get("digest"), chart.get("refs")
    match = _CHART_FILE.fullmatch(name)
    known = isinstance(refs, list) and all(isinstance(ref, dict) and isinstance(ref.get("ref"), str) for ref in refs)
    if not known or not match or match[1] != digest or name not in files:
        raise broken(path, f"its {MANIFEST} lists a chart {name!r} that it does not contain")
    if hashlib.sha256(files[name]).hexdigest() != digest:
        raise broken(path, f"{name} does not have the digest in its name")
