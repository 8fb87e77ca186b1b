# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The words that programs know, by version: tables are sound, spans, and kinds of values."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs import pickers, sglang, sidecars, vllm
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.images import Contents, contents
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.shapes import Shapes, misfits
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.tables import Span, Table, guess, problem

TABLES = [
    (f"{module.__name__.rpartition('.')[2]} {name}", table)
    for module in (pickers, sglang, sidecars, vllm)
    for name, table in vars(module).items()
    if isinstance(table, (Table, Shapes))
]


@pytest.mark.parametrize("table", [table for _name, table in TABLES], ids=[name for name, _table in TABLES])
def test_a_table_has_rows_in_order_and_says_where_from(table: Table | Shapes) -> None:
    assert list(table.versions) == sorted(table.versions)
    assert "vVERSION" in table.source
    newest = Span(table.versions[-1], table.versions[-1])
    assert table.words(newest) if isinstance(table, Table) else table.known(newest)


@pytest.mark.parametrize("table", [table for _name, table in TABLES if isinstance(table, Table)])
def test_no_version_has_a_word_in_two_kinds(table: Table) -> None:
    for number in table.versions:
        known = table.words(Span(number, number))
        mine = [
            row for row in table.rows if (row.since or number) <= number and (row.before is None or number < row.before)
        ]
        assert len(known) == sum(len(row.names) for row in mine)


ROWS = Table(
    "x",
    "vVERSION",
    ((0, 1), (0, 3), (0, 5)),
    "\n- 0.3 int old\n0.3 - int,x new,-n\n0.5 - int newest\n".replace("int,x", "int"),
)


@pytest.mark.parametrize(
    ("low", "high", "words", "sure"),
    [
        ((0, 1), None, {"old"}, True),
        ((0, 1, 7), None, {"old"}, True),
        # Between two versions of the table either may be right.
        ((0, 2), None, {"old", "new", "-n"}, True),
        ((0, 3), (0, 5), {"new", "-n", "newest"}, True),
        ((0, 9), None, {"new", "-n", "newest"}, False),
        ((1, 0), None, {"new", "-n", "newest"}, False),
    ],
)
def test_a_version_knows_its_words(low: tuple[int, ...], high: tuple[int, ...] | None, words: set, sure: bool) -> None:
    span = ROWS.span(low, high)
    assert span is not None and span.sure is sure
    assert set(ROWS.words(span)) == words


@pytest.mark.parametrize("low", [None, (0,), (0, 0)])
def test_a_version_that_is_not_known_may_know_all(low: tuple[int, ...] | None) -> None:
    assert ROWS.span(low) is None
    assert set(ROWS.words(None)) == {"old", "new", "-n", "newest"}


def test_where_else_a_word_is_known() -> None:
    assert [ROWS.elsewhere(word) for word in ("old", "new", "none")] == ["before 0.3", "since 0.3", ""]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", ["1", "-1", 2, 2.0], ["one", "1.5", "", True, 1.5]),
        ("int[1,65535]", ["1", "65535"], ["0", "65536"]),
        ("float(0,1]", ["0.5", "1", "1e-3"], ["0", "95", "half"]),
        ("size", ["8192", "8K", "1.5k", "2M"], ["0", "1.5K", "8192K", "auto", "8 K", "-1"]),
        ("size-auto", ["auto", "-1", "8192"], ["0", "-2"]),
        ("choice:half|auto", ["auto"], ["Auto", ""]),
        ("bool", ["true", "False", "0", True], ["yes", ""]),
        ("duration", ["50ms", "1h30m", "0s"], ["50", "5 s", ""]),
        ("text", ["", "x"], []),
        ("any", ["x"], []),
    ],
)
def test_kinds_of_values(kind: str, good: list, bad: list) -> None:
    assert [value for value in good if problem(kind, value)] == []
    assert [value for value in bad if not problem(kind, value)] == []


def test_a_guess_is_a_known_word_that_is_like_it() -> None:
    assert guess("blocksize", ["block-size", "swap-space"]) == " Did you mean block-size?"
    assert guess("zzz", ["block-size"]) == ""


@pytest.mark.parametrize(
    ("reference", "held"),
    [
        ("vllm/vllm-openai:v0.18.0", Contents("vllm", (0, 18, 0), (0, 18, 0))),
        ("site.example:5000/docker.io/vllm/vllm-openai-cpu:v0.18.1-x86", Contents("vllm", (0, 18, 1), (0, 18, 1))),
        ("vllm/vllm-openai:latest", Contents("vllm")),
        ("ghcr.io/llm-d/llm-d-cuda:v0.6.0", Contents("vllm", (0, 17), (0, 17))),
        ("ghcr.io/llm-d/llm-d-cpu:v0.5.1", Contents("vllm", (0, 14), (0, 15))),
        ("ghcr.io/llm-d/llm-d-cuda:v7.0.0", Contents("vllm", (0, 1000), (0, 1000))),
        ("lmsysorg/sglang:v0.5.6.post2-runtime", Contents("sglang", (0, 5, 6), (0, 5, 6))),
        ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.7.0", Contents("router", (0, 7, 0), (0, 7, 0))),
        ("ghcr.io/llm-d/llm-d-routing-sidecar:v0.6.0", Contents("sidecar", (0, 6, 0), (0, 6, 0))),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0", Contents("epp", (1, 3, 0), (1, 3, 0))),
        ("ghcr.io/x/own-vllm:1.0", Contents()),
        ("no image at all", Contents()),
    ],
)
def test_what_an_image_holds(reference: str, held: Contents) -> None:
    assert contents(reference) == held


SHAPES = Shapes(
    "vVERSION", ((0, 1),), "\n- - own a:int list[]:text deep[].b:float |\n    open:any map:map\n- - all *\n"
)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"a": 1, "list": ["x"], "deep": [{"b": 1}, {"b": 1.5}], "open": {"x": [1]}, "map": {"y": 2}}, []),
        ({"A": 1}, []),
        ({"a": "1"}, [("a",)]),
        ({"a": None}, []),
        ({"list": "x"}, [("list",)]),
        ({"list": [1]}, [("list", 0)]),
        ({"deep": [{"c": 1}]}, [("deep", 0, "c")]),
        ({"deep": {}}, [("deep",)]),
        ({"map": []}, [("map",)]),
        ([], [()]),
        ({3: 1}, [(3,)]),
        # What has no value has no effect.
        ({"gone": None}, []),
    ],
)
def test_what_does_not_fit_a_shape(value: object, wrong: list) -> None:
    tree = SHAPES.known(None)["own"].tree
    assert [one.path for one in misfits(tree, value, folded=True)] == wrong
    assert SHAPES.known(None)["all"].tree is None


def test_of_several_versions_a_shape_reads_what_any_of_them_reads() -> None:
    rows = "- 0.2 own a:int old:text both.x:int\n0.2 - own a:float new:text both.y:int\n- 0.2 open x:int\n0.2 - open *"
    shapes = Shapes("vVERSION", ((0, 1), (0, 2)), rows)
    known = shapes.known(Span((0, 1), (0, 2)))
    assert known["own"].tree == {"a": "float", "old": "text", "new": "text", "both": {"x": "int", "y": "int"}}
    assert known["open"].tree is None
    assert shapes.known(Span((0, 2), (0, 2)))["own"].tree == {"a": "float", "new": "text", "both": {"y": "int"}}


def test_of_a_version_older_than_the_table_nothing_is_said() -> None:
    assert ROWS.is_older((0, 0, 9)) and not ROWS.is_older((0, 1)) and not ROWS.is_older(None)
