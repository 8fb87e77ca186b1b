# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which files Python's own loader takes over from Ansible's, and that it keeps what it compiles."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.compiled import CompiledFinder

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAME = "ansible_collections.llm_d.orchestrator.plugins"
RUN = f"""
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([{str(ROOT / "playbooks/collections")!r}])
from {NAME}.plugin_utils.compiled import keep_compiled
keep_compiled(), keep_compiled()
import sys
from {NAME}.module_utils.base import names
from {NAME}.modules import serving_info
from {NAME}.plugin_utils import preload
print(*(type(module.__loader__).__name__ for module in (names, serving_info, preload)))
print(sum(type(finder).__name__ == "CompiledFinder" for finder in sys.meta_path))
"""


@pytest.fixture
def folder(tmp_path):
    package = tmp_path / "sample"
    (package / "inner").mkdir(parents=True)
    (package / "one.py").write_text("VALUE = 1\n")
    (package / "inner/__init__.py").write_text("VALUE = 2\n")
    (package / "bare").mkdir()
    return package


@pytest.mark.parametrize("name", ["sample.one", "sample.inner"])
def test_files_of_the_packages_are_found(folder, name):
    spec = CompiledFinder(("sample.",)).find_spec(name, [str(folder)])
    assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)
    assert (spec.submodule_search_locations is not None) is (name == "sample.inner")


@pytest.mark.parametrize("name", ["other.one", "sample", "sample.none", "sample.bare"])
def test_all_else_is_left_to_others(folder, name):
    assert CompiledFinder(("sample.",)).find_spec(name, [str(folder)]) is None


def test_no_folder_is_no_error(tmp_path):
    finder = CompiledFinder(("sample.",))
    assert finder.find_spec("sample.one", [str(tmp_path / "module.zip/sample")]) is None
    assert finder.find_spec("sample.one", None) is None


def test_what_was_compiled_is_kept(folder, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    spec = CompiledFinder(("sample.",)).find_spec("sample.one", [str(folder)])
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert pathlib.Path(spec.cached).is_file()


def test_a_run_loads_modules_and_module_utils_so_and_leaves_other_plugins_to_ansible():
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == ["SourceFileLoader", "SourceFileLoader", "_AnsibleCollectionLoader", "1"]
