# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Time a stack on NVIDIA Dynamo with the LLM Router on the bench's lab: site.yml, first and again, and verification.

Alone it starts that lab and rewrites its section of docs/benchmarks.md.
"""

from __future__ import annotations

import json
import pathlib
import tempfile

import bench

DELAYS = {"platform": 30, "frontend": 60, "worker": 60, "router": 60}
# Workers and frontend come up side by side once the platform is there; the router is in no one's way.
CHAIN = DELAYS["platform"] + DELAYS["worker"]
# Seconds: beyond that chain, for a run that changes nothing, and for the verification in it.
FIRST_OVER_CHAIN, RERUN, VERIFIED = 10, 5, 5
TITLE = "## NVIDIA Dynamo with the LLM Router"
NAMESPACE, ROUTER = "bench-dynamo", "bench-router"
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    # The lab takes such a claim for one that holds the classifier's models.
    "metadata": {"name": "router-models", "namespace": ROUTER, "annotations": {"lab.llm-d.ai/holds": "routers"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
}


def stack() -> dict:
    """Return the variables of the recipe's three models, one aggregated, with the router's default policies."""
    charts = {name: str(bench.CHARTS / name) for name in ("dynamo-platform", "dynamo-crds", "llm-router")}
    proxy = {"image": {"repository": "registry.k8s.io/kubebuilder/kube-rbac-proxy"}}
    disaggregated = [("llama-70b", "meta-llama/Llama-3.1-70B-Instruct", 4),
                     ("mixtral-8x22b", "mistralai/Mixtral-8x22B-Instruct-v0.1", 8)]  # fmt: skip
    models = [
        {"name": name, "model": model, "mode": "disagg", "decode": {"gpus": gpus}, "prefill": {"gpus": gpus}}
        for name, model, gpus in disaggregated
    ]
    return {
        "llm_d_namespace": NAMESPACE,
        "llm_d_models": [],
        "dynamo_platform_chart": charts["dynamo-platform"],
        "dynamo_platform_crds_chart": charts["dynamo-crds"],
        "dynamo_platform_values": {"dynamo-operator": {"controllerManager": {"kubeRbacProxy": proxy}}},
        "dynamo_models": [{"name": "llama-8b", "model": "meta-llama/Llama-3.1-8B-Instruct", "gpus": 1}, *models],
        "llm_router_chart": charts["llm-router"],
        "llm_router_namespace": ROUTER,
        "llm_router_image_registry": "registry.example.com/llm-router/",
        "llm_router_model_repository": {"existing_claim": CLAIM["metadata"]["name"]},
    }


def prepare() -> None:
    """Make the claim that somebody has filled."""
    bench.run(bench.lab()["kubectl"], "create", "namespace", ROUTER, env=bench.ACCESS)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(CLAIM, file)
        file.flush()
        bench.run(bench.lab()["kubectl"], "apply", "-f", file.name, env=bench.ACCESS)


def measure() -> dict:
    """Deploy the stack, run it again, and remove it; return what each took."""
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        variables = {**stack(), "llm_d_records_dir": folder}
        print("NVIDIA Dynamo: site.yml, first deployment", flush=True)
        first = bench.playbook("site", variables)
        again = bench.median([bench.playbook("site", variables) for _time in range(bench.TIMES)])
        records = sorted(pathlib.Path(folder).glob("*/2*/record.json"))
        found = [json.loads(path.read_text(encoding="utf-8"))["verification"] for path in records]
        removal = {"teardown_confirm": True, "teardown_delete_namespace": True}
        removed = bench.playbook("teardown", {**variables, **removal})
    print(f"NVIDIA Dynamo: {first:.1f} s, then {again:.1f} s for a re-run", flush=True)
    classes = sum(bool(row["class"]) for row in found[0]["classes"])
    seconds = max(row["seconds"] for row in found)
    return {"first": first, "again": again, "removal": removed, "verified": seconds, "classes": classes}


def section(found: dict) -> str:
    """Return the section of docs/benchmarks.md."""
    delays = ", ".join(f"{seconds} s ({name})" for name, seconds in DELAYS.items())
    lines = [
        TITLE,
        "",
        "Three models, one aggregated and two disaggregated, a shared frontend, and the router with the recipe's two",
        f"policies ({found['classes']} classes). Pods become ready after {delays}: the longest",
        f"chain, platform and then workers beside frontend and router, is {CHAIN} s.",
        "",
        "| `site.yml`, first | beyond the longest chain | again, no change | verification in it | teardown |",
        "|---|---|---|---|---|",
        f"| {found['first']:.1f} s | {found['first'] - CHAIN:.1f} s (aim: {FIRST_OVER_CHAIN} s) "
        f"| {found['again']:.1f} s (aim: {RERUN} s) | {found['verified']:.1f} s (aim: {VERIFIED} s) "
        f"| {found['removal']:.1f} s |",
        "",
        "The verification asks each model, counts whose workers answered, and asks for each class of each policy.",
    ]
    return "\n".join(lines) + "\n"


def missed(found: dict) -> list[str]:
    """Return the aims that were not reached."""
    over = found["first"] - CHAIN
    lines = [f"Dynamo: first deployment: {over:.1f} s beyond the longest chain"] if over > FIRST_OVER_CHAIN else []
    lines += [f"Dynamo: re-run: {found['again']:.1f} s"] if found["again"] > RERUN else []
    return lines + ([f"Dynamo: verification: {found['verified']:.1f} s"] if found["verified"] > VERIFIED else [])


def main() -> None:
    """Measure on a lab of its own, rewrite the section, and fail if an aim is missed."""
    ready = {name: f"{seconds}s" for name, seconds in DELAYS.items()}
    bench.playbook("lab_up", {"lab_ready_delays": ready, "lab_nodes": bench.NODES})
    try:
        found = measure()
    finally:
        bench.playbook("lab_down", {})
    bench.publish(TITLE, section(found), missed(found))


if __name__ == "__main__":
    main()
