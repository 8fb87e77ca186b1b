# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What only later tasks use is refused while planning, before anything is begun."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.modules.stack_info import DOCUMENTATION


@pytest.mark.parametrize(("value", "refused"), [("maybe", True), ("cancel", False), ("finish", False)])
def test_a_choice_that_does_not_exist_is_refused(value, refused):
    found = ArgumentSpecValidator(argument_spec(DOCUMENTATION)).validate({"on_failure": value})
    assert any("on_failure must be one of" in text for text in found.error_messages) == refused
