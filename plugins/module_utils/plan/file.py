# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes secrets out of a plan: data as in a record, and the YAML lines of its diffs."""

from __future__ import annotations

import json
import os
import re
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import replace_file
from ..base.mask import MASK, is_secret_key, mask, mask_text

# A diff's mark, the indentation, a key, and what stands behind it.
LINE = re.compile(r"^(?P<mark>[ +-]?)(?P<indent> *(?:- )*)(?P<key>[\w./\"'-]+):(?P<rest>$| .*$)")
HEADER = re.compile(r"^(?:---|\+\+\+|@@)(?: |$)")
ITEM = re.compile(r"^ *- +(?![\w./-]+:(?: |$))\S")
SECRET_BLOCKS = ("data", "stringData")
EMPTY = ("''", '""', "null", "{}", "[]")
# What stands for a Secret's value already, and says whether it changes.
SHOWN = re.compile(r"^ *['\"]?\([a-z, ]+\)['\"]?$")
# Keys of a plan that hold names and hashes only; nothing in them is to be mistaken for a secret.
NAMES = ("digest", "inputs", "state", "summary", "made", "format")


def masked_plan(plan: Object) -> Object:
    """Return a copy of a plan without secrets."""
    rest = {key: value for key, value in plan.items() if key not in NAMES}
    actions = [
        {**action, "diff": mask_diff(str(action.get("diff") or ""), secret=action.get("kind") == "Secret")}
        for action in plan.get("actions") or []
    ]
    hidden = mask({**rest, "actions": []})
    # An action's kind is not the form of the action, so a Secret's is masked key by key.
    hidden["actions"] = [{key: _text(value) for key, value in action.items()} for action in actions]
    return {key: plan[key] if key in NAMES else hidden[key] for key in plan}


