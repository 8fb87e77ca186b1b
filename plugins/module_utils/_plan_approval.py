# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What was said at a prompt, held against what a plan asks."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_view import (
    decisions,
    extra_vars,
    grants,
    missing_consents,
    open_questions,
)

YES = "yes"

Object = dict[str, t.Any]


def answered(plan: Object, answers: Object) -> dict[str, str]:
    """Return the decisions on all open questions.

    answers: what was typed, by the question's id. Raises OrchestratorError naming each question that has no answer, or
    one that is no choice, and the variable that answers them.
    """
    given = {key: str(value or "").strip() for key, value in answers.items()}
    details = []
    for question in open_questions(plan):
        choices, answer = list(question.get("choices") or {}), given.get(question["id"], "")
        if answer not in choices:
            said = f"{answer!r} is none of" if answer else "choose"
            details.append(f"{question['id']}: {question.get('text')} ({said} {', '.join(choices)})")
    if details:
        count = "A question is" if len(details) == 1 else f"{len(details)} questions are"
        hint = f"Answer on a terminal, or choose with -e '{extra_vars({'llm_d_decisions': decisions(plan)})}'."
        raise OrchestratorError(f"{count} not answered; nothing was changed.", hint=hint, details=details)
    return {question["id"]: given[question["id"]] for question in open_questions(plan)}


def approved(plan: Object, answer: str) -> Object:
    """Return the variables of the consents that an answer of yes gives.

    Raises OrchestratorError for any other answer, naming what lacks consent and the variables that give it.
    """
    if answer.strip() == YES:
        return grants(plan)
    missing = [f"no consent to {item.get('what') or item['id']}" for item in missing_consents(plan)]
    if missing:
        other = f"give the consents with -e '{extra_vars(grants(plan))}'"
    else:
        other = "deploy a plan that was read before with llm_d_plan, or set llm_d_approve to auto"
    hint = f"Answer yes on a terminal, or {other}."
    raise OrchestratorError("The plan was not approved; nothing was changed.", hint=hint, details=missing)
