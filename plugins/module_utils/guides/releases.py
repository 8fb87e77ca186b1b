# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The releases of a helmfile's environment, read of its template with the values files that they name."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..base import plain_yaml
from ..base.data import Object, Values, dicts, mapping
from ..base.errors import OrchestratorError
from ..values.layers import merge
from .checkout import Checkout
from .gotmpl import TemplateProblem, TemplateScope, render
from .report import At, Report
from .sets import typed

_CHARTS = {"llm-d-infra": "infra", "inferencepool": "pool", "llm-d-modelservice": "model"}


@dataclasses.dataclass
class HelmfileRelease:
    """A release of a helmfile. files: its values files, relative to the root; inline: values that stand in it."""

    name: str
    chart: str
    version: str
    namespace: str
    at: At
    files: list[str] = dataclasses.field(default_factory=list)
    inline: Values = dataclasses.field(default_factory=dict)
    sets: list[tuple[tuple[t.Any, ...], t.Any]] = dataclasses.field(default_factory=list)

    @property
    def kind(self) -> str:
        """What it is here: infra, pool, model, or "" for what nothing here deploys."""
        return _CHARTS.get(self.chart.rpartition("/")[2], "")


def read_parts(checkout: Checkout, file: str) -> tuple[dict[str, list[t.Any]], str, int]:
    """Return a helmfile's environments with their values, its releases' template, and the lines before that."""
    text = checkout.text(file)
    pieces = re.split(r"^---[ \t]*$", text, flags=re.MULTILINE)
    environments: dict[str, list[t.Any]] = {}
    body, first, line = "", 0, 0
    for piece in pieces:
        if re.search(r"^environments:", piece, re.MULTILINE):
            environments |= _environments(file, piece, line)
        if re.search(r"^releases:", piece, re.MULTILINE):
            body, first = piece, line
        line += piece.count("\n")
    if not body:
        raise OrchestratorError(f"{file}: it has no releases")
    # In one document the environments are no part of what is rendered.
    return environments, body, first


def _environments(file: str, piece: str, line: int) -> dict[str, list[t.Any]]:
    # In one document with the releases, only what is indented below the key is plain YAML.
    block = re.search(r"^environments:[^\n]*\n(?:[ \t]+[^\n]*\n?|[ \t]*\n|#[^\n]*\n?)*", piece, re.MULTILINE)
    try:
        content = plain_yaml.load(_with_own_anchors(block[0] if block else piece))
    except (plain_yaml.YAMLError, ValueError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        raise OrchestratorError(
            f"{At(file, line + (mark.line if mark else 0) + 1)}: environments: not valid YAML: "
            f"{getattr(exc, 'problem', None) or exc}"
        ) from exc
    found = {}
    for name, entry in mapping(mapping(content).get("environments")).items():
        listed = mapping(entry).get("values")
        found[str(name)] = [one for one in listed if isinstance(one, (str, dict))] if isinstance(listed, list) else []
    return found


def _with_own_anchors(text: str) -> str:
    """Return YAML whose anchors differ: Go's parser takes one that is there already, PyYAML refuses it."""
    seen: dict[str, int] = {}

    def rename(match: re.Match[str]) -> str:
        sign, name = match[1], match[2]
        if sign == "&":
            seen[name] = seen.get(name, 0) + 1
        count = seen.get(name, 1)
        return f"{sign}{name}" + (f"-{count}" if count > 1 else "")

    return re.sub(r"(?<=[\s:])([&*])(\w+)(?=\s|$)", rename, text)


def read_values(checkout: Checkout, file: str, path: str, at: At) -> Values:
    """Return the content of a values file that a helmfile names; raise OrchestratorError where it is none."""
    name = _path(checkout, file, path, at)
    documents = checkout.documents(name)
    content = documents[0] if documents else None
    if content is not None and not isinstance(content, dict):
        raise OrchestratorError(f"{name} is not a map, so that Helm refuses it as a values file")
    return content or {}


def _path(checkout: Checkout, file: str, path: str, at: At) -> str:
    name = checkout.within(os.path.join(checkout.path(os.path.dirname(file)), path))
    if name is None or not checkout.is_file(name):
        raise OrchestratorError(f"{at}: the values file {path} does not exist in the checkout")
    return name


def read_releases(
    checkout: Checkout, file: str, text: str, first: int, scope: TemplateScope, report: Report
) -> list[HelmfileRelease]:
    """Return the releases that a helmfile\'s template comes to; raise OrchestratorError with its line."""
    try:
        rendered = render(text, scope)
    except TemplateProblem as exc:
        raise OrchestratorError(f"{At(file, exc.line + first)}: {exc.message}") from exc
    try:
        content = plain_yaml.load(rendered)
    except (plain_yaml.YAMLError, ValueError, RecursionError) as exc:
        problem = getattr(exc, "problem", None) or exc
        raise OrchestratorError(f"{file}: what its template comes to is not valid YAML: {problem}") from exc
    found = []
    for item in dicts(mapping(content).get("releases")):
        if item.get("installed") is False:
            continue
        chart = str(item.get("chart") or "")
        at = At(file, checkout.line_of(file, f"chart: {chart}"))
        release = HelmfileRelease(
            str(item.get("name") or ""), chart, str(item.get("version") or ""), str(item.get("namespace") or ""), at
        )
        if release.kind:
            _values(checkout, file, item, release, report)
        found.append(release)
    return found


def _values(checkout: Checkout, file: str, item: Object, release: HelmfileRelease, report: Report) -> None:
    """Note a release's values: its files first, then what stands in the helmfile, as helmfile passes them in order."""
    listed = item.get("values")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict):
            release.inline = merge(release.inline, entry)
        elif isinstance(entry, str):
            at = At(file, checkout.line_of(file, entry))
            name = _path(checkout, file, entry, at)
            if entry.endswith(".gotmpl") or "{{" in checkout.text(name):
                report.add("untranslated", at, entry, "a values file that is a template itself")
            elif release.inline:
                # A file after values is laid over them.
                release.inline = merge(release.inline, read_values(checkout, file, entry, at))
            else:
                release.files.append(name)
    for entry in dicts(item.get("set")):
        at = At(file, checkout.line_of(file, str(entry.get("name"))))
        if "value" not in entry:
            report.add("untranslated", at, f"set {entry.get('name')}", "only name and value are read")
            continue
        path = _set_path(str(entry.get("name")))
        value = entry["value"]
        release.sets.append((path, typed(value) if isinstance(value, str) else value))
        report.add("translated", at, f"set {entry.get('name')}", "values of the release")
    for key in (
        "strategicMergePatches",
        "jsonPatches",
        "transformers",
        "hooks",
        "secrets",
        "setTemplate",
        "valuesTemplate",
    ):
        if item.get(key):
            report.add(
                "untranslated", At(file, checkout.line_of(file, key)), key, f"it is helmfile's own, of {release.name}"
            )


def _set_path(name: str) -> tuple[t.Any, ...]:
    found: list[t.Any] = []
    for step in re.split(r"(?<!\\)\.", name):
        match = re.fullmatch(r"(.*?)((?:\[\d+\])*)", step)
        key = (match[1] if match else step).replace("\\.", ".")
        found += [key] if key else []
        found += [int(index) for index in re.findall(r"\[(\d{1,4})\]", match[2] if match else "")]
    return tuple(found)
