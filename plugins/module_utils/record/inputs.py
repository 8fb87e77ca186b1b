# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a record takes over from a cluster's variables, and the secrets in them that nothing recorded may show."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object, leaves
from ..base.mask import MASK, SHORTEST, mask, secrets_in, without
from ..components.registry import COMPONENTS

# Beginnings of the names of this collection's variables that say what is deployed and how.
OURS = ("llm_d", *COMPONENTS, "verify")
NAMED = re.compile(rf"(?:{'|'.join(OURS)})_(?!result$)")
# These stand in the record by release, merged.
VALUES = re.compile(rf"(?:{'|'.join(OURS)})_values$")
# Secrets whose names do not say so.
HIDDEN = frozenset(f"{name}_{setting}" for name, cls in COMPONENTS.items() for setting in cls.hidden)
# What of a module's arguments comes from a run, and may show what a secret is.
SHOWN = ("failure", "diagnosis", "planned", "collected", "verification", "inputs")


def variables_of(hostvars: t.Mapping[str, t.Any]) -> Object:
    """Return the variables of this collection that a cluster has.

    Only these are looked up: others may not be fit to be rendered.
    """
    return {name: hostvars[name] for name in hostvars if NAMED.match(str(name))}


def without_secrets(arguments: Object, variables: Object) -> Object:
    """Return the arguments of the module deployment_record without secrets, and without what it does not use.

    variables: of the cluster; they are the record's inputs where the arguments have none. What is secret in them or in
    a release's values by where it stands is masked wherever else it turns up.
    """
    planned = arguments.get("planned") or {}
    stack, plan = planned.get("stack") or {}, planned.get("plan") or {}
    known = secrets_in(variables) | secrets_in([stack.get("releases"), stack.get("parts")])
    hidden = {name: variables[name] for name in HIDDEN & variables.keys()}
    # As plain text: Ansible's own kinds of it stay out of what is compared.
    known |= {str(text) for _path, text in leaves(hidden) if isinstance(text, str) and len(text) >= SHORTEST}
    variables = {**variables, **{name: MASK for name, value in hidden.items() if value}}
    given = {
        **arguments,
        "inputs": arguments.get("inputs") or {name: variables[name] for name in variables if not VALUES.match(name)},
        "planned": {
            "stack": stack,
            "settled": planned.get("settled") or {},
            "plan": {name: plan.get(name) for name in ("digest", "inputs", "leftovers")},
        },
    }
    return {name: mask(without(value, known)) if name in SHOWN else value for name, value in given.items()}
