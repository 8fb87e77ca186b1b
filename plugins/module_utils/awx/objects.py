# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects in AWX as arguments for awx.awx's modules, made from short descriptions that name each other by keys."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from .kinds import EVENTS, KINDS, PLAIN, Described, checked, described
from .survey import survey
from .workflow import Nodes, workflow_nodes

Rows = list[Object]

# Option -> kind of what it names.
REFERENCES = {
    "credential": "credentials",
    "credentials": "credentials",
    "credential_type": "credential_types",
    "instance_groups": "instance_groups",
    "execution_environment": "execution_environments",
    "default_environment": "execution_environments",
    "inventory": "inventories",
    "inventories": "inventories",
    "project": "projects",
    "projects": "projects",
    "source_project": "projects",
    "job_templates": "job_templates",
    "workflows": "workflows",
}

# Kinds of which AWX may have others, that are named as they are.
OTHERS = ("credentials", "credential_types", "instance_groups", "execution_environments")
# Kinds that can be started.
STARTED = ("job_templates", "workflows", "projects")
GRANTED = ("job_templates", "workflows", "inventories", "projects", "credentials")
ALL = "all"


def awx_objects(sources: t.Sequence[Object], prefix: str, options: t.Mapping[str, Object]) -> Object:
    """Return {kind: arguments of each object}, in the order in which they can be made, with what is between them.

    sources: descriptions, the later over the earlier; prefix: begins each name; options: the roles' options by name,
    for surveys. Raises OrchestratorError with all mistakes at once.
    """
    maker = _Maker(described(*sources), prefix, options)
    made: Object = {kind: [maker.made(kind, key) for key in maker.objects[kind]] for kind in KINDS}
    made["inventory_sources"] = maker.sources()
    made["grants"] = maker.grants()
    made.update(nodes=maker.nodes.made, links=maker.nodes.links, removed_nodes=maker.nodes.removed)
    maker.attach(made)
    if maker.mistakes:
        count = len(maker.mistakes)
        raise OrchestratorError(
            f"{count} mistake{'s' if count > 1 else ''} in the objects for AWX.", details=maker.mistakes
        )
    return made


class _Maker:
    """Turns descriptions into arguments and notes what is wrong with them."""

    def __init__(self, given: Described, prefix: str, options: t.Mapping[str, Object]) -> None:
        self.objects, self.removed, self.mistakes = given.objects, given.removed, given.mistakes
        self.prefix, self.options = prefix, options
        self.nodes: Nodes = Nodes([], [], [])

    def name(self, key: str) -> str:
        """Return the name in AWX of what has a key here."""
        return f"{self.prefix} {key}".strip()

    def made(self, kind: str, key: str) -> Object:
        """Return the arguments of one object."""
        fields, where = self.objects[kind][key], f"{kind}.{key}"
        row = {"key": key, "name": self.name(key), **self.resolved(fields, PLAIN[kind], where)}
        if kind in ("job_templates", "workflows"):
            asked = survey(row["name"], fields.get("survey"), self.options, lambda text: self.say(where, text))
            row.update({"survey_spec": asked} if asked else {}, survey_enabled=bool(asked))
        if kind == "workflows":
            self.nodes.add(row["name"], workflow_nodes(fields.get("nodes"), where, self.template, self.mistakes))
        if kind == "schedules":
            row["unified_job_template"] = self.template(fields.get("template"), where)
        return row

    def resolved(self, fields: Object, names: t.Iterable[str], where: str) -> Object:
        """Return the named options, with AWX's names for the keys."""
        row = {}
        for option in names:
            if option not in fields or fields[option] is None:
                continue
            kind, value = REFERENCES.get(option, ""), fields[option]
            if kind and isinstance(value, list):
                value = [name for one in value if (name := self.reference(kind, one, f"{where}.{option}"))]
            elif kind and value:
                value = self.reference(kind, value, f"{where}.{option}")
            row[option] = value
        return row

    def reference(self, kind: str, key: t.Any, where: str) -> str:
        """Return the name in AWX of an object that is referred to, "" for one that was taken out."""
        if (kind, key) in self.removed:
            return ""
        if key not in self.objects[kind] and kind not in OTHERS:
            self.say(where, f"{key} not found -> use one of {kind}: {', '.join(self.objects[kind]) or 'none'}")
            return ""
        return self.name(key) if key in self.objects[kind] else str(key)

    def template(self, key: t.Any, where: str) -> str:
        """Return the name in AWX of a job template, workflow or project, by its key."""
        holds = [kind for kind in STARTED if key in self.objects[kind]]
        if len(holds) > 1:
            self.say(where, f"{key} is a key in {' and in '.join(holds)} -> rename one of them")
        elif not holds:
            self.say(where, f"template {key} not found -> use one of: {', '.join(self.objects['job_templates'])}")
        return self.name(key)

    def sources(self) -> Rows:
        """Return the arguments of all inventories' sources."""
        rows = []
        for key, fields in self.objects["inventories"].items():
            for name, source in (fields.get("sources") or {}).items():
                if source is None:
                    continue
                where = f"inventories.{key}.sources.{name}"
                self.mistakes += checked("inventory_sources", name, source, where)
                args = self.resolved(source, PLAIN["inventory_sources"], where)
                rows.append({"name": self.name(name), "inventory": self.name(key), **args})
        return rows

    def grants(self) -> Rows:
        """Return what each team may do, one row a role."""
        rows = []
        for team, fields in self.objects["teams"].items():
            for index, grant in enumerate(fields.get("grants") or []):
                where = f"teams.{team}.grants[{index}]"
                if not isinstance(grant, dict) or not grant.get("role") or set(grant) - {"role", *GRANTED}:
                    self.say(where, f"is not a grant -> use a map of role and any of {', '.join(GRANTED)}")
                    continue
                whole = {kind: list(self.objects[kind]) if value == ALL else value for kind, value in grant.items()}
                rows.append({"team": self.name(team), "role": grant["role"], **self.resolved(whole, GRANTED, where)})
        return rows

    def attach(self, made: Object) -> None:
        """Name the notifications in the templates that they are about: every template has all lists, or none is needed.

        For each list AWX is asked once a template.
        """
        for kind in ("job_templates", "workflows"):
            for row in made[kind]:
                events = EVENTS if kind == "workflows" else EVENTS[:3]
                lists = {f"notification_templates_{event}": self._notified(row["key"], event) for event in events}
                row.update(lists if self.objects["notifications"] else {})
        for key, fields in self.objects["notifications"].items():
            wrong = sorted(set(fields.get("on") or []) - set(EVENTS))
            if wrong:
                self.say(
                    f"notifications.{key}.on", (f"unknown event {', '.join(wrong)} -> use any of {', '.join(EVENTS)}")
                )
            for template in fields.get("templates") or []:
                self.template(template, f"notifications.{key}.templates")

    def _notified(self, template: str, event: str) -> list[str]:
        return [
            self.name(key)
            for key, fields in self.objects["notifications"].items()
            if event in (fields.get("on") or []) and template in (fields.get("templates") or [template])
        ]

    def say(self, where: str, text: str) -> None:
        """Note a mistake."""
        self.mistakes.append(f"{where}: {text}")
