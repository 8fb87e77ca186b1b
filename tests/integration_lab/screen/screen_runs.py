# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Typical failures and ordinary changes on a lab, and how many rows of an 80-column terminal each prints."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import time
from typing import Any

import ansible

ROOT = pathlib.Path(__file__).parents[3]
COLUMNS = 80
# The row of the cause from the end, and what a good run may print.
CAUSE, GOOD = 12, 45
IMAGE = "ghcr.io/llm-d/llm-d-inference-sim"


def model(name: str, replicas: Any = 1, tag: str = "v0.7.1", **decode: Any) -> dict[str, Any]:
    """A model with a simulated server. decode: more of its values."""
    ports = [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}]
    container = {"name": "vllm", "image": f"{IMAGE}:{tag}", "modelCommand": "imageDefault", "ports": ports}
    values = {
        "accelerator": {"type": "cpu"},
        "routing": {"proxy": {"enabled": False}},
        "decode": {"create": True, "replicas": replicas, "containers": [container], **decode},
        "prefill": {"create": False},
    }
    return {"name": name, "model": f"test/{name}", "values": values, "route": {"path_prefix": f"/{name}"}}


ONE, TWO = [model("one")], [model("one"), model("two")]
GPUS = {"requests": {"nvidia.com/gpu": 64}, "limits": {"nvidia.com/gpu": 64}}
HUNGRY = model("one")
HUNGRY["values"]["decode"]["containers"][0]["resources"] = GPUS


@dataclasses.dataclass(frozen=True)
class Case:
    """One run. cause: what its failure has to name last, "" for a change that succeeds; given: extra variables."""

    title: str
    given: dict[str, Any]
    cause: str = ""
    playbook: str = "site"


FAILURES = (
    Case("a misspelt key of values", {"llm_d_models": [model("one", replicaz=2)]}, "replicaz"),
    Case("a value of the wrong type", {"llm_d_models": [model("one", "two")]}, "decode.replicas"),
    Case("a misspelt variable", {"llm_d_namspace": "x"}, "llm_d_namspace"),
    Case("an unknown gateway provider", {"gateway_provider": "istioo"}, "istioo"),
    Case("a name that Kubernetes refuses", {"llm_d_models": [model("Bad_Name")]}, "Bad_Name"),
    Case("a chart that is not there", {"modelservice_chart_ref": "/nowhere/chart"}, "/nowhere/chart"),
    Case("a kubeconfig that is not there", {"llm_d_kubeconfig": "/nowhere/kubeconfig"}, "/nowhere"),
    Case("a cluster that does not answer", {"llm_d_kubeconfig": "", "llm_d_api_host": "https://127.0.0.1:1",
                                            "llm_d_api_token": "only-for-tests"}, "127.0.0.1:1"),
    Case("more GPUs than any node has", {"llm_d_models": [HUNGRY]}, "nvidia.com/gpu"),
    Case("a teardown that nobody consents to", {}, "teardown_confirm", "teardown"),
    Case("an image that does not exist", {"llm_d_namespace": "screen-image", "llm_d_models": [model("absent")]},
         "DIAG101"),
    Case("a program that crashes", {"llm_d_namespace": "screen-crash", "llm_d_models": [model("crashing")]},
         "DIAG526"),
)  # fmt: skip
CHANGES = (
    Case("deploy two models", {"llm_d_models": TWO}),
    Case("the same again", {"llm_d_models": TWO}),
    Case("more replicas", {"llm_d_models": [model("one", 2), model("two")]}),
    Case("another image", {"llm_d_models": [model("one", 2, "v0.7.2"), model("two")]}),
    Case("one more model", {"llm_d_models": [model("one", 2, "v0.7.2"), *TWO[1:], model("three")]}),
    Case("plan the removal of a model", {"llm_d_models": TWO}, playbook="plan"),
    Case("remove a model", {"llm_d_models": TWO, "llm_d_prune": True}),
    Case("ask for the status", {}, playbook="status"),
    Case("verify", {"llm_d_models": TWO}, playbook="verify"),
    Case("tear down", {"teardown_confirm": True, "teardown_delete_namespace": True}, playbook="teardown"),
)
CRASH = "usage: api_server.py [-h]\napi_server.py: error: unrecognized arguments: --max-modle-len=4096\n"
FAULTS = [
    {"name": "screen-absent", "fault": "ImagePullBackOff", "match": {"llm-d.ai/model": "absent"}},
    {"name": "screen-crash", "fault": "CrashLoopBackOff", "match": {"llm-d.ai/model": "crashing"}, "log": CRASH},
]


@dataclasses.dataclass(frozen=True)
class Printed:
    """What a run printed. rows: of the terminal; from_end: the row of the cause, counted from the end, 0 for none."""

    code: int
    text: str
    rows: int
    from_end: int
    seconds: float


def rows(line: str) -> int:
    """Return how many rows of the terminal a line takes."""
    return max(1, -(-len(line) // COLUMNS))


def measure(text: str, cause: str) -> tuple[int, int]:
    """Return the rows of a text, and from which row from the end on it names the cause after the recap, 0 for none."""
    lines = text.rstrip("\n").split("\n")
    begin = max((number for number, line in enumerate(lines) if line.startswith("PLAY RECAP")), default=0)
    named = [number for number, line in enumerate(lines) if number > begin and cause and cause in line]
    # The last line is the command, which has the user's own flags.
    named = [number for number in named if number < len(lines) - 1]
    from_end = sum(map(rows, lines[named[0] :])) if named else 0
    return sum(map(rows, lines)), from_end


def run(case: Case, folder: pathlib.Path, core: str = "") -> Printed:
    """Run a case in a folder. core: a virtual environment with another ansible-core, "" for the tests' own."""
    given = {"lab_name": os.environ["TEST_LAB"], "llm_d_namespace": "screen", "llm_d_models": ONE, **case.given}
    (folder / "vars.json").write_text(json.dumps(given), encoding="utf-8")
    env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": str(COLUMNS), "PWD": str(folder)}
    if core:
        env["PATH"] = f"{core}/bin{os.pathsep}{env['PATH']}"
        # kubernetes.core is where the tests' own ansible has it.
        bundled = pathlib.Path(ansible.__file__).parents[1]
        env["ANSIBLE_COLLECTIONS_PATH"] = f"{ROOT / 'playbooks/collections'}{os.pathsep}{bundled}"
    # In a checkout, whose ansible.cfg holds; records go to the folder.
    command = ["ansible-playbook", f"playbooks/{case.playbook}.yml", "-i", "inventories/lab"]
    command += ["-e", f"@{folder}/vars.json"]
    begin = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, text=True, timeout=240,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return Printed(done.returncode, done.stdout, *measure(done.stdout, case.cause), time.monotonic() - begin)


def faults(folder: pathlib.Path, wanted: list[dict[str, Any]]) -> None:
    """Have the lab show faults."""
    done = run(Case("faults", {"lab_faults": wanted}, playbook="lab_up"), folder)
    assert done.code == 0, done.text


def wrong(case: Case, printed: Printed) -> str:
    """Return what does not hold of a run, "" where all does."""
    if not case.cause:
        return "" if printed.code == 0 and printed.rows <= GOOD else f"{printed.rows} rows, exit {printed.code}"
    last = printed.text.rstrip().rsplit("\n", 1)[-1].strip()
    if printed.code == 0 or not 0 < printed.from_end <= CAUSE:
        return f"exit {printed.code}, the cause stands {printed.from_end} rows from the end"
    if "FAILED! =>" in printed.text or not last.startswith("ansible-playbook "):
        return f"a dump, or the last line is no command: {last}"
    return ""
