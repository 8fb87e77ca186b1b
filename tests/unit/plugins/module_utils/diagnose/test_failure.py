# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.failure import failure

TABLE = [
    {"name": "gaie", "wave": 1},
    {"name": "modelservice", "wave": 1},
    {"name": "httproute", "wave": 2, "needs": ["gaie", "modelservice"]},
    {"name": "later", "wave": 3, "needs": ["httproute"]},
]
ROLE = {"role": {"_role_name": "llm_d.orchestrator.verify"}, "name": "Assert"}


@pytest.mark.parametrize(
    ("result", "task", "failed", "not_started"),
    [
        ({"msg": "a", "failed_components": ["gaie"]}, ROLE, ["gaie"], ["httproute", "later"]),
        ({"msg": "a", "failed_components": []}, {"role": "gaie"}, ["gaie"], ["httproute", "later"]),
        ({"msg": "a"}, ROLE, ["verify"], []),
        ({"msg": "a"}, {"name": "A task of nobody's"}, ["A task of nobody's"], []),
        ({"msg": "a"}, {"role": {"_role_name": "httproute"}}, ["httproute"], ["later"]),
    ],
)
def test_what_failed_and_what_waits_for_it(result, task, failed, not_started):
    found = failure(result, task, TABLE)
    assert (found["failed"], found["not_started"], found["text"]) == (failed, not_started, "a")


def test_components_of_earlier_waves_are_done():
    assert failure({"msg": "a", "failed_components": ["httproute"]}, ROLE, TABLE)["done"] == ["gaie", "modelservice"]
    assert failure({"msg": "a", "failed_components": ["gaie"]}, ROLE, TABLE)["done"] == []
    assert failure({"msg": "a"}, ROLE, TABLE)["done"] == ["gaie", "modelservice"]


def test_the_message_says_all_of_it():
    found = failure({"msg": "no image", "failed_components": ["gaie"]}, {}, TABLE[:3])
    assert found["message"] == "Failed: gaie. Not deployed because of this: httproute.\nno image"
    assert failure({"rc": 1}, ROLE, [])["message"] == "Failed: verify.\n{'rc': 1}"


def test_what_has_nothing_to_do_waits_for_nothing():
    found = failure({"msg": "a", "failed_components": ["gaie"]}, ROLE, TABLE, ["gaie", "httproute"])
    assert found["not_started"] == ["httproute"]
