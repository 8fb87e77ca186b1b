# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The filter secrets."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import chosen, secrets_in


def secrets(value: t.Any, keys: str = "") -> list[str]:
    """Return the secrets in data, known by their keys; of a mapping only what its keys that match the pattern hold."""
    return sorted(secrets_in(chosen(value, keys)))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"secrets": secrets}
