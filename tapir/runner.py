"""Runs a component until it ends or the process is told to stop.

SIGTERM and SIGINT cancel the component's coroutine, which then closes what it opened. A second
signal kills at once. A process started with SIGINT ignored (a child of `tapir up`, or under nohup)
leaves it ignored, so that Ctrl-C in a terminal reaches the parent, which stops its children in
order.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine

import uvloop


def run_until_signal(start: Callable[[], Coroutine[object, object, None]]) -> int:
    """Run `start()` on a uvloop event loop; return 0 when a signal ended it.

    Errors of the component are raised as they are.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_supervise(start))


async def _supervise(start: Callable[[], Coroutine[object, object, None]]) -> int:
    loop = asyncio.get_running_loop()
    component = asyncio.ensure_future(start())

    def stop(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        component.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
    try:
        await component
    except asyncio.CancelledError:
        return 0
    return 0
