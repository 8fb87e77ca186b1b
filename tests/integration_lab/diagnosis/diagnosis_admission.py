# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Admission that keeps pods away: a policy, a webhook that refuses, and one that nobody answers for."""

from __future__ import annotations

import base64
import http.server
import json
import pathlib
import ssl
import threading

from diagnosis_faults import Case, workload
from kubernetes.client.exceptions import ApiException
from plane_client import Lab, eventually
from plane_stack import Object
from registry_server import self_signed

API = "admissionregistration.k8s.io/v1"
PODS = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]


class Refuses(http.server.BaseHTTPRequestHandler):
    """Answers every AdmissionReview with no."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        verdict = {"uid": asked["request"]["uid"], "allowed": False, "status": {"message": "no pods without a permit"}}
        body = json.dumps({"apiVersion": asked["apiVersion"], "kind": asked["kind"], "response": verdict}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Webhook:
    """A webhook's server on this machine; the lab's API server runs here too."""

    def __init__(self) -> None:
        self.client: Object = {}

    def start(self, folder: pathlib.Path) -> http.server.ThreadingHTTPServer:
        """Serve until shutdown(), with a certificate in a folder."""
        certificate = self_signed(folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, folder / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bundle = base64.b64encode(certificate.read_bytes()).decode()
        self.client = {"url": f"https://127.0.0.1:{server.server_port}/", "caBundle": bundle}
        return server


WEBHOOK = Webhook()


def policy(namespace: str) -> list[Object]:
    """A policy that lets no pod into a namespace."""
    name = f"diagnosis-{namespace}"
    spec = {
        "matchConstraints": {"resourceRules": PODS},
        "failurePolicy": "Fail",
        "matchConditions": [{"name": "here", "expression": f"request.namespace == '{namespace}'"}],
        "validations": [{"expression": "false", "message": "no pods on Saturdays"}],
    }
    wide = {"metadata": {"name": name}}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    return [
        {"apiVersion": API, "kind": "ValidatingAdmissionPolicy", **wide, "spec": spec},
        {"apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding", **wide, "spec": binding},
    ]


def webhook(namespace: str, name: str, client: Object) -> list[Object]:
    """A webhook that is asked about the pods of a namespace."""
    hook = {
        "name": name,
        "rules": PODS,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 5 if "url" in client else 1,
        "failurePolicy": "Fail",
        "clientConfig": client,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    kind = "ValidatingWebhookConfiguration"
    return [{"apiVersion": API, "kind": kind, "metadata": {"name": f"diagnosis-{namespace}"}, "webhooks": [hook]}]


def gone(namespace: str) -> Object:
    """How to reach a Service that does not exist."""
    return {"service": {"name": "gone", "namespace": namespace, "path": "/"}}


def refused(lab: Lab, namespace: str) -> bool:
    """Whether admission keeps a pod away already: the API server takes its time to heed what is new."""
    spec = {"containers": [{"name": "c", "image": "example.com/i:v1"}]}
    try:
        lab.core.create_namespaced_pod(namespace, {"metadata": {"name": "try"}, "spec": spec}, dry_run="All")
    except ApiException as exc:
        return "ValidatingAdmissionPolicy" in exc.body or "webhook" in exc.body
    return False


def then_work(lab: Lab, namespace: str) -> None:
    """Make a workload once its pods are refused."""
    eventually(lambda: refused(lab, namespace), 90)
    lab.apply(workload(namespace))


ADMISSION = [
    Case("policy", "DIAG308", "no pods on Saturdays", policy, then=then_work),
    Case(
        "webhook",
        "DIAG307",
        "gone.example.com",
        lambda ns: webhook(ns, "gone.example.com", gone(ns)),
        then=then_work,
    ),
    Case(
        "refusing",
        "DIAG306",
        "no pods without a permit",
        lambda ns: webhook(ns, "permits.example.com", WEBHOOK.client),
        then=then_work,
    ),
]
