# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Images of rendered charts in a site's registry, by the real Helm; those that escape it."""

from __future__ import annotations

import shutil
import types

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.fetch import Chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.prepare import objects as prepare_objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.release import fingerprint
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import image_check as checks
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import LocalHelm, template_arguments
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.records import manifest_objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.wanted import Wanted
from charts.factory import chart_files, write_chart

needs_helm = pytest.mark.skipif(shutil.which("helm") is None, reason="helm is not on PATH")
SITE = "registry.site.example/mirror"
POD = """apiVersion: v1
kind: Pod
metadata: {{name: {name}, annotations: {{{notes}}}}}
spec: {{containers: [{{name: c, image: {image}}}]}}
"""


def chart(folder, **pods):
    """Write a chart of pods: (image, annotations) by name."""
    files = {name: text for name, text in chart_files("demo", "1.0.0").items() if not name.startswith("templates/")}
    for name, (image, notes) in pods.items():
        files[f"templates/{name}.yaml"] = POD.format(name=name, image=image, notes=notes)
    return str(write_chart(folder / "demo", files))


def render(path, registry=SITE):
    helm = LocalHelm(None, registry)
    try:
        arguments = template_arguments("r", path, "ns", [], kube_version="v1.34.0", apis=[], upgrade=False)
        return checks.checked_render(helm, arguments, path, 60)
    finally:
        helm.close()


@needs_helm
@pytest.mark.parametrize("registry", ["", SITE])
def test_a_chart_is_rendered_with_the_sites_images(tmp_path, registry):
    text = render(chart(tmp_path, a=("ghcr.io/x/y:1", ""), b=("auto", "")), registry)
    image = f"{SITE}/ghcr.io/x/y:1" if registry else "ghcr.io/x/y:1"
    assert checks.images_of(manifest_objects(text)) == {image: ["Pod a c"]}


@needs_helm
@pytest.mark.parametrize(
    ("image", "escapes"), [("ghcr.io/x/y:1", True), (f"{SITE}/x/y:1", False)], ids=["elsewhere", "there"]
)
def test_an_image_of_a_hook_must_be_in_the_registry(tmp_path, image, escapes):
    path = chart(tmp_path, a=("b:1", ""), hook=(image, '"helm.sh/hook": pre-install'))
    if not escapes:
        render(path)
        return
    with pytest.raises(OrchestratorError, match=f"ghcr.io/x/y:1 of Pod hook c is not in {SITE}"):
        render(path)
    render(path, "")


@needs_helm
def test_an_image_that_cannot_be_rewritten_is_named(tmp_path):
    with pytest.raises(OrchestratorError, match="REPLACE/ME of Pod a c is not in"):
        render(chart(tmp_path, a=('"REPLACE/ME"', "")))


def test_a_release_with_another_registry_is_another_one():
    inventory = types.SimpleNamespace(version="v1.34.0", apis=[])
    parts = Chart("/c", "demo", "1.0.0", "", "0" * 64, "/c"), {}, []
    prints = {fingerprint(Wanted("r", *parts, registry=registry), 1, inventory) for registry in ("", "a.b", "a.c")}
    assert len(prints) == 3


def test_what_is_prepared_is_in_the_registry():
    settings = {"namespace": "ns", "namespace_exists": True, "hf_token": "", "hf_token_secret": "t", "token": None}
    settings.update(pvc_name="m", pvc_size="1Gi", pvc_storage_class="", pvc_access_modes=[], downloads=["a/b"])
    settings.update(download_image="ghcr.io/x/hf:1", images=["busybox:1"], image_node_selector={}, image_tolerations=[])
    found = checks.images_of(prepare_objects({**settings, "image_registry": SITE + "/"}))
    pause = "registry.k8s.io/pause:3.10"
    assert set(found) == {f"{SITE}/{image}" for image in ("ghcr.io/x/hf:1", "docker.io/library/busybox:1", pause)}


def test_what_is_not_rewritten_is_hinted_at():
    item = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"args": ["--proxy=ghcr.io/x/y:1"]}]}}
    (line,) = checks.hinted([item], SITE)
    assert "Pod p spec.containers.0.args.0: ghcr.io/x/y:1 is not rewritten" in line
