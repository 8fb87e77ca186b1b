# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All programs and definitions of a lab: found, else downloaded, else built, and kept in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import tempfile
import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._lab_crds import write_bundle
from ansible_collections.llm_d.orchestrator.plugins.module_utils._lab_download import (
    DownloadError,
    Reach,
    download_files,
    download_tool,
    mirrored,
    staging,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._lab_gobuild import BuildError, Go, copy_verified
from ansible_collections.llm_d.orchestrator.plugins.module_utils._lab_tools import (
    Found,
    cache_place,
    fill,
    look,
    platform_names,
)

Say = t.Callable[[str], None]


class Binaries:
    """Everything that a lab is made of. params: the options of module lab_binaries. say: takes lines of progress."""

    def __init__(self, params: dict, cache: pathlib.Path, say: Say) -> None:
        self.params = params
        self.cache = cache
        self.say = say
        self.path = params.get("path") or os.environ.get("PATH", "")
        self.go = Go(self.path)
        self.notes: list[str] = []
        self.made: list[str] = []

    def obtain(self, check_mode: bool = False) -> dict:
        """Return paths, versions and sources of all tools, and the folders of definitions; raises OrchestratorError."""
        _check_platform()
        folder = self.params.get("binaries_dir")
        if folder and not pathlib.Path(folder).expanduser().is_dir():
            raise OrchestratorError(f"lab_binaries_dir {folder} is not a folder.")
        folder = str(pathlib.Path(folder).expanduser()) if folder else None
        found, self.notes = look(self.params["tools"], folder, self.path, self.cache)
        crds = {entry["name"]: self._crd_folder(entry, folder) for entry in self.params["crds"]}
        if not check_mode and (self._missing(found) or None in crds.values()):
            with self._lock():
                found, self.notes = look(self.params["tools"], folder, self.path, self.cache)
                self._get_all(found)
                crds = {entry["name"]: self._crd_folder(entry, folder) for entry in self.params["crds"]}
        return self._result(found, crds)

    def _missing(self, found: dict[str, Found]) -> list[tuple[dict, list[str]]]:
        groups = [(group, [tool for tool in group["tools"] if tool not in found]) for group in self.params["tools"]]
        return [(group, tools) for group, tools in groups if tools]

    def _crd_folder(self, entry: dict, folder: str | None) -> str | None:
        for base in ([pathlib.Path(folder)] if folder else []) + [self.cache]:
            place = cache_place(base, entry["name"], entry["version"])
            if all((place / name).is_file() for name in entry["files"]):
                return str(place)
        return None

    def _get_all(self, found: dict[str, Found]) -> None:
        missing = self._missing(found)
        crds = [entry for entry in self.params["crds"] if not self._crd_folder(entry, self.params.get("binaries_dir"))]
        urls = [self._url(group["download"]["checksum"], group, tools[0]) for group, tools in missing]
        urls += [mirrored(entry["url"], self.params.get("mirror")) for entry in crds]
        reach = Reach(urls) if self.params["download"] else None
        failures: list[str] = []
        jobs = [(", ".join(tools), group, tools) for group, tools in missing]
        total = len(jobs) + len(crds)
        for number, (label, group, tools) in enumerate(jobs, 1):
            try:
                found.update(self._get_tools(group, tools, reach, f"{label}, {number} of {total}"))
            except BuildError as exc:
                failures.append(f"{label} {group['version']}: {exc}")
        for number, entry in enumerate(crds, len(jobs) + 1):
            try:
                self._get_crds(entry, reach, f"{entry['name']}, {number} of {total}")
            except BuildError as exc:
                failures.append(f"{entry['name']} {entry['version']}: {exc}")
        if failures:
            raise self._nothing_left(failures)

    def _url(self, text: str, group: dict, tool: str) -> str:
        return mirrored(fill(text, group["version"], tool), self.params.get("mirror"))

    def _get_tools(self, group: dict, tools: list[str], reach: Reach | None, label: str) -> dict[str, Found]:
        """Return the group's tools, now in the cache; raises BuildError with all that was tried."""
        try:
            got = self._download_group(group, tools, reach, label)
        except DownloadError as exc:
            self._note(f"{label}: not downloaded: {exc}")
            problem = self.go.problem(group["build"]["go"]) if self.params["build"] else "building is switched off"
            if problem:
                raise BuildError(f"not downloaded ({exc}); not built ({problem})") from exc
            got = self._build_group(group, tools, label)
        self.made += tools
        return got

    def _download_group(self, group: dict, tools: list[str], reach: Reach | None, label: str) -> dict[str, Found]:
        recipe, version = group["download"], group["version"]
        checksum = self._url(recipe["checksum"], group, tools[0])
        _check_reach(reach, checksum)
        started = time.monotonic()
        self.say(f"downloading {label}")
        for tool in tools:
            member = fill(recipe["member"], version, tool) if recipe.get("member") else None
            with staging(cache_place(self.cache, tool, version)) as folder:
                urls = (self._url(recipe["url"], group, tool), self._url(recipe["checksum"], group, tool))
                download_tool(*urls, member, tool, folder)
        self.say(f"downloaded {label} in {time.monotonic() - started:.0f} s, checksums verified")
        return self._cached(group, tools, "download")

    def _build_group(self, group: dict, tools: list[str], label: str) -> dict[str, Found]:
        started = time.monotonic()
        log = self.cache / f"build-{group['name']}.log"
        log.unlink(missing_ok=True)
        minutes = group["build"]["minutes"]
        self.say(f"building {label}, with Go, about {minutes} min on two processors the first time; log {log}")
        with tempfile.TemporaryDirectory(prefix=".build-", dir=self.cache) as folder:
            self.go.build(group, tools, pathlib.Path(folder), log)
            for tool in tools:
                with staging(cache_place(self.cache, tool, group["version"])) as place:
                    (pathlib.Path(folder) / tool).rename(place / tool)
        log.unlink(missing_ok=True)
        self.say(f"built {label} in {time.monotonic() - started:.0f} s")
        return self._cached(group, tools, "build")

    def _cached(self, group: dict, tools: list[str], source: str) -> dict[str, Found]:
        places = {tool: cache_place(self.cache, tool, group["version"]) / tool for tool in tools}
        return {tool: Found(str(place), group["version"], source) for tool, place in places.items()}

    def _get_crds(self, entry: dict, reach: Reach | None, label: str) -> None:
        """Put a set of definitions into the cache; raises BuildError with all that was tried."""
        with staging(cache_place(self.cache, entry["name"], entry["version"])) as folder:
            base = mirrored(fill(entry["url"], entry["version"]), self.params.get("mirror"))
            try:
                _check_reach(reach, base)
                download_files(base, entry["files"], folder)
                self.say(f"downloaded {label}, checksums verified")
            except DownloadError as exc:
                self._note(f"{label}: not downloaded: {exc}")
                problem = self.go.problem("1.0") if self.params["build"] else "Go is switched off"
                if problem:
                    raise BuildError(f"not downloaded ({exc}); no Go module ({problem})") from exc
                facts = self.go.module(entry["module"], entry["version"])
                copy_verified(pathlib.Path(facts["Dir"]) / entry["folder"], entry["files"], folder)
                self.say(f"took {label} from its Go module")
            write_bundle(folder)
        self.made.append(entry["name"])

    def _note(self, line: str) -> None:
        self.notes.append(line)
        self.say(line)

    def _nothing_left(self, failures: list[str]) -> OrchestratorError:
        needs = sorted(
            {group["build"]["go"] for group in self.params["tools"]}, key=lambda text: [*map(int, text.split("."))]
        )
        return OrchestratorError(
            "The lab lacks programs, and neither the network nor Go on this machine can supply them.",
            details=failures,
            hint=f"Do one of these: (1) install Go {needs[-1]} or newer, with access to a Go module proxy (GOPROXY), "
            "and have it on PATH; (2) allow downloads from the hosts above, or name a mirror of them in "
            f"lab_download_mirror; (3) copy {self.cache} from a machine that has run lab_up, and name the copy in "
            "lab_binaries_dir.",
        )

    def _result(self, found: dict[str, Found], crds: dict[str, str | None]) -> dict:
        versions = {tool: found[tool].version for tool in sorted(found)}
        versions.update({entry["name"]: entry["version"] for entry in self.params["crds"]})
        return {
            "changed": bool(self.made) or bool(self._missing(found)) or None in crds.values(),
            "binaries": {tool: found[tool].path for tool in sorted(found)},
            "sources": {tool: found[tool].source for tool in sorted(found)},
            "versions": versions,
            "crds": [place for place in crds.values() if place],
            "missing": [tool for _group, tools in self._missing(found) for tool in tools]
            + [name for name, place in crds.items() if not place],
            "notes": self.notes,
        }

    @contextlib.contextmanager
    def _lock(self) -> t.Iterator[None]:
        """Let one run at a time fill the cache: the second finds what the first has made."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with open(self.cache / ".lock", "ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.say("waiting for another run that fills the cache")
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _check_reach(reach: Reach | None, url: str) -> None:
    problem = reach.problem(url) if reach else "downloads are switched off"
    if problem:
        raise DownloadError(f"{url}: {problem}")


def _check_platform() -> None:
    system, _arch = platform_names()
    if system != "linux":
        raise OrchestratorError(
            f"The lab runs on Linux only, not on {system}.", hint="Use a Linux machine or a virtual one; WSL 2 will do."
        )
