# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The variables of an inventory by their names: those that nothing reads, and those that are not of their types."""

from __future__ import annotations

import difflib
import re
import typing as t

from ..base.data import Object, Values, kind
from ..base.errors import OrchestratorError
from ..base.findings import ERROR, WARNING, Findings
from ..base.suggest import NEAR, nearest
from ..base.typed import typed

SHARED = "llm_d_"
KUBECONFIG = "llm_d_kubeconfig"
UNKNOWN = "input-unknown-variable"
# How alike a name with none of the prefixes has to be to a known one.
ALIKE = 0.9
# Names that runs leave to later ones, besides those of roles.
LEFT = re.compile(r"llm_d_(approved_digest_.+|deployed)\Z")
# Names that Ansible, or AWX in its jobs, gives a meaning.
RESERVED = re.compile(
    r"(ansible|awx|tower)_|_|(environment|groups|group_names|hostvars|inventory_.*|omit|playbook_dir|vars)\Z"
)
MOST = 500


def unknown(names: t.Iterable[str], known: t.Collection[str], prefixes: t.Collection[str], findings: Findings) -> None:
    """Note names that nothing reads and that were meant for this collection.

    names: of variables that a user sets; known: those that are read; prefixes: of roles that users set variables of.
    What has a prefix and is like no known variable may be another's, and is a warning.
    """
    folded = {_fold(name): name for name in known}
    for name in list(names)[:MOST]:
        if name in known or LEFT.match(name) or RESERVED.match(name):
            continue
        prefix = next((one for one in (SHARED, *prefixes) if name.startswith(one)), "")
        meant = _meant(name, prefix, known) if prefix else _alike(name, folded)
        if meant:
            findings.add(name, f"nothing reads this variable. Did you mean {meant}?", meant, rule=UNKNOWN)
        elif prefix:
            severity = ERROR if prefix == SHARED else WARNING
            fix = "remove it" if prefix == SHARED else f"remove it, or give it a name that does not begin with {prefix}"
            findings.add(name, "nothing reads this variable", fix, rule=UNKNOWN, severity=severity)


def _meant(name: str, prefix: str, known: t.Iterable[str]) -> str | None:
    """Return the known variable of a prefix that a name was meant to be: nearly it, or with fewer of its words."""
    rests = [one.removeprefix(prefix) for one in known if one.startswith(prefix)]
    rest = name.removeprefix(prefix)
    near = nearest(rest, rests, NEAR)
    if near is None:
        words = set(rest.split("_"))
        near = min((one for one in rests if words < set(one.split("_"))), key=len, default=None)
    if near is None and prefix == SHARED:
        return nearest(rest, rests)
    return prefix + near if near else None


def _alike(name: str, folded: t.Mapping[str, str]) -> str | None:
    """Return the known variable that a name without any prefix nearly is."""
    found = difflib.get_close_matches(_fold(name), folded, n=1, cutoff=ALIKE)
    return folded[found[0]] if found else None


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def check_types(
    names: t.Iterable[str], options: t.Mapping[str, Object], value_of: t.Callable[[str], t.Any], findings: Findings
) -> None:
    """Note variables that are not of their types. value_of: returns a variable's value."""
    for name in names:
        option = options.get(name) or {}
        try:
            value = value_of(name)
        except OrchestratorError as exc:
            findings.add(name, exc.message, "a value that can be worked out", rule="input-template")
            continue
        typed(_listed(value, option), option, name, findings)
        if name == KUBECONFIG and not isinstance(value, (str, dict, type(None))):
            findings.add(name, f"is a {kind(value)}", "a path, or a kubeconfig as a map or as text", rule="input-type")


def _listed(value: t.Any, option: Values) -> t.Any:
    """Return what -e NAME=ONE,TWO gives a list of texts."""
    texts = option.get("type") == "list" and option.get("elements") == "str"
    return [one.strip() for one in value.split(",") if one.strip()] if texts and isinstance(value, str) else value
