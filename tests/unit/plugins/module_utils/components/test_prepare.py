# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Manifests of the role prepare, and what of an object may be printed."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components import prepare
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts, filled
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy import objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings
from stack.test_resolve import params

SETTINGS = {
    "namespace": "ns",
    "hf_token_secret": "llm-d-hf-token",
    "token": None,
    "pvc_name": "",
    "pvc_size": "10Gi",
    "pvc_storage_class": "",
    "pvc_access_modes": ["ReadWriteMany"],
    "downloads": [],
    "download_image": "image:v1",
    "images": [],
    "image_node_selector": {},
    "image_tolerations": [],
}


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, []),
        ({"pvc_name": "models", "downloads": ["a/b", "a/c"]}, ["PersistentVolumeClaim", "Job", "Job"]),
        ({"images": ["i:1"]}, ["DaemonSet"]),
    ],
)
def test_objects(change, kinds):
    assert [item["kind"] for item in prepare.objects({**SETTINGS, **change})] == kinds


def test_a_download_has_the_token_and_a_name_that_fits():
    change = {"pvc_name": "models", "downloads": ["Org/" + "Long-" * 20], "token": {"name": "hf", "key": "k"}}
    job = prepare.objects({**SETTINGS, **change})[1]
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert len(job["metadata"]["name"]) <= 63
    assert container["env"][1]["valueFrom"]["secretKeyRef"] == {"name": "hf", "key": "k"}


def test_a_storage_class_is_named_only_where_given():
    assert "storageClassName" not in prepare.objects({**SETTINGS, "pvc_name": "m"})[0]["spec"]
    claim = prepare.objects({**SETTINGS, "pvc_name": "m", "pvc_storage_class": "fast"})[0]
    assert claim["spec"]["storageClassName"] == "fast"


def prepared(**secrets):
    """The part that prepare makes for an empty stack."""
    given = {**params([], prepare=SETTINGS), "secrets": secrets}
    (part,) = resolve(checked_settings(given, Findings()), Facts()).components["prepare"].parts()
    return part.spec


def test_the_namespace_and_the_tokens_secret_come_first():
    assert [item["kind"] for item in prepared()["objects"]] == ["Namespace"]
    spec = prepared(prepare_hf_token="hf_secret")
    assert [item["kind"] for item in spec["objects"]] == ["Namespace", "Secret"]
    assert "hf_secret" not in str(spec)


def test_a_secret_is_not_shown():
    spec = prepared(prepare_hf_token="hf_secret")
    secret = filled(spec["objects"], spec["fill"], {"prepare_hf_token": "hf_secret"})[1]
    assert base64.b64decode(secret["data"]["HF_TOKEN"]) == b"hf_secret"
    assert objects.shown(secret)["data"] == {"HF_TOKEN": "(hidden)"}
    assert objects.content(secret)["data"]["HF_TOKEN"] != "(hidden)"
    assert objects.shown(None) is None
    assert objects.title(secret) == "Secret ns/llm-d-hf-token"
    assert not objects.owned(secret)


@pytest.mark.parametrize("present", [{}, {"llm-d-hf-token": ["HF_TOKEN"]}])
def test_a_token_that_is_going_to_be_there_counts_as_there_from_the_first_run_on(present):
    given = {
        **params([{"name": "a", "model": "org/a"}], prepare=SETTINGS),
        "secrets": {"prepare_hf_token": "hf_secret"},
    }
    stack = resolve(checked_settings(given, Findings()), Facts(secrets=dict(present)))
    assert stack.components["gaie"].token == {"name": "llm-d-hf-token", "key": "HF_TOKEN"}
    assert not [note for note in stack.notes if "hf" in note]
