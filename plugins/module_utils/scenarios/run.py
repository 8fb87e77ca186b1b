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
from ..values.written import File, check_host, host_files, plain, plan_file, refuse, render, unlisted
from .known import PREFIX
from .scenario import Scenario, read_scenario
from .stack import Translation, translate

_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{16,}|(?:ghp|gho|ghs|github_pat|glpat|nvapi)[_-][\w-]{16,})"
)
MODULE = "llmdbench_scenario"
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
    check_host(host)
    values_dir = os.path.abspath(values_dir or os.path.join(os.path.dirname(inventory_dir), "values", host))
    if os.path.commonpath([inventory_dir, values_dir]) == inventory_dir:
        hint = "Ansible reads every YAML file there as inventory: use a folder outside."
        raise OrchestratorError(f"values_dir {values_dir} is in the inventory's folder.", hint=hint)
    scenario = read_scenario(path, variables)
    found = translate(scenario, os.path.relpath(values_dir, inventory_dir) + "/")
    _without_tokens(scenario, found)
    files = _files(found, source, host, inventory_dir, values_dir, force)
    report = scenario.report()
    return Imported(files, plain(found.variables), report, unlisted(inventory_dir, host) + summary(report))


def _files(found: Translation, source: str, host: str, inventory: str, values_dir: str, force: bool) -> list[File]:
    refused: list[str] = []
    files = host_files(found.variables, host, inventory, (MODULE, source), force, refused)
    models = {entry["name"]: entry["model"] for entry in found.variables["llm_d_models"]}
    for name, values in found.values.items():
        model = models.get(name) or models[name.removesuffix("-pool")]
        summary_text = f"{'llm-d-modelservice' if name in models else 'inferencepool'} values of {model}"
        path = os.path.join(values_dir, f"{name}.yaml")
        text = render(values, source, ansible=False, module=MODULE)
        files.append(plan_file(path, summary_text, text, force, refused))
    refuse(refused)
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
