# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Compose project, against the specification's own schema, which comes from the module compose-go."""

from __future__ import annotations

import copy
import functools
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import typing as t

import jsonschema
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import plain_yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.compose import (
    compose_environment,
    compose_secrets,
    compose_text,
)

SPECIFICATION = "github.com/compose-spec/compose-go/v2@v2.9.1"
SUM = "h1:8UwI+ujNU+9Ffkf/YgAm/qM9/eU7Jn8nHzWG721W4rs="
SETTINGS: dict[str, t.Any] = {
    "project": "own",
    "images": {
        "server": "registry.example/own/llm-orchestrator:1.2.3",
        "postgres": "docker.io/library/postgres:16.10",
        "redis": "docker.io/library/redis:7.4.5",
        "nats": f"docker.io/library/nats@sha256:{'0' * 64}",
    },
    "program": "/usr/local/bin/llm-orchestrator",
    "user": "10001",
    "workers": 5,
    "address": "127.0.0.1",
    "ports": {"http": 18080, "grpc": 0, "metrics": 19090},
    "inside": {"http": 8181},
    "healthcheck": [],
    "stop_grace_period": "60s",
}
PASSWORDS = {"postgres": "p/w:1@", "redis": "r w", "nats": "n"}


@functools.cache
def specification() -> dict[str, t.Any]:
    """Return the schema of the specification; the go program checks the module against its sum."""
    go = shutil.which("go")
    if go is None:
        assert not os.environ.get("CI"), "go is missing"
        pytest.skip("the schema comes by the go program, which is not here")
    command = [go, "mod", "download", "-json", SPECIFICATION]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if told.returncode and not os.environ.get("CI"):
        pytest.skip(f"the schema cannot be downloaded: {told.stderr or told.stdout}")
    found = json.loads(told.stdout)
    assert found["Sum"] == SUM
    schema: dict[str, t.Any] = json.loads((pathlib.Path(found["Dir"]) / "schema" / "compose-spec.json").read_text())
    return schema


def project(**settings: t.Any) -> dict[str, t.Any]:
    made: dict[str, t.Any] = plain_yaml.load(compose_text({**SETTINGS, **settings}))
    return made


def test_the_file_is_of_the_specification() -> None:
    validator = jsonschema.Draft202012Validator(specification())
    validator.validate(project())
    broken = copy.deepcopy(project())
    broken["services"]["api"]["port"] = ["8080:8080"]
    assert [error.validator for error in validator.iter_errors(broken)] == ["additionalProperties"]


def test_the_same_settings_are_the_same_text() -> None:
    assert compose_text(SETTINGS) == compose_text(json.loads(json.dumps(SETTINGS, sort_keys=True)))
    assert "&id" not in compose_text(SETTINGS)


def test_servers_start_once_what_they_need_is_healthy() -> None:
    services = project()["services"]
    for name in ("migrate", "api", "worker"):
        needs = services[name]["depends_on"]
        for store in ("postgres", "redis", "nats"):
            assert needs[store] == {"condition": "service_healthy"}
            assert services[store]["healthcheck"]["test"]
    for name in ("api", "worker"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["worker"]["scale"] == 5 and "ports" not in services["worker"]


def test_ports_are_those_of_the_configuration_and_of_one_address() -> None:
    api = project()["services"]["api"]
    assert api["ports"] == ["127.0.0.1:18080:8181", "127.0.0.1:19090:9090"]
    assert "/dev/tcp/127.0.0.1/8181" in api["healthcheck"]["test"][-1]
    assert not any("ports" in project()["services"][store] for store in ("postgres", "redis", "nats"))


def test_data_is_in_volumes_and_secrets_are_files() -> None:
    made = project()
    environment = compose_environment(PASSWORDS) | {"JWT_SECRET": "it's $HOME"}
    assert set(made["volumes"]) == {"postgres_data", "redis_data", "nats_data"}
    assert all(value == {"file": f"./secrets/{name}"} for name, value in made["secrets"].items())
    files = {one["name"]: one for one in compose_secrets(environment, PASSWORDS, "10001")}
    assert set(files) == set(made["secrets"])
    assert (files["server_environment"]["owner"], files["redis_conf"]["owner"]) == ("10001", "999")
    text = compose_text(SETTINGS)
    assert not any(secret in text for secret in (*PASSWORDS.values(), "JWT") if len(secret) > 1)


def test_the_shell_that_starts_a_server_reads_the_secrets_as_they_are(tmp_path: pathlib.Path) -> None:
    environment = compose_environment(PASSWORDS) | {"JWT_SECRET": 'it\'s $HOME `id` "x"'}
    (tmp_path / "server_environment").write_text(compose_secrets(environment, PASSWORDS, "0")[0]["content"])
    entrypoint = project()["services"]["api"]["entrypoint"]
    # What Compose makes of two dollars, and another folder of secrets.
    start = entrypoint[2].replace("$$", "$").replace("/run/secrets", str(tmp_path))
    command = [*entrypoint[:2], start, shutil.which("printenv") or "", *sorted(environment)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert told.stdout.splitlines() == [environment[name] for name in sorted(environment)]
    assert shlex.split(start)


@pytest.mark.parametrize("image", ["", "postgres", "postgres:latest", "registry.example:5000/postgres"])
def test_an_image_that_may_change_is_refused(image: str) -> None:
    with pytest.raises(OrchestratorError, match=r"orchestrator_compose_images\.postgres"):
        project(images={**SETTINGS["images"], "postgres": image})
