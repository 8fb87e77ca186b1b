# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The control plane fails during a deployment, or something in the cluster or on the disk stands in its way."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import time

from chaos_lab import helm_data, helm_payload, until
from kubernetes.client.exceptions import ApiException
from proxy import Proxy
from trial import Fault, Trial

CRD = "httproutes.gateway.networking.k8s.io"
MODEL = {"llm-d.ai/model": "qwen3-0-6b"}


def installing(trial: Trial) -> bool:
    """Whether the first release is there."""
    try:
        return bool(trial.lab.records(trial.namespace))
    except ApiException:
        return False


def apiserver_killed(down: float, trial: Trial) -> None:
    """kube-apiserver killed while releases are installed, and started again some seconds later."""
    play = trial.start()
    until(lambda: installing(trial))
    pid = trial.lab.component("kube-apiserver")
    argv = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    folder = os.readlink(f"/proc/{pid}/cwd")
    os.kill(pid, signal.SIGKILL)
    time.sleep(down)
    nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen(argv, cwd=folder, start_new_session=True, **nowhere)
    trial.ended(play, "connection refused", "Connection refused", "Cannot reach the cluster")
    trial.again()


def etcd_paused(trial: Trial) -> None:
    """etcd stopped for 10 s while releases are installed."""
    play = trial.start()
    until(lambda: installing(trial))
    pid = trial.lab.component("etcd")
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(10)
    finally:
        os.kill(pid, signal.SIGCONT)
    trial.ended(play, survives=True)
    trial.again()


def refused(seconds: float, trial: Trial) -> None:
    """Connections cut, and refused for some seconds, while releases are installed."""
    proxy = Proxy(trial.lab.port)
    kubeconfig = proxy.kubeconfig(trial.lab.kubeconfig, trial.lab.folder / f"{trial.namespace}.kubeconfig")
    play = trial.start(llm_d_kubeconfig=kubeconfig)
    until(lambda: installing(trial))
    proxy.refuse(seconds)
    trial.ended(play, survives=True)
    trial.again()


def quota(capacity: str, trial: Trial) -> None:
    """A quota that has no room for the pods."""
    trial.lab.make_namespace(trial.namespace)
    trial.quota("tight", {"pods": "2"})
    trial.ended(trial.start(llm_d_capacity=capacity, llm_d_wait_timeout=60), "quota", survives=False)
    trial.lab.core.delete_namespaced_resource_quota("tight", trial.namespace)
    trial.again()


def pod_fails(fault: str, trial: Trial) -> None:
    """A pod of a model fails as real ones do."""
    trial.lab.make_namespace(trial.namespace)
    failing = {"name": "failing", "fault": fault, "match": MODEL, "namespace": trial.namespace}
    trial.lab.up(lab_faults=[failing])
    reasons = {"Pending": ("Unschedulable",), "CrashLoopBackOff": ("CrashLoop", "exit")}
    try:
        trial.ended(trial.start(), *reasons.get(fault, (fault,)), survives=False)
    finally:
        trial.lab.up(lab_faults=[])
    trial.again()


def crd_deleted(trial: Trial) -> None:
    """The definition of HTTPRoute deleted while releases are installed."""
    play = trial.start()
    until(lambda: installing(trial))
    trial.lab.definitions.delete_custom_resource_definition(CRD)
    trial.ended(play, "HTTPRoute", survives=False)
    trial.lab.up()
    until(lambda: served(trial))
    trial.again()


def served(trial: Trial) -> bool:
    """Whether HTTPRoutes are served again."""
    crd = trial.lab.definitions.read_custom_resource_definition(CRD)
    return any(one.type == "Established" and one.status == "True" for one in crd.status.conditions or [])


def release_locked(trial: Trial) -> None:
    """A release that Helm left pending-upgrade a while ago."""
    trial.deploy()
    name = "sh.helm.release.v1.ms-qwen3-0-6b.v1"
    secret = trial.lab.core.read_namespaced_secret(name, trial.namespace)
    payload = helm_payload(secret.data["release"])
    payload["info"]["status"] = "pending-upgrade"
    body = {"metadata": {"labels": {"status": "pending-upgrade"}}, "data": {"release": helm_data(payload)}}
    trial.lab.core.patch_namespaced_secret(name, trial.namespace, body)
    play = trial.start()
    trial.ended(play, survives=True)
    trial.again()


def disk_full(trial: Trial) -> None:
    """No room on the disk that records are written to."""
    folder = trial.lab.folder / "full"
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        trial.row.outcome = "not tried: it takes the right to mount a small disk"
        return
    try:
        with pathlib.Path(folder / "ballast").open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"x" * 4096)
            except OSError:
                pass
        trial.ended(trial.start(llm_d_records_dir=str(folder / "records")), "records")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder)
    trial.again()


FAULTS: list[tuple[str, Fault]] = [
    ("kube-apiserver killed, back after 3 s", functools.partial(apiserver_killed, 3)),
    ("kube-apiserver killed, back after 15 s", functools.partial(apiserver_killed, 15)),
    ("etcd paused for 10 s", etcd_paused),
    ("connection refused for 20 s", functools.partial(refused, 20)),
    ("quota hit, found in planning", functools.partial(quota, "block")),
    ("quota hit, capacity not checked", functools.partial(quota, "off")),
    ("image that cannot be pulled", functools.partial(pod_fails, "ImagePullBackOff")),
    ("container that crashes", functools.partial(pod_fails, "CrashLoopBackOff")),
    ("container out of memory", functools.partial(pod_fails, "OOMKilled")),
    ("pod that no node has room for", functools.partial(pod_fails, "Pending")),
    ("CRD of HTTPRoute deleted", crd_deleted),
    ("release pending-upgrade, its Helm gone", release_locked),
    ("full disk for records", disk_full),
]
