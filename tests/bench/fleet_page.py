# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/fleet-benchmarks.md: what was measured of fleets, and what follows for a thousand clusters."""

from __future__ import annotations

import datetime
import pathlib

# Aims: a plan of 500 hosts in seconds and MiB; deployments on 8 labs in times of one lab's.
PLAN = {500: (300, 4096)}
DEPLOY = {8: 2.0}
CLUSTERS = 1000
SLICES = (1, 5, 10, 20)
FORKS = 20
# The share of the cores' time from which these are what bounds a run.
BUSY = 0.85
LABS, HOSTS = "## Deployments on several labs at once", "## Plans of simulated hosts"
START = """# Fleet benchmarks

Run them with `make bench-fleet`: it starts labs of its own, takes about 12 minutes and rewrites this page. It is one
run on one machine; nothing else may run there. How to use many clusters at once: [fleet.md](fleets/fleet.md).

The controller keeps, for each host, its variables and the results that later tasks need. All else is in the forks,
which end with their task, and in the background jobs of the clusters that are deployed at once, which waves bound.
"""


def updated(page: pathlib.Path, found: dict[str, list[dict]], machine: str, delays: dict[str, int]) -> str:
    """Return the page with what was found; parts that were not measured stay as they are."""
    before = page.read_text(encoding="utf-8") if page.is_file() else ""
    said = f"Measured on {datetime.date.today().isoformat()}, {machine}.\n"
    labs = _labs(found["labs"], said, delays) if found.get("labs") else _part(before, LABS)
    hosts = _hosts(found["hosts"], said) if found.get("hosts") else _part(before, HOSTS)
    return "\n".join(part for part in (START, labs, hosts) if part)


def _part(page: str, title: str) -> str:
    """Return a section of the page as it is, "" where there is none."""
    after = page.partition(title)[2]
    return title + after.partition("\n## ")[0].rstrip() + "\n" if after else ""


def _labs(rows: list[dict], said: str, delays: dict[str, int]) -> str:
    first = rows[0]
    lines = [LABS, "", said]
    lines += [
        "`site.yml` for all labs at once, two models on each, first deployment.\nPods are ready after "
        + ", ".join(f"{seconds} s ({name})" for name, seconds in delays.items())
        + ".\nLabs run on the same machine: an API server, etcd, a controller manager, a scheduler and KWOK each.\n",
        "| Labs | Wall | times one lab's (aim for 8: 2.00) | CPU of Ansible | CPU of the labs | cores busy | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['hosts']} | {row['seconds']:.0f} s | {row['seconds'] / first['seconds']:.2f} | {row['cpu']:.0f} s "
            f"| {row['lab_cpu']:.0f} s | {100 * busy(row):.0f} % | {row['memory']:.0f} MiB |"
        )
    return "\n".join([*lines, "", *_deploying(rows)]) + "\n"


def busy(row: dict) -> float:
    """Return which share of the cores' time a run used."""
    return (row["cpu"] + row["lab_cpu"]) / row["seconds"] / row["cores"]


