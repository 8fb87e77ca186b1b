# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The components' settings as they come from an inventory: types checked, numbers and lists put right."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ..base import formats
from ..base.data import Values, kind, mapping, plain
from ..base.findings import WARNING, Findings
from ..base.names import name_problem
from ..base.typed import typed
from ..components.base import Component
from ..components.registry import COMPONENTS

# The default of llm_d_namespace.
NAMESPACE = "llm-d"
# About what a small record takes.
TRIAL_BYTES = 64 * 1024


def checked_settings(params: dict, findings: Findings) -> dict:
    """Return stack_info's parameters with every component's settings of their types, and what follows from them.

    A setting of another type is noted and replaced by an empty one, so that the rest is checked too.
    """
    options, given = params["options"], mapping(plain(params["components"]))
    places = params.get("places") or None
    params = {**params, "models": _models(plain(params.get("models")), findings), "components": {}}
    params["only"] = list(COMPONENTS) if params.get("only") is None else list(params["only"])
    for name, cls in COMPONENTS.items():
        settings = dict(mapping(given.get(name)))
        for setting, option in (options.get(name) or {}).items():
            where = f"{name}_{setting}"
            # A default is wrong only by another variable, which has been named.
            said = findings if places is None or where in places else Findings()
            settings[setting] = typed(settings.get(setting), option, where, said)
        _check_shapes(cls, settings, findings)
        params["components"][name] = cls.checked(settings, findings)
    for row in params.get("table") or []:
        if row["name"] not in COMPONENTS:
            known = ", ".join(COMPONENTS)
            findings.add("component table", f"unknown component {row['name']!r}", f"use one of: {known}", rule="input")
    wrong = name_problem(params["namespace"])
    if wrong:
        findings.add("llm_d_namespace", wrong, rule="input-namespace")
        # What follows from it is no mistake of its own.
        params["namespace"] = NAMESPACE
    return params


def _check_shapes(cls: type[Component], settings: Values, findings: Findings) -> None:
    """Note settings that are not what they have to be besides their types, and images that may become others."""
    for setting, check in cls.shapes.items():
        value, where = settings.get(setting), f"{cls.name}_{setting}"
        items = [(f"{where}[{index}]", one) for index, one in enumerate(value)] if isinstance(value, list) else []
        for place, one in items or [(where, value)]:
            problem = check(one) if one or one == 0 else None
            if problem:
                findings.add(place, problem.what, problem.fix, rule=problem.rule)
            # What charts are given is looked at where they are rendered.
            elif check is formats.image and one and not cls.chart and (why := formats.floating(one)):
                text = f"the image {one} {why}"
                findings.add(place, text, "use a released version, or a digest", rule="image-tag", severity=WARNING)


def places(params: dict) -> list[str]:
    """Return the namespaces in which the components put something, each once. params: as checked_settings returns."""
    found = [cls.place(params["components"][name], params["namespace"]) for name, cls in COMPONENTS.items()]
    return list(dict.fromkeys(found))


def _models(value: t.Any, findings: Findings) -> list:
    if value is None or isinstance(value, list):
        return value or []
    findings.add(
        "llm_d_models", f"is a {kind(value)}", "use a list, each entry beginning with - name: NAME", rule="input-type"
    )
    return []


def check_writable(folder: str | None, findings: Findings) -> None:
    """Note a folder for records that cannot be written or made."""
    if not folder:
        return
    path = os.path.abspath(os.path.expanduser(folder))
    while not os.path.exists(path):
        path = os.path.dirname(path)
    try:
        # A try tells more than the permissions: root has all of them, also where nothing can be made.
        with tempfile.TemporaryFile(dir=path) as trial:
            # A full disk still makes files.
            trial.write(bytes(TRIAL_BYTES))
    except OSError as exc:
        findings.add(
            "llm_d_records_dir",
            f"cannot write to {folder}: {exc.strerror}",
            "use a folder that you can write to",
            rule="input-records-dir",
        )
