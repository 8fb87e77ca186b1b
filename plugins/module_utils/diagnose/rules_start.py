# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: containers that cannot be made, are killed, or do not become ready, by their status alone."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..base.words import duration
from ..objects.pods import condition, container_states, ended, waiting
from ..objects.servers import flag, words
from .base import ERROR, REST, WARNING, Diagnosis, Proof, by_now, event_of, event_text
from .evidence import Evidence, clean, ref, seconds
from .log_rules import said_last
from .rules_pools import waiting_pickers

MAKING = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
SECRET = re.compile(r'secret "([^"]+)" not found', re.IGNORECASE)
KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)", re.IGNORECASE)
CONFIG_MAP = re.compile(r'configmap "([^"]+)" not found', re.IGNORECASE)
COMMAND = re.compile(r"executable file not found|no such file or directory|permission denied.*exec")
PROCESSOR = re.compile(r"exec format error")
KILLED = (137, 143)


def _made(pattern: re.Pattern[str] | None, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for containers that cannot be made; None: those that no other pattern knows."""
    known = (SECRET, KEY, CONFIG_MAP, COMMAND, PROCESSOR)

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod, state, reason, message in _unmade(evidence):
            found = pattern.search(message) if pattern else not any(other.search(message) for other in known)
            if not found:
                continue
            text = f"container {state.get('name')}: {reason}: {clean(message)}"
            groups = found.groups() if isinstance(found, re.Match) else ()
            advice = remedy.format("", *(clean(group, 120) for group in groups)) if remedy and groups else ""
            advice = by_now(evidence, message) or advice
            key = groups[0] if groups else clean(message, 60)
            yield Proof((ref(pod),), text, key=key, since=evidence.since(pod), remedy=advice)

    return find


def _unmade(evidence: Evidence) -> t.Iterator[tuple[Object, Object, str, str]]:
    for pod in evidence.pods:
        for state in container_states(pod):
            wait, end = waiting(state), ended(state)
            if wait.get("reason") in MAKING:
                yield pod, state, str(wait["reason"]), str(wait.get("message") or "")
            elif end.get("reason") in ("StartError", "ContainerCannotRun") and not state.get("ready"):
                yield pod, state, str(end["reason"]), str(end.get("message") or "")


def _out_of_memory(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        for state in container_states(pod):
            end = ended(state)
            if end.get("reason") != "OOMKilled" or state.get("ready"):
                continue
            name = state.get("name")
            limit = _limit(pod, str(name))
            times = f"{state.get('restartCount') or 0} restarts"
            text = f"container {name}: OOMKilled (exit code {end.get('exitCode')}), {times}"
            text += f"; its memory limit is {limit}" if limit else "; it has no memory limit: the node itself ran out"
            yield Proof((ref(pod),), text, key=str(name), since=evidence.since(pod))


def _limit(pod: Object, name: str) -> str:
    for container in (pod.get("spec") or {}).get("containers") or []:
        if container.get("name") == name:
            return str(((container.get("resources") or {}).get("limits") or {}).get("memory") or "")
    return ""


_EMPTY_DIR = re.compile(r'EmptyDir volume "([^"]+)" exceeds the (?:total )?limit "?([^"\s]+)', re.IGNORECASE)
_DISK_LIMIT = re.compile(r"ephemeral (?:local )?storage (?:usage exceeds|limit)", re.IGNORECASE)
_SHORT = re.compile(r"(resource|condition): [\w\[\]-]+")
_LEFT = ("Preempting", "NodeLost", "NodeShutdown", "Shutdown", "Terminated")


def _evicted(pattern: re.Pattern[str] | None, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for evicted pods whose message matches; None: those that no other pattern knows."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod, reason, message in _thrown_off(evidence):
            found = pattern.search(message) if pattern else None
            known = _EMPTY_DIR.search(message) or _DISK_LIMIT.search(message)
            if reason != "Evicted" or bool(found) != bool(pattern) or (pattern is None and known):
                continue
            groups = found.groups() if found else ()
            advice = remedy.format("", *groups) if groups else ""
            text = clean(f"{_of_node(pod)}{reason}: {message}")
            short = _SHORT.search(message)
            key = groups[0] if groups else short[0] if short else reason
            yield Proof((ref(pod),), text, key=key, since=evidence.since(pod), remedy=advice)

    return find


def _thrown_off(evidence: Evidence) -> t.Iterator[tuple[Object, str, str]]:
    for pod in evidence.pods:
        status = pod.get("status") or {}
        if status.get("phase") == "Failed":
            yield pod, str(status.get("reason") or ""), str(status.get("message") or "")


def _of_node(pod: Object) -> str:
    node = (pod.get("spec") or {}).get("nodeName")
    return f"node {node}: " if node else ""


def _node_left(evidence: Evidence) -> t.Iterator[Proof]:
    for pod, reason, message in _thrown_off(evidence):
        if reason in _LEFT:
            text = clean(f"{_of_node(pod)}{reason}: {message}")
            yield Proof((ref(pod),), text, key=reason, since=evidence.since(pod))


# How long (seconds) an init container may run before that is worth a word: one that serves never ends.
SERVING_INIT, LONG_INIT = 60.0, 1800.0


def _endless_init(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        spec = pod.get("spec") or {}
        states = {state.get("name"): state for state in (pod.get("status") or {}).get("initContainerStatuses") or []}
        for container in spec.get("initContainers") or []:
            running = ((states.get(container.get("name")) or {}).get("state") or {}).get("running")
            since = seconds((running or {}).get("startedAt"))
            if running is None or since is None or container.get("restartPolicy") == "Always":
                continue
            age, serves = evidence.now - since, _serves(container)
            if age < (SERVING_INIT if serves else LONG_INIT):
                continue
            name, line = container.get("name"), said_last(evidence, pod, str(container.get("name")))
            waits = ", ".join(str(entry.get("name")) for entry in spec.get("containers") or [])
            text = f"{waits} waits for the init container {name}, which has been running since {running['startedAt']}"
            text += f" ({duration(age)}) and has not finished" + (f"; it says: {line}" if line else "")
            advice = f"Turn {name} into a sidecar: {_SIDECAR}" if serves else ""
            severity = ERROR if serves else WARNING
            yield Proof((ref(pod),), text, str(name), since, remedy=advice, severity=severity)


_SIDECAR = (
    "an init container with restartPolicy: Always, which needs Kubernetes 1.29 (older API servers drop the field) and "
    "a chart that supports it; or disable it (routing.proxy.enabled: false for the routing proxy)."
)


def _serves(container: Object) -> bool:
    """Return whether a container looks like a server: it declares ports or probes, or is told a port."""
    probes = any(container.get(key) for key in ("ports", "readinessProbe", "livenessProbe", "startupProbe"))
    return bool(probes or flag(words(container), "port", "vllm-port", "listen", "addr"))


_RUNTIME = re.compile(
    r'no runtime for \W*([\w.-]+)\W* is configured|find runtime handler "?([\w.-]+)|'
    r'RuntimeClass \W*([\w.-]+)\W* not found|runtime handler "?([\w.-]+)"? (?:is )?not',
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"set ?up (?:pod |sandbox )?network|network for (?:pod|sandbox)|\bcni\b|network-?plugin|networkattachment|"
    r"network-attachment|assign an IP|no IP addresses",
    re.IGNORECASE,
)


def _sandbox(pattern: re.Pattern[str] | None, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for pods whose sandbox cannot be made; None: for reasons that no pattern knows."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod in evidence.pods:
            event = event_of(evidence, pod, "FailedCreatePodSandBox", "FailedCreatePodSandbox")
            begun = any("running" in (s.get("state") or {}) or ended(s) for s in container_states(pod))
            if event is None or begun or (pod.get("status") or {}).get("phase") != "Pending":
                continue
            message = str(event.get("message"))
            order = (_RUNTIME, _NETWORK)
            first = next((known for known in order if known.search(message)), None)
            if first is not pattern:
                continue
            found = pattern.search(message) if pattern else None
            name = next(filter(None, found.groups()), "") if found else ""
            node = (pod.get("spec") or {}).get("nodeName") or "?"
            advice = remedy.format(name, node) if name else ""
            text = f"node {node}: {event_text(event)}"
            yield Proof((ref(pod),), text, key=name or str(node), since=evidence.since(pod), remedy=advice)

    return find


def _killed_by_probe(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        event = event_of(evidence, pod, "Unhealthy", pattern=r"^(Liveness|Startup) probe") or event_of(
            evidence, pod, "Killing", pattern=r"failed (liveness|startup) probe"
        )
        died = [s for s in container_states(pod) if not s.get("ready") and ended(s).get("exitCode") in KILLED]
        if event and died:
            name = died[0].get("name")
            text = f"container {name}: exit code {ended(died[0]).get('exitCode')} after {event_text(event)}"
            yield Proof((ref(pod),), text, key=str(name), since=evidence.since(pod))


# Seconds after which a server that is not ready has been loading for long, and for too long.
LOADING, STUCK = 60.0, 3600.0


def _loading(evidence: Evidence) -> t.Iterator[Proof]:
    """Containers that run and are not ready; events of their probes end after an hour, the state does not."""
    waiting_for = waiting_pickers(evidence)
    for pod in evidence.pods:
        running = [s for s in container_states(pod) if not s.get("ready") and "running" in (s.get("state") or {})]
        if not running or ref(pod) in waiting_for or condition(pod, "Ready").get("status") == "True":
            continue
        state, event = running[0], event_of(evidence, pod, "Unhealthy")
        since = seconds(state["state"]["running"].get("startedAt")) or evidence.since(pod)
        age = evidence.now - since if since else 0.0
        if event is None and age < LOADING:
            continue
        name = str(state.get("name"))
        text = f"container {name} has been running for {duration(age)} but is not ready"
        text += f"; {event_text(event)}" if event else ""
        line = said_last(evidence, pod, name)
        text += f"; last line of its log: {line}" if line else ""
        severity = ERROR if age > STUCK else WARNING
        yield Proof((ref(pod),), text, name, since, because=(evidence.workload(pod),), severity=severity)


_SECRET_REMEDY = (
    "Create the Secret {1} in this namespace, or set another one in the values; site.yml creates the Hugging Face one "
    "if prepare_hf_token is set."
)

RULES = (
    Diagnosis(
        "DIAG401", "A Secret that a container needs does not exist", _made(SECRET, _SECRET_REMEDY),
        'CreateContainerConfigError: secret "..." not found',
        "The container reads a variable from a Secret that is not in the namespace.",
        "Create the Secret in this namespace, or set another one in the values.",
        "F9; vllm-project/aibrix#772",
    ),
    Diagnosis(
        "DIAG402", "A Secret or ConfigMap lacks the key that a container needs",
        _made(KEY, "Add the key {1} to the {2} {3}, or set the right key in the values."),
        "CreateContainerConfigError: couldn't find key ... in Secret ...",
        "The object exists, but has other keys.",
        "Add the key, or set the right one in the values.",
        "F9",
    ),
    Diagnosis(
        "DIAG403", "A ConfigMap that a container needs does not exist",
        _made(CONFIG_MAP, "Create the ConfigMap {1} in this namespace, or set another one in the values."),
        'CreateContainerConfigError: configmap "..." not found',
        "The container reads a variable from a ConfigMap that is not in the namespace.",
        "Create the ConfigMap, or set another one in the values.",
        "Kubernetes, Configure a Pod to Use a ConfigMap",
    ),
    Diagnosis(
        "DIAG404", "The container's command cannot be run", _made(COMMAND),
        "StartError, RunContainerError or CreateContainerError: executable file not found",
        "The image does not contain the command, or its user may not run it.",
        "Correct command and args in the values (modelCommand: vllmServe needs an image with vLLM).",
        "Kubernetes, Debug Pods",
    ),
    Diagnosis(
        "DIAG406", "The image is for another processor than the node's", _made(PROCESSOR),
        "StartError, RunContainerError or CreateContainerError: exec format error",
        "The image was built for another architecture (arm64, amd64) than that of its node.",
        "Use an image of the node's architecture, or nodes that fit (nodeSelector kubernetes.io/arch).",
        "Kubernetes, Assigning Pods to Nodes",
    ),
    Diagnosis(
        "DIAG405", "The container cannot be created", _made(None),
        "CreateContainerConfigError, CreateContainerError, RunContainerError",
        "The node's container runtime rejects the container's configuration.",
        "Correct the fields in the message.",
        "Kubernetes, Debug Pods",
    ),
    Diagnosis(
        "DIAG411", "A container was killed because it ran out of memory", _out_of_memory,
        "OOMKilled, exit code 137, CrashLoopBackOff",
        "The container used more main memory than its limit: weights are read through it, and each GPU's process "
        "needs its own share.",
        "Raise resources.limits.memory (for vLLM more than the size of the weights), or the size of the /dev/shm"
        " volume, which counts too.",
        "F9; vllm-project/production-stack#782",
    ),
    Diagnosis(
        "DIAG415", "Pods are evicted: one of their volumes exceeds its size limit",
        _evicted(
            _EMPTY_DIR,
            "Raise the sizeLimit of the emptyDir {1}, which is {2} (for model-storage: modelArtifacts.size), above "
            "the size of its content (all files of a model), or use a claim instead (pvc://).",
        ),
        "Pod Failed, reason Evicted: Usage of EmptyDir volume ... exceeds the limit",
        "More is written to an emptyDir than its sizeLimit; the next pod starts over and is evicted again.",
        "Raise the volume's sizeLimit (of model-storage: modelArtifacts.size) above the size of the model's files.",
        "Kubernetes, Volumes: emptyDir",
    ),
    Diagnosis(
        "DIAG416", "Pods are evicted: they exceed their limit of ephemeral storage", _evicted(_DISK_LIMIT),
        "Pod Failed, reason Evicted: exceeded its local ephemeral storage limit",
        "Logs, files and emptyDir volumes of the containers exceed resources.limits.ephemeral-storage.",
        "Raise resources.limits.ephemeral-storage, or put caches and weights on a claim (pvc://).",
        "Kubernetes, Local ephemeral storage",
    ),
    Diagnosis(
        "DIAG412", "Pods were evicted from their node", _evicted(None),
        "Pod Failed, reason Evicted: The node was low on resource ...",
        "The node was short of disk, memory or process ids; model weights fill ephemeral storage quickly.",
        "Give the pods requests for ephemeral-storage, or put the weights on a claim; relieve the node's pressure.",
        "Kubernetes, Node-pressure Eviction",
    ),
    Diagnosis(
        "DIAG417", "Pods lost their node", _node_left,
        "Pod Failed, reason Terminated, NodeShutdown, NodeLost or Preempting",
        "The node was shut down or lost, or a pod of higher priority took its place.",
        (
            "Bring the node back, or wait until the workload's new pods are scheduled elsewhere; check what keeps "
            "them from it."
        ),
        "Kubernetes, Node shutdowns; Pod Priority and Preemption",
    ),
    Diagnosis(
        "DIAG421", "The node does not have the runtime of the pods' RuntimeClass",
        _sandbox(
            _RUNTIME,
            "Set up the runtime {0} on node {1} (for nvidia: the container toolkit of the GPU operator, then restart "
            "containerd), or remove runtimeClassName from the values if the default runtime already provides GPUs.",
        ),
        'Pod Pending in ContainerCreating, event FailedCreatePodSandBox: no runtime for "nvidia" is configured',
        "A RuntimeClass has a handler that the node's container runtime is not configured for.",
        "Configure the runtime on the node, or remove runtimeClassName from the values.",
        "Kubernetes, Runtime Class; NVIDIA/gpu-operator#413",
    ),
    Diagnosis(
        "DIAG422", "The node cannot connect the pods to the network", _sandbox(_NETWORK),
        "Pod Pending in ContainerCreating, event FailedCreatePodSandBox: failed to setup network for sandbox",
        "The network plugin (CNI) of the node fails: it is not running, has no addresses left, or a network of the "
        "pods does not exist.",
        "Check the network plugin's pods on the node and the addresses left; create the missing network.",
        "Kubernetes, Network Plugins",
    ),
    Diagnosis(
        "DIAG423", "The node cannot create the pods' sandbox", _sandbox(None),
        "Pod Pending in ContainerCreating, event FailedCreatePodSandBox",
        "The node's container runtime fails; see its message.",
        "Fix the cause in the message; check the container runtime on the node.",
        "Kubernetes, Debug Pods",
    ),
    Diagnosis(
        "DIAG424", "The pods wait for an init container that does not finish", _endless_init,
        "Pod Pending in Init:0/1 for a long time, no events",
        "Containers start when all init containers have finished. One that serves never finishes, unless it is a "
        "sidecar (restartPolicy: Always); one that downloads finishes when it is done.",
        "Read the init container's log; wait while it shows progress.",
        "Kubernetes, Sidecar Containers",
    ),
    Diagnosis(
        "DIAG413", "A probe kills the container before the model is loaded", _killed_by_probe,
        "events Unhealthy and Killing: failed liveness or startup probe; exit code 137 or 143; restarts",
        "Loading takes longer than the startup or liveness probe allows.",
        "Raise startupProbe.failureThreshold x periodSeconds above the loading time (minutes for large models, more"
        " for a first download).",
        "F9; llm-d/llm-d-benchmark#1828",
    ),
    Diagnosis(
        "DIAG414", "A container is running but not ready", _loading,
        "Pod Running, not Ready, event Unhealthy",
        "The server is still loading, or listens on another port or path than the probe's.",
        "Wait while the log shows progress; else compare the probe's port and path with the server's.",
        "F9; llm-d/llm-d-benchmark#878",
        WARNING, REST,
    ),
)  # fmt: skip
