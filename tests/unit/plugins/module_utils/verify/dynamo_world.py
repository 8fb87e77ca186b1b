# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A frontend with its workers and a router in front, for the tests of the probe: their objects, and HTTP servers.

Workers share an endpoint where they register in the same Dynamo namespace: the frontend takes those in turn.
"""

from __future__ import annotations

import http.server
import itertools
import json
import threading

NAMESPACE = "dynamo"
CLASSES = {
    "task_router": [
        "Brainstorming",
        "Chatbot",
        "Classification",
        "Closed QA",
        "Code Generation",
        "Extraction",
        "Open QA",
        "Other",
        "Rewrite",
        "Summarization",
        "Text Generation",
        "Unknown",
    ],
    "complexity_router": [
        "Creativity",
        "Reasoning",
        "Contextual-Knowledge",
        "Few-Shot",
        "Domain-Knowledge",
        "No-Label-Reason",
        "Constraint",
    ],
}


def pod(name, graph, kind, space="", *, ready=True, args=(), namespace=NAMESPACE):
    labels = {
        "nvidia.com/dynamo-graph-deployment-name": graph,
        "nvidia.com/dynamo-component-type": kind,
        "nvidia.com/selector": f"{graph}-{kind}",
    }
    port = {"name": "http", "containerPort": 8000} if kind == "frontend" else {"name": "system", "containerPort": 9090}
    env = [{"name": "DYN_NAMESPACE", "value": space}]
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "main", "args": list(args), "env": env, "ports": [port]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def service(name, port, target, selector, namespace=NAMESPACE):
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": port, "targetPort": target}], "selector": selector},
    }


class Cluster:
    """The objects of the world, as the probe reads them."""

    def __init__(self, *objects):
        self.objects, self.client = list(objects), None

    def get(self, _api, kind, name, namespace=None):
        found = [item for item in self._of(kind, namespace) if item["metadata"]["name"] == name]
        return found[0] if found else None

    def list(self, _api, kind, namespace=None, label_selector=None):
        found = self._of(kind, namespace)
        return [item for item in found if not label_selector or label_selector in item["metadata"].get("labels", {})]

    def _of(self, kind, namespace):
        if kind == "Namespace":
            return [{"metadata": {"name": item["metadata"]["namespace"]}} for item in self.objects]
        part = {"Pod": "containers", "Service": "ports"}[kind]
        return [item for item in self.objects if part in item["spec"] and item["metadata"]["namespace"] == namespace]


class Model:
    """A model with its workers. space: the Dynamo namespace in which they register, or those that prefill."""

    def __init__(self, name, *, space="", decode=1, prefill=0, prefill_space=""):
        self.name, self.id, self.space = name, f"org/{name}", space or f"dynamo-{name}"
        self.spaces = {"decode": self.space, "prefill": prefill_space or self.space}
        self.decode = [f"{name}-decode-{number}" for number in range(decode)]
        self.prefill = [f"{name}-prefill-{number}" for number in range(prefill)]

    def pods(self):
        prefill = ["--model", self.id, "--is-prefill-worker"]
        return [
            *(pod(name, self.name, "worker", self.space, args=["--model", self.id]) for name in self.decode),
            *(pod(name, self.name, "worker", self.spaces["prefill"], args=prefill) for name in self.prefill),
        ]

    def told(self):
        roles = {"decode": len(self.decode), **({"prefill": len(self.prefill)} if self.prefill else {})}
        mode = "disagg" if self.prefill else "agg"
        return {"name": self.name, "model": self.id, "graph": self.name, "mode": mode, "roles": roles}


class World:
    """HTTP servers on local ports: a frontend, its workers, a router's controller."""

    def __init__(self, *models, policies=None):
        self.models = models
        self.lock = threading.Lock()
        self.count = {name: 0 for model in models for name in [*model.decode, *model.prefill]}
        self.turns = {}
        self.lists = [model.id for model in models]
        self.lists_after = 0
        self.prefills = True
        self.chat_template = True
        self.metrics = True
        self.refuse = []
        self.policies = policies if policies is not None else policies_of(models)
        self.triton = "index"
        self.down = set()
        self.connections = {"frontend": 0, "router": 0}
        self.servers = {}
        for name in [*self.count, "frontend", "router"]:
            handler = type("Handler", (_Handler,), {"world": self, "pod": name})
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self.servers[name] = server

    def port(self, name):
        return self.servers[name].server_address[1]

    def close(self):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def objects(self):
        front = pod("frontend", "vllm-frontend", "frontend", "dynamo")
        front["metadata"]["labels"]["nvidia.com/selector"] = "vllm-frontend-frontend"
        router = pod("router", "none", "frontend", namespace="llm-router")
        router["metadata"]["labels"] = {"component": "router-controller"}
        return [
            service("vllm-frontend-frontend", 8000, "http", {"nvidia.com/selector": "vllm-frontend-frontend"}),
            service("llm-router-router-controller", 8084, 8084, {"component": "router-controller"}, "llm-router"),
            front,
            router,
            *(item for model in self.models for item in model.pods()),
        ]

    def frontend(self):
        """Return the frontend as a stack tells of it."""
        told = [model.told() for model in self.models]
        service_name = "vllm-frontend-frontend"
        return {
            "name": "vllm-frontend",
            "namespace": NAMESPACE,
            "service": service_name,
            "port": 8000,
            "version": "0.5.0",
            "models": told,
        }

    def router(self, policies=None):
        """Return the router as a stack tells of it."""
        return {
            "release": "llm-router",
            "namespace": "llm-router",
            "service": "llm-router-router-controller",
            "port": 8084,
            "policies": policies_of(self.models) if policies is None else policies,
        }

    # The frontend's part

    def complete(self, body):
        """Return status and JSON for a completion: any worker of the endpoint answers, under the name asked for."""
        with self.lock:
            if self.refuse:
                return self.refuse.pop(0)
            model = next((one for one in self.models if one.id == body["model"] and one.id in self.lists), None)
            if model is None:
                return 404, {"error": {"message": "Model not found"}}
            self._take(model, "decode")
            if model.prefill and self.prefills:
                self._take(model, "prefill")
            return 200, {"model": body["model"], "choices": [{"text": " Paris"}]}

    def _take(self, model, role):
        key = (model.id, role)
        if key not in self.turns:
            same = [one for one in self.models if one.spaces[role] == model.spaces[role]]
            self.turns[key] = itertools.cycle([name for one in same for name in getattr(one, role)])
        self.count[next(self.turns[key])] += 1

    def listed(self):
        with self.lock:
            self.lists_after -= 1
            return [] if self.lists_after >= 0 else self.lists

    # The router's part

    def route(self, body):
        """Return status, body and chosen class as the controller has them; None: the socket is closed."""
        given = body.get("nim-llm-router")
        if not isinstance(given, dict):
            return 400, "Missing required 'nim-llm-router' parameters", ""
        policy = next((one for one in self.policies if one["name"] == given["policy"]), None)
        if policy is None:
            return 404, {"error": f"Policy '{given['policy']}' not found"}, ""
        if given["routing_strategy"] == "manual":
            llm = next((one for one in policy["llms"] if one["name"] == given["model"]), None)
            if llm is None:
                return 404, f"Model not found: {given['model']}", ""
        elif self.triton == "down":
            return 503, "Triton server is unreachable", ""
        else:
            index = len(CLASSES[policy["name"]]) - 1 if self.triton == "index" else self.triton
            if index >= len(policy["llms"]):
                return None
            llm = policy["llms"][index]
        if llm["api_base"] in self.down:
            return None
        if llm["api_base"].endswith("/v1"):
            return 404, "", llm["name"]
        status, value = self.complete({**body, "model": llm["model"]})
        return status, value, llm["name"]


