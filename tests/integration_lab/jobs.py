# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs as AWX runs them: ansible-runner, a private data directory for each, a random user, a project to read only.

What AWX writes and sets is in its awx/main/tasks/jobs.py: env/, inventory/hosts as a program, JOB_ID, AWX_HOST ...
Other nodes share nothing: a job has its own HOME, working directory and TMPDIR, and leaves only the cluster behind.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import time
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
# As OpenShift gives them: a number without a name, of group 0.
USER = 1000680000
# It may read what root may (the tests' programs lie in root's home), and write only what is its own.
AS_USER = [f"--reuid={USER}", "--regid=0", "--clear-groups", "--no-new-privs", "--securebits=+no_setuid_fixup"]
AS_USER += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"]


@functools.cache
def user_can_change() -> bool:
    """Whether these tests may become another user; else jobs run as the one that runs the tests."""
    command = ["setpriv", *AS_USER, "--", sys.executable, "-c", ""]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclasses.dataclass(frozen=True)
class Result:
    """A job that has ended. status: ansible-runner's; text: what AWX shows of it; artifacts: of set_stats."""

    status: str
    text: str
    artifacts: dict[str, Any]
    folder: pathlib.Path

    def files(self, pattern: str) -> list[str]:
        """The files that the job has left in its own folder, the project's left out."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob(pattern) if path.is_file()]
        return sorted(str(path) for path in found if path.parts[0] != "project")


def copy_project(target: pathlib.Path) -> None:
    """Put what git tracks, or would track, where nobody may write: a project of AWX."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in sorted(filter(None, listed.split("\0"))):
        if not name.startswith("tests/") and os.path.lexists(ROOT / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    for folder, _folders, files in os.walk(target):
        for path in (pathlib.Path(folder), *(pathlib.Path(folder, name) for name in files)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


@dataclasses.dataclass
class Node:
    """A machine that runs one job. home: whether HOME, and where the job begins, can be written."""

    folder: pathlib.Path
    number: int
    home: bool = True

    def prepare(self, project: pathlib.Path, host: dict[str, Any], extra: dict[str, Any], settings: dict) -> None:
        """Write the private data directory."""
        for name in ("env", "inventory", "artifacts", "tmp", "cp"):
            (self.folder / name).mkdir(parents=True)
        shutil.copytree(project, self.folder / "project", symlinks=True, copy_function=os.link)
        inventory = {"all": {"hosts": ["cluster"]}, "_meta": {"hostvars": {"cluster": host}}}
        program = f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(inventory)!r})\n"
        (self.folder / "inventory/hosts").write_text(program)
        (self.folder / "inventory/hosts").chmod(0o700)
        told = {"job_id": self.number, "job_launch_type": "manual", "user_name": "ada", "user_id": 7}
        meta = {f"{prefix}_{name}": value for prefix in ("awx", "tower") for name, value in told.items()}
        quiet = {"suppress_ansible_output": True, "suppress_output_file": True, "pexpect_timeout": 1}
        for name, content in {
            "extravars": {**extra, **meta},
            "envvars": self._variables(),
            "settings": {"job_timeout": 0, **quiet, **settings},
            "passwords": {},
        }.items():
            (self.folder / "env" / name).write_text(json.dumps(content))
        (self.folder / "env/cmdline").write_text("-u root --forks=5")

    def inject(self, kubeconfig: str) -> None:
        """Write a credential's file."""
        path = self.folder / "env/kubeconfig"
        path.touch(mode=0o600)
        path.write_text(kubeconfig)

    def _variables(self) -> dict[str, str]:
        """What AWX adds to a job's environment, and what the image of a node sets."""
        collections = f"{self.folder}/requirements_collections:~/.ansible/collections:/usr/share/ansible/collections"
        found = {
            "AWX_PRIVATE_DATA_DIR": str(self.folder),
            "AWX_HOST": "https://awx.example.com",
            "JOB_ID": str(self.number),
            "INVENTORY_ID": "3",
            "PROJECT_REVISION": "0" * 40,
            "MAX_EVENT_RES": "700000",
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "TMPDIR": str(self.folder / "tmp"),
        }
        # Without a home of its own, ansible-core itself does not start unless it is told of another folder.
        return found if self.home else {**found, "ANSIBLE_HOME": str(self.folder / "tmp/.ansible")}

    def start(self, playbook: str) -> subprocess.Popen[str]:
        """Run a playbook of the project as the random user, without a terminal."""
        command = [sys.executable, "-m", "ansible_runner", "run", str(self.folder), "--ident", str(self.number)]
        command += ["-p", f"playbooks/{playbook}.yml"]
        where = self.folder if self.home else self.folder / "project"
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PWD": str(where)}
        environment["HOME"] = str(self.folder) if self.home else "/"
        if user_can_change():
            for path in self._own():
                os.chown(path, USER, 0, follow_symlinks=False)
            command = ["setpriv", *AS_USER, "--", *command]
        return subprocess.Popen(
            command,
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _own(self) -> list[pathlib.Path]:
        project = self.folder / "project"
        return [
            self.folder,
            *(path for path in self.folder.rglob("*") if path != project and project not in path.parents),
        ]

    def wait_for(self, text: str, process: subprocess.Popen[str], patience: float = 180) -> None:
        """Wait until the job has shown a text."""
        end = time.monotonic() + patience
        while text not in self.shown():
            assert process.poll() is None, self.shown()
            assert time.monotonic() < end, self.shown()
            time.sleep(0.1)

    def events(self) -> list[dict[str, Any]]:
        """The events that the job has reported so far, in their order."""
        paths = (self.folder / f"artifacts/{self.number}/job_events").glob("[0-9]*-*.json")
        found = []
        for path in paths:
            # One that is being written is told of next time.
            if "partial" not in path.name and (text := path.read_text()).endswith("}"):
                found.append(json.loads(text))
        return sorted(found, key=lambda event: event["counter"])

    def shown(self) -> str:
        """What AWX shows of the job: its events' lines."""
        return "\n".join(event.get("stdout") or "" for event in self.events())

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for the end of the job."""
        said = process.communicate(timeout=300)[0]
        events = self.events()
        stats = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        status = self.folder / f"artifacts/{self.number}/status"
        text = self.shown() + said
        assert status.is_file(), text
        artifacts = stats[-1].get("artifact_data") or {} if stats else {}
        return Result(status.read_text(), text, artifacts, self.folder)


@dataclasses.dataclass
class Nodes:
    """A pool of machines, one for each job. host: the cluster's variables in the inventory; kubeconfig: its text."""

    folder: pathlib.Path
    host: dict[str, Any]
    kubeconfig: str
    used: int = 0

    @functools.cached_property
    def project(self) -> pathlib.Path:
        """The project, made once."""
        target = self.folder / "project"
        copy_project(target)
        return target

    def node(self, *, home: bool = True, settings: dict[str, Any] | None = None, **extra: Any) -> Node:
        """A machine with a job's private data directory. extra: what a survey has asked; settings: ansible-runner's."""
        self.used += 1
        node = Node(self.folder / f"node-{self.used}", 40 + self.used, home)
        extra["llm_d_kubeconfig"] = str(node.folder / "env/kubeconfig")
        node.prepare(self.project, self.host, extra, settings or {})
        node.inject(self.kubeconfig)
        return node

    def job(self, playbook: str, **more: Any) -> Result:
        """Run a job to its end."""
        node = self.node(**more)
        return node.finish(node.start(playbook))
