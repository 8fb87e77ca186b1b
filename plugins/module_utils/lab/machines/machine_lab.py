# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole lab of machines: brought up, looked at, taken down."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import ipaddress
import json
import os
import pathlib
import re
import shutil
import typing as t

from ...base.errors import OrchestratorError
from ...base.files import write_atomic
from .. import state as process
from . import layout
from .image import Images, recipe
from .machine import LabMachine
from .network import Network, taken
from .programs import require_machines, run

Params = t.Mapping[str, t.Any]


class MachineLab:
    """One lab of machines. name: 1 to 20 lower-case letters, digits and hyphens; raises OrchestratorError otherwise."""

    def __init__(self, name: str, env: t.Mapping[str, str] | None = None) -> None:
        if not re.fullmatch(layout.NAME, name):
            raise OrchestratorError(
                f"lab_machines_name {name!r} is not a valid name.",
                hint="Use 1 to 20 lower-case letters, digits and hyphens, beginning with a letter.",
            )
        env = os.environ if env is None else env
        self.name = name
        self.labs = process.xdg_dir("XDG_STATE_HOME", ".local/state", env).resolve() / "machines"
        self.folder = self.labs / name
        self.record_file = self.folder / "machines.json"
        self.images = Images(process.xdg_dir("XDG_CACHE_HOME", ".cache", env).resolve())
        self.network = Network(name, self.labs)
        self.actions: list[str] = []

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        """Let one run at a time change labs of machines."""
        self.labs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.labs / ".lock").open("a+b") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX)
            yield

    def record(self) -> dict[str, t.Any]:
        """Return machines.json; {} where there is no such lab."""
        return json.loads(self.record_file.read_text(encoding="utf-8")) if self.record_file.exists() else {}

    def machine(self, name: str) -> LabMachine:
        """Return a machine of the lab, by its name."""
        return LabMachine(self.name, name, self.folder)

    def hosts(self) -> list[layout.Host]:
        """Return the machines that the lab has; raises OrchestratorError where there is no such lab."""
        record = self.record()
        if not record:
            raise OrchestratorError(f"Lab of machines not found: {self.name}.", hint="Run machines_up.yml first.")
        return layout.hosts_of(record["hosts"], ipaddress.IPv4Network(record["network"]))

    def present(self, params: Params, check_mode: bool) -> dict[str, t.Any]:
        """Bring the lab up, or mend it, or change nothing where it is as wanted; return what lab_machines returns."""
        require_machines()
        record = self.record()
        network = self._network(record)
        hosts = layout.hosts_of(params["hosts"], network)
        wanted = recipe(params["suite"], params["packages"], params["mirror"])
        if check_mode:
            return self._result(hosts, network, self._would(hosts, wanted))
        image, done = self.images.make(wanted)
        self.actions += [done] if done else []
        self.folder.mkdir(exist_ok=True, mode=0o700)
        given = [{"name": one.name, "groups": one.groups, "variables": one.variables} for one in hosts]
        cuts = [pair for pair in record.get("cuts", []) if {*pair} <= {one.name for one in hosts}]
        self._remove_others({one.name for one in hosts})
        self._write_record({"network": str(network), "hosts": given, "cuts": cuts})
        if not self.network.there():
            # What was plugged into the old bridge is not in the new one.
            for one in hosts:
                self.machine(one.name).kill()
            self.network.make(network)
            self.actions.append(f"made the network {network}")
        if params["outside"]:
            self.network.open(network)
        self._key()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            booted = [
                one for one, new in zip(hosts, pool.map(self._bring(hosts, network, image), hosts), strict=True) if new
            ]
            list(pool.map(lambda one: self.machine(one.name).wait(one.address), hosts))
        self.actions += [f"booted {', '.join(one.name for one in booted)}"] if booted else []
        self._write_files(hosts, network)
        self.network.cut(cuts, self._full_names(hosts))
        return self._result(hosts, network, self.actions)

    def verified(self) -> dict[str, t.Any]:
        """Return what lab_machines returns; raises OrchestratorError that names each machine that does not run."""
        hosts = self.hosts()
        off = [one.name for one in hosts if not self.machine(one.name).running()]
        if off:
            raise OrchestratorError(
                f"Machines of the lab {self.name} are off: {', '.join(off)}.", hint="Run machines_up.yml."
            )
        for one in hosts:
            self.machine(one.name).wait(one.address)
        return self._result(hosts, ipaddress.IPv4Network(self.record()["network"]), [])

    def absent(self, check_mode: bool) -> dict[str, t.Any]:
        """Take the lab down with all that it has left, also one that was made only in part."""
        found = self.folder.exists() or self.network.path.exists()
        if found and check_mode:
            self.actions.append("would remove the lab")
        elif found:
            require_machines(["ip", "nft"])
            self._remove_others(set())
            self._end_connections()
            self.network.remove()
            shutil.rmtree(self.folder, ignore_errors=True)
            if not any(self.labs.glob("*/machines.json")):
                self.network.close()
            self.actions = ["removed the lab"]
        return {"changed": bool(self.actions), "actions": self.actions}

    def set_machine(
        self, name: str, state: str | None, cut_from: list[str] | None, check_mode: bool
    ) -> dict[str, t.Any]:
        """Boot, shut down or kill a machine, or cut it from others; return what lab_machine returns.

        cut_from: machines that it does not reach, [] for none, None for no change.
        """
        hosts = {one.name: one for one in self.hosts()}
        unknown = sorted({name, *(cut_from or ())} - hosts.keys())
        if unknown:
            raise OrchestratorError(
                f"Machine not found in the lab {self.name}: {', '.join(unknown)}.", hint=f"It has {', '.join(hosts)}."
            )
        machine, host, record = self.machine(name), hosts[name], self.record()
        pairs = [pair for pair in record["cuts"] if name not in pair] if cut_from is not None else record["cuts"]
        pairs = sorted([*pairs, *(sorted([name, other]) for other in cut_from or () if other != name)])
        if pairs != record["cuts"]:
            self.actions.append(f"cut {name} from {', '.join(cut_from or ())}" if cut_from else f"connected {name}")
        if state and bool(machine.running()) != (state == "booted"):
            self.actions.append(f"{name} {state}")
        result = {"changed": bool(self.actions), "actions": self.actions, "address": host.address}
        if check_mode or not self.actions:
            return result
        self._write_record({**record, "cuts": pairs})
        if state == "booted":
            machine.boot(self.network)
            machine.wait(host.address)
        elif state:
            (machine.kill if state == "killed" else machine.shut_down)()
        self.network.cut(pairs, self._full_names(hosts.values()))
        return result

    def _network(self, record: Params) -> ipaddress.IPv4Network:
        if record:
            return ipaddress.IPv4Network(record["network"])
        others = [json.loads(path.read_text(encoding="utf-8"))["network"] for path in self.labs.glob("*/machines.json")]
        return layout.choose_network(self.name, [*taken(), *map(ipaddress.IPv4Network, others)])

    def _would(self, hosts: list[layout.Host], wanted: t.Any) -> list[str]:
        image = [] if self.images.there(wanted) else [f"would make the base image {wanted.key}"]
        off = [one.name for one in hosts if not self.machine(one.name).running()]
        return image + ([f"would boot {', '.join(off)}"] if off else [])

    def _bring(
        self, hosts: list[layout.Host], network: ipaddress.IPv4Network, image: pathlib.Path
    ) -> t.Callable[[layout.Host], bool]:
        key = (self.folder / "id_ed25519.pub").read_text(encoding="utf-8")

        def bring(host: layout.Host) -> bool:
            """Return whether the machine had to be switched on."""
            machine = self.machine(host.name)
            if machine.image() != str(image):
                machine.remove()
                machine.make(image)
            machine.mount()
            machine.write("etc/hostname", f"{host.name}\n")
            machine.write("etc/hosts", layout.hosts_file(host, hosts))
            # Before 80-container-host0.network, which systemd brings for all containers.
            machine.write("etc/systemd/network/10-lab.network", layout.network_file(host, network))
            machine.write("root/.ssh/authorized_keys", key, 0o600)
            if machine.running():
                return False
            machine.boot(self.network)
            return True

        return bring

    def _key(self) -> None:
        """Make the key that opens the machines, for this lab alone."""
        path = self.folder / "id_ed25519"
        if not path.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {self.name}", "-f", str(path)])

    def _write_files(self, hosts: list[layout.Host], network: ipaddress.IPv4Network) -> None:
        # ssh makes sockets in it that connections share.
        (self.folder / "cp").mkdir(exist_ok=True, mode=0o700)
        keys = {one.name: self.machine(one.name).host_key() for one in hosts}
        texts = {
            "known_hosts": layout.known_hosts(keys, hosts),
            "ssh_config": layout.ssh_config(self.folder, hosts),
            "inventory.yml": layout.inventory(self.folder, hosts, network),
        }
        for name, text in texts.items():
            write_atomic(str(self.folder / name), text, 0o600)

    def _write_record(self, record: dict[str, t.Any]) -> None:
        write_atomic(str(self.record_file), json.dumps(record, indent=2) + "\n", 0o600)

    def _remove_others(self, names: set[str]) -> None:
        """Remove the machines that the lab has and that are not named."""
        for path in sorted((self.folder / "machines").glob("*")):
            if path.name not in names:
                self.machine(path.name).remove()
                self.actions.append(f"removed {path.name}")

    def _end_connections(self) -> None:
        """End the connections to the machines that ssh keeps open for the next task."""
        sockets = f"ssh: {self.folder / 'cp'}/"
        process.stop(one for one in process.processes() if one.argv[0].startswith(sockets))

    def _full_names(self, hosts: t.Iterable[layout.Host]) -> dict[str, str]:
        return {one.name: self.machine(one.name).full for one in hosts}

    def _result(self, hosts: list[layout.Host], network: ipaddress.IPv4Network, actions: list[str]) -> dict[str, t.Any]:
        return {
            "changed": bool(actions),
            "actions": actions,
            "network": str(network),
            "addresses": {one.name: one.address for one in hosts},
            "inventory": str(self.folder / "inventory.yml"),
            "ssh_config": str(self.folder / "ssh_config"),
            "state_dir": str(self.folder),
        }
