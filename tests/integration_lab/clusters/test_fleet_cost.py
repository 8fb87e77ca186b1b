# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a host of a fleet costs the controller does not grow with the number of hosts: tasks, results, vars_files."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections import defaultdict

import pytest

from playbooks import ROOT, environment

sys.path.insert(0, str(ROOT / "tests" / "bench"))
import fleet_inventory  # noqa: E402

FEW, MANY = 2, 4
# Bytes of all results of a host with two models, as JSON; they are kept for each host until the end.
RESULTS = 60_000

Sizes = dict[str, list[tuple[str, int]]]


def planned(folder: pathlib.Path, count: int) -> Sizes:
    """Plan for a number of hosts; return each host's results as (task, bytes)."""
    lab = json.loads(pathlib.Path(os.environ["LAB_STATE"], "lab.json").read_text())
    inventory, sizes = folder / f"{count}.json", folder / f"{count}.jsonl"
    inventory.write_text(json.dumps(fleet_inventory.simulated(count, lab, alike=True)))
    enabled = {"ANSIBLE_CALLBACK_PLUGINS": str(pathlib.Path(__file__).parent / "result_sizes")}
    enabled |= {"ANSIBLE_CALLBACKS_ENABLED": "result_sizes", "RESULT_SIZES": str(sizes)}
    command = ["ansible-playbook", str(ROOT / "playbooks" / "plan.yml"), "-i", str(inventory), "-f", "2"]
    done = subprocess.run(
        command, cwd=folder, env={**environment(folder), **enabled}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Sizes = defaultdict(list)
    for line in sizes.read_text().splitlines():
        row = json.loads(line)
        found[row["host"]].append((row["task"], row["size"]))
    return found


@pytest.fixture(scope="module")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sizes, Sizes]:
    """The results of a few hosts and of more."""
    folder = tmp_path_factory.mktemp("fleet")
    return planned(folder, FEW), planned(folder, MANY)


def own(results: list[tuple[str, int]], of: set[str]) -> list[tuple[str, int]]:
    """Return a host's results of the tasks that every host has: what runs once for all is the first host's."""
    return [(task, size) for task, size in results if task in of]


def everywhere(fleet: Sizes) -> set[str]:
    """Return the tasks that every host has."""
    return set.intersection(*({task for task, _size in results} for results in fleet.values()))


def test_each_host_has_as_many_tasks_whatever_the_number_of_hosts(fleets: tuple[Sizes, Sizes]) -> None:
    few, many = fleets
    assert [len(few), len(many)] == [FEW, MANY]
    ran = [[task for task, _size in own(results, everywhere(fleet))] for fleet in fleets for results in fleet.values()]
    assert all(tasks == ran[0] for tasks in ran)
    # The stack worked out and its plan written, at the least.
    assert len(ran[0]) >= 4
    assert {"Resolve the stack and check it", "Write the plan"} <= {task.rpartition(" : ")[2] for task in ran[0]}
    # What is left runs once.
    for fleet in fleets:
        once = [task for results in fleet.values() for task, _size in results if task not in everywhere(fleet)]
        assert len(once) == len(set(once))


def test_a_hosts_results_do_not_grow_with_the_number_of_hosts(fleets: tuple[Sizes, Sizes]) -> None:
    few, many = (
        [sum(size for _task, size in own(results, everywhere(fleet))) for results in fleet.values()] for fleet in fleets
    )
    # Times and temporary names differ by some bytes.
    assert max(many) < 1.02 * min(few)
    assert max(many) < RESULTS
