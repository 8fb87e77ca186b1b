# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the section of CHANGELOG.rst of galaxy.yml's version from all fragments that no earlier version has.

It may be run again until that version is published: the section is written anew, and keeps its date unless another one
is given: python changelogs/release.py [YYYY-MM-DD]
"""

from __future__ import annotations

import datetime
import pathlib
import subprocess
import sys

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent


def without(version: str) -> str:
    """Take a version out of changelog.yaml; return the date that it had, empty where it was not there."""
    path = FOLDER / "changelog.yaml"
    changes = yaml.safe_load(path.read_text(encoding="utf-8"))
    release = changes["releases"].pop(version, {})
    path.write_text(yaml.safe_dump(changes, default_flow_style=False), encoding="utf-8")
    return release.get("release_date", "")


def main() -> int:
    """Return 0 where the section is written."""
    version = yaml.safe_load((FOLDER.parent / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    known = without(version)
    date = sys.argv[1] if len(sys.argv) > 1 else known or datetime.date.today().isoformat()
    command = ["antsibull-changelog", "release", "--reload-plugins", "--date", date]
    return subprocess.run(command, cwd=FOLDER.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
