# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What only later tasks use is refused while planning, before anything is begun."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.modules.stack_info import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import Ended, InProcessModule


@pytest.mark.parametrize(("value", "refused"), [("maybe", True), ("cancel", False), ("finish", False)])
def test_a_choice_that_does_not_exist_is_refused(value, refused):
    arguments = {"namespace": "a", "providers_dir": "/", "on_failure": value}
    try:
        InProcessModule(argument_spec(), arguments, check_mode=False, diff=False)
    except Ended as ended:
        assert refused and "on_failure must be one of" in ended.result["msg"]
    else:
        assert not refused
