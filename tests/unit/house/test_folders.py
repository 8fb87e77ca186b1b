# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder is one subject that can be looked over, and the tests of module_utils are found where its packages are."""

from __future__ import annotations

import collections
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOUSE = ROOT / "plugins" / "module_utils"
TESTS = ROOT / "tests" / "unit" / "plugins" / "module_utils"
MOST = 25
# A test's name: words. Not a number, nor a word said twice, as scripts leave them.
NAME = re.compile(r"(?!.*\b(\w+)_\1\b)[a-z]+(_[a-z]+)*")


def tracked() -> list[pathlib.PurePath]:
    """Return the files of the checkout: what git has or would add, all files where there is no git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        return [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
    return [pathlib.PurePath(name) for name in answer.stdout.split("\0") if name and (ROOT / name).exists()]


def test_no_folder_has_more_files_than_can_be_looked_over() -> None:
    count = collections.Counter(path.parent.as_posix() for path in tracked())
    assert {folder: files for folder, files in count.items() if files > MOST} == {}


def test_every_package_has_its_tests() -> None:
    packages = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    tested = {path.parent.name for path in TESTS.glob("*/test_*.py")}
    assert tested == packages


def test_what_tests_share_lies_beside_what_it_serves() -> None:
    assert [path.name for path in TESTS.glob("*.py")] == []


def test_tests_are_named_after_their_subject() -> None:
    names = [path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")]
    assert [name for name in names if not NAME.fullmatch(name)] == []
