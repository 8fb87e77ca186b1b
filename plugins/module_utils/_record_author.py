# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Who carries out a deployment: the user, the machine, and the job where a controller runs it."""

from __future__ import annotations

import getpass
import os
import socket
import typing as t

# What AWX and Automation Controller set for a job's processes.
JOB_ID, CONTROLLER = "JOB_ID", ("AWX_HOST", "TOWER_HOST", "AWX_PRIVATE_DATA_DIR")


def author(given: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> dict[str, str]:
    """Return {user, host} and where a controller runs it {job, controller}.

    given: what is known already (user, job), "" or absent where it is not; environment: of this process.
    """
    found = {"user": str(given.get("user") or "") or _user(), "host": socket.gethostname()}
    controller = next((environment[name] for name in CONTROLLER if environment.get(name)), "")
    job = str(given.get("job") or "") or (environment.get(JOB_ID, "") if controller else "")
    if job:
        found["job"] = job
    if job and controller.startswith(("http://", "https://")):
        found["controller"] = controller
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
