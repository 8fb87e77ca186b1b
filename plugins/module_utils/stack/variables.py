# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The variables of an inventory by their names: those that nothing reads, and those that are not of their types."""

from __future__ import annotations

import dataclasses
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
    r"(ansible|tower)_|awx_(job|user|schedule|workflow_job|inventory_(id|name)|project_(revision|scm)|parent|webhook)(_|\Z)"
    r"|_|(environment|groups|group_names|hostvars|inventory_.*|omit|playbook_dir|vars)\Z"
)
TEMPLATE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
LITERAL = re.compile(r"'([\w-]+)'|\"([\w-]+)\"")
MOST = 500


@dataclasses.dataclass(frozen=True)
class Prefixes:
    """How the names of roles' variables begin.

    public: of roles that users set variables of; private: of those that only others of this collection use.
    """

    public: t.Collection[str]
    private: t.Collection[str] = ()

    def of(self, name: str) -> str:
        """Return the prefix of a name, "" for none."""
        return next((one for one in (SHARED, *self.public, *self.private) if name.startswith(one)), "")


def unknown(
    names: t.Iterable[str],
    known: t.Collection[str],
    prefixes: Prefixes,
    findings: Findings,
    is_read: t.Callable[[str], bool] = lambda name: False,
    *,
    others: bool = False,
) -> None:
    """Note names that nothing reads and that were meant for this collection.

    names: of variables that a user sets; known: those that are read here; is_read: returns whether something of the
    user's reads one; others: whether roles of others may run, so that what is like no known variable may be theirs.
    """
    folded = {_fold(name): name for name in known}
    for name in list(names)[:MOST]:
        if name in known or LEFT.match(name) or RESERVED.match(name):
            continue
        prefix = prefixes.of(name)
        meant = _meant(name, prefix, known, prefixes) if prefix else _alike(name, folded)
        if not meant and prefix not in (SHARED, *prefixes.public) or is_read(name):
            continue
        if meant:
            findings.add(name, f"unknown variable. Did you mean {meant}?", meant, rule=UNKNOWN)
            continue
        severity = WARNING if others and prefix != SHARED else ERROR
        fix = f"remove it, or use a name that does not begin with {prefix}"
        findings.add(name, "unknown variable", fix, rule=UNKNOWN, severity=severity)


def reads(value: t.Any, name: str) -> bool:
    """Return whether a template in a value reads a variable, by its name or by one put together from its beginning."""
    if isinstance(value, str):
        # Most values are no templates.
        return "{" in value and any(_names(one, name) for one in TEMPLATE.findall(value))
    if isinstance(value, t.Mapping):
        return any(reads(one, name) for one in value.values())
    return isinstance(value, (list, tuple)) and any(reads(one, name) for one in value)


def _names(expression: str, name: str) -> bool:
    if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", expression):
        return True
    if not re.search(r"lookup|query|\bq\(|vars", expression):
        return False
    starts = (one or other for one, other in LITERAL.findall(expression))
    return any(name.startswith(start) and len(start) > len(SHARED) for start in starts)


def reads_in_text(text: str, name: str) -> bool:
    """Return whether a file of a playbook or a role names a variable elsewhere than where it sets it."""
    if name not in text:
        return False
    lines = (line for line in text.splitlines() if name in line and not line.lstrip().startswith("#"))
    return any(re.search(rf"(?<!\w){re.escape(name)}(?![\w]|[\"']?\s*:(?:\s|\Z))", line) for line in lines)


def _meant(name: str, prefix: str, known: t.Iterable[str], prefixes: Prefixes) -> str | None:
    """Return the known variable that a name was meant to be: nearly one of its prefix, or with fewer of its words.

    A shared one may also have been meant for a role's.
    """
    rests = [one.removeprefix(prefix) for one in known if one.startswith(prefix)]
    rest = name.removeprefix(prefix)
    # Of short words, two letters that changed places are a large share.
    near = nearest(rest, rests, NEAR) or next((one for one in rests if sorted(one) == sorted(rest)), None)
    if near is None:
        words = set(rest.split("_"))
        near = min((one for one in rests if words < set(one.split("_"))), key=len, default=None)
    if near is None and prefix == SHARED:
        roles = {one.removeprefix(prefixes.of(one)): one for one in known}
        other = rest if rest in roles else nearest(rest, roles, NEAR)
        if other:
            return roles[other]
        near = nearest(rest, rests)
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
            findings.add(name, exc.message, "use a value that can be evaluated", rule="input-template")
            continue
        typed(_listed(value, option), option, name, findings)
        if name == KUBECONFIG and not isinstance(value, (str, dict, type(None))):
            findings.add(
                name, f"is a {kind(value)}", ("use a path, or a kubeconfig as a map or a string"), rule="input-type"
            )


def _listed(value: t.Any, option: Values) -> t.Any:
    """Return what -e NAME=ONE,TWO gives a list of texts."""
    texts = option.get("type") == "list" and option.get("elements") == "str"
    return [one.strip() for one in value.split(",") if one.strip()] if texts and isinstance(value, str) else value
