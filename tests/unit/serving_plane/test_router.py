# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The LLM Router's controller and Triton server: what they answer, and when they are silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from plane_objects import obj
from router_objects import CLASSES, Router, claim, config, config_map, controller_pod, policy, secret, triton_pod
from serving_plane.llm_router.classes import CLASSIFIERS, NEVER, classify
from serving_plane.llm_router.starting import Routers
from serving_plane.servers.messages import text_reply


@pytest.fixture
def router_of(tmp_path: Path) -> Callable[..., Router]:
    """Makes a router of the test's parts."""
    return partial(Router, tmp_path)


@pytest.fixture
def started(router_of: Callable[..., Router]) -> Callable[..., Router]:
    """Makes one whose two pods have started."""

    def make(**replaced: Any) -> Router:
        router = router_of(**replaced)
        assert router.look() == {}
        return router

    return make


def test_a_request_goes_to_the_model_of_its_class(started: Callable[..., Router]) -> None:
    router = started()
    reply = router.ask()
    assert (reply.status, reply.headers["x-chosen-classifier"]) == (200, "Code Generation")
    assert json.loads(reply.body)["model"] == "small"
    metrics = router.call("GET", "/metrics").body.decode()
    for line in (
        "num_requests 1",
        'requests_per_policy{policy="task_router"} 1',
        'requests_per_model{model="Code Generation"} 1',
        "request_success_total 1",
        "model_selection_time_seconds_count 1",
        'llm_response_time_seconds_count{llm="Code Generation"} 1',
    ):
        assert line in metrics.splitlines()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_can_be_chosen_by_hand_and_by_its_name(started: Callable[..., Router], name: str) -> None:
    router = started()
    for item in CLASSES[name]:
        reply = router.ask(policy=name, routing_strategy="manual", model=item)
        assert (reply.status, reply.headers["x-chosen-classifier"]) == (200, item)
        if item != NEVER:
            assert router.ask(f"This is {item.lower()}.", policy=name).headers["x-chosen-classifier"] == item


@pytest.mark.parametrize(
    ("prompt", "task", "complexity"),
    [
        ("Write a Python function to calculate fibonacci numbers", "Code Generation", "Domain-Knowledge"),
        ("Explain quantum computing in simple terms", "Open QA", "Domain-Knowledge"),
        ("Hello!", "Chatbot", "Creativity"),
        ("", "Unknown", "Creativity"),
        ("xyz", "Unknown", "Creativity"),
    ],
)
def test_classes_of_prompts(prompt: str, task: str, complexity: str) -> None:
    assert (classify("task_router", prompt), classify("complexity_router", prompt)) == (task, complexity)


def test_the_page_of_the_plane_has_the_words() -> None:
    page = Path(__file__, "../../../../docs/lab/serving-plane.md").resolve().read_text(encoding="utf-8")
    for classes, _otherwise in CLASSIFIERS.values():
        for item, words in classes.items():
            assert f"| {item} | {', '.join(words)} |" in page


def test_the_place_decides_and_not_the_name(started: Callable[..., Router]) -> None:
    classes = [item for item in CLASSES["task_router"] if item != "Chatbot"]
    router = started(config=config_map(config(policy(classes=classes))))
    assert router.ask("brainstorming").headers["x-chosen-classifier"] == "Brainstorming"
    assert router.ask("code generation").headers["x-chosen-classifier"] == "Extraction"


SILENT: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a class past the end", {"config": config(policy(classes=["Brainstorming"]))}, {}, "not found at index 4"),
    ("no strategy", {}, {"routing_strategy": None}, "No routing strategy"),
    ("no class by hand", {}, {"routing_strategy": "manual"}, "No model specified"),
    ("no such host", {"config": config(policy(api_base="http://frontend.other:8000"))}, {}, "unreachable"),
    ("a variable that is not set", {"config": config(policy(api_base="${NOT_SET}"))}, {}, "unreachable"),
    ("a host out of the cluster", {"config": config(policy(api_base="https://api.example.com"))}, {}, "unreachable"),
    ("a port that nobody has", {"config": config(policy(api_base="http://frontend.models"))}, {}, "unreachable"),
    ("a key that is no header", {"config": config(policy(api_key="a\tb"))}, {}, "Invalid header value"),
]


