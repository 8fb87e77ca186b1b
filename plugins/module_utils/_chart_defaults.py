# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The default values of the charts in use: by them one release of a chart is told from another that renamed keys."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._charts import fetch_chart, read_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._values import chart_defaults as values_of

Values = dict[str, t.Any]


def chart_defaults(sections: dict[str, Values], fetching: dict) -> dict[str, Values]:
    """Return the values.yaml of each section's chart, {} for one that cannot be had: the check of its values says why.

    sections: by component, with chart_ref and chart_version; fetching: options of fetch_chart.
    """

    def read(section: Values) -> Values:
        try:
            chart = fetch_chart(section.get("chart_ref") or "", section.get("chart_version") or None, **fetching)
            return values_of(read_chart(chart.path))
        except OrchestratorError:
            return {}

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(sections, pool.map(read, sections.values()), strict=True))


def has_path(values: t.Any, path: str) -> bool:
    """Return whether values hold a dotted path, whatever its value; a number counts a list's items from 0."""
    for key in path.split("."):
        if isinstance(values, list) and key.isdecimal() and int(key) < len(values):
            values = values[int(key)]
        elif isinstance(values, dict) and key in values:
            values = values[key]
        else:
            return False
    return True
