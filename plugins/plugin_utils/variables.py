# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A host's variables as Ansible knows them: which a user set, where they stand, mistakes in their names and types."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.vars import load_extra_vars
from ansible_collections.llm_d.orchestrator.plugins.lookup.role_settings import ROLES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import plain_yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding, Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import VARIABLES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.variables import check_types, unknown
from jinja2.exceptions import UndefinedError

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # ansible-core 2.18 keeps the place in the value itself
    Origin = None

COLLECTION = os.path.realpath(os.path.join(ROLES, ".."))
# Folders whose variables are this collection's own.
OWN = tuple(os.path.join(COLLECTION, name) + os.sep for name in ("roles", "playbooks"))
# How the description of a role begins that only others of this collection use.
PRIVATE = "Private to this collection"
EXTRA = "extra variable"
# Roles that no stack is deployed by, beside whose variables users, and AWX itself, have others.
APART = ("awx", "lab", "record", "service_account")
# Options of the module stack_info that are not called as the shared variable that sets them, without its prefix.
SHARED_OPTIONS = {**VARIABLES, "llm_d_plan": "plan_file", "llm_d_rules": "check_rules"}


class Variables(t.NamedTuple):
    """places: by the name of each variable that a user set 'FILE:LINE', 'extra variable', or "" for unknown."""

    places: dict[str, str]
    mistakes: list[Finding]


def read(loader: t.Any, templar: t.Any, variables: t.Mapping[str, t.Any]) -> Variables:
    """Return a host's variables that a user set, and what is wrong with their names and with those of all roles."""
    extra = load_extra_vars(loader)
    found = {str(name): _place(name, value, extra) for name, value in variables.items()}
    places = {name: place for name, place in found.items() if place is not None}
    specs = role_specs()
    public = {role: points for role, points in specs.items() if role not in APART and not _private(points)}
    checked = dict(specs["stack"]["shared"]["options"])
    for points in public.values():
        checked.update(points["main"]["options"])
    options = [point.get("options") or {} for points in specs.values() for point in points.values()]
    known = dict.fromkeys(name for one in options for name in one)
    findings = Findings()
    # Where nobody knows where a name comes from, it may be one that a run has made.
    unknown([name for name, place in places.items() if place], known, [f"{role}_" for role in public], findings)

    def value_of(name: str) -> t.Any:
        try:
            return templar.template(variables[name])
        except AnsibleError as exc:
            raise OrchestratorError(f"cannot be worked out: {exc}") from exc

    check_types([name for name in checked if name in places], checked, value_of, findings)
    told = {*known, *(finding.mark.file for finding in findings)}
    return Variables({name: place for name, place in places.items() if name in told}, list(findings))


@functools.lru_cache
def role_specs() -> dict[str, dict[str, t.Any]]:
    """Return by role its entry points as argument_specs has them."""
    paths = {path.parts[-3]: path for path in sorted(pathlib.Path(ROLES).glob("*/meta/argument_specs.yml"))}
    return {role: plain_yaml.load(path.read_text(encoding="utf-8"))["argument_specs"] for role, path in paths.items()}


def value_of(host: t.Mapping[str, t.Any], name: str, otherwise: t.Any = None) -> t.Any:
    """Return a host's variable as plain data, None where it is not set; otherwise where it cannot be worked out.

    host: its entry in hostvars.
    """
    try:
        # Ansible may put off what goes wrong until a value is looked at.
        return json.loads(json.dumps(host.get(name), default=str))
    except (AnsibleError, UndefinedError, RecursionError, TypeError, ValueError):
        return otherwise


def _private(points: t.Mapping[str, t.Any]) -> bool:
    said = (points.get("main") or {}).get("description") or ""
    return " ".join([said] if isinstance(said, str) else said).startswith(PRIVATE)


def _place(name: t.Any, value: t.Any, extra: t.Mapping[str, t.Any]) -> str | None:
    """Return where a variable stands, "" where nobody knows, None where this collection has set it itself."""
    file, line = _origin(value)
    if not file:
        file, line = _origin(name)
    if file and os.path.realpath(file).startswith(OWN):
        return None
    if name in extra and not file:
        return EXTRA
    return f"{file}:{line}" if file and line else file


def _origin(value: t.Any) -> tuple[str, int]:
    """Return the file and line that a value comes from, ("", 0) where they are not known."""
    if Origin is None:
        file, line = (*getattr(value, "ansible_pos", ()), "", 0)[:2]
        return str(file or ""), int(line or 0)
    tag = Origin.get_tag(value)
    return (str(tag.path or ""), int(tag.line_num or 0)) if tag else ("", 0)
