# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a plan may be carried out: the plan that was approved, consents, answers."""

from __future__ import annotations

import typing as t

from ..base.data import Object, kind
from ..base.errors import OrchestratorError
from ..base.findings import Finding, Findings, finding_at
from ..changes.actions import REUSE, Action
from .decisions import not_carried_out, unanswered
from .document import changes, decisions, extra_vars, grant, grants, missing_consents, open_questions, to_prune
from .file import read_plan
from .state import changed_inputs, changed_states, plan_digest

PRODUCTION = "production"
PRODUCED = (
    "run the playbook plan; it ends with the command for site that names plan and digest"
    " (in AWX, start the workflow rollout, or the template plan, which ends with the digest for deploy)"
)
AGAIN = "make a new plan with the playbook plan, and have it approved"


def against(params: Object, now: Object, actions: t.Sequence[Action]) -> tuple[list[Finding], list[str]]:
    """Return what stands against carrying out a plan, and notes.

    params: environment, plan_file, approved_digest (one, or one for each cluster) and cluster_name of the module; now:
    the plan as it would be made now.
    """
    file = params["plan_file"]
    digest, found = _approved(params)
    if params["environment"] == PRODUCTION and not found:
        found = _production(file, digest)
    if not file:
        if digest and digest != now["digest"]:
            found.append(_about_digest(f"it is {digest}, but the current plan has {now['digest']}"))
        return found, []
    try:
        plan = read_plan(file)
    except OrchestratorError as exc:
        return [*found, _about_plan(exc.message, exc.hint or AGAIN)], []
    wrong = _other(plan, now)
    if wrong:
        return [*found, _about_plan(f"the plan is {wrong}")], []
    if digest and digest != plan["digest"]:
        said = f"it is {digest}, but the plan {file} has {plan['digest']}"
        found.append(_about_digest(said, "use the digest of the approved plan"))
    changed, notes = _compared(plan, now, actions)
    return found + changed, notes


def _about_digest(message: str, hint: str = AGAIN) -> Finding:
    return finding_at("llm_d_approved_digest", message, hint, "approval")


def _about_plan(message: str, hint: str = AGAIN) -> Finding:
    return finding_at("llm_d_plan", message, hint, "approval")


def _approved(params: Object) -> tuple[str, list[Finding]]:
    """Return the digest that was approved for this cluster, "" for none, and what is wrong with what was given."""
    given = params["approved_digest"] or ""
    if isinstance(given, str):
        return given, []
    cluster = params.get("cluster_name") or ""
    if not isinstance(given, dict):
        what = f"is a {kind(given)}"
    elif not isinstance(given.get(cluster), str) or not given[cluster]:
        what = f"has no digest for {cluster}"
    else:
        return given[cluster], []
    return "", [_about_digest(what, "use a digest, or a map of each cluster to the digest of its plan")]


def _production(file: str, digest: str) -> list[Finding]:
    """Return what a deployment to production lacks: the digest is enough, as everything is planned anew."""
    if digest:
        return []
    unset = "is not set, but llm_d_environment is production"
    wanted = [] if file else [_about_plan(unset, PRODUCED)]
    return [*wanted, _about_digest(unset, "set it to the digest of that plan once it is approved")]


def _other(plan: Object, now: Object) -> str:
    """Return why a plan is not one of this stack on this cluster, "" where it is."""
    if plan["digest"] != plan_digest(plan["inputs"], plan["state"], plan["namespace"]):
        return "modified: its digest does not match its content"
    if plan["namespace"] != now["namespace"]:
        return f"for the namespace {plan['namespace']}, not {now['namespace']}"
    uids = [(side.get("cluster") or {}).get("uid") for side in (plan, now)]
    if all(uids) and uids[0] != uids[1]:
        return "for another cluster"
    return ""


def _compared(plan: Object, now: Object, actions: t.Sequence[Action]) -> tuple[list[Finding], list[str]]:
    """Return what changed since a plan was made, and notes."""
    inputs = changed_inputs(plan["inputs"], now["inputs"])
    rows = [_about_plan(f"inputs have changed since the plan: {row}") for row in inputs]
    states = changed_states(plan, actions)
    used = plan["digest"] != now["digest"] and _used(plan, actions)
    said = (
        "the plan was at least partly deployed, and since then" if used else ("the cluster has changed since the plan:")
    )
    rows += [_about_plan(f"{said} {row}") for row in states]
    if rows or not used:
        return rows, []
    left = [action for action in actions if action.action != REUSE]
    if left:
        return [], [f"The plan is partly deployed: {len(left)} of its objects remain."]
    return [], ["The plan is already deployed: nothing remains to be done."]


