# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What plugins do for one component is in components/; what they do for all goes by components and parts.

A text that is a component's name, or a public variable of its role, is looked for in the code of plugins/;
documentation is left out.
"""

from __future__ import annotations

import ast
import pathlib
import re
import sys
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import docs_tables  # noqa: E402

PLUGINS = ROOT / "plugins"
COMPONENTS = (
    *(
        "dynamo_frontend",
        "dynamo_models",
        "dynamo_platform",
        "extra_releases",
        "gaie",
        "gateway",
        "httproute",
        "llm_router",
    ),
    *("llm_orchestrator", "modelservice", "monitoring", "orchestrator_stores", "prepare"),
)
DOCUMENTS = ("DOCUMENTATION", "EXAMPLES", "RETURN")
VARIABLE = re.compile(r"\w+")
# Words that are a component's name and mean something else.
TOLD = "the stack's Gateway, as planning and records tell of it"
PARENT = "the Gateway that the HTTPRoutes of a part go to"
KEYS = "keys of charts' values"
WRITTEN = "variables of roles that scenarios of llm-d-benchmark become"
GUIDES = "variables of roles that guides of llm-d become, and their modes"
PODS = "pods of a Gateway, for which the lab has delays of their own"
CHECKS = "the check of the Gateway"
# Files that may name components, how often, and why.
ALLOWED: dict[str, tuple[int, str]] = {
    "lookup/orchestrator_machines.py": (1, "the verb of LLM-Orchestrator on machines, which is called alike"),
    "module_utils/base/names.py": (1, KEYS),
    "module_utils/deploy/objects.py": (2, PARENT),
    "module_utils/fleet/report.py": (1, TOLD),
    "module_utils/guides/helmfile.py": (17, GUIDES),
    "module_utils/guides/routers.py": (9, GUIDES),
    "module_utils/guides/translate.py": (3, GUIDES),
    "module_utils/lab/stages.py": (2, PODS),
    "module_utils/plan/planner.py": (3, PARENT),
    "module_utils/record/parts.py": (1, TOLD),
    "module_utils/rules/base.py": (4, KEYS),
    "module_utils/rules/pods.py": (1, KEYS),
    "module_utils/rules/run.py": (1, TOLD),
    "module_utils/scenarios/known.py": (1, WRITTEN),
    "module_utils/scenarios/pool.py": (2, KEYS),
    "module_utils/scenarios/role.py": (1, KEYS),
    "module_utils/scenarios/stack.py": (37, WRITTEN),
    "module_utils/schemas/facts.py": (2, KEYS),
    "module_utils/status/status.py": (1, TOLD),
    "module_utils/verify/conditions.py": (1, CHECKS),
    "module_utils/verify/entrances.py": (1, CHECKS),
    "module_utils/verify/rounds.py": (1, TOLD),
    "modules/serving_info.py": (4, "the Gateway that requests go through, in the module's options"),
}


def documentation(tree: ast.Module) -> set[int]:
    """Return the ids of the nodes that are docstrings or a plugin's documents."""
    found = set()
    for node in ast.walk(tree):
        document = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in DOCUMENTS
        if document or isinstance(node, ast.Expr):
            found.add(id(node.value))
    return found


def names_in(source: str, wanted: t.Collection[str]) -> list[str]:
    """Return the texts of a source that are, or begin with, a wanted word."""
    tree = ast.parse(source)
    skipped = documentation(tree)
    texts = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped
    ]
    return [
        f"{line}: {text!r}"
        for line, text in sorted(texts)
        if text in COMPONENTS or ((word := VARIABLE.match(text)) and word[0] in wanted)
    ]


def variables() -> set[str]:
    """Return the public variables of the components' roles."""
    return {name for role in COMPONENTS for name in docs_tables.role_options(role)}


def test_components_are_named_in_their_own_files_alone() -> None:
    wanted, found = variables(), {}
    for path in sorted(PLUGINS.rglob("*.py")):
        name = path.relative_to(PLUGINS).as_posix()
        texts = names_in(path.read_text(encoding="utf-8"), wanted)
        if "components" not in path.parts and len(texts) > ALLOWED.get(name, (0, ""))[0]:
            found[name] = texts
    assert found == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('"""gateway"""\nDOCUMENTATION = "gaie"\n', 0),
        ('if part.component == "gateway": ...\n', 1),
        ('WAVES = (("prepare",), ("gaie", "modelservice"))\n', 3),
        ('add("gateway_chart_ref", "gaie_chart_ref: is missing")\n', 2),
        ('"gateway_pods of a gateway"', 0),
    ],
)
def test_names_are_found(source: str, count: int) -> None:
    assert len(names_in(source, variables())) == count
