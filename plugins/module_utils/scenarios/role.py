# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A role of a model server (decode, prefill) from a scenario, in llm-d-modelservice's values.

Facts about the chart: llm-d-modelservice v0.4.5, values.yaml and templates/_helpers.tpl.
"""

from __future__ import annotations

import re
import typing as t

from .command import MODEL_FOLDER, Start
from .known import ACCELERATORS, COMMON, ENVIRONMENT, ROLES, SERVER
from .scenario import Scenario

Values = dict[str, t.Any]
# What the benchmark puts on a cluster for itself, which nothing here makes.
OWN_CONFIG_MAP = "llm-d-benchmark-preprocesses"
_SHELL_NAME = re.compile(r"\$\{?([A-Za-z_]\w*)")


class Role:
    """Makes the values of one role. proxy: whether a sidecar stands before the server."""

    def __init__(self, scenario: Scenario, role: str, proxy: bool) -> None:
        self.scenario, self.role, self.proxy = scenario, role, proxy and role == "decode"
        self._left_out: set[str] = set()

    def text(self, name: str, key: str) -> str:
        return self.scenario.role(self.role, name, f"{self.role}.{key}")

    def number(self, name: str, key: str) -> int | None:
        """Return a whole number, None with a note where it is none."""
        text = self.text(name, key)
        if re.fullmatch(r"\d{1,9}", text):
            return int(text)
        if text and text != "auto":
            self.scenario.change(
                self.scenario.source(self.role, name), f"{self.role}.{key}", f"{text[:40]!r} is not a number"
            )
        return None

    def yaml(self, name: str, key: str, kind: type) -> t.Any:
        """Return a setting's YAML, empty where there is none."""
        return self.scenario.yaml(self.text(name, key), self.scenario.source(self.role, name), kind)

    def values(self) -> Values:
        """Return the role's values; {create: false} where it has no replicas."""
        replicas = self.number("REPLICAS", "replicas")
        if replicas == 0 or (replicas is None and self.role == "prefill"):
            return {"create": False}
        values: Values = {"create": True, "replicas": 1 if replicas is None else replicas}
        values["parallelism"] = self._parallelism()
        values.update(self._scheduling())
        volumes = self._volumes()
        containers = self.yaml("INIT_CONTAINER_CONFIG", "initContainers", list) + self._moved(values)
        if containers:
            values["initContainers"] = containers
        if volumes:
            values["volumes"] = volumes
        values["containers"] = [self._container()]
        values.update(self._monitoring(values["containers"][0]))
        return {key: value for key, value in values.items() if value not in ({}, [])}

    def _moved(self, values: Values) -> list[Values]:
        """Return init containers that stand among a pod's other settings, where the chart would write them twice."""
        extra, moved = values.get("extraConfig", {}), []
        for key in ("initContainers", "volumes", "containers", "serviceAccountName"):
            if key not in extra:
                continue
            found = extra.pop(key)
            moved += found if key == "initContainers" and isinstance(found, list) else []
            if not moved or key != "initContainers":
                name = self.scenario.source(self.role, "EXTRA_POD_CONFIG")
                self.scenario.change(name, f"{self.role}.extraConfig.{key}", "the chart writes it itself: skipped")
        return moved

    def devices(self) -> int:
        """Return how many accelerators a pod asks for."""
        number = self.number("ACCELERATOR_NR", "containers[].resources")
        if number is not None:
            return number
        tensor = self.number("TENSOR_PARALLELISM", "parallelism.tensor")
        local = self.number("DATA_LOCAL_PARALLELISM", "parallelism.dataLocal")
        return (1 if tensor is None else tensor) * (1 if local is None else local)

    def accelerator(self) -> tuple[str, str]:
        """Return the chart's type of accelerator and the resource's name; "cpu" and "" where there is none."""
        resource = self.text("ACCELERATOR_RESOURCE", "containers[].resources")
        named = self.scenario.get(COMMON + "ACCELERATOR_NAME", "accelerator.type")
        if self.scenario.get(COMMON + "AFFINITY").startswith("kubernetes.io/os") or not self.devices():
            return "cpu", ""
        for name in (named, resource):
            if name in ACCELERATORS.values():
                return name, next(key for key, kind in ACCELERATORS.items() if kind == name)
        if resource in ("auto", ""):
            return "nvidia", "nvidia.com/gpu"
        return ACCELERATORS.get(resource, "cpu"), resource

    def _parallelism(self) -> Values:
        names = {"tensor": "TENSOR_PARALLELISM", "data": "DATA_PARALLELISM"}
        names |= {"dataLocal": "DATA_LOCAL_PARALLELISM", "workers": "NUM_WORKERS_PARALLELISM"}
        numbers = {key: self.number(name, f"parallelism.{key}") or 0 for key, name in names.items()}
        found = {key: number for key, number in numbers.items() if number > 1 or (number and key == "tensor")}
        if found.get("data", 0) and found["data"] < found.get("dataLocal", 0):
            # The chart takes both as they are, and would start fewer ranks than it gives accelerators to.
            del found["data"]
        return found

    def _scheduling(self) -> Values:
        scenario, values = self.scenario, t.cast(Values, {})
        affinity = scenario.get(COMMON + "AFFINITY", f"{self.role}.acceleratorTypes").split("#")[0].replace(" ", "")
        parts = affinity.split(":")
        if len(parts) in (2, 3) and parts[-1] and parts[-2] != "kubernetes.io/os":
            values["acceleratorTypes"] = {"labelKey": parts[-2], "labelValues": [parts[-1]]}
        elif len(parts) == 1 and affinity not in ("auto", "", "none"):
            scenario.change(
                COMMON + "AFFINITY", f"{self.role}.acceleratorTypes", (f"{affinity!r} is not in the form label:value")
            )
        annotations = self._annotations(self.text("PODANNOTATIONS", "podAnnotations"))
        if annotations:
            values["podAnnotations"] = annotations
        common = self._annotations(scenario.get(COMMON + "ANNOTATIONS", f"{self.role}.annotations"))
        if common:
            values["annotations"] = common
        extra = self._pod()
        if "affinity" in extra and "acceleratorTypes" in values:
            scenario.change(COMMON + "AFFINITY", f"{self.role}.acceleratorTypes", "the pod's own affinity is used")
            del values["acceleratorTypes"]
        scheduler = scenario.get(COMMON + "POD_SCHEDULER", "schedulerName")
        if scheduler not in ("", "default-scheduler"):
            values["schedulerName"] = scheduler
        return {**values, **({"extraConfig": extra} if extra else {})}

    def _pod(self) -> Values:
        extra = self.yaml("EXTRA_POD_CONFIG", "extraConfig", dict)
        priority = self.scenario.get(COMMON + "PRIORITY_CLASS_NAME", f"{self.role}.extraConfig.priorityClassName")
        if priority and priority.lower() != "none":
            extra["priorityClassName"] = priority
        secret = self.scenario.get(COMMON + "PULL_SECRET", f"{self.role}.extraConfig.imagePullSecrets")
        if secret:
            extra["imagePullSecrets"] = [{"name": secret}]
        return extra

    def _annotations(self, text: str) -> dict[str, str]:
        name = self.scenario.source(self.role, "PODANNOTATIONS")
        content = self.scenario.content(text, name).strip()
        if content in ("", "auto"):
            return {}
        if "\n" in content:
            return {key: str(value) for key, value in self.scenario.yaml(text, name, dict).items()}
        pairs = (entry.partition(":") for entry in content.split(",") if ":" in entry)
        return {key.strip(): value.strip() for key, colon, value in pairs}

    def _volumes(self) -> list[Values]:
        kept = []
        own = {OWN_CONFIG_MAP, self.scenario.get(COMMON + "CONTEXT_SECRET_NAME") or "llmdbench-context"}
        for volume in self.yaml("EXTRA_VOLUMES", "volumes", list):
            volume = volume if isinstance(volume, dict) else {}
            source = (volume.get("configMap") or {}).get("name") or (volume.get("secret") or {}).get("secretName")
            if source in own:
                self._left_out.add(str(volume.get("name")))
                name = self.scenario.source(self.role, "EXTRA_VOLUMES")
                self.scenario.change(name, f"{self.role}.volumes", f"{source} is the benchmark's own: skipped")
            elif volume:
                kept.append(volume)
                self._claim((volume.get("persistentVolumeClaim") or {}).get("claimName"))
        return kept

    def _claim(self, claim: t.Any) -> None:
        """Note a claim that a volume needs and nothing makes."""
        if claim and claim != self.scenario.get(COMMON + "PVC_NAME"):
            name = self.scenario.source(self.role, "EXTRA_VOLUMES")
            self.scenario.change(
                name, f"{self.role}.volumes", f"the claim {claim} must exist; prepare creates only the one for models"
            )

    def _container(self) -> Values:
        scenario, at = self.scenario, f"{self.role}.containers[]"
        image = scenario.get(ROLES[self.role] + "IMAGE", f"{at}.image") or scenario.image("LLMD_IMAGE", f"{at}.image")
        container: Values = {"name": "vllm", "image": image, **Start(scenario, self.role, self.proxy).values()}
        container["mountModelVolume"] = (
            scenario.get(SERVER + "MOUNT_MODEL_VOLUME_OVERRIDE", at + ".mountModelVolume") != "false"
        )
        env = self._environment(str(container.get("args", "")))
        mounts = self.yaml("EXTRA_VOLUME_MOUNTS", "containers[].volumeMounts", list)
        mounts = [mount for mount in mounts if isinstance(mount, dict) and mount.get("name") not in self._left_out]
        extra = {**self._probes(), **self.yaml("EXTRA_CONTAINER_CONFIG", "containers[].extraConfig", dict)}
        security = extra.get("securityContext")
        if isinstance(security, dict):
            self._pod_security(security)
        more = {"env": env, "resources": self._resources(), "ports": extra.pop("ports", []), "volumeMounts": mounts}
        return {**container, **{key: value for key, value in more.items() if value}, "extraConfig": extra}

    def _pod_security(self, security: Values) -> None:
        """Take out what only a pod's securityContext may hold: the API server refuses it in a container's."""
        for key in ("fsGroup", "supplementalGroups", "sysctls", "fsGroupChangePolicy"):
            if security.pop(key, None) is not None:
                name = self.scenario.source(self.role, "EXTRA_CONTAINER_CONFIG")
                where = f"{self.role}.containers[].extraConfig.securityContext.{key}"
                self.scenario.change(name, where, "this is a setting of pods, not of containers: skipped")

    def _environment(self, command: str) -> list[Values]:
        text = self.text("ENVVARS_TO_YAML", "containers[].env")
        found = (
            self._named(text)
            if re.fullmatch(r"[A-Za-z0-9_, ]+", text)
            else self.yaml("ENVVARS_TO_YAML", "containers[].env", list)
        )
        env = [
            self._entry(item)
            for item in found
            if isinstance(item, dict) and item.get("name") not in ("KUBECONFIG", None)
        ]
        names = {item["name"] for item in env}
        asked = set(_SHELL_NAME.findall(command))
        wanted = {name: variable for variable, name in ENVIRONMENT.items()}
        for name in sorted(wanted):
            if name not in names and (name in asked or self.scenario.given(wanted[name])):
                variable = wanted[name]
                value = self.text("ACCELERATOR_MEM_UTIL", "containers[].env") if "MEM_UTIL" in name else ""
                env.append(
                    {"name": name, "value": value or self.scenario.get(variable, f"{self.role}.containers[].env")}
                )
                names.add(name)
        return env + self._addresses(names, asked, command)

    def _addresses(self, names: set[str], asked: set[str], command: str) -> list[Values]:
        wanted = {"POD_IP": "POD_IP" in asked or "$(POD_IP)" in command}
        wanted["VLLM_NIXL_SIDE_CHANNEL_HOST"] = "Nixl" in command or "VLLM_NIXL_SIDE_CHANNEL_HOST" in asked
        source = {"fieldRef": {"fieldPath": "status.podIP"}}
        found = [
            {"name": name, "valueFrom": source} for name, is_wanted in wanted.items() if is_wanted and name not in names
        ]
        port = "VLLM_NIXL_SIDE_CHANNEL_PORT"
        if wanted["VLLM_NIXL_SIDE_CHANNEL_HOST"] and port not in names:
            value = self.scenario.get(COMMON + "NIXL_SIDE_CHANNEL_PORT", f"{self.role}.containers[].env")
            found.append({"name": port, "value": value})
        return found

    def _named(self, text: str) -> list[Values]:
        """Return the environment that a list of variables' names asks for."""
        found = []
        for full in filter(None, (name.strip().lstrip("_") for name in text.split(","))):
            short = full.removeprefix("LLMDBENCH_")
            for prefix in (*ROLES.values(), "VLLM_STANDALONE_", COMMON):
                name = short.removeprefix(prefix)
                if name != short:
                    break
            value = self.scenario.render(self.scenario.get(short, f"{self.role}.containers[].env"))
            if full != "KUBECONFIG" and value:
                found.append({"name": name, "value": value})
        return found

    def _entry(self, item: Values) -> Values:
        if "valueFrom" in item:
            return item
        value = item.get("value")
        text = str(value).lower() if isinstance(value, bool) else str("" if value is None else value)
        return {
            "name": str(item["name"]),
            "value": text.replace(
                MODEL_FOLDER + self.scenario.current["DEPLOY_CURRENT_MODEL"],
                self.scenario.current["DEPLOY_CURRENT_MODEL"],
            ),
        }

    def _resources(self) -> Values:
        asked = {
            "memory": self.text("CPU_MEM", "containers[].resources"),
            "cpu": self.text("CPU_NR", "containers[].resources"),
        }
        storage = self.text("EPHEMERAL_STORAGE", "containers[].resources")
        asked[self.scenario.get(COMMON + "EPHEMERAL_STORAGE_RESOURCE") or "ephemeral-storage"] = storage
        kind, resource = self.accelerator()
        number = self.number("ACCELERATOR_NR", "containers[].resources")
        # The chart works the number out from the parallelism; one that is given, or of another kind, is written.
        if resource and (number is not None or kind == "cpu") and not self._claims():
            asked[resource] = str(self.devices())
        network = self.text("NETWORK_RESOURCE", "containers[].resources")
        if network == "auto":
            name = self.scenario.source(self.role, "NETWORK_RESOURCE")
            self.scenario.change(
                name,
                f"{self.role}.containers[].resources",
                "the network's resource is known only on the cluster: set it",
            )
        elif network:
            asked[network] = self.text("NETWORK_NR", "containers[].resources") or "1"
        kept = {key: value for key, value in asked.items() if value}
        return {"limits": kept, "requests": dict(kept)} if kept else {}

    def _claims(self) -> bool:
        return self.scenario.get(COMMON + "ACCELERATOR_USE_DRA", "accelerator.dra").lower() == "true"

    def _probes(self) -> Values:
        # Behind a sidecar the server itself is asked, not the sidecar's port.
        metrics = self.scenario.get(COMMON + "METRICS_PORT", f"{self.role}.containers[].extraConfig")
        port = (
            int(metrics)
            if self.proxy and metrics.isdigit()
            else self.number("INFERENCE_PORT", "containers[].extraConfig") or 8000
        )
        wait = {"startup": ("STARTUP_PROBE_PATH", "startupProbe"), "ready": ("READINESS_PROBE_PATH", "readinessProbe")}
        paths = {key: self.text(name, f"containers[].extraConfig.{probe}") for key, (name, probe) in wait.items()}
        startup = {
            "httpGet": {"path": paths["startup"], "port": port},
            "failureThreshold": self.number("STARTUP_PROBE_FAILURE_THRESHOLD", "containers[].extraConfig.startupProbe")
            or 60,
            "initialDelaySeconds": self.number("STARTUP_PROBE_INITIAL_DELAY", "containers[].extraConfig.startupProbe")
            or 0,
            "periodSeconds": 30,
            "timeoutSeconds": 5,
        }
        ready = {"httpGet": {"path": paths["ready"], "port": port}, "failureThreshold": 3, "periodSeconds": 5}
        alive = {"tcpSocket": {"port": port}, "failureThreshold": 3, "periodSeconds": 5}
        return {"startupProbe": startup, "livenessProbe": alive, "readinessProbe": ready}

    def _monitoring(self, container: Values) -> Values:
        if (
            self.scenario.get(
                "VLLM_MONITORING_PODMONITOR_ENABLED", f"{self.role}.monitoring.podmonitor.enabled"
            ).lower()
            != "true"
        ):
            return {}
        monitor: Values = {"enabled": True, "portName": "metrics"}
        for key, name in {"interval": "SCRAPE_INTERVAL", "path": "METRICS_PATH"}.items():
            text = self.scenario.get(f"VLLM_MONITORING_{name}", f"{self.role}.monitoring.podmonitor.{key}")
            monitor.update({key: text} if text else {})
        ports = container.setdefault("ports", [])
        if not any(isinstance(port, dict) and port.get("name") == "metrics" for port in ports):
            number = self.scenario.get(COMMON + ("METRICS_PORT" if self.proxy else "INFERENCE_PORT"))
            ports.append({"name": "metrics", "containerPort": int(number) if number.isdigit() else 8000})
        return {"monitoring": {"podmonitor": monitor}}
