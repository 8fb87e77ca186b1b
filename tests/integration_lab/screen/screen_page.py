# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure what failures and changes print on a running lab (LAB_KUBECONFIG, TEST_LAB), and write the table in
docs/operate/screen.md. CORE=FOLDER:FOLDER: virtual environments with further ansible-cores, for the failures."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from screen_runs import CHANGES, FAILURES, FAULTS, Case, Printed, faults, run, wrong

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "operate" / "screen.md"
BEGIN, END = "<!-- table by tests/integration_lab/screen/screen_page.py -->\n", "<!-- end of the table -->\n"


def version(core: str) -> str:
    """Return the version of an ansible-core, as 2.19."""
    python = f"{core}/bin/python" if core else sys.executable
    code = "from ansible.release import __version__ as v; print('.'.join(v.split('.')[:2]))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def measured(core: str, folder: pathlib.Path) -> dict[str, Printed]:
    """Return what each case printed."""
    found = {}
    for case in FAILURES if core else (*CHANGES[:1], *FAILURES, *CHANGES[1:]):
        found[case.title] = run(case, folder, core)
        if text := wrong(case, found[case.title]):
            sys.exit(f"{case.title}: {text}\n{found[case.title].text}")
    kubectl = ["kubectl", "--kubeconfig", os.environ["LAB_KUBECONFIG"], "delete", "namespace", "--ignore-not-found"]
    subprocess.run([*kubectl, "screen-image", "screen-crash"], check=True, stdout=subprocess.DEVNULL)
    return found


def table(cases: tuple[Case, ...], by_core: dict[str, dict[str, Printed]], failed: bool) -> str:
    """Return a table, a column for each ansible-core."""
    title = "failure (rows, cause from the end)" if failed else "change (rows)"
    lines = [f"| {title} | {' | '.join(f'core {name}' for name in by_core)} |", "|---" * (len(by_core) + 1) + "|"]
    for case in cases:
        cells = [found[case.title] for found in by_core.values()]
        shown = [f"{cell.rows}, {cell.from_end}" if failed else str(cell.rows) for cell in cells]
        lines.append(f"| {case.title} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the tables."""
    cores = ["", *filter(None, os.environ.get("CORE", "").split(os.pathsep))]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        faults(folder, FAULTS)
        try:
            by_core = {version(core): measured(core, folder) for core in cores}
        finally:
            faults(folder, [])
    by_core = dict(sorted(by_core.items()))
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    own = {version(""): by_core[version("")]}
    tables = f"\n{table(FAILURES, by_core, True)}\n{table(CHANGES, own, False)}\n"
    PAGE.write_text(head + BEGIN + tables + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
