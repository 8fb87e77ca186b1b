# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Further releases of a stack: charts of the user beside the models."""

from __future__ import annotations

import pytest

from stack.test_resolve import model, resolve

BATCH = {"name": "batch", "chart": "oci://registry.example/charts/batch", "version": "v0.1.0"}


def found(*charts):
    return resolve([model()], extra_releases={"charts": list(charts)})


def test_what_is_no_list():
    _result, findings, _stack = resolve([model()], extra_releases={"charts": {"name": "batch"}})
    assert len(findings) == 1 and "llm_d_releases: is a map" in findings[0], findings


def test_each_is_a_release_of_its_own_chart():
    result, findings, _stack = found({**BATCH, "values": {"replicas": 2}}, {"name": "queue", "chart": "./charts/queue"})
    assert findings == []
    parts = [part for part in result["parts"] if part["component"] == "extra_releases"]
    rows = [(part["name"], part["kind"], part["chart_ref"], part["chart_version"], part["values"]) for part in parts]
    assert rows == [
        ("batch", "release", BATCH["chart"], "v0.1.0", {"replicas": 2}),
        ("queue", "release", "./charts/queue", None, {}),
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": "batch"}, "llm_d_releases[0].chart: is missing"),
        (
            {**BATCH, "version": ""},
            "llm_d_releases[0].version: is missing: oci://registry.example/charts/batch would be",
        ),
        ({**BATCH, "name": "Batch"}, "llm_d_releases[0].name"),
        ({**BATCH, "vaules": {}}, "llm_d_releases[0].vaules"),
        ({**BATCH, "values_files": ["lost.yaml"]}, "llm_d_releases[0].values_files[0]: values file not found"),
        ({**BATCH, "name": "ms-a"}, "is already the Helm release of"),
    ],
)
def test_mistakes(entry, said):
    _result, findings, _stack = found(entry)
    assert len(findings) == 1, findings
    assert said in findings[0] or "ms-a" in findings[0], findings
