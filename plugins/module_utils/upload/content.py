# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a local folder holds, by digests, and as the bytes of a tar archive.

Folders count too, empty ones as well: Triton wants a version's folder of a model that has no files.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import tarfile
import typing as t

from ..base.errors import OrchestratorError
from ..base.files import replace_file

CHUNK = 256 * 1024
BLOCK = tarfile.BLOCKSIZE
# What sha256sum writes otherwise than as it is, and what no archive needs.
_STRANGE = ("\n", "\r", "\\")


class LocalFile(t.NamedTuple):
    """A file's digest and size."""

    sha256: str
    size: int


@dataclasses.dataclass(frozen=True)
class FolderContent:
    """A folder's files and folders, by their paths inside it with / between."""

    root: str
    files: dict[str, LocalFile]
    folders: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What tells two contents apart."""
        rows = [*((path, one.sha256) for path, one in sorted(self.files.items())), *self.folders]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files.values())


def read_content(root: str, cache: str) -> FolderContent:
    """Return what a folder holds; raise OrchestratorError for what cannot be read or sent.

    cache: folder that remembers digests of files that have not changed, since models are large.
    """
    state = list(_walk(root))
    key = hashlib.sha256(json.dumps([os.path.realpath(root), state]).encode()).hexdigest()
    known = os.path.join(cache, "uploads", f"{key}.json")
    paths = [path for path, size, _time in state if size >= 0]
    digests = _remembered(known, len(paths))
    if digests is None:
        digests = [_sha256(os.path.join(root, path)) for path in paths]
        _remember(known, digests)
    sizes = {path: size for path, size, _time in state}
    files = {path: LocalFile(digest, sizes[path]) for path, digest in zip(paths, digests, strict=True)}
    return FolderContent(root, files, tuple(path for path, size, _time in state if size < 0))


def _walk(root: str) -> t.Iterator[tuple[str, int, int]]:
    """Yield path, size and time of change of all files and, with a size of -1, folders; links count as what they are
    links to."""
    seen = set()
    for folder, names, files in os.walk(root, followlinks=True, onerror=_raise):
        names.sort()
        here = os.path.realpath(folder)
        if here in seen:
            raise OrchestratorError(f"{folder} is a link to a parent folder.", hint="Remove the link.")
        seen.add(here)
        for name in sorted(names):
            yield _inside(root, folder, name), -1, 0
        for name in sorted(files):
            found = _stat(os.path.join(folder, name))
            yield _inside(root, folder, name), found.st_size, found.st_mtime_ns


def _inside(root: str, folder: str, name: str) -> str:
    path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
    if any(sign in path for sign in _STRANGE):
        raise OrchestratorError(f"{path!r} in {root} has a name that cannot be uploaded.", hint="Rename it.")
    return path


def _raise(error: OSError) -> t.NoReturn:
    raise OrchestratorError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _stat(path: str) -> os.stat_result:
    try:
        found = os.stat(path)
    except OSError as exc:
        _raise(exc)
    if not stat.S_ISREG(found.st_mode):
        raise OrchestratorError(f"{path} is not a regular file or folder.", hint="Remove it.")
    return found


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while data := stream.read(CHUNK):
                digest.update(data)
    except OSError as exc:
        _raise(exc)
    return digest.hexdigest()


def _remembered(path: str, count: int) -> list[str] | None:
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, list) and len(found) == count else None


def _remember(path: str, digests: list[str]) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        replace_file(path, json.dumps(digests).encode(), 0o600)
    except OSError:  # without a cache all is read again next time
        return


class Archive:
    """A tar archive of some of a folder's files, with all of its folders. size: of all its bytes."""

    def __init__(self, content: FolderContent, paths: t.Sequence[str]) -> None:
        self.content, self.paths = content, paths
        folders = [_header(path, tarfile.DIRTYPE, 0) for path in content.folders]
        self._folders = b"".join(folders)
        self._headers = [_header(path, tarfile.REGTYPE, content.files[path].size) for path in paths]
        files = sum(
            len(one) + _padded(content.files[path].size) for one, path in zip(self._headers, paths, strict=True)
        )
        self.size = len(self._folders) + files + 2 * BLOCK

    def chunks(self) -> t.Iterator[bytes]:
        """Yield its bytes; raise OrchestratorError where a file is no longer as long as it was."""
        if self._folders:
            yield self._folders
        for header, path in zip(self._headers, self.paths, strict=True):
            yield header
            yield from self._file(path)
        yield bytes(2 * BLOCK)

    def _file(self, path: str) -> t.Iterator[bytes]:
        left = size = self.content.files[path].size
        place = os.path.join(self.content.root, path)
        try:
            with open(place, "rb") as stream:
                while left and (data := stream.read(min(CHUNK, left))):
                    left -= len(data)
                    yield data
        except OSError as exc:
            _raise(exc)
        if left:
            raise OrchestratorError(f"{place} changed during the upload.", hint="Run it again when it is complete.")
        if padding := bytes(_padded(size) - size):
            yield padding


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _header(path: str, kind: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo(path)
    entry.type, entry.size, entry.mode = kind, size, 0o755 if kind == tarfile.DIRTYPE else 0o644
    return entry.tobuf(tarfile.GNU_FORMAT)
