# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The table of faults in docs/failures/reliability.md."""

from __future__ import annotations

import re

from trial import Row

BEGIN, END = "<!-- faults: begin, written by make chaos -->", "<!-- faults: end -->"

LONGEST = 220


def general(text: str) -> str:
    """A text without what only this machine and this run have."""
    text = re.sub(r"chaos-\d+", "NAMESPACE", text)
    text = re.sub(r"(?<![\w./])/\S*/full/", "FOLDER/", text)
    text = re.sub(r"\b[\w.-]+@[\w.-]+(?=/lab/)", "USER@HOST", text)
    text = re.sub(r"(?<=-)[0-9a-f]{8,10}-[a-z0-9]{5}\b", "...", text)
    return re.sub(r"\s+", " ", text).strip()


def cell(text: str) -> str:
    """Text for a cell of the table."""
    text = text.replace("|", "\\|")
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0] + " ..."


def table(rows: list[Row]) -> str:
    """The table, with times in seconds."""
    lines = ["| fault | what the run came to | after s | running again | s |", "|---|---|---|---|---|"]
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            lines.append(f"| **{group}** | | | | |")
        result = "; ".join(row.wrong) or ("finishes, with what an undisturbed run leaves" if row.again else "")
        lines.append(
            f"| {cell(row.fault)} | {cell(row.outcome)} | {row.seconds:.1f} | {cell(result)} | {row.again:.1f} |"
        )
    return "\n".join(lines)


def with_table(page: str, text: str) -> str:
    """The page with the table in its place."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"
