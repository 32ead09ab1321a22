"""What happens to our own servers: one of them is killed, or stops for a while."""

import os
import random
import signal
import time
from collections.abc import Sequence

from tests.support.datastore import Datastore

FROZEN_SECONDS = 7.0  # the database ends a transaction that nobody goes on with after 5
DEAD_SECONDS = 1.5  # at most, before one that was killed is started again in the same round


def kill_one(chance: random.Random, servers: Sequence[Datastore]) -> None:
    """Kill one with SIGKILL, and start one again that died in an earlier round, in any order.

    The only server is started again at once, one of several after a while or in the next round: but
    there is always one that lives.
    """
    dead = [server for server in servers if not server.running]
    living = [server for server in servers if server.running]
    late = len(living) > 1 and chance.random() < 0.5
    if not late:
        _start(dead)
    victim = chance.choice(living)
    victim.kill()
    if late:
        _start(dead)
    if len(servers) == 1:
        _start([victim])
    elif chance.random() < 0.5:
        time.sleep(chance.uniform(0, DEAD_SECONDS))
        _start([victim])


def freeze_one(chance: random.Random, servers: Sequence[Datastore]) -> None:
    """Stop one with SIGSTOP for longer than the database waits for it, and let it go on."""
    pid = chance.choice(servers).pid
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(pid, signal.SIGCONT)


def _start(dead: Sequence[Datastore]) -> None:
    for server in dead:
        server.restart(kill=True)
