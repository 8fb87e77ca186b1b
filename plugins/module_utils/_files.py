# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of a user's, read without ever waiting for a pipe or filling the memory."""

from __future__ import annotations

import errno
import os
import stat


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
