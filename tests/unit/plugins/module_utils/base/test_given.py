# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a cluster puts into every namespace, and what looks like it."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.given import is_given


@pytest.mark.parametrize(
    ("kind", "name", "more", "given"),
    [
        ("ConfigMap", "kube-root-ca.crt", {}, True),
        ("ConfigMap", "istio-ca-root-cert", {}, True),
        ("ConfigMap", "istio-ca-crl", {}, True),
        ("ConfigMap", "mesh-root", {"labels": {"istio.io/config": "true"}}, True),
        ("Secret", "istio-ca-crl", {"labels": {"istio.io/config": "true"}}, False),
        ("ConfigMap", "istio", {}, False),
        ("ServiceAccount", "builder", {}, True),
        ("RoleBinding", "system:deployers", {}, True),
        ("RoleBinding", "deployers", {}, False),
    ],
)
def test_by_kind_and_name(kind, name, more, given):
    assert is_given({"kind": kind, "metadata": {"name": name, **more}}) is given


@pytest.mark.parametrize(
    ("form", "annotation", "given"),
    [
        ("kubernetes.io/dockercfg", "openshift.io/internal-registry-auth-token.service-account", True),
        ("kubernetes.io/service-account-token", "kubernetes.io/service-account.name", True),
        ("kubernetes.io/dockercfg", "somebody", False),
        ("Opaque", "kubernetes.io/service-account.name", False),
    ],
)
def test_secrets_of_accounts(form, annotation, given):
    metadata = {"name": "s", "annotations": {annotation: "builder"}}
    assert is_given({"kind": "Secret", "type": form, "metadata": metadata}) is given
