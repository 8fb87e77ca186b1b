# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Model servers as their containers start them: the command line, the ports they listen on, the names they serve.

What a command line does not say for certain (shell arithmetic, an unknown variable) is None, never a guess.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t

from ..base.data import Object, dicts, mapping, number

SHELLS = ("sh", "bash", "dash", "ash", "zsh")
# Ports where no --port is given: vllm/entrypoints/openai/cli_args.py, sglang/srt/server_args.py, llm-d-inference-sim,
# tensorrt_llm/commands/serve.py.
DEFAULT_PORTS = {"vllm": 8000, "simulator": 8000, "sglang": 30000, "trtllm": 8000}
# llm-d-inference-scheduler, cmd/pd-sidecar: --port and --vllm-port.
SIDECAR_PORTS = {"port": 8000, "vllm-port": 8001}
_SERVERS = re.compile(r"vllm|sglang|trtllm|tensorrt-llm|inference-sim|llm-d")
# More ranks in a pod than that are a mistake in the number.
MOST_RANKS = 1024
_ACCELERATORS = re.compile(
    r"(nvidia\.com/(gpu|mig-.*)|amd\.com/gpu|gpu\.intel\.com/.*|habana\.ai/gaudi|google\.com/tpu)\Z"
)


def environment(container: Object, namespace: str) -> dict[str, str]:
    """Return the variables whose value is known before the pod runs; references to fields only for the namespace."""
    known: dict[str, str] = {}
    for item in dicts(container.get("env")):
        name, source = str(item.get("name")), item.get("valueFrom")
        path = mapping(mapping(source).get("fieldRef")).get("fieldPath")
        if path == "metadata.namespace":
            known[name] = namespace
        elif source is None:
            known[name] = _kubelet(str(item.get("value") or ""), known)
    return known


def _kubelet(text: str, env: dict[str, str]) -> str:
    return re.sub(r"\$\(([A-Za-z_][\w.-]*)\)", lambda found: env.get(found[1], found[0]), text)


def _shell(text: str, env: dict[str, str]) -> str:
    """Replace $NAME, ${NAME} and ${NAME:-default}; a name that is not known stays, so that no number comes of it."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return env.get(name) or found[2] or (found[0] if name not in env else "")

    text = re.sub(r"\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)", value, text)
    return re.sub(r"\$\(\(([^()$]*)\)\)", lambda found: _product(found[1], env) or found[0], text)


def _product(text: str, env: dict[str, str]) -> str:
    """Return what $((A * 2 / B)) comes to, '' where a name is not known, or where it is no product or quotient."""
    words = [env.get(word, word) for word in text.replace("*", " * ").replace("/", " / ").split()]
    numbers, operators = [number(word) for word in words[::2]], words[1::2]
    if not words or len(words) % 2 == 0 or None in numbers or not set(operators) <= {"*", "/"}:
        return ""
    result = numbers[0] or 0
    for operator, value in zip(operators, numbers[1:], strict=True):
        if operator == "/" and not value:
            return ""
        result = result * (value or 0) if operator == "*" else result // (value or 1)
    return str(result)


def words(
    container: Object,
    namespace: str = "",
    known: dict[str, str] | None = None,
    program: t.Callable[[list[str]], str | None] | None = None,
) -> list[str]:
    """Return command and arguments as one list; a shell script is opened at the server that it starts.

    known: variables that a controller gives the container besides; program: tells such a server's command line.
    """
    env = {**(known or {}), **environment(container, namespace)}
    line: list[str] = []
    for key in ("command", "args"):
        given = container.get(key)
        line += [_kubelet(str(word), env) for word in (given if isinstance(given, list) else [])]
    if line and line[0].rpartition("/")[2] in SHELLS:
        script = next((word for word in line[1:] if not word.startswith("-")), "")
        return _server_line(script, env, program or _program) or line
    return line


def _server_line(script: str, env: dict[str, str], program: t.Callable[[list[str]], str | None]) -> list[str]:
    text, pending = _shell(re.sub(r"\\\r?\n", " ", script), env), ""
    for piece in re.split(r"(\n|;|&&|\|\|)", text):
        pending += piece
        try:
            found = shlex.split(pending, comments=True)
        except ValueError:
            continue  # inside quotes: the text goes on in the next piece
        pending = ""
        start = next((at for at in range(len(found)) if program(found[at:])), None)
        if start is not None:
            return found[start:]
    return []


def _program(line: list[str]) -> str | None:
    """Return which server a command line starts with, None for any other program."""
    name = line[0].rpartition("/")[2] if line else ""
    if (name == "vllm" and line[1:2] == ["serve"]) or "vllm.entrypoints.openai.api_server" in line[:3]:
        return "vllm"
    if name == "llm-d-inference-sim":
        return "simulator"
    if name == "trtllm-serve":
        return "trtllm"
    return "sglang" if "sglang.launch_server" in line[:3] else None


def flags(line: list[str], *names: str) -> list[str]:
    """Return the values of the last use of a flag (names without dashes; _ and - are the same), [] where unused."""
    wanted = {name.replace("_", "-") for name in names}
    found: list[str] = []
    for at, word in enumerate(line):
        name, equals, value = word.partition("=")
        if not name.startswith("-") or name.lstrip("-").replace("_", "-") not in wanted:
            continue
        rest = line[at + 1 :]
        end = next((i for i, other in enumerate(rest) if other.startswith("-") and len(other) > 1), len(rest))
        found = [value] if equals else rest[:end]
    return found


def flags_given(line: list[str], *names: str) -> bool:
    """Return whether a flag is used, with a value or without."""
    wanted = {name.replace("_", "-") for name in names}
    return any(w.startswith("-") and w.partition("=")[0].lstrip("-").replace("_", "-") in wanted for w in line)


def flag(line: list[str], *names: str) -> str | None:
    """Return a flag's first value, None where it is not used or has none."""
    return next(iter(flags(line, *names)), None)


