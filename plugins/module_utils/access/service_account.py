# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The ServiceAccount of jobs: what a plan needs, as Roles and bindings for it, and no more."""

from __future__ import annotations

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.plain_yaml import load_all
from .roles import NAME

RBAC = "rbac.authorization.k8s.io/v1"
READER = "-reader"


def account_objects(role: str, settings: Object) -> list[Object]:
    """Return the manifests of a ServiceAccount that may do what a plan needs, in the order to apply them.

    role: what role_yaml() returns; settings: {name, namespace, token, reader}. Raises OrchestratorError without a role.
    """
    documents = [item for item in load_all(role) if item]
    if not documents:
        raise OrchestratorError("The plan has no permissions.", hint="Make the plan with a reachable cluster.")
    spaces = [item for item in documents if item["kind"] == "Namespace"]
    if settings["namespace"] not in [item["metadata"]["name"] for item in spaces]:
        spaces.append(_object("v1", "Namespace", settings["namespace"]))
    rights = [_own(item, settings) for item in documents if item["kind"] != "Namespace"]
    if not settings["reader"]:
        rights = [item for item in rights if not item["metadata"]["name"].endswith(READER)]
    return [*spaces, *_accounts(settings), *rights]


def removable_objects(settings: Object) -> list[Object]:
    """Return all that account_objects() can have made, namespaces left out; bindings go first.

    settings: {name, namespace, namespaces}; namespaces: of the stack, and of its Gateway.
    """
    places = list(dict.fromkeys([settings["namespace"], *settings["namespaces"]]))
    wide = [f"{settings['name']}-{place}{suffix}" for place in places for suffix in ("", READER)]
    found = []
    for kind in ("RoleBinding", "Role"):
        found += [_object(RBAC, f"Cluster{kind}", name) for name in wide]
        found += [_object(RBAC, kind, settings["name"], place) for place in places]
    return [*found, *reversed(_accounts({**settings, "token": True}))]


def _accounts(settings: Object) -> list[Object]:
    name, namespace = settings["name"], settings["namespace"]
    made = [_object("v1", "ServiceAccount", name, namespace)]
    if settings["token"]:
        secret = _object("v1", "Secret", f"{name}-token", namespace)
        secret["metadata"]["annotations"] = {"kubernetes.io/service-account.name": name}
        made.append({**secret, "type": "kubernetes.io/service-account-token"})
    return made


def _own(item: Object, settings: Object) -> Object:
    """Return a Role or binding under the account's name, and with the account as its subject."""
    name = settings["name"] + item["metadata"]["name"].removeprefix(NAME)
    item = {**item, "metadata": {**item["metadata"], "name": name}}
    if "roleRef" in item:
        subject = {"kind": "ServiceAccount", "name": settings["name"], "namespace": settings["namespace"]}
        item = {**item, "roleRef": {**item["roleRef"], "name": name}, "subjects": [subject]}
    return item


def _object(api_version: str, kind: str, name: str, namespace: str = "") -> Object:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}
