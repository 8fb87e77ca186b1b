# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A host's variables as Ansible knows them: which a user set, where they stand, mistakes in their names and types."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.vars import load_extra_vars
from ansible_collections.llm_d.orchestrator.plugins.lookup.role_settings import ROLES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import plain_yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import (
    MAX_PATH,
    Finding,
    Findings,
    short,
    show_path,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import VARIABLES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.variables import (
    Prefixes,
    check_types,
    reads,
    reads_in_text,
    unknown,
)
from jinja2.exceptions import UndefinedError

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # ansible-core 2.18 keeps the place in the value itself
    Origin = None

COLLECTION = os.path.realpath(os.path.join(ROLES, ".."))
# Folders whose variables are this collection's own, and those of a user within them.
OWN = tuple(os.path.join(COLLECTION, name) + os.sep for name in ("roles", "playbooks"))
USERS = tuple(os.path.join(COLLECTION, "playbooks", name) + os.sep for name in ("group_vars", "host_vars"))
# How the description of a role begins that only others of this collection use.
PRIVATE = "Private to this collection"
EXTRA = "extra variable"
# Roles that no stack is deployed by; they check the types of their variables by themselves.
APART = (
    *("awx", "lab", "lab_machines", "record", "service_account"),
    *(f"orchestrator_{name}" for name in ("backup", "etcd", "postgres", "redis", "tls")),
)
# Variables of playbooks alone, and what plays leave to each other.
OF_PLAYBOOKS = (
    *("lab_hosts", "lab_machines_virtual_address", "llm_orchestrator_mode", "llm_orchestrator_workload"),
    *(f"orchestrator_{name}" for name in ("accept", "address", "config", "passwords", "requirements")),
    *(f"orchestrator_{name}" for name in ("packages_installed", "program", "program_checksum", "program_packages")),
    *(f"orchestrator_verify_{name}" for name in ("headers", "path", "workflow")),
    *("orchestrator_secrets", "orchestrator_tls"),
    *(f"llm_orchestrator_{name}" for name in ("confirm", "remove_data", "state")),
    *(f"llm_d_{name}" for name in ("components", "events_file", "failure", "records_home", "run_dir")),
)
# Files of a playbook of others, below its folder, in which variables are read.
SOURCES = (".yml", ".yaml", ".j2")
MOST_SOURCES = 1000
# Folders beside an inventory with variables of its groups and hosts.
GIVEN = ("group_vars", "host_vars")
# Options of the module stack_info that are not called as the shared variable that sets them, without its prefix.
SHARED_OPTIONS = {**VARIABLES, "llm_d_plan": "plan_file", "llm_d_rules": "check_rules"}


class Variables(t.NamedTuple):
    """places: by the name of each variable that a user set 'FILE:LINE', 'extra variable', or "" for unknown.

    Of what is inside also, by its printed path, where that is another line.
    """

    places: dict[str, str]
    mistakes: list[Finding]


def read(loader: t.Any, templar: t.Any, variables: t.Mapping[str, t.Any]) -> Variables:
    """Return a host's variables that a user set, and what is wrong with their names and with those of all roles."""
    extra = load_extra_vars(loader)
    given = _inventory(variables)
    found = {str(name): _place(name, value, extra, given) for name, value in variables.items()}
    places = {name: place for name, place in found.items() if place is not None}
    specs = role_specs()
    public = {role: points for role, points in specs.items() if not _private(points)}
    checked = dict(specs["stack"]["shared"]["options"])
    for role in sorted(public.keys() - APART):
        checked.update(public[role]["main"]["options"])
    options = [point.get("options") or {} for points in specs.values() for point in points.values()]
    known = dict.fromkeys([*OF_PLAYBOOKS, *(name for one in options for name in one)])
    findings = Findings()
    # Where nobody knows where a name comes from, it may be one that a run has made.
    names = [name for name, place in places.items() if place]
    prefixes = Prefixes([f"{role}_" for role in public], [f"{role}_" for role in specs if role not in public])
    folder = os.path.realpath(variables.get("playbook_dir") or os.path.join(COLLECTION, "playbooks"))
    others = not f"{folder}{os.sep}".startswith(os.path.join(COLLECTION, "playbooks", ""))

    def is_read(name: str) -> bool:
        return _reads(variables, name, others and folder)

    unknown(names, known, prefixes, findings, is_read, others=others)

    inside: dict[str, str] = {}

    def value_of(name: str) -> t.Any:
        try:
            value = templar.template(variables[name])
        except AnsibleError as exc:
            raise OrchestratorError(f"cannot be evaluated: {short(str(exc), MAX_PATH)}") from exc
        inside.update(_inside(name, value, places[name]))
        return value

    check_types([name for name in checked if name in places], checked, value_of, findings)
    told = {*known, *(finding.mark.file for finding in findings)}
    return Variables({**{name: place for name, place in places.items() if name in told}, **inside}, list(findings))


def places_of(name: str, loader: t.Any, templar: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return where one variable stands, and what is inside it, as `Variables.places` has it; {} where it is not set."""
    if name not in variables:
        return {}
    place = _place(name, variables[name], load_extra_vars(loader), _inventory(variables))
    return {name: place or "", **dict(_inside(name, templar.template(variables[name]), place or ""))}


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


def addresses_of(hosts: t.Iterable[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, str]:
    """Return by host the address at which LLM-Orchestrator's other machines reach it."""
    names = ("orchestrator_address", "ansible_host")
    return {host: str(next(filter(None, [value_of(hostvars[host], name) for name in names]), host)) for host in hosts}


def used_in(variables: t.Mapping[str, t.Any], name: str) -> list[str]:
    """Return where a user's variables name a variable in a template: 'VARIABLE.KEY (FILE:LINE)'.

    variables: as they are written, templates not evaluated.
    """
    found = []
    for key, value in variables.items():
        for path, text in texts(str(key), value) if key not in ("hostvars", "vars") else ():
            file, line = origin(text)
            # What a run has made itself has no place.
            if file and "{{" in text and not is_own(file) and re.search(rf"\b{re.escape(name)}\b", text):
                found.append(f"{path} ({file}:{line})")
    return list(dict.fromkeys(found))


def texts(path: str, value: t.Any) -> t.Iterator[tuple[str, str]]:
    """Yield the printed path of each text in a value, and the text."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(path + _step(key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(f"{path}[{index}]", inner)


def _private(points: t.Mapping[str, t.Any]) -> bool:
    said = (points.get("main") or {}).get("description") or ""
    return " ".join([said] if isinstance(said, str) else said).startswith(PRIVATE)


def _inventory(variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the variables that the inventory itself gives a host, with where it is; scripts know no lines."""
    inventory: t.Any = getattr(variables.get("hostvars"), "_inventory", None)
    host = inventory.get_host(variables.get("inventory_hostname")) if inventory else None
    if not host:
        return {}
    names = {name for group in host.get_groups() for name in group.get_vars()} | set(host.vars)
    # A host's inventory_file is the first of several.
    file = len(inventory._sources or []) == 1 and variables.get("inventory_file")
    return dict.fromkeys(map(str, names), str(file or "the inventory"))


def _reads(variables: t.Mapping[str, t.Any], name: str, folder: str | t.Literal[False]) -> bool:
    """Return whether a variable of a host, or a file of the inventory or below a folder, reads a variable."""
    if reads(_others(variables, name), name):
        return True
    hostvars = variables.get("hostvars")
    if hostvars is not None and any(reads(_others(hostvars.raw_get(host), name), name) for host in hostvars):
        return True
    # A variable that reads it may have been overridden, as by -e.
    if any(reads_in_text(text, name) for text in _given(variables)):
        return True
    return bool(folder) and any(reads_in_text(text, name) for text in _sources(str(folder), SOURCES))


def _given(variables: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the texts of an inventory's files, those that are YAML."""
    home, file = variables.get("inventory_dir"), str(variables.get("inventory_file") or "")
    for kind in GIVEN if home else ():
        yield from _sources(os.path.join(str(home), kind), ("", *SOURCES))
    if file.endswith(SOURCES) and os.path.isfile(file):
        yield pathlib.Path(file).read_text(encoding="utf-8", errors="replace")


def _others(variables: t.Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    return {key: value for key, value in variables.items() if key not in ("hostvars", "vars", name)}


def _sources(folder: str, endings: t.Container[str]) -> t.Iterator[str]:
    """Yield the texts of a folder's files with such endings, hidden folders left out."""
    count = 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(files):
            if os.path.splitext(name)[1] in endings and count < MOST_SOURCES:
                count += 1
                with open(os.path.join(root, name), encoding="utf-8", errors="replace") as stream:
                    yield stream.read()


def _place(name: t.Any, value: t.Any, extra: t.Mapping[str, t.Any], given: t.Mapping[str, str]) -> str | None:
    """Return where a variable stands, "" where nobody knows, None where this collection has set it itself.

    given: the files of those that an inventory has.
    """
    file, line = origin(value)
    if not file:
        # A variable keeps the place of its name in the inventory, also where an extra variable overrides it.
        file, line = origin(next((key for key in extra if key == name), name))
    if file and is_own(file):
        return None
    if name in extra and not file:
        return EXTRA
    return f"{file}:{line}" if file and line else file or _script(value) or given.get(str(name), "")


@functools.lru_cache
def is_own(file: str) -> bool:
    """Return whether a file is this collection's, and no variables that a user put beside its playbooks."""
    path = os.path.realpath(file)
    return path.startswith(OWN) and not path.startswith(USERS)


def _inside(path: str, value: t.Any, place: str) -> t.Iterator[tuple[str, str]]:
    """Yield the printed path and the place of each key and item in a value that stands on a line of its own."""
    entries: t.Iterable[tuple[str, t.Any, t.Any]] = ()
    if isinstance(value, dict):
        # A map's own place is its first line, where its first key is.
        entries = ((path + _step(key), key, inner) for key, inner in value.items())
    elif isinstance(value, list):
        entries = ((f"{path}[{index}]", inner, inner) for index, inner in enumerate(value))
    for name, mark, inner in entries:
        file, line = origin(mark)
        here = f"{file}:{line}" if file and line and not is_own(file) else place
        if here != place:
            yield name, here
        yield from _inside(name, inner, here)


def _step(key: t.Any) -> str:
    text = show_path([str(key)])
    return text if text.startswith("[") else f".{text}"


def _script(value: t.Any) -> str:
    """Return the inventory script that a value comes from, "" for none."""
    tag = Origin and Origin.get_tag(value)
    said = re.fullmatch("<inventory script output from '(.*)'.*>", (tag and tag.description) or "")
    return said[1] if said else ""


def origin(value: t.Any) -> tuple[str, int]:
    """Return the file and line that a value comes from, ("", 0) where they are not known."""
    if Origin is None:
        file, line = (*getattr(value, "ansible_pos", ()), "", 0)[:2]
        return str(file or ""), int(line or 0)
    tag = Origin.get_tag(value)
    return (str(tag.path or ""), int(tag.line_num or 0)) if tag else ("", 0)
