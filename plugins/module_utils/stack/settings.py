# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The roles' settings as they come from an inventory: types checked, numbers and lists put right."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ..base.data import kind, plain
from ..base.findings import Findings
from ..base.names import did_you_mean, name_problem

# About what a small record takes.
TRIAL_BYTES = 64 * 1024


_CHART = {"chart_ref": str, "chart_version": str, "values_files": list, "values": dict}


# What stack_info reads of each role, with its type; where the type is a tuple, the words that are allowed.
SETTINGS: dict[str, dict[str, t.Any]] = {
    "gateway": {
        **dict.fromkeys(("provider", "name", "release_name", "namespace", "class_name", "existing_name"), str),
        "wait_timeout": int,
        **_CHART,
    },
    "gaie": {
        **dict.fromkeys(("image", "model_server_type", "plugins_config_file", "hf_token_secret", "hf_token_key"), str),
        "chart": ("inferencepool", "llm-d-router-gateway"),
        "pools": list,
        "plugins_custom_config": dict,
        "wait_timeout": int,
        **_CHART,
    },
    "modelservice": {"models": list, "wait_timeout": int, **_CHART},
    "httproute": {
        **dict.fromkeys(("name", "gateway_name", "gateway_namespace", "section_name"), str),
        "prune": bool,
        "mode": ("per_model", "shared"),
        "timeouts": dict,
        "routes": list,
        "wait_timeout": int,
    },
}


def checked_settings(params: dict, problems: Findings) -> dict:
    """Return stack_info's parameters with every setting of its type and the pools' chart filled in.

    A setting of another type is noted and replaced by an empty one, so that the rest is checked too.
    """
    params = {**params, "models": _models(plain(params.get("models")), problems)}
    for role, schema in SETTINGS.items():
        given = plain(params[role])
        params[role] = {
            name: _setting(given.get(name), wanted, f"{role}_{name}", problems) for name, wanted in schema.items()
        }
    for role, name in (("gateway", "namespace"), ("httproute", "gateway_namespace")):
        bad = name_problem(params[role][name]) if params[role][name] else None
        if bad:
            problems.add(f"{role}_{name}", bad, rule="input-name")
    wrong = name_problem(params["namespace"])
    if wrong:
        problems.add("llm_d_namespace", wrong, rule="input-namespace")
    _fill_chart(params)
    return params


def _models(value: t.Any, problems: Findings) -> list:
    if value is None or isinstance(value, list):
        return value or []
    problems.add(
        "llm_d_models", f"is a {kind(value)}", "a list, each entry beginning with - name: NAME", rule="input-type"
    )
    return []


def _setting(value: t.Any, wanted: t.Any, where: str, problems: Findings) -> t.Any:
    if isinstance(wanted, tuple):
        if value not in wanted:
            near = did_you_mean(str(value), wanted)
            problems.add(where, f"{value!r} is not known.{near}", "one of: " + ", ".join(wanted), rule="input-choice")
        return value if value in wanted else wanted[0]
    if value is None:
        return wanted()
    if wanted is int:
        return _seconds(value, where, problems)
    if not isinstance(value, wanted):
        problems.add(where, f"is a {kind(value)}: {value!r}", f"a {kind(wanted())}", rule="input-type")
        return wanted()
    return value


def _seconds(value: t.Any, where: str, problems: Findings) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) == 0:
        problems.add(where, f"{value!r} is no time", "a number of seconds, for example 1800", rule="input-time")
        return 0
    return int(text)


def _fill_chart(params: dict) -> None:
    gaie = params["gaie"]
    tested = params["pool_charts"].get(gaie["chart"]) or {}
    if not gaie["chart_ref"]:
        gaie["chart_ref"] = tested.get("ref", "")
        gaie["chart_version"] = gaie["chart_version"] or tested.get("version", "")
    gaie["image"] = gaie["image"] or tested.get("image", "")


def check_writable(folder: str | None, problems: Findings) -> None:
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
        problems.add(
            "llm_d_records_dir",
            f"{folder} cannot be written: {exc.strerror}",
            "a folder of yours",
            rule="input-records-dir",
        )
