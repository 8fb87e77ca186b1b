# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's programs that are already on this machine: in a named folder, on PATH, or in the user's cache."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import typing as t

from ..base.errors import OrchestratorError
from ..base.files import write_atomic

VERSION_ARGUMENTS = {
    "helm": ["version", "--short"],
    "kubectl": ["version", "--client"],
}
PROBE_TIMEOUT = 10
ARCHES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
Version = tuple[int, ...]


class FoundProgram(t.NamedTuple):
    """A usable program. source: folder, PATH, cache, download or build."""

    path: str
    version: str
    source: str


def parse_version(text: str) -> Version | None:
    """Return the first version in a text ("etcd Version: 3.6.5" -> (3, 6, 5)), or None."""
    match = re.search(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in match.groups() if part is not None) if match else None


def acceptable(version: Version, minimum: str, below: str) -> bool:
    """Say whether minimum <= version < below, both like "3.13"."""
    low, high = (tuple(int(part) for part in limit.split(".")) for limit in (minimum, below))
    return low <= version[: len(low)] and version[: len(high)] < high


def platform_names() -> tuple[str, str]:
    """Return this machine's system and processor as Go names them, for example ("linux", "amd64")."""
    machine = platform.machine().lower()
    return platform.system().lower(), ARCHES.get(machine, machine)


def fill(text: str, version: str, tool: str = "") -> str:
    """Return a pinned text with its places filled: {version}, {number}, {os}, {arch}, {tool}."""
    system, arch = platform_names()
    return text.format(version=version, number=version.lstrip("v"), os=system, arch=arch, tool=tool)


def cache_place(cache: pathlib.Path, name: str, version: str) -> pathlib.Path:
    """Return the cache's folder of one tool in one version."""
    return cache / f"{name}-{version}"


def look(
    groups: list[dict], folder: str | None, path: str, cache: pathlib.Path
) -> tuple[dict[str, FoundProgram], list[str]]:
    """Return the tools that are at hand, and a line for each that was passed over for its version.

    groups: _lab_tools. folder: lab_binaries_dir or None. path: the PATH to search.
    """
    wanted = [(group, tool) for group in groups for tool in group["tools"]]
    known = Probes(cache / "probes.json")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda pair: _look_for(pair[0], pair[1], folder, path, cache, known), wanted))
    known.save()
    found = {tool: result[0] for (_group, tool), result in zip(wanted, results, strict=True) if result[0]}
    return found, [line for result in results for line in result[1]]


def _look_for(
    group: dict, tool: str, folder: str | None, path: str, cache: pathlib.Path, known: Probes
) -> tuple[FoundProgram | None, list[str]]:
    lines: list[str] = []
    for candidate, source in _candidates(group, tool, folder, path):
        text = known.version(candidate, VERSION_ARGUMENTS.get(tool, ["--version"]))
        version = parse_version(text)
        if version and acceptable(version, group["min"], group["below"]):
            return FoundProgram(candidate, "v" + ".".join(map(str, version)), source), lines
        shown = "v" + ".".join(map(str, version)) if version else "of unknown version"
        lines.append(f"{candidate} is {shown}, not {group['min']} <= version < {group['below']}: skipped")
    cached = cache_place(cache, tool, group["version"]) / tool
    if os.access(cached, os.X_OK):
        return FoundProgram(str(cached), group["version"], "cache"), lines
    return None, lines


def _candidates(group: dict, tool: str, folder: str | None, path: str) -> t.Iterator[tuple[str, str]]:
    if folder:
        # Both a plain folder of programs and a copy of another machine's cache will do.
        for place in (pathlib.Path(folder) / tool, cache_place(pathlib.Path(folder), tool, group["version"]) / tool):
            if os.access(place, os.X_OK) and place.is_file():
                yield str(place), "folder"
    on_path = shutil.which(tool, path=path)
    if on_path:
        yield on_path, "PATH"


class Probes:
    """What programs said their versions were, kept by path, time and size so that each is asked once."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        self.known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            self.known = json.loads(file.read_text(encoding="utf-8"))
        self.before = dict(self.known)

    def version(self, path: str, arguments: list[str]) -> str:
        """Return what the program prints about its version, "" where it fails."""
        try:
            facts = os.stat(path)
        except OSError:
            return ""
        key = f"{path}|{facts.st_mtime_ns}|{facts.st_size}"
        if key not in self.known:
            self.known[key] = _ask(path, arguments)
        return self.known[key]

    def save(self) -> None:
        """Keep what was learned; a cache that cannot be written is no failure."""
        if self.known != self.before:
            with contextlib.suppress(OrchestratorError):
                write_atomic(str(self.file), json.dumps(self.known))


def _ask(path: str, arguments: list[str]) -> str:
    try:
        done = subprocess.run(
            [path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_TIMEOUT,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()[:400] if done.returncode == 0 else ""