@pytest.mark.parametrize(("parts", "wish", "why"), [row[1:] for row in SILENT], ids=[row[0] for row in SILENT])
def test_silences(started: Callable[..., Router], parts: dict[str, Any], wish: dict[str, Any], why: str) -> None:
    router = started(**{name: config_map(text) for name, text in parts.items()})
    reply = router.ask(**wish)
    assert (reply.status, why in reply.note) == (0, True), reply.note
    assert 'request_failure_total{error_type="system"} 1' in router.call("GET", "/metrics").body.decode()
    uid = router.snapshot.need("Pod", "demo", "router-controller")["metadata"]["uid"]
    assert why in router.logs.path(uid).read_text(encoding="utf-8")


ERRORS: list[tuple[str, dict[str, Any], int, str]] = [
    ("no policy of that name", {"policy": "other"}, 404, "Policy 'other' not found"),
    ("no policy", {"policy": None}, 400, "Missing required 'nim-llm-router'"),
    ("a strategy in other letters", {"routing_strategy": "Triton"}, 400, "Missing required 'nim-llm-router'"),
    ("a class that is not there", {"routing_strategy": "manual", "model": "x"}, 404, "Model not found: x"),
    ("a threshold that is no number", {"threshold": "0.5"}, 400, "Missing required 'nim-llm-router'"),
]


