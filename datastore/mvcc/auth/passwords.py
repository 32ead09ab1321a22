"""Passwords, by bcrypt as etcd has them; the work goes on in threads of its own.

A hash at cost 10 takes tens of milliseconds of a core, and Authenticate is open to everybody: at
most THREADS are at work, behind all other threads of the machine, and WAITING wait for fair turns
by user name. So guessing the password of one user holds up no other, nor the event loop or the
database's threads.
"""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import bcrypt

from datastore.errors.auth import PasswordTooLong
from datastore.mvcc.auth.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
T = TypeVar("T")
LONGEST = 72  # bytes; bcrypt looks no further
LEAST_COST, DEFAULT_COST, MOST_COST = 4, 10, 31
THREADS = max(1, (os.cpu_count() or 1) // 4)
NICENESS = 10
WAITING = 1_000


class Passwords:
    """Hashes and checks passwords; `cost` is bcrypt's, 2 to its power rounds.

    One that bcrypt does not know is replaced by the default, as in etcd.
    """

    def __init__(self, cost: int = DEFAULT_COST) -> None:
        if not LEAST_COST <= cost <= MOST_COST:
            log.warning("--bcrypt-cost out of range given=%d used=%d", cost, DEFAULT_COST)
            cost = DEFAULT_COST
        self._cost = cost
        # On Linux a thread has a priority of its own.
        self._pool = ThreadPoolExecutor(THREADS, "passwords", os.nice, (NICENESS,))
        self._turns = Turns(THREADS, WAITING)

    async def hash(self, user: str, password: str) -> bytes:
        """Return the hash of a password; PasswordTooLong as in etcd."""
        check_length(password)
        salt = bcrypt.gensalt(self._cost)
        return await self._run(user, bcrypt.hashpw, password.encode(), salt)

    async def matches(self, user: str, password: str, hashed: bytes) -> bool:
        """Say whether a password has this hash; a hash that is none matches nothing."""
        return await self._run(user, _matches, password.encode()[:LONGEST], hashed)

    def close(self) -> None:
        """End the threads; what waits is not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(
        self, user: str, function: Callable[[bytes, bytes], T], one: bytes, other: bytes
    ) -> T:
        await self._turns.take(user)
        job = asyncio.get_running_loop().run_in_executor(self._pool, function, one, other)
        job.add_done_callback(lambda _: self._turns.give_back())
        # The turn lasts as long as the work, which does not end when the client goes away.
        return await asyncio.shield(job)


def check_length(password: str) -> None:
    """Refuse a password of which bcrypt would ignore the end."""
    if len(password.encode()) > LONGEST:
        raise PasswordTooLong


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:
        return False
