"""`python -m datastore`: read flags, serve, and turn trouble into one line and exit code 2."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from datastore.command import config_of, prepare
from datastore.errors import ConfigError

if TYPE_CHECKING:
    from datastore.config import DatastoreConfig


def main(arguments: list[str] | None = None) -> int:
    """Run the datastore and return the exit code."""
    try:
        config = config_of("datastore", sys.argv[1:] if arguments is None else arguments)
        prepare(config)
        serve(config)
    except ConfigError as error:
        print(f"datastore: {error} (see --help)", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def serve(config: DatastoreConfig) -> None:
    """Serve in this process until SIGTERM or SIGINT; ConfigError when it cannot start."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signal(config))


async def _until_signal(config: DatastoreConfig) -> None:
    """Serve until a first signal, and stop in order; a second one ends the process at once."""
    from datastore.server import run

    serving = asyncio.ensure_future(run(config))
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        serving.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        await serving
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    sys.exit(main())
