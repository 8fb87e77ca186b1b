# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A set of a host's files that belong together: written, taken back to what they were, and removed as one."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import grp
import json
import os
import pathlib
import pwd
import secrets
import shutil
import stat
import string
import tempfile
import typing as t

ALPHABET = string.ascii_letters + string.digits
KEPT = "files.json"


@dataclasses.dataclass(frozen=True)
class HostFile:
    """A file, a link where link is given, or a folder; random: how many random characters it is made of once."""

    path: pathlib.Path
    content: str | None = None
    link: str | None = None
    directory: bool = False
    random: int | None = None
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    secret: bool = False

    @property
    def hidden(self) -> bool:
        """Whether what is in it must not be shown."""
        return self.secret or self.random is not None


@dataclasses.dataclass
class FileChange:
    """What becomes of one path; before and after are texts that may be shown."""

    path: str
    before: str
    after: str
    created: bool = False


def parse(given: t.Mapping[str, t.Any]) -> HostFile:
    """Return a file of its options. Raises ValueError."""
    kinds = [name for name in ("content", "link", "random") if given.get(name) is not None]
    kinds += ["directory"] if given.get("directory") else []
    if len(kinds) > 1:
        raise ValueError(f"{given['path']}: {' and '.join(kinds)} are mutually exclusive")
    mode = str(given.get("mode") or ("0755" if given.get("directory") else "0644"))
    if not all(digit in "01234567" for digit in mode):
        raise ValueError(f"{given['path']}: {mode!r} is not a valid mode")
    if not os.path.isabs(given["path"]):
        raise ValueError(f"{given['path']}: an absolute path is required")
    return HostFile(
        pathlib.Path(given["path"]),
        given.get("content"),
        given.get("link"),
        bool(given.get("directory")),
        given.get("random"),
        given.get("owner") or "root",
        given.get("group") or "root",
        int(mode, 8),
        bool(given.get("secret")),
    )


def write(files: t.Sequence[HostFile], check: bool, backup: pathlib.Path | None = None) -> list[FileChange]:
    """Write what differs, and return that. What the files were before is kept in the folder backup."""
    changes = [change for change in map(_change, files) if change]
    if check or not changes:
        return changes
    if backup:
        _keep(files, backup)
    changed = {change.path for change in changes}
    for file in files:
        if str(file.path) in changed:
            _write(file)
    return changes


def remove(files: t.Sequence[HostFile], check: bool) -> list[FileChange]:
    """Remove the files and whole folders, and return what there was of them."""
    changes = []
    for file in files:
        if not os.path.lexists(file.path):
            continue
        changes.append(FileChange(str(file.path), "present\n", ""))
        if not check:
            _clear(file.path)
    return changes


def restore(backup: pathlib.Path, check: bool) -> list[FileChange]:
    """Take the files back to what they were before they were last written; those that were new are removed."""
    kept = backup / KEPT
    if not kept.exists():
        raise ValueError(f"nothing to restore in {backup}")
    entries = json.loads(kept.read_text(encoding="utf-8"))
    changes = [FileChange(path, "", "restored\n") for path in entries]
    for path, entry in () if check else entries.items():
        if entry is None:
            if not pathlib.Path(path).is_dir():
                _clear(pathlib.Path(path))
        elif "link" in entry:
            _link(pathlib.Path(path), entry["link"])
        else:
            _place(pathlib.Path(path), base64.b64decode(entry["content"]), entry["mode"], entry["uid"], entry["gid"])
    return changes


def contents(files: t.Iterable[HostFile]) -> dict[str, str]:
    """Return what is in the files that were made at random."""
    return {
        str(file.path): file.path.read_text(encoding="utf-8")
        for file in files
        if file.random is not None and file.path.exists()
    }


def _change(file: HostFile) -> FileChange | None:
    """Return what has to become of a file, None where it is as it should be."""
    path = file.path
    if not os.path.lexists(path):
        return FileChange(str(path), "", "(hidden)\n" if file.hidden else file.content or "present\n", True)
    if file.link is not None:
        found = os.readlink(path) if path.is_symlink() else "no link"
        return FileChange(str(path), f"{found}\n", f"{file.link}\n") if found != file.link else None
    if file.directory != path.is_dir():
        raise ValueError(f"{path} is {'not ' if file.directory else ''}a directory")
    before = "" if file.content is None else path.read_text(encoding="utf-8", errors="replace")
    if file.content is not None and before != file.content:
        if file.hidden:
            return FileChange(str(path), "(hidden)\n", "(hidden, changed)\n")
        return FileChange(str(path), before, file.content)
    seen, wanted = _rights(path), (f"{file.mode:04o}", file.owner, file.group)
    return FileChange(str(path), " ".join(seen) + "\n", " ".join(wanted) + "\n") if seen != wanted else None


def _rights(path: pathlib.Path) -> tuple[str, str, str]:
    found = path.stat()
    owner, group = str(found.st_uid), str(found.st_gid)
    # A number that has no name differs from every name that is asked for.
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(found.st_uid).pw_name
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(found.st_gid).gr_name
    return f"{stat.S_IMODE(found.st_mode):04o}", owner, group


def _write(file: HostFile) -> None:
    try:
        uid, gid = pwd.getpwnam(file.owner).pw_uid, grp.getgrnam(file.group).gr_gid
    except KeyError as exc:
        raise ValueError(f"{file.path}: no such user or group: {exc.args[0]}") from exc
    if file.link is not None:
        _link(file.path, file.link)
    elif file.directory:
        file.path.mkdir(parents=True, exist_ok=True)
        os.chown(file.path, uid, gid)
        file.path.chmod(file.mode)
    else:
        content = file.content
        if file.random is not None:
            content = None if file.path.exists() else "".join(map(secrets.choice, [ALPHABET] * file.random))
        data = file.path.read_bytes() if content is None else content.encode()
        _place(file.path, data, file.mode, uid, gid)


def _place(path: pathlib.Path, data: bytes, mode: int, uid: int, gid: int) -> None:
    """Put a file in its place whole, never readable by others than it may be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            os.fchown(handle, uid, gid)
            os.fchmod(handle, mode)
        os.replace(name, path)
    except BaseException:
        pathlib.Path(name).unlink()
        raise


def _link(path: pathlib.Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    if os.path.lexists(new):
        new.unlink()
    new.symlink_to(target)
    os.replace(new, path)


def _clear(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _keep(files: t.Iterable[HostFile], backup: pathlib.Path) -> None:
    entries: dict[str, dict[str, t.Any] | None] = {}
    for file in files:
        if file.directory:
            continue
        path = file.path
        if path.is_symlink():
            entries[str(path)] = {"link": os.readlink(path)}
        elif path.exists():
            found, data = path.stat(), base64.b64encode(path.read_bytes()).decode()
            mode = stat.S_IMODE(found.st_mode)
            entries[str(path)] = {"content": data, "mode": mode, "uid": found.st_uid, "gid": found.st_gid}
        else:
            entries[str(path)] = None
    backup.mkdir(parents=True, exist_ok=True, mode=0o700)
    backup.chmod(0o700)
    _place(backup / KEPT, json.dumps(entries).encode(), 0o600, 0, 0)
