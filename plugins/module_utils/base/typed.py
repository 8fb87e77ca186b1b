# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A variable's value held against what an argument specification says of it: type, choices, a list's items.

What is wrong is noted by the variable's name and replaced by what is empty, so that the rest is checked too.
"""

from __future__ import annotations

import typing as t

from .data import Values, kind
from .findings import Findings
from .names import did_you_mean

# What Ansible takes for true and false where it is a text.
TRUTHS = dict.fromkeys(("true", "yes", "on", "1", "y", "t"), True)
TRUTHS |= dict.fromkeys(("false", "no", "off", "0", "n", "f"), False)
# Types as argument_specs name them; what has none of these is checked where it is used.
TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict, "path": str}
# Numbers with this ending are times, of which 0 makes no sense.
TIME = "wait_timeout"
HIDDEN = "(hidden)"


def typed(value: t.Any, option: Values, where: str, findings: Findings) -> t.Any:
    """Return a setting of its option's type, as the role's argument_specs have it; another is noted."""
    wanted = TYPES.get(option.get("type", "str"))
    if wanted is None:
        return value
    if wanted is list:
        return _items(value, option, where, findings)
    if option.get("choices"):
        return _chosen(value, option, where, findings)
    if value is None:
        return wanted()
    if wanted is int:
        return _whole(value, where, findings)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and wanted in (bool, float):
        value = _read(value, wanted)
    if not isinstance(value, wanted):
        shown = HIDDEN if option.get("no_log") else repr(value)
        quoted = isinstance(value, (int, float)) and wanted is str
        fix = f'use a string: "{shown}"' if quoted and not isinstance(value, bool) else _a(wanted)
        findings.add(where, f"is a {kind(value)}: {shown}", fix, rule="input-type")
        return wanted()
    return value


def _chosen(value: t.Any, option: Values, where: str, findings: Findings) -> t.Any:
    choices = option["choices"]
    # YAML reads an unquoted off as false.
    value = "off" if value is False and "off" in choices else value
    value = str(value).lower() if isinstance(value, bool) and str(value).lower() in choices else value
    if value is not None and value not in choices:
        near, fix = did_you_mean(str(value), choices), "use one of: " + ", ".join(str(one) or '""' for one in choices)
        findings.add(where, f"{value!r} is not a valid choice.{near}", fix, rule="input-choice")
    return value if value in choices else option.get("default", choices[0])


def _items(value: t.Any, option: Values, where: str, findings: Findings) -> list[t.Any]:
    """Return the items of a list that are of its elements' type."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        fix = f"use a list: [{value}]" if isinstance(value, (str, int, float)) else "a list"
        findings.add(where, f"is a {kind(value)}: {value!r}", fix, rule="input-type")
        return []
    # Maps with keys of their own are looked at where they are used, which says which keys they have.
    kind_ = "raw" if "options" in option else option.get("elements", "raw")
    item, found = {"type": kind_, "choices": option.get("choices")}, []
    for index, one in enumerate(value):
        before = len(list(findings))
        read = typed(one, item, f"{where}[{index}]", findings)
        found += [read] if len(list(findings)) == before else []
    return found


def _a(wanted: type) -> str:
    """Return a type in words."""
    return "use true or false" if wanted is bool else f"use a {kind(wanted())}"


def _read(text: str, wanted: type) -> t.Any:
    """Return what a text says, as -e NAME=VALUE gives it: a truth in Ansible's words, or a number; else the text."""
    if wanted is bool:
        return TRUTHS.get(text.strip().lower(), text)
    try:
        return float(text)
    except ValueError:
        return text


def _whole(value: t.Any, where: str, findings: Findings) -> int:
    text, time = str(value), where.endswith(TIME)
    if not isinstance(value, bool) and text.isascii() and text.isdigit() and (int(text) or not time):
        return int(text)
    if time:
        findings.add(
            where, (f"{value!r} is not a valid time"), "use a number of seconds, for example 1800", rule="input-time"
        )
    else:
        findings.add(where, f"{value!r} is not a whole number", "use a number such as 8", rule="input-type")
    return 0
