# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pods that fail as real ones do: named early with their cause, recorded, and mended by the next run."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from playbooks import Run, play

FAULTS = [
    ("ImagePullBackOff", {"llm-d.ai/model": "qwen3-0-6b"}, "pod ms-qwen3-0-6b-", "ImagePullBackOff: Back-off pulling"),
    (
        "Pending",
        {"inferencepool": "gaie-qwen3-0-6b-epp"},
        "pod gaie-qwen3-0-6b-epp-",
        "Unschedulable: no node has 1000",
    ),
]


@pytest.fixture
def faults(tmp_path: pathlib.Path) -> Iterator[Callable[[list[dict[str, Any]]], Run]]:
    """Sets the lab's faults; takes them away at the end."""

    def put(wanted: list[dict[str, Any]]) -> Run:
        run = play(tmp_path, "lab_up", lab_faults=wanted)
        assert run.code == 0, run.text
        return run

    yield put
    put([])


@pytest.mark.parametrize(("fault", "match", "pod", "cause"), FAULTS)
def test_a_failing_pod_is_named_and_a_second_run_finishes(
    fault: str,
    match: dict[str, str],
    pod: str,
    cause: str,
    faults: Callable[[list[dict[str, Any]]], Run],
    tmp_path: pathlib.Path,
    new_namespace: Callable[[], str],
) -> None:
    namespace = new_namespace()
    faults([{"name": "failing", "fault": fault, "match": match, "namespace": namespace}])
    run = play(tmp_path, "site", llm_d_namespace=namespace)
    assert run.code != 0
    for text in (pod, cause, "Not deployed because of this: httproute."):
        assert text in run.text, run.text
    (record,) = (tmp_path / "records" / "lab").glob("*/record.json")
    assert cause in json.loads(record.read_text(encoding="utf-8"))["failure"]["text"]

    faults([])
    again = play(tmp_path, "site", llm_d_namespace=namespace)
    assert again.code == 0, again.text
    assert "[COMPLETE]" in again.text
    assert play(tmp_path, "teardown", llm_d_namespace=namespace, teardown_confirm=True).code == 0
