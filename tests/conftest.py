# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Make `ansible_collections.llm_d.orchestrator` importable from a checkout, as ansible-playbook does."""

from __future__ import annotations

import pathlib
import site
import sys

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

ROOT = pathlib.Path(__file__).resolve().parent.parent

_AnsibleCollectionFinder(paths=[str(ROOT / "playbooks" / "collections"), *site.getsitepackages()])._install()
# The lab's serving plane is a package of its own, started with this path.
sys.path.insert(0, str(ROOT / "roles" / "lab" / "files"))
