# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What cannot become ready is reported at once, the others are cancelled on request, and the next run converges."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
from collections.abc import Callable, Iterator

import pytest
from plane_client import Lab

from playbooks import play

CRASH = "INFO vLLM API server version 0.11.0\nvllm: error: unrecognized arguments: --max-modl-len 4096\n"


@pytest.fixture
def namespace(tmp_path: pathlib.Path, new_namespace: Callable[[], str]) -> Iterator[str]:
    """A namespace whose models fail for good, and in which one endpoint picker only starts badly."""
    name = new_namespace()
    faults = [
        {"name": "absent", "fault": "ImagePullBackOff", "match": {"llm-d.ai/model": "qwen3-0-6b"}},
        {"name": "flag", "fault": "CrashLoopBackOff", "match": {"llm-d.ai/model": "llama-3-2-1b"}, "log": CRASH},
        {
            "name": "slow",
            "fault": "CrashLoopBackOff",
            "match": {"inferencepool": "gaie-qwen3-0-6b-epp"},
            "log": "later\n",
        },
    ]
    assert play(tmp_path, "lab_up", lab_faults=[{**fault, "namespace": name} for fault in faults]).code == 0
    yield name
    play(tmp_path, "lab_up", lab_faults=[])


def instant(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def failed_steps(folder: pathlib.Path) -> dict[str, dict]:
    """The steps that failed, by release."""
    (path,) = (folder / "records" / "lab").glob("*/events.jsonl")
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {event["name"]: event for event in events if event["status"] == "failed"}


def test_failures_for_good_are_reported_at_once_and_the_next_run_converges(
    lab: Lab, namespace: str, tmp_path: pathlib.Path
) -> None:
    run = play(tmp_path, "site", llm_d_namespace=namespace, llm_d_on_failure="cancel")
    assert run.code != 0
    for text in (
        "DIAG101 The image does not exist",
        "DIAG526 The program rejects an argument",
        "Cancelled: gaie",
        "not started: ",
        "Then run again:",
        f'"llm_d_namespace": "{namespace}"',
    ):
        assert text in run.text, run.text
    # Cancelled while it was waited for, or before it was begun: the models fail soon.
    assert re.search(r"^   (gaie: .*cancelled|not started: .*gaie)", run.text, re.MULTILINE), run.text

    steps = failed_steps(tmp_path)
    pulls = [
        event for event in lab.core.list_namespaced_event(namespace).items if "pull image" in (event.message or "")
    ]
    first = min((event.first_timestamp or event.event_time).timestamp() for event in pulls)
    assert instant(steps["ms-qwen3-0-6b"]["time"]) - first < 10
    # At the first back-off, with the line that tells why.
    assert "restarted 1 times" in steps["ms-llama-3-2-1b"]["detail"]
    assert "unrecognized arguments: --max-modl-len" in steps["ms-llama-3-2-1b"]["detail"]
    records = lab.core.list_namespaced_secret(namespace, label_selector="owner=helm").items
    assert {record.metadata.labels["status"] for record in records} == {"deployed"}

    assert play(tmp_path, "lab_up", lab_faults=[]).code == 0
    again = play(tmp_path, "site", llm_d_namespace=namespace)
    assert again.code == 0, again.text
    assert "[COMPLETE]" in again.text
    assert play(tmp_path, "diagnose", llm_d_namespace=namespace, diagnose_fail=True).code == 0
    assert play(tmp_path, "teardown", llm_d_namespace=namespace, teardown_confirm=True).code == 0
