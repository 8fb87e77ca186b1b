# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where files go: what is wanted, or another place where that cannot be written (a read-only project, no home)."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import typing as t

from .errors import OrchestratorError

# ansible-runner, and so AWX, sets it for each job: what is in that folder is handed back with the job's events.
ARTIFACTS = "AWX_ISOLATED_DATA_DIR"
OWN = "llm-d-orchestrator"
# Helm's own folders: the variable of each, XDG's variable for the folder above it, and that folder by default.
# helm.sh/helm, pkg/helmpath.
_HELM_FOLDERS = (
    ("HELM_CACHE_HOME", "XDG_CACHE_HOME", "~/.cache"),
    ("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", "~/.config"),
    ("HELM_DATA_HOME", "XDG_DATA_HOME", "~/.local/share"),
)


def can_be_written(path: str) -> bool:
    """Return whether a folder, or the nearest one above it that exists, can be written; "~" has to have a meaning."""
    if not os.path.isabs(path):
        return False
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def usable_folder(wanted: str, name: str, environ: t.Mapping[str, str]) -> str:
    """Return a folder that can be written: wanted, else name below the job's artifacts or the temporary files.

    Where none of them can be written, wanted is returned, so that the error is about that.
    """
    wanted = os.path.expanduser(wanted)
    if can_be_written(wanted):
        return wanted
    artifacts = environ.get(ARTIFACTS) or ""
    if artifacts and can_be_written(artifacts):
        return os.path.join(artifacts, OWN, name)
    own = own_temporary_folder()
    return os.path.join(own, name) if own else wanted


def scratch_folder(wanted: str, name: str) -> str:
    """Return a folder for what can be made again: wanted where it is there or can be made, else a temporary one."""
    wanted = os.path.expanduser(wanted)
    if os.path.isdir(wanted) or can_be_written(wanted):
        return wanted
    own = own_temporary_folder()
    return os.path.join(own, name) if own else wanted


def own_temporary_folder() -> str:
    """Return a folder below the temporary files that is this user's alone and the same each time, "" for none."""
    path = os.path.join(tempfile.gettempdir(), f"{OWN}-{os.getuid()}")
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.lstat(path)
    except OSError:
        return ""
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return path if mine else ""


def helm_folders(environ: t.Mapping[str, str]) -> dict[str, str]:
    """Return variables that lead Helm away from folders which are not there and cannot be made."""
    found = {}
    for name, above, default in _HELM_FOLDERS:
        wanted = environ.get(name) or os.path.join(environ.get(above) or os.path.expanduser(default), "helm")
        usable = scratch_folder(wanted, name.lower())
        if usable != wanted:
            found[name] = usable
    return found


def read_regular(path: str, limit: int) -> tuple[bytes, int]:
    """Return a regular file's first limit bytes and its size in bytes.

    Raises OSError for all else: a pipe, a device, a folder, a name that no file can have.
    """
    if "\0" in path:
        raise OSError(errno.EINVAL, "the name contains a NUL character")
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file or folder")
        content = stream.read(limit)
    return content, max(status.st_size, len(content))


def replace_file(path: str, content: bytes, mode: int) -> None:
    """Write a file whole or not at all: readers see what was there or what is written. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


# Records may be shared within a group; they hold no secrets.
FILE_MODE, DIRECTORY_MODE = 0o640, 0o750
# About what a small record takes.
TRIAL_BYTES = 64 * 1024


def prepare_directory(path: str, dry: bool = False) -> None:
    """Make a run's directory and prove that it can be written; dry only asks the nearest folder that exists.

    Raises OrchestratorError naming the folder.
    """
    hint = "Set llm_d_records_dir to a writable folder, or fix its permissions."
    if dry:
        while not os.path.exists(path) and os.path.dirname(path) != path:
            path = os.path.dirname(path)
        if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
            raise OrchestratorError(f"Cannot write the deployment record under {path}.", hint=hint)
        return
    try:
        os.makedirs(path, mode=DIRECTORY_MODE, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as trial:
            # A full disk still makes files.
            trial.write(bytes(TRIAL_BYTES))
    except OSError as exc:
        reason = exc.strerror or exc
        raise OrchestratorError(f"Cannot write the deployment record to {path}: {reason}.", hint=hint) from exc


def write_atomic(path: str, content: str | bytes, mode: int = FILE_MODE) -> None:
    """Write a file, and the folder that it is in, as a whole or not at all. Raises OrchestratorError."""
    if isinstance(content, str):
        content = content.encode(errors="backslashreplace")
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        replace_file(path, content, mode)
    except OSError as exc:
        raise OrchestratorError(f"Cannot write {path}: {exc.strerror or exc}.") from exc
