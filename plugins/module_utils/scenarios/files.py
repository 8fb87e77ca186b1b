# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of an inventory that an importer writes: YAML text, what is its own to write again, and what differs."""

from __future__ import annotations

import hashlib
import os
import re
import typing as t

from ..base.errors import OrchestratorError
from ..base.files import write_atomic
from ..values.yaml11 import scalar
from .stack import Evaluated

try:
    import yaml
except ImportError:  # pragma: no cover - the module reports it
    yaml = None  # type: ignore[assignment]


_MARK = re.compile(
    r"# Written by llm_d\.orchestrator\.llmdbench_scenario from (?P<name>[^\n]*), sha256:(?P<digest>\w+)\n"
)
_JINJA = re.compile(r"\{\{|\{%|\{#")


class File(t.NamedTuple):
    """A file to write: what it holds, and the text before, "" where there is none."""

    path: str
    summary: str
    text: str
    before: str

    @property
    def changed(self) -> bool:
        return self.text != self.before


def render(data: t.Any, source: str, *, ansible: bool, notes: t.Sequence[str] = ()) -> str:
    """Return data as a YAML file of ours. ansible: Ansible reads it, so what looks like a template is marked unsafe."""
    body = "---\n" + "".join(f"# {note}\n" for note in notes)
    body += yaml.dump(data, Dumper=_dumper(ansible), sort_keys=False, width=120, allow_unicode=True)
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return f"# Written by llm_d.orchestrator.llmdbench_scenario from {_line(source)}, sha256:{digest}\n{body}"


def _line(text: str) -> str:
    return re.sub(r"[^\w .+@=/-]", "_", text)


def plan_file(path: str, summary: str, text: str, force: bool, refused: list[str]) -> File:
    """Return a file as it would be written; one that is not ours as it stands is noted in refused."""
    before = _read(path)
    if before and before != text and not force and not _ours(before):
        refused.append(f"{path}: not written by this module, or modified since")
    return File(path, summary, text, before)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise OrchestratorError(f"{path} cannot be read: {exc.strerror}") from exc


def _ours(text: str) -> bool:
    found = _MARK.match(text)
    return found is not None and hashlib.sha256(text[found.end() :].encode()).hexdigest()[:16] == found["digest"]


def write(files: list[File]) -> None:
    """Write the files that differ; raise OrchestratorError where one cannot be."""
    for file in files:
        if not file.changed:
            continue
        try:
            os.makedirs(os.path.dirname(file.path), exist_ok=True)
        except OSError as exc:
            raise OrchestratorError(f"cannot create {os.path.dirname(file.path)}: {exc.strerror}") from exc
        write_atomic(file.path, file.text)


def differences(files: list[File]) -> list[dict[str, str]]:
    """Return what changes, in the form of Ansible's diff mode."""
    return [
        {
            "before": file.before,
            "after": file.text,
            "before_header": file.path,
            "after_header": file.path,
        }
        for file in files
        if file.changed
    ]


def _dumper(ansible: bool) -> t.Any:
    class ScenarioDumper(yaml.SafeDumper):
        """Long texts as blocks; what Helm's parser would not take for text in quotes."""

        def ignore_aliases(self, data: t.Any) -> bool:
            return True

    def text(dumper: t.Any, value: str) -> t.Any:
        if ansible and _JINJA.search(value):
            return dumper.represent_scalar("!unsafe", value, style='"')
        if "\n" in value:
            return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
        style = None if isinstance(scalar(value), str) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    ScenarioDumper.add_representer(str, text)
    ScenarioDumper.add_representer(
        Evaluated, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value.text, style='"')
    )
    return ScenarioDumper
