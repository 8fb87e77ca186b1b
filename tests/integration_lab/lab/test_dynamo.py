# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""NVIDIA Dynamo on the lab: what serves there, and what does not because it would not in production."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from graphs_there import CHARTS, graph, platform, remove, rendered, service
from plane_client import Lab, eventually

Object = dict[str, Any]
COMPONENT = ("nvidia.com/v1alpha1", "DynamoComponentDeployment")
GRAPH = ("nvidia.com/v1alpha1", "DynamoGraphDeployment")
OF_GRAPH = "nvidia.com/dynamo-graph-deployment-name"
MESSAGE = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 2}


def worker(space: str, model: str, *more: str, **fields: Any) -> Object:
    return {**service("vllm", space, "--model", model, *more), **fields}


def with_pods(item: Object, **annotations: str) -> Object:
    """A service whose pods have annotations of the lab."""
    return {
        **item,
        "extraPodMetadata": {"annotations": {f"lab.llm-d.ai/{key}": text for key, text in annotations.items()}},
    }


class Dynamo:
    """A namespace of the lab with graphs in it."""

    def __init__(self, lab: Lab, namespace: str) -> None:
        self.lab = lab
        self.namespace = namespace

    def apply(self, name: str, **services: Object) -> None:
        self.lab.apply(graph(self.namespace, name, **services))

    def get(self, name: str) -> Object:
        return self.lab.get(*GRAPH, self.namespace, name) or {}

    def state(self, name: str) -> str:
        return (self.get(name).get("status") or {}).get("state", "")

    def component(self, name: str) -> Object | None:
        return self.lab.get(*COMPONENT, self.namespace, name)

    def served(self, name: str) -> None:
        """Wait until a graph is there with all its pods."""
        eventually(lambda: self.state(name) == "successful" and self.pods(name))

    def pods(self, name: str) -> list[str]:
        """The Ready pods of a graph."""
        return self.lab.pods(self.namespace, f"{OF_GRAPH}={name}")

    def waiting(self, name: str) -> tuple[str, int]:
        """Why the container of a graph's pod waits, and how often it was restarted."""
        found = self.lab.core.list_namespaced_pod(self.namespace, label_selector=f"{OF_GRAPH}={name}").items
        for pod in found:
            for status in pod.status.container_statuses or []:
                if status.state.waiting:
                    return status.state.waiting.reason, status.restart_count
        return "", 0

    def log(self, name: str) -> str:
        (pod,) = self.lab.core.list_namespaced_pod(self.namespace, label_selector=f"{OF_GRAPH}={name}").items
        return self.lab.core.read_namespaced_pod_log(pod.metadata.name, self.namespace)

    def ask(self, frontend: str, method: str, path: str, body: Any = None) -> Any:
        (pod,) = self.pods(frontend)
        return self.lab.http(self.namespace, pod, 8000, method, path, body)

    def models(self, frontend: str) -> set[str]:
        return {item["id"] for item in self.ask(frontend, "GET", "/v1/models").json()["data"]}

    def complete(self, frontend: str, model: str) -> Any:
        return self.ask(frontend, "POST", "/v1/chat/completions", {"model": model, **MESSAGE})

    def worked(self, name: str) -> int:
        """How many requests the workers of a graph have worked on."""
        total = 0.0
        for pod in self.pods(name):
            text = self.lab.http(self.namespace, pod, 9090, "GET", "/metrics").body.decode()
            lines = [line for line in text.splitlines() if line.startswith("dynamo_component_requests_total{")]
            total += sum(float(line.rpartition(" ")[2]) for line in lines)
        return int(total)

    def scale(self, kind: str, name: str, replicas: int) -> None:
        self.lab.resource("apps/v1", kind).patch(
            name=name,
            namespace=self.namespace,
            body={"spec": {"replicas": replicas}},
            content_type="application/merge-patch+json",
        )


def put_up(lab: Lab, namespace: str) -> Dynamo:
    platform(lab, namespace)
    eventually(lambda: lab.pods(namespace, "control-plane=controller-manager"))
    eventually(lambda: lab.pods(namespace, "app.kubernetes.io/name=etcd"))
    eventually(lambda: lab.pods(namespace, "app.kubernetes.io/component=nats"))
    return Dynamo(lab, namespace)