@pytest.mark.parametrize(("wish", "status", "text"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_errors(started: Callable[..., Router], wish: dict[str, Any], status: int, text: str) -> None:
    reply = started().ask(**wish)
    assert reply.status == status
    assert text in reply.body.decode()


@pytest.mark.parametrize(
    ("parts", "status", "text"),
    [
        ({"triton": None}, 503, "Triton server is unreachable"),
        ({"service": None}, 503, "Triton server is unreachable"),
        ({"claim": claim("."), "triton": triton_pod("/model_repository/x", "/model_repository/x")}, 200, "small"),
        ({"claim": claim(None), "triton": triton_pod("/model_repository")}, 404, "is not found"),
        (
            {"config": config_map(config(policy(url="http://router-router-server.demo:8000/v2/models/x/infer")))},
            404,
            "'x'",
        ),
        (
            {"config": config_map(config(policy(url="http://router-router-server:8000/v2/models/task_router/infer")))},
            400,
            "unexpected inference input",
        ),
        ({"config": config_map(config(policy(url="http://router-router-server:8000/v2")))}, 500, "Invalid Triton"),
        ({"config": config_map(config(policy(url="")))}, 503, "Triton server is unreachable"),
    ],
)
def test_classifiers_that_do_not_answer(
    started: Callable[..., Router], parts: dict[str, Any], status: int, text: str
) -> None:
    reply = started(**parts).ask()
    assert (reply.status, text in reply.body.decode()) == (status, True), reply


def test_errors_of_the_model_come_through_with_the_class(started: Callable[..., Router]) -> None:
    router = started(config=config_map(config(policy(model="other"))))
    reply = router.ask()
    assert (reply.status, reply.headers["x-chosen-classifier"]) == (404, "Code Generation")
    doubled = started(config=config_map(config(policy(api_base="${DYNAMO_API_BASE}/v1")))).ask()
    assert (doubled.status, json.loads(doubled.body)) == (404, {"detail": "Not Found"})


def test_what_is_sent_on(started: Callable[..., Router], router_of: Callable[..., Router]) -> None:
    seen: list[Any] = []

    async def backend(_pod: Any, _server: Any, call: Any, _network: Any) -> Any:
        seen.append((call.path, call.query, call.headers["authorization"], json.loads(call.body)))
        return text_reply(200, "done")

    router = started()
    router.network.players["vllm"] = backend
    router.ask(path="/completions?a=b")
    path, query, key, body = seen[0]
    assert (path, query, key, body["model"]) == ("/completions", "a=b", "Bearer none", "small")
    assert "nim-llm-router" not in body


def test_only_texts_are_classified(started: Callable[..., Router]) -> None:
    router = started()
    assert router.ask([{"type": "text", "text": "Write Python code"}]).headers["x-chosen-classifier"] == "Unknown"


def test_other_paths_of_the_controller(started: Callable[..., Router]) -> None:
    router = started()
    assert json.loads(router.call("GET", "/health").body) == {"status": "OK"}
    assert router.call("GET", "/v1/models").status == 404
    shown = json.loads(router.call("GET", "/config").body)
    llm = shown["policies"][0]["llms"][0]
    base = "http://frontend.models.svc.cluster.local:8000"
    assert llm == {"name": "Brainstorming", "api_base": base, "api_key": "[REDACTED]", "model": "small"}


CRASHES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "an empty key of the Secret",
        {"dynamo": secret("dynamo-api-secret", DYNAMO_API_KEY="")},
        "router-controller",
        "Failed to load configuration: Missing field 'api_key' in LLM 'Brainstorming'",
    ),
    (
        "the config of the image and an empty key",
        {"controller": controller_pod("/etc/router")},
        "router-controller",
        "Missing field 'api_key' in LLM 'Brainstorming'",
    ),
    ("an empty model", {"config": config_map(config(policy(model="")))}, "router-controller", "Missing field 'model'"),
    (
        "a key left out",
        {"config": config_map("policies:\n- name: a\n  url: b\n  llms:\n  - name: x\n    api_base: y\n    model: z\n")},
        "router-controller",
        "policies[0].llms[0]: missing field `api_key` at line 5 column 5",
    ),
    ("no policies", {"config": config_map("a: b\n")}, "router-controller", "missing field `policies`"),
    ("an empty file", {"config": config_map("")}, "router-controller", "EOF while parsing a value"),
    (
        "a list that is a text",
        {"config": config_map("policies: []\n---\na: b\n")},
        "router-controller",
        "more than one document",
    ),
    ("policies of nothing", {"config": config_map("policies:\n")}, "router-controller", "unit value, expected a seq"),
    ("no YAML", {"config": config_map("policies: [\n")}, "router-controller", "Failed to load configuration"),
    (
        "another key of the ConfigMap",
        {"config": config_map(config(), key="router-config-dynamo.yaml")},
        "router-controller",
        "No such file or directory (os error 2)",
    ),
    (
        "the models a folder deeper",
        {"triton": triton_pod("/model_repository")},
        "router-server",
        "Poll failed for model directory 'routers'",
    ),
    ("an empty claim", {"claim": claim(None)}, "router-server", "failed to stat file /model_repository/routers"),
    ("no such mount", {"triton": triton_pod("/models")}, "router-server", "failed to stat file /models"),
    (
        "an ensemble without its steps",
        {"claim": claim("routers/task_router_ensemble")},
        "router-server",
        "contains models that are not available",
    ),
]


@pytest.mark.parametrize(("parts", "pod", "text"), [row[1:] for row in CRASHES], ids=[row[0] for row in CRASHES])
def test_crashes(router_of: Callable[..., Router], parts: dict[str, Any], pod: str, text: str) -> None:
    router = router_of(**parts)
    found = router.look()
    assert list(found) == [pod]
    assert text in found[pod]
    assert router.look() == found


def test_uploaded_models(router_of: Callable[..., Router]) -> None:
    empty = claim(None)
    router = router_of(claim=empty)
    top = router.claims.path(empty) / "routers"
    for name in (
        f"{step}task_router{end}" for step, end in (("preprocessing_", ""), ("postprocessing_", ""), ("", ""))
    ):
        (top / name / "1").mkdir(parents=True)
        (top / name / "config.pbtxt").touch()
    (top / "task_router_ensemble").mkdir()
    assert "Poll failed for model directory 'task_router_ensemble'" in router.look()["router-server"]
    (top / "task_router_ensemble" / "config.pbtxt").touch()
    assert router.look() == {}
    assert router.ask().headers["x-chosen-classifier"] == "Code Generation"
    assert router.ask(policy="complexity_router").status == 404


