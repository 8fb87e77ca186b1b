#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Keep two operators from changing one namespace at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_lock
short_description: Keep two operators from changing one namespace at once
version_added: 0.1.0
description:
  - Takes a Lease in each namespace, has it renewed while the playbook runs, and gives it back.
  - A second run waits, or fails and reports who holds the lock and since when.
  - The lock of a playbook that was killed is free at once for runs on the same machine, and after 30 seconds elsewhere.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - llm_d.orchestrator.cluster
attributes:
  check_mode:
    support: full
    description: Takes no lock, and warns if another run holds it.
  diff_mode:
    support: none
    description: A lock is not part of the desired state.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  state:
    description: V(present) takes the locks, V(verified) fails where one was lost, V(absent) gives them back.
    type: str
    choices: [present, verified, absent]
    default: present
  namespaces:
    description: The namespaces.
    type: list
    elements: str
    required: true
  mode:
    description: What to do if another run holds a lock. V(off) takes none.
    type: str
    choices: [refuse, wait, "off"]
    default: refuse
  timeout:
    description: Seconds to wait with O(mode=wait).
    type: int
    default: 600
  cluster_name:
    description: Name of the cluster in the inventory, for whoever comes second.
    type: str
    default: cluster
  user:
    description: Who runs the playbook, by default the user of the system.
    type: str
  run:
    description: When the run began, as 20261121T083000Z.
    type: str
    default: ""
  purpose:
    description: What the lock is for, for whoever comes second.
    type: str
    default: ""
  create_namespace:
    description:
      - Makes a namespace that does not exist, with this collection's labels, and fails where one may not be locked.
      - Otherwise those are skipped, unless none is left.
    type: bool
    default: false
  seen:
    description: Versions of the locks during planning. RV(stale) says whether another run has held one since.
    type: dict
  held:
    description: What an earlier call returned as RV(held), for V(verified) and V(absent).
    type: dict
  delete:
    description: With O(state=absent), deletes the Leases, because nothing is left in the namespaces.
    type: bool
    default: false
  owner:
    description: Process whose end frees the locks, by default the playbook's.
    type: int
"""

EXAMPLES = r"""
- name: Take the lock
  llm_d.orchestrator.stack_lock:
    namespaces: [llm-d]
    mode: wait
  register: lock

- name: Give it back
  llm_d.orchestrator.stack_lock:
    namespaces: [llm-d]
    state: absent
    held: "{{ lock.held }}"
"""

RETURN = r"""
held:
  description: The locks that this run holds; empty where none was taken.
  returned: success
  type: dict
  contains:
    identity: {description: The holder's name in the Leases., type: str, sample: ann@laptop/lab/20261121T083000Z/4711}
    process: {description: The playbook's process., type: dict}
    renewer: {description: The process that renews., type: dict}
    namespaces: {description: The namespaces that are locked., type: list, elements: str}
    taken: {description: When they were taken by the machine's monotonic clock., type: float}
stale:
  description: Whether another run has had a lock since O(seen), so that the plan may no longer be valid.
  returned: success
  type: bool
waited:
  description: Seconds for which it was waited for locks of others.
  returned: success
  type: float
"""

import getpass
import os
import signal
import socket
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import Forbidden, OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.process import describe, start_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import PATIENCE, Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.prepare import PrepareComponent
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.deployed import ensure_namespace
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.lease import RENEW, held_text, holder
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.locks import OFF, Locks, verify_held
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.renewer import start

NOTHING: dict = {"held": {}, "stale": False, "waited": 0.0}


def user_name() -> str:
    """Return the system's name of the user; containers run users without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def identity(params: dict, process: dict) -> str:
    """Return the holder's name: user@host/cluster/run/process."""
    who = f"{params['user'] or user_name()}@{socket.gethostname()}"
    return "/".join(filter(None, [who, params["cluster_name"], params["run"], process["pid"]]))


def look(params: dict, cluster: Cluster, warn: t.Callable[[str], t.Any]) -> dict:
    """Warn of locks of others, which is all that check mode does."""
    locks = Locks(cluster, "", {}, "", warn)
    for namespace in params["namespaces"]:
        lease = locks.read(namespace)
        if lease and holder(lease):
            warn(f"{held_text(lease, namespace)} A deployment would wait or be refused now.")
    return {"changed": False, **NOTHING}


def take(params: dict, cluster: Cluster, say: t.Callable[[str], t.Any]) -> dict:
    """Take all locks or none; raise OrchestratorError."""
    process = describe(params["owner"] or os.getppid())
    locks = Locks(cluster, identity(params, process), process, params["purpose"], say)
    names, changed = sorted(set(params["namespaces"])), False
    if params["create_namespace"]:
        made = [ensure_namespace(cluster, name, PrepareComponent.name) for name in names]
        changed = any(made)
    done: list[str] = []
    refused: list[Forbidden] = []
    try:
        for name in names:
            try:
                if params["create_namespace"] or cluster.get("v1", "Namespace", name):
                    locks.take(name, params["mode"], params["timeout"])
                    done.append(name)
            except Forbidden as exc:
                refused.append(exc)
        if refused and (params["create_namespace"] or not done):
            raise refused[0]
        names = done
        pid = start(cluster.auth, names, locks.identity, process, RENEW) if names else 0
    except BaseException:
        for name in done:
            locks.release(name)
        raise
    for exc in refused:
        say(f"Not locked: {exc.message}")
    renewer = {"pid": pid, "start": start_of(pid) or ""}
    held: dict = {"identity": locks.identity, "process": process, "renewer": renewer, "namespaces": names}
    held["taken"] = time.monotonic()
    seen = params["seen"] or {}
    stale = any(locks.before.get(name, "") != version for name, version in seen.items() if name in names)
    return {"changed": changed, "held": held, "stale": stale, "waited": round(locks.waited, 1)}


def give_back(params: dict, cluster: Cluster) -> dict:
    """Give back what is held."""
    held = params["held"]
    locks = Locks(cluster, held["identity"], held["process"], "", str)
    for name in held["namespaces"]:
        locks.release(name, delete=params["delete"])
    return {"changed": False, **NOTHING}


def stop_renewer(held: dict) -> None:
    """End the process that renews, which has nothing more to do."""
    pid = int(held["renewer"]["pid"])
    if pid and start_of(pid) == held["renewer"]["start"]:
        os.kill(pid, signal.SIGTERM)


def run(module: AnsibleModule, say: t.Callable[[str], t.Any]) -> dict:
    """Return the module's result; raise OrchestratorError."""
    params = module.params
    held = params["held"]
    if params["mode"] == OFF or (params["state"] != "present" and not held):
        return {"changed": False, **NOTHING}
    if params["state"] == "absent":
        stop_renewer(held)
    cluster = Cluster(params, PATIENCE)
    if module.check_mode:
        return look(params, cluster, module.warn)
    if params["state"] == "present":
        return take(params, cluster, say)
    if params["state"] == "verified":
        verify_held(cluster, held)
        return {"changed": False, **NOTHING, "held": held}
    return give_back(params, cluster)


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    try:
        return run(module, getattr(module, "say", module.warn))
    except OrchestratorError as exc:
        if module.params["state"] != "absent":
            raise
        # What was deployed is there all the same; the lock goes by itself.
        module.warn(f"The lock was not released, and will expire: {exc}")
        return {"changed": False, **NOTHING}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()
