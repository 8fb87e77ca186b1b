# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The inventory plugin clusters: Cluster API's Secrets and contexts become hosts that can be planned for."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import secrets
import stat
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.contexts import NAME_LABEL, SECRET_TYPE
from plane_client import Lab

from playbooks import ROOT, environment, play

COLLECTIONS = str(ROOT / "playbooks" / "collections")
MODELS = [{"name": "qwen3-0-6b", "model": "Qwen/Qwen3-0.6B", "values": "{{ simulated_server }}"}]


@pytest.fixture(scope="module")
def managed(lab: Lab) -> Iterator[str]:
    """A namespace with Secrets as Cluster API makes them: east and west are this lab, north is not usable."""
    space = f"capi-{secrets.token_hex(4)}"
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    kubeconfig = pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8")
    login = yaml.safe_load(kubeconfig)
    login["users"][0]["user"] = {"exec": {"command": "login"}}
    for name, text in (("east", kubeconfig), ("west", kubeconfig), ("north", yaml.safe_dump(login))):
        metadata = {"name": f"{name}-kubeconfig", "namespace": space, "labels": {NAME_LABEL: name}}
        data = {"value": base64.b64encode(text.encode()).decode()}
        lab.apply({"apiVersion": "v1", "kind": "Secret", "type": SECRET_TYPE, "metadata": metadata, "data": data})
    yield space
    lab.core.delete_namespace(space)


def inventory(folder: pathlib.Path, space: str, **more: Any) -> str:
    """Write an inventory file; return its path."""
    content = {
        "plugin": "llm_d.orchestrator.clusters",
        "cluster_api": True,
        "management_kubeconfig": os.environ["LAB_KUBECONFIG"],
        "namespaces": [space],
        "kubeconfig_dir": str(folder / "private"),
        "compose": {"llm_d_namespace": f"'{space}-' ~ llm_d_cluster.name"},
        "keyed_groups": [{"key": "llm_d_cluster.source", "prefix": "from"}],
        **more,
    }
    path = folder / "x.clusters.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def listed(folder: pathlib.Path, *paths: str) -> tuple[dict[str, Any], str]:
    """Return what ansible-inventory --list prints, and what it warns of."""
    done = subprocess.run(
        ["ansible-inventory", *(part for path in paths for part in ("-i", path)), "--list"],
        cwd=folder,
        env={**environment(folder), "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return json.loads(done.stdout), " ".join(done.stderr.split())


def key_of_lab() -> str:
    content = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    return str(content["users"][0]["user"]["client-key-data"])


def test_clusters_of_secrets_are_listed_without_secrets_and_planned_for(tmp_path: pathlib.Path, managed: str) -> None:
    path = inventory(tmp_path, managed)
    found, warnings = listed(tmp_path, path)
    hosts = found["_meta"]["hostvars"]
    assert sorted(hosts) == ["east", "west"] == sorted(found["from_cluster_api"]["hosts"])
    assert f"Secret {managed}/north-kubeconfig: its kubeconfig has exec" in warnings
    assert key_of_lab() not in json.dumps(found) + warnings
    assert hosts["east"]["llm_d_cluster"]["namespace"] == managed
    file = hosts["east"]["llm_d_kubeconfig"]
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert key_of_lab() in pathlib.Path(file).read_text(encoding="utf-8")
    # The lab's inventory for the values, and one cluster of this one.
    run = play(
        tmp_path, "plan", "-i", path, "--limit", "east", timeout=180, llm_d_models=MODELS, ansible_connection="local"
    )
    assert run.code == 0, run.text
    plan = json.loads(next((tmp_path / "plans" / "east").glob("*/plan.json")).read_text(encoding="utf-8"))
    assert f"{managed}-east" in json.dumps(plan)
    # Without its Secret a cluster's file goes too.
    listed(tmp_path, inventory(tmp_path, managed, exclude=["east"]))
    assert [path.name for path in (tmp_path / "private").glob("*/*")] == [f"{managed}_west"]


def test_contexts_and_contents(tmp_path: pathlib.Path, managed: str) -> None:
    kubeconfig = tmp_path / "lab.yaml"
    kubeconfig.write_text(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    (tmp_path / "other.yaml").write_text("- no kubeconfig\n")
    more = {"kubeconfigs": ["*.yaml"], "kubeconfig_as": "content", "include": ["lab-*", "west"]}
    found, warnings = listed(tmp_path, inventory(tmp_path, managed, **more))
    hosts = found["_meta"]["hostvars"]
    context = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["contexts"][0]["name"]
    assert sorted(hosts) == sorted([context, "west"])
    for variables in hosts.values():
        assert key_of_lab() in variables["llm_d_kubeconfig"]
        assert yaml.safe_load(variables["llm_d_kubeconfig"])["clusters"][0]["cluster"]["server"].startswith("https://")
    assert "other.yaml was skipped" in warnings
    assert not (tmp_path / "private").exists()


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"kubeconfigs": ["none"]}, "The kubeconfig none does not exist in"),
    ({"hostname": "'same'"}, "Two clusters have the host name same"),
    ({"hostname": "llm_d_cluster.nane"}, "cannot evaluate hostname for east"),
    ({"management_context": "nowhere"}, "The kubeconfig has no context 'nowhere'"),
    ({"strict": True}, "its kubeconfig has exec"),
]


def test_mistakes_are_named(tmp_path: pathlib.Path, managed: str) -> None:
    paths = []
    for number, (more, _text) in enumerate(MISTAKES):
        (tmp_path / str(number)).mkdir()
        paths.append(inventory(tmp_path / str(number), managed, **more))
    found, warnings = listed(tmp_path, *paths)
    for path, (_more, text) in zip(paths, MISTAKES, strict=True):
        assert f"{path}: " in warnings
        assert text in warnings
    assert not found["_meta"]["hostvars"]
    assert key_of_lab() not in warnings
