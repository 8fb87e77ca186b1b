# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The variable in which one job leaves a cluster's digest is the one in which the next looks for it."""

from __future__ import annotations

import re

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.llm_d.orchestrator.plugins.lookup.approved_digest import LookupModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import digest_artifacts, digest_variable

HOST = "east-1.example.com"


def looked_up(variables, **options):
    """What the lookup returns for a host."""
    loader = DataLoader()
    lookup = LookupModule(loader=loader, templar=Templar(loader=loader, variables=variables))
    return lookup.run([], {"inventory_hostname": HOST, **variables}, **options)


def test_what_one_job_leaves_the_next_finds():
    left = digest_artifacts(HOST, "sha256:a")
    # Artifacts that are no names of variables are refused by set_stats.
    assert re.fullmatch(r"llm_d_approved_digest_[0-9a-f]{16}", digest_variable(HOST))
    assert looked_up(left) == ["sha256:a"]
    assert looked_up({"llm_d_approved_digest": left["llm_d_approved_digest"]}, own=True) == ["sha256:a"]


@pytest.mark.parametrize(
    ("given", "own", "found"),
    [
        ({}, False, ""),
        ({"llm_d_approved_digest": "sha256:b"}, False, "sha256:b"),
        ({"llm_d_approved_digest": {"west": "sha256:b"}}, False, {"west": "sha256:b"}),
        ({"llm_d_approved_digest": {"west": "sha256:b"}}, True, ""),
        ({"llm_d_approved_digest": '{"west": "sha256:b"}'}, False, {"west": "sha256:b"}),
        ({"llm_d_approved_digest": f"west=sha256:b, {HOST}=sha256:c"}, True, "sha256:c"),
        ({"llm_d_approved_digest": f"west=sha256:b\n{HOST}=sha256:c\n"}, True, "sha256:c"),
        ({"llm_d_approved_digest": '{"west": '}, False, '{"west":'),
        ({"llm_d_approved_digest": "west=sha256:b and more"}, False, "west=sha256:b and more"),
        ({"llm_d_approved_digest": " sha256:b "}, True, "sha256:b"),
        ({"llm_d_approved_digest": "sha256:b", digest_variable(HOST): "sha256:c"}, True, "sha256:c"),
    ],
)
def test_a_digest_of_the_users(given, own, found):
    assert looked_up(given, own=own) == [found]
