# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an operator would check by hand after a deployment."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request

import pytest

OWNED = "orchestrator.llm-d.ai/managed=true"


def conditions(status: dict) -> dict[str, str]:
    """Return condition type -> status."""
    return {entry["type"]: entry["status"] for entry in status.get("conditions") or []}


@pytest.fixture(scope="module")
def gateway_url(lab: dict, kubectl, namespace: str):
    """Forward a local port to the gateway's Service with kubectl, and give its URL."""
    gateway = kubectl("get", "gateway")["items"][0]["metadata"]["name"]
    label = f"gateway.networking.k8s.io/gateway-name={gateway}"
    service = kubectl("get", "service", "-l", label)["items"][0]["metadata"]["name"]
    command = [lab["kubectl"], "--kubeconfig", lab["kubeconfig"], "-n", namespace]
    command += ["port-forward", f"service/{service}", ":80"]
    forward = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = forward.stdout.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port, line
        yield f"http://127.0.0.1:{port[1]}"
    finally:
        forward.terminate()
        forward.wait()


def post(url: str, body: dict) -> tuple[int, dict]:
    """Return the status and the JSON of a POST."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def test_every_release_is_deployed_and_marked_as_ours(helm, kubectl) -> None:
    releases = helm("list", "--all")
    assert releases
    assert {release["status"] for release in releases} == {"deployed"}
    secrets = kubectl("get", "secret", "-l", f"owner=helm,{OWNED}")["items"]
    assert {secret["metadata"]["labels"]["name"] for secret in secrets} == {release["name"] for release in releases}


def test_every_pod_is_ready(kubectl) -> None:
    pods = kubectl("get", "pods")["items"]
    assert pods
    assert [pod["metadata"]["name"] for pod in pods if conditions(pod["status"]).get("Ready") != "True"] == []


def test_gateway_is_programmed(kubectl) -> None:
    (gateway,) = kubectl("get", "gateway")["items"]
    assert conditions(gateway["status"])["Programmed"] == "True"


def test_routes_are_accepted_and_owned(kubectl, models: dict[str, str]) -> None:
    routes = kubectl("get", "httproute", "-l", OWNED)["items"]
    assert routes
    for route in routes:
        for parent in route["status"]["parents"]:
            assert conditions(parent)["Accepted"] == conditions(parent)["ResolvedRefs"] == "True"
        # The API has timeouts under each rule, and drops or refuses them elsewhere.
        assert "timeouts" not in route["spec"]


def test_epp_has_zmq_ports_and_a_pinned_image(kubectl) -> None:
    deployments = [item for item in kubectl("get", "deployment")["items"] if item["metadata"]["name"].endswith("-epp")]
    assert deployments
    for deployment in deployments:
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert ("zmq", 5557) in {(port["name"], port["containerPort"]) for port in container["ports"]}
        assert container["imagePullPolicy"] == "Always"
        assert container["image"].rpartition(":")[2] not in ("", "latest")
        service = kubectl("get", "service", deployment["metadata"]["name"])
        assert ("zmq", 5557) in {(port["name"], port["port"]) for port in service["spec"]["ports"]}


def test_each_model_answers_through_the_gateway(gateway_url: str, models: dict[str, str]) -> None:
    for prefix, model in models.items():
        url = gateway_url + prefix.rstrip("/")
        status, answer = post(f"{url}/v1/completions", {"model": model, "prompt": "Hello", "max_tokens": 5})
        assert (status, answer.get("model")) == (200, model)
        chat = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
        status, answer = post(f"{url}/v1/chat/completions", chat)
        assert (status, answer.get("model")) == (200, model)


def test_an_unknown_model_is_refused(gateway_url: str, models: dict[str, str]) -> None:
    for prefix in models:
        url = gateway_url + prefix.rstrip("/")
        status, _unused = post(f"{url}/v1/completions", {"model": "no/such-model", "prompt": "Hello"})
        assert status == 404
