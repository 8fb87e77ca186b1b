# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What variables have to hold besides their types: names, sizes, images. Each check returns a Problem or None."""

from __future__ import annotations

import re
import typing as t

from .data import kind
from .names import did_you_mean, label_key_problem, label_problem, name_problem
from .quantities import parse


class Problem(t.NamedTuple):
    """What is wrong with a value, what to write instead, and the rule's id."""

    what: str
    fix: str
    rule: str = "input-value"


Format = t.Callable[[t.Any], t.Any]
NAME, SIZE, IMAGE, LABEL = "input-name", "input-size", "input-image", "input-label"

# distribution/reference, grammar: [domain[:port]/]path[:tag][@digest]; the domain may have capitals, the path none.
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?P<digest>@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?\Z"
)
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?\Z")
# Tags that move on to other images.
FLOATING = ("latest", "main", "master", "nightly", "dev", "edge")


def dns_label(value: t.Any) -> Problem | None:
    """Return why a text is no DNS label."""
    wrong = name_problem(value)
    return Problem(wrong, "use a name such as llm-d", NAME) if wrong else None


def dns_name(value: t.Any) -> Problem | None:
    """Return why a text is no name of an object that may hold dots, as those of Secrets and classes."""
    parts = value.split(".") if isinstance(value, str) and len(value) <= 253 else [value]
    wrong = next(filter(None, (name_problem(part, 253) for part in parts)), None)
    if wrong is None:
        return None
    return Problem(name_problem(value, 253) or wrong, "use a name such as llm-d-models", NAME)


def quantity(value: t.Any) -> Problem | None:
    """Return why a text is no size in Kubernetes' words."""
    if isinstance(value, str) and (found := parse(value)) is not None:
        return None if found > 0 else Problem(f"{value!r} is not a size above 0", "use a size such as 100Gi", SIZE)
    meant = re.sub(r"\s+", "", str(value))
    meant = re.sub(r"^([0-9.]+)([KMGTPE])i?b$", r"\1\2i", meant, flags=re.IGNORECASE)
    meant = re.sub(r"([kmgtpe])(?=i?$)", lambda found: found[1].upper(), meant, flags=re.IGNORECASE)
    guess = meant if meant != value and parse(meant) is not None else "100Gi"
    return Problem(f"{value!r} is not a valid Kubernetes quantity", f"use a size such as {guess}", SIZE)


def image(value: t.Any) -> Problem | None:
    """Return why a text names no image."""
    if isinstance(value, str) and _IMAGE.match(value):
        return None
    fix = "use HOST/PATH:TAG, for example ghcr.io/llm-d/llm-d-cuda:v0.5.1"
    if isinstance(value, str) and "://" in value:
        return Problem(f"{value!r} is not a valid image reference: remove the scheme", value.partition("://")[2], IMAGE)
    return Problem(f"{value!r} is not a valid image reference", fix, IMAGE)


def floating(value: str) -> str | None:
    """Return in which way an image may become another one, None where it stays."""
    found = _IMAGE.match(value)
    if not found or found["digest"]:
        return None
    tag = found["tag"]
    if not tag:
        return "has no tag, which means latest"
    return f"has the tag {tag}" if tag.lower() in FLOATING else None


def repository(value: t.Any) -> Problem | None:
    """Return why a text is no repository of Hugging Face."""
    if isinstance(value, str) and _REPOSITORY.match(value):
        return None
    return Problem(
        (f"{value!r} is not a valid Hugging Face repository"),
        ("use OWNER/NAME, for example Qwen/Qwen3-32B, without hf:// or https://"),
    )


def labels(value: t.Any) -> Problem | None:
    """Return why a map holds no labels."""
    for key, text in value.items() if isinstance(value, dict) else ():
        wrong = label_key_problem(str(key)) or label_problem(text)
        if wrong:
            return Problem(f"label {key}: {wrong}", "use labels such as {team: serving}", LABEL)
    return None


def map_of_texts(value: t.Any) -> Problem | None:
    """Return why not all that a map holds is text."""
    for key, text in value.items() if isinstance(value, dict) else ():
        if not isinstance(text, str):
            return Problem(f"{key} is a {kind(text)}", "use a string: in YAML after | or in quotes")
    return None


_TOLERATION = {
    "key": None,
    "operator": ("Exists", "Equal"),
    "value": None,
    "effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    "tolerationSeconds": None,
}


def toleration(value: t.Any) -> Problem | None:
    """Return why a map is no toleration (Kubernetes core/v1)."""
    for key, given in value.items() if isinstance(value, dict) else ():
        if key not in _TOLERATION:
            return Problem(f"unknown key {key}.{did_you_mean(str(key), _TOLERATION)}", _one_of(_TOLERATION))
        choices = _TOLERATION[key]
        if choices and given not in choices:
            return Problem(f"{given!r} is not a valid {key}.{did_you_mean(str(given), choices)}", _one_of(choices))
    return None


def share(value: t.Any) -> Problem | None:
    """Return why a number is no share."""
    return None if 0 <= value <= 1 else Problem(f"{value!r} is not a valid share", "use a number from 0 to 1")


def positive(value: t.Any) -> Problem | None:
    """Return why a number is no threshold."""
    return None if value >= 0 else Problem(f"{value!r} is below 0", "use a number of at least 0")


def _one_of(choices: t.Iterable[str]) -> str:
    return "use one of: " + ", ".join(choices)
