# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What AWX and Automation Controller tell of the job that runs a playbook."""

from __future__ import annotations

import typing as t

# One is set for each job's processes; the others by ansible-runner, which both run jobs with.
JOB_ID, AWX_HOST = "JOB_ID", "AWX_HOST"
RUNNER = ("AWX_ISOLATED_DATA_DIR", "AWX_PRIVATE_DATA_DIR")


def in_job(environment: t.Mapping[str, str]) -> bool:
    """Return whether a job of AWX runs the playbook, so that it may leave artifacts to later jobs."""
    return bool(environment.get(AWX_HOST) and environment.get(JOB_ID))


def attended(environment: t.Mapping[str, str]) -> bool:
    """Return whether somebody may sit at the terminal: ansible-runner runs playbooks on one at which nobody does."""
    return not any(environment.get(name) for name in RUNNER)


def job_author(variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return {user, job} of a job's extra variables, "" where they do not say."""
    found = {"user": "user_name", "job": "job_id"}
    return {key: str(variables.get(f"awx_{name}") or variables.get(f"tower_{name}") or "")
            for key, name in found.items()}  # fmt: skip
