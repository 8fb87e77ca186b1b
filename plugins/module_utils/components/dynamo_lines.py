# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What each release line of NVIDIA Dynamo needs: charts, fields of graphs, command lines of its workers.

ai-dynamo/dynamo at the tags v0.5.0 to v1.0.0: deploy/ (charts, CRDs, operator), components/ and examples/backends
(command lines, folders of images); installation_guide.md for where charts are published.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ..base.data import Object
from ..objects.graphs import GROUP, PREFILL

DEFAULT_VERSION = "0.5.0"
CHARTS = "https://helm.ngc.nvidia.com/nvidia/ai-dynamo/charts"
RUNTIMES = "nvcr.io/nvidia/ai-dynamo"
API = f"{GROUP}/v1alpha1"
COMPONENT = "DynamoComponentDeployment"
AGG, DISAGG = "agg", "disagg"
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@dataclasses.dataclass(frozen=True)
class Line:
    """A version of Dynamo, and what follows from it."""

    version: str

    @functools.cached_property
    def numbers(self) -> tuple[int, int, int]:
        """The version as numbers; one that is none counts as the default."""
        found = _VERSION.match(self.version) or t.cast("re.Match[str]", _VERSION.match(DEFAULT_VERSION))
        return int(found[1]), int(found[2]), int(found[3])

    def __lt__(self, other: tuple[int, ...]) -> bool:
        return self.numbers < other

    @property
    def crds_chart(self) -> bool:
        """Whether the definitions have a chart of their own."""
        return self < (1, 0)

    @property
    def own_namespaces(self) -> bool:
        """Whether a graph says itself in which Dynamo namespace a service is; later its own name does."""
        return self < (0, 7)

    @property
    def shared_claims(self) -> bool:
        """Whether claims stand in the graph and services mount them, instead of a claim in each service."""
        return self.numbers >= (0, 6)

    @property
    def sub_types(self) -> bool:
        """Whether a worker says whether it decodes or prefills."""
        return self.numbers >= (0, 6)

    @property
    def restricted(self) -> bool:
        """Whether its operator works for the namespace of its release alone, where its values do not say."""
        return self < (0, 5, 1)

    @property
    def leases(self) -> bool:
        """Whether a cluster-wide operator leaves alone the namespaces of those that are restricted."""
        return self.numbers >= (0, 7)

    @property
    def startup_seconds(self) -> int:
        """How long a worker may take by its operator's own probe until the model is loaded."""
        return 600 if self < (0, 6) else 7200

    def chart(self, name: str) -> str:
        """Return where a chart of Dynamo is published."""
        return f"{CHARTS}/{name}-{self.version}.tgz"

    def image(self, engine: str) -> str:
        """Return the image of an engine's workers; the frontend is in each of them."""
        return f"{RUNTIMES}/{ENGINES[engine].image}:{self.version}"


@dataclasses.dataclass(frozen=True)
class Engine:
    """How the workers of an engine are started. title: in the names of services; parallel: the argument for tensor
    parallelism; names: the arguments that take the model's name."""

    title: str
    image: str
    module: str
    names: tuple[str, ...]
    parallel: str
    roles: t.Callable[[Line, str, str], list[str]]
    folder: t.Callable[[Line], str]


def _vllm(line: Line, mode: str, role: str) -> list[str]:
    if mode == AGG:
        return []
    if line < (1, 0):
        decode = [] if line < (0, 7) else ["--is-decode-worker"]
        return ["--is-prefill-worker"] if role == PREFILL else decode
    # Since 1.0 the connector is no longer NIXL by itself.
    connector = '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'
    return ["--disaggregation-mode", role, "--kv-transfer-config", connector]


def _sglang(line: Line, mode: str, role: str) -> list[str]:
    found = ["--page-size", "16", "--skip-tokenizer-init"]
    if mode == AGG:
        return found
    found += ["--disaggregation-mode", role, "--disaggregation-transfer-backend", "nixl"]
    return found if line < (0, 6) else [*found, "--disaggregation-bootstrap-port", "12345", "--host", "0.0.0.0"]


def _trtllm(line: Line, mode: str, role: str) -> list[str]:
    folder = "./examples/backends/trtllm/engine_configs/qwen3"
    if line < (0, 7):
        folder = "engine_configs" if line < (0, 6) else "./recipes/qwen3/trtllm"
    config = ["--extra-engine-args", f"{folder}/{AGG if mode == AGG else role}.yaml"]
    if mode == AGG:
        return config
    strategy = ["--disaggregation-strategy", "decode_first"] if line < (0, 7) else []
    return [*config, "--disaggregation-mode", role, *strategy]


def _folder(name: str) -> t.Callable[[Line], str]:
    return lambda line: f"/workspace/{'components' if line < (0, 7) else 'examples'}/backends/{name}"


_NAMES = ("--model-path", "--served-model-name")
ENGINES = {
    "vllm": Engine(
        "Vllm", "vllm-runtime", "dynamo.vllm", ("--model",), "--tensor-parallel-size", _vllm, _folder("vllm")
    ),
    "sglang": Engine("Sglang", "sglang-runtime", "dynamo.sglang", _NAMES, "--tp", _sglang, _folder("sglang")),
    "trtllm": Engine(
        "Trtllm",
        "tensorrtllm-runtime",
        "dynamo.trtllm",
        _NAMES,
        "--tensor-parallel-size",
        _trtllm,
        lambda line: _folder("trtllm")(line) if line < (0, 6) else "/workspace/",
    ),
}


def platform_values(line: Line) -> Object:
    """Return what charts of a line need below a user's values: images that have left their registries.

    NVIDIA/aicr pull request 318 (kube-rbac-proxy); installation_guide.md and ai-dynamo/dynamo issue 2806 (etcd).
    """
    if not line < (1, 0):
        return {}
    proxy = {"image": {"repository": "registry.k8s.io/kubebuilder/kube-rbac-proxy"}}
    return {
        "dynamo-operator": {"controllerManager": {"kubeRbacProxy": proxy}},
        "etcd": {
            "image": {"repository": "bitnamilegacy/etcd"},
            "global": {"security": {"allowInsecureImages": True}},
        },
    }
