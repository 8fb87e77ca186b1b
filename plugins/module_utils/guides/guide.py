# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A guide as it stands in a checkout: its variables, and the commands of its pages, each page for itself."""

from __future__ import annotations

import dataclasses

from ..base.errors import OrchestratorError
from ..base.plain_yaml import YAMLError
from .checkout import Checkout
from .commands import PageCommand, read_script
from .pages import Script, read_page, read_steps
from .report import At, Report
from .shell import read_lines
from .variables import Definition, GuideVariables, read_settings

STEPS = "guide.yaml"
ENVIRONMENT = "guides/env.sh"


@dataclasses.dataclass
class Page:
    """A page, or a guide.yaml, with the variables that it sets and its commands in order."""

    file: str
    variables: GuideVariables
    commands: list[PageCommand] = dataclasses.field(default_factory=list)
    scripts: list[Script] = dataclasses.field(default_factory=list)

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return self.file.rpartition("/")[0]


@dataclasses.dataclass
class Guide:
    """pages: the guide's main page first; shared: what env.sh sets, with its places."""

    checkout: Checkout
    pages: list[Page]
    shared: GuideVariables

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.checkout.guide.rpartition("/")[2]


def read_guide(checkout: Checkout, given: dict[str, str], report: Report) -> Guide:
    """Return a guide with all its pages; raise OrchestratorError where it has none that can be read."""
    shared = _shared(checkout, given, report)
    pages: list[Page] = []
    number = 1
    steps = f"{checkout.guide}/{STEPS}"
    if checkout.is_file(steps):
        page = _steps(checkout, steps, shared, report)
        if page is not None:
            pages.append(page)
            number += len(page.scripts)
    for file in checkout.pages():
        if pages and pages[0].file == steps and file == f"{checkout.guide}/README.md":
            # It is written from guide.yaml.
            continue
        page = Page(file, shared.copy(), scripts=read_page(checkout.text(file), file, number))
        number += len(page.scripts)
        if page.scripts:
            pages.append(_with_commands(page, checkout))
    if checkout.is_file(steps) and not any(one.kind == "helm" for page in pages for one in page.commands):
        broken = [entry for entry in report.entries["untranslated"] if entry["file"] == steps]
        if broken:
            raise OrchestratorError(f"{At(steps, broken[0]['line'])}: not a valid {STEPS}: {broken[0]['why']}")
    if not pages and not checkout.pages():
        raise OrchestratorError(
            f"{checkout.guide} has neither README.md nor {STEPS}, so that it is not a guide",
            hint="Set guide to the folder that has the guide's README.md.",
        )
    return Guide(checkout, pages, shared)


def _shared(checkout: Checkout, given: dict[str, str], report: Report) -> GuideVariables:
    variables = GuideVariables(given)
    if checkout.is_file(ENVIRONMENT):
        lines = read_lines(checkout.text(ENVIRONMENT))
        for line in read_settings(lines, ENVIRONMENT, variables, 0):
            why = line.broken or "only running it could tell what it does, and env.sh is never executed"
            report.add("untranslated", At(ENVIRONMENT, line.number), line.text, why)
    # Where the checkout is; the files of commands are named relative to it.
    variables.found["REPO_ROOT"] = [Definition("REPO_ROOT", "", At(ENVIRONMENT), 0)]
    return variables


def _steps(checkout: Checkout, file: str, shared: GuideVariables, report: Report) -> Page | None:
    try:
        steps = read_steps(checkout.text(file), file, 1)
    except (YAMLError, ValueError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        at = At(file, mark.line + 1 if mark else 0)
        why = f"{getattr(exc, 'problem', None) or exc}; README.md is read instead"
        report.add("untranslated", at, STEPS, why)
        return None
    if not any(not script.why for script in steps.scripts):
        return None
    page = Page(file, shared.copy(), scripts=steps.scripts)
    for name, raw, line, choices in steps.static:
        if name != "REPO_ROOT":
            page.variables.define(Definition(name, raw, At(file, line), 0, choices))
    return _with_commands(page, checkout)


def _with_commands(page: Page, checkout: Checkout) -> Page:
    folder: str | None = None
    for script in page.scripts:
        if script.why:
            # What it sets is for its own commands.
            found, _folder = read_script(script, page.variables.copy(), folder)
        else:
            found, folder = read_script(script, page.variables, folder)
        page.commands += found
    page.variables.found["REPO_ROOT"] = [Definition("REPO_ROOT", "", At(page.file), 0)]
    return page
