# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run of Ansible says of a fleet: its hosts and waves by plays, and the summary at its end."""

from __future__ import annotations

import datetime
import os
import sys
import typing as t

from ansible import context
from ansible.errors import AnsibleError
from ansible.template import Templar
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.files import usable_folder
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet import page, screen
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.report import Fleet, is_unreachable
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.inventory import KINDS, PREFIX
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import OURS, columns

# Groups whose hosts are no clusters.
MACHINES = {"lab_machines", *(PREFIX + kind for kind in KINDS)}
RECORDS = ("llm_d_records_home", "llm_d_records_dir")


def _counts(task: t.Any) -> bool:
    """Return whether a task does something on its host; what looks at all hosts beforehand is none of a role's."""
    return bool(getattr(task, "_role", None)) or str(task.action).startswith(OURS)


class FleetRun:
    """Feeds a Fleet from a callback's events. All costs are the same for each host, whatever their number."""

    def __init__(self, playbook: t.Any) -> None:
        """playbook: as v2_playbook_on_start gets it."""
        self.fleet = Fleet()
        self.name = os.path.basename(str(getattr(playbook, "_file_name", "")))
        self.started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self.play: t.Any = None

    def plays(self, play: t.Any) -> None:
        """Take a play that begins, or a wave of it: hosts of other waves are expected too."""
        known = self.play is not None and self.play.get_path() == play.get_path()
        self.play = play
        inventory = self._inventory()
        if inventory is None or known:
            return
        hosts = inventory.get_hosts(play.hosts, ignore_restrictions=True, order=play.order)
        if hosts and all(MACHINES.intersection(group.get_name() for group in host.get_groups()) for host in hosts):
            self.fleet.kind = "machine"
        self.fleet.expect([host.get_name() for host in hosts], play.serial or [])

    def _inventory(self) -> t.Any:
        manager = self.play.get_variable_manager()
        return manager._inventory if manager else None

    def begun(self, host: str, task: t.Any) -> None:
        """Take a task that begins on a host."""
        if _counts(task):
            self.fleet.begun(host)

    def failed(self, host: str, task: t.Any, component: str, message: str, answer: dict) -> None:
        """Take a failure of a task, also of one that is none of a role's, once something was begun on the host."""
        if _counts(task) or host in self.fleet.seen:
            self.fleet.failed(host, component, message, is_unreachable(answer))

    def bad(self, stats: t.Any) -> set[str]:
        """Return the hosts that failed, also those that another host's failure ended."""
        return {*stats.failures, *stats.dark, *getattr(self.play, "_removed_hosts", ())}

    @property
    def worth_telling(self) -> bool:
        """Return whether there are several hosts, and anything was begun on one."""
        return self.fleet.several and bool(self.fleet.seen)

    def summary(self, stats: t.Any, causes: t.Mapping[str, str]) -> tuple[list[screen.Line], str]:
        """Write the summary's files, none in check mode; return its lines and the command for what has not ended well.

        causes: what was said of each host that failed, in full.
        """
        report = self.fleet.report(self.name, self.started, self.bad(stats), causes)
        if in_job(os.environ):
            again = page.to_retry(report)
            return screen.lines(report, columns=columns()), advice("again", limit=",".join(again)) if again else ""
        if context.CLIARGS.get("check"):
            return screen.lines(report, columns=columns()), page.retry_by_names(report, sys.argv[1:])
        written, files, problem = page.write(report, self._records(), sys.argv[1:])
        return screen.lines(written, files, problem, columns()), written["retry"]

    def _records(self) -> str:
        """Return the folder of all records, as the first host's variables have it."""
        manager = self.play.get_variable_manager()
        host = manager._inventory.get_host(next(iter(self.fleet.hosts)))
        variables = manager.get_vars(play=self.play, host=host, include_hostvars=False)
        templar = Templar(manager._loader, variables)
        for name in RECORDS:
            try:
                found = templar.template(variables.get(name, ""))
            except AnsibleError:
                continue
            if found:
                return str(found)
        return usable_folder(os.path.join(os.environ.get("PWD") or os.getcwd(), "records"), "records", os.environ)
