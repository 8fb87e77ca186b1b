# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The order of plugins/module_utils: docs/architecture.md says it under "Packages", every import keeps to it."""

from __future__ import annotations

import ast
import collections
import dataclasses
import functools
import graphlib
import pathlib
import re
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOUSE = ROOT / "plugins" / "module_utils"
COLLECTION = "ansible_collections.llm_d.orchestrator"
APART = "apart"
SECTION = re.compile(r"^## Packages\n(.*?)^## ", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (\d+|apart) \| ([^|]+) \|", re.MULTILINE)


def written_floors() -> dict[str, str]:
    """Return the floor of each package, a number or 'apart', as the table in docs/architecture.md has it."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = ROW.findall(SECTION.findall(page)[0])
    return {package: floor for floor, packages in rows for package in re.findall(r"`(\w+)`", packages)}


@dataclasses.dataclass(frozen=True)
class Import:
    """One import of a file of module_utils: the line it is on, and the file or package of module_utils it names."""

    line: str
    package: str
    target: str
    file: str


@functools.cache
def files() -> dict[pathlib.Path, ast.Module]:
    """Return the Python files of module_utils, parsed."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(HOUSE.rglob("*.py"))}


def from_imports(path: pathlib.Path, node: ast.ImportFrom) -> t.Iterator[Import]:
    """Yield what a relative import names; its target is '' where it leads out of module_utils."""
    folder = path.relative_to(HOUSE).parts[:-1]
    line = f"{path.relative_to(HOUSE)}:{node.lineno}"
    stays = node.level <= len(folder) + 1
    base = (*folder[: len(folder) + 1 - node.level], *(node.module.split(".") if node.module else ()))
    for alias in node.names:
        inside = (*base, alias.name)
        known = HOUSE.joinpath(*inside).with_suffix(".py").exists() or HOUSE.joinpath(*inside).is_dir()
        target = inside if known else base
        yield Import(line, folder[0], target[0] if stays and target else "", "/".join(target))


@functools.cache
def imports() -> list[Import]:
    """Return all relative imports of module_utils."""
    found = []
    for path, tree in files().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                found += from_imports(path, node)
    return found


def against_the_order(found: list[Import], floors: dict[str, str]) -> list[str]:
    """Return the imports that do not lead to a floor below; from a package apart only to base and values."""
    wrong = []
    for one in found:
        mine, other = floors[one.package], floors.get(one.target)
        if one.target == one.package:
            continue
        if mine == APART:
            allowed = one.target in ("base", "values")
        else:
            allowed = other is not None and other != APART and int(other) < int(mine)
        if not allowed:
            wrong.append(f"{one.line}: {one.package} (floor {mine}) imports {one.target or '?'} (floor {other})")
    return wrong


def test_every_package_has_a_floor() -> None:
    packages = {path.parent.relative_to(HOUSE).parts[0] for path in files() if path.parent != HOUSE}
    assert packages == set(written_floors())
    assert [path.name for path in files() if path.parent == HOUSE] == [], "a file of module_utils lies in a package"


def test_imports_lead_to_floors_below() -> None:
    assert against_the_order(imports(), written_floors()) == []


@pytest.mark.parametrize(
    ("package", "target"),
    [
        ("base", "values"),
        ("helm", "schemas"),
        ("rules", "rule"),
        ("helm", "templates"),
        ("lab", "cluster"),
        ("plan", "lab"),
    ],
    ids=["from the ground up", "one floor up", "nowhere", "beside", "from apart", "to apart"],
)
def test_an_import_against_the_order_is_found(package: str, target: str) -> None:
    assert len(against_the_order([Import("x.py:1", package, target, target)], written_floors())) == 1


def test_imports_inside_are_relative() -> None:
    absolute = []
    for path, tree in files().items():
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            absolute += [f"{path.relative_to(HOUSE)}: {name}" for name in names if name.startswith(COLLECTION)]
    assert absolute == []


def test_packages_import_each_other_in_one_direction() -> None:
    edges: dict[str, set[str]] = collections.defaultdict(set)
    for one in imports():
        if one.target != one.package:
            edges[one.package].add(one.target)
    graphlib.TopologicalSorter(edges).prepare()


def test_files_import_each_other_in_one_direction() -> None:
    edges: dict[str, set[str]] = collections.defaultdict(set)
    for one in imports():
        edges[one.line.partition(".py:")[0]].add(one.file)
    graphlib.TopologicalSorter(edges).prepare()
