# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands by which a pod takes a folder's content: all of sh and its small tools, all paths relative.

What is sent lies in a folder of its own, named after the content, until it is complete; so what is cut off goes on
where it was, and readers see the old content or the new.
"""

from __future__ import annotations

import re

from .content import FolderContent

PREFIX = ".upload-"
_SUM = re.compile(r"\\?([0-9a-f]{64}) [ *]\./(.*)\Z")
_LOOK = """
cd "$0" 2>/dev/null || exit 0
find . -type d
find . -type f -exec sha256sum {} +
"""
# head gives tar the end of its input, which a connection cannot.
_TAKE = """
set -e
for one in .upload-*; do [ "$one" = "$0" ] || rm -rf "$one"; done
mkdir -p "$0"
head -c "$1" | tar -xf - -C "$0"
"""
_PLACE = """
set -e
mkdir -p "$(dirname "$1")"
rm -rf "$1.old"
if [ -e "$1" ]; then mv "$1" "$1.old"; fi
mv "$0" "$1"
rm -rf "$1.old"
"""


def staging(digest: str) -> str:
    """Return where a content lies until it is complete."""
    return PREFIX + digest[:16]


def look(digest: str) -> list[str]:
    """Return the command that tells what is there of a content; see missing()."""
    return ["sh", "-c", _LOOK, staging(digest)]


def take(digest: str, size: int) -> list[str]:
    """Return the command that takes an archive of so many bytes from its input."""
    return ["sh", "-c", _TAKE, staging(digest), str(size)]


def place(digest: str, path: str) -> list[str]:
    """Return the command that puts a complete content where it is wanted."""
    return ["sh", "-c", _PLACE, staging(digest), path]


def missing(content: FolderContent, told: str) -> list[str] | None:
    """Return the files that are absent or others, None where files and folders are all there. told: of look()."""
    lines = told.splitlines()
    sums = {found[2]: found[1] for line in lines if (found := _SUM.match(line))}
    folders = {line.removeprefix("./") for line in lines}
    lacking = [path for path, one in content.files.items() if sums.get(path) != one.sha256]
    return lacking if lacking or any(path not in folders for path in content.folders) else None


def mark(path: str, digest: str) -> str:
    """Return the mark of a claim that holds a content at a path."""
    return f"{path}={digest}"
