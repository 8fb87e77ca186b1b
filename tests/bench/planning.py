# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Time plan.yml on the bench's lab. Alone it starts that lab and rewrites its section of docs/benchmarks.md."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import bench

# Seconds that a plan may take, by number of models, and a wrong value's message.
PLAN = {1: 2.0, 8: 20.0, 32: 20.0}
MESSAGE = 5.0
TITLE = "## Planning"


def planned(count: int, folder: str, checkout: pathlib.Path) -> dict:
    """Plan a number of models on an empty namespace; return its seconds and how many tasks ran."""
    stack = {"llm_d_namespace": "bench-plan", "llm_d_models": bench.models(count), "llm_d_plan_dir": folder}
    seconds, output = plan(stack, checkout)
    if "to create" not in output:
        sys.exit(f"plan.yml says nothing of {count} model(s):\n{output[-4000:]}")
    return {"models": count, "seconds": seconds, "tasks": output.count("\nTASK [")}


def refused(folder: str, checkout: pathlib.Path) -> bench.Took:
    """Plan a model with a misspelt key; return the seconds until the message stands on the screen."""
    wrong = bench.models(1)
    wrong[0]["values"]["decode"]["replicsa"] = 3
    stack = {"llm_d_namespace": "bench-plan", "llm_d_models": wrong, "llm_d_plan_dir": folder}
    seconds, output = plan(stack, checkout, fails=True)
    if "replicsa" not in output:
        sys.exit(f"plan.yml does not name the wrong key:\n{output[-4000:]}")
    return seconds


def plan(variables: dict, checkout: pathlib.Path, *, fails: bool = False) -> tuple[bench.Took, str]:
    """Run plan.yml on the bench's lab; return what it took and what it printed."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as extra:
        json.dump({"lab_name": bench.LAB, **variables}, extra)
        extra.flush()
        command = ["ansible-playbook", "-i", "inventories/lab", "playbooks/plan.yml", "-e", f"@{extra.name}"]
        start, before = time.monotonic(), bench.cpu()
        env = {**bench.ENVIRONMENT, "ANSIBLE_STDOUT_CALLBACK": "default"}
        done = subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)
        seconds = bench.took(time.monotonic() - start, bench.cpu() - before)
    if (done.returncode != 0) is not fails:
        sys.exit(f"plan.yml ended with {done.returncode}:\n{done.stdout[-8000:]}{done.stderr[-2000:]}")
    return seconds, done.stdout + done.stderr


def measure(checkouts: list[pathlib.Path]) -> list[dict]:
    """Measure all of it with each checkout; the first runs, which read the charts' schemas, are not counted."""
    found: list[dict] = [{"rows": []} for _checkout in checkouts]
    with tempfile.TemporaryDirectory() as folder:
        for checkout in checkouts:
            planned(1, folder, checkout)
        for count in PLAN:
            runs = [[planned(count, folder, checkout) for checkout in checkouts] for _time in range(bench.TIMES)]
            for one, mine in zip(found, zip(*runs, strict=True), strict=True):
                one["rows"].append({**mine[0], "seconds": bench.median([row["seconds"] for row in mine])})
                print(f"{count} model(s): plan.yml {one['rows'][-1]['seconds']:.1f} s", flush=True)
        for one, checkout in zip(found, checkouts, strict=True):
            one["message"] = bench.median([refused(folder, checkout) for _time in range(bench.TIMES)])
    return found


def section(found: dict) -> str:
    """Return the section of docs/benchmarks.md."""
    lines = [
        TITLE,
        "",
        "`plan.yml` on an empty namespace: everything checked, all charts rendered, plan and page written.",
        "",
        "| Models | `plan.yml` | tasks of Ansible |",
        "|---|---|---|",
        *(
            f"| {row['models']} | {row['seconds']:.1f} s (aim: {PLAN[row['models']]:.0f} s) | {row['tasks']} |"
            for row in found["rows"]
        ),
        "",
        f"A misspelt key is named {found['message']:.1f} s after the start (aim: {MESSAGE:.0f} s).",
    ]
    return "\n".join(lines) + "\n"


def missed(found: dict) -> list[str]:
    """Return the aims that were not reached."""
    rows, lines = found["rows"], []
    lines += [
        f"plan of {row['models']}: {row['seconds']:.1f} s" for row in rows if row["seconds"] > PLAN[row["models"]]
    ]
    if found["message"] > MESSAGE:
        lines.append(f"a wrong value's message: {found['message']:.1f} s")
    if len({row["tasks"] for row in rows}) != 1:
        lines.append("the number of tasks grows with models")
    return lines


def main() -> None:
    """Measure on a lab of its own, rewrite the section, and fail if an aim is missed."""
    bench.playbook("lab_up", {"lab_nodes": bench.NODES})
    try:
        found = measure([bench.ROOT])[0]
    finally:
        bench.playbook("lab_down", {})
    bench.publish(TITLE, section(found), missed(found))


if __name__ == "__main__":
    main()
