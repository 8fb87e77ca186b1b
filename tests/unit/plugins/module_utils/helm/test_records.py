# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Release records: decoding, comparing, showing."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.ours import (
    KEEP_ANNOTATION,
    MANAGED_LABEL,
    SECRET_TYPE,
    is_kept,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import records as releases

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"


def payload(name="r", version=1, status="deployed", **extra):
    chart = {"metadata": {"name": "tiny", "version": "0.1.0"}}
    info = {"status": status}
    return {"name": name, "namespace": "n", "version": version, "info": info, "chart": chart, "manifest": "", **extra}


def secret(name="r", version=1, status="deployed", labels=None):
    data = {"release": releases.encode_payload(payload(name, version, status))}
    labels = {"owner": "helm", "name": name, "version": str(version), "status": status, **(labels or {})}
    metadata = {"name": f"sh.helm.release.v1.{name}.v{version}", "labels": labels}
    return {"type": SECRET_TYPE, "metadata": metadata, "data": data}


def test_payload_survives_a_round_trip():
    assert releases.decode_payload(releases.encode_payload(payload())) == payload()


def test_newest_revision_wins_by_number_not_by_text():
    found = releases.current_releases([secret(version=9), secret(version=10, status="failed"), secret(version=2)])
    assert (found["r"].revision, found["r"].status, found["r"].chart_version) == (10, "failed", "0.1.0")


def test_only_named_releases_are_decoded():
    broken = secret("other")
    broken["data"]["release"] = "not base64"
    assert list(releases.current_releases([secret(), broken], ["r"])) == ["r"]


def test_other_secrets_are_not_releases():
    other = secret()
    other["type"] = "Opaque"
    assert releases.current_releases([other]) == {}


@pytest.mark.parametrize(
    "labels, managed",
    [({}, False), ({MANAGED_LABEL: "true"}, True), ({MANAGED_LABEL: "false"}, False)],
)
def test_managed(labels, managed):
    assert releases.current_releases([secret(labels=labels)])["r"].managed is managed


@pytest.mark.parametrize(
    "one, other, same",
    [
        (CONFIG_MAP, CONFIG_MAP, True),
        (CONFIG_MAP, "---\n# Source: x\n" + CONFIG_MAP, True),
        (CONFIG_MAP, CONFIG_MAP.replace("{name: a}", "{name: a, namespace: n}"), True),
        (CONFIG_MAP, CONFIG_MAP.replace("{k: v}", "{k: w}"), False),
        (CONFIG_MAP, "", False),
        ("", "", True),
    ],
)
def test_same_manifest(one, other, same):
    assert releases.same_manifest(one, other, "n") is same


def test_lists_are_opened():
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n"
    assert [item["kind"] for item in releases.manifest_objects(text, "n")] == ["Secret"]


def test_what_one_reader_changes_of_a_manifest_no_other_sees():
    text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {key: value}\n"
    releases.manifest_objects(text, "n")[0]["data"]["key"] = "changed"
    assert releases.manifest_objects(text)[0] == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a"},
        "data": {"key": "value"},
    }


@pytest.mark.parametrize(
    "one, other, same",
    [
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": None}, {}, False),
        ({1: "x"}, {"1": "x"}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, True),
    ],
)
def test_same_values(one, other, same):
    assert releases.same_values(one, other) is same


@pytest.mark.parametrize(
    "one, other, both",
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ([{"name": "c", "a": 1}], [{"name": "c", "b": 2}], [{"name": "c", "a": 1, "b": 2}]),
        ([{"name": "c"}], [{"name": "d"}], [{"name": "c"}, {"name": "d"}]),
        ([1, 2], [3], [3]),
        ([], [{"name": "c"}], [{"name": "c"}]),
    ],
)
def test_union(one, other, both):
    assert releases.union(one, other) == both


def test_secret_values_never_show_but_their_change_does():
    before = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: c2VjcmV0, b: c2FtZQ==}\n"
    after = before.replace("c2VjcmV0", "bmV3").replace("b: ", "c: ")
    old, new = releases.diff_texts(before, after, "n")
    assert "c2VjcmV0" not in old + new and "bmV3" not in new and "c2FtZQ==" not in old + new
    assert "a: (hidden, changed)" in new and "c: (hidden)" in new and "a: (hidden)" in old


def test_digest_ignores_order_and_fits_a_label():
    assert releases.digest({"a": 1, "b": 2}) == releases.digest({"b": 2, "a": 1})
    assert len(releases.digest({})) <= 63


@pytest.mark.parametrize("policy, kept", [("keep", True), ("Keep ", True), ("delete", False), (None, False)])
def test_is_kept(policy, kept):
    item = {"metadata": {"annotations": {KEEP_ANNOTATION: policy} if policy else None}}
    assert is_kept(item) is kept


def test_a_diff_does_not_show_secrets_of_an_environment():
    env = "{name: HF_TOKEN, value: hf_abcdefghijkl}, {name: REPLICAS, value: '2'}"
    manifest = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{env: [{env}]}}]}}\n"
    _old, new = releases.diff_texts("", manifest, "n")
    assert "hf_abcdefghijkl" not in new
    assert "value: '2'" in new


def test_a_release_whose_secret_is_empty_is_what_its_labels_say():
    labels = {"owner": "helm", "name": "ms-a", "version": "3", "status": "deployed"}
    metadata = {"name": "sh.helm.release.v1.ms-a.v3", "namespace": "llm-d", "labels": labels}
    (found,) = releases.current_releases([{"type": SECRET_TYPE, "metadata": metadata}]).values()
    assert (found.name, found.namespace, found.revision, found.status) == ("ms-a", "llm-d", 3, "deployed")
    assert not found.managed and found.manifest == ""


@pytest.mark.parametrize("content", ["not base64", "H4sIAAAA", "AAAA", "SDRzSUFBQUE="])
def test_a_release_whose_secret_is_damaged_is_named(content):
    broken = secret("ms-a", version=3)
    broken["data"]["release"] = content
    broken["metadata"]["namespace"] = "east"
    with pytest.raises(OrchestratorError, match=r"v1.ms-a.v3 of the release ms-a cannot be read") as raised:
        releases.current_releases([broken])
    assert str(raised.value).endswith("helm uninstall ms-a -n east")


@pytest.mark.parametrize("text", ["y", "N", "on", "1", "true", "~", "0x1", "plain"])
def test_helm_reads_dumped_texts_as_texts(text):
    (line,) = [line for line in releases.dump_objects([{"name": text}]).splitlines() if line.startswith("name")]
    assert (line == "name: plain") is (text == "plain") and yaml.safe_load(line) == {"name": text}
