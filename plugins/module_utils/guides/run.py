# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Importing a guide of llm-d: a host's variables as files of an inventory, and what became of the guide."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ..base.data import Values
from ..base.names import dns_label
from ..values.written import File, check_host, host_files, plain, refuse, unlisted
from .checkout import Checkout, open_checkout
from .guide import read_guide
from .helmfile import HELMFILES, translate_helmfile
from .report import Report
from .translate import Translated, translate

MODULE = "llmd_guide"


@dataclasses.dataclass
class ImportedGuide:
    """files: as they would be written; the rest: see the module's results."""

    files: list[File]
    variables: Values
    variants: list[str]
    variant: str
    mode: str
    report: dict[str, t.Any]
    summary: list[str]


def import_guide(
    path: str,
    inventory_dir: str,
    *,
    variant: str = "",
    mode: str = "",
    provider: str = "",
    host: str = "",
    variables: dict[str, str] | None = None,
    force: bool = False,
) -> ImportedGuide:
    """Return what a guide's import would write; raise OrchestratorError with the reason where it cannot be done.

    inventory_dir: "" writes nothing; variables: those of the environment, which win over the guide's defaults.
    """
    checkout = open_checkout(path)
    host = host or dns_label(os.path.basename(checkout.guide))
    check_host(host)
    report = Report()
    given = variables or {}
    helmfile = next((name for one in HELMFILES if checkout.is_file(name := f"{checkout.guide}/{one}")), None)
    if helmfile:
        found = translate_helmfile(checkout, helmfile, variant, mode, provider, given, report)
    else:
        found = translate(read_guide(checkout, given, report), variant, mode, provider, report)
    files: list[File] = []
    refused: list[str] = []
    notes: list[str] = []
    placed = _placed(found, checkout, inventory_dir)
    if inventory_dir:
        source = f"{checkout.guide} {found.variant} {found.mode}"
        files = host_files(placed, host, inventory_dir, (MODULE, source), force, refused)
        refuse(refused)
        notes = unlisted(inventory_dir, host)
    others = found.variants[1:]
    taken = f"{checkout.guide}: variant {found.variant}, mode {found.mode}"
    listed = [taken, *([f"other variants: {', '.join(others)}"] if others else [])]
    return ImportedGuide(
        files,
        plain(placed),
        found.variants,
        found.variant,
        found.mode,
        report.entries,
        [*listed, *notes, *report.lines()],
    )


def _placed(found: Translated, checkout: Checkout, inventory_dir: str) -> Values:
    """Return the variables with paths as the inventory's folder has them; absolute ones where there is none."""

    def place(name: str) -> str:
        path = checkout.path(name)
        return os.path.relpath(path, os.path.realpath(inventory_dir)) if inventory_dir else path

    variables = dict(found.variables)
    models = []
    for entry in variables["llm_d_models"]:
        entry = dict(entry)
        if "kustomization" in entry:
            entry["kustomization"] = place(entry["kustomization"])
        if "values_files" in entry:
            entry["values_files"] = [place(name) for name in entry["values_files"]]
        pool = dict(entry.get("pool") or {})
        if "values_files" in pool:
            pool["values_files"] = [place(name) for name in pool["values_files"]]
        models.append({**entry, "pool": pool})
    return {**variables, "llm_d_models": models}
