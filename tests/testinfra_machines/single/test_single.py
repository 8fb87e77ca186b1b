# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A single node: what runs, how well it is shut in, and that it serves."""

from __future__ import annotations

import re
import typing as t

UNIT = "llm-orchestrator"


def test_the_service_runs_and_starts_at_boot(site: t.Any) -> None:
    service = site.machine("m1").service(UNIT)
    assert service.is_running and service.is_enabled


def test_what_it_may_do_is_little(site: t.Any) -> None:
    told = site.machine("m1").check_output(f"systemd-analyze security {UNIT}.service --no-pager")
    level = float(re.search(r"exposure level for .*: ([0-9.]+)", told)[1])
    assert level <= 3.0


def test_secrets_are_nobodys_to_read(site: t.Any) -> None:
    machine = site.machine("m1")
    file = machine.file("/etc/llm-orchestrator/environment")
    assert file.mode == 0o600 and file.user == "root"
    secret = re.search(r'JWT_SECRET="?([^"\n]+)', file.content_string)[1]
    for place in ("/etc/systemd/system/llm-orchestrator.service", "/etc/llm-orchestrator/orchestrator.yaml"):
        assert secret not in machine.file(place).content_string
    assert secret not in machine.check_output("ps axww -o args")
    assert secret not in machine.check_output(f"journalctl -u {UNIT} --no-pager")


def test_a_workflow_is_run_and_survives_a_power_cut(site: t.Any, patience: t.Any) -> None:
    base = f"https://{site.address('m1')}:8080"
    assert site.get(f"{base}/ready")["database"]
    done = site.submit(base)
    assert site.finished(base, [done], 30) == {"succeeded": 1}
    accepted = site.submit(base)
    site.set("m1", "killed")
    site.set("m1", "booted")
    patience(lambda: site.result(base, done), 60)
    assert site.finished(base, [done, accepted], 60) == {"succeeded": 2}
