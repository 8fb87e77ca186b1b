# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The variants of a guide: the kustomizations of its model servers, and which command of which page deploys each."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..base.errors import OrchestratorError
from ..base.names import did_you_mean
from .commands import PageCommand
from .guide import Guide, Page
from .kustomizations import ReadKustomization, read_kustomization, serves
from .report import At
from .shell import Unknown, expand

# What stands before a variant's name in its path.
_ROOTS = re.compile(r"(.*?)/(?:modelserver|manifests/modelserver|manifests/vllm|manifests)(?:/(.*))?\Z")
MAX_LISTED = 60


@dataclasses.dataclass(frozen=True)
class VariantUse:
    """A command that deploys a variant, on a page, with the values of variables by which it does."""

    page: Page
    command: PageCommand
    chosen: t.Mapping[str, str]


@dataclasses.dataclass
class Variant:
    """folder: relative to the checkout's root; own: whether it is the guide's; uses: the best first."""

    name: str
    folder: str
    own: bool
    uses: list[VariantUse] = dataclasses.field(default_factory=list)


def variants_of(guide: Guide) -> list[Variant]:
    """Return the variants of a guide, those that its pages deploy first and in their order."""
    found: dict[str, Variant] = {}
    for folder in _own_folders(guide):
        found[folder] = Variant(_name(folder, guide), folder, True)
    for page in guide.pages:
        for command in page.commands:
            if command.kind != "kustomize" or command.script.why:
                continue
            for folder, chosen in targets(guide, page, command):
                if _is_servers(guide, folder):
                    own = (folder + "/").startswith(guide.checkout.guide + "/")
                    variant = found.setdefault(folder, Variant(_name(folder, guide), folder, own))
                    variant.uses.append(VariantUse(page, command, chosen))
    taken: dict[str, str] = {}
    for folder, variant in sorted(found.items(), key=lambda item: not item[1].own):
        if taken.setdefault(variant.name, folder) != folder:
            variant.name = folder.removeprefix("guides/").replace("/modelserver/", "/")
        variant.uses.sort(key=lambda use: _rank(use, guide))
    order = {id(use.command): n for n, use in enumerate(one for v in found.values() for one in v.uses)}
    return sorted(found.values(), key=lambda v: (not v.uses, min([order[id(u.command)] for u in v.uses], default=0)))


def _rank(use: VariantUse, guide: Guide) -> tuple[bool, bool, int, int]:
    """Order the commands of a variant: a choice that the page offers first, one that it has as it stands before."""
    strange = sum(
        bool(choices := use.page.variables.choices(name)) and value not in choices for name, value in use.chosen.items()
    )
    return use.command.offered, bool(strange), strange, guide.pages.index(use.page)


def _own_folders(guide: Guide) -> t.Iterator[str]:
    checkout = guide.checkout
    for folder in checkout.folders(checkout.guide):
        inner = os.path.relpath(folder, checkout.guide)
        between = ["/".join(inner.split("/")[:n]) for n in range(1, inner.count("/") + 2)]
        if inner != "." and any(checkout.is_guide(f"{checkout.guide}/{part}") for part in between):
            continue
        if checkout.kustomization(folder) and _is_servers(guide, folder):
            yield folder


def _is_servers(guide: Guide, folder: str) -> bool:
    """Return whether a kustomization is of model servers: by where it lies, or by what its containers start."""
    if "/recipes/" in f"/{folder}/" or "/components/" in f"/{folder}/":
        return False
    found = read_kustomization(guide.checkout, folder)
    if found.component:
        return False
    if re.search(r"/(modelserver|vllm)(/|\Z)", f"/{folder}"):
        return True
    return bool(_has_workload(found) and serves(found) and "render" not in folder.split("/"))


def _has_workload(found: ReadKustomization) -> bool:
    kinds = {"Deployment", "StatefulSet", "LeaderWorkerSet", "DisaggregatedSet", "DaemonSet"}
    return any(isinstance(item, dict) and item.get("kind") in kinds for _file, item in found.files)


def _name(folder: str, guide: Guide) -> str:
    match = _ROOTS.match(folder)
    if match and match[2]:
        return match[2]
    if match:
        return "modelserver" if folder.endswith("modelserver") else os.path.basename(folder)
    return os.path.relpath(folder, guide.checkout.guide)


def targets(guide: Guide, page: Page, command: PageCommand) -> list[tuple[str, dict[str, str]]]:
    """Return the kustomizations that a command may be about, each with the values of variables that make it so."""
    found = []
    for word in command.arguments:
        for folder, chosen in _matches(guide, page, command, word.text):
            found.append((folder, chosen))
    return found


def _matches(guide: Guide, page: Page, command: PageCommand, raw: str) -> t.Iterator[tuple[str, dict[str, str]]]:
    variables = page.variables
    free = {name for name in variables.needs(raw) if variables.is_free(name) and name != "REPO_ROOT"}
    free -= {name for name in free if name in variables.given}
    # Placeholders of the page (<deployment>) and what nothing sets are free, too.
    pattern, names = _pattern(raw, variables.lookup({}, command.at), free, page, command)
    prefix = re.split(r"\x00", pattern, maxsplit=1)[0]
    base = prefix.rpartition("/")[0] if "\x00" in pattern else pattern.rstrip("/")
    for start in _starts(guide, page, command, base):
        tail = pattern[len(base) :] if base else pattern
        if "\x00" not in pattern:
            if guide.checkout.kustomization(start):
                yield os.path.normpath(start), {}
            continue
        expression = _expression(start, tail, names)
        for folder in guide.checkout.folders(start):
            match = expression.fullmatch(folder) if guide.checkout.kustomization(folder) else None
            if match:
                yield folder, {names[n]: match[f"v{n}"] for n in range(len(names)) if not names[n].startswith("<")}


