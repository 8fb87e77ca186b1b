# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A chart's own values are read, and what cannot be read is unknown."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.defaults import has_path, own_charts


def test_own_charts(tmp_path):
    (tmp_path / "Chart.yaml").write_text("name: demo\nversion: 1.0.0\n")
    (tmp_path / "values.yaml").write_text("gateway: {provider: istio}\n")
    sections = {"gateway": {"chart_ref": str(tmp_path)}, "gaie": {"chart_ref": str(tmp_path / "none")}}
    found = own_charts(sections, {"cache_dir": str(tmp_path)})
    assert found == {"gateway": ("demo", {"gateway": {"provider": "istio"}}), "gaie": ("", {})}


@pytest.mark.parametrize(
    ("values", "path", "there"),
    [
        ({"a": {"b": None}}, "a.b", True),
        ({"a": {}}, "a.b", False),
        ({"a": 1}, "a.b", False),
        (None, "a", False),
        ({"a": [{"b": 1}]}, "a.0.b", True),
        ({"a": [{"b": 1}]}, "a.1.b", False),
        ({"a": [{"b": 1}]}, "a.b", False),
    ],
)
def test_has_path(values, path, there):
    assert has_path(values, path) is there
