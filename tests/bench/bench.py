# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Time site.yml against the serial chain of Helm commands, and plan.yml, on one lab; write docs/benchmarks.md.

The lab's pods become ready after 20 s (gateway), 10 s (EPP) and 60 s (model servers). Usage: bench.py [models ...]
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = "bench"
STATE = pathlib.Path(os.environ.get("XDG_STATE_HOME", pathlib.Path.home() / ".local/state"))
LAB_STATE = STATE / "llm-d-orchestrator/labs" / LAB
CHARTS = ROOT / "roles/lab/files/charts"
DELAYS = {"gateway": 20, "epp": 10, "modelserver": 60}
# What the first deployment and a re-run may cost beyond the slowest component, in seconds, by number of models.
FIRST_OVER_SLOWEST = {1: 8, 8: 20}
RERUN = {1: 8, 8: 20}
MEMORY_LIMIT_MIB = 1536
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


def run(*command: str, env: dict | None = None) -> float:
    """Run a command, show its output only if it fails, and return its wall time in seconds."""
    start = time.monotonic()
    output = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False, **output)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-8000:]}")
    return time.monotonic() - start


def playbook(name: str, variables: dict) -> float:
    """Run one of our playbooks on the bench's lab and return its wall time."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as extra:
        json.dump({"lab_name": LAB, **variables}, extra)
        extra.flush()
        return run("ansible-playbook", "-i", "inventories/lab", f"playbooks/{name}.yml", "-e", f"@{extra.name}")


def serial(count: int) -> float:
    """Deploy the same releases as the guides do, one `helm upgrade --install --wait` after another, then the routes."""
    lab = json.loads((LAB_STATE / "lab.json").read_text())
    env = {"KUBECONFIG": str(LAB_STATE / "kubeconfig")}
    helm, start = lab["helm"], time.monotonic()
    flags = ["--namespace", "serial", "--create-namespace", "--wait", "--timeout", "10m"]

    def install(release: str, chart: str, content: dict) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(content, file)
            file.flush()
            run(helm, "upgrade", "--install", release, str(CHARTS / chart), *flags, "-f", file.name, env=env)

    install("infra-serial", "llm-d-infra", {"gateway": {"gatewayClassName": "istio"}})
    for index in range(count):
        name = f"bench-{index}"
        pool = {"modelServers": {"matchLabels": values(index)["modelArtifacts"]["labels"]}}
        install(f"gaie-{name}", "inferencepool", {"inferencePool": pool, "provider": {"name": "istio"}})
        install(f"ms-{name}", "llm-d-modelservice", values(index))
    for index in range(count):
        apply_route(lab["kubectl"], f"bench-{index}", env)
    took = time.monotonic() - start
    run(lab["kubectl"], "delete", "namespace", "serial", "--wait=true", env=env)
    return took


def apply_route(kubectl: str, name: str, env: dict) -> None:
    """Apply one model's HTTPRoute as the guides' last step does."""
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "serial"},
        "spec": {
            "parentRefs": [{"name": "infra-serial-inference-gateway"}],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": f"/{name}"}}],
                    "backendRefs": [
                        {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": f"gaie-{name}"}
                    ],
                }
            ],
        },
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(route, file)
        file.flush()
        run(kubectl, "apply", "-f", file.name, env=env)
    run(kubectl, "wait", "-n", "serial", f"httproute/{name}", "--timeout=60s",
        "--for=jsonpath={.status.parents[0].conditions[0].status}=True", env=env)  # fmt: skip


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


def measure(count: int) -> dict:
    """Measure one number of models: first deployment, re-run, memory and removal."""
    stack = {"llm_d_namespace": f"bench-{count}", "llm_d_models": models(count)}
    print(f"{count} model(s): site.yml, first deployment", flush=True)
    first = playbook("site", stack)
    print(f"{count} model(s): site.yml again ({first:.1f} s for the first)", flush=True)
    again = playbook("site", stack)
    memory = lab_memory_mib()
    removal = playbook("teardown", {**stack, "teardown_confirm": True, "teardown_delete_namespace": True})
    print(f"{count} model(s): {again:.1f} s for the re-run, {removal:.1f} s for the teardown", flush=True)
    return {"models": count, "first": first, "again": again, "removal": removal, "memory": memory}


def report(rows: list[dict]) -> str:
    """Return docs/benchmarks.md."""
    slowest = max(DELAYS.values())
    lines = [
        "# Benchmarks",
        "",
        "Run them with `make bench`: it starts a lab of its own, takes about 20 minutes and rewrites this page.",
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
        "Times are wall times of whole processes, from the shell.",
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


def main() -> None:
    """Measure, write the page, and fail if an aim is missed."""
    import planning  # which uses this file's functions

    counts = [int(argument) for argument in sys.argv[1:]] or [1, 8]
    ready = {name: f"{seconds}s" for name, seconds in DELAYS.items()}
    print("Starting the lab", flush=True)
    playbook("lab_up", {"lab_ready_delays": ready, "lab_nodes": NODES})
    try:
        plans = planning.measure()
        rows = [measure(count) for count in counts]
        for row in rows:
            print(f"{row['models']} model(s): the serial chain", flush=True)
            row["serial"] = serial(row["models"])
    finally:
        playbook("lab_down", {})
    page = planning.with_section(report(rows), planning.section(plans))
    (ROOT / "docs/benchmarks.md").write_text(page)
    print(page)
    if missed(rows) + planning.missed(plans):
        sys.exit("Not reached: " + "; ".join(missed(rows) + planning.missed(plans)))


if __name__ == "__main__":
    main()
