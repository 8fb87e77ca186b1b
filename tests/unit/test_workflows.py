# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""GitHub's workflows: they call targets that exist, pin what they use, ask for no permissions beyond their needs."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z_-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@v\d+\.\d+\.\d+")
WRITES = {"docs.yml": {"pages", "id-token"}, "release.yml": {"contents"}}

# An installed collection has no .github folder.
pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="not a checkout")


def jobs(path: pathlib.Path) -> list[dict[str, t.Any]]:
    """Return a workflow's jobs."""
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values())


def commands(job: dict[str, t.Any]) -> list[str]:
    """Return what a job's steps run, with each value of its matrix written out."""

    def filled(text: str, row: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda match: row[match[1]], text)

    matrix = job.get("strategy", {}).get("matrix", {})
    rows = [{"target": target} for target in matrix.get("target", [])] + matrix.get("include", []) or [{}]
    return [filled(step["run"], row) for row in rows for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_called_targets_exist(path: pathlib.Path) -> None:
    called = {name for job in jobs(path) for text in commands(job) for name in re.findall(r"\bmake ([\w-]+)", text)}
    assert called
    assert called - TARGETS == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_is_used_is_pinned(path: pathlib.Path) -> None:
    used = [step["uses"] for job in jobs(path) for step in job["steps"] if "uses" in step]
    assert [name for name in used if not PINNED.fullmatch(name)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_permissions_are_few(path: pathlib.Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    writes = {name for job in jobs(path) for name, kind in job.get("permissions", {}).items() if kind == "write"}
    assert writes == WRITES.get(path.name, set())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_jobs_end_and_run_no_foreign_text(path: pathlib.Path) -> None:
    for job in jobs(path):
        assert job["timeout-minutes"] <= 60
        # What an event says (a title, a branch's name) would become part of the command.
        assert [text for text in commands(job) if "${{" in text] == []


def test_every_kind_of_test_has_a_job() -> None:
    called = " ".join(text for job in jobs(ROOT / ".github" / "workflows" / "ci.yml") for text in commands(job))
    wanted = {"lint", "unit", "docs", "sanity", "molecule", "package", "integration", "docs-commands", "mutations"}
    assert {name for name in wanted if f"make {name}" not in called} == set()
