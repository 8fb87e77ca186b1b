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
import ssl
import time
import typing as t
import urllib.error
import urllib.request

import pytest
import testinfra
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine_lab import MachineLab

WORKFLOW = json.dumps({"name": "outside", "steps": [{"id": "one", "output": "done"}]}).encode()
ENDED = ("succeeded", "failed")


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

    def submit(self, base: str, patience: float = 30) -> str:
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
        while left:
            for identity in list(left):
                status = self.result(base, identity).get("status")
                if status in ENDED:
                    left.discard(identity)
                    ends[status] += 1
            assert not left or time.monotonic() < until, f"{len(left)} have not ended after {seconds:.0f} s: {ends}"
        return ends

    def load(self, base: str, rate: float, during: t.Callable[[], None]) -> list[str]:
        """Submit workflows at a rate per second while something is done; return the ids of all, none refused."""
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            done = pool.submit(during)
            begin, sent = time.monotonic(), []
            while not done.done():
                sent.append(pool.submit(self.submit, base))
                time.sleep(max(0.0, begin + len(sent) / rate - time.monotonic()))
            done.result()
            return [one.result() for one in sent]


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
def patience() -> t.Callable[[t.Callable[[], t.Any], float], t.Any]:
    """Return what waits for an answer."""
    return eventually
