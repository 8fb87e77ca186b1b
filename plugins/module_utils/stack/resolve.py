# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A cluster's whole stack, worked out from its variables and values files before anything is changed.

Pure: what a cluster knows comes in as Facts. Mistakes are collected, never raised one by one.
"""

from __future__ import annotations

from ..base.data import Values
from ..components.base import LLM_D, OBJECTS, Facts, Part, Stack
from ..components.registry import COMPONENTS
from .checks import check_names


def resolve(params: Values, facts: Facts) -> Stack:
    """Return the stack as far as it can be worked out; look at its findings before using it.

    params: the options of module stack_info, as checked_settings returns them.
    """
    stack = Stack(params, facts, COMPONENTS.values())
    for component in stack.components.values():
        component.resolve()
    check_names(stack)
    for component in stack.components.values():
        component.check()
    _check_work(stack)
    return stack


def _check_work(stack: Stack) -> None:
    """Note a stack that asks for nothing."""
    if any(component.group not in ("", LLM_D) and component.asked(component.given) for component in stack.at_work):
        return
    asks = [component for component in stack.at_work if component.asks and not any(map(_is_work, component.parts()))]
    if asks and not stack.findings and not stack.params["models"]:
        fix = "add at least one model, or " + " or ".join(component.asks for component in asks)
        stack.findings.add("llm_d_models", "is empty: there is nothing to deploy", fix, rule="input-empty")


def _is_work(part: Part) -> bool:
    return part.kind != OBJECTS or bool(part.spec["objects"])
