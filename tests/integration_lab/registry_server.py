# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A real registry server (CNCF distribution) on loopback, and the lab's charts pushed to it."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.binaries import Binaries
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from plane_client import eventually

ROOT = pathlib.Path(__file__).parents[2]
CHARTS = ROOT / "roles" / "lab" / "files" / "charts"
USER, PASSWORD = "robot", "open sesame"
# bcrypt of PASSWORD, the only kind that the server takes.
PASSWORD_HASH = "$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW"


def program() -> str:
    """The registry's program: found, downloaded or built once as the lab's are, see tools.yml."""
    pins = yaml.safe_load((ROOT / "roles/lab/vars/main/tools.yml").read_text(encoding="utf-8"))
    params = {"tools": pins["_lab_test_tools"], "crds": [], "download": True, "build": True}
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    found = Binaries(params, pathlib.Path(cache) / "llm-d-orchestrator" / "bin", print).obtain()
    return found["binaries"]["registry"]


def helm() -> str:
    """The lab's Helm, else the one on PATH."""
    record = pathlib.Path(os.environ.get("LAB_KUBECONFIG", "/none")).with_name("lab.json")
    found = json.loads(record.read_text())["helm"] if record.is_file() else shutil.which("helm")
    assert found, "no Helm"
    return found


class Registry:
    """A running server. host: HOST:PORT; ca: its certificate, where it speaks TLS."""

    def __init__(self, host: str, log: pathlib.Path, ca: pathlib.Path | None) -> None:
        self.host, self.log, self.ca = host, log, ca

    def ref(self, chart: str) -> str:
        """The reference of a chart that was pushed."""
        return f"oci://{self.host}/charts/{chart}"

    def requests(self) -> int:
        """How many requests for manifests and blobs it has answered so far."""
        return len(re.findall(r'"(?:GET|HEAD) /v2/charts/', self.log.read_text(encoding="utf-8")))


def push(archive: pathlib.Path, registry: Registry) -> str:
    """Push a packed chart without TLS; return its digest."""
    command = [helm(), "push", str(archive), f"oci://{registry.host}/charts", "--plain-http"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return re.search(r"sha256:[0-9a-f]{64}", done.stdout + done.stderr)[0]  # type: ignore[index]


def package(name: str, folder: pathlib.Path) -> pathlib.Path:
    """Pack one of the lab's charts."""
    subprocess.run([helm(), "package", str(CHARTS / name), "-d", str(folder)], check=True, capture_output=True)
    return next(folder.glob(f"{name}-*.tgz"))


@contextlib.contextmanager
def serving(folder: pathlib.Path, name: str, *, login: bool = False, tls: bool = False) -> Iterator[Registry]:
    """Run a server over a folder's data; several may share it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    config: dict[str, Any] = {"version": "0.1", "log": {"level": "error"}, "http": {"addr": host, "secret": "test"}}
    config["storage"] = {"filesystem": {"rootdirectory": str(folder / "data")}}
    if login:
        users = folder / "htpasswd"
        users.write_text(f"{USER}:{PASSWORD_HASH}\n", encoding="utf-8")
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(users)}}
    certificate = self_signed(folder) if tls else None
    if certificate:
        config["http"]["tls"] = {"certificate": str(certificate), "key": str(folder / "key.pem")}
    file, log = folder / f"{name}.yml", folder / f"{name}.log"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    with log.open("wb") as stream:
        # The server would send traces to a collector otherwise.
        env = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        process = subprocess.Popen([program(), "serve", str(file)], stdout=stream, stderr=stream, env=env)
    try:
        eventually(lambda: process.poll() is not None or answers(host))
        assert process.poll() is None, log.read_text()
        yield Registry(host, log, certificate)
    finally:
        process.terminate()
        process.wait(10)


def answers(host: str) -> bool:
    """Whether something listens."""
    address, _colon, port = host.partition(":")
    with contextlib.suppress(OSError), socket.create_connection((address, int(port)), timeout=1):
        return True
    return False


def self_signed(folder: pathlib.Path) -> pathlib.Path:
    """Write a key and a certificate for 127.0.0.1 that vouches for itself; return the latter."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test registry")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(address, critical=False)
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(1))
    certificate = builder.sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "certificate.pem"