def policies_of(models, base="http://vllm-frontend-frontend.dynamo.svc.cluster.local:8000"):
    """Return both policies; the classes take the models in turn."""
    turn = itertools.cycle(models)
    return [
        {
            "name": policy,
            "url": f"http://llm-router-router-server.llm-router:8000/v2/models/{policy}_ensemble/infer",
            "llms": [{"name": name, "api_base": base, "model": next(turn).id} for name in names],
        }
        for policy, names in CLASSES.items()
    ]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World
    pod = ""

    def setup(self):
        super().setup()
        if self.pod in self.world.connections:
            self.world.connections[self.pod] += 1

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/metrics":
            labels = 'dynamo_component="backend",dynamo_endpoint="{}",dynamo_namespace="x"'
            count = self.world.count.get(self.pod, 0)
            text = "# TYPE dynamo_component_requests_total counter\n" + "".join(
                f"dynamo_component_requests_total{{{labels.format(name)}}} {number}\n"
                for name, number in (("generate", count), ("clear_kv_blocks", 7))
            )
            return self._send(200 if self.world.metrics else 404, text if self.world.metrics else "")
        if self.pod == "frontend" and self.path == "/v1/models":
            return self._send(200, {"object": "list", "data": [{"id": name} for name in self.world.listed()]})
        if self.pod == "router" and self.path == "/health":
            return self._send(200, {"status": "OK"})
        if self.pod == "router" and self.path == "/config":
            rows = [
                {**policy, "llms": [{"api_key": "[REDACTED]", **llm} for llm in policy["llms"]]}
                for policy in self.world.policies
            ]
            return self._send(200, {"policies": rows})
        return self._send(404, {"path": "Unavailable"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.pod == "router":
            found = self.world.route(body)
            if found is None:
                self.close_connection = True
                return None
            status, value, chosen = found
            return self._send(status, value, {"X-Chosen-Classifier": chosen} if chosen else {})
        if self.path == "/v1/chat/completions" and not self.world.chat_template:
            return self._send(400, {"error": "no chat template"})
        return self._send(*self.world.complete(body))

    def _send(self, status, value, headers=()):
        data = (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, text in dict(headers).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)
