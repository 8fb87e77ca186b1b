# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The workers of DynamoGraphDeployments: whose they are, where they register, whether they are ready.

They are known by their labels: from Dynamo 1.0 on a worker's name ends in a hash.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Object
from ..objects.pools import Check, is_alive, is_ready, labels_of, name_of, namespace_of, trouble
from ..objects.servers import environment

# deploy/cloud/operator/internal/consts/consts.go
GRAPH_LABEL = "nvidia.com/dynamo-graph-deployment-name"
NAMESPACE_LABEL = "nvidia.com/dynamo-namespace"
TYPE_LABELS = ("nvidia.com/dynamo-sub-component-type", "nvidia.com/dynamo-component-type")
# What serves no model.
OTHERS = ("frontend", "planner", "epp")
SYSTEM_PORT = 9090
PREFILL_FLAG = re.compile(r"(?<!\S)--is-prefill-worker(?!\S)|(?<!\S)--disaggregation-mode[= ]+[\"']?prefill")
Place = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Worker:
    """A living pod that serves a model. space: the Dynamo namespace in which it registers, "" where that is unknown."""

    namespace: str
    name: str
    graph: str
    space: str
    prefill: bool
    ready: bool
    port: int
    trouble: str = ""

    @property
    def place(self) -> Place:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def owner(self) -> Place:
        """Namespace and name of its graph."""
        return self.namespace, self.graph


def workers_of(pods: t.Iterable[Object]) -> list[Worker]:
    """Return the workers of all graphs among pods."""
    return [
        _worker(pod) for pod in pods if is_alive(pod) and labels_of(pod).get(GRAPH_LABEL) and _kind(pod) not in OTHERS
    ]


def _worker(pod: Object) -> Worker:
    ready = is_ready(pod)
    return Worker(
        namespace_of(pod),
        name_of(pod),
        labels_of(pod)[GRAPH_LABEL],
        space_of(pod),
        is_prefill_worker(pod),
        ready,
        _system_port(pod),
        "" if ready else trouble(pod),
    )


def _kind(pod: Object) -> str:
    """Return what a pod of a graph is: worker, decode, prefill, frontend, planner, ... in lower case."""
    labels = labels_of(pod)
    return next((labels[name].lower() for name in TYPE_LABELS if labels.get(name)), "")


def _main(pod: Object) -> Object:
    containers = (pod.get("spec") or {}).get("containers") or [{}]
    return next((item for item in containers if item.get("name") == "main"), containers[0])


def is_prefill_worker(pod: Object) -> bool:
    """Return whether a worker only prefills: by its labels, else by its arguments."""
    if _kind(pod) in ("prefill", "decode"):
        return _kind(pod) == "prefill"
    main = _main(pod)
    words = " ".join(map(str, [*(main.get("command") or []), *(main.get("args") or [])]))
    return bool(PREFILL_FLAG.search(words))


def space_of(pod: Object) -> str:
    """Return the Dynamo namespace of a pod, without the suffix that 1.x gives workers; "" where it is not known."""
    env = environment(_main(pod), namespace_of(pod))
    return env.get("DYN_NAMESPACE_PREFIX") or env.get("DYN_NAMESPACE") or labels_of(pod).get(NAMESPACE_LABEL, "")


def _system_port(pod: Object) -> int:
    main = _main(pod)
    given = environment(main, namespace_of(pod)).get("DYN_SYSTEM_PORT", "")
    named = [port.get("containerPort") for port in main.get("ports") or [] if port.get("name") == "system"]
    return int(given) if given.isdigit() else next(iter(named), None) or SYSTEM_PORT


def check_workers(name: str, workers: t.Sequence[Worker], roles: t.Mapping[str, t.Any]) -> Check:
    """Judge that as many workers of a model are ready as are wanted. roles: decode and prefill, each with a number."""
    wanted = sum(int(count or 0) for count in roles.values())
    unready = [one for one in workers if not one.ready]
    ready = len(workers) - len(unready)
    detail = f"{ready} of {max(wanted, len(workers))} workers are ready"
    if ready and ready >= max(wanted, len(workers)):
        return Check(name, "pods", True, detail)
    detail += "".join(f"; pod {one.name}: {one.trouble}" for one in unready[:3])
    hint = "Check the pods' events and logs; verify again once they are ready."
    if not workers:
        hint = (
            "Check the DynamoGraphDeployment's status and the operator's log: an operator that is restricted to "
            "another namespace silently does nothing."
        )
    return Check(name, "pods", False, detail, hint)
