# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A checkout of llm-d: where its root is, and its files as text. Nothing outside of it is read."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ..base import plain_yaml
from ..base.errors import OrchestratorError
from ..base.files import read_regular
from .report import At

MAX_BYTES = 4 * 1024 * 1024
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Folders of a guide that hold no deployment.
SKIPPED = ("benchmark-results", "benchmark-templates", "node_modules", ".git")


@dataclasses.dataclass
class Checkout:
    """root: the checkout's folder; guide: the guide's folder, relative to it ("guides/optimized-baseline")."""

    root: str
    guide: str
    texts: dict[str, str] = dataclasses.field(default_factory=dict)
    # What was read once: files as YAML, what lies under a folder, and what others keep of it.
    parsed: dict[str, list[t.Any]] = dataclasses.field(default_factory=dict)
    listed: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    kept: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def path(self, name: str) -> str:
        """Return a file's or folder's path on this machine."""
        return os.path.normpath(os.path.join(self.root, name))

    def within(self, path: str) -> str | None:
        """Return a path relative to the root, None where it is outside."""
        name = os.path.relpath(os.path.normpath(path), self.root)
        return None if name == ".." or name.startswith("../") else name

    def is_file(self, name: str) -> bool:
        """Return whether there is such a file."""
        return os.path.isfile(self.path(name))

    def is_folder(self, name: str) -> bool:
        """Return whether there is such a folder."""
        return os.path.isdir(self.path(name))

    def text(self, name: str) -> str:
        """Return a file's text; raise OrchestratorError where it cannot be read."""
        if name not in self.texts:
            try:
                content, _size = read_regular(self.path(name), MAX_BYTES)
            except OSError as exc:
                raise OrchestratorError(f"{name} cannot be read: {exc.strerror or exc}") from exc
            self.texts[name] = content.decode("utf-8", errors="replace").lstrip("\ufeff")
        return self.texts[name]

    def documents(self, name: str) -> list[t.Any]:
        """Return a YAML file's documents; raise OrchestratorError where it is none."""
        if name in self.parsed:
            return self.parsed[name]
        try:
            self.parsed[name] = list(plain_yaml.load_all(self.text(name)))
            return self.parsed[name]
        except (plain_yaml.YAMLError, ValueError, RecursionError) as exc:
            mark = getattr(exc, "problem_mark", None)
            at = At(name, mark.line + 1 if mark else 0)
            raise OrchestratorError(f"{at}: not valid YAML: {getattr(exc, 'problem', None) or exc}") from exc

    def kustomization(self, folder: str) -> str | None:
        """Return the file of a kustomization's folder, None where it is none."""
        return next((name for one in KUSTOMIZATIONS if self.is_file(name := os.path.normpath(f"{folder}/{one}"))), None)

    def folders(self, under: str) -> list[str]:
        """Return the folders under one, it included, in the order of their names."""
        if under not in self.listed:
            found = []
            for path, names, _files in os.walk(self.path(under)):
                names[:] = sorted(name for name in names if name not in SKIPPED)
                found.append(os.path.relpath(path, self.root))
            self.listed[under] = found
        return self.listed[under]

    def pages(self) -> list[str]:
        """Return the guide's pages: README.md, the others beside it, those of its model servers' folders."""
        own, nested = [], []
        for folder in self.folders(self.guide):
            names = sorted(name for name in os.listdir(self.path(folder)) if name.endswith(".md"))
            if folder == self.guide:
                own = sorted(names, key=lambda name: (name != "README.md", name))
            elif "README.md" in names and not self.is_guide(folder):
                nested.append(f"{folder}/README.md")
        return [f"{self.guide}/{name}" for name in own] + nested

    def is_guide(self, folder: str) -> bool:
        """Return whether a folder below the guide is a guide itself: it has a page and servers, values or steps."""
        parts = os.path.relpath(folder, self.guide).split("/")
        inner = ("modelserver", "router", "guide.yaml", "helmfile.yaml.gotmpl", "manifests")
        known = any(os.path.exists(self.path(f"{folder}/{name}")) for name in inner)
        return "modelserver" not in parts and "manifests" not in parts and known

    def line_of(self, name: str, text: str) -> int:
        """Return the line of a file on which a text first stands, 0 where none does."""
        try:
            lines = self.text(name).splitlines()
        except OrchestratorError:
            return 0
        return next((number for number, line in enumerate(lines, 1) if text in line), 0)


def open_checkout(folder: str) -> Checkout:
    """Return the checkout that a guide's folder lies in; raise OrchestratorError where there is none."""
    folder = os.path.abspath(os.path.expanduser(folder))
    if os.path.isfile(folder) and os.path.basename(folder) in ("README.md", "guide.yaml", "helmfile.yaml.gotmpl"):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise OrchestratorError(
            f"guide not found: {folder}", hint="Set guide to a guide's folder in a checkout of llm-d."
        )
    folder = os.path.realpath(folder)
    above = folder
    whole = os.path.basename(folder) == "guides" and bool(guides_in(folder))
    while os.path.dirname(above) != above and not whole:
        if os.path.basename(above) == "guides" and above != folder:
            return Checkout(os.path.dirname(above), os.path.relpath(folder, os.path.dirname(above)))
        above = os.path.dirname(above)
    names = ", ".join(guides_in(folder)[:40])
    hint = f"Set guide to one of the folders in it: {names}." if names else None
    raise OrchestratorError(
        f"{folder} is not a guide of llm-d"
        + (", but holds them" if names else ": its path has no folder guides above it"),
        hint=hint or "Set guide to a folder such as llm-d/guides/optimized-baseline.",
    )


def guides_in(folder: str) -> list[str]:
    """Return the folders of a checkout, or of its folder guides, that have a page."""
    for root in (folder, os.path.join(folder, "guides")):
        if os.path.basename(root) == "guides" and os.path.isdir(root):
            return sorted(name for name in os.listdir(root) if os.path.isfile(os.path.join(root, name, "README.md")))
    return []