def _pattern(
    raw: str, lookup: t.Callable[[str], str | None], free: set[str], page: Page, command: PageCommand
) -> tuple[str, list[str]]:
    """Return a path in which free variables are \\0NUMBER\\0, and their names."""
    names: list[str] = []

    def mark(name: str) -> str:
        if name not in names:
            names.append(name)
        return f"\x00{names.index(name)}\x00"

    def find(name: str, depth: int = 0) -> str | None:
        own = page.variables.found.get(name, [])
        # A free variable whose definitions are made of others is followed, so that those are what is chosen.
        inner = [item for item in own if "$" in item.raw]
        if name in free and not (inner and depth < 10):
            return mark(name)
        if inner and name not in page.variables.given:
            return expand(inner[-1].raw, lambda other: find(other, depth + 1), Unknown())
        value = lookup(name)
        return mark(name) if value is None else value

    text = expand(raw, find, Unknown())
    text = re.sub(r"<[^<>/]+>", lambda match: mark(match[0]), text)
    return text.lstrip("/"), names


def _expression(start: str, tail: str, names: list[str]) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = [re.escape(start.rstrip("/"))]
    for n, piece in enumerate(re.split(r"\x00(\d+)\x00", tail.rstrip("/"))):
        if n % 2 == 0:
            parts.append(re.escape(piece))
        else:
            parts.append(f"(?P=v{piece})" if piece in seen else f"(?P<v{piece}>.+)")
            seen.add(piece)
    for n in range(len(names)):
        if str(n) not in seen:
            parts.append(f"(?P<v{n}>)")
    return re.compile("".join(parts))


def _starts(guide: Guide, page: Page, command: PageCommand, base: str) -> list[str]:
    """Return the folders that a path may begin at: the checkout's root, or where the page has changed to, or lies."""
    if re.match(r"(https?|git|ssh)://|git@", base):
        return []
    places = [
        "" if base.startswith(("guides/", "helpers/")) else None,
        command.folder,
        guide.checkout.guide,
        page.folder,
        "",
    ]
    for place in places:
        if place is None:
            continue
        name = guide.checkout.within(guide.checkout.path(os.path.join(place, base)))
        if name is not None and guide.checkout.is_folder(name):
            return [name]
    return []


def choose(guide: Guide, variants: list[Variant], wanted: str) -> Variant:
    """Return the variant that is wanted, or the one that the guide's page deploys first; raise OrchestratorError."""
    names = [variant.name for variant in variants]
    listed = ", ".join(names[:MAX_LISTED]) + (f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else "")
    if wanted:
        text = wanted.strip("/")
        for variant in variants:
            if text in (variant.name, variant.folder, variant.folder.removeprefix("guides/")):
                return variant
        ends = [variant for variant in variants if f"/{variant.folder}".endswith(f"/{text}")]
        if len(ends) == 1:
            return ends[0]
        raise OrchestratorError(
            f"{guide.checkout.guide} has no variant {wanted!r}.{did_you_mean(text, names)}",
            hint=f"Set variant to one of: {listed}." if names else None,
        )
    default = _default(guide, variants)
    if default is None and len(variants) == 1:
        default = variants[0]
    if default is None:
        raise OrchestratorError(
            f"{guide.checkout.guide}: no page says which of the {len(variants)} variants is the default",
            hint=f"Set variant to one of: {listed}.",
        )
    return default


def _default(guide: Guide, variants: list[Variant]) -> Variant | None:
    """Return the variant of the first command that resolves with the values as they stand."""
    by_folder = {variant.folder: variant for variant in variants}
    for page in guide.pages:
        for command in page.commands:
            if command.kind != "kustomize" or command.script.why or command.offered or not command.arguments:
                continue
            if not _holds(command, page):
                continue
            unknown = Unknown()
            text = expand(command.arguments[0].text, page.variables.lookup({}, command.at), unknown)
            for start in [] if unknown.names else _starts(guide, page, command, text.lstrip("/").rstrip("/")):
                if start in by_folder:
                    return by_folder[start]
    # The page's own choice is not there: the first folder that it may be about.
    return next((variant for variant in variants if variant.uses), None)


def _holds(command: PageCommand, page: Page) -> bool:
    """Return whether a step's condition holds with the values as they stand."""
    return all((page.variables.value(name) or "") in values for name, values in command.script.when.items())


def missing(guide: Guide) -> list[tuple[At, str]]:
    """Return the commands of pages whose kustomization is not there, whatever their variables are."""
    found = []
    for page in guide.pages:
        for command in page.commands:
            if command.kind == "kustomize" and not command.script.why and not targets(guide, page, command):
                found.append((command.at, command.written))
    return found
