# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a build of LLM-Orchestrator says of itself: its version and its verbs, or why it does not run."""

from __future__ import annotations

import errno
import os
import re
import typing as t

# The verbs in the help of clap, and of what speaks as it does.
_SECTION = re.compile(r"^(?:Commands|SUBCOMMANDS):[ \t]*\n((?:[ \t]+\S.*\n?|\n(?=[ \t]+\S))*)", re.MULTILINE)
# What clap adds to every program.
_HELP = "help"
# By what a program or the system says, why it does not run.
_PROBLEMS = (
    (r"version `GLIBC_([0-9.]+)' not found", "the build needs glibc {0} or later, which this host does not have",
     "use a build for this host: orchestrator_cli_method: cargo makes one"),
    (r"error while loading shared libraries: (\S+):", "the build needs the library {0}, which this host does not have",
     "install the package that has it, or use another build"),
    (r"Could not find binary at: (\S+)", "the npm package did not find its program at {0}",
     "install it with orchestrator_cli_method: npm, which puts both packages side by side"),
    (r"Unsupported platform: (\S+)", "the npm package has no build for {0}", "use orchestrator_cli_method: cargo"),
    (r"node: (not found|No such file)|'node'", "Node.js was not found, which the npm package runs with",
     "install the package nodejs"),
)  # fmt: skip


class Obstacle(t.NamedTuple):
    """Why a program does not run, and what to do; exists: whether there is such a file."""

    what: str
    fix: str
    exists: bool = True


def refused(number: int) -> Obstacle:
    """Return why the system does not start a program, by the number of its error."""
    known = {
        errno.ENOENT: Obstacle("no such file, or the interpreter that it names is missing", "install it first", False),
        errno.EACCES: Obstacle("it may not be executed", "set its mode to 0755; its file system may be mounted noexec"),
        errno.ENOEXEC: Obstacle("it is not a program for this host's processor", "use a build for its architecture"),
    }
    return known.get(number, Obstacle(os.strerror(number), "run it on the host to see why"))


def version(text: str) -> str:
    """Return the version in what a program says for --version, "" for none."""
    found = re.search(r"\bv?(\d+\.\d+(?:\.\d+)?(?:[-+][0-9A-Za-z.+-]+)?)", text)
    return found[1] if found else ""


def verbs(text: str) -> list[str]:
    """Return the verbs in what a program says for --help, in its order; those of the section Commands (clap)."""
    section = _SECTION.search(text)
    if section is None:
        return []
    lines = [line for line in section[1].splitlines() if line.strip()]
    left = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    # A line that is further to the right goes on with the description above it.
    names = [line.split()[0].rstrip(",") for line in lines if len(line) - len(line.lstrip()) == left]
    return [name for name in names if name != _HELP]


def problem(code: int, output: str) -> Obstacle | None:
    """Return why a program that ended with a code did not run, None where it did."""
    if code == 0:
        return None
    for pattern, what, fix in _PROBLEMS:
        if found := re.search(pattern, output):
            return Obstacle(what.format(*found.groups()), fix)
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "no output")
    return Obstacle(f"it ends with code {code}: {last}", "run it on the host to see why")


def lacking(has: t.Sequence[str], needs: t.Iterable[str], name: str, released: str) -> tuple[list[str], str]:
    """Return the verbs that a program lacks, and that in a sentence; released: its version."""
    lacks = [verb for verb in needs if verb not in has]
    if not lacks:
        return [], ""
    given = " and ".join([", ".join(lacks[:-1])] * (len(lacks) > 1) + lacks[-1:])
    own = ", ".join(has) or "none"
    kind = "verbs" if len(lacks) > 1 else "verb"
    return lacks, f"{name} {released or '(unknown version)'} does not have the {kind} {given}; its verbs are: {own}"
