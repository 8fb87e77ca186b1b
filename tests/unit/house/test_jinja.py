# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs an `if` or a loop over data is Python's work, and roles touch only each other's public variables."""

from __future__ import annotations

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROLES = sorted(path.parent.name for path in (ROOT / "roles").glob("*/meta"))
FILES = sorted([*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/[tvd]*/**/*.yml")])
# The files of the collection that playbooks/collections links to are those of the tree.
FILES = [path for path in FILES if "collections" not in path.relative_to(ROOT).parts]

LOGIC = re.compile(r"\{%|\b(?:select|reject)attr\b|\bternary\b|\bset_fact\b|\bif .* else |^\s*(?:if|else) ")
# Files with such logic, how often, and why.
ALLOWED: dict[str, tuple[int, str]] = {
    "playbooks/lab_down.yml": (1, "a play's hosts, which no module can tell"),
    "playbooks/lab_up.yml": (1, "a play's hosts, which no module can tell"),
    "playbooks/tasks/orchestrator/prepare.yml": (1, "passwords of all hosts, for the roles after it"),
    "playbooks/status.yml": (1, "which playbook is imported, where only extra variables are known"),
    "playbooks/site.yml": (1, "the rows of the table that have something to do"),
    "playbooks/vars/site.yml": (1, "a file that check mode does not write"),
    "roles/awx/vars/main/objects.yml": (2, "what of AWX's objects depends on a user's variable"),
    "roles/awx/vars/main/parts.yml": (2, "what of AWX's objects depends on a user's variable"),
    "roles/component/tasks/main.yml": (1, "what is removed is not planned"),
    "roles/component/tasks/present.yml": (2, "the background, and the job that collect waits for"),
    "roles/component/vars/main.yml": (3, "a component's parts out of the plan's, and the jobs that it needs"),
    "roles/consent/tasks/answers.yml": (2, "what one host asks, for the host that runs the prompt"),
    "roles/consent/tasks/choice.yml": (2, "what one host asks, for the host that runs the prompt"),
    "roles/consent/tasks/main.yml": (2, "what one host asks, for the host that runs the prompt"),
    "roles/httproute/vars/main.yml": (1, "a component's parts out of the plan's"),
    "roles/monitoring/tasks/verify.yml": (1, "the names of what is not as wanted"),
    "roles/monitoring/vars/main.yml": (1, "a component's parts out of the plan's"),
    "roles/orchestrator_compose/tasks/docker.yml": (3, "what a host says that has no Docker"),
    "roles/orchestrator_compose/tasks/present.yml": (1, "a file of a service, which Compose does not look at"),
    "roles/orchestrator_server/tasks/present.yml": (1, "whether a server is held back, for the playbook that does it"),
    "roles/plan/tasks/unwanted.yml": (1, "what somebody at the terminal has agreed to, for the end of the run"),
    "roles/teardown/vars/main.yml": (1, "the variables of others' Gateway, where no stack is worked out"),
}


def logic(text: str) -> list[str]:
    """Return the lines of a file that have logic; comments are none."""
    return [line.strip() for line in text.splitlines() if LOGIC.search(line) and not line.lstrip().startswith("#")]


def foreign(name: str, text: str) -> list[str]:
    """Return the private variables of other roles in a file; name: of the file's role, "" for a playbook."""
    found = []
    for word in re.findall(r"(?<![\w.])_{1,2}[a-z]\w*", re.sub(r"(?m)^\s*#.*", "", text)):
        owners = [role for role in ROLES if word.lstrip("_").startswith(f"{role}_")]
        # The longest name is the owner: service_account_x is not of a role service.
        if owners and max(owners, key=len) != name:
            found.append(word)
    return found


def role_of(path: pathlib.Path) -> str:
    """Return the role that a file belongs to, "" for a playbook."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "roles" else ""


def test_logic_is_pythons() -> None:
    found = {path.relative_to(ROOT).as_posix(): logic(path.read_text(encoding="utf-8")) for path in FILES}
    assert {name: lines for name, lines in found.items() if len(lines) > ALLOWED.get(name, (0, ""))[0]} == {}
    # An entry that is not needed any more goes.
    assert {name: len(found[name]) for name in ALLOWED} == {name: count for name, (count, _why) in ALLOWED.items()}


def test_private_variables_stay_in_their_role() -> None:
    found = {path.relative_to(ROOT).as_posix(): foreign(role_of(path), path.read_text("utf-8")) for path in FILES}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a: \"{{ b | selectattr('x') | list }}\"", 1),
        ("a: |-\n  {% for x in y %}\n  {{ x }}\n  {% endfor %}", 2),
        ("a: \"{{ 'x' if b else 'y' }}\"", 1),
        ("a: >-\n  {{ {'a': 1}\n     if b else {} }}", 1),
        ("- ansible.builtin.set_fact: {a: 1}", 1),
        ("# what is wrong if nothing else is\na: '{{ b.c | default([]) }}'\nwhen: a or b", 0),
    ],
)
def test_logic_is_seen(text: str, count: int) -> None:
    assert len(logic(text)) == count


@pytest.mark.parametrize(
    ("role", "text", "words"),
    [
        ("verify", "pending: '{{ _verify_pending }}'", []),
        ("", "vars: {_verify_pending: true}", ["_verify_pending"]),
        ("record", "a: '{{ __lock_taken.held }}'", ["__lock_taken"]),
        ("record", "a: '{{ lock_result.held }} {{ x.__lock_x }}'", []),
        ("", "register: __offer", []),
    ],
)
def test_private_variables_are_seen(role: str, text: str, words: list[str]) -> None:
    assert foreign(role, text) == words