@pytest.fixture(scope="module")
def dynamo(lab: Lab, new_namespace: Callable[[], str]) -> Iterator[Dynamo]:
    """A platform of 0.5, a frontend that sees all models, and graphs of which most have something wrong."""
    found = put_up(lab, new_namespace())
    found.apply("front", Frontend=service("frontend", "dynamo"))
    found.apply("alone", Worker=worker("alone", "m/alone"))
    found.apply(
        "parted", Decode=worker("parted", "m/parted"), Prefill=worker("parted", "m/parted", "--is-prefill-worker")
    )
    found.apply("mixed-front", Frontend=service("frontend", "mixed"))
    found.apply("mixed-a", Worker=worker("mixed", "m/mixed-a"))
    found.apply("mixed-b", Worker=worker("mixed", "m/mixed-b"))
    found.apply("empty")
    found.apply("disagree", Decode=worker("x", "m/x"), Prefill=worker("y", "m/x", "--is-prefill-worker"))
    found.apply("slow", Worker=with_pods(worker("slow", "m/slow"), **{"ready-delay": "10m"}))
    probe = {"httpGet": {"path": "/live", "port": "system"}, "periodSeconds": 1, "failureThreshold": 2}
    impatient = with_pods(worker("impatient", "m/impatient"), **{"ready-delay": "10m"})
    impatient["extraPodSpec"]["mainContainer"]["startupProbe"] = probe
    found.apply("impatient", Worker=impatient)
    found.apply("later", Worker=worker("later", "m/later", "--disaggregation-mode", "prefill"))
    untagged = worker("untagged", "m/untagged")
    untagged["extraPodSpec"]["mainContainer"]["image"] = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:"
    found.apply("untagged", Worker=untagged)
    found.apply("tokenless", Worker=worker("tokenless", "m/tokenless", envFromSecret="no-such-secret"))
    # Created, as kubectl apply does; a server-side apply is refused.
    misspelt = graph(found.namespace, "misspelt", Worker=worker("", "m/misspelt", dynamoNamespce="mixed"))
    lab.resource(*GRAPH).create(body=misspelt, namespace=found.namespace)
    for name in ("front", "alone", "parted", "mixed-front", "mixed-a", "mixed-b"):
        found.served(name)
    yield found
    remove(lab, found.namespace)


def test_models_answer_and_prefill_takes_part(dynamo: Dynamo) -> None:
    eventually(lambda: {"m/alone", "m/parted"} <= dynamo.models("front"))
    before = dynamo.worked("alone"), dynamo.worked("parted")
    assert dynamo.complete("front", "m/alone").json()["model"] == "m/alone"
    assert dynamo.complete("front", "m/parted").json()["model"] == "m/parted"
    # Decode and prefill each count the request.
    assert (dynamo.worked("alone"), dynamo.worked("parted")) == (before[0] + 1, before[1] + 2)


def test_unknown_model(dynamo: Dynamo) -> None:
    assert dynamo.complete("front", "m/none").status == 404


def test_models_of_one_endpoint_are_mixed_up(dynamo: Dynamo) -> None:
    for _unused in range(4):
        answer = dynamo.complete("mixed-front", "m/mixed-a")
        assert (answer.status, answer.json()["model"]) == (200, "m/mixed-a")
    assert (dynamo.worked("mixed-a"), dynamo.worked("mixed-b")) == (2, 2)


def test_frontend_sees_its_own_namespace_only(dynamo: Dynamo) -> None:
    assert dynamo.models("mixed-front") == {"m/mixed-a", "m/mixed-b"}
    assert dynamo.complete("mixed-front", "m/alone").status == 404


def test_graph_without_services_is_successful_and_serves_nothing(dynamo: Dynamo) -> None:
    eventually(lambda: dynamo.state("empty") == "successful")
    assert dynamo.pods("empty") == []


def test_graph_whose_namespaces_disagree_has_failed(dynamo: Dynamo) -> None:
    eventually(lambda: dynamo.state("disagree") == "failed")
    assert dynamo.component("disagree-decode") is None


