# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The clusters' parts put together into one bundle: its files, its manifest and its list of images."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.images import Image, parse_image, place_in
from .archive import archive_bytes


class Packed(t.NamedTuple):
    """A bundle's bytes, and what is in it: charts and images as in its manifest."""

    data: bytes
    charts: list[Object]
    images: list[Object]


def pack(parts: list[Object], *, compress: bool) -> Packed:
    """Return the bundle of parts as _bundle_make.make_part returns them; raise OrchestratorError."""
    files, charts = _charts(parts)
    images = _images(parts)
    manifest: Object = {"charts": charts, "images": images, "clusters": []}
    for part in sorted(parts, key=lambda part: part["host"]):
        manifest["clusters"].append(_cluster(part, files))
    lines = [f"{image['image']}\n" for image in images]
    files["images.txt"] = "".join(lines).encode()
    files["copies.txt"] = "".join(f"{image['from']} {image['to']}\n" for image in images).encode()
    return Packed(archive_bytes(manifest, files, packed=compress), charts, images)


def _cluster(part: Object, files: dict[str, bytes]) -> Object:
    """Put a cluster's manifests and values into the files; return its entry of the manifest."""
    folder = safe_name(part["host"])
    rows = []
    for release in part["releases"]:
        place = f"{folder}/{safe_name(release['component'])}/{safe_name(release['name'])}.yaml"
        files[f"manifests/{place}"] = release["manifest"].encode()
        files[f"values/{place}"] = release["values"].encode()
        chart = {key: release["chart"][key] for key in ("name", "version", "digest")}
        rows.append({**{key: release[key] for key in ("component", "name", "namespace")}, "chart": chart})
    for row in part["objects"]:
        if row["manifest"]:
            files[f"manifests/{folder}/{safe_name(row['name'])}.yaml"] = row["manifest"].encode()
    return {**{key: part[key] for key in ("host", "namespace", "kubernetes", "cluster")}, "releases": rows}


def safe_name(text: str) -> str:
    """Return a text as one part of a path."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".") or "_"


def _charts(parts: list[Object]) -> tuple[dict[str, bytes], list[Object]]:
    files: dict[str, bytes] = {}
    found: dict[str, Object] = {}
    refs: dict[str, set[tuple[str, str]]] = {}
    for chart in (release["chart"] for part in parts for release in part["releases"]):
        digest = chart["digest"]
        file = f"charts/sha256/{digest}/{safe_name(chart['name'])}-{safe_name(chart['version'])}.tgz"
        if file not in files:
            files[file] = _read(chart["path"])
        found[digest] = {"name": chart["name"], "version": chart["version"], "digest": digest, "file": file}
        refs.setdefault(digest, set()).add((chart["ref"], chart["ref_version"]))
    charts = [
        {**chart, "refs": [{"ref": ref, "version": version} for ref, version in sorted(refs[digest])]}
        for digest, chart in found.items()
    ]
    return files, sorted(charts, key=lambda chart: (chart["name"], chart["version"], chart["digest"]))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as exc:
        raise OrchestratorError(f"The chart {path} cannot be read: {exc.strerror or exc}") from exc


def _images(parts: list[Object]) -> list[Object]:
    """Return [{image, from, to, places}] of all parts; places name the cluster, the release and the object."""
    places: dict[Image, set[str]] = {}
    wrong = []
    for part in parts:
        for origin, images in _by_origin(part):
            for text, owners in images.items():
                try:
                    places.setdefault(parse_image(text), set()).update(f"{origin}: {owner}" for owner in owners)
                except ValueError as exc:
                    wrong.append(f"{origin}: {', '.join(owners)}: {exc}")
    if wrong:
        raise OrchestratorError("Invalid images:", details=sorted(wrong))
    return [
        {"image": str(image), "from": source(image), "to": place_in(target(image)), "places": sorted(places[image])}
        for image in sorted(places, key=str)
    ]


def _by_origin(part: Object) -> t.Iterator[tuple[str, dict[str, list[str]]]]:
    for release in part["releases"]:
        yield f"{part['host']} {release['component']}/{release['name']}", release["images"]
    for row in part["objects"]:
        yield f"{part['host']} {row['component']}", row["images"]


def source(image: Image) -> str:
    """Return what to copy from: copying tools take a tag or a digest, and the digest says more."""
    return str(dataclasses.replace(image, tag="") if image.digest else image)


def target(image: Image) -> Image:
    """Return what to copy to: the tag, by which people find it and its digest is found too."""
    return dataclasses.replace(image, digest="") if image.tag else image


def summary(result: Object) -> list[str]:
    """Return what to say of a bundle that the module stack_bundle wrote, as lines."""
    path, charts, images = result["path"], len(result["charts"]), len(result["images"])
    copy = 'docker://"$0" docker://REGISTRY/"$1"'
    return [
        f"{path} ({result['size']} bytes, SHA-256 {result['sha256']}) contains {charts} charts and no images.",
        f"Copy the {images} images that it lists to the site's REGISTRY, with skopeo:",
        f"  tar -xOf {path} copies.txt | xargs -L 1 sh -c 'skopeo copy --all --preserve-digests {copy}'",
        "or with oras:",
        f'  tar -xOf {path} copies.txt | xargs -L 1 sh -c \'oras cp "$0" REGISTRY/"$1"\'',
        "Deploy at the site, with the same inventory:",
    ]


def default_compression(path: str) -> bool:
    """Return whether a bundle is compressed, by its name; raise OrchestratorError for a name of another kind."""
    name = os.path.basename(path)
    if name.endswith((".tgz", ".tar.gz")):
        return True
    if name.endswith(".tar"):
        return False
    raise OrchestratorError(
        f"llm_d_bundle: the name of {path} must end in .tar or .tgz.", hint=("Use a name such as bundle.tgz.")
    )