def _text(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return mask_text(value) if isinstance(value, str) else value


def mask_diff(diff: str, *, secret: bool = False) -> str:
    """Return a unified diff of YAML without secrets; secret: all that is in data and stringData goes."""
    lines, hiding, name = [], _Hiding(), ""
    for line in diff.splitlines():
        if hiding.covers(line):
            lines.append(mask_text(hiding.hidden(line)))
            continue
        found = None if HEADER.match(line) else LINE.match(line)
        if found is not None:
            key, value = found["key"].strip("\"'"), found["rest"].strip()
            name = value.strip("\"'") if key == "name" else name
            if secret and key in SECRET_BLOCKS:
                hiding.begin(found, _Hiding.keys)
            elif is_secret_key(key) or (key == "value" and is_secret_key(name)):
                line = hiding.value(found, line, value)
        lines.append(mask_text(line))
    return "\n".join(lines) + ("\n" if diff.endswith("\n") else "")


class _Hiding:
    """Lines below a key whose content is secret."""

    def __init__(self) -> None:
        self.depth: int | None = None
        self.hide: t.Callable[[str], str] = self.scalar

    def begin(self, found: re.Match[str], hide: t.Callable[[str], str]) -> None:
        """Hide what is indented deeper than a key, in one of the ways below."""
        self.depth, self.hide = len(found["indent"]), hide

    def value(self, found: re.Match[str], line: str, value: str) -> str:
        """Return the line of a secret key, without its value where that stands there."""
        if not value:
            self.begin(found, self.items)
        elif value[0] in "|>":
            self.begin(found, self.scalar)
        elif value not in EMPTY and not SHOWN.match(value):
            return f"{line[: found.end('key')]}: {MASK}"
        return line

    def covers(self, line: str) -> bool:
        """Return whether a line is below the key; the first that is not ends the hiding."""
        if self.depth is None:
            return False
        text = line[1:] if line[:1] in "+- " else line
        indent = len(text) - len(text.lstrip())
        # The items of a list may stand as far left as its key.
        below = indent > self.depth or (indent == self.depth and bool(ITEM.match(text)) and self.hide == self.items)
        if HEADER.match(line) or (text.strip() and not below):
            self.depth = None
        return self.depth is not None

    def hidden(self, line: str) -> str:
        """Return a line that is covered, without what is secret in it."""
        mark = line[:1] if line[:1] in "+- " else ""
        text = line[len(mark) :]
        return mark + (self.hide(text) if text.strip() else text)

    @staticmethod
    def keys(text: str) -> str:
        """Keep the names of keys: the data of a Secret."""
        found = LINE.match(" " + text)
        if found is None:
            return _Hiding.scalar(text)
        return text if SHOWN.match(found["rest"]) else f"{text[: found.end('key') - 1]}: {MASK}"

    @staticmethod
    def scalar(text: str) -> str:
        """Keep nothing: a text of several lines."""
        return text[: len(text) - len(text.lstrip())] + MASK

    @staticmethod
    def items(text: str) -> str:
        """Keep maps, which have keys of their own: a list of texts."""
        return f"{text[: text.index('-')]}- {MASK}" if ITEM.match(text) else text


FORMAT = 1
PLAN, PAGE, LATEST = "plan.json", "plan.md", "latest"
FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
# No plan of a stack comes near it: a thousand objects with their diffs are a few MiB.
LARGEST = 64 * 2**20
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REQUIRED = {"digest": str, "namespace": str, "made": str, "inputs": dict, "state": dict, "actions": list}
AGAIN = "Make a new plan with the playbook plan."


def plan_text(plan: Object) -> str:
    """Return a plan as JSON, without secrets."""
    return json.dumps(masked_plan(plan), indent=1, default=str) + "\n"


def read_plan(path: str) -> Object:
    """Return the plan of a file, or of plan.json in a folder.

    Raises OrchestratorError where it cannot be read, is no plan, or is of another format.
    """
    file = os.path.join(path, PLAN) if os.path.isdir(path) else path
    try:
        if os.path.getsize(file) > LARGEST:
            raise OrchestratorError(f"{file} is too large to be a plan.", hint=AGAIN)
        with open(file, encoding="utf-8") as stream:
            plan = json.load(stream)
    except OSError as exc:
        hint = "Set llm_d_plan to the path that the playbook plan printed."
        raise OrchestratorError(f"The plan {file} cannot be read: {exc.strerror or exc}.", hint=hint) from exc
    except (ValueError, RecursionError) as exc:
        raise OrchestratorError(f"The plan {file} is damaged: {exc}.", hint=AGAIN) from exc
    _check(file, plan)
    return plan


def _check(file: str, plan: t.Any) -> None:
    """Raise OrchestratorError where a file's content is not a plan of the present format."""
    if not isinstance(plan, dict) or "format" not in plan or "digest" not in plan:
        raise OrchestratorError(f"{file} is not a plan.", hint="Set llm_d_plan to the plan.json of a plan.")
    if plan["format"] != FORMAT:
        raise OrchestratorError(f"The plan {file} has format {plan['format']!r}, not {FORMAT}.", hint=AGAIN)
    wrong = [key for key, kind in REQUIRED.items() if not isinstance(plan.get(key), kind)]
    if wrong or not DIGEST.fullmatch(plan["digest"]):
        keys = ", ".join(wrong or ["digest"])
        raise OrchestratorError(f"The plan {file} is damaged: wrong or missing {keys}.", hint=AGAIN)


def check_writable(directory: str) -> None:
    """Raise OrchestratorError where a folder, or the nearest one above it that exists, cannot be written."""
    nearest = directory
    while not os.path.exists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest) or not os.access(nearest, os.W_OK | os.X_OK):
        raise OrchestratorError(f"Cannot write the plan under {directory}: {nearest} is not writable.", hint=_hint())


def write_files(directory: str, texts: dict[str, str]) -> list[str]:
    """Write files into a folder, each whole or not at all; return their paths. Raises OrchestratorError."""
    try:
        os.makedirs(directory, mode=DIRECTORY_MODE, exist_ok=True)
        return [_write(os.path.join(directory, name), text) for name, text in texts.items()]
    except OSError as exc:
        message = f"Cannot write the plan to {directory}: {exc.strerror or exc}."
        raise OrchestratorError(message, hint=_hint()) from exc


def _hint() -> str:
    return "Set llm_d_plan_dir to a writable folder, or fix its permissions."


def _write(path: str, text: str) -> str:
    """Write one file, which nobody but its owner may read, and return its path."""
    replace_file(path, text.encode(), FILE_MODE)
    return path


def link_latest(directory: str) -> str:
    """Point the link `latest` beside a plan's folder at it and return the link's path. Raises OrchestratorError."""
    above, name = os.path.split(directory)
    link = os.path.join(above, LATEST)
    temporary = f"{link}.{os.getpid()}"
    try:
        os.symlink(name, temporary)
        os.replace(temporary, link)
    except OSError as exc:
        raise OrchestratorError(f"Cannot link {link} to {name}: {exc.strerror or exc}.", hint=_hint()) from exc
    return link
