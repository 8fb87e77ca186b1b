# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Every excerpt of the corpus is named by its cause and by no other, and what nobody knows stays unknown."""

from __future__ import annotations

import pytest

from diagnose.corpus import Excerpt, excerpts

ALL = excerpts()


@pytest.mark.parametrize("excerpt", ALL, ids=lambda excerpt: excerpt.name)
def test_an_excerpt_is_named_by_its_cause(excerpt: Excerpt) -> None:
    result = excerpt.result()
    assert result["unseen"] == []
    assert excerpt.named() == excerpt.causes, result["causes"]
    told = [text for cause in result["causes"] for text in (*cause["evidence"], cause["remedy"])]
    told += [line for row in result["evidence"] for line in row.get("log", [])]
    assert any(str(excerpt.row.get("says", "")) in text for text in told), told


def test_the_corpus_is_large_and_has_enough_that_must_not_be_named() -> None:
    assert len({excerpt.name for excerpt in ALL}) == len(ALL)
    assert len(ALL) >= 150
    assert len([excerpt for excerpt in ALL if not excerpt.causes]) >= 30
