# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the API server says where it refuses an object: its causes, each with the field that it is about.

Replies are Status objects. Validation names a field for each cause (apimachinery, api/errors NewInvalid); strict
decoding names unknown fields in its text alone, and decoding stops at the first value that it cannot read.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ..base.data import Object, dicts, dig, mapping

Path = tuple[t.Any, ...]
# How an object is refused: its fields are unknown, cannot be read, or do not hold what they must; or the cluster admits
# no such object. Or it is taken, and warned of.
UNKNOWN, UNREADABLE, INVALID, DENIED, WARNED = "unknown", "unreadable", "invalid", "denied", "warned"
_STRICT = re.compile(r'(unknown|duplicate) field "((?:[^"\\]|\\.)*)"')
# What a cause's message begins with (apimachinery, util/validation/field ErrorType), and the value that follows.
_BAD = re.compile(r"(?:Invalid|Unsupported|Duplicate) value: |Not found: |Too long: |Too many: ")
_UNTYPED = re.compile(r"failed to create typed patch object \([^)]*\): (?:errors:\s+)?\.?([^:\s]*): ([^\n]*)")
_GO_FIELD = re.compile(r"cannot unmarshal (\w+) into Go struct field [^.\s]+\.(\S+) of type (\S+)")
_STEP = re.compile(r"\[([^\]]*)\]|([^.\[]+)")
# A cause of a custom resource that says only that others hide more.
_NO_FIELD = "<nil>"
# RBAC's words, which are about the user and not about the object.
_PERMISSION = re.compile(r'User "[^"]*" cannot \S+ resource|is being terminated|namespaces "[^"]*" not found')
_GRANTS = "attempting to grant RBAC permissions"
# Quotas are added up over all that is planned, by rules of their own.
_QUOTA = "exceeded quota:"
# Of anybody's own admission: it may be about the very namespace.
_OWN = re.compile(r"admission webhook|ValidatingAdmissionPolicy|security context constraint|denied the request")


@dataclasses.dataclass(frozen=True)
class Objection:
    """One thing that is refused. path: where it stands in the object, () where that is not said; how: see above;
    text: what is wrong; guess: what was probably meant, as a sentence."""

    path: Path
    how: str
    text: str
    guess: str = ""


@dataclasses.dataclass(frozen=True)
class Rejection:
    """What the API server refuses of an object. local: it holds in this namespace, and need not in another one."""

    causes: tuple[Objection, ...]
    local: bool = False

    @property
    def text(self) -> str:
        return "; ".join(f"{shown(cause.path)}: {cause.text}" if cause.path else cause.text for cause in self.causes)


def rejection_of(code: int, body: t.Any) -> Rejection | None:
    """Return what a reply refuses of an object, None where it is about something else. body: its Status object."""
    status = mapping(body)
    message = str(status.get("message") or "")
    if code == 500 and (untyped := _UNTYPED.match(message)):
        # What a server-side apply cannot read is no bad request to it.
        return Rejection((Objection(steps(untyped[1]), UNREADABLE, untyped[2]),))
    if code not in (400, 403, 422) or not message or takes(code, body):
        return None
    if code == 403:
        return _denied(message)
    strict = tuple(_unknown(kind, path) for kind, path in _STRICT.findall(message))
    if strict:
        return Rejection(strict)
    if _OWN.search(message):
        return Rejection((Objection((), DENIED, message),), local=True)
    rows = dicts(mapping(status.get("details")).get("causes"))
    found = tuple(
        Objection(steps(str(row.get("field") or "")), INVALID, str(row.get("message") or ""))
        for row in rows
        if row.get("field") not in (_NO_FIELD, "patch")
    )
    return Rejection(found or (_undecoded(message),))


# A Warning header's text (RFC 7234, 5.5), and the field that one of the API server's own begins with.
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_FIELD = re.compile(r"((?:spec|metadata)[.\[]\S*): (.+)", re.DOTALL)


def warned(headers: t.Iterable[str]) -> Rejection | None:
    """Return what the API server warns of in an object that it takes, None where it warns of no field."""
    texts = [re.sub(r"\\(.)", r"\1", text) for header in headers for text in _WARNING.findall(header)]
    found = [_FIELD.fullmatch(text) for text in dict.fromkeys(texts)]
    causes = tuple(Objection(steps(one[1]), WARNED, one[2]) for one in found if one)
    return Rejection(causes) if causes else None


