# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where records are written: a folder of each deployment's own, files as a whole or not at all."""

from __future__ import annotations

import os
import tempfile

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._files import replace_file

# Records may be shared within a group; they hold no secrets.
FILE_MODE, DIRECTORY_MODE = 0o640, 0o750
# About what a small record takes.
TRIAL_BYTES = 64 * 1024


def prepare_directory(path: str, dry: bool = False) -> None:
    """Make a run's directory and prove that it can be written; dry only asks the nearest folder that exists.

    Raises OrchestratorError naming the folder.
    """
    hint = "Set llm_d_records_dir to a folder that you can write, or mend its permissions."
    if dry:
        while not os.path.exists(path) and os.path.dirname(path) != path:
            path = os.path.dirname(path)
        if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
            raise OrchestratorError(f"The record of the deployment cannot be written under {path}.", hint=hint)
        return
    try:
        os.makedirs(path, mode=DIRECTORY_MODE, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as trial:
            # A full disk still makes files.
            trial.write(bytes(TRIAL_BYTES))
    except OSError as exc:
        reason = exc.strerror or exc
        raise OrchestratorError(
            f"The record of the deployment cannot be written to {path}: {reason}.", hint=hint
        ) from exc


def write_atomic(path: str, text: str) -> None:
    """Write a file as a whole or not at all. Raises OrchestratorError."""
    try:
        replace_file(path, text.encode(errors="backslashreplace"), FILE_MODE)
    except OSError as exc:
        raise OrchestratorError(f"Cannot write {path}: {exc.strerror or exc}.") from exc