def _used(plan: Object, actions: t.Sequence[Action]) -> bool:
    """Return whether something that the plan was to change is as wanted by now."""
    changing = {f"{row['kind']}/{row['namespace']}/{row['name']}" for row in plan["actions"] if row["action"] != REUSE}
    return any(action.id in changing and action.action == REUSE for action in actions)


def lacking(plan: Object) -> list[Finding]:
    """Return a finding for each consent and answer that a plan lacks, naming the variable that gives it."""
    # Others' objects are refused by themselves.
    rows = [row for row in missing_consents(plan) if row["kind"] != "adopt"]
    consents = [finding_at("consent", row["what"], grant(row), "consent") for row in rows]
    return consents + unanswered(plan["questions"])


def _unplanned(params: Object) -> bool:
    """Return whether production has no plan: what only checks needs none."""
    return params["environment"] == PRODUCTION and not (params["plan_file"] or params["approved_digest"])


def approve(
    findings: Findings, params: Object, planned: Object, actions: t.Sequence[Action], *, check_mode: bool
) -> list[str]:
    """Add to the findings what stands against carrying out a plan; return notes.

    params: the module's; check_mode: nothing is going to be changed, so that what lacks is only noted.
    """
    findings.take(not_carried_out(planned["questions"]))
    if params["approval"] == "off" or (check_mode and _unplanned(params)):
        return []
    found, notes = against(params, planned, actions)
    findings.take(found)
    if params["plan_file"] or _approved(params)[0]:
        # Whoever approved the plan has read there what is deleted.
        for row in planned["consents"]:
            row["granted"] = row["granted"] or row["kind"] == "prune"
    if check_mode:
        return notes + [f"Not approved yet: {one.text()}" for one in lacking(planned)]
    if params["approval"] == "enforce" or findings:
        # Where somebody is going to be asked, that is of no use beside mistakes.
        findings.take(lacking(planned))
    return notes


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
            said = f"{answer!r} is not one of" if answer else "choose"
            details.append(f"{question['id']}: {question.get('text')} ({said} {', '.join(choices)})")
    if details:
        count = "A question is" if len(details) == 1 else f"{len(details)} questions are"
        hint = f"Answer on a terminal, or choose with -e '{extra_vars({'llm_d_decisions': decisions(plan)})}'."
        raise OrchestratorError(f"{count} not answered. Nothing was changed.", hint=hint, details=details)
    return {question["id"]: given[question["id"]] for question in open_questions(plan)}


def to_ask(plan: Object, *, prompt: bool) -> bool:
    """Return whether there is anything to ask of somebody at a terminal."""
    return to_approve(plan, prompt=prompt) or bool(to_prune(plan))


def to_approve(plan: Object, *, prompt: bool) -> bool:
    """Return whether somebody has to be asked: where something lacks, or prompt and the plan changes anything."""
    return bool(missing_consents(plan) or open_questions(plan) or (prompt and changes(plan)))


def refusal(plan: Object) -> str:
    """Return what to say where a plan is not approved: what lacks consent, and the variables that give it."""
    missing = [f"consent is missing: {item.get('what') or item['id']}" for item in missing_consents(plan)]
    if missing:
        other = f"consent with -e '{extra_vars(grants(plan))}'"
    else:
        other = "deploy a plan that was read before with llm_d_plan, or set llm_d_approve to auto"
    hint = f"Answer yes on a terminal, or {other}."
    return str(OrchestratorError("The plan was not approved; nothing was changed.", hint=hint, details=missing))


def shown_later(result: Object, arguments: Object) -> bool:
    """Return whether a plan is shown as a whole after planning: where it is asked for, or written.

    result, arguments: of stack_info.
    """
    asks = result.get("to_approve") and to_approve(result["plan"], prompt=arguments.get("approve") == "prompt")
    return bool(asks) or arguments.get("approval") == "off"