def takes(code: int, body: t.Any) -> bool:
    """Return whether a reply says that only its name, or want of quota, keeps an object from being made."""
    return code == 409 or (code == 403 and _QUOTA in str(mapping(body).get("message")))


def _unknown(kind: str, path: str) -> Objection:
    text = "is not known to the API server" if kind == "unknown" else "is set twice"
    return Objection(steps(path), UNKNOWN, text)


def _undecoded(message: str) -> Objection:
    """Return the one value at which decoding has stopped; the path is without indexes."""
    text = message.partition("cannot be handled as a ")[2].partition(": ")[2] or message
    found = _GO_FIELD.search(text)
    if not found:
        return Objection((), UNREADABLE, text)
    return Objection(tuple(found[2].split(".")), UNREADABLE, f"must be {found[3]}, not {found[1]}")


def _denied(message: str) -> Rejection | None:
    if _PERMISSION.search(message) and _GRANTS not in message:
        return None
    text = message.partition(" is forbidden: ")[2] or message
    return Rejection((Objection((), DENIED, text),), local=bool(_OWN.search(text)) or not _CLASS.search(text))


# Admission that is the same in every namespace (plugin/pkg/admission runtimeclass, priority).
_CLASS = re.compile(
    r'RuntimeClass "(?P<runtimeClassName>[^"]+)" not found'
    r"|no PriorityClass with name (?P<priorityClassName>\S+) was found"
)


def absent_class(text: str) -> tuple[str, str]:
    """Return (field of a pod's spec, name) of a class that admission does not find, ("", "") for other refusals."""
    found = _CLASS.search(text)
    named = {field: name for field, name in found.groupdict().items() if name} if found else {}
    return next(iter(named.items()), ("", ""))


_SECURITY = re.compile(r"violates PodSecurity|unable to validate against any security context constraint")


def is_security(text: str) -> bool:
    """Return whether a refusal is Pod Security's or that of OpenShift's SCCs, which rules of their own predict."""
    return _SECURITY.search(text) is not None


def steps(path: str) -> Path:
    """Return the keys and indexes of a field's path: spec.ports[0].name, metadata.labels[app]."""
    return tuple(int(inner) if inner.isdigit() else inner or plain for inner, plain in _STEP.findall(path))


def shown(path: Path) -> str:
    """Return a path as the API server writes it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def placed(cause: Objection, body: Object) -> Objection:
    """Return a cause with the path of the very value: keys with dots put together, and down to the value it quotes."""
    path = _real(cause.path, body)
    bad = quoted(cause.text)
    held = dig(body, path)
    if bad is not None and isinstance(held, (dict, list)):
        inner = [place for place, value in _leaves(held) if str(value) == str(bad)]
        path = (*path, *inner[0]) if inner else path
    return dataclasses.replace(cause, path=path)


def quoted(text: str) -> t.Any:
    """Return the value that a cause's message quotes, None where it quotes none."""
    found = _BAD.match(text)
    if not found:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, found.end())[0]
    except ValueError:
        return None


def _real(path: Path, body: t.Any) -> Path:
    """Return a path by the keys that an object has; those with dots are several steps of a path that is read."""
    real: list[t.Any] = []
    rest = list(path)
    while rest:
        held = dig(body, real)
        count = 1
        if isinstance(held, dict) and rest[0] not in held:
            joint = (n for n in range(2, len(rest) + 1) if ".".join(map(str, rest[:n])) in held)
            count = next(joint, 1)
        real.append(".".join(map(str, rest[:count])) if count > 1 else rest[0])
        rest = rest[count:]
    return tuple(real)


def _leaves(value: t.Any, path: Path = ()) -> t.Iterator[tuple[Path, t.Any]]:
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value


def without(body: Object, path: Path) -> Object:
    """Return a copy of an object without what stands at a path."""
    if not path:
        return body
    key, rest = path[0], path[1:]
    if isinstance(body, dict) and key in body:
        inner = {key: without(body[key], rest)} if rest else {}
        return {**{name: value for name, value in body.items() if name != key}, **inner}
    if isinstance(body, list) and isinstance(key, int) and key < len(body):
        return [*body[:key], *([without(body[key], rest)] if rest else []), *body[key + 1 :]]
    return body
