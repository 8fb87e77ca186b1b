# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an unquoted YAML scalar means to Helm's parser (go.yaml.in/yaml/v2 resolve.go).

It differs from PyYAML: no base 60 numbers, `y` and `n` are booleans, dates stay text.
"""

from __future__ import annotations

import math
import re
import typing as t

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
    if INTEGER.fullmatch(digits):
        return _integer(digits)
    return float(digits) if FLOAT.fullmatch(digits) and digits not in (".",) else text


def _integer(digits: str) -> int | float:
    sign, body = (-1, digits[1:]) if digits[0] == "-" else (1, digits.lstrip("+"))
    if body[:2] in ("0x", "0b", "0o"):
        return sign * int(body, 0)
    if body[0] == "0" and len(body) > 1:
        return sign * int(body, 8)
    # Beyond 64 bits Go's parser falls back to a float; so many digits are also slow to convert.
    return sign * int(body) if len(body) < 20 else sign * float(body)
