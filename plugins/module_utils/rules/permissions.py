# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about permissions: whoever deploys may do all that the plan needs. Without that fact they say nothing."""

from __future__ import annotations

import typing as t

from ..base.findings import ERROR, WARNING, Finding
from ..model.model import StackModel
from ..model.permissions import Permission, compact
from .base import Check, Rule, finding

_GRANT = "ask an administrator to apply this, or deploy as a user with these permissions:\n"


def _missing(model: StackModel, held: bool) -> list[Permission]:
    access = model.facts.access
    return [need for need in access.missing if not need.optional and need.held is held] if access else []


def permitted(model: StackModel) -> t.Iterator[Finding]:
    """All that the plan needs is permitted; one finding for all that is not."""
    access, missing = model.facts.access, _missing(model, held=False)
    if access and missing:
        text = f"{access.user or 'the user'} lacks permissions that the plan needs: {compact(missing)}"
        yield finding(text, key=("access",), remedy=_GRANT + access.role)


def grantable(model: StackModel) -> t.Iterator[Finding]:
    """Roles that charts make grant nothing that their maker does not hold."""
    access, missing = model.facts.access, _missing(model, held=True)
    if access and missing:
        reasons = ", ".join(dict.fromkeys(need.why for need in missing))
        user = access.user or "the user"
        text = f"{user} lacks permissions that the charts' Roles grant: {compact(missing)} ({reasons})"
        both = bool(_missing(model, held=False))
        hint = (
            "ask an administrator to grant them, or the verbs escalate and bind on roles of rbac.authorization.k8s.io"
        )
        yield finding(text, key=("held",), remedy=hint + ("; LLMD741's Role has it" if both else ":\n" + access.role))


def readable(model: StackModel) -> t.Iterator[Finding]:
    """What is only read in order to check more."""
    access = model.facts.access
    missing = [need for need in access.missing if need.optional] if access else []
    if missing:
        unchecked = "; ".join(dict.fromkeys(need.why for need in missing))
        yield finding(f"not checked, because it is not permitted: {unchecked} ({compact(missing)})", key=("readable",))


def answered(model: StackModel) -> t.Iterator[Finding]:
    """The cluster says what is permitted."""
    access = model.facts.access
    unknown = [need for need in access.unknown if not need.optional] if access else []
    if unknown:
        yield finding(f"cannot determine whether these are permitted: {compact(unknown)}", key=("answered",))


def _rule(number: int, title: str, severity: str, check: Check, meaning: str, failure: str, remedy: str) -> Rule:
    source = "Kubernetes, SelfSubjectRulesReview and SelfSubjectAccessReview"
    source = "Kubernetes, RBAC, Privilege escalation prevention" if number == 42 else source
    return Rule(f"LLMD7{number:02d}", title, severity, check, meaning, failure, remedy, source)


RULES = (
    _rule(
        41,
        "What the plan needs is permitted",
        ERROR,
        permitted,
        "The user may do everything that site.yml, verification and teardown do with the objects of this plan.",
        "The deployment stops halfway with 403 Forbidden: some releases are installed, others are not.",
        "ask an administrator to apply the Role in the finding and the plan, see permissions.md",
    ),
    _rule(
        42,
        "Roles of the charts may be created",
        ERROR,
        grantable,
        "Kubernetes lets only a user who has all permissions of a Role, or may escalate and bind, create it.",
        "helm install fails: attempting to grant RBAC permissions not currently held.",
        "get the permissions that the endpoint picker's Role grants, or the verbs escalate and bind on roles",
    ),
    _rule(
        43,
        "What is checked may be read",
        WARNING,
        readable,
        "Planning may read what it only compares with: nodes, classes, quotas. Without, it checks less.",
        "A mistake that the check would have found shows up while deploying, or later.",
        "ask an administrator to grant it if you want these checks; deploying does not need it",
    ),
    _rule(
        44,
        "The cluster reports what is permitted",
        WARNING,
        answered,
        "The cluster's authorizer answers reviews of the permissions that the plan needs.",
        "A missing permission shows only when the deployment stops with 403 Forbidden.",
        "check the cluster's authorization webhook; deploying continues",
    ),
)
