# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Look at a deployed stack from outside: helm, kubectl and HTTP, none of the collection's own code.

LAB_STATE (set by the test scripts) names the lab; STACK_NAMESPACE and STACK_MODELS what a scenario deployed on it.
"""

from __future__ import annotations

import json
import os
import pathlib

import pytest
import testinfra


@pytest.fixture(scope="session")
def lab() -> dict:
    """Return lab.json: the kubeconfig's place, the binaries, the ports."""
    state = pathlib.Path(os.environ["LAB_STATE"])
    return {**json.loads((state / "lab.json").read_text()), "kubeconfig": str(state / "kubeconfig")}


@pytest.fixture(scope="session")
def machine() -> testinfra.host.Host:
    """Return this machine, as testinfra sees it."""
    return testinfra.get_host("local://")


@pytest.fixture(scope="session")
def namespace() -> str:
    """Return the namespace that the scenario deployed into."""
    return os.environ["STACK_NAMESPACE"]


@pytest.fixture(scope="session")
def models() -> dict[str, str]:
    """Return the scenario's models: path prefix on the gateway -> served model name."""
    return json.loads(os.environ["STACK_MODELS"])


@pytest.fixture(scope="session")
def kubectl(lab: dict, machine: testinfra.host.Host, namespace: str):
    """Return a function that runs kubectl in the namespace and gives its JSON."""

    def run(*arguments: str) -> dict:
        options = ["--kubeconfig", lab["kubeconfig"], "-n", namespace, "-o", "json"]
        return json.loads(machine.check_output(" ".join([lab["kubectl"], *options, *arguments])))

    return run


@pytest.fixture(scope="session")
def helm(lab: dict, machine: testinfra.host.Host, namespace: str):
    """Return a function that runs helm in the namespace and gives its JSON."""

    def run(*arguments: str) -> list:
        options = ["--kubeconfig", lab["kubeconfig"], "-n", namespace, "-o", "json"]
        return json.loads(machine.check_output(" ".join([lab["helm"], *options, *arguments])))

    return run
