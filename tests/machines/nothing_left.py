# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a lab of machines leaves when it has been taken down: nothing."""

from __future__ import annotations

import os
import pathlib
import subprocess

from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine_lab import MachineLab
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.state import processes


def test_nothing_is_left() -> None:
    lab = MachineLab(os.environ["MACHINES_LAB"])
    assert not lab.folder.exists()
    assert not lab.network.path.exists()
    assert [one.argv for one in processes() if any(str(lab.folder) in word for word in one.argv)] == []
    assert str(lab.folder) not in pathlib.Path("/proc/mounts").read_text(encoding="utf-8")
    assert lab.network.cable not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    assert [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"*llm-d-{lab.name}-*")] == []
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    assert lab.network.table not in tables.split()
