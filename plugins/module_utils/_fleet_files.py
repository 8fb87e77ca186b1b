# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A fleet's report in files, and the command that tries the rest once more."""

from __future__ import annotations

import json
import os
import shlex
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._fleet import to_retry
from ansible_collections.llm_d.orchestrator.plugins.module_utils._fleet_page import markdown, page
from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_command import masked_arguments
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_files import prepare_directory, write_atomic

FOLDER = "fleet"
HOSTS = "failed.txt"
LIMITS = ("-l", "--limit", "--subset")
# More hosts than these are not named in a command where their list cannot be written.
NAMED = 20

Object = dict[str, t.Any]


def write(report: Object, records: str, arguments: t.Sequence[str]) -> tuple[Object, list[str], str]:
    """Write a report below the folder of all records; return it with its command, the files, and what went wrong.

    arguments: of ansible-playbook, without its name. Of a report that cannot be written, the command names the hosts.
    """
    again = to_retry(report)
    try:
        folder = _folder(records, report["started"])
        report = {**report, "retry": retry_command(arguments, f"@{os.path.join(folder, HOSTS)}") if again else ""}
        return report, _files(report, folder, again), ""
    except OrchestratorError as exc:
        return {**report, "retry": retry_by_names(report, arguments)}, [], f"not written: {exc.message}"


def retry_by_names(report: Object, arguments: t.Sequence[str]) -> str:
    """Return the command that names the hosts, "" where there are none, or too many."""
    again = to_retry(report)
    return retry_command(arguments, ",".join(again)) if 0 < len(again) <= NAMED else ""


def _folder(records: str, started: str) -> str:
    """Make a folder of this run's own, another one's of the same second being left alone."""
    above = os.path.join(os.path.abspath(records), FOLDER)
    prepare_directory(above)
    for number in range(1, 100):
        folder = os.path.join(above, started if number == 1 else f"{started}-{number}")
        try:
            os.mkdir(folder, mode=0o750)
        except FileExistsError:
            continue
        except OSError as exc:
            raise OrchestratorError(f"The folder {folder} cannot be made: {exc.strerror or exc}.") from exc
        return folder
    raise OrchestratorError(f"There are a hundred summaries of {started} in {above}.")


def _files(report: Object, folder: str, again: list[str]) -> list[str]:
    texts = {
        "fleet.html": page(report, folder),
        "fleet.md": markdown(report),
        "fleet.json": json.dumps(report, indent=2) + "\n",
    }
    if again:
        texts[HOSTS] = "".join(f"{host}\n" for host in again)
    for name, text in texts.items():
        write_atomic(os.path.join(folder, name), text)
    return [os.path.join(folder, name) for name in texts if name != HOSTS]


def retry_command(arguments: t.Sequence[str], limit: str) -> str:
    """Return the same command for other hosts. What is secret among its extra variables is masked."""
    kept: list[str] = []
    skip = False
    for argument in masked_arguments(list(arguments)):
        if skip or argument in LIMITS:
            skip = not skip
        elif not argument.startswith(("--limit=", "--subset=", "-l")):
            kept.append(argument)
    return shlex.join(["ansible-playbook", *kept, "--limit", limit])
