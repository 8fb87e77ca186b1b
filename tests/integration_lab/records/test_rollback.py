# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rollback: approved, killed, asked for, from charts, after a failure. The tests take up each other's namespace."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import os
import pathlib
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from plane_client import Lab
from recorded_stack import model, settings
from terminal import answer

from playbooks import Run, command, environment, play

PLANTED = "planted-in-the-values"
REGISTRY = "registry.example.com/mirror"
PATIENCE = 240.0


def extras(number: int) -> dict[str, Any]:
    """The gateway's values with an object that cannot be changed, for each number another."""
    content = {"immutable": True, "data": {"number": str(number)}}
    return {"extraDeploy": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "frozen"}, **content}]}


class Stack(NamedTuple):
    """A namespace with two deployments; records are in the folder."""

    folder: pathlib.Path
    lab: Lab
    namespace: str

    def site(self, number: int, *models: dict[str, Any], **more: Any) -> Run:
        """Deploy models, and what only can be replaced."""
        variables = {**settings(self.namespace, *models), "gateway_values": extras(number), **more}
        return play(self.folder, "site", timeout=PATIENCE, llm_d_image_registry=REGISTRY, **variables)

    def back(self, *args: str, **variables: Any) -> Run:
        """Run rollback.yml, with consent but to replacements."""
        more = {"llm_d_namespace": self.namespace, "rollback_confirm": True, **variables}
        return play(self.folder, "rollback", *args, timeout=PATIENCE, **more)

    def releases(self) -> list[Any]:
        """Helm's Secrets, but the superseded ones."""
        chosen = "owner=helm,status!=superseded"
        return self.lab.core.list_namespaced_secret(self.namespace, label_selector=chosen).items

    def manifests(self) -> dict[str, str]:
        """The manifest of each deployed release."""
        found = [unpacked(one) for one in self.releases() if one.metadata.labels["status"] == "deployed"]
        return {release["name"]: release["manifest"] for release in found}

    def revision(self, name: str) -> int:
        """The newest revision of a release."""
        found = [one.metadata.labels for one in self.releases()]
        return max(int(labels["version"]) for labels in found if labels["name"] == name)

    def forget(self, name: str, *revisions: int) -> None:
        """Delete revisions from Helm's history."""
        for number in revisions:
            self.lab.core.delete_namespaced_secret(f"sh.helm.release.v1.{name}.v{number}", self.namespace)

    def holder(self) -> str | None:
        """Who holds the namespace's lock."""
        lease = self.lab.get("coordination.k8s.io/v1", "Lease", self.namespace, "llm-d-orchestrator")
        return lease["spec"].get("holderIdentity") if lease else None

    def cut_off(self, name: str) -> None:
        """Leave an upgrade of a release as one whose Helm was killed: it has added a variable, and is pending."""
        number = self.revision(name)
        secret = self.lab.core.read_namespaced_secret(f"sh.helm.release.v1.{name}.v{number}", self.namespace)
        release = unpacked(secret)
        added = "- name: y\n          value: added\n        - name: TP_SIZE"
        release["manifest"] = re.sub(r"- name: TP_SIZE", added, release["manifest"])
        release |= {"version": number + 1, "info": {**release["info"], "status": "pending-upgrade"}}
        data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
        labels = {**secret.metadata.labels, "status": "pending-upgrade", "version": str(number + 1), "modifiedAt": "1"}
        name = f"sh.helm.release.v1.{name}.v{number + 1}"
        body = {"metadata": {"name": name, "labels": labels}, "type": secret.type, "data": {"release": data}}
        self.lab.core.create_namespaced_secret(self.namespace, body)

    def records(self) -> list[dict[str, Any]]:
        """The records, oldest first."""
        paths = sorted((self.folder / "records" / "lab").glob("*/record.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def recorded(self, release: str, *, with_b: bool) -> set[int]:
        """The revisions of a release in the records of deployments with or without the model b."""
        found = [{row["name"]: row["revision"] for row in one["releases"]} for one in self.records()]
        return {rows[release] for rows in found if ("ms-b" in rows) is with_b}


def unpacked(secret: Any) -> dict[str, Any]:
    """What Helm keeps of a revision."""
    return json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret.data["release"]))))


FIRST = (model("a", HF_TOKEN=PLANTED),)
SECOND = (model("a", 2, HF_TOKEN=PLANTED), model("b"))


class States(NamedTuple):
    """The stack, and the manifests of its two deployments."""

    stack: Stack
    first: dict[str, str]
    second: dict[str, str]


