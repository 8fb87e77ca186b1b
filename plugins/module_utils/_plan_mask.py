# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes secrets out of a plan: data as in a record, and the YAML lines of its diffs."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import MASK, is_secret_key, mask, mask_text

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

Object = dict[str, t.Any]


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
