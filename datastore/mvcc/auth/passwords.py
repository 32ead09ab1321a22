"""Passwords, by bcrypt as etcd has them; the work goes on in threads of its own.

A hash at cost 10 takes tens of milliseconds of a core, and Authenticate is open to everybody: at
most THREADS are at work and WAITING wait, more are refused with TooManyRequests, so that nobody
stops the event loop or starves the database's threads by guessing passwords.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import bcrypt

from datastore.errors import PasswordTooLong, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
T = TypeVar("T")
LONGEST = 72  # bytes; bcrypt looks no further
LEAST_COST, DEFAULT_COST, MOST_COST = 4, 10, 31
THREADS = 2
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
        self._pool = ThreadPoolExecutor(THREADS, "passwords")
        self._waiting = 0

    async def hash(self, password: str) -> bytes:
        """Return the hash of a password; PasswordTooLong as in etcd."""
        check_length(password)
        return await self._run(bcrypt.hashpw, password.encode(), bcrypt.gensalt(self._cost))

    async def matches(self, password: str, hashed: bytes) -> bool:
        """Say whether a password has this hash; a hash that is none matches nothing."""
        return await self._run(_matches, password.encode()[:LONGEST], hashed)

    def close(self) -> None:
        """End the threads; what waits is not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[[bytes, bytes], T], one: bytes, other: bytes) -> T:
        if self._waiting >= WAITING:
            raise TooManyRequests
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, function, one, other)
        finally:
            self._waiting -= 1


def check_length(password: str) -> None:
    """Refuse a password of which bcrypt would ignore the end."""
    if len(password.encode()) > LONGEST:
        raise PasswordTooLong


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:
        return False
