# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A small stack for the tests of the probe: its objects as the API shows them, and HTTP servers that play it."""

from __future__ import annotations

import http.server
import json
import threading


def pod(name, labels, ready=True, port=8000, args=(), **status):
    return {
        "metadata": {"name": name, "namespace": "llm-d", "labels": labels},
        "spec": {"containers": [{"name": "vllm", "args": list(args), "ports": [{"containerPort": port}]}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            **status,
        },
    }


def model_labels(name, role="decode"):
    return {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": name, "llm-d.ai/role": role}


def conditions(**states):
    return [{"type": kind, "status": status, "reason": f"{kind}{status}"} for kind, status in states.items()]


def parent(**states):
    ref = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}
    return {"parentRef": ref, "conditions": conditions(**states)}


def pool(name, selector, port=8000):
    return {
        "metadata": {"name": name, "namespace": "llm-d"},
        "spec": {
            "selector": {"matchLabels": selector},
            "targetPorts": [{"number": port}],
            "endpointPickerRef": {"name": f"{name}-epp", "port": {"number": 9002}},
        },
        "status": {"parents": [parent(Accepted="True", ResolvedRefs="True")]},
    }


def service(name, ports, selector):
    return {"metadata": {"name": name, "namespace": "llm-d"}, "spec": {"ports": ports, "selector": selector}}


def route(name, pool_name, prefix):
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
        "backendRefs": [{"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": pool_name}],
    }
    return {
        "metadata": {"name": name, "namespace": "llm-d"},
        "spec": {"parentRefs": [{"name": "gw"}], "rules": [rule]},
        "status": {"parents": [parent(Accepted="True", ResolvedRefs="True")]},
    }


def gateway(name="gw"):
    return {
        "metadata": {"name": name, "namespace": "llm-d"},
        "spec": {"gatewayClassName": "istio", "listeners": [{"name": "default", "port": 80, "protocol": "HTTP"}]},
        "status": {"conditions": conditions(Accepted="True", Programmed="True")},
    }


def snapshot(*names, prefill=0):
    """Return the objects of a stack with one pod, pool and route for each model."""
    stack = {"pods": [], "services": [], "workloads": [], "gateways": [gateway()], "routes": [], "pools": []}
    for name in names:
        selector = {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": name}
        stack["pods"].append(pod(f"ms-{name}-0", model_labels(name)))
        stack["pods"] += [pod(f"ms-{name}-p{i}", model_labels(name, "prefill")) for i in range(prefill)]
        stack["pods"].append(pod(f"gaie-{name}-epp-0", {"inferencepool": f"gaie-{name}-epp"}, port=9002))
        stack["services"].append(
            service(f"gaie-{name}-epp", [{"port": 9002}], {"inferencepool": f"gaie-{name}-epp"}),
        )
        stack["pools"].append(pool(f"gaie-{name}", selector))
        stack["routes"].append(route(f"llm-d-{name}", f"gaie-{name}", f"/{name}"))
    stack["services"].append(service("gw-istio", [{"port": 80, "targetPort": "http"}], {"app": "gw"}))
    gateway_pod = pod("gw-istio-0", {"app": "gw"})
    gateway_pod["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    stack["pods"].append(gateway_pod)
    stack["gateway_pods"] = stack["pods"]
    return stack


def spec(name, **more):
    return {"name": name, "model": f"org/{name}", "labels": {"llm-d.ai/model": name}, "pool": f"gaie-{name}", **more}


class World:
    """Model servers and a gateway on local ports. routes: path prefix -> pod names that take its requests in turn."""

    def __init__(self, served, routes):
        self.served, self.routes = served, routes
        self.count = dict.fromkeys(served, 0)
        self.prefill = {}
        self.pickers = {f"gaie-{prefix.strip('/')}-epp-0": 0 for prefix in routes}
        self.asked = {prefix: f"gaie-{prefix.strip('/')}-epp-0" for prefix in routes}
        self.token = None
        self.deaf = set()
        self.prefill_after = 0
        self.refuse = []
        self.metrics = True
        self.lenient = False
        self.lock = threading.Lock()
        self.servers = {}
        for pod_name in [*served, *self.pickers, "gateway"]:
            handler = type("Handler", (_Handler,), {"world": self, "pod": pod_name})
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self.servers[pod_name] = server

    def port(self, pod_name):
        return self.servers[pod_name].server_address[1]

    def close(self):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def answer(self, path, body):
        """Return status and JSON (or text) for a request at the gateway."""
        with self.lock:
            if self.refuse:
                return self.refuse.pop(0)
            prefix = next((key for key in self.routes if path.startswith(key + "/v1/")), None)
            if prefix is None:
                return 404, ""
            pod_name = self.routes[prefix][0]
            self.routes[prefix] = [*self.routes[prefix][1:], pod_name]
            names = self.served[pod_name]
            if path.endswith("/v1/models"):
                return 200, {"data": [{"id": name} for name in names]}
            if body["model"] not in names and not self.lenient:
                return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
            self.count[pod_name] += 1
            if self.asked.get(prefix):
                self.pickers[self.asked[prefix]] += 1
            for helper in self.prefill.get(pod_name, []) if self.count[pod_name] > self.prefill_after else []:
                self.count[helper] += 1
            return 200, {"model": body["model"], "choices": [{"text": " Paris"}]}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World
    pod = ""

    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/metrics" and self.pod in self.world.pickers:
            if self.world.token and self.headers.get("Authorization") != f"Bearer {self.world.token}":
                return self._send(401, "Unauthorized")
            count = self.world.pickers[self.pod]
            asked = f'inference_objective_request_total{{model_name="m"}} {count}\n' if count else ""
            return self._send(200, "# TYPE inference_pool_ready_pods gauge\ninference_pool_ready_pods{} 1\n" + asked)
        if self.path == "/metrics":
            count = self.world.count.get(self.pod, 0)
            text = f'# HELP x\nvllm:request_success_total{{finished_reason="stop"}} {count}.0\n'
            return self._send(200 if self.world.metrics else 404, text if self.world.metrics else "")
        return self._send(*self.world.answer(self.path, {}))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, value = self.world.answer(self.path, body)
        if status == 200 and body.get("stream"):
            chunk = json.dumps({**value, "choices": [{"text": " Pa"}]})
            value = f"data: {chunk}\n\ndata: [DONE]\n\n"
        self._send(status, value)

    def _send(self, status, value):
        data = (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
