# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Charts from a real registry: by version, by digest, with a login, with TLS and without."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.fetch import Chart, fetch_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.registry import CONFIG_VARIABLE, registry_access
from registry_server import PASSWORD, USER, Registry, helm, package, push, serving

NAME, VERSION = "inferencepool", "v1.3.0"


class Servers(NamedTuple):
    """Three servers over the same data, which holds one chart. digest: of its manifest; archive: what was pushed."""

    plain: Registry
    login: Registry
    tls: Registry
    digest: str
    archive: pathlib.Path


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("registry")
    with (
        serving(folder, "plain") as plain,
        serving(folder, "login", login=True) as login,
        serving(folder, "tls", tls=True) as tls,
    ):
        archive = package(NAME, folder)
        yield Servers(plain, login, tls, push(archive, plain), archive)


@pytest.fixture
def own(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A user without logins and with an empty cache; returns the configuration's folder."""
    for variable in (CONFIG_VARIABLE, "HELM_CONFIG_HOME", "LLM_D_REGISTRY_CA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return tmp_path / "config"


def fetch(ref: str, version: str | None = VERSION, **options: Any) -> Chart:
    """Fetch with the lab's Helm."""
    return fetch_chart(ref, version, helm=helm(), **options)


def test_a_version_is_fetched_once(servers: Servers, own: pathlib.Path) -> None:
    first = fetch(servers.plain.ref(NAME))
    asked = servers.plain.requests()
    assert asked > 0
    assert fetch(servers.plain.ref(NAME)) == first
    assert servers.plain.requests() == asked
    assert pathlib.Path(first.path).read_bytes() == servers.archive.read_bytes()


@pytest.mark.parametrize("version", [None, VERSION, VERSION.lstrip("v")], ids=["alone", "with", "without-v"])
def test_a_digest_is_fetched_once(servers: Servers, own: pathlib.Path, version: str | None) -> None:
    ref = f"{servers.plain.ref(NAME)}@{servers.digest}"
    found = fetch(ref, version)
    asked = servers.plain.requests()
    assert (found.name, found.version) == (NAME, VERSION)
    assert found.path.endswith(f"/{NAME}-{VERSION}.tgz")
    assert fetch(ref, None) == found
    assert servers.plain.requests() == asked


@pytest.mark.parametrize(
    ("suffix", "version", "text"),
    [
        ("@sha256:" + "0" * 64, None, "this digest of the chart was not found"),
        ("@sha256:" + "0" * 63, None, "no valid digest"),
        ("@DIGEST", "v1.3.1", f"is version {VERSION}"),
        (":v1.3.0", VERSION, "contains a tag"),
        ("", "v9.9.9", "version v9.9.9 of the chart was not found"),
        ("-none", VERSION, "was not found in the registry"),
        ("", None, "needs a version"),
        ("", "latest", "not an exact version"),
    ],
    ids=["other-digest", "short-digest", "other-version", "tag", "no-version", "no-chart", "unsaid", "latest"],
)
def test_what_is_not_there_is_named(
    servers: Servers, own: pathlib.Path, suffix: str, version: str | None, text: str
) -> None:
    with pytest.raises(OrchestratorError, match=text):
        fetch(servers.plain.ref(NAME) + suffix.replace("DIGEST", servers.digest), version)


def test_a_login_that_is_missing_or_wrong_is_named(servers: Servers, own: pathlib.Path) -> None:
    wanted = f"helm registry login {servers.login.host}"
    with pytest.raises(OrchestratorError, match=wanted):
        fetch(servers.login.ref(NAME))
    wrong = {"host": servers.login.host, "username": USER, "password": "guess"}
    with registry_access({"registry_logins": [wrong]}), pytest.raises(OrchestratorError, match=wanted) as caught:
        fetch(servers.login.ref(NAME))
    assert "guess" not in str(caught.value)


def test_helms_own_login_is_used(servers: Servers, own: pathlib.Path) -> None:
    command = [helm(), "registry", "login", servers.login.host, "-u", USER, "--password-stdin", "--plain-http"]
    subprocess.run(command, input=PASSWORD, text=True, check=True, capture_output=True)
    assert fetch(servers.login.ref(NAME)).name == NAME


def test_logins_of_variables_are_private_and_go(servers: Servers, own: pathlib.Path) -> None:
    (own / "helm" / "registry").mkdir(parents=True)
    (own / "helm" / "registry" / "config.json").write_text('{"auths": {"other.example": {"auth": "b3RoZXI="}}}')
    login = {"host": servers.login.host, "username": USER, "password": PASSWORD}
    with registry_access({"registry_logins": [login]}):
        path = pathlib.Path(os.environ[CONFIG_VARIABLE])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert set(json.loads(path.read_text())["auths"]) == {"other.example", servers.login.host}
        assert fetch(servers.login.ref(NAME)).name == NAME
    assert not path.exists()
    assert CONFIG_VARIABLE not in os.environ


def test_tls_needs_the_authority(servers: Servers, own: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="llm_d_registry_ca"):
        fetch(servers.tls.ref(NAME))
    with registry_access({"registry_ca": str(servers.tls.ca)}):
        assert fetch(servers.tls.ref(NAME)).version == VERSION


def test_an_authority_that_is_no_file_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="file not found"), registry_access({"registry_ca": "/no/such.pem"}):
        pass
