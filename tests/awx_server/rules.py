# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What AWX demands of an object beyond the types of its fields, one function a collection."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jinja2
import jinja2.sandbox
import yaml

from awx_server.schema import NOTIFICATIONS, SURVEY_TYPES

if TYPE_CHECKING:
    from awx_server.store import Store

Object = dict[str, Any]
NODE_LINKS = ("success_nodes", "failure_nodes", "always_nodes")
NAME = re.compile(r"[a-zA-Z_]\w*\Z")
INPUT = {"type", "format", "choices", "id", "label", "help_text", "multiline", "secret", "default"}


def refuse(field: str, text: str) -> None:
    from awx_server.store import refuse as raised

    raised(field, text)


def credential_types(_store: Store, row: Object) -> None:
    """Inputs and injectors as AWX's schema has them; injectors name only what the inputs have."""
    inputs, injectors = row["inputs"], row["injectors"]
    if set(inputs) - {"fields", "required"} or set(injectors) - {"file", "env", "extra_vars"}:
        refuse("inputs", "Additional properties are not allowed")
    for field in inputs.get("fields", []):
        if set(field) - INPUT or not {"id", "label"} <= set(field) or not NAME.match(field["id"]):
            refuse("inputs", f"{field} is no field")
        field.setdefault("type", "string")
    known = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])}
    if set(inputs.get("required", [])) - set(known):
        refuse("inputs", "required names no field")
    files = [name.partition(".")[2] for name in injectors.get("file", {})]
    tower = {"filename": "EXAMPLE" if files == [""] else dict.fromkeys(files, "EXAMPLE")}
    sandbox = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for part in injectors.values():
        for key, template in part.items():
            if key.startswith("ANSIBLE_"):
                refuse("injectors", f"Environment variable {key} is not allowed")
            try:
                sandbox.from_string(template).render({**known, "tower": tower})
            except jinja2.UndefinedError as exc:
                refuse("injectors", f"{key} uses an undefined field ({exc})")


def credentials(store: Store, row: Object) -> None:
    """Inputs that the type has, and all that it demands."""
    inputs = store.get("credential_types", row["credential_type"])["inputs"]
    known = {field["id"] for field in inputs.get("fields", [])}
    if set(row["inputs"]) - known or set(inputs.get("required", [])) - set(row["inputs"]):
        refuse("inputs", f"{sorted(row['inputs'])} are not the fields {sorted(known)}")


def projects(_store: Store, row: Object) -> None:
    """A project from a repository has its address, and is fetched once it is made."""
    if row["scm_type"] and not row["scm_url"]:
        refuse("scm_url", "SCM URL is required.")
    row.setdefault("scm_revision", "")
    row.setdefault("_updated", False)


def inventory_sources(_store: Store, row: Object) -> None:
    """A source in a repository needs a project, others have none."""
    if (row["source"] == "scm") != bool(row["source_project"]):
        refuse("source_project", "Project required for scm type sources.")


def notification_templates(_store: Store, row: Object) -> None:
    """All settings of the type and of their types; AWX fills in its defaults."""
    settings = row["notification_configuration"]
    known = NOTIFICATIONS.get(row["notification_type"], {})
    for name, (kind, default) in known.items():
        if name not in settings and default is None:
            refuse("notification_configuration", f"Missing required fields: {name}")
        if not isinstance(settings.setdefault(name, default), kind):
            refuse("notification_configuration", f"{name} is not of the type {kind.__name__}")
    if known and set(settings) - set(known):
        refuse("notification_configuration", f"{sorted(set(settings) - set(known))} are no settings")


def job_templates(store: Store, row: Object) -> None:
    """A project that has the playbook, an inventory, and variables that can be read."""
    if not row["project"]:
        refuse("project", "Job Templates must have a project assigned.")
    project = store.get("projects", row["project"])
    if row["playbook"] not in store.playbooks:
        refuse("playbook", "Playbook not found for project.")
    if not row["inventory"] and not row["ask_inventory_on_launch"]:
        refuse("inventory", "Must either set a default value or ask to prompt on launch.")
    if (row["scm_branch"] or row["ask_scm_branch_on_launch"]) and not project["allow_override"]:
        refuse("scm_branch", "Project does not allow overriding branch.")
    row["organization"] = project["organization"]
    _variables(row)


def workflow_job_templates(_store: Store, row: Object) -> None:
    """Variables that can be read."""
    _variables(row)


def workflow_job_template_nodes(store: Store, row: Object) -> None:
    """Prompts that the node's template asks for."""
    _prompts(store, row)


