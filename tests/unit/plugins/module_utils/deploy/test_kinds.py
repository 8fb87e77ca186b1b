# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which parts are brought at once, and which one after the other."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy import kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.base import Work


def part(name: str, kind: str = "release", **more: object) -> dict[str, object]:
    return {"component": "toy", "name": name, "namespace": "ns", "kind": kind, **more}


def test_parts_of_one_kind_go_at_once_but_for_those_that_come_after() -> None:
    parts = [part("crds"), part("platform", after=True), part("web"), part("map", "objects"), part("last")]
    found = [[one["name"] for one in group] for _module, group in kinds.groups(parts)]
    assert found == [["crds"], ["platform", "web"], ["map"], ["last"]]


def test_what_fills_secrets_need_not_be_known_to_spare_them() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": "ns"}}
    parts = [part("needs", "objects", manifests=[secret], fill={"key": {"a": "(masked)"}})]
    parts.append(part("more", "objects", manifests=[{**secret, "metadata": {"name": "other", "namespace": "ns"}}]))
    found = kinds.sparing(Work(None, {}), parts, "manifests")  # type: ignore[arg-type]
    assert [[item["metadata"]["name"] for item in one["spared"]] for one in found] == [["other"], ["key"]]
