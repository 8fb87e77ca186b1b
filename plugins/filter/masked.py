# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The filter masked."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import mask


def masked(value: t.Any, keys: str = "") -> t.Any:
    """Return data without secrets; of a mapping only the keys that begin with the pattern keys."""
    if keys and isinstance(value, Mapping):
        # Only what is asked for is looked up: the other values of hostvars may not be fit to be rendered.
        value = {key: value[key] for key in value if re.match(keys, str(key))}
    return mask(value)


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"masked": masked}
