# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets of orchestrator.yaml: the file refers to environment variables, and what is secret itself goes there."""

from __future__ import annotations

import re
import typing as t

from ..base.data import leaves
from ..base.findings import Path
from ..base.mask import mask_text
from .keys import HTTP, SECRET, key_at

REFERENCE = re.compile(r"\$\{([^}]*)\}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What a shell, Kubernetes or Windows would fill in, and nothing does here.
OTHER = re.compile(r"\$\(([A-Za-z_]\w*)\)|\$([A-Za-z_]\w*)|%([A-Z_]\w*)%|\$\{([^}]*)\Z")
_PASSWORD = re.compile(r"(?<=://)[^/\s:@]*:([^/\s@]+)(?=@)")
# What guides write where a secret has to be filled in.
PLACEHOLDERS = re.compile(
    r"(?i)(your|my|some)[-_ ]?(own[-_ ])?(secret|password|key|token)([-_ ]?key)?|change[-_ ]?(me|it)|password|postgres"
    r"|secret|example|sk-(ant-)?\.*|x+|\*+|<.*>|todo|.*\.\.\."
)


def password(url: t.Any) -> str:
    """Return the password that stands in a URL, "" for none and for one that is a reference."""
    found = _PASSWORD.search(str(url))
    return "" if found is None or REFERENCE.fullmatch(found[1]) else found[1]


def is_reference(value: t.Any) -> bool:
    """Return whether a value is one reference and nothing else."""
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


def variable_of(path: Path) -> str:
    """Return the environment variable that holds a key's secret, "" where it is not secret."""
    key = key_at(path)
    if key is None or not key.secret:
        return ""
    return key.secret.format(re.sub(r"[^A-Z0-9]+", "_", str(path[-1]).upper()))


def literals(config: t.Any) -> t.Iterator[tuple[Path, str, str]]:
    """Yield the path and value of each secret that stands in a configuration, with the variable it belongs to or ""."""
    for path, value in leaves(config):
        if not isinstance(value, str) or is_reference(value):
            continue
        key, variable = key_at(path), variable_of(path)
        if key is not None and key.kind is SECRET:
            yield path, value, variable
        elif password(value) or _looks_secret(value):
            yield path, value, variable if key is not None and key.kind is not HTTP else ""


def _looks_secret(value: str) -> bool:
    bare = REFERENCE.sub("", value)
    return mask_text(bare) != bare


def unexpanded(config: t.Any) -> t.Iterator[tuple[Path, str, str]]:
    """Yield the path of each value with a reference that nothing fills in, its first one, and how that is written."""
    for path, value in leaves(config):
        key = key_at(path)
        # A secret itself may have any characters.
        if not isinstance(value, str) or (key is not None and key.kind is SECRET and not _is_other(value)):
            continue
        if found := OTHER.search(REFERENCE.sub("", value)):
            yield path, found[0], f"${{{next(filter(None, found.groups()), 'NAME').upper()}}}"
        elif found := next((one for one in REFERENCE.finditer(value) if not NAME.fullmatch(one[1])), None):
            yield path, found[0], "${NAME}"


def _is_other(value: str) -> bool:
    return OTHER.fullmatch(value) is not None


def referenced(config: t.Any) -> t.Iterator[tuple[Path, str]]:
    """Yield the path of each reference and the variable that it names."""
    for path, value in leaves(config):
        for found in REFERENCE.finditer(value) if isinstance(value, str) else ():
            if NAME.fullmatch(found[1]):
                yield path, found[1]


def environment_file(environment: t.Mapping[str, str]) -> str:
    """Return environment variables as systemd reads them from a file (systemd.exec(5), EnvironmentFile)."""
    escaped = {name: re.sub(r'([\\"`$])', r"\\\1", str(value)) for name, value in environment.items()}
    return "".join(f'{name}="{escaped[name]}"\n' for name in sorted(escaped))
