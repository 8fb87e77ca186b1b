# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Records of deployments: files that follow their schema, a history in the cluster, no secret in either."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pathlib
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.store import records_in_cluster
from plane_client import Lab

from playbooks import ROOT, play

SCHEMA = json.loads((ROOT / "roles" / "record" / "files" / "record.schema.json").read_text(encoding="utf-8"))
PLANTED = "planted-in-many-places"
TYPE = "orchestrator.llm-d.ai/record"
# A folder in which not even root can make a file.
CLOSED = "/proc/sys"


def server() -> dict[str, Any]:
    """A role with a simulated server and a secret in its environment."""
    ports = [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}]
    env = [{"name": "HF_TOKEN", "value": PLANTED}]
    image = "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1"
    container = {"name": "vllm", "image": image, "modelCommand": "imageDefault", "ports": ports, "env": env}
    return {"create": True, "replicas": 1, "containers": [container]}


def settings(namespace: str) -> dict[str, Any]:
    """One model with secrets in its values and in the site's variables."""
    values = {
        "accelerator": {"type": "cpu"},
        "routing": {"proxy": {"enabled": False}},
        "decode": server(),
        "prefill": {"create": False},
    }
    models = [{"name": "a", "model": "org/a", "values": values}]
    return {"llm_d_namespace": namespace, "llm_d_models": models, "prepare_hf_token": PLANTED}


def secrets(lab: Lab, namespace: str) -> list[Any]:
    """The record Secrets of a namespace."""
    found = lab.core.list_namespaced_secret(namespace, field_selector=f"type={TYPE}").items
    return sorted(found, key=lambda secret: secret.metadata.name)


def newest(folder: pathlib.Path) -> pathlib.Path:
    """The folder of the newest record."""
    return sorted((folder / "records" / "lab").iterdir())[-1]


def test_records_are_written_kept_found_again_and_removed(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    namespace = new_namespace()
    run = play(tmp_path, "site", **settings(namespace))
    assert run.code == 0, run.text
    folder = newest(tmp_path)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(record)
    page = (folder / "record.html").read_text(encoding="utf-8")
    assert len(list(ET.fromstring(page.split("\n", 1)[1]).iter("svg"))) == 4

    assert {row["component"] for row in record["releases"]} == {"gateway", "gaie", "modelservice"}
    for release in record["releases"]:
        assert release["revision"] == 1 and len(release["chart_digest"]) == 64 and release["inputs_digest"]
        assert all(len(item["fingerprint"]) == 32 for item in release["objects"]), release
    assert record["plan_digest"].startswith("sha256:") and record["by"]["user"] and record["routes"]

    (secret,) = secrets(lab, namespace)
    packed = gzip.decompress(base64.b64decode(secret.data["record"]))
    assert json.loads(packed) == record
    texts = [packed.decode(), json.dumps(secret.metadata.annotations), page]
    texts += [(folder / name).read_text(encoding="utf-8") for name in ("record.json", "record.md", "events.jsonl")]
    assert all(PLANTED not in text for text in texts)

    # The second run changes nothing, and the history keeps one.
    again = play(tmp_path, "site", **settings(namespace), llm_d_record_history=1)
    assert again.code == 0 and again.changed == 0, again.text
    store = records_in_cluster(Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]}), namespace)
    (row,) = store.list()
    assert (row["time"], row["outcome"], row["models"]) == (newest(tmp_path).name, "succeeded", ["a"])
    kept = store.load(row["time"])
    assert kept["plan_digest"] == row["plan_digest"]
    prints = [[item["fingerprint"] for one in each["releases"] for item in one["objects"]] for each in (record, kept)]
    assert sorted(prints[0]) == sorted(prints[1])

    gone = play(tmp_path, "teardown", llm_d_namespace=namespace, teardown_confirm=True)
    assert gone.code == 0 and "records of deployments: 1" in gone.text, gone.text
    assert secrets(lab, namespace) == [] and (folder / "record.json").is_file()


@pytest.fixture
def closing(tmp_path: pathlib.Path) -> Iterator[None]:
    """Closes the folder of a run's record as soon as it is made, as a disk does that becomes read-only."""
    ended = threading.Event()
    records = tmp_path / "records" / "lab"

    def close() -> None:
        while not ended.wait(0.01):
            for folder in records.iterdir() if records.is_dir() else ():
                if (folder / "events.jsonl").is_file() and not folder.is_symlink():
                    folder.rename(tmp_path / "taken")
                    folder.symlink_to(CLOSED)
                    return

    thread = threading.Thread(target=close)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_a_disk_that_fills_up_ends_no_deployment(
    lab: Lab, closing: None, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    namespace = new_namespace()
    begin = time.monotonic()
    run = play(tmp_path, "site", **settings(namespace))
    assert (tmp_path / "taken" / "events.jsonl").is_file(), "the folder was not closed"
    assert run.code == 0 and "the models answer" in run.text, run.text
    assert run.text.count("[WARNING]: Cannot write the deployment record to") == 1, run.text
    (secret,) = secrets(lab, namespace)
    # Without its files, the record's place is the Secret.
    assert f"record    Secret {namespace}/{secret.metadata.name}" in run.text
    assert time.monotonic() - begin < 60
    assert play(tmp_path, "teardown", llm_d_namespace=namespace, teardown_confirm=True).code == 0


def test_a_disk_that_is_full_refuses_before_anything_changes(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    namespace = new_namespace()
    run = play(tmp_path, "site", **settings(namespace), llm_d_records_dir=CLOSED)
    assert run.code != 0 and f"llm_d_records_dir: cannot write to {CLOSED}" in run.text, run.text
    assert lab.core.list_namespaced_secret(namespace).items == [] and run.changed == 0
