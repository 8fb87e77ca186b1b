# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's programs built with Go from their published modules."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import typing as t

from .progress import Share
from .tools import fill, parse_version

BUILD_TIMEOUT = 3600


class BuildError(Exception):
    """A build that is not possible or failed; the text says why."""


class Go:
    """A Go toolchain. path: the PATH to find it on."""

    def __init__(self, path: str) -> None:
        self.binary = shutil.which("go", path=path)

    def problem(self, needed: str) -> str:
        """Return why this Go cannot build what needs a version ("1.24"), "" where it can."""
        if not self.binary:
            return "go not found on PATH"
        facts = self._run(["env", "-json", "GOVERSION", "GOTOOLCHAIN"])
        if facts is None:
            return f"cannot run {self.binary}"
        env = json.loads(facts)
        version = parse_version(str(env.get("GOVERSION", "")).replace("go", "v", 1))
        if not version:
            return f"{self.binary} does not report its version"
        wanted = parse_version(needed) or ()
        # From 1.21 on, Go fetches the toolchain that a module asks for, unless it is told to stay local.
        fetches = version >= (1, 21) and not str(env.get("GOTOOLCHAIN", "")).startswith("local")
        if version[: len(wanted)] >= wanted or fetches:
            return ""
        return f"{self.binary} is {env['GOVERSION']}, but Go {needed} or later is needed"

    def _run(self, arguments: list[str]) -> str | None:
        try:
            done = subprocess.run(
                [str(self.binary), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                check=False, env=_environment(),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def module(self, name: str, version: str) -> dict:
        """Fetch a module; return Go's facts of it (Dir, GoMod ...). Raises BuildError."""
        done = subprocess.run(
            [str(self.binary), "mod", "download", "-json", f"{name}@{version}"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=BUILD_TIMEOUT, check=False, env=_environment(),
        )  # fmt: skip
        try:
            facts = json.loads(done.stdout)
        except ValueError:
            facts = {"Error": done.stderr.strip()[-400:] or "go mod download printed nothing"}
        if facts.get("Error"):
            raise BuildError(f"go mod download {name}@{version}: {facts['Error']}")
        return t.cast(dict, facts)

    def build(self, group: dict, tools: list[str], folder: pathlib.Path, log: pathlib.Path, share: Share) -> None:
        """Build tools of one group into a folder. Raises BuildError.

        log: where go writes each package it compiles; share: told how many there are.
        """
        recipe, version = group["build"], group["version"]
        source = folder / "source"
        source.mkdir()
        (source / "go.mod").write_text(self._go_mod(recipe, version), encoding="utf-8")
        options = ["-mod=mod", "-trimpath", "-ldflags", ldflags(recipe, version)]
        command = [str(self.binary), "build", "-v", *options, "-o", str(folder) + "/"]
        packages = {tool: recipe["packages"][tool] for tool in tools}
        share.begin(self._stale(options, list(packages.values()), source), lambda: lines_in(log))
        with open(log, "ab") as stream:
            done = subprocess.run(
                [*command, *packages.values()], cwd=source, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                timeout=BUILD_TIMEOUT, check=False, env=_environment(),
            )  # fmt: skip
        if done.returncode != 0:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            raise BuildError(f"go build of {', '.join(tools)} failed: " + " | ".join(lines[-4:]))
        shutil.rmtree(source)
        for tool, package in packages.items():
            made = folder / built_name(package)
            if made != folder / tool:
                made.rename(folder / tool)

    def _stale(self, options: list[str], packages: list[str], source: pathlib.Path) -> int:
        """Return how many packages are to be compiled, 0 where go does not say."""
        form = "{{if .Stale}}{{.ImportPath}}{{end}}"
        done = subprocess.run(
            [str(self.binary), "list", "-deps", "-f", form, *options, *packages], cwd=source, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=BUILD_TIMEOUT, check=False, env=_environment(),
        )  # fmt: skip
        return len([line for line in done.stdout.splitlines() if line]) if done.returncode == 0 else 0

    def _go_mod(self, recipe: dict, version: str) -> str:
        replace = recipe.get("replace_local_with")
        siblings = local_replacements(pathlib.Path(self.module(recipe["module"], version)["GoMod"])) if replace else []
        return go_mod(recipe["module"], version, recipe["go"], siblings, replace)


def lines_in(log: pathlib.Path) -> int:
    """Return how many packages a build's log names."""
    try:
        with open(log, encoding="utf-8", errors="replace") as stream:
            return sum(1 for line in stream if not line.startswith(("go: ", "#")))
    except OSError:
        return 0


def go_mod(module: str, version: str, go: str, siblings: list[str], replace: str | None) -> str:
    """Return the go.mod of a module that only requires another one, with siblings at the version `replace`."""
    lines = ["module lab.local/build", "", f"go {go}.0", "", f"require {module} {version}", ""]
    return "\n".join([*lines, *(f"replace {name} => {name} {replace}" for name in siblings)]) + "\n"


def local_replacements(go_mod_file: pathlib.Path) -> list[str]:
    """Return the modules that a go.mod replaces by folders of its own repository."""
    text = go_mod_file.read_text(encoding="utf-8")
    return sorted(set(re.findall(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+\./", text, re.MULTILINE)))


def ldflags(recipe: dict, version: str) -> str:
    """Return the linker's flags: no debugging data, and the version where each program looks for its own."""
    stamps = [f"-X {name}={fill(value, version)}" for name, value in (recipe.get("stamps") or {}).items()]
    return " ".join(["-s", "-w", *stamps])


def built_name(package: str) -> str:
    """Return the name that go gives a program: its package's last part, a major version left out."""
    parts = package.split("/")
    return parts[-2] if re.fullmatch(r"v\d+", parts[-1]) else parts[-1]


def copy_verified(folder: pathlib.Path, files: dict[str, str], target: pathlib.Path) -> None:
    """Copy files of a module. files: name -> SHA-256. Raises BuildError where one is missing or another one."""
    for name, sha256 in files.items():
        try:
            data = (folder / name).read_bytes()
        except OSError as exc:
            raise BuildError(f"the module does not contain {name}: {exc}") from exc
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BuildError(f"{name} in the module is not the pinned one")
        (target / name).write_bytes(data)


def _environment() -> dict[str, str]:
    # A workspace or vendor flags of the folder that the user stands in have no say here.
    env = {
        key: value for key, value in os.environ.items() if key not in ("GOFLAGS", "GOWORK", "GOBIN", "GOOS", "GOARCH")
    }
    return {**env, "GOWORK": "off", "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
