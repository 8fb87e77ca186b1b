# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Run all hostile cases, each in a process of its own with limits: run.py FOLDER [NAME ...].

Prints one JSON line for each: name, seconds (of the processor), mebibytes (of its memory), texts (rule and text of each
finding), error.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import signal
import socket
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[5])]
__import__("conftest")  # makes the collection importable

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas import check_all  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Loader  # noqa: E402

from values.hostile.cases import CASES  # noqa: E402

LIMIT = 1024 * 1024 * 1024
PATIENCE = 20


def refuse(_socket: socket.socket, address: object) -> None:
    """Stand in for socket.connect."""
    raise SystemExit(f"reached out to {address}")


def check(entry: dict, cache: str) -> list[str]:
    """Return what the module says, and what planning says of the same values files."""
    found = check_all.check_charts([entry], cache_dir=cache).findings
    findings = Findings()
    loader = Loader([], findings)
    for name in entry.get("values_files") or []:
        loader.file(name, "llm_d_models[0].values_files[0]")
    missed = entry.get("values_files") and any(f.rule.startswith("yaml-") for f in found) and not findings
    return [f"{f.rule} {f.text()}" for f in found] + (["planning does not say it"] if missed else []) + findings.texts


def run(name: str, folder: pathlib.Path) -> dict:
    """Return what became of one case."""
    folder.mkdir()
    entry = CASES[name][0](folder)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
        socket.socket.connect = refuse  # type: ignore[method-assign]
        reply: dict = {}
        try:
            reply["texts"] = check(entry, str(folder / "cache"))
        except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
            reply["error"] = traceback.format_exc()[-2000:]
        with os.fdopen(writer, "w") as stream:
            json.dump(reply, stream)
        os._exit(0)
    os.close(writer)
    return {"name": name, **_wait(child, reader)}


def _wait(child: int, reader: int) -> dict:
    killer = os.fork()
    if not killer:
        time.sleep(PATIENCE)
        os.kill(child, signal.SIGKILL)
        os._exit(0)
    with os.fdopen(reader) as stream:
        text = stream.read()
    usage = os.wait4(child, 0)[2]
    os.kill(killer, signal.SIGKILL)
    os.waitpid(killer, 0)
    reply = json.loads(text) if text else {"error": "killed"}
    # Of the processor: what else runs on the machine is not the input's doing.
    seconds = round(usage.ru_utime + usage.ru_stime, 2)
    return {"seconds": seconds, "mebibytes": usage.ru_maxrss // 1024, **reply}


def main() -> None:
    """Run the cases named, all by default."""
    folder = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        print(json.dumps(run(name, folder / name)), flush=True)


if __name__ == "__main__":
    main()
