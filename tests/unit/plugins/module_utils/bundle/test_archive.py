# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Bundles: written the same each time, read back whole, refused when damaged, and used by a site."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle import archive as bundle
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle import pack as packing
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle import use as using
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import read_chart
from charts.factory import archive, chart_files

REF = "oci://registry.example/charts/demo"


@pytest.fixture
def part(tmp_path):
    """A cluster's part with one release of a small chart."""
    data = archive(chart_files("demo", "v1.2.3"), prefix="demo/")
    (tmp_path / "demo.tgz").write_bytes(data)
    chart = {"name": "demo", "version": "v1.2.3", "digest": hashlib.sha256(data).hexdigest(), "ref": REF}
    chart.update(path=str(tmp_path / "demo.tgz"), ref_version="v1.2.3")
    release = {"component": "gaie", "name": "gaie-a", "namespace": "ns", "chart": chart, "manifest": "kind: A\n"}
    release.update(values="a: 1\n", images={"busybox:1": ["Pod p c"], f"quay.io/x/y:2@sha256:{'b' * 64}": ["Pod p d"]})
    pulls = {"component": "prepare", "name": "prepare", "namespace": "ns", "manifest": ""}
    pulls["images"] = {"busybox:1": ["DaemonSet pull pull-0"]}
    routes = {"component": "httproute", "name": "httproute", "namespace": "ns", "manifest": "kind: HTTPRoute\n"}
    routes["images"] = {}
    part = {"host": "east/1", "namespace": "ns", "kubernetes": "v1.34.0", "cluster": False, "notes": []}
    return {**part, "releases": [release], "objects": [pulls, routes]}


@pytest.fixture
def written(tmp_path, part):
    """The path of a bundle of that part, and its files."""
    path = tmp_path / "b.tgz"
    path.write_bytes(packing.pack([part], compress=True).data)
    with tarfile.open(path) as tar:
        return path, {member.name: tar.extractfile(member).read() for member in tar}


def test_a_bundle_is_read_back(written):
    path, files = written
    read = bundle.read_bundle(str(path))
    assert [(chart["name"], chart["refs"]) for chart in read.charts] == [("demo", [{"ref": REF, "version": "v1.2.3"}])]
    assert set(read.files) == set(files) - {"manifest.json", "SHA256SUMS"}
    assert {"manifests/east_1/gaie/gaie-a.yaml", "values/east_1/gaie/gaie-a.yaml", "images.txt"} <= set(files)


def test_images_are_listed_once_with_all_places(written):
    _path, files = written
    digest = "sha256:" + "b" * 64
    assert files["images.txt"].decode().splitlines() == ["docker.io/library/busybox:1", f"quay.io/x/y:2@{digest}"]
    assert files["copies.txt"].decode().splitlines() == [
        "docker.io/library/busybox:1 docker.io/library/busybox:1",
        f"quay.io/x/y@{digest} quay.io/x/y:2",
    ]
    places = json.loads(files["manifest.json"])["images"][0]["places"]
    assert places == ["east/1 gaie/gaie-a: Pod p c", "east/1 prepare: DaemonSet pull pull-0"]


@pytest.mark.parametrize("compress", [True, False])
def test_the_order_of_clusters_changes_no_byte(part, compress):
    other = {**part, "host": "west"}
    one, two = (packing.pack(parts, compress=compress).data for parts in ([part, other], [other, part]))
    assert one == two
    assert one[:2] == (b"\x1f\x8b" if compress else b"SH")


def test_an_image_that_is_none_is_named(part):
    part["releases"][0]["images"] = {"Not/An Image": ["Pod p c"]}
    with pytest.raises(
        OrchestratorError, match="east/1 gaie/gaie-a: Pod p c: 'Not/An Image' is not a valid image reference"
    ):
        packing.pack([part], compress=True)


