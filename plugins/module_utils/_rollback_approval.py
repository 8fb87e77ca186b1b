# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a return to a recorded deployment may be carried out: an approved digest, or consents."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._discovery_actions import DELETE, REPLACE, Action
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rollback_plan import Return, lost

Object = dict[str, t.Any]

PRODUCTION = "production"
VARIABLE = "llm_d_approved_digest"
READ = "read what would be done with --check, and have that approved; its last line is the command"


def approval(found: Return, params: Object) -> Object:
    """Return {digest, approved, confirmed, refused, lacking}, the last two as texts.

    confirmed: nobody has to be asked; refused: why it may not be done; lacking: what lacks consent.
    params: environment, approved_digest, confirm and consent of the module.
    """
    digest, given = found.digest(), params["approved_digest"]
    refused = []
    if given and given != digest:
        refused.append(f"{VARIABLE}: it is {given}, but what would be done now has {digest} -> {READ}")
    elif not given and params["environment"] == PRODUCTION:
        refused.append(f"{VARIABLE}: is not set, and llm_d_environment is production -> {READ}")
    approved = bool(given) and given == digest
    lacking = [] if approved else lacking_consents(found.actions, params["consent"])
    confirmed = approved or (params["confirm"] and not lacking)
    return {
        "digest": digest, "approved": approved, "confirmed": confirmed, "refused": refused, "lacking": lacking,
    }  # fmt: skip


def lacking_consents(actions: t.Iterable[Action], given: t.Container[str]) -> list[str]:
    """Return what needs more than the consent to a return, each with the variable that gives it.

    given: kinds of llm_d_consent.
    """
    rows = []
    for one in actions:
        claim = one.item["kind"] == "PersistentVolumeClaim"
        if (one.action == REPLACE or (one.action == DELETE and claim)) and one.action not in given:
            rows.append(f"{lost(one)} -> llm_d_consent: [{one.action}]")
    return rows
