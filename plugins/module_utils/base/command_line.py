# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The command of another playbook of this collection, made of the one that is running."""

from __future__ import annotations

import json
import os
import shlex

from .mask import MASK, is_secret_key, mask, mask_text

COLLECTION = "llm_d.orchestrator"
# Playbooks of this collection that print the command of another one.
OURS = ("bundle", "lab_up", "plan", "rollback", "site", "status", "teardown", "verify")
CHECKING = ("--check", "-C", "--diff", "-D")
EXTRA = ("-e", "--extra-vars")
INVENTORY = ("-i", "--inventory", "--inventory-file")
# Options of ansible-playbook whose value is the argument after them.
WITH_VALUE = (
    *EXTRA, *INVENTORY, "-l", "--limit", "-u", "--user", "-c", "--connection", "-T",
    "--timeout", "-f", "--forks", "-M", "--module-path", "-t", "--tags", "--skip-tags", "--vault-id",
    "--vault-password-file", "--vault-pass-file", "--private-key", "--key-file", "--become-method", "--become-user",
    "--start-at-task", "--ssh-common-args", "--ssh-extra-args", "--sftp-extra-args", "--scp-extra-args",
    "--become-password-file", "--become-pass-file", "--connection-password-file", "--conn-pass-file",
)  # fmt: skip
# What makes no sense a second time: where a run began in the middle.
ONCE = ("--start-at-task", "--step")
# What the next command sets itself.
REPLACED = ("llm_d_plan", "llm_d_approved_digest")


def next_command(arguments: list[str], variables: dict[str, str], playbook: str = "site", inventory: str = "") -> str:
    """Return the command of a playbook of this collection with the arguments of the running one.

    arguments: of masked_arguments; variables: what is to be set besides; inventory: takes the place of those given.
    """
    kept: list[str] = ["-i", inventory] if inventory else []
    playbooks: list[str] = []
    replaced = {*REPLACED, *variables}
    for name, value in _options(arguments):
        if name in EXTRA:
            left = _without(value, replaced)
            kept += [name, left] if left else []
        elif inventory and (name in INVENTORY or name.startswith("--inventory")):
            continue
        elif name and name not in CHECKING and name.partition("=")[0] not in ONCE:
            kept += [name, value] if name in WITH_VALUE else [name]
        elif not name:
            playbooks.append(value)
    added = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
    return shlex.join(["ansible-playbook", playbook_name(playbooks, playbook), *kept, *added])


def masked_arguments(arguments: list[str]) -> list[str]:
    """Return the arguments of ansible-playbook, without its name, with what is secret in extra variables masked."""
    masked: list[str] = []
    for name, value in _options(arguments):
        if name.partition("=")[0] in ONCE:
            continue
        shown = masked_variables(value) if name in EXTRA else value
        masked += [name, shown] if name in WITH_VALUE else [name or shown]
    return masked


def _options(arguments: list[str]) -> list[tuple[str, str]]:
    """Return (option, value) of each argument: value "" for a switch, option "" for a playbook."""
    found: list[tuple[str, str]] = []
    takes = ""
    for argument in arguments:
        if takes:
            found.append((takes, argument))
            takes = ""
        elif argument in WITH_VALUE:
            takes = argument
        elif argument.startswith("--extra-vars="):
            found.append(("-e", argument.partition("=")[2]))
        elif argument.startswith("-e"):
            found.append(("-e", argument[2:]))
        else:
            found.append((argument, "") if argument.startswith("-") else ("", argument))
    return found


def playbook_name(running: list[str], name: str) -> str:
    """Return a playbook of this collection, named as the running one was: by a path, or as the collection's."""
    if len(running) == 1:
        folder, file = os.path.split(running[0])
        sibling = os.path.join(folder, f"{name}.yml")
        stem, extension = os.path.splitext(file)
        # Of a file of the user's own, only what it imports is ours.
        if extension == ".yml" and stem in OURS and (stem == name or os.path.exists(sibling)):
            return sibling
    return f"{COLLECTION}.{name}"


def masked_variables(text: str) -> str:
    """Return the value of -e, a file (@...), JSON or pairs, without secrets."""
    content = _json(text)
    if content is not None:
        return json.dumps(mask(content))
    if text.startswith(("@", "{", "[")):
        return mask_text(text)
    return _joined([(name, _masked(name, value)) for name, value in _pairs(text)])


def _masked(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    return MASK if is_secret_key(name) else mask_text(value)


def _without(text: str, replaced: set[str]) -> str:
    """Return the value of -e without some variables, "" where nothing is left."""
    content = _json(text)
    if content is not None:
        left = {name: value for name, value in content.items() if name not in replaced}
        return json.dumps(left) if left else ""
    if text.startswith(("@", "{", "[")):
        return text
    return _joined([(name, value) for name, value in _pairs(text) if name not in replaced])


def _json(text: str) -> dict | None:
    """Return the variables of a JSON map, None where the text is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _pairs(text: str) -> list[tuple[str, str | None]]:
    """Return the name=value pairs in a text; the value is None where there is no sign."""
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = [text]
    split = [part.partition("=") for part in parts]
    return [(name, value if sign else None) for name, sign, value in split]


def _joined(pairs: list[tuple[str, str | None]]) -> str:
    """Return pairs as one argument."""
    return " ".join(name if value is None else f"{name}={_quoted(value)}" for name, value in pairs)


def _quoted(value: str) -> str:
    """Return a value as it may stand in a pair; what is masked has to be written anew anyway."""
    return value if value == MASK else shlex.quote(value)
