# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What Ansible's main process reads for all hosts: this collection's own files, once, and no others."""

from __future__ import annotations

import inspect
import pathlib
import subprocess
import sys

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible_collections.llm_d.orchestrator.plugins.action import stack_info
from ansible_collections.llm_d.orchestrator.plugins.lookup.role_settings import ROLES
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.preload import preload, preload_lookups

PLAYBOOKS = pathlib.Path(ROLES, "..", "playbooks").resolve()
ROWS = yaml.safe_load((PLAYBOOKS / "vars/components.yml").read_text())["llm_d_components"]
# The component table, and what planning reads of its roles.
OWN = [
    "playbooks/vars/components.yml",
    *(f"roles/{row['name']}/{file}" for row in ROWS for file in ("defaults/main.yml", "meta/argument_specs.yml")),
]

pytestmark = pytest.mark.skipif(
    "trusted_as_template" not in inspect.signature(DataLoader.load_from_file).parameters,
    reason="this ansible-core reads such files otherwise",
)


def play(*vars_files: str) -> Play:
    loader = DataLoader()
    loader.set_basedir(str(PLAYBOOKS))
    data = {"name": "Test", "hosts": "all", "gather_facts": False, "vars_files": list(vars_files)}
    return Play.load(data, loader=loader)


def test_own_vars_files_and_defaults_are_kept():
    kept = preload(play("vars/components.yml", "vars/site.yml"))
    assert [pathlib.Path(path).resolve().relative_to(PLAYBOOKS.parent).as_posix() for path in kept] == [
        "playbooks/vars/components.yml",
        "playbooks/vars/site.yml",
        *OWN,
    ]


def test_a_users_vars_files_are_read_by_ansible_alone(tmp_path):
    (tmp_path / "mine.yml").write_text("a: 1\n")
    kept = preload(play(str(tmp_path / "mine.yml"), str(tmp_path / "{{ name }}.yml"), str(tmp_path / "none.yml")))
    assert len(kept) == len(OWN)


def test_what_is_kept_is_not_read_again_and_still_is_a_template(monkeypatch):
    found = play("vars/site.yml")
    path = preload(found)[0]
    monkeypatch.setattr(DataLoader, "get_text_file_contents", lambda *_args, **_more: pytest.fail("read again"))
    read = found.get_loader().load_from_file(path, unsafe=True, cache="vaulted", trusted_as_template=True)
    assert "TrustedAsTemplate" in repr(type(read["llm_d_records_home"]).__mro__) + repr(
        getattr(read["llm_d_records_home"], "_ansible_tags_mapping", "")
    )


def test_lookups_that_variables_use_are_there():
    assert len(preload_lookups()) == 6


def test_a_modules_code_is_loaded_with_its_action():
    """Ansible loads actions in its main process; what they load, its forks have."""
    code = f"""
import sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader(sys.argv[1:])
import {stack_info.__name__}
sys.exit("kubernetes.client" not in sys.modules)
"""
    folder = pathlib.Path(sys.modules["ansible_collections"].__path__[0]).parent
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0
