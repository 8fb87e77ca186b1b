# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis names the file and line of the user's value that its evidence is about, and nothing by chance."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.places import with_places

Origin = pytest.importorskip("ansible._internal._datatag._tags").Origin
IMAGE = "ghcr.io/org/sim:v0.7.1"
FILE = "/inventory/group_vars/all.yml"


def written(value: Any, line: int) -> Any:
    """Return a value as Ansible reads it from a line of a file."""
    return Origin(path=FILE, line_num=line).tag(value)


VARIABLES = {
    "server": {"containers": [{"name": written("container", 3), "image": written(IMAGE, 4),
                               "args": [written("--max-modle-len=4096", 5)]}]},
    "other": {"image": written("ghcr.io/org/sim:v0.7.10", 7), "pullSecret": written("registry-login", 8)},
    "llm_d_kubeconfig": written("/home/user/kubeconfig", 10),
    "unplaced": {"image": IMAGE},
}  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "places"),
    [
        (f"image {IMAGE}: node n, container container: ErrImagePull: {IMAGE}: not found", [f"{FILE}:4"]),
        ("main: error: unrecognized arguments: --max-modle-len=4096", [f"{FILE}:5"]),
        ("Secret registry-login not found", [f"{FILE}:8"]),
        ("the file /home/user/kubeconfig of container is missing", []),
        ("registry-login-2 is not there", []),
    ],
)
def test_the_place_of_what_the_evidence_names(evidence: str, places: list[str]) -> None:
    assert with_places([{"evidence": [evidence]}], VARIABLES)[0]["places"] == places


def test_a_line_of_a_values_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(f"decode:\n  containers:\n    - image: {IMAGE}  # ours\n")
    plan = {"stack": {"parts": [{"values_files": [str(file), str(tmp_path / "gone.yaml")]}, {}]}}
    cause = {"evidence": [f"image {IMAGE}: not found"]}
    assert with_places([cause], {"stack_plan": plan})[0]["places"] == [f"{file}:3"]
