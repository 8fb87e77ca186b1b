# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rollback: to the deployment before and forth again, after a failure, without history, with secrets in values."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from plane_client import Lab
from recorded_stack import model, settings

from playbooks import Run, play

PLANTED = "planted-in-the-values"


def manifests(lab: Lab, namespace: str) -> dict[str, str]:
    """The manifest of each deployed release."""
    found = lab.core.list_namespaced_secret(namespace, label_selector="owner=helm,status=deployed").items
    texts = {}
    for secret in found:
        release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret.data["release"]))))
        texts[release["name"]] = release["manifest"]
    return texts


def back(folder: pathlib.Path, namespace: str, **variables: Any) -> Run:
    """Run rollback.yml with consent."""
    return play(folder, "rollback", llm_d_namespace=namespace, **{"rollback_confirm": True, **variables})


def forget(lab: Lab, namespace: str, name: str, revision: int) -> None:
    """Delete a revision from Helm's history."""
    lab.core.delete_namespaced_secret(f"sh.helm.release.v1.{name}.v{revision}", namespace)


def test_back_and_forth(lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    first = settings(namespace, model("a"))
    assert play(tmp_path, "site", **first).code == 0
    old = manifests(lab, namespace)
    none = back(tmp_path, namespace)
    assert none.code != 0 and "has no deployment to return to" in none.text, none.text
    second = play(tmp_path, "site", **settings(namespace, model("a", 2), model("b")))
    assert second.code == 0, second.text
    new = manifests(lab, namespace)

    asked = back(tmp_path, namespace, rollback_confirm=False)
    assert asked.code != 0 and "Nothing was changed" in asked.text and manifests(lab, namespace) == new, asked.text
    run = back(tmp_path, namespace)
    assert run.code == 0 and "the models answer" in run.text, run.text
    assert "Helm release ms-b is REMOVED" in run.text and "HTTPRoute llm-d-b: remove" in run.text
    assert manifests(lab, namespace) == old
    again = back(tmp_path, namespace, rollback_to=json.loads(newest(tmp_path))["inputs"]["rollback_to"])
    assert again.code == 0 and again.changed == 0 and "is as it was at" in again.text, again.text
    # For site.yml it is what it is: with the first inputs nothing changes.
    same = play(tmp_path, "site", **first)
    assert same.code == 0 and same.changed == 0, same.text

    forth = back(tmp_path, namespace)
    assert forth.code == 0 and manifests(lab, namespace) == new, forth.text


@pytest.fixture
def faulty(lab: Lab, tmp_path: pathlib.Path) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """Sets the lab's faults, which go after the test."""

    def use(faults: list[dict[str, Any]]) -> None:
        assert play(tmp_path, "lab_up", lab_faults=faults).code == 0

    yield use
    use([])


def test_after_a_failure_the_last_good_one_is_offered(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str], faulty: Callable[[list[dict[str, Any]]], None]
) -> None:
    namespace = new_namespace()
    assert play(tmp_path, "site", **settings(namespace, model("a"))).code == 0
    old, good = manifests(lab, namespace), json.loads(newest(tmp_path))["started"]
    faulty([{"name": "absent", "fault": "ImagePullBackOff", "match": {"llm-d.ai/model": "a"}, "namespace": namespace}])
    broken = play(tmp_path, "site", **settings(namespace, model("a", image="ghcr.io/llm-d/nothing-such:v1")))
    time = good.replace("-", "").replace(":", "")
    assert broken.code != 0 and f"To return to the deployment of {time}: ansible-playbook " in broken.text, broken.text
    assert "rollback.yml -i" in broken.text
    faulty([])
    run = back(tmp_path, namespace)
    assert run.code == 0 and "the models answer" in run.text and manifests(lab, namespace) == old, run.text


def newest(folder: pathlib.Path) -> str:
    """The newest record."""
    return (sorted((folder / "records" / "lab").iterdir())[-1] / "record.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("secret", [False, True])
def test_history_that_is_lost(lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str], secret: bool) -> None:
    namespace = new_namespace()
    env = {"HF_TOKEN": PLANTED} if secret else {}
    assert play(tmp_path, "site", **settings(namespace, model("a", **env))).code == 0
    old = manifests(lab, namespace)
    assert play(tmp_path, "site", **settings(namespace, model("a", 2, **env))).code == 0
    if secret:
        run = back(tmp_path, namespace)
        assert run.code == 0 and PLANTED not in run.text and manifests(lab, namespace) == old, run.text
        assert back(tmp_path, namespace).code == 0
    forget(lab, namespace, "ms-a", 1)
    if not secret:
        run = back(tmp_path, namespace)
        assert run.code == 0 and "from its chart" in run.text and manifests(lab, namespace) == old, run.text
        return
    # The revision that the first return made has the same state.
    forget(lab, namespace, "ms-a", 3)
    before = manifests(lab, namespace)
    run = back(tmp_path, namespace)
    assert run.code != 0 and "secrets in its values were not recorded" in run.text, run.text
    assert "Run site.yml with the inputs of that deployment" in run.text and PLANTED not in run.text
    assert manifests(lab, namespace) == before
