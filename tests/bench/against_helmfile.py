# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Time site.yml beside what the guides have their users run: helmfile, the routes, requests until one is answered."""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import typing as t

import bench
import yaml

TITLE = "## Against helmfile"
MODELS = 2
NAMESPACE = "bench-helmfile"
STACK = {"llm_d_namespace": "bench-beside-helmfile", "llm_d_models": bench.models(MODELS)}
SERVICE = "service/infra-bench-inference-gateway-istio"
# A re-run that changes nothing takes at most so many times what `helmfile sync` takes.
RATIO = 1.0
# Seconds between two requests of one who waits for the first answer, and until it is given up.
PAUSE, LIMIT = 0.5, 600.0


def measure() -> dict | None:
    """Return what helmfile and site.yml took, None where helmfile is not there."""
    if not shutil.which("helmfile"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "helmfile.yaml")
        file.write_text(yaml.safe_dump(helmfile(NAMESPACE)), encoding="utf-8")
        verb = "apply" if has_diff() else "sync"
        print(f"{MODELS} models: helmfile {verb}, first deployment", flush=True)
        found: dict[str, t.Any] = {"verb": verb, "applied": [], "synced": [], "again": []}
        found["first"] = deployed(file, verb)
        print(f"{MODELS} models: site.yml, first deployment ({found['first']:.1f} s for helmfile)", flush=True)
        found["ours"] = bench.playbook("site", STACK)
        for _time in range(bench.TIMES):
            found["applied"].append(deployed(file, verb))
            found["synced"].append(run(file, "sync"))
            found["again"].append(bench.playbook("site", STACK))
    found |= {name: bench.median(found[name]) for name in ("applied", "synced", "again")}
    print(f"{MODELS} models again: {found['again']:.1f} s, helmfile sync {found['synced']:.1f} s", flush=True)
    bench.playbook("teardown", {**STACK, "teardown_confirm": True, "teardown_delete_namespace": True})
    bench.run(bench.lab()["kubectl"], "delete", "namespace", NAMESPACE, "--wait=true", env=bench.ACCESS)
    return found


def helmfile(namespace: str) -> dict:
    """Return a helmfile with what those of the guides have: no wait, and needs between the releases."""
    rows = []
    for name, chart, values in bench.releases(MODELS):
        row = {"name": name, "namespace": namespace, "chart": str(bench.CHARTS / chart), "values": [values]}
        needs = {"gaie": ["infra-bench"], "ms": ["infra-bench", f"gaie-{name.partition('-')[2]}"]}
        rows.append({**row, "needs": [f"{namespace}/{one}" for one in needs.get(name.partition("-")[0], [])]})
    return {"helmDefaults": {"createNamespace": True}, "releases": rows}


def has_diff() -> bool:
    """Return whether Helm has the plugin diff, which `helmfile apply` needs."""
    plugins = subprocess.run([bench.lab()["helm"], "plugin", "list"], capture_output=True, text=True, check=True)
    return any(line.split()[:1] == ["diff"] for line in plugins.stdout.splitlines())


def run(file: pathlib.Path, verb: str) -> bench.Took:
    """Run helmfile and return what it took."""
    command = ("helmfile", "--helm-binary", bench.lab()["helm"], "--file", str(file), verb)
    return bench.run(*command, env=bench.ACCESS)


def deployed(file: pathlib.Path, verb: str) -> bench.Took:
    """Run helmfile, apply the routes, and ask each model until it answers; return what all of it took."""
    start, before = time.monotonic(), bench.cpu()
    run(file, verb)
    bench.apply_routes(NAMESPACE, MODELS)
    for index in range(MODELS):
        until_answered(index, start + LIMIT)
    return bench.took(time.monotonic() - start, bench.cpu() - before)


def until_answered(index: int, deadline: float) -> None:
    """Ask a model through the gateway's Service until it answers with 200."""
    while time.monotonic() < deadline:
        with forwarded() as port:
            while port and (status := asked(port, index)):
                if status == 200:
                    return
                time.sleep(PAUSE)
        time.sleep(PAUSE)
    sys.exit(f"bench-{index} did not answer within {LIMIT:.0f} s")


@contextlib.contextmanager
def forwarded() -> t.Iterator[int]:
    """Yield a local port that leads to the gateway, 0 where there is no way to it yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [bench.lab()["kubectl"], "port-forward", "-n", NAMESPACE, SERVICE, f"{port}:80"]
    environment = {**bench.ENVIRONMENT, **bench.ACCESS}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        try:
            # It says so once it listens, or ends.
            yield port if child.stdout and child.stdout.readline() else 0
        finally:
            child.terminate()


def asked(port: int, index: int) -> int:
    """Send a completion; return the status of the answer, 0 where none came."""
    body = json.dumps({"model": f"example/bench-{index}", "prompt": "The capital of France is", "max_tokens": 8})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", f"/bench-{index}/v1/completions", body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def section(found: dict | None) -> str:
    """Return the section of docs/benchmarks.md."""
    lines = [TITLE, ""]
    if found is None:
        return "\n".join([*lines, "Not measured: helmfile was not on the PATH."]) + "\n"
    verb = found["verb"]
    lines += [
        f"What the guides' users run: `helmfile {verb}` of a file without waits, with the same charts and values, then",
        "the routes, then requests until each model answers with 200. "
        f"{MODELS} models, {len(bench.releases(MODELS))} releases.",
        "",
        "| | helmfile | `site.yml` | times | CPU of helmfile | CPU of `site.yml` |",
        "|---|---|---|---|---|---|",
        _row("first deployment until all models answer", found["first"], found["ours"]),
        _row(
            f"again, no change: `helmfile {verb}`, routes, one answer of each model", found["applied"], found["again"]
        ),
        _row(f"again, no change: `helmfile sync` alone (aim: {RATIO:.1f} times)", found["synced"], found["again"]),
        "",
        "`site.yml` checks, verifies and records within its time. Of re-runs these are medians of "
        f"{bench.TIMES}, taken in turn; CPU is that of the commands' processes.",
    ]
    return "\n".join(lines) + "\n"


def _row(what: str, theirs: bench.Took, ours: bench.Took) -> str:
    seconds = f"{theirs:.1f} s | {ours:.1f} s | {ours / theirs:.2f}"
    return f"| {what} | {seconds} | {theirs.cpu:.1f} s | {ours.cpu:.1f} s |"


def missed(found: dict | None) -> list[str]:
    """Return the aims that were not reached."""
    if found is None or found["again"] <= RATIO * found["synced"]:
        return []
    return [f"a re-run took {found['again'] / found['synced']:.2f} times what helmfile sync takes"]
