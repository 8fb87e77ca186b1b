# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Chart references, the cache, and archives that must be refused."""

from __future__ import annotations

import concurrent.futures
import functools
import hashlib
import http.server
import json
import pathlib
import shutil
import subprocess
import threading

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts import fetch as charts_fetch
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts import files

from charts.factory import archive, chart_files, model_chart, write_chart

HELM = shutil.which("helm")
needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not on PATH")


@pytest.fixture
def repository(tmp_path):
    """A chart repository on loopback with demo 1.2.3 and v2.0.0; yields (URL, function that stops it)."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for version in ("1.2.3", "v2.0.0"):
        source = write_chart(tmp_path / version / "demo", chart_files("demo", version))
        subprocess.run([HELM, "package", source, "-d", str(folder)], check=True, capture_output=True)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_args: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    url = f"http://127.0.0.1:{server.server_port}"
    subprocess.run([HELM, "repo", "index", str(folder), "--url", url], check=True, capture_output=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield url, server.shutdown
    server.shutdown()
    server.server_close()


@needs_helm
def test_repository_chart_is_fetched_once_and_then_needs_no_network(repository, tmp_path):
    url, stop = repository
    cache = str(tmp_path / "cache")
    first = charts_fetch.fetch_chart(f"{url}#demo", "1.2.3", helm=HELM, cache_dir=cache)
    stop()
    second = charts_fetch.fetch_chart(f"{url}#demo", "1.2.3", helm="/no/helm", cache_dir=cache)
    assert first == second
    assert (first.name, first.version) == ("demo", "1.2.3")
    assert first.path.startswith(cache) and first.path.endswith("demo-1.2.3.tgz")


@needs_helm
def test_parallel_fetches_agree_and_leave_one_copy(repository, tmp_path):
    url, _stop = repository
    fetch = functools.partial(charts_fetch.fetch_chart, helm=HELM, cache_dir=str(tmp_path / "cache"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        charts = set(pool.map(lambda _number: fetch(f"{url}#demo", "v2.0.0"), range(4)))
    assert len(charts) == 1
    assert len(list((tmp_path / "cache" / "charts").iterdir())) == 1


class Registry(http.server.BaseHTTPRequestHandler):
    """The reading half of the OCI distribution protocol, for one chart."""

    blobs: dict[str, tuple[str, bytes]] = {}  # {path: (media type, content)}
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind, content = self.blobs.get(self.path, ("application/json", b"{}"))
        self.send_response(200 if self.path in self.blobs or self.path == "/v2/" else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", digest(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, *_args):
        """Say nothing."""


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def oci_blobs(name, tag, chart):
    """Return what a registry serves for a chart's .tgz."""
    config = json.dumps({"name": name, "version": tag, "apiVersion": "v2"}).encode()
    parts = [
        {"mediaType": f"application/vnd.cncf.helm.{kind}", "digest": digest(content), "size": len(content)}
        for kind, content in (("config.v1+json", config), ("chart.content.v1.tar+gzip", chart))
    ]
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": parts[0], "layers": parts[1:]}).encode()
    blobs = {f"/v2/charts/{name}/manifests/{key}": (kind, manifest) for key in (tag, digest(manifest))}
    for content in (config, chart):
        blobs[f"/v2/charts/{name}/blobs/{digest(content)}"] = ("application/octet-stream", content)
    return blobs


@needs_helm
@pytest.mark.parametrize("plain_http", [True, False], ids=["asked", "loopback"])
def test_registry_chart_is_fetched_by_plain_http(tmp_path, plain_http):
    chart = archive(chart_files("demo", "v1.2.3"), prefix="demo/")
    handler = type("Serving", (Registry,), {"blobs": oci_blobs("demo", "v1.2.3", chart)})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ref = f"oci://127.0.0.1:{server.server_port}/charts/demo"
        options = {"helm": HELM, "cache_dir": str(tmp_path), "plain_http": plain_http}
        fetch = functools.partial(charts_fetch.fetch_chart, ref, **options)
        fetched = fetch("v1.2.3")
        with pytest.raises(OrchestratorError, match="cannot be fetched.*not found"):
            fetch("v1.2.4")
        server.shutdown()
    assert (fetched.name, fetched.version, "sha256:" + fetched.digest) == ("demo", "v1.2.3", digest(chart))
    assert fetch("v1.2.3") == fetched


@needs_helm
@pytest.mark.parametrize(("chart", "version"), [("demo", "9.9.9"), ("nothing", "1.2.3")])
def test_what_a_repository_lacks_is_named(repository, tmp_path, chart, version):
    url, _stop = repository
    with pytest.raises(OrchestratorError, match=f"{url}#{chart} cannot be fetched.*not found"):
        charts_fetch.fetch_chart(f"{url}#{chart}", version, helm=HELM, cache_dir=str(tmp_path / "cache"))
    assert list((tmp_path / "cache" / "charts").iterdir()) == []


