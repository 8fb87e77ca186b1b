# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Has the Python files of modules and module_utils loaded by Python's own loader, which keeps what it has compiled.

Ansible's loader of collections compiles each file anew in every run: some 250 files for a deployment, a quarter of a
second.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import typing as t

PACKAGES = tuple(
    f"ansible_collections.{name}."
    for name in (
        "llm_d.orchestrator.plugins.module_utils",
        "llm_d.orchestrator.plugins.modules",
        "kubernetes.core.plugins.module_utils",
    )
)


class CompiledFinder(importlib.abc.MetaPathFinder):
    """Finds modules of some packages that lie in folders; all others are left to the finders behind."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        """packages: their full names, each with a dot at its end."""
        self.packages = packages
        self._folders: dict[str, importlib.machinery.FileFinder] = {}

    def find_spec(self, fullname: str, path: t.Any, target: t.Any = None) -> importlib.machinery.ModuleSpec | None:
        """Return where a module is, None for what is not a file of these packages."""
        if not fullname.startswith(self.packages):
            return None
        for folder in path or ():
            spec = self._folder(folder).find_spec(fullname)
            if spec and spec.loader:
                return spec
        return None

    def _folder(self, path: str) -> importlib.machinery.FileFinder:
        if path not in self._folders:
            loader = (importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES)
            self._folders[path] = importlib.machinery.FileFinder(path, loader)
        return self._folders[path]


def keep_compiled() -> None:
    """Have what is imported from now on loaded so."""
    if not any(isinstance(finder, CompiledFinder) for finder in sys.meta_path):
        # Right before Ansible's own finder, and behind what others have put first.
        names = [type(finder).__name__ for finder in sys.meta_path]
        place = names.index("_AnsibleCollectionFinder") if "_AnsibleCollectionFinder" in names else 0
        sys.meta_path.insert(place, CompiledFinder(PACKAGES))
