# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.build import author


@pytest.mark.parametrize(
    ("given", "environment", "found"),
    [
        ({"user": "ann"}, {}, {"user": "ann"}),
        # Another program's JOB_ID says nothing.
        ({"user": "ann", "job": ""}, {"JOB_ID": "7"}, {"user": "ann"}),
        (
            {"user": "ann"},
            {"JOB_ID": "7", "AWX_HOST": "https://awx.example"},
            {"user": "ann", "job": "7", "controller": "https://awx.example"},
        ),
        ({"user": "ann", "job": "8"}, {"JOB_ID": "7", "AWX_PRIVATE_DATA_DIR": "/x"}, {"user": "ann", "job": "8"}),
    ],
)
def test_author(given, environment, found):
    result = author(given, environment)
    assert result.pop("host") and result == found


def test_a_user_without_a_name(monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 1000730000")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert author({}, {})["user"].startswith("uid ")
