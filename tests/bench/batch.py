"""The time that the writer takes for a batch, with the event loop idle and with it saturated.

Drives the store in this process, as the server does but without a front: the same event loop, the
same interval in which threads give the interpreter's lock away.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.model import Put
from datastore.mvcc.store import Limits, Store
from datastore.server import SWITCH_INTERVAL
from tests.bench.contenders import data_directory

BATCHES = 300
PUTS = 64
BUSY_SECONDS = 0.001
VALUE = b"v" * 256


def measure(say: Callable[[str], None]) -> dict[str, float]:
    """Return the median time of a batch in milliseconds: `idle` and `saturated`."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        with data_directory() as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as r:
            say(f"batches of {PUTS} puts beside an idle and a saturated event loop")
            return r.run(_measure(Path(directory)))
    finally:
        sys.setswitchinterval(before)


async def _measure(directory: Path) -> dict[str, float]:
    backend = new_backend(f"sqlite:///{directory / 'store.db'}", Identity("bench", ()))
    store = Store(backend, Limits())
    await asyncio.to_thread(backend.open)
    try:
        await store.start()
        times = _timed(store)
        await _batches(store)
        idle, times[:] = median(times), []
        busy = asyncio.create_task(_keep_busy())
        await _batches(store)
        busy.cancel()
        return {"idle": idle * 1000, "saturated": median(times) * 1000}
    finally:
        await store.stop()


def _timed(store: Store) -> list[float]:
    """Let every commit of the writer leave its time in the list that is returned."""
    committer: Any = store.writer._committer
    commit, times = committer.commit, []

    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        outcome = commit(*arguments)
        times.append(time.perf_counter() - began)
        return outcome

    committer.commit = timed
    return times


async def _batches(store: Store) -> None:
    for number in range(BATCHES):
        keys = [b"/registry/bench/%08d" % ((number * PUTS + n) % 10_000) for n in range(PUTS)]
        await asyncio.gather(*(store.writer.submit(Put(key, VALUE), 300) for key in keys))


async def _keep_busy() -> None:
    """Leave the loop no idle moment: Python code all the time, in steps as long as a large call."""
    while True:
        until = time.perf_counter() + BUSY_SECONDS
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0)
