# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.file import mask_diff, masked_plan
from plan_world import SECRET, action, plan

# Indented texts of a diff, secret Secret or not, and what is shown.
DIFFS = [
    ("a token by its look", f"+  uri: {SECRET}", False, "+  uri: (masked)"),
    ("a secret key", "-  password: abc", False, "-  password: (masked)"),
    ("a quoted secret key", '+  "api-key": abc', False, '+  "api-key": (masked)'),
    ("an environment", "   - name: HF_TOKEN\n+    value: abc", False, "   - name: HF_TOKEN\n+    value: (masked)"),
    ("another environment", "   - name: LEVEL\n+    value: abc", False, "   - name: LEVEL\n+    value: abc"),
    ("a text of lines", "+  token: |\n+    abc\n+    def\n   next: 1", False,
     "+  token: |\n+    (masked)\n+    (masked)\n   next: 1"),
    ("a list", "   tokens:\n+  - abc\n   next: [1]", False, "   tokens:\n+  - (masked)\n   next: [1]"),
    ("a Secret's name", "   secret:\n     secretName: hf", False, "   secret:\n     secretName: hf"),
    ("a Secret", " data:\n-  a: YWJj\n+  b: ZGVm\n kind: Secret", True,
     " data:\n-  a: (masked)\n+  b: (masked)\n kind: Secret"),
    ("a hidden Secret", "+  data:\n+    a: (hidden, changed)", True, "+  data:\n+    a: (hidden, changed)"),
    ("no Secret", " data:\n-  a: YWJj", False, " data:\n-  a: YWJj"),
    ("an empty value", "+  token: ''", False, "+  token: ''"),
    ("headers", "--- live\n+++ planned\n@@ -1,2 +1,2 @@", False, "--- live\n+++ planned\n@@ -1,2 +1,2 @@"),
]  # fmt: skip


@pytest.mark.parametrize(("diff", "secret", "shown"), [row[1:] for row in DIFFS], ids=[row[0] for row in DIFFS])
def test_diffs(diff, secret, shown):
    assert mask_diff(diff, secret=secret) == shown


def test_a_plan_without_secrets():
    secret = action("update", "prepare", "prepare", "Secret", "hf", diff=" data:\n+  HF: YWJj\n")
    made = plan(actions=[*plan()["actions"], secret], notes=[f"found {SECRET}"], images=[f"reg/u:{SECRET}"])
    made["findings"][0]["message"] = "Bearer abcdefghijklmn"
    hidden = masked_plan(made)
    text = str(hidden)
    assert SECRET not in text and "plain-" not in text and "YWJj" not in text and "abcdefghijklmn" not in text
    assert list(hidden) == list(made)
    assert [row["name"] for row in hidden["actions"]] == [row["name"] for row in made["actions"]]
    for key in ("digest", "inputs", "state", "charts", "consents"):
        assert hidden[key] == made[key]
