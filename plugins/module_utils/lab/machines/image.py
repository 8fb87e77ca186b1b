# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Base images: Debian root file systems, made once for each content."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import time

from ..progress import elapsed
from .programs import run

# Goes into every image: what boots it, lets Ansible in, and lets roles look around.
BASE = (
    "systemd", "systemd-sysv", "dbus", "udev", "iproute2", "iputils-ping", "openssh-server", "python3", "python3-apt",
    "ca-certificates", "sudo", "procps", "acl", "nftables",
)  # fmt: skip
MIRROR, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
# What of the controller's apt a machine has to know to reach the same mirror.
KEPT = ("Acquire::http::", "Acquire::https::", "Acquire::Check-", "Acquire::Retries")
OWN_CA = pathlib.Path("/usr/local/share/ca-certificates")
APT = ('Acquire::Languages "none"', 'APT::Install-Recommends "false"')
UNUSED = ("man", "doc", "locale", "info")
# Written before PostgreSQL's packages are unpacked, so that they make no cluster.
NO_CLUSTER = """mkdir -p "$1/etc/postgresql-common"
echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"
"""
# A machine of the lab begins as one on which nothing but ssh runs; journals survive a power cut.
FINISH = r"""set -eu
root="$1"
systemctl --root="$root" list-unit-files --state=enabled --no-legend | cut -d' ' -f1 |
  grep -vE '^(ssh|getty@|systemd-)' | xargs -r systemctl --quiet --root="$root" disable
systemctl --quiet --root="$root" enable systemd-networkd
systemctl --quiet --root="$root" mask console-getty.service systemd-networkd-wait-online.service
rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/resolv.conf
mkdir -p "$root/var/log/journal"
: > "$root/etc/machine-id"
chroot "$root" update-ca-certificates > /dev/null 2>&1
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an image is made from; the same recipe is the same image."""

    suite: str
    packages: tuple[str, ...]
    sources: tuple[str, ...]
    apt: tuple[str, ...]
    authorities: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """The image's name in the cache."""
        content = [dataclasses.astuple(self), BASE, APT, UNUSED, NO_CLUSTER, FINISH]
        return f"{self.suite}-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]}"


def recipe(suite: str, packages: list[str], mirror: str) -> Recipe:
    """Return the recipe on this machine: its own mirror and settings of apt where it has them for the suite."""
    targets = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"]
    )
    authorities = [(path.name, path.read_text(encoding="utf-8")) for path in sorted(OWN_CA.glob("*.crt"))]
    settings = tuple(line.rstrip(";") for line in run(["apt-config", "dump"]).splitlines() if line.startswith(KEPT))
    sources = sources_of(suite, [] if mirror else targets.splitlines(), mirror)
    return Recipe(suite, tuple(sorted({*packages})), sources, settings, tuple(authorities))


def sources_of(suite: str, targets: list[str], mirror: str = "") -> tuple[str, ...]:
    """Return the lines of sources.list: of a mirror, or those of this machine for the suite, or Debian's own.

    targets: URI|RELEASE|COMPONENT as 'apt-get indextargets' has them.
    """
    ours = sorted({tuple(one.split("|")) for one in targets})
    own = [f"deb {uri} {release} {part}" for uri, release, part in ours if release.split("-")[0] == suite]
    if any(line.split()[2] == suite for line in own):
        return tuple(own)
    lines = [f"deb {mirror or MIRROR} {suite} main"]
    return (*lines, f"deb {MIRROR} {suite}-updates main", f"deb {SECURITY} {suite}-security main")[: 1 if mirror else 3]


class Images:
    """The cache of images, a folder for each."""

    def __init__(self, cache: pathlib.Path) -> None:
        self.folder = cache / "machines"

    def path(self, wanted: Recipe) -> pathlib.Path:
        """Return where the image is, or would be."""
        return self.folder / wanted.key

    def there(self, wanted: Recipe) -> bool:
        """Say whether the image is complete: it gets its name when it is."""
        return self.path(wanted).is_dir()

    def make(self, wanted: Recipe) -> tuple[pathlib.Path, str]:
        """Return the image's path, and what was done for it; the second of two runs waits for the first."""
        target = self.path(wanted)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        with open(self.folder / ".lock", "a+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            if target.is_dir():
                return target, ""
            began = time.monotonic()
            part = self.folder / f".part-{wanted.key}"
            shutil.rmtree(part, ignore_errors=True)
            try:
                run(mmdebstrap(wanted, part), "".join(f"{line}\n" for line in wanted.sources))
                os.chmod(part, 0o755)  # noqa: S103 - it becomes the machines' root folder
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return target, f"made the base image {wanted.key} in {elapsed(time.monotonic() - began)}"


def mmdebstrap(wanted: Recipe, target: pathlib.Path) -> list[str]:
    """Return the command that makes an image; it reads the sources from its standard input."""
    line = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"]
    line += [f"--aptopt={text}" for text in (*APT, *wanted.apt)]
    line += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNUSED]
    line += [f"--include={','.join((*BASE, *wanted.packages))}", f"--essential-hook={NO_CLUSTER}"]
    if wanted.authorities:
        line.append(f'--customize-hook=mkdir -p "$1{OWN_CA}" && cp {OWN_CA}/*.crt "$1{OWN_CA}"')
    return [*line, f"--customize-hook={FINISH}", wanted.suite, str(target), "-"]
