# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Importing a scenario of llm-d-benchmark: the files of an inventory, and what became of the scenario."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..base.errors import OrchestratorError
from ..base.mask import is_secret_key
from ..base.names import dns_label
from .files import File, plan_file, render
from .known import PREFIX
from .scenario import Scenario, read_scenario
from .stack import Evaluated, Translation, translate

_HOST = re.compile(r"[A-Za-z0-9][\w.-]{0,252}\Z", re.ASCII)
_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{16,}|(?:ghp|gho|ghs|github_pat|glpat|nvapi)[_-][\w-]{16,})"
)
# What the modules and Ansible need of a host that stands for a cluster; a site adds its kubeconfig.
_HOST_VARIABLES = {
    "ansible_connection": "local",
    "ansible_python_interpreter": Evaluated("{{ ansible_playbook_python }}"),
}
_WORDS = {
    "untranslatable": "line {line}: {what}: not translated, {why}{affects}",
    "changed": "line {line}: {variable}: {why}",
    "unknown": "line {line}: {variable}: unknown. {hint}",
}


@dataclasses.dataclass
class Imported:
    """files: as they would be written; variables: the host's; report, summary: see the module's results."""

    files: list[File]
    variables: dict[str, t.Any]
    report: dict[str, t.Any]
    summary: list[str]


def import_scenario(
    path: str, inventory_dir: str, *, host: str, values_dir: str, variables: dict[str, str], force: bool
) -> Imported:
    """Return what a scenario's import would write; raise OrchestratorError where it cannot be done."""
    source = os.path.basename(path)
    host = host or dns_label(source.removesuffix(".sh"))
    if not _HOST.match(host):
        raise OrchestratorError(f"{host!r} is not a valid host name", hint="Set host.")
    values_dir = os.path.abspath(values_dir or os.path.join(os.path.dirname(inventory_dir), "values", host))
    if os.path.commonpath([inventory_dir, values_dir]) == inventory_dir:
        hint = "Ansible reads every YAML file there as inventory: use a folder outside."
        raise OrchestratorError(f"values_dir {values_dir} is in the inventory's folder.", hint=hint)
    scenario = read_scenario(path, variables)
    found = translate(scenario, os.path.relpath(values_dir, inventory_dir) + "/")
    _without_tokens(scenario, found)
    files = _files(found, source, host, inventory_dir, values_dir, force)
    report = scenario.report()
    return Imported(files, _plain(found.variables), report, _unlisted(inventory_dir, host) + summary(report))


def _unlisted(inventory: str, host: str) -> list[str]:
    """Return a note where hosts.yml is there and does not name the host."""
    path = os.path.join(inventory, "hosts.yml")
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            named = re.search(rf"^\s*['\"]?{re.escape(host)}['\"]?\s*:", stream.read(), re.MULTILINE)
    except FileNotFoundError:
        return []
    return [] if named else [f"{path}: not changed; add the host {host} to it"]


def _files(found: Translation, source: str, host: str, inventory: str, values_dir: str, force: bool) -> list[File]:
    refused: list[str] = []
    files = []
    hosts = os.path.join(inventory, "hosts.yml")
    if not os.path.exists(hosts):
        note = ["A host is a cluster. Set llm_d_kubeconfig and llm_d_context; otherwise kubectl's rules apply."]
        text = render({"all": {"vars": _HOST_VARIABLES, "hosts": {host: {}}}}, source, ansible=True, notes=note)
        files.append(plan_file(hosts, "the inventory, with this host only", text, force, refused))
    text = render(found.variables, source, ansible=True)
    path = os.path.join(inventory, "host_vars", f"{host}.yml")
    files.append(plan_file(path, f"variables of {host}", text, force, refused))
    models = {entry["name"]: entry["model"] for entry in found.variables["llm_d_models"]}
    for name, values in found.values.items():
        model = models.get(name) or models[name.removesuffix("-pool")]
        summary_text = f"{'llm-d-modelservice' if name in models else 'inferencepool'} values of {model}"
        path = os.path.join(values_dir, f"{name}.yaml")
        files.append(plan_file(path, summary_text, render(values, source, ansible=False), force, refused))
    if refused:
        raise OrchestratorError(
            "Nothing was written: these files were not written by this module.",
            details=refused,
            hint="Set force: true to overwrite them, or use another folder or host.",
        )
    return files


def _without_tokens(scenario: Scenario, found: Translation) -> None:
    """Take tokens out of what is to be written, with a note of where they belong."""
    seen: list[str] = []
    for name, values in found.values.items():
        found.values[name] = _clean(values, name, seen)
    for key in found.variables:
        found.variables[key] = _clean(found.variables[key], key, seen)
    for where in dict.fromkeys(seen):
        why = "tokens and passwords are not written: put it into a Secret and refer to it with valueFrom.secretKeyRef"
        scenario.changes.append({"line": 0, "variable": "", "key": where, "why": why})


def _clean(value: t.Any, where: str, seen: list[str]) -> t.Any:
    if isinstance(value, dict):
        return {key: _clean(item, f"{where}.{key}", seen) for key, item in value.items()}
    if isinstance(value, list):
        kept = [item for item in value if not _is_secret(item)]
        seen += [where] * (len(kept) < len(value))
        return [_clean(item, where, seen) for item in kept]
    if isinstance(value, str) and _TOKEN.search(value):
        seen.append(where)
        return _TOKEN.sub("", value)
    return value


def _is_secret(item: t.Any) -> bool:
    """Return whether a list's item is an environment variable that holds a secret as text."""
    if not isinstance(item, dict) or not is_secret_key(str(item.get("name", ""))):
        return False
    # A number of tokens is none that opens anything; nor is the name of another variable.
    value = str(item.get("value") or "")
    return bool(value) and not value.isdigit() and not value.startswith("$")


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, Evaluated):
        return value.text
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def summary(report: dict[str, t.Any]) -> list[str]:
    """Return a report in lines for people: what needs attention first, then counts."""
    lines = []
    for kind, words in _WORDS.items():
        for entry in report[kind]:
            names = ", ".join(entry.get("variables", []))
            affects = f"; it affects {names}" if names else ""
            lines.append(words.format(**{"variable": "", **entry, "affects": affects}).strip())
    counts = {kind: len(report[kind]) for kind in ("translated", "ignored")}
    lines.append(f"{counts['translated']} variables translated, {counts['ignored']} ignored")
    used = ", ".join(f"{item['variable'].removeprefix(PREFIX)}={item['value']}" for item in report["defaults"])
    return [*lines, f"the benchmark's defaults used: {used}"] if used else lines