def schedules(store: Store, row: Object) -> None:
    """A rule with one beginning and an interval, and prompts that the template asks for."""
    rule = row["rrule"]
    if len(re.findall(r"DTSTART(?:;[^:]+)?:\d+T\d+Z?", rule)) != 1:
        refuse("rrule", "Valid DTSTART required in rrule.")
    parts = re.findall(r"RULE:(\S*)", rule)
    if not parts or any("INTERVAL=" not in part or "SECONDLY" in part for part in parts):
        refuse("rrule", "INTERVAL required in rrule")
    _prompts(store, row)


def _variables(row: Object) -> None:
    if not isinstance(yaml.safe_load(row["extra_vars"] or "{}"), dict):
        refuse("extra_vars", "Cannot parse as JSON or YAML.")


def _prompts(store: Store, row: Object) -> None:
    """Refuse variables that neither a survey nor a prompt of the template takes."""
    target, given = row["unified_job_template"], row["extra_data"] or {}
    if not target:
        return
    template = store.get("unified_job_templates", target)
    survey = next((spec for key, spec in store.surveys.items() if key[1] == target), {})
    asked = (
        {question["variable"]: question for question in survey.get("spec", [])}
        if template.get("survey_enabled")
        else {}
    )
    for name, value in given.items():
        if name in asked:
            _answer(asked[name], value)
        elif not template.get("ask_variables_on_launch"):
            refuse("extra_data", f"Variables {name} are not allowed on launch.")
    if row.get("limit") and not template.get("ask_limit_on_launch"):
        refuse("limit", "Field is not configured to prompt on launch.")


def _answer(question: Object, value: Any) -> None:
    kind, choices = question["type"], question.get("choices", [])
    values = value if kind == "multiselect" else [value]
    wanted = list if kind == "multiselect" else SURVEY_TYPES[kind]
    if not isinstance(value, wanted) or (choices and any(one not in choices for one in values)):
        refuse("extra_data", f"Value {value} for '{question['variable']}' is not of {kind} {choices}")


def survey(spec: Any) -> str:
    """Return what is wrong with a survey, "" for nothing."""
    if not isinstance(spec, dict) or not all(isinstance(spec.get(key), str) for key in ("name", "description")):
        return "Field 'name' or 'description' is missing from survey spec."
    if not isinstance(spec.get("spec"), list) or not spec["spec"]:
        return "'spec' doesn't contain any items."
    names = [question.get("variable") for question in spec["spec"]]
    if len(names) != len(set(names)):
        return "'variable' duplicated in survey question"
    return next((wrong for question in spec["spec"] if (wrong := _question(question))), "")


def _question(question: Object) -> str:
    for name, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
        if not isinstance(question.get(name), kind):
            return f"'{name}' in survey question {question} expected to be {kind.__name__}"
    kind, default, choices = question["type"], question.get("default", ""), question.get("choices")
    if kind not in SURVEY_TYPES:
        return f"{kind} is not one of the allowed question types"
    if default != "" and not isinstance(default, SURVEY_TYPES[kind]):
        return f"Default value {default!r} expected to be {kind}"
    if kind.startswith("multi") and not choices:
        return f"Survey question of type {kind} must specify choices"
    if choices and any(one not in choices for one in str(default).splitlines()):
        return "Default choice must be answered from the choices listed."
    return ""


def link(store: Store, collection: str, number: int, name: str, other: int) -> None:
    """Refuse links that AWX refuses: of what does not exist, twice, or back to where they came from."""
    target = "workflow_job_template_nodes" if name in NODE_LINKS else name
    if name.startswith("notification_templates"):
        target = "notification_templates"
    found = store.get(target, other)
    if name in NODE_LINKS:
        if any(other in store.linked(collection, number, one) for one in NODE_LINKS):
            refuse("error", "Relationship not allowed.")
        if number == other or number in _below(store, other):
            refuse("error", "Cycle detected.")
    if name == "credentials":
        kinds = [store.get("credentials", one)["credential_type"] for one in store.linked(collection, number, name)]
        if found["credential_type"] in kinds:
            refuse("error", "Cannot assign multiple credentials of one type.")


def _below(store: Store, number: int) -> set[int]:
    found: set[int] = set()
    left = [number]
    while left:
        node = left.pop()
        for name in NODE_LINKS:
            new = set(store.linked("workflow_job_template_nodes", node, name)) - found
            found |= new
            left += new
    return found


def as_variables(text: str) -> Object:
    """Return extra variables as a map."""
    return json.loads(text) if text else {}
