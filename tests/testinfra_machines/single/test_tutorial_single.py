# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of this mode."""

from __future__ import annotations

import typing as t


def test_the_page_can_be_followed(followed: t.Any) -> None:
    followed("single")
