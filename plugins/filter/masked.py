# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The filter masked."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import chosen, mask, without


def masked(value: t.Any, keys: str = "", known: t.Iterable[str] = ()) -> t.Any:
    """Return data without secrets, those that are known among them; of a mapping the keys that begin with a pattern."""
    return mask(without(chosen(value, keys), known))


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"masked": masked}
