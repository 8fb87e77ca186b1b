# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Asking a cluster what is permitted, against a stand-in that answers reviews."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.access import read
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.permissions import Permission
from rules.test_permissions import rule


class Api:
    """Answers reviews as an API server does."""

    def __init__(self, rules: dict[str, list[dict]], incomplete: bool = False, allowed: Any = None) -> None:
        self.rules, self.incomplete, self.allowed = rules, incomplete, allowed or (lambda spec: False)
        self.calls: list[str] = []
        self.client = self

    def request(self, _method: str, path: str, body: dict, **_more: Any) -> Any:
        self.calls.append(path.rpartition("/")[2])
        spec = body["spec"]
        if "rules" in path:
            names = {read.NOWHERE: ""}
            rules = self.rules.get(names.get(spec["namespace"], spec["namespace"]), [])
            status: dict[str, Any] = {"resourceRules": rules, "incomplete": self.incomplete}
        elif "access" in path:
            status = {"allowed": self.allowed(spec["resourceAttributes"])}
        else:
            status = {"userInfo": {"username": "jane"}}
        return type("Reply", (), {"data": json.dumps({"status": status})})


SOME = [
    Permission("list", "", "pods", "demo"),
    Permission("get", "", "pods", "demo"),
    Permission("list", "", "nodes", optional=True),
]


def test_one_review_for_each_namespace_says_what_is_refused() -> None:
    api = Api({"demo": [rule([""], ["pods", "nodes"], ["list"])]})
    access = read.read_access(api, SOME)  # type: ignore[arg-type]
    assert (access.user, access.missing, access.unknown) == ("jane", (SOME[1], SOME[2]), ())
    assert sorted(api.calls) == ["selfsubjectreviews", *["selfsubjectrulesreviews"] * 2]
    assert "jane" in access.role


def test_a_list_of_rules_that_is_incomplete_is_completed_by_single_questions() -> None:
    api = Api({"demo": [rule([""], ["pods"], ["list"])]}, True, lambda spec: spec["resource"] == "nodes")
    access = read.read_access(api, SOME)  # type: ignore[arg-type]
    assert (access.missing, access.unknown) == ((SOME[1],), ())
    assert api.calls.count("selfsubjectaccessreviews") == 2


def test_a_cluster_that_does_not_answer_leaves_it_unknown() -> None:
    def fails(_spec: dict) -> bool:
        raise ValueError("no")

    api = Api({}, True, fails)
    access = read.read_access(api, SOME)  # type: ignore[arg-type]
    assert (access.missing, access.unknown) == ((), tuple(SOME))
