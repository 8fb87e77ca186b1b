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
import urllib.parse

from ..base.errors import OrchestratorError
from ..base.words import plural
from .download import DownloadError, Reach, download_files, download_tool, mirrored, staging
from .gobuild import BuildError, Go, copy_verified
from .objects import write_bundle
from .progress import Share
from .tools import FoundProgram, cache_place, fill, look, parse_version, platform_names

Say = t.Callable[..., None]
SWITCHED_OFF = "downloads are switched off"


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

    def _missing(self, found: dict[str, FoundProgram]) -> list[tuple[dict, list[str]]]:
        groups = [(group, [tool for tool in group["tools"] if tool not in found]) for group in self.params["tools"]]
        return [(group, tools) for group, tools in groups if tools]

    def _crd_folder(self, entry: dict, folder: str | None) -> str | None:
        for base in ([pathlib.Path(folder)] if folder else []) + [self.cache]:
            place = cache_place(base, entry["name"], entry["version"])
            if all((place / name).is_file() for name in entry["files"]):
                return str(place)
        return None

    def _get_all(self, found: dict[str, FoundProgram]) -> None:
        folder = self.params.get("binaries_dir")
        missing = self._missing(found)
        crds = [entry for entry in self.params["crds"] if not self._crd_folder(entry, folder)]
        wanted = [(f"{', '.join(tools)} {group['version']}", self._asked(group), group) for group, tools in missing]
        wanted += [(f"{entry['name']} {entry['version']}", self._base(entry), entry) for entry in crds]
        reach = Reach(url for _label, url, _entry in wanted) if self.params["download"] else None
        self._give_up_early(wanted, reach)
        built = [(label, entry) for label, url, entry in wanted
                 if "build" in entry and (reach.problem(url) if reach else SWITCHED_OFF)]  # fmt: skip
        if len(built) > 1:
            minutes = sum(entry["build"]["minutes"] for _label, entry in built)
            self.say(
                f"{len(built)} of {len(wanted)} are to be built with Go, {_minutes(minutes)} in all the first time"
            )
        failures: list[str] = []
        for number, (label, _url, entry) in enumerate(wanted, 1):
            numbered = f"{label.rpartition(' ')[0]}, {number} of {len(wanted)}"
            try:
                if "tools" in entry:
                    tools = [tool for tool in entry["tools"] if tool not in found]
                    found.update(self._get_tools(entry, tools, reach, numbered))
                else:
                    self._get_crds(entry, reach, numbered)
            except BuildError as exc:
                failures.append(f"{label}: {exc}")
        if failures:
            raise self._nothing_left(failures)

    def _give_up_early(self, wanted: list[tuple[str, str, dict]], reach: Reach | None) -> None:
        """Raise before minutes are spent on a build, where something else can come from nowhere."""
        hopeless, causes = [], set()
        for label, url, entry in wanted:
            closed = reach.problem(url) if reach else SWITCHED_OFF
            problem = self._go_problem(entry)
            if closed and problem:
                hopeless.append(f"{label}: {urllib.parse.urlsplit(url).netloc}: {closed}")
                causes.add(f"Go: {problem}")
        if hopeless:
            raise self._nothing_left([*hopeless, *sorted(causes)])

    def _go_problem(self, entry: dict) -> str:
        return self.go.problem(entry.get("build", {}).get("go", "1.21")) if self.params["build"] else "switched off"

    def _asked(self, group: dict) -> str:
        return self._url(group["download"]["checksum"], group, group["tools"][0])

    def _base(self, entry: dict) -> str:
        return mirrored(fill(entry["url"], entry["version"]), self.params.get("mirror"))

    def _url(self, text: str, group: dict, tool: str) -> str:
        return mirrored(fill(text, group["version"], tool), self.params.get("mirror"))

    def _get_tools(self, group: dict, tools: list[str], reach: Reach | None, label: str) -> dict[str, FoundProgram]:
        """Return the group's tools, now in the cache; raises BuildError with all that was tried."""
        try:
            got = self._download_group(group, tools, reach, label)
        except DownloadError as exc:
            self._note(f"{label}: not downloaded: {exc}")
            problem = self._go_problem(group)
            if problem:
                raise BuildError(f"{exc}; Go: {problem}") from exc
            got = self._build_group(group, tools, label)
        self.made += tools
        return got

    def _download_group(
        self, group: dict, tools: list[str], reach: Reach | None, label: str
    ) -> dict[str, FoundProgram]:
        recipe, version = group["download"], group["version"]
        checksum = self._url(recipe["checksum"], group, tools[0])
        _check_reach(reach, checksum)
        started = time.monotonic()
        for place, tool in enumerate(tools, 1):
            share = Share(f"MB of {tool}")
            self.say(f"downloading {label}" + (f": {tool}, {place} of {len(tools)}" if len(tools) > 1 else ""), share)
            member = fill(recipe["member"], version, tool) if recipe.get("member") else None
            with staging(cache_place(self.cache, tool, version)) as folder:
                urls = (self._url(recipe["url"], group, tool), self._url(recipe["checksum"], group, tool))
                download_tool(*urls, member, tool, folder, share)
        self.say(f"downloaded {label} in {time.monotonic() - started:.0f} s, checksums verified")
        return self._cached(group, tools, "download")

    def _build_group(self, group: dict, tools: list[str], label: str) -> dict[str, FoundProgram]:
        started = time.monotonic()
        log = self.cache / f"build-{group['name']}.log"
        log.unlink(missing_ok=True)
        share = Share("packages")
        self.say(f"building {label}, with Go, {_minutes(group['build']['minutes'])} the first time; log {log}", share)
        with tempfile.TemporaryDirectory(prefix=".build-", dir=self.cache) as folder:
            self.go.build(group, tools, pathlib.Path(folder), log, share)
            for tool in tools:
                with staging(cache_place(self.cache, tool, group["version"])) as place:
                    (pathlib.Path(folder) / tool).rename(place / tool)
        log.unlink(missing_ok=True)
        self.say(f"built {label} in {time.monotonic() - started:.0f} s")
        return self._cached(group, tools, "build")

    def _cached(self, group: dict, tools: list[str], source: str) -> dict[str, FoundProgram]:
        places = {tool: cache_place(self.cache, tool, group["version"]) / tool for tool in tools}
        return {tool: FoundProgram(str(place), group["version"], source) for tool, place in places.items()}

    def _get_crds(self, entry: dict, reach: Reach | None, label: str) -> None:
        """Put a set of definitions into the cache; raises BuildError with all that was tried."""
        with staging(cache_place(self.cache, entry["name"], entry["version"])) as folder:
            try:
                _check_reach(reach, self._base(entry))
                download_files(self._base(entry), entry["files"], folder)
                self.say(f"downloaded {label}, checksums verified")
            except DownloadError as exc:
                self._note(f"{label}: not downloaded: {exc}")
                problem = self._go_problem(entry)
                if problem:
                    raise BuildError(f"{exc}; Go: {problem}") from exc
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
            (group["build"]["go"] for group in self.params["tools"]), key=lambda text: parse_version(text) or ()
        )
        return OrchestratorError(
            "Programs of the lab are missing, and can be neither downloaded nor built with Go on this machine.",
            details=failures,
            hint=f"Do one of these: (1) install Go {needs[-1]} or newer, with access to a Go module proxy (GOPROXY), "
            "and put it on PATH; (2) allow downloads from the hosts above, or set lab_download_mirror to a "
            f"mirror of them; (3) copy {self.cache} from a machine that has run lab_up, and name the copy in "
            "lab_binaries_dir.",
        )

    def _result(self, found: dict[str, FoundProgram], crds: dict[str, str | None]) -> dict:
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


def _minutes(on_two: int) -> str:
    """Return how long a build takes on this machine. on_two: minutes on two processors."""
    count = os.cpu_count() or 2
    return f"about {max(1, round(on_two * 2 / count))} min on {plural(count, 'processor')}"


def _check_reach(reach: Reach | None, url: str) -> None:
    problem = reach.problem(url) if reach else SWITCHED_OFF
    if problem:
        raise DownloadError(f"{urllib.parse.urlsplit(url).netloc}: {problem}")


def _check_platform() -> None:
    system, _arch = platform_names()
    if system != "linux":
        raise OrchestratorError(
            f"The lab runs on Linux only, not on {system}.",
            hint=("Use a Linux machine or virtual machine; WSL 2 works too."),
        )
