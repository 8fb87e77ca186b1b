# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of this machine on claims of the tests' lab: what arrives there, and what becomes of the pods."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.ours import UPLOADED_ANNOTATION
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy import kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.base import PartsFailed, Result, Work
from ansible_collections.llm_d.orchestrator.plugins.module_utils.upload import remote
from ansible_collections.llm_d.orchestrator.plugins.module_utils.upload.content import read_content
from plane_client import Lab, eventually

CLAIM = "models"


class Upload:
    """A folder and a claim for it."""

    def __init__(self, lab: Lab, namespace: str, folder: pathlib.Path) -> None:
        self.lab, self.namespace, self.source, self.cache = lab, namespace, folder / "routers", folder / "cache"
        (self.source / "ensemble" / "1").mkdir(parents=True)
        (self.source / "model").mkdir()
        (self.source / "model" / "config.pbtxt").write_text("name: model\n")
        (self.source / "model" / "weights").write_bytes(os.urandom(1_500_000))
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        metadata = {"name": CLAIM, "namespace": namespace}
        lab.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})

    @property
    def claim(self) -> dict[str, Any]:
        return self.lab.resource("v1", "PersistentVolumeClaim").get(name=CLAIM, namespace=self.namespace).to_dict()

    @property
    def volume(self) -> pathlib.Path:
        """The folder that stands for the claim."""
        return pathlib.Path(os.environ["LAB_STATE"]) / "claims" / self.claim["metadata"]["uid"]

    @property
    def digest(self) -> str:
        return read_content(str(self.source), str(self.cache)).digest

    @property
    def pods(self) -> list[dict[str, Any]]:
        return self.lab.resource("v1", "Pod").get(namespace=self.namespace).to_dict()["items"]

    def part(self, image: str = "busybox:1") -> dict[str, Any]:
        container = {"name": "upload", "image": image, "command": ["sleep", "600"], "workingDir": "/upload"}
        container["volumeMounts"] = [{"name": "models", "mountPath": "/upload"}]
        volume = {"name": "models", "persistentVolumeClaim": {"claimName": CLAIM}}
        spec = {"containers": [container], "volumes": [volume], "terminationGracePeriodSeconds": 0}
        metadata = {"name": "toy-upload", "namespace": self.namespace}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        place = {"component": "toy", "name": "toy-upload", "namespace": self.namespace, "kind": "upload"}
        wanted = {"source": str(self.source), "digest": self.digest, "claim": CLAIM, "path": "deep/routers"}
        return {**place, **wanted, "pod": pod}

    def present(self, *, check: bool = False, **changed: Any) -> Result:
        """Bring it to the cluster."""
        params = {"wait_timeout": 120, "fail_fast_grace": 1, "chart_cache": str(self.cache)}
        with Work(Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]}), params, check=check) as work:
            return kinds.present(work, [self.part(**changed)])


@pytest.fixture
def upload(lab: Lab, new_namespace: Callable[[], str], tmp_path: pathlib.Path) -> Upload:
    return Upload(lab, new_namespace(), tmp_path)


def test_a_folder_arrives_once(upload: Upload) -> None:
    planned = upload.present(check=True)
    assert planned.changed and UPLOADED_ANNOTATION not in (upload.claim["metadata"].get("annotations") or {})
    done = upload.present()
    assert (done.changed, [row["action"] for row in done.rows]) == (True, ["created"])
    assert read_content(str(upload.volume / "deep" / "routers"), str(upload.cache)).digest == upload.digest
    assert os.listdir(upload.volume) == ["deep"]
    assert upload.claim["metadata"]["annotations"][UPLOADED_ANNOTATION] == f"deep/routers={upload.digest}"
    assert upload.pods == []
    again = upload.present()
    assert (again.changed, [row["action"] for row in again.rows]) == (False, ["unchanged"])
    (upload.source / "model" / "config.pbtxt").write_text("name: other\n")
    assert upload.present().changed
    assert (upload.volume / "deep" / "routers" / "model" / "config.pbtxt").read_text() == "name: other\n"


def test_what_was_cut_off_goes_on_and_what_was_left_behind_goes(upload: Upload) -> None:
    # As a run leaves it that was killed: its pod, and a part of the content.
    labels = {"orchestrator.llm-d.ai/managed": "true", "orchestrator.llm-d.ai/component": "toy"}
    pod = upload.part()["pod"]
    upload.lab.apply({**pod, "metadata": {**pod["metadata"], "labels": labels}})
    eventually(upload.volume.is_dir, 60)
    partial = upload.volume / remote.staging(upload.digest)
    (partial / "model").mkdir(parents=True)
    whole = (upload.source / "model" / "weights").read_bytes()
    (partial / "model" / "weights").write_bytes(whole)
    (partial / "model" / "config.pbtxt").write_text("na")
    before = (partial / "model" / "weights").stat().st_ino
    assert upload.present().changed
    placed = upload.volume / "deep" / "routers"
    assert (placed / "model" / "weights").stat().st_ino == before
    assert read_content(str(placed), str(upload.cache)).digest == upload.digest
    assert upload.pods == []


def test_a_pod_that_cannot_start_is_gone_too(upload: Upload) -> None:
    with pytest.raises(PartsFailed, match="toy-upload"):
        upload.present(image="registry.example.com/Upper/case:1")
    assert upload.pods == []
    assert UPLOADED_ANNOTATION not in (upload.claim["metadata"].get("annotations") or {})
