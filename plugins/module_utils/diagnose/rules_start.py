# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: containers that cannot be made, are killed, or do not become ready, by their status alone."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..objects.pods import condition, container_states, ended, waiting
from .base import Diagnosis, Proof, event_of, event_text
from .evidence import Evidence, clean, ref

MAKING = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")
SECRET = re.compile(r'secret "([^"]+)" not found', re.IGNORECASE)
KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)", re.IGNORECASE)
CONFIG_MAP = re.compile(r'configmap "([^"]+)" not found', re.IGNORECASE)
COMMAND = re.compile(r"executable file not found|no such file or directory|permission denied.*exec|exec format error")
KILLED = (137, 143)


def _made(pattern: re.Pattern[str] | None, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for containers that cannot be made; None: those that no other pattern knows."""
    known = (SECRET, KEY, CONFIG_MAP, COMMAND)

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod, state, reason, message in _unmade(evidence):
            found = pattern.search(message) if pattern else not any(other.search(message) for other in known)
            if not found:
                continue
            text = f"container {state.get('name')}: {reason}: {clean(message)}"
            groups = found.groups() if isinstance(found, re.Match) else ()
            advice = remedy.format("", *(clean(group, 120) for group in groups)) if remedy and groups else ""
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


def _evicted(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        status = pod.get("status") or {}
        if status.get("phase") == "Failed" and status.get("reason") in (
            "Evicted",
            "Preempting",
            "NodeLost",
            "Terminated",
        ):
            kind, _namespace, name = evidence.workload(pod)
            owner = evidence.find(kind, name)
            if owner is None or int((owner.get("status") or {}).get("readyReplicas") or 0) < int(
                (owner.get("spec") or {}).get("replicas") or 1
            ):
                text = f"{status.get('reason')}: {clean(status.get('message'))}"
                yield Proof((ref(pod),), text, key=str(status.get("reason")), since=evidence.since(pod))


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


def _probe_fails(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        running = [s for s in container_states(pod) if not s.get("ready") and "running" in (s.get("state") or {})]
        event = event_of(evidence, pod, "Unhealthy")
        if running and event and condition(pod, "Ready").get("status") != "True":
            text = f"container {running[0].get('name')} runs and is not ready; {event_text(event)}"
            yield Proof((ref(pod),), text, key=str(running[0].get("name")), since=evidence.since(pod))


_SECRET_REMEDY = (
    "Make the Secret {1} in this namespace, or name another in the values; site.yml makes the Hugging Face one where"
    " prepare_hf_token is set."
)

RULES = (
    Diagnosis(
        "DIAG401", "A Secret that a container needs does not exist", _made(SECRET, _SECRET_REMEDY),
        'CreateContainerConfigError: secret "..." not found',
        "The container takes a variable from a Secret that is not in the namespace.",
        "Make the Secret in this namespace, or name another in the values.",
        "F9; vllm-project/aibrix#772",
    ),
    Diagnosis(
        "DIAG402", "A Secret or ConfigMap lacks the key that a container needs",
        _made(KEY, "Add the key {1} to the {2} {3}, or name the right key in the values."),
        "CreateContainerConfigError: couldn't find key ... in Secret ...",
        "The object exists, under another key.",
        "Add the key, or name the right one in the values.",
        "F9",
    ),
    Diagnosis(
        "DIAG403", "A ConfigMap that a container needs does not exist",
        _made(CONFIG_MAP, "Make the ConfigMap {1} in this namespace, or name another in the values."),
        'CreateContainerConfigError: configmap "..." not found',
        "The container takes a variable from a ConfigMap that is not in the namespace.",
        "Make the ConfigMap, or name another in the values.",
        "Kubernetes, Configure a Pod to Use a ConfigMap",
    ),
    Diagnosis(
        "DIAG404", "The container's command cannot be run", _made(COMMAND),
        "StartError, RunContainerError or CreateContainerError: executable file not found",
        "The image does not hold the command, or it is for another processor.",
        "Correct command and args in the values (modelCommand: vllmServe needs an image with vLLM).",
        "Kubernetes, Debug Pods",
    ),
    Diagnosis(
        "DIAG405", "The container cannot be made", _made(None),
        "CreateContainerConfigError, CreateContainerError, RunContainerError",
        "The node's container runtime refuses the container's configuration.",
        "Correct what the message names.",
        "Kubernetes, Debug Pods",
    ),
    Diagnosis(
        "DIAG411", "A container was killed for want of memory", _out_of_memory,
        "OOMKilled, exit code 137, CrashLoopBackOff",
        "The container used more main memory than its limit: weights are read through it, and every GPU's process has"
        " its own share.",
        "Raise resources.limits.memory (for vLLM more than the size of the weights), or the size of the /dev/shm"
        " volume, which counts too.",
        "F9; vllm-project/production-stack#782",
    ),
    Diagnosis(
        "DIAG412", "Pods were evicted from their node", _evicted,
        "Pod Failed, reason Evicted",
        "The node was short of disk, memory or process ids; model weights fill ephemeral storage soon.",
        "Give the pods requests for ephemeral-storage, or put the weights on a claim; mend the node's pressure.",
        "Kubernetes, Node-pressure Eviction",
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
        "DIAG414", "A container runs and its probe fails", _probe_fails,
        "Pod Running, not Ready, event Unhealthy",
        "The server is still loading, or listens on another port or path than the probe asks.",
        "Wait while the log shows progress; else compare the probe's port and path with the server's.",
        "F9; llm-d/llm-d-benchmark#878",
        "warning",
    ),
)  # fmt: skip
