"""A client process: as many tasks as wanted that read and write until they are told to stop.

    python -m tests.robustness.load ADDRESS,ADDRESS NAME SEED TURNS

It obeys lines on stdin: `go TOKEN` starts the tasks, `stop PATH` ends them, writes what they were
told to the file and prints `done`. A server that goes away is asked again until it is back, or
another one. One process (TURNS is 1) turns the gates, too.
"""

import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.robustness.caller import Caller
from tests.robustness.choices import Chooser
from tests.robustness.history import OK, Log, save
from tests.robustness.turner import Alarm, Gate, Permission, swing

TASKS = 6


class Route:
    """Which server a task asks next, by the task's number: every third does the same.

    The first kind asks any at random, so that it reads elsewhere than it wrote. The second stays
    with its server and waits for it. The third goes on at another one when its own fails.
    """

    def __init__(self, number: int, callers: Sequence[Caller], chance: random.Random) -> None:
        self._kind = number % 3
        self._callers = callers
        self._chance = chance
        self._at = number // 3 % len(callers)

    def next(self, *, failed: bool) -> Caller:
        """Return whom to ask, knowing whether the last call failed."""
        if self._kind == 0:
            return self._chance.choice(self._callers)
        if self._kind == 2 and failed:
            self._at = (self._at + 1) % len(self._callers)
        return self._callers[self._at]


async def work(route: Route, chooser: Chooser, stop: asyncio.Event) -> None:
    """Make one call after the other until told to stop."""
    failed = False
    while not stop.is_set():
        lease = chooser.wants_lease()
        if lease and await route.next(failed=False).grant(lease.id, lease.ttl):
            chooser.leases.append(lease.id)
        if renewed := chooser.wants_renewal():
            await route.next(failed=False).renew(renewed)
        record = await route.next(failed=failed).call(chooser.choose())
        chooser.learn(record)
        failed = record.status != OK


async def obey(addresses: Sequence[str], name: str, seed: int, *, turns: bool) -> None:
    """Do what stdin says until it ends."""
    chance = random.Random(seed)
    loop = asyncio.get_running_loop()
    choosers = [Chooser(f"{name}{n}", random.Random(chance.random())) for n in range(TASKS)]
    gates: list[Gate] = []
    if turns:
        gates = [Alarm(f"{name}gate"), Permission(random.Random(chance.random()))]
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        log, stop = Log(), asyncio.Event()
        token = line.partition(" ")[2].strip()
        callers = [Caller(address, log, token) for address in addresses]
        routes = [Route(n, callers, random.Random(chance.random())) for n in range(TASKS)]
        tasks = [
            asyncio.create_task(work(route, chooser, stop))
            for route, chooser in zip(routes, choosers, strict=True)
        ]
        tasks += [
            asyncio.create_task(swing(gate, callers, chance, stop))
            for gate in (gates if token else gates[:1])
        ]
        line = await loop.run_in_executor(None, sys.stdin.readline)
        stop.set()
        await asyncio.gather(*tasks)
        await asyncio.gather(*(caller.close() for caller in callers))
        save(log, Path(line.split(maxsplit=1)[1].strip()))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(
        obey(sys.argv[1].split(","), sys.argv[2], int(sys.argv[3]), turns=sys.argv[4] == "1")
    )
