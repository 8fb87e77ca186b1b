# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Breaks deployments on a lab, runs them again, and writes what came of it to docs/failures/reliability.md.

`--quick` tries a few faults in less than 90 s and writes nothing; `--only TEXT` tries those with the text in their
names, and writes those lines of the table anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
import traceback
from urllib.parse import urlsplit

import faults_cluster
import faults_killed
import faults_lock
from chaos_lab import ROOT, ChaosLab
from kubernetes import client
from page import general, table, with_table
from trial import Fault, Row, Trial, kind_of

GROUPS = (
    ("the run is killed", faults_killed.FAULTS),
    ("the cluster fails", faults_cluster.FAULTS),
    ("locks", faults_lock.FAULTS),
)
QUICK = (
    "killed alone, with a model pending-install",
    "killed with a model pending-install",
    "release pending-upgrade, its Helm gone",
    "a second run at once, llm_d_lock: refuse",
)
PAGE = ROOT / "docs/failures/reliability.md"
MEASURED = pathlib.Path(__file__).with_name("measured.json")


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT")
    parser.add_argument("--lab", default="", help="a lab that runs already")
    return parser.parse_args()


def chosen(wanted: argparse.Namespace) -> list[tuple[str, str, Fault]]:
    """The faults to try."""
    every = [(group, name, fault) for group, faults in GROUPS for name, fault in faults]
    if wanted.quick:
        every = [row for row in every if row[1] in QUICK]
    return [row for row in every if not wanted.only or any(text in row[1] for text in wanted.only)]


def tried(lab: ChaosLab, group: str, name: str, fault: Fault) -> Row:
    """Try one fault."""
    trial = Trial(lab, group, name)
    try:
        fault(trial)
    except Exception as exc:  # one fault's trouble is not the others'
        trial.wrong(f"{type(exc).__name__}: {exc}")
        traceback.print_exc()
    row = trial.finish()
    verdict = "; ".join(row.wrong) or "ok"
    print(f"{row.fault}: {row.outcome} ({row.seconds:.1f} s); again {row.again:.1f} s: {verdict}", flush=True)
    return row


def learn(lab: ChaosLab, rows: list[tuple[str, str, Fault]]) -> None:
    """Keep what undisturbed runs leave."""
    tokens = [name for group, name, _fault in rows if group == GROUPS[0][0] and "pending" not in name]
    for variables in [{}, *([{"prepare_hf_token": "hf_chaos"}] if tokens else [])]:
        trial = Trial(lab, "", "")
        trial.deploy(**variables)
        if trial.row.wrong:
            sys.exit(trial.row.wrong[0])
        Trial.baseline[kind_of(variables)] = lab.snapshot(trial.namespace)
        trial.finish()


def keep(rows: list[Row]) -> None:
    """Keep what was measured, and write the page of all that was."""
    known = {row["fault"]: row for row in json.loads(MEASURED.read_text(encoding="utf-8"))} if MEASURED.exists() else {}
    for row in rows:
        plain = dataclasses.replace(row, outcome=general(row.outcome), wrong=[general(text) for text in row.wrong])
        known[row.fault] = dataclasses.asdict(plain)
    order = [name for _group, faults in GROUPS for name, _fault in faults if name in known]
    MEASURED.write_text(json.dumps([known[name] for name in order], indent=1) + "\n", encoding="utf-8")
    lines = table([Row(**known[name]) for name in order])
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), lines), encoding="utf-8")


def main() -> None:
    """Try the faults; fail where something was not as it should be."""
    wanted = options()
    rows = chosen(wanted)
    done: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        lab = ChaosLab(wanted.lab or "chaos", pathlib.Path(folder))
        if not wanted.lab:
            lab.up(lab_faults=[])
        lab.connect()
        lab.port = urlsplit(lab.api.configuration.host).port
        lab.definitions = client.ApiextensionsV1Api(lab.api)
        try:
            learn(lab, rows)
            for row in rows:
                done.append(tried(lab, *row))
                if not wanted.quick:
                    keep(done[-1:])
        finally:
            if not wanted.lab:
                lab.down()
    wrong = [f"{row.fault}: {'; '.join(row.wrong)}" for row in done if row.wrong]
    if wrong:
        sys.exit("Not as it should be:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
