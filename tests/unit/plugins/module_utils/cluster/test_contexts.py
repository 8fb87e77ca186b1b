# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Clusters of kubeconfigs and of Cluster API's Secrets, as hosts."""

from __future__ import annotations

import base64
import os
import pathlib
import stat
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import contexts as clusters


def kubeconfig(
    *names: str, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "current-context": names[0],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}", **(cluster or {})}} for name in names],
        "users": [{"name": name, "user": user or {"token": f"token-of-{name}"}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }


def secret(name: str, content: Any, namespace: str = "fleet", kind: str = clusters.SECRET_TYPE, **labels: str) -> Any:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = {clusters.NAME_LABEL: labels["cluster"]}
    return {"metadata": metadata, "type": kind, "data": {"value": base64.b64encode(text.encode()).decode()}}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/i/clusters.yml", True),
        ("/i/clusters.yaml", True),
        ("prod.clusters.yml", True),
        ("a.b.clusters.yaml", True),
        ("myclusters.yml", False),
        ("clusters.yml.bak", False),
        ("clusters.json", False),
        ("hosts.yml", False),
    ],
)
def test_file_names(path: str, expected: bool) -> None:
    assert clusters.is_inventory_name(path) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prod-east_1.x", "prod-east_1.x"),
        ("arn:aws:eks:us-east-1:1:cluster/prod", "arn-aws-eks-us-east-1-1-cluster-prod"),
        ("kind@kind", "kind-kind"),
        ("../../etc", "etc"),
        ("{{ x }}", "x"),
        ("/", ""),
        (7, "7"),
    ],
)
def test_host_names_are_safe_in_patterns_and_paths(text: Any, expected: str) -> None:
    assert clusters.host_name(text) == expected


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], [], ["dev", "prod-1", "prod-2"]),
        (["prod-*"], [], ["prod-1", "prod-2"]),
        (["prod-*", "dev"], ["*-2"], ["dev", "prod-1"]),
        ([], ["*"], []),
        (["PROD-*"], [], []),
    ],
)
def test_contexts(include: list[str], exclude: list[str], expected: list[str]) -> None:
    found = clusters.of_kubeconfig("/k", kubeconfig("prod-2", "dev", "prod-1"), include, exclude)
    assert [one.context for one in found] == expected
    for one in found:
        assert (one.file, one.facts["server"], one.facts["file"]) == ("/k", f"https://{one.context}", "/k")
        # One cluster's credentials alone.
        assert [user["name"] for user in one.content["users"]] == [one.context]
        assert one.content["current-context"] == one.context
        assert "token-of" not in str(one.facts)


def test_secrets_of_cluster_api() -> None:
    labels = {"region": "east"}
    objects = [{"metadata": {"name": "a", "namespace": "fleet", "labels": labels}, "status": {"phase": "Provisioned"}}]
    secrets = [
        secret("b-kubeconfig", kubeconfig("b"), "other", cluster="b"),
        secret("a-kubeconfig", kubeconfig("a-admin@a", "unused"), cluster="a"),
        secret("a-user-kubeconfig", kubeconfig("a"), cluster="a"),
        secret("a-ca", "certificate", cluster="a"),
        secret("c-kubeconfig", kubeconfig("c"), kind="Opaque", cluster="c"),
        secret("d-kubeconfig", kubeconfig("d")),
    ]
    found, problems = clusters.of_secrets(secrets, objects, [], [])
    assert problems == []
    assert [(one.facts["namespace"], one.facts["name"]) for one in found] == [
        ("fleet", "a"),
        ("fleet", "d"),
        ("other", "b"),
    ]
    assert found[0].facts["labels"] == labels
    assert (found[0].facts["phase"], found[0].facts["server"]) == ("Provisioned", "https://a-admin@a")
    assert "unused" not in str(found[0].content)
    assert "token-of" not in str([one.facts for one in found])
    assert (found[1].facts["labels"], found[1].context, found[1].file) == ({}, "", "")
    chosen, problems = clusters.of_secrets(secrets, [], ["fleet/*", "b"], ["d"])
    assert [one.facts["name"] for one in chosen] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "has no data.value"),
        ("a: [token-of\n", "is not valid YAML"),
        ({"a": 1}, "has no cluster"),
        ({**kubeconfig("a"), "current-context": "b"}, "current context 'b' is not in it"),
        (
            kubeconfig("a", user={"exec": {"command": "/bin/x"}}),
            "has exec, which would run a program or read files on this machine",
        ),
        (kubeconfig("a", user={"auth-provider": {"name": "x"}}), "has auth-provider"),
        (kubeconfig("a", user={"tokenFile": "/etc/x", "client-key": "/etc/y"}), "has client-key, tokenFile"),
        (kubeconfig("a", cluster={"certificate-authority": "/etc/x"}), "has certificate-authority"),
    ],
)
def test_kubeconfigs_that_cannot_or_must_not_be_used(content: Any, text: str) -> None:
    found, problems = clusters.of_secrets([secret("a-kubeconfig", content, cluster="a")], [], [], [])
    assert (found, len(problems)) == ([], 1)
    assert problems[0].startswith("Secret fleet/a-kubeconfig: ") and text in problems[0]
    assert "token-of" not in problems[0]


