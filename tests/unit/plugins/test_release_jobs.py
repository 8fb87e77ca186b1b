# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The action plugin that waits for background jobs: what it reads of their files, and what it says of failures."""

from __future__ import annotations

import json

import pytest
from ansible_collections.llm_d.orchestrator.plugins.action.release_jobs import failure_text, read_result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ('{"started": true, "fin', None),
        (json.dumps({"started": True, "finished": False, "ansible_job_id": "j1"}), None),
        (
            json.dumps({"changed": True, "parts": [], "invocation": {"x": 1}, "_ansible_warnings": []}),
            {"changed": True, "parts": []},
        ),
    ],
)
def test_a_result_is_read_when_the_job_has_ended(tmp_path, text, expected):
    path = tmp_path / "j1"
    if text is not None:
        path.write_text(text)
    assert read_result(str(path)) == expected


def test_each_failed_component_has_its_own_error():
    results = {"gaie": {"failed": True, "msg": "no image"}, "gateway": {}, "modelservice": {"rc": 1, "stderr": "boom"}}
    text = failure_text(results, ["gaie", "modelservice"])
    head = "gaie and modelservice failed; nothing that depends on this is done. Finished: gateway."
    assert text.splitlines()[0] == head
    assert "gaie: no image" in text
    assert "modelservice: boom" in text
