# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Surveys of AWX job templates, made from the argument specifications of roles.

A survey's answers are extra variables, which go before the inventory's. So only what a specification gives as a value
becomes a default here; an empty default would hide what the inventory has.
"""

from __future__ import annotations

import ast
import re
import typing as t

from ..base.data import Object

Say = t.Callable[[str], None]
# What a survey's question may have besides the variable.
FIELDS = ("option", "variable", "type", "question", "description", "required", "default", "choices", "min", "max")
TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
# Types of argument specifications that a person can type; lists only with choices.
_TYPED = {"str": "text", "path": "text", "raw": "text", "int": "integer", "float": "float", "bool": "multiplechoice"}
_SHARED = re.compile(r"^\{\{ (llm_d_\w+) \| default\((.*?)(?:, true)?\) \}\}$")
_MARKUP = re.compile(r"\b[CVIO]\(([^)]*)\)")


def survey(name: str, entries: t.Any, options: t.Mapping[str, Object], say: Say) -> Object:
    """Return the survey's specification as AWX takes it, {} for none.

    entries: names of roles' options, or maps of FIELDS; options: the roles' options by name; say: takes mistakes.
    """
    questions = []
    for entry in entries or []:
        given = {"option": entry} if isinstance(entry, str) else entry
        unknown = sorted(set(given) - set(FIELDS)) if isinstance(given, dict) else ["this"]
        if unknown:
            known = ", ".join(FIELDS)
            say(f"survey: unknown key {', '.join(unknown)} -> use the name of a role's option, or a map of {known}")
            continue
        questions.append(_question(given, options, say))
    found = [question for question in questions if question]
    return {"name": name, "description": "", "spec": found} if found else {}


def _question(given: Object, options: t.Mapping[str, Object], say: Say) -> Object:
    """Return a question, {} where it has a mistake."""
    name = given.get("option", "")
    option = options.get(name, {})
    if name and not option:
        say(f"survey: no role has an option {name} -> use a name of a role's meta/argument_specs.yml")
        return {}
    variable, default = _variable(name, option)
    made = {
        "variable": given.get("variable") or variable,
        "type": given.get("type") or _type(option),
        "choices": given.get("choices") or _choices(option),
        "default": given.get("default", default),
    }
    if made["type"] not in TYPES or not made["variable"]:
        what = f"{name or given} is a {option.get('type', 'question without a variable or type')}"
        say(f"survey: {what}, which a survey cannot ask for -> remove it, or use one of the types {', '.join(TYPES)}")
        return {}
    if made["type"] in ("multiplechoice", "multiselect") and not made["choices"]:
        say(f"survey: {made['variable']} has no choices -> add some")
        return {}
    title = re.sub(r"^llm_d_", "", variable) if variable.startswith("llm_d_") else name.partition("_")[2]
    return _written(made, given, title or made["variable"], _plain(option.get("description", "")))


def _written(made: Object, given: Object, title: str, description: str) -> Object:
    """Return a question in AWX's form."""
    question = {
        "variable": made["variable"],
        "type": made["type"],
        "question_name": given.get("question") or title.replace("_", " ").capitalize(),
        "question_description": given.get("description") or description,
        "required": bool(given.get("required", False)),
    }
    question.update({key: given[key] for key in ("min", "max") if key in given})
    if made["type"] in ("multiplechoice", "multiselect"):
        question["choices"] = [str(choice) for choice in made["choices"]]
    default = _default(made["type"], made["default"])
    if default not in ("", None):
        question["default"] = default
    return question


def _variable(name: str, option: Object) -> tuple[str, t.Any]:
    """Return the variable that sets an option for a whole cluster, and its default, None where that is worked out."""
    default = option.get("default")
    shared = _SHARED.match(default.strip()) if isinstance(default, str) else None
    if shared:
        return shared[1], _literal(shared[2])
    return name, None if isinstance(default, str) and "{{" in default else default


def _literal(text: str) -> t.Any:
    try:
        return ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
    except (ValueError, SyntaxError):
        return None


def _type(option: Object) -> str:
    if option.get("no_log"):
        return "password"
    kind = option.get("type", "str")
    if kind == "list":
        return "multiselect" if option.get("choices") else ""
    return "multiplechoice" if option.get("choices") else _TYPED.get(kind, "")


def _choices(option: Object) -> list:
    return ["true", "false"] if option.get("type") == "bool" else list(option.get("choices") or [])


def _default(kind: str, value: t.Any) -> t.Any:
    """Return a default as AWX wants it: several choices in lines, a number as such."""
    if value is None or value == [] or kind == "password":
        return None
    if kind == "multiselect":
        return "\n".join(value) if isinstance(value, list) else str(value)
    if kind == "float":
        return float(value)
    if kind == "integer":
        return int(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(description: t.Any) -> str:
    text = " ".join(description) if isinstance(description, list) else str(description)
    return " ".join(_MARKUP.sub(r"\1", text).split())
