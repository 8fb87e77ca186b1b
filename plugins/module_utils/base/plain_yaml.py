# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""YAML as plain data, read by the C parser where it is built: ten times as quick, and as safe."""

from __future__ import annotations

import typing as t

try:
    import yaml

    YAMLError = yaml.YAMLError
    LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError as exc:  # pragma: no cover - reported by the modules
    IMPORT_ERROR: ImportError | None = exc
    LOADER = None
    YAMLError = Exception  # type: ignore[assignment,misc]
else:
    IMPORT_ERROR = None


def load(text: t.Any) -> t.Any:
    """Return a text's or a file's only document; raise YAMLError."""
    return yaml.load(_plain(text), LOADER)  # noqa: S506 - safe


def load_all(text: t.Any) -> t.Iterator[t.Any]:
    """Yield the documents of a text or a file; raise YAMLError."""
    return yaml.load_all(_plain(text), LOADER)  # noqa: S506 - safe


def _plain(text: t.Any) -> t.Any:
    # The C parser takes no subclass of str, such as Ansible's texts that know where they come from.
    return str(text) if isinstance(text, str) else text
