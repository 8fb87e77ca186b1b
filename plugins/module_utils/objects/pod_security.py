# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Pod Security Standards refuse of a pod, by field.

After kubernetes.io/docs/concepts/security/pod-security-standards, with the names that the API server's own admission
(k8s.io/pod-security-admission, policy/check_*.go) gives to what it refuses.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, mapping, texts

PRIVILEGED, BASELINE, RESTRICTED = "privileged", "baseline", "restricted"
Path = tuple[t.Any, ...]
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")

_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)

_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")

_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    ]
)

_VOLUMES = frozenset(
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"]
)


class Refusal(t.NamedTuple):
    """What is refused: its name, the path in the pod's spec, and what it is there."""

    name: str
    path: Path
    text: str


def containers(spec: Object) -> t.Iterator[tuple[Path, Object, Object]]:
    """Yield each container of a pod: its path, itself, its security context."""
    for key in CONTAINERS:
        for index, container in enumerate(dicts(spec.get(key))):
            yield (key, index), container, mapping(container.get("securityContext"))


def refusals(spec: Object, level: str) -> list[Refusal]:
    """Return what a level refuses of a pod's spec, [] for privileged or an unknown level."""
    found: list[Refusal] = []
    if level in (BASELINE, RESTRICTED):
        found += [*_pod(spec), *_volumes_of_hosts(spec)]
        for path, container, context in containers(spec):
            found += [*_container(path, container, context)]
        for path, context in _contexts(spec):
            found += _options(path, context)
    if level == RESTRICTED:
        # The level's own, stricter checks take the place of these.
        found = [one for one in found if one.name not in ("non-default capabilities", "hostPath volumes")]
        found += [*_restricted(spec)]
    return found


def _contexts(spec: Object) -> t.Iterator[tuple[Path, Object]]:
    yield ("securityContext",), mapping(spec.get("securityContext"))
    for path, _container_body, context in containers(spec):
        yield (*path, "securityContext"), context


def _pod(spec: Object) -> t.Iterator[Refusal]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key) is True:
            yield Refusal("host namespaces", (key,), "true")
    for index, entry in enumerate(dicts(mapping(spec.get("securityContext")).get("sysctls"))):
        if entry.get("name") not in _SYSCTLS:
            yield Refusal("forbidden sysctls", ("securityContext", "sysctls", index), str(entry.get("name")))


def _volumes_of_hosts(spec: Object) -> t.Iterator[Refusal]:
    for index, volume in enumerate(dicts(spec.get("volumes"))):
        if "hostPath" in volume:
            path = mapping(volume["hostPath"]).get("path")
            yield Refusal("hostPath volumes", ("volumes", index, "hostPath"), f"{volume.get('name')} ({path})")


def _container(path: Path, container: Object, context: Object) -> t.Iterator[Refusal]:
    if context.get("privileged") is True:
        yield Refusal("privileged", (*path, "securityContext", "privileged"), "true")
    added = texts(mapping(context.get("capabilities")).get("add"))
    for name in added:
        if name not in _CAPABILITIES:
            yield Refusal("non-default capabilities", (*path, "securityContext", "capabilities", "add"), name)
    for index, port in enumerate(dicts(container.get("ports"))):
        if port.get("hostPort"):
            yield Refusal("hostPort", (*path, "ports", index, "hostPort"), str(port["hostPort"]))
    if context.get("procMount") not in (None, "", "Default"):
        yield Refusal("procMount", (*path, "securityContext", "procMount"), str(context["procMount"]))


def _options(path: Path, context: Object) -> t.Iterator[Refusal]:
    options = mapping(context.get("seLinuxOptions"))
    for key in ("type", "user", "role"):
        value = options.get(key) or ""
        if value not in (_SELINUX if key == "type" else ("",)):
            yield Refusal("seLinuxOptions", (*path, "seLinuxOptions", key), str(value))
    if mapping(context.get("seccompProfile")).get("type") == "Unconfined":
        yield Refusal("seccompProfile", (*path, "seccompProfile", "type"), "Unconfined")
    if mapping(context.get("appArmorProfile")).get("type") == "Unconfined":
        yield Refusal("forbidden AppArmor profile", (*path, "appArmorProfile", "type"), "Unconfined")
    if mapping(context.get("windowsOptions")).get("hostProcess") is True:
        yield Refusal("hostProcess", (*path, "windowsOptions", "hostProcess"), "true")


def _restricted(spec: Object) -> t.Iterator[Refusal]:
    for index, volume in enumerate(dicts(spec.get("volumes"))):
        kinds = [key for key in volume if key != "name" and key not in _VOLUMES]
        if kinds:
            yield Refusal("restricted volume types", ("volumes", index), f"{volume.get('name')} is of type {kinds[0]}")
    pod, windows = mapping(spec.get("securityContext")), mapping(spec.get("os")).get("name") == "windows"
    if pod.get("runAsUser") == 0:
        yield Refusal("runAsUser=0", ("securityContext", "runAsUser"), "0")
    for path, _body, context in containers(spec):
        place = (*path, "securityContext")
        if not windows:
            yield from _unrestricted(place, pod, context)
        root = context.get("runAsNonRoot", pod.get("runAsNonRoot"))
        if root is not True:
            yield Refusal("runAsNonRoot != true", (*place, "runAsNonRoot"), "not set" if root is None else "false")
        if context.get("runAsUser") == 0:
            yield Refusal("runAsUser=0", (*place, "runAsUser"), "0")


def _unrestricted(place: Path, pod: Object, context: Object) -> t.Iterator[Refusal]:
    if context.get("allowPrivilegeEscalation") is not False:
        text = "true" if context.get("allowPrivilegeEscalation") else "not set"
        yield Refusal("allowPrivilegeEscalation != false", (*place, "allowPrivilegeEscalation"), text)
    capabilities = mapping(context.get("capabilities"))
    if "ALL" not in texts(capabilities.get("drop")):
        yield Refusal("unrestricted capabilities", (*place, "capabilities", "drop"), "without ALL")
    for name in texts(capabilities.get("add")):
        if name != "NET_BIND_SERVICE":
            yield Refusal("unrestricted capabilities", (*place, "capabilities", "add"), name)
    profile = mapping(context.get("seccompProfile")) or mapping(pod.get("seccompProfile"))
    if not profile.get("type"):
        yield Refusal("seccompProfile", (*place, "seccompProfile"), "not set")