def _deploying(rows: list[dict]) -> list[str]:
    first, last = rows[0], rows[-1]
    if len(rows) < 2:
        return []
    count = last["hosts"] - first["hosts"]
    cpu, memory = (last["cpu"] - first["cpu"]) / count, (last["memory"] - first["memory"]) / count
    least, waiting = (last["cpu"] + last["lab_cpu"]) / last["cores"], first["seconds"]
    bound = (
        f"{last['hosts']} labs cannot be faster than {least:.0f} s: {last['cpu']:.0f} s + {last['lab_cpu']:.0f} s of "
        f"CPU on {last['cores']} cores. One lab takes {waiting:.0f} s, most of it waiting for pods."
    )
    lines = [
        bound,
        "What bounds a deployment is the waiting while the cores have time left, and the cores beyond that.",
        "",
        f"A further cluster costs the controller {cpu:.1f} s of CPU and {memory:.0f} MiB while it is deployed.",
        "",
        f"### {CLUSTERS:,} clusters: deployment",
        "",
        "AWX cuts an inventory into slices (`job_slice_count` of a job template) and runs each as a job of its own on",
        "some node of the instance group. Within a job all clusters of a wave are deployed at once: their releases are",
        "installed by background jobs, which no number of forks bounds. So give a job no larger waves than forks.",
        f"With `llm_d_waves: [{FORKS}]`, {FORKS} forks, and clusters whose models are ready after 10 minutes:",
        "",
        "| Slices | clusters at once | rounds | all are done after | memory of a slice | CPU of a slice, all rounds |",
        "|---|---|---|---|---|---|",
    ]
    for slices in SLICES:
        at_once, hosts = slices * FORKS, CLUSTERS / slices
        rounds = -(-CLUSTERS // at_once)
        minutes = max(rounds * 10, hosts * cpu / 60 / last["cores"])
        room = first["memory"] + (FORKS - 1) * memory
        lines.append(
            f"| {slices} | {at_once} | {CLUSTERS:,} / {at_once} = {rounds} | {rounds} × 10 min = {minutes:.0f} min "
            f"| {first['memory']:.0f} + {FORKS - 1} × {memory:.0f} = {room:.0f} MiB "
            f"| {hosts:.0f} × {cpu:.1f} s = {hosts * cpu / 60:.0f} min |"
        )
    return lines


def costs(rows: list[dict]) -> dict[str, float]:
    """Return what a host costs in seconds of CPU and MiB, a fork in MiB, and what is there anyway in MiB."""
    by = {(row["hosts"], row["forks"]): row for row in rows}
    last = rows[-1]
    few, many = by[50, 5], by[50, 20]
    fork = (many["memory"] - few["memory"]) / (many["forks"] - few["forks"])
    host = max(0.0, (last["memory"] - many["memory"]) / (last["hosts"] - many["hosts"]))
    return {
        "cpu": (last["cpu"] - rows[0]["cpu"]) / (last["hosts"] - rows[0]["hosts"]),
        "api": last["lab_cpu"] / last["hosts"],
        "wall": last["seconds"] / last["hosts"],
        "fork": fork,
        "host": host,
        "base": max(0.0, few["memory"] - few["forks"] * fork - few["hosts"] * host),
    }


def _hosts(rows: list[dict], said: str) -> str:
    lines = [HOSTS, "", said]
    lines += [
        "`plan.yml` for hosts that all have one lab's API, with a namespace, two models and values of their own:",
        "everything checked, five charts rendered, plan and page written for each. The lab runs on the same machine.\n",
        "| Hosts | Forks | Wall | CPU of Ansible | a host | CPU of the lab | memory of Ansible, all processes |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['hosts']} | {row['forks']} | {row['seconds']:.1f} s{_aim(row, 0, 's')} | {row['cpu']:.1f} s "
            f"| {row['cpu'] / row['hosts']:.2f} s | {row['lab_cpu']:.1f} s "
            f"| {_seen(row)}{_aim(row, 1, 'MiB')} |"
        )
    lines += ["", "Memory is the sum of the processes' proportional shares (PSS): pages that forks share count once."]
    return "\n".join([*lines, *(_planning(rows) if len(rows) > 3 else [])]) + "\n"


def _aim(row: dict, index: int, unit: str) -> str:
    return f" (aim: {PLAN[row['hosts']][index]} {unit})" if row["hosts"] in PLAN else ""


def _planning(rows: list[dict]) -> list[str]:
    cost, last = costs(rows), rows[-1]
    lines = [
        "",
        f"- A host costs {cost['cpu']:.2f} s of CPU, and the lab {cost['api']:.2f} s; on {last['cores']} cores that is "
        f"{cost['wall']:.2f} s of wall time. {_bound(busy(last))}",
        f"- A fork needs {cost['fork']:.0f} MiB, with the Helm processes that it starts: "
        f"({_memory(rows, 20)} − {_memory(rows, 5)}) MiB / 15 forks.",
        f"- A host needs {cost['host']:.2f} MiB of the main process, its variables and its plan: "
        f"({last['memory']:.0f} − {_memory(rows, 20)}) MiB / {last['hosts'] - 50} hosts.",
        "",
        f"### {CLUSTERS:,} clusters: plan",
        "",
        f"With {FORKS} forks a slice, on nodes like this machine, as many as slices:",
        "",
        "| Slices | hosts of a slice | wall of a slice | memory of a slice |",
        "|---|---|---|---|",
    ]
    for slices in SLICES:
        hosts = CLUSTERS / slices
        room = cost["base"] + FORKS * cost["fork"] + hosts * cost["host"]
        lines.append(
            f"| {slices} | {hosts:.0f} | {hosts:.0f} × {cost['wall']:.2f} s = {hosts * cost['wall'] / 60:.1f} min "
            f"| {cost['base']:.0f} + {FORKS} × {cost['fork']:.0f} + {hosts:.0f} × {cost['host']:.2f} = {room:.0f} MiB |"
        )
    return [*lines, "", *_instances(cost, last["cores"])]


def _bound(share: float) -> str:
    """Return what bounds plans, by the share of the cores' time that they used."""
    used = f"{100 * share:.0f} % of the cores' time was used"
    return f"The cores bound it: {used}." if share >= BUSY else f"{used[0].upper()}{used[1:]}; others used the rest."


def _seen(row: dict) -> str:
    """Return a run's memory; one that is over before the first sample has none."""
    return f"{row['memory']:.0f} MiB" if row["memory"] else "too short to be sampled"


def _memory(rows: list[dict], forks: int) -> str:
    return next(f"{row['memory']:.0f}" for row in rows if row["hosts"] == 50 and row["forks"] == forks)


def _instances(cost: dict[str, float], cores: int) -> list[str]:
    return [
        "AWX gives a node work by its capacity: 4 forks a core, or (memory − 2 GiB) / 100 MiB forks, or a number in",
        f"between (the instance's capacity adjustment). A fork needs {cost['fork']:.0f} MiB here, so go by cores:",
        f"{cores} cores are {4 * cores} forks, and {FORKS} forks fit a node of {-(-(FORKS + 1) // 4)} cores.",
        "Slices of one job template spread over an instance group's nodes. Clusters that only some nodes reach belong",
        "to an inventory whose instance group has just these nodes.",
    ]


def missed(found: dict[str, list[dict]]) -> list[str]:
    """Return the aims that were not reached, but for deployments that kept the cores busy all the time."""
    lines = []
    for row in found.get("hosts", []):
        seconds, memory = PLAN.get(row["hosts"], (float("inf"), float("inf")))
        if row["seconds"] > seconds:
            lines.append(f"plan of {row['hosts']} hosts: {row['seconds']:.0f} s")
        if row["memory"] > memory:
            lines.append(f"plan of {row['hosts']} hosts: {row['memory']:.0f} MiB")
    labs = found.get("labs", [])
    for row in labs:
        times = row["seconds"] / labs[0]["seconds"]
        if times > DEPLOY.get(row["hosts"], float("inf")) and busy(row) < BUSY:
            lines.append(f"{row['hosts']} labs: {times:.2f} times one lab's time, with the cores {busy(row):.0%} busy")
    return lines
