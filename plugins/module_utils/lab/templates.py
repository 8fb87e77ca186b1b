# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The statuses that the lab's stages write: Go templates of YAML, rendered by KWOK with the object as the dot."""

from __future__ import annotations

# Conditions of a pod that only the lab reads: when it becomes ready, and whether a fault keeps it down.
STARTING = "lab.llm-d.ai/Starting"
FAULT = "lab.llm-d.ai/Fault"
# Annotations. What the serving plane, as the kubelet, has found of a pod: started, held or crashed.
KUBELET = "lab.llm-d.ai/kubelet"
# A pod is held by the first, its text is the message of the containers that wait; the second is their reason.
CONFIG_ERROR = "lab.llm-d.ai/config-error"
WAITING_REASON = "lab.llm-d.ai/waiting-reason"
# Of a pod that is held by an init container, that container, for which the others wait.
WAITING_INIT = "lab.llm-d.ai/waiting-init-container"
# With which code the container of a crashed pod has ended, 1 where nothing is said.
EXIT_CODE = "lab.llm-d.ai/exit-code"
# A pod's own delay, a Go duration.
READY_DELAY = "lab.llm-d.ai/ready-delay"
STORAGE_PROVISIONER = "lab.llm-d.ai/storage"
HEAD = """
{{ $now := Now }}
{{ $root := . }}
"""

NODE_READY = (
    HEAD
    + """
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }},
   message: {{ .message | Quote }}, lastHeartbeatTime: {{ $now | Quote }}, lastTransitionTime: {{ $now | Quote }}}
{{ end }}
daemonEndpoints: {kubeletEndpoint: {Port: {{ NodePort }}}}
phase: Running
"""
)

# The parts of a container's status that stay the same through its life.
IDENTITY = """
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ printf "%s@sha256:%s" (regexReplaceAll "(@.*|:[^/:]*)$" .image "") (.image | sha256sum) | Quote }}
  containerID: {{ printf "kwok://%s" (printf "%s/%s" $root.metadata.uid .name | sha256sum) | Quote }}
"""
_TERMINATED = """{terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }},
           finishedAt: {{ $now | Quote }}}}"""

_INIT_ENDED = (
    """
  ready: true
  restartCount: 0
  {{ if eq (default "" .restartPolicy) "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
  {{ else }}
  started: false
  state: """
    + _TERMINATED
    + """
  {{ end }}
"""
)


def init_containers(failing: str = '""', state: str = "") -> str:
    """Return the statuses of all init containers: those that have ended, and the failing one (a template) with `state`.

    Sets $init to whether there is such a one.
    """
    return (
        "{{ $init := false }}{{ $failing := "
        + failing
        + " }}{{ if .spec.initContainers }}\ninitContainerStatuses:\n{{ range .spec.initContainers }}"
        + IDENTITY
        + "{{ if eq .name $failing }}{{ $init = true }}"
        + state
        + "{{ else }}"
        + _INIT_ENDED
        + "{{ end }}\n{{ end }}\n{{ end }}\n"
    )


INITIALIZING = """
  ready: false
  started: false
  restartCount: 0
  state: {waiting: {reason: PodInitializing}}
"""
INIT_CONTAINERS = init_containers()

# An address that is already there stays: the API merges lists of addresses, and a pod has one per family.
ADDRESSES = """
{{ if not .status.podIP }}
{{ with NodeIPWith .spec.nodeName }}
hostIP: {{ . | Quote }}
hostIPs: [{ip: {{ . | Quote }}}]
{{ end }}
{{ with PodIPWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ . | Quote }}
podIPs: [{ip: {{ . | Quote }}}]
{{ end }}
startTime: {{ $now | Quote }}
{{ end }}
"""

UNREADY = (
    "'containers with unready status: "
    "[{{ range $i, $c := .spec.containers }}{{ if $i }} {{ end }}{{ $c.name }}{{ end }}]'"
)
GATES = """
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
"""
_RUNNING = """
  ready: READY
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
"""


