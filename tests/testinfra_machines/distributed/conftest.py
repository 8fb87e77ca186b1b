# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where requests to the six machines go to."""

from __future__ import annotations

import typing as t

import pytest


@pytest.fixture(scope="session")
def base(site: t.Any) -> str:
    """Return the URL of the proxies' virtual address."""
    first, _dot, _last = site.address("m1").rpartition(".")
    return f"https://{first}.250"
