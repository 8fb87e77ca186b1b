# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The machines of a Molecule scenario from outside: ssh, HTTP and faults. MACHINES_LAB: the name of their lab."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import ssl
import subprocess
import time
import typing as t
import urllib.error
import urllib.request

import pytest
import testinfra
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine_lab import MachineLab
from tutorials import BUILDS, HOSTS, ROOT, STAND_IN, commands, machines

WORKFLOW = json.dumps({"name": "outside", "steps": [{"id": "one", "output": "done"}]}).encode()
ENDED = ("succeeded", "failed")


@dataclasses.dataclass(frozen=True)
class Load:
    """Requests under which something was done: ids of their workflows, when each was accepted, seconds of all."""

    identities: list[str]
    accepted: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Workflows that were accepted in a second."""
        return len(self.identities) / self.seconds

    @property
    def pause(self) -> float:
        """The longest time in which none was accepted."""
        times = sorted(self.accepted)
        return max(after - before for before, after in zip(times, times[1:], strict=False))

    def __str__(self) -> str:
        return f"{len(self.identities)} workflows, {self.rate:.1f} a second, for {self.pause:.1f} s none"


@dataclasses.dataclass
class Site:
    """Machines, and the API that they serve."""

    lab: MachineLab
    trust: ssl.SSLContext

    def machine(self, name: str) -> testinfra.host.Host:
        """Return a machine as testinfra sees it over ssh."""
        return testinfra.get_host(f"ssh://{name}", ssh_config=str(self.lab.folder / "ssh_config"))

    def address(self, name: str) -> str:
        """Return a machine's address."""
        return next(host.address for host in self.lab.hosts() if host.name == name)

    def set(self, name: str, state: str | None = None, cut_from: list[str] | None = None) -> None:
        """Give a machine a fault, or take it away."""
        with self.lab.lock():
            self.lab.set_machine(name, state, cut_from, check_mode=False)

    def get(self, url: str) -> t.Any:
        """Return the JSON at a URL."""
        with urllib.request.urlopen(url, timeout=30, context=self.trust) as answer:
            return json.load(answer)

    def submit(self, base: str, patience: float = 40) -> str:
        """Submit a workflow and return its id once it is accepted; asked again while servers change places."""
        end = time.monotonic() + patience
        while True:
            try:
                request = urllib.request.Request(f"{base}/api/v1/workflows", WORKFLOW)
                with urllib.request.urlopen(request, timeout=10, context=self.trust) as answer:
                    return str(json.load(answer)["id"])
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def result(self, base: str, identity: str) -> dict[str, t.Any]:
        """Return a workflow as the API tells of it, {} while it cannot be asked or does not know it."""
        try:
            return dict(self.get(f"{base}/api/v1/workflows/{identity}"))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return {}

    def finished(self, base: str, identities: t.Iterable[str], seconds: float) -> collections.Counter[str]:
        """Wait until all workflows have ended; return how many ended in which way."""
        left, ends = set(identities), collections.Counter[str]()
        until = time.monotonic() + seconds
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            while left:
                asked = sorted(left)
                for identity, told in zip(asked, pool.map(lambda one: self.result(base, one), asked), strict=True):
                    if told.get("status") in ENDED:
                        left.discard(identity)
                        ends[told["status"]] += 1
                assert not left or time.monotonic() < until, f"{len(left)} have not ended after {seconds:.0f} s: {ends}"
        return ends

    def load(self, base: str, rate: float, during: t.Callable[[], None], patience: float = 40) -> Load:
        """Submit workflows at a rate per second while something is done; fail where one is not accepted in time."""

        def submit() -> tuple[str, float]:
            return self.submit(base, patience), time.monotonic()

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            done = pool.submit(during)
            begin, sent = time.monotonic(), []
            while not done.done():
                sent.append(pool.submit(submit))
                time.sleep(max(0.0, begin + len(sent) / rate - time.monotonic()))
            done.result()
            identities, accepted = zip(*(one.result() for one in sent), strict=True)
        found = Load(list(identities), list(accepted), max(accepted) - begin)
        print(found)
        return found

    def follow(self, command: str, programs: t.Sequence[pathlib.Path] = (STAND_IN,)) -> subprocess.Popen[str]:
        """Start a command of a page, on these machines instead of those of its hosts.ini.

        programs: what are the page's builds.
        """
        inventory = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
        hosts = [f"-i {inventory} -i {self.lab.folder}/inventory.yml -e lab_machines_name={self.lab.name}"]
        hosts += ["-e @molecule/shared/vars/machines.yml"] * command.startswith("ansible-playbook ")
        assert HOSTS in command
        line = command.replace(HOSTS, " ".join(hosts))
        for build, program in zip(BUILDS, programs, strict=False):
            line = re.sub(rf"{build}(?!\S)", str(program), line)
        env = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "MOLECULE_PROJECT_DIRECTORY": str(ROOT)}
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=ROOT, env=env, text=True, **out)


def eventually(question: t.Callable[[], t.Any], seconds: float) -> t.Any:
    """Return the first answer that is true; fail where none comes in time."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, f"not after {seconds:.0f} s"
        time.sleep(0.3)
    return answer


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the machines, which have to be up."""
    lab = MachineLab(os.environ["MACHINES_LAB"])
    lab.verified()
    found = Site(lab, ssl.create_default_context())
    authority: pathlib.Path = tmp_path_factory.mktemp("tls") / "ca.crt"
    authority.write_text(found.machine(lab.hosts()[0].name).file("/etc/orchestrator-tls/ca.crt").content_string)
    found.trust.load_verify_locations(authority)
    return found


@pytest.fixture(scope="session")
def followed(site: Site) -> t.Callable[[str, int], None]:
    """Return what follows the page of a mode, but for some commands at its end: machines and commands have to work."""

    def follow(mode: str, without: int = 0) -> None:
        assert machines(mode) == sorted(sorted(host.groups) for host in site.lab.hosts())
        for command in commands(mode)[: -without or None]:
            with site.follow(command) as run:
                printed = run.stdout.read()
            assert run.returncode == 0, f"{command}\n{printed[-6000:]}"

    return follow


@pytest.fixture(scope="session")
def patience() -> t.Callable[[t.Callable[[], t.Any], float], t.Any]:
    """Return what waits for an answer."""
    return eventually
