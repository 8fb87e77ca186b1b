# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values held against argument specifications: what they become, and what is said of wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.typed import typed

MODES = {"type": "list", "elements": "str", "choices": ["ReadWriteOnce", "ReadWriteMany"]}
LEVELS = {"type": "str", "choices": ["block", "warn", "off"]}


@pytest.mark.parametrize(
    ("value", "option", "becomes", "said"),
    [
        (
            "Qwen/Qwen3-32B",
            {"type": "list", "elements": "str"},
            [],
            "is a string: 'Qwen/Qwen3-32B' -> use a list: [Qwen/",
        ),
        (["a", 3], {"type": "list", "elements": "str"}, ["a"], "x[1]: is a number: 3 -> use a string"),
        (["8000", "b"], {"type": "list", "elements": "int"}, [8000], "x[1]: 'b' is not a whole number"),
        (
            ["ReadWriteAll"],
            MODES,
            [],
            "x[0]: 'ReadWriteAll' is not a valid choice. Did you mean ReadWriteMany? -> use one of:",
        ),
        ([["a"]], {"type": "list", "elements": "dict"}, [], "x[0]: is a list: ['a'] -> use a map"),
        ([["a"]], {"type": "list", "elements": "dict", "options": {}}, [["a"]], ""),
        (None, MODES, [], ""),
        ("ignore", LEVELS, "block", "x: 'ignore' is not a valid choice."),
        (False, LEVELS, "off", ""),
        (
            "prod",
            {"choices": ["", "production"]},
            "",
            "x: 'prod' is not a valid choice. Did you mean production? -> use one of: \"\",",
        ),
        (1.3, {"type": "str"}, "", 'x: is a number: 1.3 -> use a string: "1.3"'),
        (["llm-d"], {"type": "str"}, "", "x: is a list: ['llm-d'] -> use a string"),
        (["t0ken"], {"type": "str", "no_log": True}, "", "x: is a list: (hidden)"),
        ("yes", {"type": "bool"}, True, ""),
        ("maybe", {"type": "bool"}, False, "x: is a string: 'maybe' -> use true or false"),
        ("ten", {"type": "int"}, 0, "x: 'ten' is not a whole number"),
        (-1, {"type": "int"}, 0, "x: -1 is not a whole number"),
        (0, {"type": "int"}, 0, ""),
        (["reuse"], {"type": "dict"}, {}, "x: is a list: ['reuse'] -> use a map"),
        ({"a": 1}, {"type": "raw"}, {"a": 1}, ""),
    ],
)
def test_values_by_their_options(value: Any, option: dict[str, Any], becomes: Any, said: str) -> None:
    findings = Findings()
    assert typed(value, option, "x", findings) == becomes
    assert len(findings.texts) == bool(said)
    assert said in "".join(findings.texts)


def test_no_time_is_zero() -> None:
    findings = Findings()
    typed(0, {"type": "int"}, "gaie_wait_timeout", findings)
    assert findings.texts == ["gaie_wait_timeout: 0 is not a valid time -> use a number of seconds, for example 1800"]