def test_missing_secrets_are_no_crash(router_of: Callable[..., Router]) -> None:
    assert router_of(keys=None).look() == {}
    assert router_of(config=None).look() == {}


def test_null_is_a_text_to_the_controller(started: Callable[..., Router]) -> None:
    router = started(config=config_map(config(policy(api_key=None))))
    assert router.ask().status == 200


def test_another_mount_path_leaves_the_config_of_the_image(started: Callable[..., Router]) -> None:
    router = started(controller=controller_pod("/etc/router"), keys=secret("llm-api-keys", nvidia_api_key="x"))
    shown = json.loads(router.call("GET", "/config").body)
    assert shown["policies"][0]["url"].startswith("http://router-server:8000/")
    assert router.ask().status == 503
    assert router.ask(routing_strategy="manual", model="Other").status == 0


def test_a_changed_config_waits_for_a_restart(tmp_path: Path) -> None:
    router = Router(tmp_path, dynamo=secret("dynamo-api-secret", DYNAMO_API_KEY=""))
    assert list(router.look()) == ["router-controller"]
    router.snapshot.put(secret("dynamo-api-secret", DYNAMO_API_KEY="x"))
    assert router.look() == {}
    router.snapshot.put(config_map("nothing: here\n"))
    assert router.look() == {}
    assert len(json.loads(router.call("GET", "/config").body)["policies"]) == 2
    again = Routers(tmp_path / "routers.json", router.logs, router.claims)
    router.network.players |= {"router-controller": again.controller}
    assert again.look(router.snapshot) == {}
    assert len(json.loads(router.call("GET", "/config").body)["policies"]) == 2
    assert (tmp_path / "routers.json").stat().st_mode & 0o777 == 0o600


def test_health_of_triton(started: Callable[..., Router]) -> None:
    router = started()
    for path, port, status in (
        ("/v2/health/ready", 8000, 200),
        ("/v2/models/task_router_ensemble/ready", 8000, 200),
        ("/v2/models/other/ready", 8000, 400),
        ("/nothing", 8000, 404),
        ("/v2/health/ready", 8001, 0),
    ):
        assert router.call("GET", path, pod="router-server", port=port).status == status
    body = {"inputs": [{"name": "INPUT", "datatype": "BYTES", "shape": [1, 1], "data": [["extraction"]]}]}
    reply = router.call("POST", "/v2/models/task_router_ensemble/infer", body, "router-server", 8000)
    answer = json.loads(reply.body)
    assert answer["outputs"][0]["data"].index(1.0) == CLASSES["task_router"].index("Extraction")
    assert answer["parameters"] == {"sequence_id": 0, "sequence_start": False, "sequence_end": False}
    line = 'nv_inference_request_success{model="task_router_ensemble",version="1"} 1'
    assert line in router.call("GET", "/metrics", pod="router-server", port=8002).body.decode()


@pytest.mark.parametrize(
    "body", [b"{", {"inputs": 3}, {"inputs": [{"name": "TEXT", "data": ["a"]}]}], ids=["no JSON", "no list", "no INPUT"]
)
def test_bad_inference(started: Callable[..., Router], body: Any) -> None:
    reply = started().call("POST", "/v2/models/task_router_ensemble/infer", body, "router-server", 8000)
    assert (reply.status, "error" in json.loads(reply.body)) == (400, True)


def test_what_a_pod_of_another_kind_is(router_of: Callable[..., Router]) -> None:
    router = router_of(other=obj("Pod", "other", spec={"nodeName": "n", "containers": [{"name": "c", "image": "x"}]}))
    assert router.look() == {}