@pytest.fixture(scope="module")
def states(lab: Lab, tmp_path_factory: pytest.TempPathFactory, new_namespace: Callable[[], str]) -> States:
    stack = Stack(tmp_path_factory.mktemp("rollback"), lab, new_namespace())
    found = []
    for number, models in enumerate((FIRST, SECOND)):
        run = stack.site(number, *models, llm_d_consent=["replace"])
        assert run.code == 0, run.text
        found.append(copy.deepcopy(stack.manifests()))
    return States(stack, *found)


def test_a_return_is_approved_killed_and_taken_up_again(states: States) -> None:
    stack = states.stack
    checked = stack.back("--check", "--diff", llm_d_environment="production")
    assert (checked.code, checked.changed) == (0, 1), checked.text
    assert re.search(r"^-  replicas: 2$", checked.text, re.MULTILINE), checked.text
    assert "Helm release ms-b is REMOVED" in checked.text and "HTTPRoute llm-d-b: remove" in checked.text
    digest = re.findall(r"llm_d_approved_digest=(sha256:\w+)", checked.text)[-1]
    for text, more in (
        ("llm_d_environment is production", {"llm_d_environment": "production"}),
        ("frozen is DELETED and recreated", {}),
    ):
        refused = stack.back(**more)
        assert refused.code != 0 and "Nothing was changed" in refused.text and text in refused.text, refused.text
    assert stack.manifests() == states.second and not stack.holder() and PLANTED not in checked.text

    more = {"llm_d_environment": "production", "llm_d_approved_digest": {"lab": digest}}
    line = command("rollback", llm_d_namespace=stack.namespace, **more)
    killed = subprocess.Popen(
        line, cwd=stack.folder, env=environment(stack.folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while stack.revision("ms-a") == 2 and killed.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert stack.revision("ms-a") == 3 and not any(one.get("rollback_to") for one in stack.records())
    run = stack.back(llm_d_consent=["replace"])
    assert run.code == 0 and "the models answer" in run.text and PLANTED not in run.text, run.text
    assert stack.manifests() == states.first and not stack.holder()
    # For site.yml it is what it is: with the first inputs nothing changes.
    same = stack.site(0, *FIRST)
    assert same.code == 0 and same.changed == 0, same.text


def test_a_terminal_is_asked_for_a_return_from_a_cut_off_upgrade(states: States) -> None:
    stack = states.stack
    other = states.first if stack.manifests() == states.second else states.second
    stack.cut_off("ms-a")
    line = command("rollback", llm_d_namespace=stack.namespace)
    waiting = [("Type yes to do all of it", "yes")]
    text = answer(line, str(stack.folder), environment(stack.folder), waiting, PATIENCE)
    assert "its status is pending-upgrade" in text and "the models answer" in text, text
    assert stack.manifests() == other
    assert {one.metadata.labels["status"] for one in stack.releases()} == {"deployed", "failed"}
    live = stack.lab.get("apps/v1", "Deployment", stack.namespace, "ms-a-llm-d-modelservice-decode")
    assert live and "y" not in [one["name"] for one in live["spec"]["template"]["spec"]["containers"][0]["env"]]


def test_a_lost_history_is_made_up_for_by_the_chart_unless_that_needs_secrets(states: States) -> None:
    stack = states.stack
    assert stack.manifests() == states.second
    stack.forget("infra-llm-d", *stack.recorded("infra-llm-d", with_b=False))
    run = stack.back(llm_d_consent=["replace"])
    assert run.code == 0 and "from its chart" in run.text and stack.manifests() == states.first, run.text
    stack.forget("ms-a", *stack.recorded("ms-a", with_b=True))
    run = stack.back(llm_d_consent=["replace"])
    assert run.code != 0 and "secrets in its values were not recorded" in run.text, run.text
    assert "Run site.yml with the inputs of that deployment" in run.text and PLANTED not in run.text
    assert stack.manifests() == states.first


def test_after_a_failure_the_last_good_one_is_offered(states: States) -> None:
    stack = states.stack
    good = stack.records()[-1]["started"].replace("-", "").replace(":", "")
    before = stack.manifests()
    broken = stack.site(0, model("a", delay="10m", HF_TOKEN=PLANTED), llm_d_wait_timeout=3, llm_d_consent=["replace"])
    offer = f"\nTo roll back to the deployment of {good}:\n  ansible-playbook "
    assert broken.code != 0 and offer in broken.text, broken.text
    assert "rollback.yml -i" in broken.text
    run = stack.back(llm_d_consent=["replace"])
    assert run.code == 0 and "the models answer" in run.text and stack.manifests() == before, run.text