def test_worker_that_is_not_ready_is_not_listed_though_the_frontend_is_healthy(dynamo: Dynamo) -> None:
    eventually(lambda: dynamo.state("slow") == "pending")
    assert dynamo.ask("front", "GET", "/health").json()["status"] == "healthy"
    assert "m/slow" not in dynamo.models("front")
    assert dynamo.complete("front", "m/slow").status == 404


def test_worker_that_takes_longer_than_its_startup_probe_begins_anew_for_ever(dynamo: Dynamo) -> None:
    eventually(lambda: dynamo.waiting("impatient")[1] >= 1)
    assert "Startup probe failed" in dynamo.log("impatient")
    assert dynamo.state("impatient") == "pending"


def test_argument_of_a_later_version_ends_the_worker(dynamo: Dynamo) -> None:
    eventually(lambda: dynamo.waiting("later")[0] == "CrashLoopBackOff")
    assert "unrecognized arguments: --disaggregation-mode" in dynamo.log("later")


def test_image_without_a_tag_and_secret_that_is_missing(dynamo: Dynamo) -> None:
    eventually(lambda: dynamo.waiting("untagged")[0] == "InvalidImageName")
    eventually(lambda: dynamo.waiting("tokenless")[0] == "CreateContainerConfigError")


def test_misspelt_field_is_dropped_without_a_word(dynamo: Dynamo) -> None:
    assert "dynamoNamespce" not in dynamo.get("misspelt")["spec"]["services"]["Worker"]
    eventually(lambda: dynamo.component("misspelt-worker"))
    assert (dynamo.component("misspelt-worker") or {})["spec"]["dynamoNamespace"] == "dynamo-misspelt"


def test_component_of_a_service_that_is_gone_stays(dynamo: Dynamo) -> None:
    dynamo.apply("shrunk", Old=worker("shrunk", "m/shrunk"), New=worker("shrunk", "m/shrunk"))
    dynamo.served("shrunk")
    # What one manager applied and applies no more is taken from the graph.
    dynamo.apply("shrunk", New=worker("shrunk", "m/shrunk"))
    eventually(lambda: list(dynamo.get("shrunk")["spec"]["services"]) == ["New"])
    eventually(lambda: dynamo.state("shrunk") == "successful")
    assert dynamo.component("shrunk-old")
    assert len(dynamo.pods("shrunk")) == 2


def test_restricted_operator_does_nothing_elsewhere(dynamo: Dynamo, new_namespace: Callable[[], str]) -> None:
    other = Dynamo(dynamo.lab, new_namespace())
    other.apply("ignored", Frontend=service("frontend", "dynamo"))
    # A graph that was made later, in the operator's namespace, is looked after.
    dynamo.apply("heeded", Frontend=service("frontend", "dynamo"))
    dynamo.served("heeded")
    assert "status" not in other.get("ignored")
    assert "finalizers" not in other.get("ignored")["metadata"]


def test_without_etcd_nothing_is_registered_and_no_component_goes(lab: Lab, new_namespace: Callable[[], str]) -> None:
    found = put_up(lab, new_namespace())
    found.apply("front", Frontend=service("frontend", "dynamo"))
    found.apply("a", Worker=worker("a", "m/a"))
    found.served("front")
    eventually(lambda: found.models("front") == {"m/a"})
    found.scale("StatefulSet", "dynamo-platform-etcd", 0)
    eventually(lambda: found.waiting("a")[0] == "CrashLoopBackOff")
    assert "Unable to connect to etcd" in found.log("a")
    lab.resource(*GRAPH).delete(name="a", namespace=found.namespace, body={})
    # The graph itself goes, its component waits.
    eventually(lambda: not found.get("a"))
    eventually(lambda: ((found.component("a-worker") or {}).get("metadata") or {}).get("deletionTimestamp"))
    found.scale("StatefulSet", "dynamo-platform-etcd", 1)
    eventually(lambda: found.component("a-worker") is None)
    found.served("front")
    remove(lab, found.namespace)


