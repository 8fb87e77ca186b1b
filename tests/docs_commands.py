# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the commands of README.md and docs/ against a running lab, and check the syntax of the playbooks shown there.

Each ```bash block runs in a copy of the checkout, unless the line above it is `<!-- not run: reason -->`. In the copy
inventories/lab is the tests' lab (TEST_LAB), and a namespace of its own. Blocks run in turn: docs/lab.md deploys a
stack, later pages use it, docs/teardown.md is the last.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMESPACE = "docs-commands"
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
SECONDS = 120
REMOVE = (
    "ansible-playbook playbooks/teardown.yml -i inventories/lab"
    " -e teardown_confirm=true -e teardown_delete_namespace=true"
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A code block. place: page and line; kind: bash, yaml ...; reason: why it is not run, empty where it is."""

    place: str
    kind: str
    text: str
    reason: str


def blocks(page: str, text: str) -> list[Block]:
    """Return the code blocks of a page."""
    return [
        Block(
            f"{page}:{text.count(chr(10), 0, match.start('text'))}", match["kind"], match["text"], match["reason"] or ""
        )
        for match in BLOCK.finditer(text)
    ]


def all_blocks() -> list[Block]:
    """Return the blocks of all pages, the one that deploys a stack first and the one that removes it last."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages.sort(key=lambda path: (path.name == "teardown.md") - (path.name == "lab.md"))
    return [block for path in pages for block in blocks(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))]


def copy_checkout(target: pathlib.Path) -> None:
    """Copy what git tracks or would track, and point inventories/lab at the tests' lab."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in {entry.decode() for entry in listed.stdout.split(b"\0") if entry}:
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    (target / "inventories" / "lab" / "host_vars").mkdir()
    (target / "inventories" / "lab" / "host_vars" / "lab.yml").write_text(
        f"lab_name: {os.environ['TEST_LAB']}\nllm_d_namespace: {NAMESPACE}\n", encoding="utf-8"
    )
    of_fleet = target / "inventories" / "fleet" / "group_vars" / "all" / "tests.yml"
    of_fleet.write_text(f"lab_name: {os.environ['TEST_LAB']}\n", encoding="utf-8")


def run(command: str, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader would who types one line after the other; the first that fails ends it."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder / "playbooks" / "collections")}
    environment["KUBECONFIG"] = os.environ["LAB_KUBECONFIG"]
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def checked(place: str, command: str, folder: pathlib.Path) -> bool:
    """Run a command, say how it went, and return whether it went well."""
    begin = time.monotonic()
    answer = run(command, folder)
    good = answer.returncode == 0
    print(f"{'ok  ' if good else 'FAIL'} {place} ({time.monotonic() - begin:.1f} s)", flush=True)
    if not good:
        print(command, answer.stdout, sep="\n", flush=True)
    return good


def syntax_command(found: list[Block], folder: pathlib.Path) -> str:
    """Write the plays that the pages show into the copy; return the command that checks them all at once."""
    names = []
    for block in found:
        if block.kind == "yaml" and re.search(r"^(- |  )hosts: ", block.text, re.MULTILINE):
            names.append(f"shown-{block.place.replace('/', '-').replace(':', '-')}.yml")
            (folder / names[-1]).write_text(block.text, encoding="utf-8")
    return f"ansible-playbook -i inventories/lab --syntax-check {' '.join(names)}"


def main() -> int:
    """Return 0 where every command does what the page says, that is, ends well."""
    begin, found = time.monotonic(), all_blocks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy_checkout(folder)
        good = checked("the plays shown", syntax_command(found, folder), folder)
        for block in (block for block in found if block.kind == "bash"):
            if block.reason:
                print(f"skip {block.place}: {block.reason}")
            else:
                good = checked(block.place, block.text, folder) and good
        good = checked("the namespace goes", REMOVE, folder) and good
    print(f"{time.monotonic() - begin:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
