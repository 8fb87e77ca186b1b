# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What all modules share: options that stand in their documentation alone, and one way to end."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from .errors import OrchestratorError, require
from .plain_yaml import IMPORT_ERROR, load

Spec = dict[str, t.Any]
# AnsibleModule, or what stands for it in Ansible's own process (plugin_utils/in_process.py).
MakeModule = t.Callable[..., t.Any]
CREDENTIALS = "kubernetes.core.k8s_auth_options"
SPECIFIED = ("type", "elements", "required", "default", "aliases")


def argument_spec(documentation: str, no_log: t.Mapping[str, bool] | None = None, shared: t.Iterable[str] = ()) -> Spec:
    """Return the specification of documented options, with a cluster's credentials where the documentation has them.

    no_log: by names of options at any depth, which documentation has no word for; shared: fragments of ours, as text.
    """
    found = load(documentation)
    options = [load(text)["options"] for text in shared]
    own = {name: spec for one in [*options, found.get("options") or {}] for name, spec in one.items()}
    credentials = CREDENTIALS in (found.get("extends_documentation_fragment") or [])
    return {**(copy.deepcopy(AUTH_ARG_SPEC) if credentials else {}), **_specified(own, no_log or {})}


def _specified(options: Spec, no_log: t.Mapping[str, bool]) -> Spec:
    spec = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in SPECIFIED if key in option}
        if "choices" in option:
            spec[name]["choices"] = list(option["choices"])  # a map where choices are described
        if "suboptions" in option:
            spec[name]["options"] = _specified(option["suboptions"], no_log)
        if name in no_log:
            spec[name]["no_log"] = no_log[name]
    return spec


def run_module(
    make: MakeModule,
    documentation: str,
    carry_out: t.Callable[[t.Any], dict],
    no_log: t.Mapping[str, bool] | None = None,
    shared: t.Iterable[str] = (),
) -> None:
    """Run a module and end it with what carry_out(module) returns: as failed where that has `failed`, or none came."""
    spec = argument_spec(documentation, no_log, shared) if IMPORT_ERROR is None else {}
    module = make(argument_spec=spec, supports_check_mode=True)
    try:
        require(IMPORT_ERROR)
        result = _carried_out(carry_out, module)
    except OrchestratorError as exc:
        result = {**exc.result, "msg": str(exc), "failed": True}
    end = module.fail_json if result.pop("failed", False) else module.exit_json
    end(**result)


def _carried_out(carry_out: t.Callable[[t.Any], dict], module: t.Any) -> dict:
    """Return a module's result. Raises OrchestratorError also for a package that is only missed on the way."""
    try:
        return carry_out(module)
    except ModuleNotFoundError as exc:
        require(exc)
        raise
