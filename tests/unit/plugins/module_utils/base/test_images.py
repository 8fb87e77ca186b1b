# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Image references, and the places of objects and manifests that hold them."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import images

SITE = "registry.site.example:5000/mirror"
HEX = "a" * 64

REFERENCES = [
    ("busybox", "docker.io/library/busybox"),
    ("busybox:1.37", "docker.io/library/busybox:1.37"),
    ("vllm/vllm-openai:v0.9.1", "docker.io/vllm/vllm-openai:v0.9.1"),
    ("index.docker.io/library/x:1", "docker.io/library/x:1"),
    ("docker.io/x:1", "docker.io/library/x:1"),
    ("ghcr.io/llm-d/llm-d-cuda:v0.5.1", "ghcr.io/llm-d/llm-d-cuda:v0.5.1"),
    (f"ghcr.io/a/b@sha256:{HEX}", f"ghcr.io/a/b@sha256:{HEX}"),
    (f"ghcr.io/a/b:v1@sha256:{HEX}", f"ghcr.io/a/b:v1@sha256:{HEX}"),
    (f"busybox@sha256:{HEX}", f"docker.io/library/busybox@sha256:{HEX}"),
    ("localhost/a:1", "localhost/a:1"),
    ("localhost:5000/a/b:1", "localhost:5000/a/b:1"),
    ("registry:5000/a:1", "registry:5000/a:1"),
    ("registry:5000", "docker.io/library/registry:5000"),
    ("10.0.0.1:5000/a", "10.0.0.1:5000/a"),
    ("[fd00::1]:5000/a:1", "[fd00::1]:5000/a:1"),
    ("quay.io/a/b/c/d_e__f-g.h:T_1.2-3", "quay.io/a/b/c/d_e__f-g.h:T_1.2-3"),
]


@pytest.mark.parametrize(("text", "full"), REFERENCES)
def test_a_reference_is_read_in_full(text: str, full: str) -> None:
    assert str(images.parse_image(text)) == full
    assert images.parse_image(full) == images.parse_image(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UPPER",
        "ghcr.io/A/b:1",
        "a b",
        "a:",
        "a@",
        "a@sha256:12",
        f"a@sha256:{'A' * 64}",
        "a/-b",
        "a//b",
        "https://ghcr.io/a/b:1",
        "{{ .Values.image }}",
        "ghcr.io/a:tag/b",
        "a:" + "t" * 129,
        "ghcr.io/../x",
    ],
)
def test_what_is_no_reference_is_refused_and_left(text: str) -> None:
    with pytest.raises(ValueError, match="reference|digest"):
        images.parse_image(text)
    assert images.rewritten(text, SITE) == text


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("busybox", "docker.io/library/busybox"),
        ("ghcr.io/llm-d/x:v1", "ghcr.io/llm-d/x:v1"),
        (f"ghcr.io/llm-d/x:v1@sha256:{HEX}", f"ghcr.io/llm-d/x:v1@sha256:{HEX}"),
        ("localhost:5000/x:1", "localhost-5000/x:1"),
        ("[fd00::1]:5000/a:1", "fd00-1-5000/a:1"),
        ("Registry.Example/a:1", "registry.example/a:1"),
    ],
)
def test_a_rewritten_image_keeps_its_host_as_a_path_and_is_rewritten_once(text: str, new: str) -> None:
    assert images.rewritten(text, SITE) == f"{SITE}/{new}"
    assert images.rewritten(f"{SITE}/{new}", SITE) == f"{SITE}/{new}"
    images.parse_image(f"{SITE}/{new}")


def test_what_an_injector_replaces_is_left() -> None:
    assert images.rewritten("auto", SITE) == "auto"


@pytest.mark.parametrize("text", [SITE, SITE + "/", " localhost ", "10.0.0.1:5000/a/b", "r.example"])
def test_a_registry_is_taken(text: str) -> None:
    assert images.checked_registry(text) == text.strip().rstrip("/")


@pytest.mark.parametrize(
    "text", ["https://r.example", "mirror", "mirror/path", "r.example/UP", "r.example//x", "r.example/x:1", "a b.c"]
)
def test_what_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="use a registry's host"):
        images.checked_registry(text)


