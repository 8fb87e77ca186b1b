# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""An air-gapped site: bundled where a registry of charts is at hand, deployed without it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from plane_client import Lab
from registry_server import PASSWORD, USER, helm, package, push, serving

from playbooks import ROOT, Run, play

CHARTS = {"gateway": "llm-d-infra", "gaie": "inferencepool", "modelservice": "llm-d-modelservice"}
SITE = "registry.site.example:5000/mirror"
SIMULATOR = "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1"
MODEL = {
    "name": "tiny",
    "model": "org/tiny",
    "values": {
        "accelerator": {"type": "cpu"},
        "decode": {
            "create": True,
            "replicas": 1,
            "containers": [
                {
                    "name": "vllm",
                    "image": SIMULATOR,
                    "modelCommand": "imageDefault",
                    "ports": [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}],
                }
            ],
        },
        "prefill": {"create": False},
    },
}


class Made(NamedTuple):
    """A bundle and how it was made. asked: requests after each run; variables: the site's, whose charts are gone."""

    path: pathlib.Path
    runs: list[Run]
    asked: list[int]
    variables: dict[str, Any]


def variables(namespace: str) -> dict[str, Any]:
    """The stack's variables, without its charts."""
    return {
        "llm_d_namespace": namespace,
        "llm_d_models": [MODEL],
        "gaie_chart_version": "v1.3.0",
        "modelservice_chart_version": "v0.4.5",
        "prepare_images": ["busybox:1.37", f"quay.io/org/tool:v1@sha256:{'a' * 64}"],
        "prepare_hf_token": "hf_onlyForThisTest0123456789",
    }


@pytest.fixture(scope="module")
def made(new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A bundle of charts from a registry that wants a login, written twice; then the registry is gone."""
    folder = tmp_path_factory.mktemp("bundle")
    wanted = {**variables(new_namespace()), "llm_d_bundle": "site.tgz", "llm_d_chart_cache": str(folder / "cache")}
    with serving(folder, "plain") as plain, serving(folder, "login", login=True) as server:
        refs = {f"{role}_chart_ref": server.ref(name) for role, name in CHARTS.items()}
        digests = {name: push(package(name, folder), plain) for name in CHARTS.values()}
        refs["gateway_chart_ref"] += f"@{digests['llm-d-infra']}"
        logins = [{"host": server.host, "username": USER, "password": PASSWORD}]
        runs, asked = [], []
        for name in ("site.tgz", "again.tgz"):
            run = play(
                folder, "bundle", "-vvv", **{**wanted, **refs, "llm_d_registry_logins": logins, "llm_d_bundle": name}
            )
            runs.append(run)
            asked.append(server.requests())
    yield Made(folder / "site.tgz", runs, asked, {**wanted, **refs, "llm_d_image_registry": SITE})
    play(folder, "teardown", llm_d_namespace=wanted["llm_d_namespace"], teardown_confirm=True)


def members(path: pathlib.Path) -> dict[str, bytes]:
    """The files of a bundle."""
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_the_bundle_holds_what_the_stack_needs(made: Made) -> None:
    assert [run.code for run in made.runs] == [0, 0], made.runs[0].text
    files = members(made.path)
    manifest = json.loads(files["manifest.json"])
    assert {chart["name"] for chart in manifest["charts"]} == set(CHARTS.values())
    images = files["images.txt"].decode().split()
    assert images == sorted(images)
    assert {"docker.io/library/busybox:1.37", SIMULATOR, "registry.k8s.io/pause:3.10"} <= set(images)
    assert f"quay.io/org/tool@sha256:{'a' * 64} quay.io/org/tool:v1" in files["copies.txt"].decode().splitlines()
    by_image = {row["image"]: row["places"] for row in manifest["images"]}
    assert by_image[SIMULATOR] == ["lab modelservice/ms-tiny: Deployment ms-tiny-llm-d-modelservice-decode vllm"]
    rendered = yaml.safe_load_all(files["manifests/lab/modelservice/ms-tiny.yaml"])
    assert "Deployment" in [item["kind"] for item in rendered]
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=unpacked(made.path), check=True)


def unpacked(path: pathlib.Path) -> pathlib.Path:
    """A bundle's files in a folder."""
    folder = path.with_suffix(".d")
    for name, content in members(path).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_the_same_stack_gives_the_same_bytes_and_fetches_nothing(made: Made) -> None:
    assert made.path.read_bytes() == made.path.with_name("again.tgz").read_bytes()
    assert made.asked[0] == made.asked[1] > 0


def test_no_secret_is_shown_or_bundled(made: Made) -> None:
    texts = [run.text for run in made.runs] + [content.decode("latin-1") for content in members(made.path).values()]
    assert not [text for text in texts if PASSWORD in text or "hf_onlyForThisTest" in text]


def test_the_site_deploys_without_the_registry(made: Made, lab: Lab) -> None:
    folder = made.path.parent
    wanted = {**made.variables, "llm_d_chart_cache": str(folder / "site-cache")}
    first = play(folder, "site", **wanted)
    assert first.code == 0, first.text
    pods = lab.core.list_namespaced_pod(wanted["llm_d_namespace"]).items
    ours = [pod for pod in pods if "gateway.networking.k8s.io/gateway-name" not in (pod.metadata.labels or {})]
    containers = [entry for pod in ours for entry in [*pod.spec.containers, *(pod.spec.init_containers or [])]]
    images = {entry.image for entry in containers}
    assert all(image.startswith(SITE + "/") for image in images), images
    assert {f"{SITE}/{SIMULATOR}", f"{SITE}/docker.io/library/busybox:1.37"} <= images
    assert f"{SITE}/quay.io/org/tool:v1@sha256:{'a' * 64}" in images


def test_a_second_run_changes_nothing(made: Made) -> None:
    wanted = {**made.variables, "llm_d_chart_cache": str(made.path.parent / "site-cache")}
    for args in ((), ("--check", "--diff")):
        run = play(made.path.parent, "site", *args, **wanted)
        assert (run.code, run.changed) == (0, 0), run.text


def test_a_damaged_bundle_is_one_error_before_anything_is_changed(made: Made, tmp_path: pathlib.Path, lab: Lab) -> None:
    data = bytearray(made.path.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bad.tgz").write_bytes(data)
    wanted = {**made.variables, "llm_d_namespace": "bundle-damaged", "llm_d_bundle": str(tmp_path / "bad.tgz")}
    run = play(tmp_path, "site", **wanted)
    assert run.code != 0
    assert "bad.tgz is invalid" in run.text
    assert "Traceback" not in run.text
    assert "bundle-damaged" not in [item.metadata.name for item in lab.core.list_namespace().items]


def test_a_bundle_needs_no_cluster(tmp_path: pathlib.Path) -> None:
    charts = {f"{role}_chart_ref": str(ROOT / "roles/lab/files/charts" / name) for role, name in CHARTS.items()}
    config = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config), encoding="utf-8")
    wanted = {
        **variables("nowhere"),
        **charts,
        "llm_d_kubeconfig": str(tmp_path / "kubeconfig"),
        "llm_d_helm_binary": helm(),
    }
    run = play(tmp_path, "bundle", **wanted)
    assert run.code == 0, run.text
    assert "No cluster is reachable" in run.text
    manifest = json.loads(members(tmp_path / "bundle.tgz")["manifest.json"])
    assert manifest["clusters"][0]["cluster"] is False
    assert SIMULATOR in [row["image"] for row in manifest["images"]]
