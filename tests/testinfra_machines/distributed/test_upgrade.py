# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Another build of the program on three API servers and two workers, under requests that each have to be answered."""

from __future__ import annotations

import itertools
import pathlib
import typing as t

from servers import succeeded, versions
from tutorials import BUILDS, STAND_IN, commands

RATE = 50


def build(folder: pathlib.Path, **values: str) -> pathlib.Path:
    """Return a build of the stand-in whose constants have other values."""
    text = STAND_IN.read_text(encoding="utf-8")
    for name, value in values.items():
        (line,) = (line for line in text.splitlines() if line.startswith(f"{name} = "))
        text = text.replace(line, f"{name} = {value}")
    path = folder / "llm-orchestrator"
    path.write_text(text, encoding="utf-8")
    return path


def upgraded(site: t.Any, base: str, patience: t.Any, program: pathlib.Path, *arguments: str) -> tuple[bool, str]:
    """Run the playbook with a build; require that no request is lost while it upgrades.

    Return whether it ended well, and what it printed.
    """
    (command,) = (one for one in commands("distributed") if BUILDS[1] in one)
    said: list[str] = []
    with site.follow(" ".join([command, *arguments]), ["", program]) as run:

        def until(play: str) -> None:
            said.extend(itertools.takewhile(lambda line: f"PLAY [{play}" not in line, run.stdout))

        until("Upgrade API servers")
        assert run.poll() is None, "".join(said)[-6000:]
        # A request that is refused once is lost.
        load = site.load(base, RATE, lambda: until("Verify"), patience=0)
        said.extend(run.stdout)
    # They are thousands: the database is asked instead of the API.
    patience(lambda: set(load.identities) <= succeeded(site), 120)
    return run.returncode == 0, "".join(said)


def test_an_upgrade_loses_no_request(site: t.Any, base: str, patience: t.Any, tmp_path: pathlib.Path) -> None:
    good, said = upgraded(site, base, patience, build(tmp_path, VERSION='"0.2.1"'))
    assert good, said[-6000:]
    assert set(versions(site).values()) == {"0.2.1"}


def test_a_build_that_does_not_serve_ends_the_upgrade_and_goes(
    site: t.Any, base: str, patience: t.Any, tmp_path: pathlib.Path
) -> None:
    before = versions(site)
    broken = build(tmp_path, VERSION='"0.2.2"', HEALTHY="False")
    good, said = upgraded(site, base, patience, broken, "-e", "orchestrator_server_start_timeout=5")
    assert not good
    assert "llm-orchestrator on m4 did not become healthy, and was rolled back to what it was" in said
    assert versions(site) == before
    for name in ("m5", "m6"):
        assert site.machine(name).run("grep -rl 0.2.2 /opt/llm-orchestrator/versions").rc == 1
