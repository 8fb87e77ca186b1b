# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure deployments on several labs at once and plans of many simulated hosts; write docs/fleet-benchmarks.md.

A simulated host is a namespace of its own on one lab's API, so that the controller's own cost shows.
Usage: fleet.py [--labs 1,4,8] [--hosts 500] [--forks 20]; "" or 0 leaves a part, and what the page says of it, alone.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import tempfile

import bench
import fleet_inventory
import fleet_page
import fleet_usage

LABS = bench.STATE / "llm-d-orchestrator/labs"
NAME = "fleet-"
# Hosts and forks of the smaller runs, from which the costs of a fork and of a host are worked out.
SMALL = ((1, 20), (50, 5), (50, 20))


def name(number: int) -> str:
    """Return a lab's name."""
    return f"{NAME}{number}"


def command(playbook: str, inventory: dict, forks: int, folder: str, **variables: object) -> list[str]:
    """Return the command of a playbook."""
    path = pathlib.Path(folder, "inventory.json")
    path.write_text(json.dumps(inventory), encoding="utf-8")
    extra = {"llm_d_plan_dir": f"{folder}/plans", "llm_d_records_dir": f"{folder}/records", **variables}
    return ["ansible-playbook", f"playbooks/{playbook}.yml", "-i", str(path), "-f", str(forks), "-e", json.dumps(extra)]


def run(playbook: str, inventory: dict, forks: int, folder: str, **variables: object) -> fleet_usage.Usage:
    """Run a playbook; return what it used. Ends the program where it fails."""
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    used = fleet_usage.run(command(playbook, inventory, forks, folder, **variables), bench.ROOT, environment)
    if used.code:
        sys.exit(f"{playbook}.yml ended with {used.code}:\n{used.output[-8000:]}")
    return used


def up(count: int, folder: str) -> dict[str, dict]:
    """Start labs, two at a time; return their records by name."""
    print(f"Starting {count} lab(s)", flush=True)
    hosts = {name(number): {"lab_name": name(number)} for number in range(1, count + 1)}
    local = {
        "ansible_connection": "local",
        "lab_ready_delays": {key: f"{value}s" for key, value in bench.DELAYS.items()},
    }
    inventory = {"all": {"hosts": hosts, "vars": local}}
    seconds = bench.run(*command("lab_up", inventory, 2, folder, lab_hosts="all"))
    print(f"{count} lab(s) are up after {seconds:.0f} s", flush=True)
    return {lab: json.loads((LABS / lab / "lab.json").read_text(encoding="utf-8")) for lab in hosts}


def down(count: int, folder: str) -> None:
    """Stop the labs that are there."""
    found = [name(number) for number in range(1, count + 1) if (LABS / name(number)).is_dir()]
    if found:
        hosts = {lab: {"lab_name": lab, "ansible_connection": "local"} for lab in found}
        bench.run(*command("lab_down", {"all": {"hosts": hosts}}, 2, folder, lab_hosts="all"))


def deployed(counts: list[int], labs: dict[str, dict], folder: str) -> list[dict]:
    """Deploy on some labs at once, for each count into a namespace of its own; return a row for each."""
    rows = []
    for count in counts:
        some = dict(list(labs.items())[:count])
        before = fleet_usage.cpu_of(f"{LABS}/{NAME}")
        used = run("site", fleet_inventory.labs(some), max(counts), folder, llm_d_namespace=f"fleet-{count}")
        lab_cpu = fleet_usage.cpu_of(f"{LABS}/{NAME}") - before
        rows.append({**row(used, count, max(counts)), "lab_cpu": lab_cpu})
        print(f"site.yml on {count} lab(s): {rows[-1]}", flush=True)
    return rows


def planned(count: int, forks: int, lab: dict, folder: str) -> list[dict]:
    """Plan for simulated hosts; return a row for each run, the last of count hosts."""
    rows = []
    # The first run, which fills the caches, is not counted.
    run("plan", fleet_inventory.simulated(1, lab), forks, folder)
    for hosts, at_once in (*(pair for pair in SMALL if pair[0] < count), (count, forks)):
        before = fleet_usage.cpu_of(f"{LABS}/{NAME}")
        used = run("plan", fleet_inventory.simulated(hosts, lab), at_once, folder)
        rows.append({**row(used, hosts, at_once), "lab_cpu": fleet_usage.cpu_of(f"{LABS}/{NAME}") - before})
        print(f"plan.yml for {hosts} host(s): {rows[-1]}", flush=True)
    return rows


def row(used: fleet_usage.Usage, hosts: int, forks: int) -> dict:
    """Return what the page needs of a run."""
    keys = ("seconds", "cpu", "memory", "processes")
    run_by = {"hosts": hosts, "forks": forks, "cores": os.cpu_count() or 1}
    return {**run_by, **{key: round(getattr(used, key), 2) for key in keys}}


def main() -> None:
    """Measure what is asked for, write the page, and fail if an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", default="1,4,8")
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--forks", type=int, default=20)
    asked = parser.parse_args()
    counts = [int(count) for count in asked.labs.split(",") if count]
    found: dict[str, list[dict]] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            labs = up(max(counts, default=1), folder)
            if counts:
                found["labs"] = deployed(counts, labs, folder)
                down(max(counts), folder)
                labs = up(1, folder) if asked.hosts else {}
            if asked.hosts:
                found["hosts"] = planned(asked.hosts, asked.forks, labs[name(1)], folder)
        finally:
            down(max(counts, default=1), folder)
    page = bench.ROOT / "docs/fleet-benchmarks.md"
    page.write_text(fleet_page.updated(page, found, bench.machine(), bench.DELAYS), encoding="utf-8")
    print(page.read_text(encoding="utf-8"))
    missed = fleet_page.missed(found)
    if missed:
        sys.exit("Not reached: " + "; ".join(missed))


if __name__ == "__main__":
    main()
