# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files, read without ever waiting for a pipe or filling the memory, and written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile


def read_regular(path: str, limit: int) -> tuple[bytes, int]:
    """Return a regular file's first limit bytes and its size in bytes.

    Raises OSError for all else: a pipe, a device, a folder, a name that no file can have.
    """
    if "\0" in path:
        raise OSError(errno.EINVAL, "the name holds a NUL character")
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is neither a file nor a folder")
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
