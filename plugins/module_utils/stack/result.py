# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A resolved stack as plain data: its parts as component_parts takes them, and what its components tell."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..components.base import RELEASE, Part, Stack
from ..values.layers import merge_all, remainder


def as_result(stack: Stack, facts: t.Mapping[str, t.Any] | None = None) -> Object:
    """Return the stack as the module stack_info returns it; facts are joined in."""
    told = {key: value for component in stack.components.values() for key, value in component.tells().items()}
    return {
        "namespace": stack.namespace,
        "parts": [part.as_dict() for part in stack.parts()],
        "objects": {name: [] if one.idle else one.serves() for name, one in stack.components.items()},
        **told,
        "notes": list(dict.fromkeys(stack.notes)),
        **(facts or {}),
    }


def chart_inputs(stack: Stack) -> list[Object]:
    """Return per release its chart and values as the module chart_values takes them.

    values holds only what the files do not say, so that a mistake in a file is shown with its line.
    """
    return [_chart_input(part) for part in stack.parts() if part.kind == RELEASE]


def _chart_input(part: Part) -> Object:
    files = [layer for layer in part.layers if layer.root is not None]
    values = remainder(part.spec["values"], merge_all(layer.values for layer in files))
    chart = {key: part.spec[key] for key in ("chart_ref", "chart_version")}
    inline = [layer for layer in part.layers if layer.root is None]
    settings = zip(("ref", "version"), part.chart_settings, strict=True)
    variables = {key: f"{part.component}_{setting}" for key, setting in settings}
    more: Object = {"chart_variable": f"{part.component}_chart", "chart_variables": variables}
    more.update(chart=part.chart, variables=inline)
    return {"name": part.name, **chart, **more, "values_files": [layer.where for layer in files], "values": values}
