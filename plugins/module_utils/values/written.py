# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files of an inventory that an importer writes: YAML text, what is its own to write again, and what differs."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import typing as t

from ..base.errors import OrchestratorError
from ..base.files import write_atomic
from .yaml11 import scalar

try:
    import yaml
except ImportError:  # pragma: no cover - the module reports it
    yaml = None  # type: ignore[assignment]


_MARK = re.compile(r"# Written by llm_d\.orchestrator\.\w+ from (?P<name>[^\n]*), sha256:(?P<digest>\w+)\n")
_JINJA = re.compile(r"\{\{|\{%|\{#")


@dataclasses.dataclass
class Evaluated:
    """A text that Ansible is to evaluate; all others are data."""

    text: str


# The Hugging Face token, which is never written.
TOKEN = Evaluated("{{ lookup('ansible.builtin.env', 'HF_TOKEN') }}")
# What the modules and Ansible need of a host that stands for a cluster; a site adds its kubeconfig.
HOST_VARIABLES = {
    "ansible_connection": "local",
    "ansible_python_interpreter": Evaluated("{{ ansible_playbook_python }}"),
}
_HOST = re.compile(r"[A-Za-z0-9][\w.-]{0,252}\Z", re.ASCII)
HOSTS_NOTE = "A host is a cluster. Set llm_d_kubeconfig and llm_d_context; otherwise kubectl's rules apply."


class File(t.NamedTuple):
    """A file to write: what it holds, and the text before, "" where there is none."""

    path: str
    summary: str
    text: str
    before: str

    @property
    def changed(self) -> bool:
        return self.text != self.before


def check_host(host: str) -> None:
    """Raise OrchestratorError where a name is none of an inventory's host."""
    if not _HOST.match(host):
        raise OrchestratorError(f"{host!r} is not a valid host name", hint="Set host.")


def unlisted(inventory: str, host: str) -> list[str]:
    """Return a note where hosts.yml is there and does not name the host."""
    path = os.path.join(inventory, "hosts.yml")
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            named = re.search(rf"^\s*['\"]?{re.escape(host)}['\"]?\s*:", stream.read(), re.MULTILINE)
    except FileNotFoundError:
        return []
    return [] if named else [f"{path}: not changed; add the host {host} to it"]


def host_files(
    variables: dict[str, t.Any], host: str, inventory: str, source: tuple[str, str], force: bool, refused: list[str]
) -> list[File]:
    """Return an inventory's files of a host: hosts.yml where there is none, and its variables.

    source: the module that writes them, and what they are made from.
    """
    files = []
    module, name = source
    hosts = os.path.join(inventory, "hosts.yml")
    if not os.path.exists(hosts):
        content = {"all": {"vars": HOST_VARIABLES, "hosts": {host: {}}}}
        text = render(content, name, ansible=True, notes=[HOSTS_NOTE], module=module)
        files.append(plan_file(hosts, "the inventory, with this host only", text, force, refused))
    text = render(variables, name, ansible=True, module=module)
    path = os.path.join(inventory, "host_vars", f"{host}.yml")
    return [*files, plan_file(path, f"variables of {host}", text, force, refused)]


def refuse(refused: list[str]) -> None:
    """Raise OrchestratorError where files would be written over that are not ours."""
    if refused:
        raise OrchestratorError(
            "Nothing was written: these files were not written by this module.",
            details=refused,
            hint="Set force: true to overwrite them, or use another folder or host.",
        )


def plain(value: t.Any) -> t.Any:
    """Return data in which what Ansible is to evaluate is text."""
    if isinstance(value, Evaluated):
        return value.text
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def render(data: t.Any, source: str, *, ansible: bool, notes: t.Sequence[str] = (), module: str) -> str:
    """Return data as a YAML file of ours. ansible: Ansible reads it, so what looks like a template is marked unsafe."""
    body = "---\n" + "".join(f"# {note}\n" for note in notes)
    body += yaml.dump(data, Dumper=_dumper(ansible), sort_keys=False, width=120, allow_unicode=True)
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return f"# Written by llm_d.orchestrator.{module} from {_line(source)}, sha256:{digest}\n{body}"


def _line(text: str) -> str:
    return re.sub(r"[^\w .+@=/-]", "_", text)


def plan_file(path: str, summary: str, text: str, force: bool, refused: list[str]) -> File:
    """Return a file as it would be written; one that is not ours as it stands is noted in refused."""
    before = _read(path)
    if before and before != text and not force and not _ours(before):
        refused.append(f"{path}: not written by this module, or modified since")
    return File(path, summary, text, before)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise OrchestratorError(f"{path} cannot be read: {exc.strerror}") from exc


def _ours(text: str) -> bool:
    found = _MARK.match(text)
    return found is not None and hashlib.sha256(text[found.end() :].encode()).hexdigest()[:16] == found["digest"]


def write(files: list[File]) -> None:
    """Write the files that differ; raise OrchestratorError where one cannot be."""
    for file in files:
        if not file.changed:
            continue
        try:
            os.makedirs(os.path.dirname(file.path), exist_ok=True)
        except OSError as exc:
            raise OrchestratorError(f"cannot create {os.path.dirname(file.path)}: {exc.strerror}") from exc
        write_atomic(file.path, file.text)


def differences(files: list[File]) -> list[dict[str, str]]:
    """Return what changes, in the form of Ansible's diff mode."""
    return [
        {
            "before": file.before,
            "after": file.text,
            "before_header": file.path,
            "after_header": file.path,
        }
        for file in files
        if file.changed
    ]


def _dumper(ansible: bool) -> t.Any:
    class ScenarioDumper(yaml.SafeDumper):
        """Long texts as blocks; what Helm's parser would not take for text in quotes."""

        def ignore_aliases(self, data: t.Any) -> bool:
            return True

    def text(dumper: t.Any, value: str) -> t.Any:
        if ansible and _JINJA.search(value):
            return dumper.represent_scalar("!unsafe", value, style='"')
        if "\n" in value:
            return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
        style = None if isinstance(scalar(value), str) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    ScenarioDumper.add_representer(str, text)
    ScenarioDumper.add_representer(
        Evaluated, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value.text, style='"')
    )
    return ScenarioDumper
