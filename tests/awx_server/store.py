# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects of an AWX: made, found, changed, linked and removed by the rules of its API."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

from awx_server import rules
from awx_server.schema import KINDS, NOTIFICATIONS, SECRET_SETTINGS, UNIFIED, Kind

Object = dict[str, Any]
TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}
HIDDEN = "$encrypted$"


class Refused(Exception):
    """A request that AWX refuses."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body
        super().__init__(f"{status} {body}")


def refuse(field: str, text: str) -> None:
    """Raise AWX's answer to a wrong field."""
    raise Refused(400, {field: [text]})


class Store:
    """All objects of one AWX. playbooks: those that its projects have."""

    def __init__(self, playbooks: list[str]) -> None:
        self.playbooks = playbooks
        self.objects: dict[str, dict[int, Object]] = {kind: {} for kind in KINDS}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Object] = {}
        self.roles: dict[int, tuple[str, int, str]] = {}
        self.holders: dict[tuple[int, str], list[int]] = {}
        self._ids = itertools.count(1)
        self._role_ids = itertools.count(1)

    # What there is.

    def get(self, collection: str, number: int) -> Object:
        """Return a stored object; raises Refused where there is none."""
        for name in UNIFIED if collection == "unified_job_templates" else (collection,):
            if number in self.objects.get(name, {}):
                return self.objects[name][number]
        raise Refused(404, {"detail": "Not found."})

    def find(self, collection: str, query: dict[str, str]) -> list[Object]:
        """Return what a list's filters leave; raises Refused for a field that is none."""
        names = UNIFIED if collection == "unified_job_templates" else (collection,)
        rows = [(name, row) for name in names for row in self.objects[name].values()]
        either = {key[4:]: value for key, value in query.items() if key.startswith("or__")}
        every = {key: value for key, value in query.items() if not key.startswith("or__") and key not in PAGING}
        for key in (*either, *every):
            if key not in ("id", "type", "organization") and not any(key in KINDS[name].fields for name in names):
                raise Refused(400, {"detail": f"{KINDS[names[0]].type} has no field named '{key}'"})
        return [
            row
            for name, row in rows
            if all(self._is(name, row, key, value) for key, value in every.items())
            and (not either or any(self._is(name, row, key, value) for key, value in either.items()))
        ]

    def _is(self, collection: str, row: Object, key: str, value: str) -> bool:
        held = KINDS[collection].type if key == "type" else row.get(key)
        return str(held) == value

    def named(self, collection: str, name: str) -> Object:
        """Return the object of a name, for tests."""
        key = {"users": "username", "workflow_job_template_nodes": "identifier"}.get(collection, "name")
        return next(row for row in self.objects[collection].values() if row[key] == name)

    def linked(self, collection: str, number: int, link: str) -> list[int]:
        """Return what an object is linked with."""
        return self.links.setdefault((collection, number, link), [])

    # What is changed.

    def make(self, collection: str, body: Object) -> Object:
        """Make an object, and return it; raises Refused."""
        kind = KINDS[collection]
        row = {name: copy.deepcopy(field.default) for name, field in kind.fields.items()}
        row.update(self._checked(kind, body))
        for name, field in kind.fields.items():
            if field.required and row[name] in (None, ""):
                refuse(name, "This field is required.")
        self._settle(collection, row)
        row["id"] = next(self._ids)
        for role in kind.roles:
            self.roles[next(self._role_ids)] = (collection, row["id"], role)
        self.objects[collection][row["id"]] = row
        return row

    def change(self, collection: str, number: int, body: Object) -> Object:
        """Change an object, and return it; raises Refused."""
        old = self.get(collection, number)
        row = {**old, **self._kept_secrets(old, self._checked(KINDS[collection], body))}
        self._settle(collection, row)
        self.objects[collection][number] = row
        return row

    def remove(self, collection: str, number: int) -> None:
        """Remove an object and what goes with it."""
        row = self.get(collection, number)
        for name, kind in KINDS.items():
            whole = {field for field, spec in kind.fields.items() if spec.required}
            for other in list(self.objects[name].values()):
                held = {
                    field for field, spec in kind.fields.items() if spec.type in (collection, "unified_job_templates")
                }
                for field in held & {key for key, value in other.items() if value == number}:
                    if field in whole:
                        self.objects[name].pop(other["id"], None)
                    else:
                        other[field] = None
        self.objects[collection].pop(row["id"], None)
        for held in self.links.values():
            held[:] = [one for one in held if one != number]

    def link(self, collection: str, number: int, link: str, body: Object) -> None:
        """Add to an object's links, or take from them; raises Refused."""
        self.get(collection, number)
        other, held = body.get("id"), self.linked(collection, number, link)
        if not isinstance(other, int):
            refuse("id", "An id is required.")
        elif body.get("disassociate"):
            held[:] = [one for one in held if one != other]
        else:
            rules.link(self, collection, number, link, other)
            held.append(other)

    def _checked(self, kind: Kind, body: Any) -> Object:
        """Return the fields of a request, each of its type; raises Refused. Nothing unknown passes."""
        if not isinstance(body, dict):
            raise Refused(400, {"detail": "JSON parse error"})
        found = {}
        for name, value in body.items():
            field = kind.fields.get(name)
            if field is None:
                if name not in kind.ignored:
                    refuse(name, f"is no field of a {kind.type}")
                continue
            found[name] = self._value(name, field, value)
        return found

    def _value(self, name: str, field: Any, value: Any) -> Any:
        if value is None:
            return "" if field.type == "str" and field.default is not None else None
        if field.type == "json":
            return copy.deepcopy(value)
        if field.type in TYPES:
            if not isinstance(value, TYPES[field.type]) or (field.type == "int" and isinstance(value, bool)):
                refuse(name, f"{value!r} is not of the type {field.type}")
            if field.choices and value not in field.choices:
                refuse(name, f'"{value}" is not a valid choice.')
            return value
        if not isinstance(value, int):
            refuse(name, f"Incorrect type. Expected pk value, received {type(value).__name__}.")
        try:
            self.get(field.type, value)
        except Refused:
            refuse(name, f'Invalid pk "{value}" - object does not exist.')
        return value

    def _settle(self, collection: str, row: Object) -> None:
        check: Callable[[Store, Object], None] | None = getattr(rules, collection, None)
        if check:
            check(self, row)
        unique = KINDS[collection].unique
        for other in self.objects[collection].values():
            same = unique and all(other.get(field) == row.get(field) for field in unique)
            if same and other["id"] != row.get("id"):
                raise Refused(400, {"__all__": [f"{KINDS[collection].type} with this name already exists."]})

    @staticmethod
    def _kept_secrets(old: Object, new: Object) -> Object:
        """Put what AWX keeps in the place of what it had hidden."""
        for field in ("inputs", "notification_configuration"):
            for key, value in (new.get(field) or {}).items():
                if value == HIDDEN and field in old:
                    new[field][key] = old[field].get(key)
        return new

    # What is shown.

    def shown(self, collection: str, row: Object) -> Object:
        """Return an object as the API gives it out, secrets hidden."""
        kind, url = KINDS[collection], f"/api/v2/{collection}/{row['id']}/"
        related = {name: f"{url}{name}/" for name in (*kind.links, *kind.related)}
        target = row.get("unified_job_template")
        if target:
            home = next(name for name in UNIFIED if target in self.objects[name])
            related["unified_job_template"] = f"/api/v2/{home}/{target}/"
        held = {
            f"{role}_role": {"id": number}
            for number, (name, of, role) in self.roles.items()
            if (name, of) == (collection, row["id"])
        }
        summary: Object = {"object_roles": held}
        if collection == "projects" and not row.pop("_updated", True):
            summary["current_update"] = {"id": row["id"]}
        body = {**copy.deepcopy(row), "type": kind.type, "url": url, "related": related, "summary_fields": summary}
        return self._hidden(collection, body)

    def _hidden(self, collection: str, body: Object) -> Object:
        if collection == "credentials":
            fields = self.get("credential_types", body["credential_type"])["inputs"].get("fields", [])
            secret = {field["id"] for field in fields if field.get("secret")}
            body["inputs"] = {key: HIDDEN if key in secret else value for key, value in body["inputs"].items()}
        if body.get("notification_type") in NOTIFICATIONS:
            settings = body["notification_configuration"]
            body["notification_configuration"] = {
                key: HIDDEN if key in SECRET_SETTINGS and value else value for key, value in settings.items()
            }
        return body


PAGING = ("page", "page_size", "order_by")