MANIFEST = f"""# é comment of ünïcode
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {{name: deep, annotations: {{image: keep.me/x:1}}}}
spec:
  leaderWorkerTemplate:
    workerTemplate:
      spec:
        volumes: [{{name: m, image: {{reference: quay.io/m/n:1}}}}]
        initContainers:
        - name: block
          image: >-
            quay.io/a/b@sha256:{HEX}
          time: 12:30:45
        containers:
        - name: plain   # ünïcode
          image: ghcr.io/llm-d/x:v1   # a comment
          args: ["--sidecar-image=ghcr.io/in/args:v1"]
          env:
          - {{name: SIDE_IMAGE, value: "ghcr.io/in/env:v1"}}
          - {{name: IMAGE, value: "not an image"}}
        - name: anchored
          image: &same 'busybox'
        - {{name: alias, image: *same}}
        - {{name: empty, image: ""}}
---
kind: GatewayParameters
metadata: {{name: proxy}}
spec: {{kube: {{envoyContainer: {{image: {{registry: cr.example/solo, repository: envoy, tag: "1"}}}}}}}}
---
---
kind: ConfigMap
metadata: {{name: text}}
data: {{image: ghcr.io/not/rewritten:v1, file: "image: ghcr.io/x/y:1"}}
---
kind: List
items:
- kind: Pod
  metadata: {{name: listed}}
  spec: {{containers: [{{name: c, image: 'a:1'}}, {{name: d, image: auto}}]}}
"""


def test_a_manifest_is_rewritten_everywhere_and_nowhere_else() -> None:
    after = images.rewrite_manifest(MANIFEST, SITE)
    expected = MANIFEST
    for old, new in (
        ("reference: quay.io/m/n:1", f'reference: "{SITE}/quay.io/m/n:1"'),
        (f">-\n            quay.io/a/b@sha256:{HEX}", f'"{SITE}/quay.io/a/b@sha256:{HEX}"'),
        ("image: ghcr.io/llm-d/x:v1 ", f'image: "{SITE}/ghcr.io/llm-d/x:v1" '),
        ('value: "ghcr.io/in/env:v1"', f'value: "{SITE}/ghcr.io/in/env:v1"'),
        ("&same 'busybox'", f'&same "{SITE}/docker.io/library/busybox"'),
        ("registry: cr.example/solo", f'registry: "{SITE}/cr.example/solo"'),
        ("image: 'a:1'", f'image: "{SITE}/docker.io/library/a:1"'),
    ):
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert after == expected
    assert images.rewrite_manifest(after, SITE) == after


def test_objects_are_rewritten_as_manifests_are() -> None:
    items = [item for item in yaml.safe_load_all(MANIFEST) if item and item["kind"] != "List"]
    wanted = [item for item in yaml.safe_load_all(images.rewrite_manifest(MANIFEST, SITE)) if item]
    assert [images.rewrite_object(item, SITE) for item in items] == [item for item in wanted if item["kind"] != "List"]


def test_images_are_found_with_their_places() -> None:
    item = next(yaml.safe_load_all(MANIFEST))
    found = {(entry.text, entry.owner) for entry in images.find_images(item)}
    assert ("ghcr.io/llm-d/x:v1", "LeaderWorkerSet deep plain") in found
    assert ("quay.io/m/n:1", "LeaderWorkerSet deep m") in found
    assert len(found) == 6


def test_what_looks_like_an_image_elsewhere_is_named() -> None:
    item = next(yaml.safe_load_all(images.rewrite_manifest(MANIFEST, SITE)))
    (line,) = images.elsewhere(item, SITE)
    assert line.startswith("LeaderWorkerSet deep spec.")
    assert line.endswith(".args.0: ghcr.io/in/args:v1")


def test_an_image_without_a_known_registry_in_a_map_is_left() -> None:
    item = {"kind": "P", "metadata": {"name": "x"}, "spec": {"image": {"repository": "solo/envoy", "tag": "1"}}}
    (entry,) = images.find_images(item, SITE)
    assert (entry.text, entry.new) == ("solo/envoy:1", "solo/envoy")


def test_definitions_of_kinds_hold_no_images() -> None:
    item = {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {"image": "a/b:1"}}
    assert images.find_images(item, SITE) == []


def test_a_copy_runs_alone_as_helms_post_renderer(tmp_path):
    copied = tmp_path / "images.py"
    copied.write_text(inspect.getsource(images))
    command = [sys.executable, "-I", copied, SITE]
    done = subprocess.run(command, input=MANIFEST, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == images.rewrite_manifest(MANIFEST, SITE)
