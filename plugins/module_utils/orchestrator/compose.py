# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Compose project of LLM-Orchestrator: API server, workers, PostgreSQL, Redis and NATS on one host.

Secrets are files that containers mount, never environment variables of a container, which everybody who may ask Docker
can read. The server's are sourced by the shell that starts it.
"""

from __future__ import annotations

import json
import shlex
import typing as t
import urllib.parse

from ..base.errors import OrchestratorError
from ..base.formats import floating

try:
    import yaml
except ImportError:  # pragma: no cover - Ansible itself needs it
    yaml = None  # type: ignore[assignment]

IMAGES = ("server", "postgres", "redis", "nats")
CONFIG = "/etc/llm-orchestrator/orchestrator.yaml"
# Ports of a server unless its configuration has others.
PORTS = {"http": 8080, "grpc": 50051, "metrics": 9090}
# Users of the images: Redis reads its configuration as its own user, what the others read is read by root.
REDIS_USER = "999"
_START = 'set -a && . /run/secrets/server_environment && exec "$$0" "$$@"'
# bash is in debian:bookworm-slim, which the guide's image is made from; curl and wget are not.
_READY = (
    r"exec 3<>/dev/tcp/127.0.0.1/{} && printf 'GET /ready HTTP/1.0\r\n\r\n' >&3 && read -r _ code _ <&3 && "
    '[ "$$code" = 200 ]'
)


def compose_text(settings: t.Mapping[str, t.Any]) -> str:
    """Return compose.yaml: the same settings are the same text. Raises OrchestratorError for an image that may change.

    settings: project, images by IMAGES, program, user, workers, address, ports (published), inside (those of
    the configuration), healthcheck, stop_grace_period.
    """
    for name in IMAGES:
        image = str(settings["images"].get(name) or "")
        moves = "is empty" if not image else floating(image)
        if moves:
            where = f"orchestrator_compose_images.{name}"
            raise OrchestratorError(f"{where}: {image} {moves}", "use a tag of one version, or a digest")
    return "# Written by llm_d.orchestrator; changes are overwritten.\n" + yaml.safe_dump(
        json.loads(json.dumps(_project(settings))), sort_keys=False, default_flow_style=False, width=4096
    )


def _project(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    inside = {**PORTS, **settings["inside"]}
    published = [
        f"{settings['address']}:{settings['ports'][name]}:{inside[name]}"
        for name in PORTS
        if settings["ports"].get(name)
    ]
    test = settings["healthcheck"] or ["CMD", "bash", "-c", _READY.format(inside["http"])]
    alive = {"healthcheck": _healthcheck(test), "restart": "unless-stopped"}
    api = {**_server(settings, "api", ["server", "--mode=api", f"--config={CONFIG}"]), "ports": published, **alive}
    worker = {
        **_server(settings, "worker", ["server", "--mode=worker", f"--config={CONFIG}"]),
        "scale": settings["workers"],
        **alive,
    }
    migrate = {**_server(settings, "api", ["db", "init"], migrated=False), "restart": "no"}
    services = {"migrate": migrate, "api": api, "worker": worker, **_stores(settings["images"])}
    return {
        "name": settings["project"],
        "services": services,
        # Stores have no way out, and none in but for the servers.
        "networks": {"stores": {"internal": True}, "outside": {}},
        "volumes": {"postgres_data": {}, "redis_data": {}, "nats_data": {}},
        "configs": {f"{mode}_config": {"file": f"./config/{mode}.yaml"} for mode in ("api", "worker")},
        "secrets": {name: {"file": f"./secrets/{name}"} for name in SECRETS},
    }


SECRETS = ("server_environment", "postgres_password", "redis_conf", "nats_conf")


def _server(
    settings: t.Mapping[str, t.Any], mode: str, command: list[str], *, migrated: bool = True
) -> dict[str, t.Any]:
    needs = {name: {"condition": "service_healthy"} for name in ("postgres", "redis", "nats")}
    return {
        "image": settings["images"]["server"],
        "user": settings["user"],
        "entrypoint": ["/bin/sh", "-c", _START, settings["program"]],
        "command": command,
        "configs": [{"source": f"{mode}_config", "target": CONFIG}],
        "secrets": ["server_environment"],
        "depends_on": {**needs, **({"migrate": {"condition": "service_completed_successfully"}} if migrated else {})},
        "networks": ["stores", "outside"],
        "read_only": True,
        "tmpfs": ["/tmp", "/var/lib/llm-orchestrator"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": settings["stop_grace_period"],
        **_LOGS,
    }


_LOGS: dict[str, t.Any] = {"logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}}


def _stores(images: t.Mapping[str, str]) -> dict[str, t.Any]:
    shared = {"networks": ["stores"], "restart": "unless-stopped", "security_opt": ["no-new-privileges:true"], **_LOGS}
    return {
        "postgres": {
            "image": images["postgres"],
            "environment": {
                "POSTGRES_DB": "orchestrator",
                "POSTGRES_USER": "orchestrator",
                "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
                "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --data-checksums",
            },
            "secrets": ["postgres_password"],
            "volumes": ["postgres_data:/var/lib/postgresql/data"],
            "healthcheck": _healthcheck(["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "orchestrator"]),
            "shm_size": "256m",
            **shared,
        },
        "redis": {
            "image": images["redis"],
            "command": ["redis-server", "/run/secrets/redis_conf"],
            "secrets": ["redis_conf"],
            "volumes": ["redis_data:/data"],
            # Without its password Redis answers NOAUTH, and is there.
            "healthcheck": _healthcheck(["CMD-SHELL", "redis-cli ping | grep -Eq 'PONG|NOAUTH'"]),
            **shared,
        },
        "nats": {
            "image": images["nats"],
            "command": ["-c", "/run/secrets/nats_conf"],
            "secrets": ["nats_conf"],
            "volumes": ["nats_data:/data"],
            "healthcheck": _healthcheck(["CMD", "wget", "-qO-", "http://127.0.0.1:8222/healthz?js-enabled-only=true"]),
            **shared,
        },
    }


def _healthcheck(test: list[str]) -> dict[str, t.Any]:
    return {"test": test, "interval": "5s", "timeout": "3s", "retries": 12, "start_period": "10s"}


def compose_environment(passwords: t.Mapping[str, str]) -> dict[str, str]:
    """Return where the project's own stores are; passwords: postgres, redis, nats."""
    quoted = {name: urllib.parse.quote(value, safe="") for name, value in passwords.items()}
    return {
        "DATABASE_URL": f"postgresql://orchestrator:{quoted['postgres']}@postgres:5432/orchestrator",
        "REDIS_URL": f"redis://:{quoted['redis']}@redis:6379/0",
        "NATS_URL": f"nats://orchestrator:{quoted['nats']}@nats:4222",
    }


def compose_secrets(
    environment: t.Mapping[str, str], passwords: t.Mapping[str, str], user: str
) -> list[dict[str, str]]:
    """Return the files of secrets by name, content and owner. environment, user: the servers'."""
    sourced = "".join(f"{name}={shlex.quote(str(environment[name]))}\n" for name in sorted(environment))
    redis = f"dir /data\nappendonly yes\nrequirepass {passwords['redis']}\n"
    nats = (
        'port: 4222\nhttp: "127.0.0.1:8222"\njetstream { store_dir: "/data" }\n'
        f'authorization {{ user: orchestrator, password: "{passwords["nats"]}" }}\n'
    )
    texts = (sourced, passwords["postgres"], redis, nats)
    owners = (user, "0", REDIS_USER, "0")
    return [
        {"name": name, "content": text, "owner": owner}
        for name, text, owner in zip(SECRETS, texts, owners, strict=True)
    ]
