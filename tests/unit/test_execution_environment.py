# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What ansible-builder makes of the execution environment's definition, and that its versions are the tested ones."""

from __future__ import annotations

import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from ansible.release import __version__ as core_version

ROOT = pathlib.Path(__file__).parents[2]
DEFINITION: dict[str, Any] = yaml.safe_load((ROOT / "execution-environment.yml").read_text())
DEPENDENCIES = DEFINITION["dependencies"]
IMAGE = re.compile(r"[a-z0-9./-]+:(?P<tag>[A-Za-z0-9._-]+-\d{8,})|.+@sha256:[0-9a-f]{64}")


def lab_version(tool: str) -> str:
    """The version of a tool that the lab, and so the tests, run with."""
    tools = yaml.safe_load((ROOT / "roles/lab/vars/main/tools.yml").read_text())["_lab_tools"]
    return next(item["version"] for item in tools if tool in item["tools"])


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """What ansible-builder hands to podman or docker."""
    folder = tmp_path_factory.mktemp("context")
    command = [sys.executable, "-m", "ansible_builder", "create", "-f", str(ROOT / "execution-environment.yml")]
    command += ["-c", str(folder), "--output-filename", "Containerfile"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def installed(context: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The collection as ansible-galaxy installs it from that context, without what it would fetch."""
    folder, source = tmp_path_factory.mktemp("collections"), context / "_build"
    wanted = yaml.safe_load((source / "requirements.yml").read_text())["collections"]
    local = [item for item in wanted if item.get("type") == "dir"]
    (folder / "requirements.yml").write_text(yaml.safe_dump({"collections": local}))
    command = [sys.executable, "-m", "ansible", "galaxy", "collection", "install", "--offline", "--no-deps"]
    command += ["-r", str(folder / "requirements.yml"), "-p", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=60)
    return folder / "ansible_collections/llm_d/orchestrator"


def test_the_image_has_what_a_job_runs(context: pathlib.Path) -> None:
    steps = (context / "Containerfile").read_text().splitlines()
    assert DEFINITION["version"] == 3
    run = next(step for step in steps if "get.helm.sh" in step)
    final = steps[steps.index("FROM base AS final") :]
    assert run in final
    assert {f"ARG HELM_VERSION={lab_version('helm')}", f"ARG KUBECTL_VERSION={lab_version('kubectl')}"} < set(final)
    for tool, checksum in (("get.helm.sh/helm-", "tar.gz.sha256sum"), ("dl.k8s.io/release/", "kubectl.sha256")):
        fetched, checked = run.index(f"https://{tool}"), run.index("sha256sum --check", run.index(checksum))
        assert fetched < checked < run.index("install -m 0755", checked)
    assert run.count("sha256sum --check --strict") == 2
    assert any("ansible-galaxy collection install" in step for step in steps)
    users = [step for step in final if step.startswith("USER ")]
    assert users[-1:] == ["USER 1000"]
    assert "RUN chmod ug+rw /etc/passwd" in final


def test_everything_is_pinned_to_what_the_tests_run_with() -> None:
    assert IMAGE.fullmatch(DEFINITION["images"]["base_image"]["name"])
    pins = [DEPENDENCIES[name]["package_pip"] for name in ("ansible_core", "ansible_runner")]
    pins += DEPENDENCIES["python"]
    found = dict(pin.split("==") for pin in pins)
    assert found.pop("ansible-core") == core_version
    assert found == {name: importlib.metadata.version(name) for name in found}
    files = ("requirements-lab.txt", "requirements-dev.txt")
    developers = [line for name in files for line in (ROOT / name).read_text().splitlines()]
    assert {f"{name}=={version}" for name, version in found.items()} < set(developers)
    manifest = "ansible_collections/kubernetes/core/MANIFEST.json"
    bundled = pathlib.Path(str(importlib.metadata.distribution("ansible").locate_file(manifest)))
    version = json.loads(bundled.read_text())["collection_info"]["version"]
    assert DEPENDENCIES["galaxy"]["collections"][0] == {"name": "kubernetes.core", "version": version}


def test_the_image_holds_this_checkout(context: pathlib.Path, installed: pathlib.Path) -> None:
    folders = ("meta", "plugins", "roles", "playbooks")
    listed = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    wanted = {name for name in listed if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()}
    assert wanted
    missing = {name for name in wanted if not (installed / name).is_file()}
    assert not missing, "name their folders in additional_build_files"
    manifest = json.loads((installed / "MANIFEST.json").read_text())["collection_info"]
    assert manifest["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]


def test_other_images_get_what_the_collection_needs(context: pathlib.Path, installed: pathlib.Path) -> None:
    """ansible-builder's own look at the installed collection, as it runs in any image that holds it."""
    scripts, above = context / "_build", installed.parents[2]
    command = [sys.executable, str(scripts / "scripts/introspect.py"), "introspect", str(above)]
    command += ["--write-pip", str(above / "pip.txt"), "--write-bindep", str(above / "bindep.txt")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    python = (above / "pip.txt").read_text()
    # PyYAML comes with ansible-core, so it is left out.
    assert {"kubernetes", "jsonschema"} <= set(re.findall(r"^[A-Za-z]+", python, re.MULTILINE)), python
    assert "ca-certificates [platform:rpm]" in (above / "bindep.txt").read_text()
    command += ["--user-pip", str(scripts / "requirements.txt")]
    command += ["--exclude-pip-reqs", str(scripts / "exclude-requirements.txt")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    own = (above / "pip.txt").read_text()
    assert "kubernetes==" in own
    assert "kopf" not in own
