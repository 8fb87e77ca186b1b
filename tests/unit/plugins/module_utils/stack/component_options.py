# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the lookup components gives planning, read from the same files."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[5]


def table() -> list[dict[str, Any]]:
    """The rows of the component table."""
    return yaml.safe_load((ROOT / "playbooks/vars/components.yml").read_text())["llm_d_components"]


def component_options() -> dict[str, dict[str, Any]]:
    """By component the options of its role, without the role's prefix."""
    found = {}
    for name in (row["name"] for row in table()):
        specs = yaml.safe_load((ROOT / "roles" / name / "meta/argument_specs.yml").read_text())
        options = specs["argument_specs"]["main"]["options"]
        found[name] = {option.removeprefix(f"{name}_"): spec for option, spec in options.items()}
    return found


def releases(result: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The releases of a stack by component."""
    found: dict[str, list[dict[str, Any]]] = {"gateway": [], "gaie": [], "modelservice": []}
    for part in result["parts"]:
        if part["kind"] == "release":
            found[part["component"]].append(part)
    return found
