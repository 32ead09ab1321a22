"""`python -m datastore`: parse flags, serve, and turn trouble into one line and exit code 2."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from typing import NoReturn

from datastore.config import DatastoreConfig, add_flags, from_args
from datastore.errors import ConfigError
from datastore.server import run

LEVELS = {"warn": "WARNING"}


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with the flags in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the datastore and return the exit code."""
    parser = OneLineParser(prog="datastore", description="an etcd server over SQL")
    add_flags(parser)
    try:
        serve(from_args(parser.parse_args(arguments)))
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def serve(config: DatastoreConfig) -> None:
    """Serve in this process until SIGTERM or SIGINT; ConfigError when it cannot start."""
    import uvloop

    level = LEVELS.get(config.log_level, config.log_level.upper())
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signal(config))


async def _until_signal(config: DatastoreConfig) -> None:
    serving = asyncio.ensure_future(run(config))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    sys.exit(main())
