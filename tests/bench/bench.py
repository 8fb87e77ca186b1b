# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Time site.yml against what else deploys the same releases, and plan.yml, on one lab; write docs/benchmarks.md.

The lab's pods become ready after 20 s (gateway), 10 s (EPP) and 60 s (model servers).
Usage: bench.py [--baseline CHECKOUT] [models ...]; with another checkout of this collection, both are measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = "bench"
STATE = pathlib.Path(os.environ.get("XDG_STATE_HOME", pathlib.Path.home() / ".local/state"))
LAB_STATE = STATE / "llm-d-orchestrator/labs" / LAB
ACCESS = {"KUBECONFIG": str(LAB_STATE / "kubeconfig")}
CHARTS = ROOT / "roles/lab/files/charts"
DELAYS = {"gateway": 20, "epp": 10, "modelserver": 60}
# What the first deployment and a re-run may cost beyond the slowest component, in seconds, by number of models.
FIRST_OVER_SLOWEST = {1: 8, 8: 20}
RERUN = {1: 4, 8: 20}
# How often what takes seconds is measured; medians are told.
TIMES = 4
MEMORY_LIMIT_MIB = 1536
# Compiled files are kept, as Python does unless it is told not to, as in some containers.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
NODES = [{"prefix": "gpu", "count": 8, "gpus": 8, "cpu": "128", "memory": "1Ti"}]


def models(count: int) -> list[dict]:
    """Return llm_d_models for a number of small models of two replicas."""
    return [{"name": f"bench-{index}", "values": values(index)} for index in range(count)]


def values(index: int) -> dict:
    """Return modelservice values in the shape of the inference-scheduling guide."""
    name = f"bench-{index}"
    server = {
        "name": "vllm",
        "image": "ghcr.io/llm-d/llm-d-cuda:v0.5.1",
        "modelCommand": "vllmServe",
        "ports": [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}},
    }
    return {
        "modelArtifacts": {
            "uri": f"hf://example/{name}",
            "name": f"example/{name}",
            "labels": {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": name},
        },
        "routing": {"proxy": {"enabled": False, "targetPort": 8000}},
        "decode": {"create": True, "replicas": 2, "parallelism": {"tensor": 1}, "containers": [server]},
        "prefill": {"create": False},
    }


class Took(float):
    """The wall seconds of a command; cpu are those of its processes, as far as it waits for them."""

    cpu: float = 0.0


def took(wall: float, used: float) -> Took:
    """Return wall seconds with CPU seconds."""
    found = Took(wall)
    found.cpu = used
    return found


def median(found: list[Took]) -> Took:
    """Return the medians of several runs."""
    return took(statistics.median(found), statistics.median(one.cpu for one in found))


def cpu() -> float:
    """Return the CPU seconds so far of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(*command: str, env: dict | None = None, folder: pathlib.Path = ROOT) -> Took:
    """Run a command, show its output only if it fails, and return what it took."""
    start, before = time.monotonic(), cpu()
    output = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=folder, env={**ENVIRONMENT, **(env or {})}, check=False, **output)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-8000:]}")
    return took(time.monotonic() - start, cpu() - before)


def playbook(name: str, variables: dict, folder: pathlib.Path = ROOT) -> Took:
    """Run one of a checkout's playbooks on the bench's lab and return what it took."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as extra:
        json.dump({"lab_name": LAB, **variables}, extra)
        extra.flush()
        command = ("ansible-playbook", "-i", "inventories/lab", f"playbooks/{name}.yml", "-e", f"@{extra.name}")
        return run(*command, folder=folder)


def lab() -> dict:
    """Return the lab's own record."""
    return json.loads((LAB_STATE / "lab.json").read_text(encoding="utf-8"))


def releases(count: int) -> list[tuple[str, str, dict]]:
    """Return name, chart and values of a stack's releases, in the guides' order."""
    found: list[tuple[str, str, dict]] = [("infra-bench", "llm-d-infra", {"gateway": {"gatewayClassName": "istio"}})]
    for index in range(count):
        name = f"bench-{index}"
        pool = {"modelServers": {"matchLabels": values(index)["modelArtifacts"]["labels"]}}
        found.append((f"gaie-{name}", "inferencepool", {"inferencePool": pool, "provider": {"name": "istio"}}))
        found.append((f"ms-{name}", "llm-d-modelservice", values(index)))
    return found


def serial(count: int) -> float:
    """Deploy the same releases one `helm upgrade --install --wait` after another, then the routes."""
    flags = ["--namespace", "serial", "--create-namespace", "--wait", "--timeout", "10m"]
    start = time.monotonic()
    for release, chart, content in releases(count):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(content, file)
            file.flush()
            run(
                lab()["helm"], "upgrade", "--install", release, str(CHARTS / chart), *flags, "-f", file.name, env=ACCESS
            )
    apply_routes("serial", count)
    for index in range(count):
        run(lab()["kubectl"], "wait", "-n", "serial", f"httproute/bench-{index}", "--timeout=60s",
            "--for=jsonpath={.status.parents[0].conditions[0].status}=True", env=ACCESS)  # fmt: skip
    seconds = time.monotonic() - start
    run(lab()["kubectl"], "delete", "namespace", "serial", "--wait=true", env=ACCESS)
    return seconds


def apply_routes(namespace: str, count: int) -> None:
    """Apply the models' HTTPRoutes as the guides' last step does."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(
            {"apiVersion": "v1", "kind": "List", "items": [route(namespace, index) for index in range(count)]}, file
        )
        file.flush()
        run(lab()["kubectl"], "apply", "-f", file.name, env=ACCESS)


def route(namespace: str, index: int) -> dict:
    """Return a model's HTTPRoute."""
    name = f"bench-{index}"
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": f"/{name}"}}],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        "backendRefs": [{"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": f"gaie-{name}"}],
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": [{"name": "infra-bench-inference-gateway"}], "rules": [rule]},
    }


