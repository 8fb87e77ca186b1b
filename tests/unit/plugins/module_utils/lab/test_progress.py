# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Steps are shown as they begin, and a long one is shown to go on."""

from __future__ import annotations

import pathlib
import threading

from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.gobuild import lines_in
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.progress import LabProgress, Share, elapsed


def test_a_long_step_is_shown_to_go_on(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "build.log"
    log.write_text("go: downloading x\na\nb\n")
    shown: list[str] = []
    beaten = threading.Event()

    def show(line: str) -> None:
        shown.append(line)
        if "still" in line:
            beaten.set()

    with LabProgress(show, every=0.01) as progress:
        share = Share("packages")
        share.begin(40, lambda: lines_in(log))
        progress.say(f"building etcd, 1 of 2, with Go, about 1 min; log {log}", share)
        assert beaten.wait(30)
        progress.say("built etcd in 60 s")
        count = len(shown)
    assert shown[0] == f"lab, 0:00: building etcd, 1 of 2, with Go, about 1 min; log {log}"
    assert "lab, 0:00: still building etcd, 1 of 2 (0:00 so far, 2 of 40 packages (5%))" in shown
    assert shown[count - 1] == "lab, 0:00: built etcd in 60 s"
    assert len(shown) == count


def test_the_rest_takes_as_long_as_the_pace_says() -> None:
    share = Share("MB")
    assert share.text() == ""
    share.begin(200, lambda: 50)
    share.started -= 60
    assert share.text() == ", 50 of 200 MB (25%), about 3:00 left at this pace"
    share.count = lambda: 5
    assert share.text() == ", 5 of 200 MB (2%)"
    share.count = lambda: 900
    assert share.text() == ", 200 of 200 MB (100%)"


def test_elapsed() -> None:
    assert [elapsed(seconds) for seconds in (0.4, 65, 3600)] == ["0:00", "1:05", "60:00"]
