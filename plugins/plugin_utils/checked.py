# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The actions of modules with which a playbook begins that plans nothing: mistakes in variables end it first."""

from __future__ import annotations

from ansible.utils.display import Display
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.variables import UNKNOWN
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import read

display = Display()


class CheckedAction(InProcessAction):
    """Runs its module where the user's variables are known and of their types.

    here: whether the module may run in this process; types: whether a stack's variables have to be of their types too.
    """

    here = True
    types = True

    def mistaken(self, task_vars: dict) -> dict | None:
        """Return a failed result with every mistake in variables, None where there is none; show warnings."""
        found = read(self._loader, self._templar, task_vars)
        mistakes = [one for one in found.mistakes if self.types or one.rule == UNKNOWN]
        if not mistakes:
            return None
        # With these come all rules, which a run without mistakes can do without.
        from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.accept import VARIABLE, Refusals
        from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.findings import PlanningFailed, located

        accepted = self._templar.template(task_vars.get(VARIABLE)) or []
        errors = Refusals(accepted.split(",") if isinstance(accepted, str) else accepted)
        errors.take(located(one, found.places) for one in mistakes)
        failure = PlanningFailed(list(errors), list(errors.warnings))
        for text in failure.warnings:
            display.warning(text)
        return {**failure.result, "failed": True, "msg": str(failure)} if errors else None

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result, or what is wrong with the variables."""
        wrong = self.mistaken(task_vars or {})
        if wrong:
            return wrong
        if self.here:
            return super().run(tmp, task_vars)
        return self._execute_module(module_name=self._task.action, task_vars=task_vars)