def lab_memory_mib() -> float:
    """Return the proportional memory of every process of the lab, in MiB."""
    total = 0
    for smaps in pathlib.Path("/proc").glob("[0-9]*/smaps_rollup"):
        try:
            if f"/labs/{LAB}/" in (smaps.parent / "cmdline").read_text():
                total += sum(int(line.split()[1]) for line in smaps.read_text().splitlines() if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while being read
    return total / 1024


def measure(count: int, folders: list[pathlib.Path]) -> list[dict]:
    """Measure one number of models with each checkout: first deployment, re-runs in turn, memory and removal."""
    rows = []
    for number, folder in enumerate(folders):
        stack = {"llm_d_namespace": f"bench-{count}-{number}", "llm_d_models": models(count)}
        print(f"{count} model(s): site.yml, first deployment, {folder}", flush=True)
        rows.append({"models": count, "stack": stack, "first": playbook("site", stack, folder), "again": []})
    for _time in range(TIMES):
        for folder, row in zip(folders, rows, strict=True):
            row["again"].append(playbook("site", row["stack"], folder))
    memory = lab_memory_mib()
    for folder, row in zip(folders, rows, strict=True):
        removal = {"teardown_confirm": True, "teardown_delete_namespace": True}
        row.update(
            again=median(row["again"]), memory=memory, removal=playbook("teardown", row["stack"] | removal, folder)
        )
        print(
            f"{count} model(s): {row['again']:.1f} s for a re-run, {row['removal']:.1f} s for the teardown", flush=True
        )
    return rows


def report(rows: list[dict]) -> str:
    """Return docs/benchmarks.md."""
    slowest = max(DELAYS.values())
    lines = [
        "# Benchmarks",
        "",
        "Run them with `make bench`: it starts a lab of its own, takes about 20 minutes and rewrites this page.",
        "`python tests/bench/bench.py --baseline CHECKOUT` measures another checkout of this collection beside it.",
        "",
        f"Measured on {datetime.date.today().isoformat()}, {machine()}.",
        "One lab, one run. Pods become ready after "
        + ", ".join(f"{seconds} s ({name})" for name, seconds in DELAYS.items())
        + "; each model has two replicas.",
        "The serial chain is one `helm upgrade --install --wait` after another (gateway, then pool and model server of",
        "each model), then the routes, with the same charts and values; it validates and verifies nothing.",
        "",
        "| Models | `site.yml`, first | beyond the slowest component | `site.yml` again, no change | teardown "
        "| serial chain | times faster | lab's memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        count = row["models"]
        lines.append(
            f"| {count} | {row['first']:.1f} s "
            f"| {row['first'] - slowest:.1f} s (aim: {FIRST_OVER_SLOWEST.get(count, '-')} s) "
            f"| {row['again']:.1f} s (aim: {RERUN.get(count, '-')} s) | {row['removal']:.1f} s | {row['serial']:.1f} s "
            f"| {row['serial'] / row['first']:.1f} | {row['memory']:.0f} MiB (aim: {MEMORY_LIMIT_MIB}) |"
        )
    lines += [
        "",
        "`site.yml` also plans, validates, sends completions to each model and writes a record within its time.",
        f"Times are wall times of whole processes, from the shell; of re-runs the median of {TIMES}. Python keeps what",
        "it has compiled, as it does unless `PYTHONDONTWRITEBYTECODE` is set.",
    ]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Return the machine in a few words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Linux {platform.release().split('-')[0]}, {versions}"


def missed(rows: list[dict]) -> list[str]:
    """Return the aims that were not reached."""
    slowest, lines = max(DELAYS.values()), []
    for row in rows:
        count = row["models"]
        if row["first"] - slowest > FIRST_OVER_SLOWEST.get(count, float("inf")):
            lines.append(f"first deployment of {count}: {row['first'] - slowest:.1f} s beyond the slowest component")
        if row["again"] > RERUN.get(count, float("inf")):
            lines.append(f"re-run of {count}: {row['again']:.1f} s")
        if row["memory"] > MEMORY_LIMIT_MIB:
            lines.append(f"memory with {count}: {row['memory']:.0f} MiB")
    return lines


def before_and_after(rows: list[list[dict]], plans: list[dict], commit: str) -> str:
    """Return the section that compares two checkouts: what they took, this one second."""
    pairs = []
    for now, before in rows:
        named = f"of {now['models']} model(s)"
        pairs += [(f"first deployment {named}", before["first"], now["first"])]
        pairs += [(f"re-run {named}, no change", before["again"], now["again"])]
        pairs += [(f"teardown {named}", before["removal"], now["removal"])]
    for now, before in zip(plans[0]["rows"], plans[1]["rows"], strict=True):
        pairs += [(f"plan of {now['models']} model(s)", before["seconds"], now["seconds"])]
    pairs += [("a misspelt key is named", plans[1]["message"], plans[0]["message"])]
    lines = [
        "## Before and after",
        "",
        f"The same on the same lab by this checkout and by the one at commit {commit}, in turn; CPU is that of all",
        "processes of a command.",
        "",
        "| | before | now | change | CPU before | CPU now |",
        "|---|---|---|---|---|---|",
        *(
            f"| {what} | {old:.1f} s | {new:.1f} s | {(new / old - 1) * 100:+.0f} % "
            f"| {old.cpu:.1f} s | {new.cpu:.1f} s |"
            for what, old, new in pairs
        ),
    ]
    return "\n".join(lines) + "\n"


def with_section(page: str, title: str, text: str) -> str:
    """Return docs/benchmarks.md with a section in place of the former, or at its end."""
    if title in page:
        return re.sub(rf"{re.escape(title)}\n.*?(?=\n## |\Z)", lambda _found: text, page, flags=re.DOTALL)
    return f"{page.rstrip()}\n\n{text}"


def publish(title: str, text: str, unreached: list[str]) -> None:
    """Rewrite one section of docs/benchmarks.md, and fail if an aim is missed."""
    path = ROOT / "docs/benchmarks.md"
    path.write_text(with_section(path.read_text(encoding="utf-8"), title, text), encoding="utf-8")
    print(text)
    if unreached:
        sys.exit("Not reached: " + "; ".join(unreached))


def main() -> None:
    """Measure, write the page, and fail if an aim is missed."""
    import against_helmfile  # which use this file's functions
    import dynamo
    import planning

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=int, default=[1, 8])
    parser.add_argument("--baseline", type=pathlib.Path)
    chosen = parser.parse_args()
    folders = [ROOT, *([chosen.baseline.resolve()] if chosen.baseline else [])]
    ready = {name: f"{seconds}s" for name, seconds in {**DELAYS, **dynamo.DELAYS}.items()}
    print("Starting the lab", flush=True)
    playbook("lab_up", {"lab_ready_delays": ready, "lab_nodes": NODES})
    try:
        plans = planning.measure(folders)
        rows = [measure(count, folders) for count in chosen.models]
        beside = against_helmfile.measure()
        front = dynamo.measure()
        for row, *_before in rows:
            print(f"{row['models']} model(s): the serial chain", flush=True)
            row["serial"] = serial(row["models"])
    finally:
        playbook("lab_down", {})
    now = [row[0] for row in rows]
    sections = [report(now), against_helmfile.section(beside), dynamo.section(front)]
    if chosen.baseline:
        commit = subprocess.run(["git", "-C", folders[1], "rev-parse", "--short", "HEAD"],
                                capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
        sections.append(before_and_after(rows, plans, commit))
    page = with_section("\n".join(sections), planning.TITLE, planning.section(plans[0]))
    (ROOT / "docs/benchmarks.md").write_text(page, encoding="utf-8")
    print(page)
    unreached = missed(now) + planning.missed(plans[0]) + against_helmfile.missed(beside) + dynamo.missed(front)
    if unreached:
        sys.exit("Not reached: " + "; ".join(unreached))


if __name__ == "__main__":
    main()
