# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the serving plane: `python -m serving_plane --kubeconfig PATH --state-dir DIR [--load-balancer]`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import aiohttp

from .cluster.api import Api, ApiError, Credentials
from .cluster.snapshot import Snapshot
from .cluster.watching import Watcher
from .reconciler import Reconciler

LOG = logging.getLogger("serving_plane")
READY_FILE = "serving_plane.ready"
PATIENCE = 60
GRACE = 0.5


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="serving_plane", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--state-dir", type=Path, required=True, help="serving_plane.ready is written there")
    parser.add_argument("--load-balancer", action="store_true", help="give addresses to LoadBalancer Services")
    return parser.parse_args()


async def first_lists(watcher: Watcher) -> None:
    """Read the whole cluster once, waiting for an API server that is still starting."""
    for attempt in range(PATIENCE):
        try:
            return await watcher.resync()
        except (ApiError, aiohttp.ClientError, OSError) as exc:
            if attempt == PATIENCE - 1:
                raise
            LOG.info("waiting for the API server: %s", exc)
            await asyncio.sleep(1)
    return None


async def serve(args: argparse.Namespace) -> None:
    """Run until SIGTERM or SIGINT."""
    stop, watching = asyncio.Event(), asyncio.Event()
    _stop_on_signals(stop)
    ready_file = args.state_dir / READY_FILE
    ready_file.unlink(missing_ok=True)
    async with Api(Credentials(args.kubeconfig)) as api:
        snapshot = Snapshot()
        reconciler = Reconciler(api, snapshot, args.state_dir, load_balancer=args.load_balancer)
        watcher = Watcher(api, snapshot, reconciler.touch)
        await first_lists(watcher)
        tasks = [
            asyncio.create_task(watcher.run(args.kubeconfig, stop, watching)),
            asyncio.create_task(reconciler.run()),
        ]
        announce = asyncio.create_task(_announce(watching, ready_file, stop))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            LOG.info("stopping")
        finally:
            ready_file.unlink(missing_ok=True)
            stop.set()
            await asyncio.wait(tasks[:1], timeout=GRACE)
            for task in (*tasks, announce, stopped):
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await reconciler.sockets.close_all()
    broken = [item for item in results if isinstance(item, Exception)]
    if broken:
        raise broken[0]


def _stop_on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _announce(watching: asyncio.Event, ready_file: Path, stop: asyncio.Event) -> None:
    await watching.wait()
    # kopf has put its own signal handlers in place meanwhile, which stop it in its own, slower way.
    _stop_on_signals(stop)
    ready_file.write_text("ready\n", encoding="utf-8")
    LOG.info("watching")


def main() -> None:
    """Set up logging and run."""
    args = arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("kopf").setLevel(logging.WARNING)
    asyncio.run(serve(args))


if __name__ == "__main__":
    main()
