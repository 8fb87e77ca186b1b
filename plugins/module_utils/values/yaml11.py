# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an unquoted YAML scalar means to Helm's parser (go.yaml.in/yaml/v2 resolve.go), and YAML that it reads right.

It differs from PyYAML: no base 60 numbers, `y` and `n` are booleans, dates stay text.
"""

from __future__ import annotations

import functools
import math
import re
import typing as t

try:
    import yaml
except ImportError:  # pragma: no cover - reported by the modules
    yaml = None  # type: ignore[assignment]


BOOLEANS = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
NULLS = ("", "~", "null", "Null", "NULL")
INTEGER = re.compile(r"[-+]?(0x[0-9a-fA-F]+|0b[01]+|0o?[0-7]+|0|[1-9][0-9]*)")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def scalar(text: str) -> t.Any:
    """Return what an unquoted scalar means to Helm: None, bool, int, float or str."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if NOT_FINITE.fullmatch(text):
        return math.nan if text.lower().endswith("nan") else float(text.replace(".", ""))
    digits = text.replace("_", "") if text[:1] in tuple("+-0123456789") else text
    number: int | float | None = _integer(digits) if INTEGER.fullmatch(digits) else None
    if number is None and FLOAT.fullmatch(digits):
        number = float(digits)
    # What no float can hold is text to Go's parser.
    return text if number is None or math.isinf(number) else number


def _integer(digits: str) -> int | None:
    """Return an integer, None where it has more than 64 bits; Go's parser then tries a float."""
    sign, body = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    base = {"0x": 16, "0b": 2, "0o": 8}.get(body[:2], 8 if body[0] == "0" and len(body) > 1 else 10)
    body = body[2:] if body[:2] in ("0x", "0b", "0o") else body
    if len(body.lstrip("0")) > 64:  # at least as many bits; and many decimal digits are slow to convert
        return None
    number = sign * int(body, base)
    return number if -(2**63) <= number < 2**64 else None


@functools.cache
def _dumper() -> t.Any:
    """Return a dumper that quotes the texts that Helm would take for something else, such as y."""

    class Yaml11Dumper(getattr(yaml, "CSafeDumper", None) or yaml.SafeDumper):  # type: ignore[misc]
        pass

    def represent(dumper: t.Any, text: str) -> t.Any:
        style = "'" if text in BOOLEANS else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Yaml11Dumper.add_representer(str, represent)
    return Yaml11Dumper


def dump_all(documents: list[t.Any]) -> str:
    """Return YAML documents, each begun by ---, in which Helm reads every text as a text."""
    return yaml.dump_all(documents, Dumper=_dumper(), sort_keys=True, explicit_start=True)
