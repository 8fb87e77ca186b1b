# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the roles' tables of variables into docs/ from their argument specifications, between two markers, and the
README.md of each role, which Galaxy wants.

A unit test says when it has to be run: python tests/docs_tables.py
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "<!-- made by tests/docs_tables.py: variables of {role} -->\n"
END = "<!-- end of variables of {role} -->\n"
AWX_PAGE = ROOT / "docs" / "fleets" / "awx.md"
AWX_BEGIN = "<!-- made by tests/docs_tables.py: what awx_objects takes -->\n"
AWX_END = "<!-- end of what awx_objects takes -->\n"
# What stands for the variables that are no single role's.
SHARED = "llm_d"
# A longer default is an expression that tells a reader less than the description does.
LONGEST_DEFAULT = 60
# Types whose defaults in a specification cannot be expressions.
STRICT_TYPES = {"bool", "dict", "float", "int"}


def is_strict(option: dict[str, t.Any]) -> bool:
    """Return whether an option's default in a specification cannot be an expression."""
    return option.get("type") in STRICT_TYPES or option.get("elements") in STRICT_TYPES


def pages() -> dict[str, str]:
    """Return the page below docs/ of each role that has one: the page with the markers of the role's table."""
    docs, begin = ROOT / "docs", re.compile(re.escape(BEGIN).replace(r"\{role\}", r"(\w+)"))
    return {
        role: path.relative_to(docs).as_posix()
        for path in sorted(docs.rglob("*.md"))
        for role in begin.findall(path.read_text(encoding="utf-8"))
    }


PAGES = pages()


def plain(description: str | list[str]) -> str:
    """Return a description in Markdown, its semantic markup turned into code, safe in a table's cell."""
    text = " ".join(description) if isinstance(description, list) else description
    text = re.sub(r"\bO\(([\w.]+)#module:(\w+)\)", r"`\2` of the module \1", text)
    text = re.sub(r"\bL\(([^,()]*),([^)]*)\)", r"[\1](\2)", text)
    text = re.sub(r"\b[CVIO]\(([^)]*)\)", r"`\1`", text)
    return " ".join(text.split()).replace("|", "\\|")


def default_text(option: dict[str, t.Any]) -> str:
    """Return a default as YAML writes it."""
    if option.get("required"):
        return "required"
    if "default" not in option:
        return ""
    default = option["default"]
    if isinstance(default, str):
        text = default or '""'
    else:
        text = yaml.safe_dump(default, default_flow_style=True, sort_keys=False, width=10_000).splitlines()[0]
    if "{{" in text and len(text) > LONGEST_DEFAULT:
        return "computed"
    return f"`{text}`".replace("|", "\\|")


def table(options: dict[str, t.Any], head: str) -> str:
    """Return the table of some options."""
    lines = [f"| {head} | type | default | what |", "|---|---|---|---|"]
    for name, option in options.items():
        what = plain(option["description"])
        choices = [choice for choice in option.get("choices", []) if choice]
        if choices and any(f"`{choice}`" not in what for choice in choices):
            what += " One of " + ", ".join(f"`{choice}`" for choice in choices) + "."
        lines.append(f"| `{name}` | {option.get('type', 'str')} | {default_text(option)} | {what} |")
    return "\n".join(lines) + "\n"


def role_options(role: str) -> dict[str, t.Any]:
    """Return the options of a role's main entry point, with the role's defaults; of SHARED those of no single role.

    A specification leaves out a default that is an expression where the option is of a type like int, since
    antsibull-docs refuses it; every other default stands in it too.
    """
    if role == SHARED:
        text = (ROOT / "roles/stack/meta/argument_specs.yml").read_text(encoding="utf-8")
        return yaml.safe_load(text)["argument_specs"]["shared"]["options"]
    folder = ROOT / "roles" / role
    text = (folder / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text(encoding="utf-8"))
    for name, option in options.items():
        if is_strict(option) and "{{" in str(defaults.get(name, "")) and "default" not in option:
            option["default"] = defaults[name]
    return options


def tables(role: str) -> str:
    """Return a role's table, and one for each variable that has keys of its own."""
    options = role_options(role)
    parts = [table(options, "variable")]
    for name, option in options.items():
        if "options" in option:
            kind = "An entry" if option["type"] == "list" else "Keys"
            parts.append(f"{kind} of `{name}`:\n\n" + table(option["options"], "key"))
    return "\n".join(parts)


def refreshed(page: str, role: str) -> str:
    """Return the page with the role's present tables. Raises ValueError where it has no markers."""
    begin, end = BEGIN.format(role=role), END.format(role=role)
    before, found, rest = page.partition(begin)
    _old, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGES[role]} lacks the lines {begin.strip()} and {end.strip()}")
    return f"{before}{begin}\n{tables(role)}\n{end}{after}"


def awx_table() -> str:
    """Return what the descriptions of each kind of AWX's objects may have."""
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.awx import kinds, objects
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.awx import survey as surveys

    def listed(names: t.Iterable[str], needed: t.Sequence[str] = ()) -> str:
        return ", ".join(f"**`{name}`**" if name in needed else f"`{name}`" for name in names)

    rows = []
    for kind, plain_options in kinds.PLAIN.items():
        own, needed = kinds.OWN.get(kind, ()), kinds.REQUIRED.get(kind, ())
        rows.append((f"`{kind}`", "; ".join(filter(None, [listed(plain_options, needed), listed(own, needed)]))))
    rows += [
        ("a question of a `survey`", listed(surveys.FIELDS)),
        ("`type` of a question", listed(surveys.TYPES)),
        ("a node of `nodes`", listed(kinds.NODE)),
        ("`on` of a notification", listed(kinds.EVENTS)),
        ("a grant of `grants`", listed(("role", *objects.GRANTED), ("role",))),
    ]
    return "\n".join(["| kind | options |", "|---|---|", *(f"| {what} | {options} |" for what, options in rows)]) + "\n"


def awx_refreshed(page: str) -> str:
    """Return the page about AWX with the present table."""
    before, _begin, rest = page.partition(AWX_BEGIN)
    _old, _end, after = rest.partition(AWX_END)
    return f"{before}{AWX_BEGIN}\n{awx_table()}\n{AWX_END}{after}"


def readme(role: str) -> str:
    """Return a role's README.md: what it is, and where the rest is said."""
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    main_point = yaml.safe_load(text)["argument_specs"]["main"]
    description = main_point["description"]
    lines = [description] if isinstance(description, str) else description
    page = f"[its page](../../docs/{PAGES[role]}), and " if role in PAGES else ""
    parts = [f"# llm_d.orchestrator.{role}", f"{main_point['short_description']}.", "\n".join(map(plain, lines))]
    parts.append(f"Variables: {page}`ansible-doc --type role llm_d.orchestrator.{role}`.")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Refresh every page."""
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        role = path.parent.parent.name
        (ROOT / "roles" / role / "README.md").write_text(readme(role), encoding="utf-8")
    for role, name in PAGES.items():
        path = ROOT / "docs" / name
        path.write_text(refreshed(path.read_text(encoding="utf-8"), role), encoding="utf-8")
    AWX_PAGE.write_text(awx_refreshed(AWX_PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    __import__("conftest")  # makes the collection importable
    main()