def condition(kind: str, status: bool, reason: str = "", message: str = "''") -> str:
    """Return one entry of a pod's conditions; message is YAML as it stands, quoted by the caller."""
    return (
        f'- {{type: {kind}, status: "{status}", reason: "{reason}", message: {message},'
        " lastTransitionTime: {{ $now | Quote }}}\n"
    )


def containers(state: str) -> str:
    """Return the statuses of all containers, each with the same `state` lines (two blanks of indent)."""
    return "containerStatuses:\n{{ range .spec.containers }}" + IDENTITY + state + "{{ end }}\n"


def unready() -> str:
    """Return the two conditions of a pod whose containers are not all ready."""
    return condition("Ready", False, "ContainersNotReady", UNREADY) + condition(
        "ContainersReady", False, "ContainersNotReady", UNREADY
    )


def started(delay: str) -> str:
    """Return the status of a pod that runs and will be ready `delay` (a Go duration) from now."""
    annotation = f'(index (default (dict) .metadata.annotations) "{READY_DELAY}")'
    ready_at = (
        f'{{{{ now | date_modify (default "{delay}" {annotation}) '
        '| date "2006-01-02T15:04:05.999999999Z07:00" | Quote }}'
    )
    conditions = (
        condition("PodReadyToStartContainers", True)
        + condition("Initialized", True)
        + unready()
        + condition(STARTING, True, "ReadyAt", ready_at)
        + condition(FAULT, False)
    )
    running = containers(_RUNNING.replace("READY", "false"))
    return HEAD + "conditions:\n" + conditions + GATES + ADDRESSES + INIT_CONTAINERS + running + "phase: Running\n"


READY = (
    HEAD
    + "conditions:\n"
    + condition("Ready", True)
    + condition("ContainersReady", True)
    + condition(STARTING, False, "Started")
    + containers(_RUNNING.replace("READY", "true"))
)
COMPLETE = (
    HEAD
    + "conditions:\n"
    + condition("Ready", False, "PodCompleted")
    + condition("ContainersReady", False, "PodCompleted")
    + containers("\n  ready: false\n  started: false\n  restartCount: 0\n  state: " + _TERMINATED + "\n")
    + "phase: Succeeded\n"
)

_HELD_BY = (
    '{{ default "CreateContainerConfigError" (index (default (dict) $root.metadata.annotations) "'
    + WAITING_REASON
    + '") }}'
)
_WAITS = f"""
  ready: false
  started: false
  restartCount: 0
  state:
    waiting:
      reason: {_HELD_BY}
      message: {{{{ index $root.metadata.annotations "{CONFIG_ERROR}" | Quote }}}}
"""
_HELD_INIT = f'(default "" (index (default (dict) $root.metadata.annotations) "{WAITING_INIT}"))'
HELD = (
    HEAD
    + "conditions:\n"
    + condition("Initialized", True)
    + unready()
    + condition(STARTING, False, _HELD_BY)
    + condition(FAULT, True, _HELD_BY)
    + ADDRESSES
    + init_containers(_HELD_INIT, _WAITS)
    + containers("{{ if $init }}" + INITIALIZING + "{{ else }}" + _WAITS + "{{ end }}")
    + "phase: Pending\n"
)

VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-{{ .metadata.uid }}
  annotations: {pv.kubernetes.io/provisioned-by: PROVISIONER}
spec:
  accessModes: {{ .spec.accessModes | toJson }}
  capacity: {storage: {{ .spec.resources.requests.storage | Quote }}}
  persistentVolumeReclaimPolicy: Delete
  storageClassName: {{ .spec.storageClassName | Quote }}
  volumeMode: {{ default "Filesystem" .spec.volumeMode }}
  claimRef:
    apiVersion: v1
    kind: PersistentVolumeClaim
    name: {{ .metadata.name }}
    namespace: {{ .metadata.namespace }}
    uid: {{ .metadata.uid }}
  hostPath: {path: /lab/{{ .metadata.uid }}}
""".replace("PROVISIONER", STORAGE_PROVISIONER)
