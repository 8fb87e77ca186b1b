# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What of a command line a program takes: by argparse, as vLLM has it, and by Go's flags."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.command_lines import (
    Dialect,
    arguments,
    faults,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.tables import Table

ROWS = """
- - int tensor-parallel-size,-tp max-num-seqs
- - float(0,1] gpu-memory-utilization
- - size max-model-len
- - switch enforce-eager enable-prefix-caching
- - flag headless
- - list served-model-name
- - json compilation-config
- - json:Keys kv-config
- - choice:auto|half dtype
- - bool tracing
- - int v,-v
- - refused:old metric
0.2 - text later
"""
TABLE = Table("x", "vVERSION", ((0, 1), (0, 2)), ROWS)
ARGPARSE, VLLM, GO = Dialect(), Dialect(underscores=True), Dialect(go=True)

# (words, dialect, what each fault is of and says)
LINES = [
    ("org/a --max-num-seqs 8 -tp 2 --enforce-eager", VLLM, []),
    ("org/a --max_num_seqs=8 --no-enforce-eager --headless", VLLM, []),
    ("org/a --max_num_seqs=8", ARGPARSE, [("--max_num_seqs", "Did you mean --max-num-seqs?")]),
    ("org/a --max-num 8 --served-model-name a b c", VLLM, []),
    ("org/a --max 8", VLLM, [("--max", "may be --max-model-len or --max-num-seqs")]),
    ("org/a --compilation-config.level 3 -O3 --compilation-config={}", VLLM, []),
    ("org/a --kv-config {not", VLLM, []),
    ("org/a --tp 2", VLLM, [("--tp", "Did you mean -tp?")]),
    ("org/a --gpu-memory-utilization=95 --dtype hlaf", VLLM, [("--gpu-memory", "at most 1"), ("--dtype", "half?")]),
    ("org/a --max-model-len", VLLM, [("--max-model-len", "needs a value")]),
    ("org/a --max-num-seqs -1", VLLM, []),
    ("org/a --max-num-seqs $SEQS --max-model-len=$(LEN) --$X", VLLM, []),
    ("org/a --enforce-eager=True", VLLM, [("--enforce-eager", "takes no value")]),
    ("org/a --no-headless", VLLM, [("--no-headless", "does not know")]),
    ("org/a --later x", VLLM, [("--later", "x has it since 0.2")]),
    ("org/a --help -h", VLLM, []),
    ("org/a --max-num-seqs 8 > /var/log/all --unknown", VLLM, []),
    ("--v 2 -v=3 --tracing=false -tracing", GO, []),
    ("--tracing false", GO, [("--tracing", "must follow =")]),
    ("--tracing=maybe", GO, [("--tracing", "neither true nor false")]),
    ("----v 2", GO, [("----v", "Did you mean v?")]),
    ("--V 2", GO, [("--V", "Did you mean v?")]),
    ("--metric x", GO, [("--metric", "refuses")]),
    ("--max-num 2", GO, [("--max-num", "does not know")]),
]


@pytest.mark.parametrize(("line", "dialect", "wrong"), LINES, ids=[f"{line} {dialect}" for line, dialect, _w in LINES])
def test_what_a_program_does_not_take(line: str, dialect: Dialect, wrong: list[tuple[str, str]]) -> None:
    _lead, given = arguments(line.split(" "))
    found = list(faults(given, TABLE, TABLE.span((0, 1)), dialect))
    assert len(found) == len(wrong), found
    for one, (argument, words) in zip(found, wrong, strict=True):
        assert one.given.text.startswith(argument)
        assert words in one.text


def test_an_argument_and_its_value_in_one_item() -> None:
    _lead, given = arguments(["org/a", "--max-model-len 8192"])
    assert "in one item" in next(faults(given, TABLE, TABLE.span((0, 1)), VLLM)).text


def test_of_a_version_that_is_not_known_only_what_none_knows_is_named() -> None:
    _lead, given = arguments(["--later", "x", "--metric", "y", "--max", "8", "--nothing"])
    assert [one.given.shown for one in faults(given, TABLE, None, VLLM)] == ["--nothing"]


def test_a_script_may_change_values() -> None:
    _lead, given = arguments(["org/a", "--enforce-eager", "true"])
    assert list(faults(given, TABLE, None, VLLM, strict=False)) == []
    assert list(faults(given, TABLE, None, VLLM)) != []


def test_a_line_may_have_no_argument() -> None:
    assert arguments(["org/a"]) == (["org/a"], []) and arguments([]) == ([], [])
