# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What holds of the words in plugins/: one thing for one name."""

from __future__ import annotations

import ast
import collections
import pathlib

PLUGINS = pathlib.Path(__file__).resolve().parent.parent.parent / "plugins"
# Ansible looks for classes of these names in each plugin's file.
OF_ANSIBLE = {"ActionModule", "CallbackModule", "FilterModule", "InventoryModule", "LookupModule", "ModuleDocFragment"}


def classes() -> dict[str, list[str]]:
    """Return {name of a class: files that define it}, nested ones too."""
    found = collections.defaultdict(list)
    for path in sorted(PLUGINS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name not in OF_ANSIBLE:
                found[node.name].append(str(path.relative_to(PLUGINS)))
    return found


def test_class_name_means_one_thing() -> None:
    assert {name: files for name, files in classes().items() if len(files) > 1} == {}