@needs_helm
def test_unreachable_registry_is_named(tmp_path):
    with pytest.raises(OrchestratorError, match="oci://127.0.0.1:1/demo cannot be fetched"):
        charts_fetch.fetch_chart("oci://127.0.0.1:1/demo", "1.0.0", helm=HELM, cache_dir=str(tmp_path), plain_http=True)


@pytest.mark.parametrize(
    ("ref", "version", "message"),
    [
        ("", None, "is empty"),
        ("/no/such/chart", None, "chart not found"),
        ("demo/chart", "1.0.0", "chart not found"),
        ("oci://registry.example/demo", None, "needs a version"),
        ("https://charts.example#demo", "", "needs a version"),
        ("https://charts.example", "1.0.0", "does not name a chart"),
        ("ftp://charts.example#demo", "1.0.0", "unknown scheme"),
        ("oci://registry.example/demo", "latest", "not an exact version"),
        ("oci://registry.example/demo", "^1.0", "not an exact version"),
        ("https://user:pass@charts.example#demo", "1.0.0", "user name or password"),
        ("oci://registry.example/demo", "1.0.0", "Helm not found"),
    ],
)
def test_bad_references(ref, version, message, tmp_path):
    with pytest.raises(OrchestratorError, match=message) as caught:
        charts_fetch.fetch_chart(ref, version, helm="/no/helm", cache_dir=str(tmp_path))
    assert "pass" not in str(caught.value).replace("password", "")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("found", "wanted", "taken"),
    [
        ("v1.2.3", None, "v1.2.3"),
        ("v1.2.3", "v1.2.3", "v1.2.3"),
        ("v1.2.3", "1.2.3", "v1.2.3"),
        ("1.2.3", "1.2.4", None),
        ("0.0.0", "v1.3.0", "v1.3.0"),
        ("0.0.0", None, "0.0.0"),
    ],
)
def test_version_of_a_local_chart(tmp_path, found, wanted, taken):
    folder = write_chart(tmp_path / "demo", chart_files("demo", found))
    if taken:
        assert charts_fetch.fetch_chart(folder, wanted).version == taken
    else:
        with pytest.raises(OrchestratorError, match=f"version {found} of demo, not {wanted}"):
            charts_fetch.fetch_chart(folder, wanted)


def test_a_placeholder_is_no_other_version():
    assert not charts_fetch.differs_from("0.0.0", "v1.3.0")
    assert charts_fetch.differs_from("v1.3.0", "v1.4.0") and not charts_fetch.differs_from("v1.3.0", "v1.3.0")


def test_digest_follows_the_contents(tmp_path):
    first = charts_fetch.fetch_chart(write_chart(tmp_path / "a", model_chart()), None)
    same = charts_fetch.fetch_chart(write_chart(tmp_path / "b", model_chart()), None)
    (tmp_path / "b" / "values.yaml").write_text("decode: {}\n")
    other = charts_fetch.fetch_chart(str(tmp_path / "b"), None)
    assert first.digest == same.digest != other.digest
    assert len(first.digest) == 64


@pytest.mark.parametrize("packed", [False, True])
def test_subcharts_are_read_from_folders_and_archives(tmp_path, packed):
    sub = chart_files("sub", schema={"type": "object"})
    path = write_chart(tmp_path / "top", chart_files("top"))
    if packed:
        (tmp_path / "top" / "charts").mkdir()
        (tmp_path / "top" / "charts" / "sub-1.0.0.tgz").write_bytes(archive(sub, prefix="sub/"))
    else:
        write_chart(tmp_path / "top" / "charts" / "sub", sub)
    chart = files.read_chart(path)
    assert [(inner.name, inner.schema) for inner in chart.subcharts] == [("sub", '{"type": "object"}')]


def test_cache_folder_follows_xdg():
    assert charts_fetch.default_cache_dir({"XDG_CACHE_HOME": "/c"}) == "/c/llm-d-orchestrator"
    assert charts_fetch.default_cache_dir({}).endswith("/.cache/llm-d-orchestrator")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not an archive", "not a valid .tgz"),
        (archive({"Chart.yaml": "name: x"}), "no name and version"),
        (archive({"Chart.yaml": "- x"}), "cannot be read"),
        (archive({"values.yaml": ""}), "no Chart.yaml"),
        (archive({"../../evil": "x"}), "outside the chart"),
        (archive({"/etc/evil": "x"}, prefix=""), "outside the chart"),
        (archive(model_chart(), link="/etc/passwd"), "not a regular file or folder"),
        (archive(model_chart())[:-200], "not a valid .tgz"),
        (archive({"values.yaml": "x" * (files.MAX_FILE_BYTES + 1)}), "too large"),
    ],
)
def test_unsound_archives_are_refused(tmp_path, content, message):
    path = pathlib.Path(tmp_path, "demo.tgz")
    path.write_bytes(content)
    with pytest.raises(OrchestratorError, match=message):
        charts_fetch.fetch_chart(str(path), None)
