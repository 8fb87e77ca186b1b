# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands by which people ask what was verified."""

from __future__ import annotations

import json
import pathlib
import shlex

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.commands import (
    SHOWN,
    Ask,
    WayIn,
    commands,
    completion,
    kubectl,
)

GATEWAY = WayIn("llm-d", "infra-istio", 80)


def asked(lines: list[str]) -> list[list[str]]:
    """Return the words of each command, as a shell takes them."""
    return [shlex.split(line) for line in "\n".join(lines).replace("\\\n", "").splitlines()]


def test_a_forward_for_each_service_and_a_request_for_each_model() -> None:
    asks = [
        Ask(GATEWAY, "/a/v1/completions", completion("It's/A"), {"Host": "a.example"}),
        Ask(GATEWAY, "/b/v1/completions", completion("B")),
        Ask(WayIn("dynamo", "frontend", 8000), "/v1/chat/completions", completion("C", chat=True)),
        Ask(WayIn(address="https://10.0.0.1:443", scheme="https"), "/v1/completions", completion("D")),
    ]
    found = asked(commands(asks, ["kubectl", "--context", "lab"]))
    assert found[0] == shlex.split("kubectl --context lab -n llm-d port-forward service/infra-istio 8080:80 &")
    assert found[3] == shlex.split("kubectl --context lab -n dynamo port-forward service/frontend 8081:8000 &")
    addresses = [next(word for word in words if "://" in word) for words in found if words[0] == "curl"]
    assert addresses == [
        "http://localhost:8080/a/v1/completions",
        "http://localhost:8080/b/v1/completions",
        "http://localhost:8081/v1/chat/completions",
        "https://10.0.0.1:443/v1/completions",
    ]
    assert json.loads(found[1][-1])["model"] == "It's/A" and "Host: a.example" in found[1]
    assert "messages" in json.loads(found[4][-1]) and "-k" in found[5] and "-k" not in found[4]


def test_many_models_are_counted() -> None:
    lines = commands([Ask(GATEWAY, f"/{n}", completion(str(n))) for n in range(SHOWN + 2)], ["kubectl"])
    assert "\n".join(lines).count("curl") == SHOWN and lines[-1] == "# and 2 more models in the same way"


def test_kubectl_gets_the_kubeconfig_that_is_a_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("")
    monkeypatch.setenv("PATH", "")
    assert kubectl(str(path), "east") == ["kubectl", "--kubeconfig", str(path), "--context", "east"]
    assert kubectl('{"clusters": []}', None) == ["kubectl"]
    (tmp_path / "lab.json").write_text('{"kubectl": "/opt/kubectl"}')
    assert kubectl(str(path), None)[0] == "/opt/kubectl"
