# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Follow the recipes of CONTRIBUTING.md in a copy of the checkout, as somebody would who types them."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
# The first line of a block that is a file, or that goes below a line of one, or takes its place.
PLACE = re.compile(r"# (?P<path>[\w.-]+/[\w./-]+)(?:, (?P<how>below|instead of): (?P<line>.+))?\n")


class Unclear(ValueError):
    """A recipe that cannot be followed."""


def recipes() -> dict[str, str]:
    """Return the recipes by their titles: the sections of CONTRIBUTING.md that tell to add something."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {title: body for title, body in SECTION.findall(text) if title.startswith("Add a ")}


def follow(recipe: str, checkout: pathlib.Path, *, commands: bool = True) -> list[str]:
    """Write the blocks of a recipe in their order, and run its commands if asked; return the files that it names.

    Raises Unclear where a block has no place, and CalledProcessError with what was printed where a command fails.
    """
    files = []
    for block in BLOCK.finditer(recipe):
        text = textwrap.dedent(block["text"])
        if block["kind"] == "bash":
            if commands:
                run(text, checkout)
            continue
        place = PLACE.match(text)
        if not place:
            raise Unclear(f"This block does not say to which file it belongs:\n{text}")
        write(checkout / place["path"], text[place.end() :], place["line"], place["how"] == "below")
        files.append(place["path"])
    return files


def write(path: pathlib.Path, text: str, line: str | None, below: bool) -> None:
    """Write a file, or a text below the last line of it that holds another, or in the place of that line."""
    if line is None:
        if path.exists():
            raise Unclear(f"{path} is there already.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [number for number, known in enumerate(lines) if line in known]
    if not places:
        raise Unclear(f"{path} has no line with {line!r}.")
    lines[places[-1] + below : places[-1] + 1] = [text]
    path.write_text("".join(lines), encoding="utf-8")


def run(command: str, checkout: pathlib.Path) -> None:
    """Run the lines of a block in the checkout, with this Python's programs first."""
    programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=checkout,
        env={**os.environ, "PATH": programs},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, output=done.stdout)