@dataclasses.dataclass(frozen=True)
class Server:
    """A container that serves a model, or the sidecar before it.

    ports: what it listens on, None where unknown; names: the models it serves, empty where unknown;
    forward: the port that a sidecar passes requests on to; devices: accelerators asked for; line: its command line;
    aside: a port that answers probes, and no requests.
    """

    container: Object
    program: str
    line: list[str]
    ports: tuple[int, ...] | None
    index: int
    key: str = "containers"
    names: tuple[str, ...] = ()
    forward: int | None = None
    devices: int = 0
    aside: int | None = None

    @property
    def own_port(self) -> bool:
        """Whether the port is the user's: llm-d-modelservice writes --port once, from routing.servicePort."""
        command = self.container.get("command")
        scripted = isinstance(command, list) and [str(word) for word in command[:2]] != ["vllm", "serve"]
        once = sum(word.partition("=")[0] == "--port" for word in self.line) == 1
        return self.key == "containers" and (scripted or not self.program or not once)


def servers(spec: Object, namespace: str = "", group: int = 0) -> tuple[list[Server], list[Server]]:
    """Return a pod's model servers and its routing sidecars. A pod without either returns two empty lists.

    group: pods of a LeaderWorkerSet's group, whose leader is looked at; 0 where it is of none.
    """
    known = {"LWS_GROUP_SIZE": str(group), "LWS_WORKER_INDEX": "0"} if group else {}
    models, sidecars = [], []
    for key in ("initContainers", "containers"):
        for index, container in enumerate(dicts(spec.get(key))):
            line = words(container, namespace, known)
            if "routing-proxy" in str(container.get("name")) or flag(line, "vllm-port"):
                sidecars.append(_sidecar(container, line, index, key))
            elif key == "containers":
                server = _server(container, line, index)
                models += [server] if server else []
    return models, sidecars


def _sidecar(container: Object, line: list[str], index: int, key: str) -> Server:
    port = number(flag(line, "port") or SIDECAR_PORTS["port"])
    # One for each rank: llm-d-router, pkg/sidecar/proxy.
    ranks = min(max(1, number(flag(line, "data-parallel-size") or 1) or 1), MOST_RANKS)
    forward = number(flag(line, "vllm-port") or SIDECAR_PORTS["vllm-port"])
    return Server(
        container, "sidecar", line, None if port is None else tuple(range(port, port + ranks)), index, key, (), forward
    )


def _server(container: Object, line: list[str], index: int) -> Server | None:
    image = str(container.get("image"))
    program = _program(line)
    if program is None and "command" not in container:
        # The image's own entry point takes the arguments.
        program = "simulator" if "inference-sim" in image else "vllm" if re.search(r"vllm|llm-d-\w+:", image) else None
    if program is None and not re.search(
        r"vllm|sglang|trtllm|tensorrt-llm|inference-sim|llm-d", f"{image} {container.get('name')}"
    ):
        return None
    ports = _ports(container, line, program)
    names = tuple(flags(line, "served-model-name")) or _model_names(line, program)
    # vllm/entrypoints/cli: what starts ranks says on a port of its own whether all of them serve.
    aside = number(flag(line, "data-parallel-supervisor-port")) if program == "vllm" else None
    more: t.Any = {"names": names, "devices": _devices(container), "aside": aside}
    return Server(container, program or "", line, ports, index, **more)


def _ports(container: Object, line: list[str], program: str | None) -> tuple[int, ...] | None:
    declared = tuple(p for item in dicts(container.get("ports")) if (p := number(item.get("containerPort"))))
    if program is None:
        return declared or None
    given = flag(line, "port")
    first = DEFAULT_PORTS[program] if given is None else number(given)
    local = min(number(flag(line, "data-parallel-size-local") or 1) or 1, MOST_RANKS)
    # Ranks that listen on their own count up from the first port.
    return None if first is None else tuple(range(first, first + local))


def _model_names(line: list[str], program: str | None) -> tuple[str, ...]:
    """Return the name served without --served-model-name: the model as given."""
    given = flag(line, "model", "model-path")
    if given is None and program == "vllm" and line[1:2] == ["serve"]:
        given = next((word for word in line[2:3] if not word.startswith("-")), None)
    if given is None and program == "trtllm":
        behind = line[2:3] if line[1:2] == ["serve"] else line[1:2]
        given = next((word for word in behind if not word.startswith("-")), None)
    return (given,) if given else ()


def is_accelerator(name: str) -> bool:
    """Return whether an extended resource is that of a known kind of accelerator."""
    return bool(_ACCELERATORS.match(name))


def _devices(container: Object) -> int:
    resources = mapping(container.get("resources"))
    asked = {**mapping(resources.get("requests")), **mapping(resources.get("limits"))}
    return sum(number(value) or 0 for name, value in asked.items() if is_accelerator(str(name)))
