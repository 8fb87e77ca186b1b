# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The one exception that this collection's Python raises for an operator to read."""

from __future__ import annotations

import os
import shlex
import sys
import typing as t

# Those of requirements.txt.
PACKAGES = [
    "kubernetes>=31.0.0,<38",
    "jsonschema>=4.21.0,<5",
    "PyYAML>=6.0.1,<7",
    "kopf>=1.37.2,<2",
    "aiohttp>=3.9.5,<4",
]


class OrchestratorError(Exception):
    """Something that an operator can mend.

    message: what is wrong, naming the object, file or key.
    hint: what to do instead, or None.
    details: further lines of the same kind when several things are wrong at once.
    result: what a module returns besides, though it fails.
    """

    result: t.Mapping[str, t.Any] = {}

    def __init__(self, message: str, hint: str | None = None, details: list[str] | None = None) -> None:
        self.message = message
        self.hint = hint
        self.details = details or []
        super().__init__(self.render())

    def render(self) -> str:
        """Return the whole text: message, one detail a line, then the hint."""
        lines = [self.message]
        lines += ["  - " + detail for detail in self.details]
        if self.hint:
            lines.append("What to do: " + self.hint)
        return "\n".join(lines)


def require(*missing: ImportError | None) -> None:
    """Raise OrchestratorError for the first package that this Python lacks."""
    for error in missing:
        if error is not None:
            package = (error.name or "").partition(".")[0] or str(error)
            raise OrchestratorError(
                f"Python package not found: {package}. The modules run with {sys.executable}.",
                hint=f"{install_command(sys.executable)}\n"
                'Or run them with the Python of Ansible: ansible_python_interpreter: "{{ ansible_playbook_python }}"',
            )


def install_command(python: str) -> str:
    """Return the command that installs what the modules import into a Python."""
    # Packed for another Python or host, a module has no such file beside it.
    path = os.path.normpath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3, "requirements.txt"))
    what = ["-r", path] if os.path.exists(path) else PACKAGES
    return shlex.join([python, "-m", "pip", "install", *what])


def told(text: str) -> tuple[str, list[str]]:
    """Return the first line and the details of a rendered error, which Ansible's own tasks hand on as one text."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or [""])[0], [line[2:] for line in lines[1:] if line.startswith("- ")]


class Forbidden(OrchestratorError):
    """The cluster does not permit it."""


class WrongVersion(OrchestratorError):
    """The version that is asked of a chart is missing, no exact one, or none that there is."""


class Unreachable(OrchestratorError):
    """The cluster does not answer."""

    result: t.Mapping[str, t.Any] = {"unreachable_cluster": True}