def test_data_that_is_no_base64_is_named() -> None:
    bad = {**secret("a-kubeconfig", "x"), "data": {"value": "%%%"}}
    assert clusters.of_secrets([bad], [], [], [])[1] == [
        "Secret fleet/a-kubeconfig: data.value is not base64-encoded text"
    ]


def test_two_hosts_of_one_name_are_refused() -> None:
    found = clusters.of_kubeconfig("/k", kubeconfig("a"), [], [])
    found += clusters.of_secrets([secret("a-kubeconfig", kubeconfig("x"))], [], [], [])[0]
    assert list(clusters.named(found, ["a", "b"])) == ["a", "b"]
    with pytest.raises(OrchestratorError) as raised:
        clusters.named(found, ["a", "a"])
    assert "Two clusters have the host name a: context a of /k, and Cluster fleet/a." in str(raised.value)
    with pytest.raises(OrchestratorError, match="context a of /k has no host name"):
        clusters.named(found, ["", "a"])


def test_files_are_private_and_go_with_their_clusters(tmp_path: pathlib.Path) -> None:
    folder = str(tmp_path / "a" / "b")
    old = os.umask(0)
    try:
        paths = clusters.write(folder, [("x", b"1"), ("y", b"2")])
    finally:
        os.umask(old)
    assert [pathlib.Path(path).read_bytes() for path in paths] == [b"1", b"2"]
    assert [stat.S_IMODE(os.stat(path).st_mode) for path in [folder, *paths]] == [0o700, 0o600, 0o600]
    assert clusters.write(folder, [("y", b"3")]) == [os.path.join(folder, "y")]
    assert (os.listdir(folder), pathlib.Path(folder, "y").read_bytes()) == (["y"], b"3")
    os.chmod(folder, 0o755)
    with pytest.raises(OrchestratorError, match="is accessible to other users"):
        clusters.write(folder, [("y", b"4")])
    (tmp_path / "file").write_text("")
    with pytest.raises(OrchestratorError, match="Set kubeconfig_dir to a writable folder"):
        clusters.write(str(tmp_path / "file" / "x"), [])


def test_folders(tmp_path: pathlib.Path) -> None:
    assert clusters.runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == f"{tmp_path}/llm-d-orchestrator/clusters"
    gone = {"XDG_RUNTIME_DIR": "/none", "XDG_CACHE_HOME": "/c"}
    assert clusters.runtime_folder(gone) == "/c/llm-d-orchestrator/clusters"
    assert clusters.folder_of("a.clusters.yml", "/b") == clusters.folder_of(os.path.abspath("a.clusters.yml"), "/b")
    assert clusters.folder_of("/a.clusters.yml", "/b") != clusters.folder_of("/b.clusters.yml", "/b")
