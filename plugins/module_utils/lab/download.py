# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Prebuilt programs and definitions from their publishers, used only when their SHA-256 is the stated one."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import pathlib
import shutil
import socket
import tarfile
import tempfile
import threading
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request

from ansible.module_utils.urls import open_url

from .progress import Share

CONNECT_TIMEOUT = 5
# A server that sends nothing for this long has stalled.
READ_TIMEOUT = 30
CHUNK = 1 << 20
NETWORK_ERRORS = (OSError, urllib.error.URLError, http.client.HTTPException, ValueError)


class DownloadError(Exception):
    """A download that cannot be used; the text says why."""


def mirrored(url: str, mirror: str | None) -> str:
    """Return the URL to ask: the publisher's, or <mirror>/<publisher's host>/<path> where a mirror is set."""
    if not mirror:
        return url
    parts = urllib.parse.urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


class Reach:
    """Finds out, once per host and for all hosts at the same time, whether this machine can reach them."""

    def __init__(self, urls: t.Iterable[str]) -> None:
        self.state: dict[str, str] = {}
        hosts = {urllib.parse.urlsplit(url).netloc: url for url in urls}
        # Daemon threads: a name server that never answers must not hold the program.
        threads = [threading.Thread(target=self._try, args=(host, url), daemon=True) for host, url in hosts.items()]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + CONNECT_TIMEOUT
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _try(self, host: str, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if urllib.request.getproxies().get(parts.scheme) and not urllib.request.proxy_bypass(parts.hostname or ""):
            self.state[host] = ""
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT).close()
        except OSError as exc:
            self.state[host] = exc.strerror or str(exc)
        else:
            self.state[host] = ""

    def problem(self, url: str) -> str:
        """Return why the URL's host cannot be reached, "" where it can."""
        host = urllib.parse.urlsplit(url).netloc
        return self.state.get(host, f"timed out after {CONNECT_TIMEOUT}s")


def fetch_text(url: str) -> str:
    """Return a small text file; raises DownloadError."""
    try:
        with _open(url) as reply:
            return reply.read(CHUNK * 4).decode()
    except NETWORK_ERRORS as exc:
        raise DownloadError(f"{url}: {exc}") from exc


def fetch_file(url: str, target: pathlib.Path, sha256: str, share: Share | None = None) -> None:
    """Write a file; raises DownloadError where it does not arrive or its checksum is another one.

    share: told how large it is.
    """
    digest = hashlib.sha256()
    try:
        with _open(url) as reply, open(target, "wb") as stream:
            size = reply.headers.get("Content-Length") or ""
            if share and size.isdigit():
                share.begin(int(size) / CHUNK, lambda: stream.tell() / CHUNK)
            while chunk := reply.read(CHUNK):
                digest.update(chunk)
                stream.write(chunk)
    except NETWORK_ERRORS as exc:
        raise DownloadError(f"{url}: {exc}") from exc
    if digest.hexdigest() != sha256:
        target.unlink()
        raise DownloadError(
            f"{url}: its SHA-256 is {digest.hexdigest()}, its publisher states {sha256}; it was deleted"
        )


def _open(url: str) -> t.Any:
    return open_url(url, timeout=READ_TIMEOUT, http_agent="llm-d-orchestrator")


def stated_checksum(text: str, file: str) -> str:
    """Return the SHA-256 that a publisher's text states for a file; raises DownloadError where it states none.

    text: a bare digest, lines of sha256sum, or GitHub's JSON of a release (assets with `digest`).
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        for asset in json.loads(stripped).get("assets") or []:
            digest = str(asset.get("digest") or "")
            if asset.get("name") == file and digest.startswith("sha256:"):
                return digest.partition(":")[2]
        raise DownloadError(f"the release states no SHA-256 for {file}")
    lines = [line.split() for line in stripped.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) == 1 and _is_sha256(lines[0][0]):
        return lines[0][0].lower()
    for words in lines:
        if len(words) == 2 and words[1].lstrip("*").rpartition("/")[2] == file and _is_sha256(words[0]):
            return words[0].lower()
    raise DownloadError(f"the checksum file states no SHA-256 for {file}")


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not set(text.lower()) - set("0123456789abcdef")


def extract(archive: pathlib.Path, member: str, target: pathlib.Path) -> None:
    """Write one file of a tar archive; raises DownloadError where it is not in it."""
    try:
        with tarfile.open(archive) as tar:
            source = tar.extractfile(member)
            if source is None:
                raise KeyError(member)
            with open(target, "wb") as stream:
                while chunk := source.read(CHUNK):
                    stream.write(chunk)
    except (tarfile.TarError, KeyError, OSError) as exc:
        raise DownloadError(f"{archive.name} does not contain {member}: {exc}") from exc


def download_tool(
    url: str, checksum_url: str, member: str | None, tool: str, folder: pathlib.Path, share: Share | None = None
) -> None:
    """Put a tool into a folder, ready to run; raises DownloadError."""
    file = urllib.parse.urlsplit(url).path.rpartition("/")[2]
    sha256 = stated_checksum(fetch_text(checksum_url), file)
    target = folder / tool
    if member:
        archive = folder / file
        fetch_file(url, archive, sha256, share)
        extract(archive, member, target)
        archive.unlink()
    else:
        fetch_file(url, target, sha256, share)
    target.chmod(0o755)


def download_files(base: str, files: dict[str, str], folder: pathlib.Path) -> None:
    """Put files into a folder. files: name -> SHA-256. Raises DownloadError."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(fetch_file, base + name, folder / name, sha256) for name, sha256 in files.items()]
    for job in jobs:
        job.result()


@contextlib.contextmanager
def staging(target: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """Give an empty folder beside the target that takes its place when all went well, and is removed otherwise."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = pathlib.Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    part.chmod(0o755)
    try:
        yield part
        if target.exists():
            # It was there and yet not usable, or it would not be made again.
            shutil.rmtree(target)
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
