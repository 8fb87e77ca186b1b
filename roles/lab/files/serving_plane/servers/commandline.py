# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Command lines of containers: flags, environment, and shell scripts that start a server."""

from __future__ import annotations

import re
import shlex

from ..cluster.snapshot import Object

SHELLS = {"sh", "bash", "dash", "ash", "zsh"}


def environment(container: Object) -> dict[str, str]:
    """The literal environment of a container; values from Secrets or fields are unknown and left out."""
    known: dict[str, str] = {}
    for item in container.get("env") or []:
        if item.get("value") is not None:
            known[item["name"]] = expand(str(item["value"]), known)
    return known


def expand(text: str, env: dict[str, str]) -> str:
    """Replace $(NAME) as the kubelet does; unknown names stay."""
    return re.sub(r"\$\(([A-Za-z_][\w.-]*)\)", lambda found: env.get(found[1], found[0]), text)


def expand_shell(text: str, env: dict[str, str]) -> str:
    """Replace $NAME, ${NAME} and ${NAME:-default} as a shell does; unknown names are empty."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return env.get(name) or (found[2] or "")

    return re.sub(r"\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)", value, text)


def words(container: Object) -> list[str]:
    """The command and arguments of a container as one list; a shell script is opened at its vLLM server."""
    env = environment(container)
    line = [expand(str(word), env) for word in (container.get("command") or []) + (container.get("args") or [])]
    if line and line[0].rpartition("/")[2] in SHELLS:
        script = next((word for word in line[1:] if not word.startswith("-")), "")
        return _server_line(script, env) or line
    return line


def _server_line(script: str, env: dict[str, str]) -> list[str]:
    uncommented = re.sub(r"(^|\s)#[^\n]*", r"\1", script)
    joined = expand_shell(re.sub(r"\\\r?\n", " ", uncommented), env)
    for line in re.split(r"\n|;|&&|\|\|", joined):
        try:
            found = shlex.split(line)
        except ValueError:
            continue
        start = next((i for i in range(len(found)) if _starts_server(found, i)), None)
        if start is not None:
            return found[start:]
    return []


def _starts_server(found: list[str], at: int) -> bool:
    name = found[at].rpartition("/")[2]
    if name == "vllm":
        return found[at + 1 : at + 2] == ["serve"]
    # Modules: what comes after `python3 -m`.
    module = found[at].startswith("dynamo.") and found[at - 1 : at] == ["-m"]
    return module or found[at] == "vllm.entrypoints.openai.api_server" or name == "llm-d-inference-sim"


def flag(line: list[str], *names: str) -> str | None:
    """The value of the last of the flags (names without dashes; `_` and `-` are the same), or None."""
    values = flag_values(line, *names)
    return values[-1] if values else None


def flag_values(line: list[str], *names: str) -> list[str]:
    """All values of a flag that may take several (`--flag a b`, `--flag=a`); the last use wins."""
    wanted = {name.replace("_", "-") for name in names}
    found: list[str] = []
    for at, word in enumerate(line):
        name, equals, value = word.partition("=")
        if not name.startswith("-") or name.lstrip("-").replace("_", "-") not in wanted:
            continue
        found = [value] if equals else _following(line, at + 1)
    return found


def _following(line: list[str], start: int) -> list[str]:
    found = []
    for word in line[start:]:
        if word.startswith("-") and len(word) > 1:
            break
        found.append(word)
    return found


def has_flag(line: list[str], name: str) -> bool:
    """True if a flag is given at all, unless with the value false."""
    used = any(word.partition("=")[0].lstrip("-").replace("_", "-") == name for word in line if word.startswith("-"))
    return used and (flag(line, name) or "true").lower() != "false"


def seconds(text: str | None) -> float:
    """A Go duration ("1m30s", "250ms") or plain milliseconds, in seconds; 0 where it cannot be read."""
    if not text:
        return 0.0
    if re.fullmatch(r"[\d.]+", text):
        return float(text) / 1000
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6}
    return sum(float(amount) * units[unit] for amount, unit in re.findall(r"([\d.]+)(ms|us|h|m|s)", text))