def tar(files, kind=tarfile.REGTYPE):
    """Return a tar archive of (name, content) pairs."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), "/etc/passwd"
            made.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def summed(files):
    """Return files with checksums that fit them."""
    files = {name: content for name, content in files.items() if name != "SHA256SUMS"}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    return {**files, "SHA256SUMS": sums.encode()}


def changed(files, **fields):
    """Return files whose manifest says something else, with checksums that fit."""
    manifest = {**json.loads(files["manifest.json"]), **fields}
    return tar(summed({**files, "manifest.json": json.dumps(manifest).encode()}).items())


def without(files, name):
    return tar((key, content) for key, content in files.items() if not key.startswith(name))


def flip(files):
    name = next(key for key in files if key.startswith("charts/"))
    return tar((key, content[:-1] + b"?" if key == name else content) for key, content in files.items())


DAMAGES = [
    ("flipped", flip, "SHA-256 differs"),
    ("no chart", lambda files: without(files, "charts/"), "is missing"),
    ("no sums", lambda files: without(files, "SHA256SUMS"), "contains no SHA256SUMS"),
    ("no manifest", lambda files: tar(summed({"a": b""}).items()), "not of a bundle"),
    ("more", lambda files: tar([*files.items(), ("more.txt", b"")]), "not in SHA256SUMS"),
    ("twice", lambda files: tar([*files.items(), ("images.txt", b"")]), "twice"),
    ("upwards", lambda files: tar([*files.items(), ("../evil", b"")]), "not a valid path"),
    ("absolute", lambda files: tar([*files.items(), ("/evil", b"")]), "not a valid path"),
    ("hidden upwards", lambda files: tar([*files.items(), ("charts/../../evil", b"")]), "not a valid path"),
    ("backslash", lambda files: tar([*files.items(), ("..\\evil", b"")]), "not a valid path"),
    ("link", lambda files: tar([("images.txt", b"")], tarfile.SYMTYPE), "not a regular file"),
    ("device", lambda files: tar([("images.txt", b"")], tarfile.CHRTYPE), "not a regular file"),
    ("format", lambda files: changed(files, format=2), "its format is 2"),
    ("kind", lambda files: changed(files, kind="other"), "not of a bundle"),
    ("charts", lambda files: changed(files, charts="x"), "lists no charts"),
    (
        "outside",
        lambda files: changed(files, charts=[{"file": "../x.tgz", "digest": "0", "refs": []}]),
        "lists a chart",
    ),
    ("refs", lambda files: changed(files, charts=[{"file": "images.txt", "refs": [1]}]), "lists a chart"),
    ("empty", lambda files: b"", "not a valid .tar"),
    ("text", lambda files: b"hello" * 500, "not a valid .tar"),
    ("half", lambda files: gzip.compress(tar(files.items()))[:300], "not a valid .tar"),
]


@pytest.mark.parametrize(("damage", "text"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
def test_a_damaged_bundle_is_refused(tmp_path, written, damage, text):
    path = tmp_path / "bad.tgz"
    path.write_bytes(damage(written[1]))
    with pytest.raises(OrchestratorError, match=text) as caught:
        bundle.read_bundle(str(path))
    assert str(path) in caught.value.message


def test_a_bundle_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_BYTES", 100_000)
    (tmp_path / "bomb.tgz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(OrchestratorError, match="larger than"):
        bundle.read_bundle(str(tmp_path / "bomb.tgz"))


def site(tmp_path, path, **more):
    """Return a site's settings as stack_info has them."""
    section = {"chart_ref": REF, "chart_version": "v1.2.3"}
    components = {"gaie": section, "gateway": {}, "modelservice": {}, **more.pop("components", {})}
    params = {"components": components, "only": ["gaie"], "image_registry": ""}
    return {**params, "bundle": str(path), "search_paths": [], "chart_cache": str(tmp_path / "cache"), **more}


@pytest.mark.parametrize(
    ("ref", "version"),
    [
        (REF, "v1.2.3"),
        (REF, "1.2.3"),
        (REF, ""),
        ("oci://gone.invalid/x/demo", "v1.2.3"),
        (f"oci://gone.invalid/x/demo@sha256:{'0' * 64}", ""),
        ("https://gone.invalid/#demo", "v1.2.3"),
        ("/no/such/folder/demo", ""),
        ("/no/such/demo-v1.2.3.tgz", ""),
    ],
)
def test_a_chart_comes_from_the_bundle(tmp_path, written, ref, version):
    params = site(tmp_path, written[0], components={"gaie": {"chart_ref": ref, "chart_version": version}})
    path = using.with_site(params)["components"]["gaie"]["chart_ref"]
    assert path.startswith(str(tmp_path / "cache"))
    assert read_chart(path).version == "v1.2.3"


def test_a_chart_is_known_by_the_version_that_it_was_bundled_for():
    charts = [{"name": "demo", "version": "0.0.0", "refs": [{"ref": "./demo", "version": "v1.2.3"}]}]
    assert using.find_chart(charts, "oci://gone.invalid/demo", "1.2.3") is charts[0]
    assert using.find_chart(charts, "oci://gone.invalid/demo", "v1.2.4") is None
    assert using.find_chart([*charts, *charts], "oci://gone.invalid/demo", "1.2.3") is None


def test_a_chart_that_was_changed_in_the_cache_is_put_right(tmp_path, written):
    params = site(tmp_path, written[0])
    path = using.with_site(params)["components"]["gaie"]["chart_ref"]
    with open(path, "ab") as stream:
        stream.write(b"?")
    assert using.with_site(params)["components"]["gaie"]["chart_ref"] == path
    assert read_chart(path).name == "demo"


@pytest.mark.parametrize(("ref", "version"), [(REF, "v9.9.9"), ("oci://registry.example/charts/other", "v1.2.3")])
def test_a_chart_that_the_bundle_lacks_is_named(tmp_path, written, ref, version):
    params = site(tmp_path, written[0], components={"gaie": {"chart_ref": ref, "chart_version": version}})
    with pytest.raises(OrchestratorError, match=f"it contains demo v1.2.3.*\n.*gaie_chart_ref {ref} {version}"):
        using.with_site(params)


def test_a_bundle_is_looked_up_in_the_folders(tmp_path, written):
    params = site(tmp_path, "b.tgz", search_paths=["", "/none", str(tmp_path)])
    assert using.with_site(params)["components"]["gaie"]["chart_ref"].endswith("demo-v1.2.3.tgz")
    with pytest.raises(OrchestratorError, match="file not found: c.tgz"):
        using.with_site({**params, "bundle": "c.tgz"})


def test_a_site_without_a_bundle_keeps_its_references(tmp_path):
    params = using.with_site(site(tmp_path, "", image_registry="r.example/m/"))
    assert (params["components"]["gaie"]["chart_ref"], params["image_registry"]) == (REF, "r.example/m")
    with pytest.raises(OrchestratorError, match="llm_d_image_registry: .* is a URL"):
        using.with_site(site(tmp_path, "", image_registry="https://r.example"))


@pytest.mark.parametrize(("name", "packed"), [("a.tgz", True), ("a.tar.gz", True), ("a.tar", False), ("a.zip", None)])
def test_the_name_says_whether_it_is_compressed(name, packed):
    if packed is None:
        with pytest.raises(OrchestratorError, match="must end in"):
            packing.default_compression(name)
    else:
        assert packing.default_compression(name) is packed
