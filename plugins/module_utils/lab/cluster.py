# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole lab: brought up, mended, looked at, taken down."""

from __future__ import annotations

import concurrent.futures
import pathlib
import time

from ..base.errors import OrchestratorError
from ..base.files import write_atomic
from . import faults as faults_of
from . import state as process
from .api import WORKERS, LabApi, summary
from .faults import write_logs
from .heal import heal
from .kwok import COMPONENTS, ControlPlane, kubeconfig_text
from .objects import desired_objects, expand_nodes, read_crds
from .plane import ServingPlane
from .state import LabState, crowded, patience, wait_until

READY_WITHIN = 60
PORTS_FREE_WITHIN = 3


class Lab:
    """One lab. params: the options of the module lab_cluster."""

    def __init__(self, params: dict) -> None:
        self.params = params
        self.state = LabState(params["name"], root=params.get("state_dir"))
        self.control = ControlPlane(self.state, params.get("binaries") or {})
        plane_files = params.get("plane_files") or ""
        self.charts = str(pathlib.Path(plane_files) / "charts")
        self.plane = ServingPlane(
            self.state, params.get("python") or "", plane_files, bool(params.get("load_balancer"))
        )
        self.actions: list[str] = []

    def present(self, check_mode: bool) -> dict:
        """Bring the lab up, or mend it, or change nothing where it is as wanted; return what lab_cluster returns."""
        started = time.monotonic()
        faults_of.check_faults(self.params["faults"])
        faults_of.check_delays(self.params["ready_delays"])
        expand_nodes(self.params["nodes"])
        record = self.state.record()
        reason, stops = self._what_ails(record)
        if check_mode and reason:
            self.actions.append(reason)
            return self._result(record, started)
        record = self._bring_up(record, reason, stops) if reason else self._follow_tools(record, check_mode)
        api = LabApi(record["ports"]["apiserver"], self.control.pki)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            self._bring_objects(api, record, pool, check_mode)
            record = self._bring_plane(record, bool(reason), check_mode)
            if not check_mode:
                self._settle(api, record)
        return self._result(record, started)

    def _what_ails(self, record: dict) -> tuple[str, bool]:
        """Return why the control plane needs work, "" where it needs none, and whether all of it has to stop first."""
        ports = record.get("ports")
        if not self.control.installed(ports) or not ports:
            return ("recreated an incomplete lab" if self.state.dir.exists() else "created the control plane"), False
        missing = self.control.missing()
        if missing:
            return "restarted " + ", ".join(missing), False
        known = record.get("versions") or {}
        if any(known.get(tool) != self.params["versions"].get(tool) for tool in COMPONENTS.values()):
            return "restarted the control plane with other versions", True
        if not wait_until(LabApi(ports["apiserver"], self.control.pki, timeout=5).ready, 10):
            return "restarted a control plane that did not answer", True
        return ("" if self.state.kubeconfig.exists() else "restored the kubeconfig"), False

    def _follow_tools(self, record: dict, check_mode: bool) -> dict:
        """Record where Helm, kubectl and the lab's charts are now, if they were moved or are of another version."""
        versions, binaries = self.params["versions"], self.params["binaries"]
        known = record.get("versions") or {}
        moved = {
            tool: binaries[tool]
            for tool in ("helm", "kubectl")
            if known.get(tool) != versions.get(tool) or not pathlib.Path(record[tool]).exists()
        }
        if record.get("charts") != self.charts:
            moved["charts"] = self.charts
        if moved:
            record = {**record, **moved, "versions": versions}
            self.actions.append("recorded where to find " + " and ".join(moved))
            if not check_mode:
                self.state.write_record(record)
        return record

    def _bring_up(self, record: dict, reason: str, stops: bool) -> dict:
        """Start what does not run, and make everything anew where that is not possible; return the new record."""
        self.state.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.actions.append(reason)
        record = dict(record)
        if not self._restarted(record, stops):
            record = {"ports": self.state.choose_ports()}
            self.plane.stop()
            self.control.create(record["ports"])
            self._wait_ready(record["ports"])
        port = record["ports"]["apiserver"]
        kubeconfig = kubeconfig_text(self.state.name, port, self.control.pki)
        write_atomic(str(self.state.kubeconfig), kubeconfig, 0o600)
        record.update(self._facts(port))
        self.state.write_record(record)
        return record

    def _restarted(self, record: dict, stops: bool) -> bool:
        """Say whether the lab runs again with its data; where it cannot, the actions say why.

        stops: whether what still runs of it has to stop first.
        """
        if not self.control.installed(record.get("ports")):
            return False
        if stops:
            self.control.stop()
        # A killed process may hold its ports a moment longer.
        if not wait_until(lambda: not self.control.taken_ports(record["ports"]), PORTS_FREE_WITHIN):
            taken = self.control.taken_ports(record["ports"])
            self.actions.append(f"recreated the lab on other ports: {', '.join(map(str, taken))} are taken")
            return False
        try:
            self.control.start()
            self._wait_ready(record["ports"])
        except OrchestratorError as exc:
            self.actions.append(f"recreated the lab, because it did not restart: {exc.message}")
            return False
        return True

    def _wait_ready(self, ports: dict) -> None:
        api = LabApi(ports["apiserver"], self.control.pki)
        if not wait_until(
            lambda: api.ready() and self.control.healthy(ports) and api.serves_definitions(), READY_WITHIN
        ):
            waited = patience(READY_WITHIN)
            raise OrchestratorError(
                f"The control plane of the lab {self.state.name!r} was not ready after {waited:.0f}s.",
                details=self.control.log_tail(),
                hint=f"The logs are in {self.state.cluster_dir / 'logs'}.{crowded()}",
            )

    def _facts(self, port: int) -> dict:
        return {
            "name": self.state.name,
            "kubeconfig": str(self.state.kubeconfig),
            "context": f"lab-{self.state.name}",
            "server": f"https://127.0.0.1:{port}",
            "helm": self.params["binaries"]["helm"],
            "kubectl": self.params["binaries"]["kubectl"],
            "charts": self.charts,
            "versions": self.params["versions"],
            "state_dir": str(self.state.dir),
            "pids": {name: found.pid for name, found in sorted(self.control.alive().items())},
        }

    def _bring_objects(self, api: LabApi, record: dict, pool: concurrent.futures.Executor, check_mode: bool) -> None:
        crds = read_crds(self.params["crds"])
        log_dir = str(self.state.fault_logs)
        desired = desired_objects(self.params, crds, record["ports"]["kwok"], log_dir)
        changes = api.changes(desired, pool)
        self.actions += summary(changes)
        if check_mode:
            return
        if write_logs(self.state.fault_logs, self.params["faults"]):
            self.actions.append("wrote the logs of faults")
        api.apply(changes, pool)
        self.actions += heal(api, changes, self.params["faults"], pool)

    def _bring_plane(self, record: dict, control_changed: bool, check_mode: bool) -> dict:
        if not control_changed and self.plane.healthy(record.get("plane")):
            return record
        if not self.plane.exists() and not self.plane.running():
            return record
        self.actions.append("started the serving plane")
        if check_mode:
            return record
        pid = self.plane.restart()
        pids = {**record["pids"], **({"serving_plane": pid} if pid else {})}
        record = {**record, "plane": self.plane.fingerprint() if pid else None, "pids": pids}
        self.state.write_record(record)
        return record

    def _settle(self, api: LabApi, record: dict) -> None:
        """Wait until every node is Ready."""
        if not self.actions:
            return
        if not wait_until(lambda: not api.unready_nodes(), READY_WITHIN, step=0.1):
            raise OrchestratorError(
                "Nodes of the lab are not Ready: " + ", ".join(api.unready_nodes()),
                hint=f"KWOK's log is {self.state.cluster_dir / 'logs' / 'kwok-controller.log'}.{crowded()}",
            )

    def verify(self) -> dict:
        """Return what lab_cluster returns for a healthy lab; raises OrchestratorError that names what is wrong."""
        started = time.monotonic()
        record = self.state.record()
        if not self.state.dir.exists():
            wrong = ["it does not exist"]
        else:
            missing = self.control.missing()
            wrong = [f"{name} is not running" for name in missing]
            installed = self.control.installed(record.get("ports"))
            if not installed:
                wrong.append("its control plane was not created completely")
            elif not missing and not LabApi(record["ports"]["apiserver"], self.control.pki).ready():
                wrong.append("the API server is not ready")
            if self.plane.exists() and not self.plane.healthy(record.get("plane")):
                wrong.append("the serving plane is not running, is not ready, or is of an older version")
        if wrong:
            raise OrchestratorError(f"The lab {self.state.name!r} is not up.", details=wrong, hint="Run lab_up.")
        return self._result(record, started)

    def absent(self, check_mode: bool) -> dict:
        """End the lab's processes and delete its folder; nothing to do is fine."""
        started = time.monotonic()
        running = process.processes()
        victims = [*process.components_of(self.state.cluster_dir, running).values()]
        victims += process.planes_of(self.state.dir, running)
        if victims:
            self.actions.append(f"stopped {len(victims)} processes")
        if self.state.dir.exists():
            self.actions.append(f"removed {self.state.dir}")
        if not check_mode:
            self.plane.stop()
            self.control.stop()
            self.state.remove()
        return {"changed": bool(self.actions), "actions": self.actions, "seconds": round(time.monotonic() - started, 2)}

    def _result(self, record: dict, started: float) -> dict:
        memory = {name: found.rss // 2**20 for name, found in sorted(self.control.alive().items())}
        for found in self.plane.running():
            memory["serving_plane"] = found.rss // 2**20
        return {
            **record,
            "changed": bool(self.actions),
            "actions": self.actions,
            "memory_mib": memory,
            "seconds": round(time.monotonic() - started, 2),
        }
