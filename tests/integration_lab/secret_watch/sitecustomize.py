# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Loaded by every Python process of a watched run: notes commands, files that are written, and what they held.

SECRET_WATCH names a JSON file {log, folders, secrets}. Python's own audit events tell of every program that is started
and every file that is written, removed or renamed, however short it lives.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

PATH = os.environ.get("SECRET_WATCH")
EVENTS = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.remove", "os.rename", "open")
WRITING = os.O_WRONLY | os.O_RDWR


class Watch:
    """Appends one JSON line for each event; never disturbs the process."""

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as stream:
            spec = json.load(stream)
        self.log, self.folders = spec["log"], tuple(spec["folders"])
        self.secrets = {name: text.encode() for name, text in spec["secrets"].items()}
        self.paths = re.compile("(?:" + "|".join(map(re.escape, self.folders)) + ")[^\\s'\":;]*")
        self.busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.busy or event not in EVENTS:
            return
        self.busy = True
        try:
            self.note(event, arguments)
        except (OSError, ValueError, TypeError):
            pass
        finally:
            self.busy = False

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(arguments[0], (str, bytes)) and arguments[2] & WRITING:
                self.write({"event": "written", "path": os.path.abspath(os.fsdecode(arguments[0]))})
        elif event == "os.remove":
            self.file("removed", *arguments[:2])
        elif event == "os.rename":
            self.file("renamed", arguments[0], arguments[2])
        else:
            self.command([os.fsdecode(word) for word in arguments[1]])

    def command(self, words: list[str]) -> None:
        self.write({"event": "command", "words": words})
        for path in {found for word in words for found in self.paths.findall(word)}:
            self.file("given", path, -1)
            for folder, _folders, names in os.walk(path):
                for name in names:
                    self.file("given", os.path.join(folder, name), -1)

    def file(self, event: str, name: Any, folder: Any) -> None:
        """Note what a file of the watched folders holds; folder: a descriptor that its name is relative to."""
        path = os.fsdecode(name)
        if isinstance(folder, int) and folder >= 0:
            path = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), path)
        path = os.path.abspath(path)
        if not path.startswith(self.folders) or not os.path.isfile(path):
            return
        with open(path, "rb") as stream:
            content = stream.read()
        found = [name for name, secret in self.secrets.items() if secret in content]
        self.write({"event": event, "path": path, "mode": self.mode(path), "found": found})

    def mode(self, path: str) -> int:
        """Who may reach a file: its mode, less what the folders above it forbid."""
        mode = os.stat(path).st_mode & 0o777
        while (path := os.path.dirname(path)) not in self.folders:
            folder = os.stat(path).st_mode
            # Without x on a folder nothing in it can be reached.
            mode &= ~(0o070 if not folder & 0o010 else 0) & ~(0o007 if not folder & 0o001 else 0)
        return mode

    def write(self, row: dict[str, Any]) -> None:
        line = json.dumps({"pid": os.getpid(), **row}) + "\n"
        handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, line.encode())
        os.close(handle)


if PATH:
    sys.addaudithook(Watch(PATH))
