# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets that are known by where they stand, looked for wherever else they may turn up: in logs, in errors."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import MASK, is_secret_key, secret_arguments

# A shorter text is a word of many others.
SHORTEST = 8


def chosen(value: t.Any, keys: str) -> t.Any:
    """Return data; of a mapping only the keys that match a pattern at their beginning, "" for all."""
    if keys and isinstance(value, Mapping):
        # Only what is asked for is looked up: the other values of hostvars may not be fit to be rendered.
        return {key: value[key] for key in value if re.match(keys, str(key))}
    return value


def secrets_in(value: t.Any) -> set[str]:
    """Return the texts under keys that name secrets, of variables of a container's environment and of flags that do."""
    if isinstance(value, (list, tuple)):
        given = {text for text in secret_arguments(value) if len(text) >= SHORTEST}
        return given.union(*(secrets_in(item) for item in value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    named = is_secret_key(str(value.get("name") or ""))
    for key, item in value.items():
        texts = [item] if isinstance(item, str) else item if isinstance(item, list) else []
        if is_secret_key(str(key)) or (named and key == "value"):
            # As plain text: Ansible's own kinds of it stay out of what is compared.
            found |= {str(text) for text in texts if isinstance(text, str) and len(text) >= SHORTEST}
        found |= secrets_in(item)
    return found


def without(value: t.Any, secrets: t.Iterable[str]) -> t.Any:
    """Return a copy of data in whose texts none of the secrets stands."""
    ordered = sorted(set(secrets), key=len, reverse=True)
    return _without(value, ordered) if ordered else value


def _without(value: t.Any, secrets: list[str]) -> t.Any:
    if isinstance(value, dict):
        return {key: _without(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value
