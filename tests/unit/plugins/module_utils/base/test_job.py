# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import attended, in_job, job_author


@pytest.mark.parametrize(
    ("environment", "job", "terminal"),
    [
        ({}, False, True),
        ({"JOB_ID": "4", "AWX_HOST": "https://awx"}, True, True),
        ({"JOB_ID": "4"}, False, True),
        ({"AWX_PRIVATE_DATA_DIR": "/runner"}, False, False),
        ({"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1", "JOB_ID": "4", "AWX_HOST": "https://awx"}, True, False),
    ],
)
def test_where_a_playbook_runs(environment, job, terminal):
    assert (in_job(environment), attended(environment)) == (job, terminal)


@pytest.mark.parametrize(
    ("variables", "user", "job"),
    [
        ({}, "", ""),
        ({"awx_user_name": "ann", "tower_user_name": "bob", "tower_job_id": 7}, "ann", "7"),
        ({"tower_user_name": "bob", "awx_job_id": 8}, "bob", "8"),
    ],
)
def test_who_runs_a_job(variables, user, job):
    assert job_author(variables) == {"user": user, "job": job}
