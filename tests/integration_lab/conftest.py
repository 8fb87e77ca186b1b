# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The running lab that the tests of this folder use."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from plane_client import Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    """A client of the lab in LAB_KUBECONFIG."""
    return Lab()


@pytest.fixture(scope="module")
def new_namespace(lab: Lab) -> Iterator[Callable[[], str]]:
    """Makes namespaces that go after the module's tests."""
    made: list[dict[str, Any]] = []

    def make() -> str:
        name = f"plane-{secrets.token_hex(4)}"
        made.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        lab.apply(made[-1])
        return name

    yield make
    for namespace in made:
        lab.core.delete_namespace(namespace["metadata"]["name"])
