# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What AWX and Automation Controller tell of the job that runs a playbook."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

# One is set for each job's processes; the others by ansible-runner, which both run jobs with.
JOB_ID, AWX_HOST = "JOB_ID", "AWX_HOST"
RUNNER = ("AWX_ISOLATED_DATA_DIR", "AWX_PRIVATE_DATA_DIR")


def in_job(environment: t.Mapping[str, str]) -> bool:
    """Return whether a job of AWX runs the playbook, so that it may leave artifacts to later jobs."""
    return bool(environment.get(AWX_HOST) and environment.get(JOB_ID))


def left(wanted: bool | None, environment: t.Mapping[str, str]) -> bool:
    """Return whether artifacts are left to later jobs: as wanted, by default where a job runs."""
    return in_job(environment) if wanted is None else wanted


def advice(template: str, **variables: str) -> str:
    """Return what to do next in AWX: nobody can run a command in a job's container, which is gone with its files."""
    given = " and ".join(f"{name}: {value}" for name, value in variables.items())
    return f"start the template {template}" + (f" with {given}" if given else "")


def digests(given: t.Any) -> t.Any:
    """Return a digest, or a map of clusters to theirs, as it was given or written as text.

    Surveys of AWX know no maps. As text a map is JSON, or east=sha256:..., west=sha256:... on one line or several.
    """
    if not isinstance(given, str):
        return given
    text = given.strip()
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            return text
        return found if isinstance(found, dict) else text
    pairs = [part.partition("=") for part in re.split(r"[,\s]+", text) if part]
    return {name: digest for name, _sign, digest in pairs} if pairs and all(sign for _n, sign, _d in pairs) else text


def attended(environment: t.Mapping[str, str]) -> bool:
    """Return whether somebody may sit at the terminal: ansible-runner runs playbooks on one at which nobody does."""
    return not any(environment.get(name) for name in RUNNER)


def job_author(variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return {user, job} of a job's extra variables, "" where they do not say."""
    found = {"user": "user_name", "job": "job_id"}
    return {key: str(variables.get(f"awx_{name}") or variables.get(f"tower_{name}") or "")
            for key, name in found.items()}  # fmt: skip


def digest_variable(cluster: str) -> str:
    """Return the variable in which the plan's job of a workflow leaves the digest for a cluster.

    Of sliced jobs AWX joins the names of artifacts only, so that each cluster has one of its own.
    """
    return f"llm_d_approved_digest_{hashlib.sha256(cluster.encode()).hexdigest()[:16]}"


def digest_artifacts(cluster: str, digest: str) -> dict[str, t.Any]:
    """Return what later jobs of a workflow get as extra variables; the map is for people."""
    return {"llm_d_approved_digest": {cluster: digest}, digest_variable(cluster): digest}