def test_without_an_operator_graphs_neither_come_nor_go(lab: Lab, new_namespace: Callable[[], str]) -> None:
    found = put_up(lab, new_namespace())
    found.apply("old", Frontend=service("frontend", "dynamo"))
    found.served("old")
    operator = "dynamo-platform-dynamo-operator-controller-manager"
    found.scale("Deployment", operator, 0)
    eventually(lambda: not lab.pods(found.namespace, "control-plane=controller-manager"))
    found.apply("new", Frontend=service("frontend", "dynamo"))
    lab.resource(*GRAPH).delete(name="old", namespace=found.namespace, body={})
    # What serves goes on serving.
    assert found.ask("old", "GET", "/health").status == 200
    assert found.get("old")["metadata"]["finalizers"] == ["nvidia.com/finalizer"]
    assert "status" not in found.get("new")
    found.scale("Deployment", operator, 1)
    eventually(lambda: not found.get("old"))
    found.served("new")
    remove(lab, found.namespace)


def test_operator_whose_image_left_its_registry_does_nothing(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    for item in rendered("dynamo-platform", namespace):
        item["metadata"].setdefault("namespace", namespace)
        lab.apply(item)
    found = Dynamo(lab, namespace)

    def reasons() -> set[str]:
        pods = lab.core.list_namespaced_pod(namespace, label_selector="control-plane=controller-manager").items
        statuses = [status for pod in pods for status in pod.status.container_statuses or []]
        return {status.state.waiting.reason for status in statuses if status.state.waiting}

    eventually(lambda: "ImagePullBackOff" in reasons())
    found.apply("front", Frontend=service("frontend", "dynamo"))
    assert "status" not in found.get("front")


@pytest.fixture
def late(lab: Lab, new_namespace: Callable[[], str]) -> Iterator[Dynamo]:
    """A platform of 1.x for one namespace, and its definitions, which take the place of those of 0.5 for a while."""
    namespace = new_namespace()
    for path in sorted((CHARTS / "dynamo-platform-1.x" / "crds").glob("*.yaml")):
        lab.apply(yaml.safe_load(path.read_text(encoding="utf-8")))
    restricted = "dynamo-operator.namespaceRestriction.enabled=true"
    for item in rendered("dynamo-platform-1.x", namespace, "--set", restricted, release="dynamo-platform"):
        item["metadata"].setdefault("namespace", namespace)
        lab.apply(item)
    eventually(lambda: lab.pods(namespace, "control-plane=controller-manager"))
    found = Dynamo(lab, namespace)
    yield found
    remove(lab, namespace)
    for item in rendered("dynamo-crds", namespace):
        lab.apply(item)


def _late(item: Object, **fields: Any) -> Object:
    item["extraPodSpec"]["mainContainer"]["image"] = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.0.1"
    return {**item, **fields}


def test_platform_of_1_x(late: Dynamo) -> None:
    """dynamoNamespace means nothing, names have a hash, and workers in etcd are not seen from Kubernetes."""
    late.apply("front", Frontend=_late(service("frontend", "shared"), globalDynamoNamespace=True))
    late.apply("narrow", Frontend=_late(service("frontend", "shared")))
    late.apply("a", Worker=_late(worker("shared", "m/a")))
    elsewhere = graph(late.namespace, "elsewhere", Worker=_late(worker("shared", "m/elsewhere")))
    elsewhere["metadata"]["annotations"] = {"nvidia.com/dynamo-discovery-backend": "etcd"}
    late.lab.apply(elsewhere)
    for name in ("front", "narrow", "a"):
        late.served(name)
    eventually(lambda: late.models("front") == {"m/a"})
    assert late.models("narrow") == set()
    status = late.get("a")["status"]
    name = status["services"]["Worker"]["componentName"]
    assert (status["observedGeneration"], len(name)) == (1, len("a-worker-") + 8)
    assert late.complete("front", "m/a").json()["model"] == "m/a"
    # There is no etcd: who is told to register there ends.
    eventually(lambda: late.waiting("elsewhere")[0] == "CrashLoopBackOff")
    late.apply("a", Worker=_late(worker("shared", "m/b")))
    eventually(lambda: late.component(name) is None)
    eventually(lambda: late.models("front") == {"m/b"})
