# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs playbooks in folders of their own and looks for secrets in what they print, start, write and leave."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
from typing import Any

from playbooks import Run, command, environment

WATCH = pathlib.Path(__file__).parent / "secret_watch"
SYSTEM = ("proc", "dev", "sys")
Row = dict[str, Any]


def forms(name: str, secret: str) -> dict[str, str]:
    """How a secret may be written: as it is, in base64, in JSON."""
    found = {name: secret, f"{name} in base64": base64.b64encode(secret.encode()).decode().rstrip("=")}
    quoted = json.dumps(secret)[1:-1]
    return found if quoted == secret else {**found, f"{name} in JSON": quoted}


class Hunt:
    """Secrets, and all that runs of playbooks have done; secret_watch/sitecustomize.py notes it."""

    def __init__(self, folder: pathlib.Path, secrets: dict[str, str]) -> None:
        """folder: for all that is made; secrets: by name."""
        self.shell, self.temporary = folder / "shell", folder / "temporary"
        self.secrets = {key: text for name, secret in secrets.items() for key, text in forms(name, secret).items()}
        self.log, self.spec = folder / "watch.jsonl", folder / "watch.json"
        self.shell.mkdir()
        for name in ("python", "local", "remote", "async"):
            (self.temporary / name).mkdir(parents=True)
        spec = {"log": str(self.log), "folders": [str(self.temporary)], "secrets": self.secrets}
        self.spec.write_text(json.dumps(spec), encoding="utf-8")

    def play(self, name: str, *args: str, **variables: Any) -> Run:
        """Run a playbook, watched and with all that it can tell."""
        folders = {
            "TMPDIR": "python",
            "ANSIBLE_LOCAL_TEMP": "local",
            "ANSIBLE_REMOTE_TEMP": "remote",
            "ANSIBLE_ASYNC_DIR": "async",
        }
        env = environment(self.shell) | {"PYTHONPATH": str(WATCH), "SECRET_WATCH": str(self.spec)}
        done = subprocess.run(
            command(name, "-vvv", *args, **variables),
            cwd=self.shell,
            env=env | {key: str(self.temporary / folder) for key, folder in folders.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.stdout, done.returncode, 0, 0.0)

    def found_in(self, text: str) -> list[str]:
        """The secrets in a text."""
        return [name for name, secret in self.secrets.items() if secret in text]

    def rows(self, *events: str) -> list[Row]:
        """What was noted of some kinds."""
        rows = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if row["event"] in events]

    def commands(self) -> list[str]:
        """The command lines of all programs that were started."""
        return [" ".join(row["words"]) for row in self.rows("command")]

    def held(self) -> list[Row]:
        """The temporary files that held a secret when they were used, renamed or removed."""
        return [row for row in self.rows("given", "removed", "renamed") if row["found"]]

    def left(self) -> list[str]:
        """The files that hold a secret now: temporary ones, records, plans, and whatever else was written."""
        paths = {pathlib.Path(row["path"]) for row in self.rows("written")}
        paths |= {path for folder in (self.temporary, self.shell) for path in folder.rglob("*")}
        return [
            f"{path}: {name}"
            for path in sorted(paths)
            if path.is_file() and path.parts[1] not in SYSTEM and path != self.log
            for name, secret in self.secrets.items()
            if secret.encode() in path.read_bytes()
        ]
