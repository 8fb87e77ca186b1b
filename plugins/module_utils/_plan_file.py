# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan's files: written whole and for their owner alone, read with a reason where that fails.

The form is docs/plan.schema.json.
"""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._files import replace_file
from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_mask import masked_plan

FORMAT = 1
PLAN, PAGE, LATEST = "plan.json", "plan.md", "latest"
FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
# No plan of a stack comes near it: a thousand objects with their diffs are a few MiB.
LARGEST = 64 * 2**20
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REQUIRED = {"digest": str, "namespace": str, "made": str, "inputs": dict, "state": dict, "actions": list}
AGAIN = "Make a plan anew with the playbook plan."

Object = dict[str, t.Any]


def plan_text(plan: Object) -> str:
    """Return a plan as JSON, without secrets."""
    return json.dumps(masked_plan(plan), indent=1, default=str) + "\n"


def read_plan(path: str) -> Object:
    """Return the plan of a file, or of plan.json in a folder.

    Raises OrchestratorError where it cannot be read, is no plan, or is of another format.
    """
    file = os.path.join(path, PLAN) if os.path.isdir(path) else path
    try:
        if os.path.getsize(file) > LARGEST:
            raise OrchestratorError(f"{file} is too large for a plan.", hint=AGAIN)
        with open(file, encoding="utf-8") as stream:
            plan = json.load(stream)
    except OSError as exc:
        hint = "Set llm_d_plan to the path that the playbook plan printed."
        raise OrchestratorError(f"The plan {file} cannot be read: {exc.strerror or exc}.", hint=hint) from exc
    except (ValueError, RecursionError) as exc:
        raise OrchestratorError(f"The plan {file} is damaged: {exc}.", hint=AGAIN) from exc
    _check(file, plan)
    return plan


def _check(file: str, plan: t.Any) -> None:
    """Raise OrchestratorError where a file's content is not a plan of the present format."""
    if not isinstance(plan, dict) or "format" not in plan or "digest" not in plan:
        raise OrchestratorError(f"{file} is not a plan.", hint="Set llm_d_plan to the plan.json of a plan.")
    if plan["format"] != FORMAT:
        raise OrchestratorError(f"The plan {file} has format {plan['format']!r}, not {FORMAT}.", hint=AGAIN)
    wrong = [key for key, kind in REQUIRED.items() if not isinstance(plan.get(key), kind)]
    if wrong or not DIGEST.fullmatch(plan["digest"]):
        keys = ", ".join(wrong or ["digest"])
        raise OrchestratorError(f"The plan {file} is damaged: wrong or missing {keys}.", hint=AGAIN)


def check_writable(directory: str) -> None:
    """Raise OrchestratorError where a folder, or the nearest one above it that exists, cannot be written."""
    nearest = directory
    while not os.path.exists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest) or not os.access(nearest, os.W_OK | os.X_OK):
        raise OrchestratorError(f"The plan cannot be written under {directory}: {nearest} refuses it.", hint=_hint())


def write_files(directory: str, texts: dict[str, str]) -> list[str]:
    """Write files into a folder, each whole or not at all; return their paths. Raises OrchestratorError."""
    try:
        os.makedirs(directory, mode=DIRECTORY_MODE, exist_ok=True)
        return [_write(os.path.join(directory, name), text) for name, text in texts.items()]
    except OSError as exc:
        message = f"The plan cannot be written to {directory}: {exc.strerror or exc}."
        raise OrchestratorError(message, hint=_hint()) from exc


def _hint() -> str:
    return "Set llm_d_plan_dir to a folder that you can write, or mend its permissions."


def _write(path: str, text: str) -> str:
    """Write one file, which nobody but its owner may read, and return its path."""
    replace_file(path, text.encode(), FILE_MODE)
    return path


def link_latest(directory: str) -> str:
    """Point the link `latest` beside a plan's folder at it and return the link's path. Raises OrchestratorError."""
    above, name = os.path.split(directory)
    link = os.path.join(above, LATEST)
    temporary = f"{link}.{os.getpid()}"
    try:
        os.symlink(name, temporary)
        os.replace(temporary, link)
    except OSError as exc:
        raise OrchestratorError(f"Cannot point {link} at {name}: {exc.strerror or exc}.", hint=_hint()) from exc
    return link
